import { createKept } from '../../api/store.ts';

/** Indicators on the chart, as the server reads them; kept in this browser. */
export const chosenIndicators = createKept<readonly string[]>(
  'indicators',
  (kept) => (kept === null ? ['ema:20', 'ema:50', 'rsi:14'] : kept.split(',').filter((text) => text !== '')),
  (value) => value.join(','),
);

/** Interval of the chart by instrument, ms; those not named have that of the instrument. */
export const chosenIntervals = createKept<Readonly<Record<string, number>>>(
  'intervals',
  (kept) => {
    try {
      const read: unknown = JSON.parse(kept ?? '{}');
      return typeof read === 'object' && read !== null ? (read as Record<string, number>) : {};
    } catch {
      return {};
    }
  },
  (value) => JSON.stringify(value),
);
