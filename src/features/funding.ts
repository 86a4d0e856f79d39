import { DAY, type Instant } from '#base';

/** How far back the mean and the deviation of funding rates look. */
export const FUNDING_WINDOW_MS = 30 * DAY;
/** More rates than any venue has due in the window: one an hour is 720. */
const RATES_MOST = 2_048;

/** Funding rates of one instrument in order of time, oldest first. Plain data. */
export interface FundingHistory {
  readonly times: number[];
  readonly rates: number[];
}

/** What funding rates say of an instrument at one instant. Rates as fractions per interval, positive paid by longs. */
export interface FundingState {
  /** The newest rate that fell due, and when. */
  readonly rate: number;
  readonly time: Instant;
  readonly intervalMs: number;
  /** Of the rates that fell due in the last 30 days, the newest included. The deviation is that of a population. */
  readonly mean: number;
  readonly deviation: number;
  readonly count: number;
  /** The newest is not older than two intervals. */
  readonly fresh: boolean;
}

export const newFundingHistory = (): FundingHistory => ({ times: [], rates: [] });

/** Takes in a rate that fell due at `time`; one that is no number, or not newer than the last, changes nothing. */
export function takeFunding({ times, rates }: FundingHistory, time: Instant, rate: number): void {
  const last = times.at(-1);
  if (!Number.isFinite(rate) || !Number.isFinite(time) || (last !== undefined && time <= last)) return;
  times.push(time);
  rates.push(rate);
  let old = 0;
  while (times[old]! <= time - FUNDING_WINDOW_MS || times.length - old > RATES_MOST) old += 1;
  if (old === 0) return;
  times.splice(0, old);
  rates.splice(0, old);
}

/** Null where no rate has fallen due by `at`. */
export function fundingState(
  { times, rates }: FundingHistory,
  intervalMs: number,
  at: Instant,
): FundingState | null {
  let to = times.length;
  while (to > 0 && times[to - 1]! > at) to -= 1;
  if (to === 0) return null;
  let from = 0;
  // the newest is kept however old it is
  while (from < to - 1 && times[from]! <= at - FUNDING_WINDOW_MS) from += 1;
  const count = to - from;
  // from the first rate on, so that equal rates deviate by nothing at all
  const base = rates[from]!;
  let sum = 0;
  for (let i = from; i < to; i++) sum += rates[i]! - base;
  const shift = sum / count;
  let squares = 0;
  for (let i = from; i < to; i++) squares += (rates[i]! - base - shift) ** 2;
  const time = times[to - 1]!;
  return {
    rate: rates[to - 1]!,
    time,
    intervalMs,
    mean: base + shift,
    deviation: Math.sqrt(squares / count),
    count,
    fresh: at - time <= 2 * intervalMs,
  };
}

const TILT_MOST = 5;

/**
 * How far the newest funding rate lies off its mean of 30 days, in deviations, within -5..5; 0 where nothing deviates and
 * where the newest rate is older than two intervals or unknown (sheet S1 RX68, feature 18).
 */
export function fundingTilt(state: FundingState | null): number {
  if (state === null || !state.fresh || state.deviation === 0) return 0;
  return Math.min(TILT_MOST, Math.max(-TILT_MOST, (state.rate - state.mean) / state.deviation));
}

/**
 * {@link fundingTilt} at each of `at` (ascending), from rates that fell due at `times` (ascending): what a loop that met
 * them in that order would have seen.
 */
export function fundingTilts(
  at: ArrayLike<number>,
  times: ArrayLike<number>,
  rates: ArrayLike<number>,
  intervalMs: number,
): Float64Array {
  const history = newFundingHistory();
  const out = new Float64Array(at.length);
  let next = 0;
  for (let i = 0; i < at.length; i++) {
    // funding comes before the bars of its instant
    for (; next < times.length && times[next]! <= at[i]!; next++)
      takeFunding(history, times[next]!, rates[next]!);
    out[i] = fundingTilt(fundingState(history, intervalMs, at[i]!));
  }
  return out;
}
