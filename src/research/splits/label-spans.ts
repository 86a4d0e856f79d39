import { InputError } from '#base';

/**
 * When each sample's label is made: sample i is known at `t0[i]` and its label at `t1[i]`, both included. Samples are in
 * the order of t0. The unit is the caller's (milliseconds, bars), the same for embargoes.
 */
export interface LabelSpans {
  readonly t0: ArrayLike<number>;
  readonly t1: ArrayLike<number>;
}

/** Throws InputError for spans that end before they begin, are out of order, not finite, or of unequal number. */
export function checkSpans({ t0, t1 }: LabelSpans): void {
  if (t0.length !== t1.length) {
    throw new InputError(`${t0.length} label starts and ${t1.length} ends`, 'give every sample one span');
  }
  for (let i = 0; i < t0.length; i++) {
    if (!Number.isFinite(t0[i]!) || !Number.isFinite(t1[i]!) || t1[i]! < t0[i]!) {
      throw new InputError(
        `label span ${i} runs from ${t0[i]} to ${t1[i]}`,
        'a span ends where it begins or later',
      );
    }
    if (i > 0 && t0[i]! < t0[i - 1]!) {
      throw new InputError(`sample ${i} begins before the one ahead of it`, 'sort the samples by t0');
    }
  }
}

/** Throws InputError for an embargo that is negative or not finite. */
export function checkEmbargo(embargo: number): void {
  if (!(embargo >= 0) || !Number.isFinite(embargo)) {
    throw new InputError(`the embargo is ${embargo}`, 'an embargo is a span of time from 0');
  }
}

/** Spans of `length` behind evenly spaced samples 0, 1, ... `count - 1`: sample i is labelled over [i, i + length]. */
export function evenSpans(count: number, length: number): LabelSpans {
  const t0 = Float64Array.from({ length: count }, (_, i) => i);
  return { t0, t1: t0.map((t) => t + length) };
}

/**
 * The embargo that is used where none is given: the longest label span, or 1 % of the time that the samples take up if
 * that is longer. Evenly spaced samples 0..N-1 take up N.
 */
export function standardEmbargo({ t0, t1 }: LabelSpans): number {
  const n = t0.length;
  let longest = 0;
  for (let i = 0; i < n; i++) longest = Math.max(longest, t1[i]! - t0[i]!);
  const whole = n > 1 ? ((t0[n - 1]! - t0[0]!) * n) / (n - 1) : 0;
  return Math.max(longest, 0.01 * whole);
}
