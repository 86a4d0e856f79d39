import { defineInstrument, type Instrument, type InstrumentSpec } from '#market';

type Changes = Omit<InstrumentSpec, 'id'>;

/** A linear perpetual in USDT with tick 0.1 and lot 0.001, unless told otherwise. */
export function perpetual(id: string, changes: Changes = {}): Instrument {
  return defineInstrument({
    id,
    kind: 'linear-perpetual',
    quote: 'USDT',
    tick: { units: 1, scale: 1 },
    lot: { units: 1, scale: 3 },
    ...changes,
  });
}

/** A share in whole rupiah with tick 25 and lot 100. */
export const BBCA = defineInstrument({
  id: 'BBCA.IDX',
  kind: 'equity',
  quote: 'IDR',
  tick: { units: 25, scale: 0 },
  lot: { units: 100, scale: 0 },
  minorScale: 0,
});

/** A claim that pays 1 or nothing, with tick 0.01 and whole lots; in USD kept to 0.0001, unless told otherwise. */
export function rainClaim(changes: Changes = {}): Instrument {
  return defineInstrument({
    id: 'RAIN.KALSHI',
    kind: 'binary',
    quote: 'USD',
    tick: { units: 1, scale: 2 },
    lot: { units: 1, scale: 0 },
    minorScale: 4,
    payoutTicks: 100,
    ...changes,
  });
}
