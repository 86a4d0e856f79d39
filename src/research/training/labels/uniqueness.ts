import { InputError } from '#base';
import type { LabelSpans } from '../../splits/index.ts';

/** Spans on whole rows, moved so that the first begins at 0. */
export interface RowSpans {
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Rows from the first start to the last end. */
  readonly rows: number;
}

/** Throws InputError for spans that are not on whole rows or end before they begin. */
export function rowSpans({ t0, t1 }: LabelSpans): RowSpans {
  if (t0.length !== t1.length) {
    throw new InputError(`${t0.length} label starts and ${t1.length} ends`, 'give every sample one span');
  }
  let [first, last] = [Infinity, -Infinity];
  for (let i = 0; i < t0.length; i++) {
    if (!Number.isInteger(t0[i]!) || !Number.isInteger(t1[i]!) || t1[i]! < t0[i]!) {
      throw new InputError(
        `label span ${i} is from row ${t0[i]} to row ${t1[i]}`,
        'give row numbers, in order',
      );
    }
    first = Math.min(first, t0[i]!);
    last = Math.max(last, t1[i]!);
  }
  if (t0.length === 0) return { from: new Int32Array(0), to: new Int32Array(0), rows: 0 };
  const from = Int32Array.from({ length: t0.length }, (_, i) => t0[i]! - first);
  const to = Int32Array.from({ length: t0.length }, (_, i) => t1[i]! - first);
  return { from, to, rows: last - first + 1 };
}

/** How many spans hold each row, from the first start to the last end (Lopez de Prado 2018, section 4.3). */
export function concurrency(spans: LabelSpans): Int32Array {
  const { from, to, rows } = rowSpans(spans);
  const counts = new Int32Array(rows + 1);
  for (let i = 0; i < from.length; i++) {
    counts[from[i]!]! += 1;
    counts[to[i]! + 1]! -= 1;
  }
  for (let t = 1; t < rows; t++) counts[t]! += counts[t - 1]!;
  return counts.slice(0, rows);
}

/**
 * Average uniqueness of each label: the mean of 1 / {@link concurrency} over its span, both ends included (Lopez de
 * Prado 2018, section 4.4). 1 for a label that overlaps no other. Linear in samples and rows.
 */
export function averageUniqueness(spans: LabelSpans): Float64Array {
  const { from, to, rows } = rowSpans(spans);
  const counts = concurrency(spans);
  const sums = new Float64Array(rows + 1);
  for (let t = 0; t < rows; t++) sums[t + 1] = sums[t]! + (counts[t]! > 0 ? 1 / counts[t]! : 0);
  return Float64Array.from(from, (begin, i) => (sums[to[i]! + 1]! - sums[begin]!) / (to[i]! - begin + 1));
}

/**
 * Weights of training rows: the average uniqueness of their labels among the labels of these rows alone. `rows` are
 * ascending row numbers; `spanEnds[row]` is the row with which the label of a row is known.
 */
export function labelWeights(rows: ArrayLike<number>, spanEnds: ArrayLike<number>): Float32Array {
  const t0 = Int32Array.from({ length: rows.length }, (_, k) => rows[k]!);
  return Float32Array.from(averageUniqueness({ t0, t1: t0.map((row) => spanEnds[row]!) }));
}
