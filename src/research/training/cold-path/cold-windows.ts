import { DAY, type Instant } from '#base';
import { purgedTraining } from '../../splits/index.ts';
import type { BarRange } from './cold-data.ts';

/** Lengths of a walk-forward in time. */
export interface WalkLengths {
  readonly trainMs: number;
  readonly testMs: number;
  readonly stepMs: number;
}

/** One window: bars to learn from, and bars to be tested on, which lie behind them. */
export interface ColdWindow {
  /** From 0, its place among the windows. */
  readonly number: number;
  readonly train: BarRange;
  readonly test: BarRange;
  /** The test by the clock: bars that open in [from, to), whichever of them are there. */
  readonly from: Instant;
  readonly to: Instant;
}

/** First place in ascending `times` that is at least `time`. */
function firstAt(times: Float64Array, length: number, time: Instant): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first instant from `earliest` on that lies a whole number of steps from `other`. */
const inStepWith = (other: Instant, earliest: Instant, stepMs: number): Instant =>
  earliest + ((((other - earliest) % stepMs) + stepMs) % stepMs);

/**
 * Windows by the clock, not by the number of bars, so that holes shorten no span: floor((end - start - train) / step) of them
 * where a step is a test. Where a step is whole days so are the tests. `inStep` is the begin of a test of an earlier training
 * that these shall fall together with: two models are compared over the same windows. What is over at the end is learned from by
 * the final model alone. A test without a bar, or behind a training without one, is left out. Empty where not one fits.
 */
export function coldWindows(
  times: Float64Array,
  length: number,
  intervalMs: number,
  { trainMs, testMs, stepMs }: WalkLengths,
  inStep: Instant | null = null,
): ColdWindow[] {
  if (length === 0) return [];
  const unit = stepMs % DAY === 0 ? DAY : 1;
  const start = Math.ceil(times[0]! / unit) * unit;
  const end = times[length - 1]! + intervalMs;
  const first = inStep === null ? start + trainMs : inStepWith(inStep, start + trainMs, stepMs);
  const at = (time: Instant) => firstAt(times, length, time);
  const windows: ColdWindow[] = [];
  for (let from = first; from + testMs <= end; from += stepMs) {
    const to = from + testMs;
    const test = { from: at(from), to: at(to) };
    const train = { from: at(from - trainMs), to: test.from };
    if (test.from === test.to || train.from === train.to) continue;
    windows.push({ number: windows.length, train, test, from, to });
  }
  return windows;
}

/**
 * The bars of a window's training that may be learned from: usable ones with a label whose span, lengthened by the embargo, ends
 * before the test begins. `spanEnds[i]` is the bar with which the label of bar i is known.
 */
export function trainingBars(
  { train, test }: ColdWindow,
  usable: Uint8Array,
  spanEnds: Int32Array,
  embargoBars: number,
): Int32Array {
  const { from } = train;
  const candidates: number[] = [];
  for (let i = from; i < train.to; i++) if (usable[i] === 1) candidates.push(i - from);
  // rows are counted from the training's first: what lies before it is asked for by nobody
  const rows = test.to - from;
  const t0 = new Float64Array(rows);
  const t1 = new Float64Array(rows);
  const tested = new Int32Array(test.to - test.from);
  for (let k = 0; k < rows; k++) {
    const bar = from + k;
    t0[k] = k;
    // what is not usable has no label; its span is its own bar
    t1[k] = Math.max(bar, spanEnds[bar]!) - from + (bar < test.from ? embargoBars : 0);
    if (bar >= test.from) tested[bar - test.from] = k;
  }
  return purgedTraining({ t0, t1 }, tested, 0, candidates).map((k) => from + k);
}
