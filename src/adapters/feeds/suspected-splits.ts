import type { Instant } from '#base';
import type { BarColumns } from '#market';

/** A jump of the price that looks like a split nobody adjusted for. */
export interface SuspectedSplit {
  /** Open time of the first bar at the new price. */
  readonly at: Instant;
  /** New units for one old: 2 where the price halved, 0.1 where it rose tenfold. */
  readonly ratio: number;
  /** Price before divided by price after. */
  readonly jump: number;
}

/** Usual ratios of new to old units, and how far (in logarithms) a jump may miss them. Small ones occur by chance. */
const WHOLE = [2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100, 1000];
const BROKEN = [5 / 4, 4 / 3, 3 / 2, 5 / 2];
const BROKEN_MISS = 0.006;
const WHOLE_MISS_LEAST = 0.01;
const WHOLE_MISS_MOST = 0.03;
/** Bars before and after the jump that must stay at their price. */
const STAYS_BARS = 5;

/**
 * Jumps from a close to the next open that are near a usual split ratio, larger than the `limit` for outliers, and last.
 * `deviation` is that of one bar's logarithmic return: it bounds how far a jump may miss a ratio. A crash by just a half
 * cannot be told from a split by prices alone.
 */
export function suspectedSplits(
  columns: BarColumns,
  deviation: number,
  limit: number,
  most = 20,
): SuspectedSplit[] {
  const { length, time, open, close } = columns;
  const miss = Math.min(WHOLE_MISS_MOST, Math.max(WHOLE_MISS_LEAST, 1.5 * deviation));
  const least = Math.max(limit, Math.log(BROKEN[0]!) - BROKEN_MISS);
  const out: SuspectedSplit[] = [];
  for (let i = 1; i < length && out.length < most; i++) {
    const jump = close[i - 1]! / open[i]!;
    const size = Math.abs(Math.log(jump));
    if (size < least) continue;
    const near = (ratio: number, within: number) => Math.abs(size - Math.log(ratio)) <= within;
    const found =
      WHOLE.find((ratio) => near(ratio, miss)) ?? BROKEN.find((ratio) => near(ratio, BROKEN_MISS));
    if (found === undefined || !stays(columns, i, size)) continue;
    out.push({ at: time[i]!, ratio: jump > 1 ? found : 1 / found, jump });
  }
  return out;
}

/** Whether the bars on either side of a jump keep to their price: a bad print comes from where it goes back to. */
function stays({ length, open, close }: BarColumns, i: number, size: number): boolean {
  const near = (from: number, to: number, price: number) => {
    const closes = Array.from(close.subarray(Math.max(0, from), Math.min(length, to))).sort((a, b) => a - b);
    return Math.abs(Math.log(closes[closes.length >> 1]! / price)) < size / 2;
  };
  return near(i, i + STAYS_BARS, open[i]!) && near(i - STAYS_BARS, i, close[i - 1]!);
}
