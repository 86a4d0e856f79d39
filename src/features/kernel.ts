import type { BarColumns } from '#market';

/**
 * The running part of one feature. One definition serves batch and streaming: batch is `run(bars, out, 0, n)`,
 * streaming is `run(bars, out, i, i + 1)` for each new row, and both give the same bits.
 *
 * Rules for authors. Row `i` may read bar rows `i - lookback .. i` and nothing after `i`. State lives in class
 * fields (numbers, typed arrays, nested kernels), never in closures. A kernel counts the bars it has seen itself;
 * it never infers them from `i`, because a live history is shifted when it is full (`rebase`). Nothing is
 * allocated per bar. Running sums that subtract are rebuilt from the window every 256 bars by that count; `WindowSum`
 * never subtracts. What is not defined yet is NaN.
 *
 * A long span may be worked on in another way than one row, in `Lanes` for example, as long as the bits and the state it
 * leaves are the same; bar columns are finite. Sums are then added in the same order, maxima in any.
 */
export interface Kernel {
  /** Rows behind the current one that `run` may read. */
  readonly lookback: number;
  /** Fills rows `from..to-1` of every output column; rows are always visited in order, none twice. */
  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void;
  /** The history lost its first `shift` rows: every stored row index goes down by it. */
  rebase?(shift: number): void;
}

/** Rows worked on at once: enough to spread the calls, few enough to stay in a near cache. */
export const BLOCK = 2048;

/**
 * Runs a kernel over a long span block by block. A loop that is entered often is compiled once and as a whole; one that
 * is entered once for a million rows is compiled while it runs, worse, and anew each time.
 */
export function inBlocks(
  kernel: Kernel,
  bars: BarColumns,
  out: readonly Float64Array[],
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i += BLOCK) kernel.run(bars, out, i, Math.min(to, i + BLOCK));
}

export interface FeatureParameter {
  readonly name: string;
  readonly kind: 'integer' | 'number';
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export interface FeatureOutput {
  /** Column name is `name_p1_p2` + (suffix ? `_${suffix}` : ''). */
  readonly suffix: string;
  /** `price`, `volume`, `percent`, `ratio`, `points 0..100`, `annualised fraction`, ... */
  readonly unit: string;
}

/** What `quorum features --list` prints, and how a kernel is made. */
export interface FeatureDefinition {
  /** As TA-Lib spells it, in lower case. */
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly FeatureParameter[];
  readonly outputs: readonly FeatureOutput[];
  /** Where the formula comes from. */
  readonly source: string;
  /** Why these parameters do not go together, or null. Single ranges are checked before. */
  refuse?(parameters: readonly number[]): string | null;
  /** First row (0-based) in which every output has a value for these parameters, on input that is not degenerate. */
  firstRow(parameters: readonly number[]): number;
  /** Of one that looks at the volume and forgets it: on how many of the newest volumes a value rests. */
  volumeBars?(parameters: readonly number[]): number;
  create(parameters: readonly number[]): Kernel;
}
