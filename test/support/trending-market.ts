import { Chance, DAY, MINUTE } from '#base';
import { type BarColumns, barColumns } from '#market';

/** A whole day, and a whole number of two-day steps since 1970. */
export const TREND_START = Date.UTC(2024, 0, 2);
export const QUARTER = 15 * MINUTE;

interface Trend {
  readonly days: number;
  readonly seed: string;
  readonly intervalMs?: number;
  readonly from?: number;
  /** Drift of a bar in deviations. */
  readonly drift?: number;
}

/** A market whose trends last long enough to be learned: drifts of some dozen bars, up and down in turn. */
export function trendingBars({
  days,
  seed,
  intervalMs = QUARTER,
  from = TREND_START,
  drift = 0.6,
}: Trend): BarColumns {
  const chance = new Chance(seed);
  const count = Math.round((days * DAY) / intervalMs);
  const bars = barColumns(count);
  bars.length = count;
  let price = 30_000;
  let side = 1;
  let left = 0;
  for (let i = 0; i < count; i++) {
    if (left-- <= 0) {
      side = -side;
      left = 40 + chance.below(60);
    }
    const open = price;
    price *= Math.exp(0.002 * (side * drift + chance.normal()));
    const round = (value: number) => Math.round(value * 10) / 10;
    bars.time[i] = from + i * intervalMs;
    bars.open[i] = round(open);
    bars.close[i] = round(price);
    bars.high[i] = round(Math.max(open, price) * (1 + 0.0008 * chance.uniform())) + 0.1;
    bars.low[i] = round(Math.min(open, price) * (1 - 0.0008 * chance.uniform())) - 0.1;
    bars.volume[i] = 500 + Math.round(300 * chance.uniform());
  }
  return bars;
}

/** Bars as a file holds them; `skip` leaves some out. */
export function barsCsv(bars: BarColumns, skip: (i: number) => boolean = () => false): string {
  const lines = ['time,open,high,low,close,volume'];
  for (let i = 0; i < bars.length; i++) {
    if (skip(i)) continue;
    const { time, open, high, low, close, volume } = bars;
    lines.push([time[i], open[i], high[i]!.toFixed(1), low[i]!.toFixed(1), close[i], volume[i]].join(','));
  }
  return `${lines.join('\n')}\n`;
}
