import { InputError } from '#base';
import { checkEmbargo, checkSpans, type LabelSpans } from './label-spans.ts';

/** Sample numbers, ascending. */
export interface Split {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/**
 * The training samples that remain for a test set (Lopez de Prado 2018, "Advances in Financial Machine Learning",
 * chapter 7). Purge: samples whose label span touches a test label's go, before and after. Embargo: samples that begin
 * within `embargo` after the end of a test label go. Touching counts: a span that ends at the instant where a test span
 * begins is dropped.
 *
 * `test` holds sample numbers in ascending order; `candidates` are those that may train, all by default. Throws
 * InputError for spans, an embargo or samples that cannot be.
 */
export function purgedTraining(
  spans: LabelSpans,
  test: ArrayLike<number>,
  embargo: number,
  candidates?: ArrayLike<number>,
): Int32Array {
  checkSpans(spans);
  checkEmbargo(embargo);
  const { t0, t1 } = spans;
  const isTest = new Uint8Array(t0.length);
  const starts: number[] = [];
  const ends: number[] = [];
  for (let k = 0; k < test.length; k++) {
    const i = test[k]!;
    if (!Number.isInteger(i) || i < 0 || i >= t0.length || (k > 0 && i <= test[k - 1]!)) {
      throw new InputError(
        `test sample ${i} is out of order or does not exist`,
        'give ascending sample numbers',
      );
    }
    isTest[i] = 1;
    // samples come by start: a span either lengthens the last interval or begins a new one
    if (ends.length > 0 && t0[i]! <= ends.at(-1)!) ends[ends.length - 1] = Math.max(ends.at(-1)!, t1[i]!);
    else {
      starts.push(t0[i]!);
      ends.push(t1[i]!);
    }
  }
  const kept: number[] = [];
  const count = candidates?.length ?? t0.length;
  for (let k = 0; k < count; k++) {
    const i = candidates?.[k] ?? k;
    if (isTest[i] === 1) continue;
    // the last interval that begins no later than this span ends is the only one that it can touch or follow
    const last = lastAtMost(starts, t1[i]!);
    if (last >= 0 && t0[i]! <= ends[last]!) continue;
    const before = lastAtMost(starts, t0[i]!);
    if (before >= 0 && t0[i]! <= ends[before]! + embargo) continue;
    kept.push(i);
  }
  return Int32Array.from(kept);
}

/** The last place in ascending `values` that is at most x; -1 when all are above. */
function lastAtMost(values: readonly number[], x: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Whole numbers `from..to-1`. */
export function range(from: number, to: number): Int32Array {
  return Int32Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i);
}

/** `count` samples in `groups` contiguous groups whose sizes differ by one at most, the larger first: their bounds. */
export function groupBounds(count: number, groups: number): Int32Array {
  const size = Math.floor(count / groups);
  const larger = count % groups;
  return Int32Array.from({ length: groups + 1 }, (_, g) => g * size + Math.min(g, larger));
}
