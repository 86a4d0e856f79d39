import type { Instant } from '#base';

/**
 * Dated facts as columns: row i says something about `time[i]` and became known at `publishedAt[i]`. A later row about the
 * same time restates it. Rows may stand in any order.
 */
export interface DatedColumns {
  readonly length: number;
  readonly time: Float64Array;
  readonly publishedAt: Float64Array;
}

/** Row `b` says more than row `a`: it is about a later time, or restates the same one later. Equal rows: the last one. */
function supersedes(facts: DatedColumns, a: number, b: number): boolean {
  const later = facts.time[b]! - facts.time[a]!;
  return later > 0 || (later === 0 && facts.publishedAt[b]! >= facts.publishedAt[a]!);
}

/**
 * The row a decision at `at` may use: of all rows published at or before it, the one about the latest time, as it was last
 * stated by then; -1 when nothing was known. What is published later never changes the answer.
 */
export function asOf(facts: DatedColumns, at: Instant): number {
  let best = -1;
  for (let i = 0; i < facts.length; i++) {
    if (!(facts.publishedAt[i]! <= at)) continue;
    if (best < 0 || supersedes(facts, best, i)) best = i;
  }
  return best;
}

/**
 * The same for one time only: what was said about `time` as it was known at `at`; -1 when nothing was. The way to read a
 * figure of a given day without its later revisions.
 */
export function asOfTime(facts: DatedColumns, time: Instant, at: Instant): number {
  let best = -1;
  for (let i = 0; i < facts.length; i++) {
    if (facts.time[i] !== time || !(facts.publishedAt[i]! <= at)) continue;
    if (best < 0 || supersedes(facts, best, i)) best = i;
  }
  return best;
}

/**
 * {@link asOf} for every instant of `at`, in any order: rows into `facts`, -1 where nothing was known. Joins n facts to m
 * instants in n log n + m log m. For bars hand in closes, not open times: a bar is decided on when it has closed.
 */
export function asOfJoin(facts: DatedColumns, at: ArrayLike<number>): Int32Array {
  // what has no publication is never known
  const published = facts.publishedAt.map((one) => (Number.isNaN(one) ? Infinity : one));
  const known = sortedIndices(published, facts.length);
  const asked = sortedIndices(at, at.length);
  const out = new Int32Array(at.length);
  let best = -1;
  let next = 0;
  for (const i of asked) {
    for (; next < known.length && published[known[next]!]! <= at[i]!; next++) {
      const row = known[next]!;
      if (best < 0 || supersedes(facts, best, row)) best = row;
    }
    out[i] = best;
  }
  return out;
}

/** Indices in order of value, equal ones in their own order; without a sort where they are in order already. */
function sortedIndices(values: ArrayLike<number>, length: number): Uint32Array {
  const indices = new Uint32Array(length);
  let isSorted = true;
  for (let i = 0; i < length; i++) {
    indices[i] = i;
    if (i > 0 && values[i]! < values[i - 1]!) isSorted = false;
  }
  return isSorted ? indices : indices.sort((a, b) => values[a]! - values[b]! || a - b);
}

/** A value column joined like {@link asOfJoin}; NaN where nothing was known. */
export function asOfValues(facts: DatedColumns, values: Float64Array, at: ArrayLike<number>): Float64Array {
  return Float64Array.from(asOfJoin(facts, at), (row) => (row < 0 ? Number.NaN : values[row]!));
}
