import { InputError } from '#base';
import { checkSpans, type LabelSpans, standardEmbargo } from './label-spans.ts';
import { groupBounds, purgedTraining, range, type Split } from './purge.ts';

/** Most splits of a combinatorial cross-validation. */
const SPLITS_MAX = 10_000;

export interface PurgedKFoldOptions {
  /** Default 5. */
  readonly folds?: number;
  /** In the unit of the spans; by default {@link standardEmbargo}. */
  readonly embargo?: number;
}

/**
 * K folds of neighbouring samples, each tested once on a training set that is purged and embargoed. Throws InputError
 * for fewer than two folds or more folds than samples.
 */
export function purgedKFold(spans: LabelSpans, options: PurgedKFoldOptions = {}): Split[] {
  const { folds = 5, embargo = standardEmbargo(spans) } = options;
  const bounds = checkedGroups(spans, folds, 'folds');
  return Array.from({ length: folds }, (_, fold) => {
    const test = range(bounds[fold]!, bounds[fold + 1]!);
    return { train: purgedTraining(spans, test, embargo), test };
  });
}

export interface CombinatorialOptions {
  /** N, default 6. */
  readonly groups?: number;
  /** k, groups tested at a time, default 2. */
  readonly tested?: number;
  /** In the unit of the spans; by default {@link standardEmbargo}. */
  readonly embargo?: number;
}

export interface CombinatorialSplit extends Split {
  /** The groups tested, ascending. */
  readonly groups: readonly number[];
}

/** All splits, and how their tests join into whole paths through the data. */
export interface CombinatorialPlan {
  /** Group g holds samples `bounds[g]..bounds[g+1]-1`. */
  readonly bounds: Int32Array;
  /** C(N, k) of them, in the order of their groups. */
  readonly splits: readonly CombinatorialSplit[];
  /** C(N, k) k / N of them: `paths[p][g]` is the split whose test stands for group g on path p. */
  readonly paths: readonly Int32Array[];
}

/**
 * Combinatorial purged cross-validation (Lopez de Prado 2018, chapter 12): every choice of k out of N groups is tested
 * once on what remains after purge and embargo. Each group is tested C(N-1, k-1) times, and the j-th time belongs to
 * path j. Throws InputError unless 1 <= k < N <= samples, and for more than 10,000 splits.
 */
export function combinatorialPurged(
  spans: LabelSpans,
  options: CombinatorialOptions = {},
): CombinatorialPlan {
  const { groups = 6, tested = 2, embargo = standardEmbargo(spans) } = options;
  const bounds = checkedGroups(spans, groups, 'groups');
  if (!Number.isInteger(tested) || tested < 1 || tested >= groups) {
    throw new InputError(
      `${tested} of ${groups} groups cannot be tested`,
      'test at least one group and not all',
    );
  }
  const choices = combinations(groups, tested);
  const splits = choices.map((chosen) => {
    const test = Int32Array.from(chosen.flatMap((g) => [...range(bounds[g]!, bounds[g + 1]!)]));
    return { groups: chosen, train: purgedTraining(spans, test, embargo), test };
  });
  const paths = Array.from({ length: (choices.length * tested) / groups }, () => new Int32Array(groups));
  const seen = new Int32Array(groups);
  choices.forEach((chosen, split) => {
    for (const g of chosen) paths[seen[g]!++]![g] = split;
  });
  return { bounds, splits, paths };
}

/**
 * One path's values over all samples: `results[s][i]` is what split s said of its i-th test sample. Throws InputError
 * when a split's results are not as many as its test samples.
 */
export function pathValues(
  plan: CombinatorialPlan,
  path: number,
  results: readonly ArrayLike<number>[],
): Float64Array {
  const { bounds, splits, paths } = plan;
  const out = new Float64Array(bounds.at(-1)!);
  paths[path]!.forEach((split, g) => {
    const { test } = splits[split]!;
    const values = results[split]!;
    if (values.length !== test.length) {
      throw new InputError(
        `split ${split} tests ${test.length} samples and has ${values.length} results`,
        'give one each',
      );
    }
    for (let i = 0; i < test.length; i++) {
      if (test[i]! >= bounds[g]! && test[i]! < bounds[g + 1]!) out[test[i]!] = values[i]!;
    }
  });
  return out;
}

function checkedGroups(spans: LabelSpans, groups: number, word: string): Int32Array {
  checkSpans(spans);
  const samples = spans.t0.length;
  if (!Number.isInteger(groups) || groups < 2 || groups > samples) {
    throw new InputError(`${samples} samples cannot make ${groups} ${word}`, `take 2 to ${samples} ${word}`);
  }
  return groupBounds(samples, groups);
}

/** Every choice of k of 0..n-1, in lexicographic order. */
function combinations(n: number, k: number): number[][] {
  const all: number[][] = [];
  const chosen = Array.from({ length: k }, (_, i) => i);
  for (;;) {
    if (all.length === SPLITS_MAX) {
      throw new InputError(`${k} of ${n} groups make more than ${SPLITS_MAX} splits`, 'take fewer groups');
    }
    all.push([...chosen]);
    let i = k - 1;
    while (i >= 0 && chosen[i] === n - k + i) i -= 1;
    if (i < 0) return all;
    chosen[i]! += 1;
    for (let j = i + 1; j < k; j++) chosen[j] = chosen[j - 1]! + 1;
  }
}
