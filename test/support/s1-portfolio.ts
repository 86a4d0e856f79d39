import { writeFileSync } from 'node:fs';
import { Chance, MINUTE } from '#base';
import { type BarColumns, columnsOfBars } from '#market';
import type { PortfolioRequest } from '../../src/apps/runner/portfolio-setup.ts';
import { DEFAULT_ACCOUNT } from '../../src/apps/setup/configuration.ts';

/** Where the drifting market begins. */
export const DRIFT_FROM = Date.UTC(2024, 0, 1);

/** A model that loses may go on: what is tested is that it trades. */
export const PATIENT = { lossesInARow: 10_000, dayLossMax: 1, groupDayLossMax: 1, drawdownMax: 1 };

/** A portfolio of S1 alone on recorded files. */
export const s1Portfolio = (
  bars: readonly string[],
  funding: readonly string[],
  parameters: Record<string, unknown>,
): PortfolioRequest => ({
  name: 's1',
  portfolio: {
    base: 'USDT',
    desks: [{ desk: 's1-momentum', configuration: 'default', parameters }],
    account: 'paper',
    feed: 'recorded',
    seed: '1',
    running: true,
  },
  account: DEFAULT_ACCOUNT,
  feed: { kind: 'recorded', bars: [...bars], funding: [...funding] },
});

interface Drift {
  readonly seed: string;
  readonly count: number;
  /** Largest mean return of a bar, and the bars in which the swing up and down goes on by one radian. */
  readonly most: number;
  readonly swing: number;
}

/** Minutes of a market that drifts up and down, enough for a model that follows it or does the opposite; written as a file too. */
export function driftingMinutes(file: string, { seed, count, most, swing }: Drift): BarColumns {
  const chance = new Chance(seed);
  let price = 50_000;
  const bars = Array.from({ length: count }, (_, i) => {
    const open = price;
    price *= Math.exp(most * Math.sin(i / swing) + 0.0003 * chance.normal());
    return {
      time: DRIFT_FROM + i * MINUTE,
      open,
      high: Math.max(open, price) * 1.0003,
      low: Math.min(open, price) * 0.9997,
      close: price,
      volume: 1e6,
    };
  });
  const rows = bars.map((bar) => [bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume].join(','));
  writeFileSync(file, ['time,open,high,low,close,volume', ...rows].join('\n'));
  return columnsOfBars(bars);
}
