import { InputError } from '#base';
import type { BarColumns } from '#market';
import { cutBars } from '../bias/columns.ts';
import { checkEmbargo, checkSpans, type LabelSpans } from '../splits/label-spans.ts';
import { purgedTraining } from '../splits/purge.ts';

/** Rows that a part learned from. `features`: it looked at inputs alone, as a scaler does; `labels`: at labels too. */
export interface LearnedPart {
  /** `scaler`, `model`, `early stopping`. */
  readonly name: string;
  readonly learns: 'features' | 'labels';
  readonly rows: ArrayLike<number>;
}

/** A part that learned from what other parts said of rows: a calibration, a threshold, weights of a pool. */
export interface JudgingPart {
  readonly name: string;
  readonly learns: 'predictions';
  /** Who predicted which rows. A predictor is a part of this fold, such as the model of an inner fold. */
  readonly predicted: readonly { readonly by: string; readonly rows: ArrayLike<number> }[];
}

export type FittedPart = LearnedPart | JudgingPart;

/** Where everything came from that says something of one fold's test rows. Rows are numbers in one data set. */
export interface FoldProvenance {
  readonly name: string;
  /** Rows that judge the fold. */
  readonly test: ArrayLike<number>;
  readonly parts: readonly FittedPart[];
}

export interface FoldRules {
  /** When each row is known and when its label is; of all rows, in the order of time. */
  readonly spans: LabelSpans;
  /** Per row the newest instant that its features look at; by default no later than the row itself. */
  readonly featuresUntil?: ArrayLike<number>;
  /** Span behind a test label's end in which nothing may begin that labels are learned from. Default 0. */
  readonly embargo?: number;
  /** By how much a label must be known before the first tested row. Default 0: before it. */
  readonly gap?: number;
  /** Cross-validation learns from rows behind its test as well; a walk-forward must not. Default false. */
  readonly learnsFromLater?: boolean;
}

export type LeakageKind =
  /** It learned from a row that it is tested on. */
  | 'test-row'
  /** It learned from a label whose span touches that of a tested label, or comes nearer than the gap. */
  | 'label-reaches-test'
  /** It learned from a row within the embargo behind a test. */
  | 'embargo'
  /** It learned from rows behind the begin of the test. */
  | 'later-row'
  /** It learned from predictions of rows that the predictor knew. */
  | 'in-sample'
  /** A row's features look at what came after it. */
  | 'feature-ahead';

/** One kind of fault of one part of one fold. */
export interface LeakageFault {
  readonly kind: LeakageKind;
  readonly fold: string;
  readonly part: string;
  /** Rows at fault, and the first of them. */
  readonly count: number;
  readonly first: number;
}

const WORDS: Readonly<Record<LeakageKind, string>> = {
  'test-row': 'learned from rows of the test',
  'label-reaches-test': 'learned from labels that reach into the test',
  embargo: 'learned from rows within the embargo behind the test',
  'later-row': 'learned from rows that came after the test began',
  'in-sample': 'learned from predictions of rows that their predictor knew',
  'feature-ahead': 'looks at what came after its row',
};

/**
 * Audits where the fitted parts of each fold came from: every fault of every part, in order. Empty when all is well.
 * Throws InputError for a provenance that makes no sense (rows that do not exist, a predictor that is no part).
 *
 * It believes what it is told. {@link findFutureSight} does not, and costs two fits; `findLookAhead` does the same for
 * features by themselves.
 */
export function checkFolds(folds: readonly FoldProvenance[], rules: FoldRules): LeakageFault[] {
  checkSpans(rules.spans);
  checkEmbargo(rules.embargo ?? 0);
  checkEmbargo(rules.gap ?? 0);
  return folds.flatMap((fold) => auditFold(fold, rules));
}

/** Throws InputError with what {@link checkFolds} finds: for a run that must not go on with a leak. */
export function refuseLeaks(folds: readonly FoldProvenance[], rules: FoldRules): void {
  const faults = checkFolds(folds, rules);
  if (faults.length === 0) return;
  const [worst] = faults;
  const more = faults.length === 1 ? '' : `, and ${faults.length - 1} more faults`;
  throw new InputError(
    `${describeLeak(worst!)}${more}`,
    'fit each part on training rows alone, purged and embargoed; a result with a leak says nothing',
  );
}

/** `fold 3: the scaler learned from rows of the test (48 rows, first 960)`. */
export function describeLeak({ kind, fold, part, count, first }: LeakageFault): string {
  return `fold ${fold}: the ${part} ${WORDS[kind]} (${count} ${count === 1 ? 'row' : 'rows'}, first ${first})`;
}

function auditFold(fold: FoldProvenance, rules: FoldRules): LeakageFault[] {
  const test = sortedRows(fold.test, rules.spans.t0.length, fold.name);
  if (test.length === 0) throw new InputError(`fold ${fold.name} tests no rows`, 'leave the fold out');
  const faults: LeakageFault[] = [];
  const tell = (part: string, kinds: readonly (readonly [LeakageKind, number])[]) => {
    const first = new Map<LeakageKind, number>();
    const count = new Map<LeakageKind, number>();
    for (const [kind, row] of kinds) {
      if (!first.has(kind)) first.set(kind, row);
      count.set(kind, (count.get(kind) ?? 0) + 1);
    }
    for (const [kind, row] of first)
      faults.push({ kind, fold: fold.name, part, count: count.get(kind)!, first: row });
  };
  const seen = new Set<number>(test);
  const rowsOf = (part: FittedPart): Int32Array => {
    const told =
      part.learns === 'predictions' ? part.predicted.flatMap(({ rows }) => Array.from(rows)) : part.rows;
    return sortedRows(told, rules.spans.t0.length, `${fold.name}, ${part.name},`);
  };
  for (const part of fold.parts) {
    const rows = rowsOf(part);
    for (const row of rows) seen.add(row);
    tell(part.name, beside(rows, test, part.learns !== 'features', rules));
    if (part.learns === 'predictions') tell(part.name, inSample(part, fold, rules, rowsOf));
  }
  const { featuresUntil, spans } = rules;
  if (featuresUntil !== undefined) {
    const ahead = [...seen].sort((a, b) => a - b).filter((row) => featuresUntil[row]! > spans.t0[row]!);
    tell(
      'features',
      ahead.map((row) => ['feature-ahead', row] as const),
    );
  }
  return faults;
}

/** What is wrong with learning from `rows` when `test` is tested. */
function beside(
  rows: Int32Array,
  test: Int32Array,
  usesLabels: boolean,
  rules: FoldRules,
): [LeakageKind, number][] {
  const { spans, embargo = 0, gap = 0, learnsFromLater = false } = rules;
  const isTest = new Set<number>(test);
  const begin = spans.t0[test[0]!]!;
  const faults: [LeakageKind, number][] = [];
  for (const row of rows) {
    if (isTest.has(row)) faults.push(['test-row', row]);
    else if (!learnsFromLater && spans.t0[row]! > begin) faults.push(['later-row', row]);
  }
  if (!usesLabels) return faults;
  const known = new Set(faults.map(([, row]) => row));
  const unpurged = droppedBy(spans, test, 0, gap, rows);
  const embargoed = droppedBy(spans, test, embargo, gap, rows);
  for (const row of rows) {
    if (known.has(row)) continue;
    if (unpurged.has(row)) faults.push(['label-reaches-test', row]);
    else if (embargoed.has(row)) faults.push(['embargo', row]);
  }
  return faults;
}

/** Rows that purging and embargo would have dropped. Labels of rows ahead of the test are known `gap` later. */
function droppedBy(
  spans: LabelSpans,
  test: Int32Array,
  embargo: number,
  gap: number,
  rows: Int32Array,
): Set<number> {
  const begin = spans.t0[test[0]!]!;
  const known = (row: number) => (spans.t0[row]! < begin ? spans.t1[row]! + gap : spans.t1[row]!);
  return purgedAway(spans.t0, known, test, embargo, rows);
}

/** Of `rows`, those that a test drops. Only the rows asked about are looked at, however long the data set is. */
function purgedAway(
  t0: ArrayLike<number>,
  knownAt: (row: number) => number,
  test: Int32Array,
  embargo: number,
  rows: Int32Array,
): Set<number> {
  const all = Int32Array.from(new Set([...test, ...rows])).sort();
  const place = new Map(Array.from(all, (row, k) => [row, k] as const));
  const at = (row: number) => place.get(row)!;
  const own = { t0: Float64Array.from(all, (row) => t0[row]!), t1: Float64Array.from(all, knownAt) };
  const kept = new Set(purgedTraining(own, test.map(at), embargo, rows.map(at)));
  return new Set(rows.filter((row) => !kept.has(at(row))));
}

/** Predictions that a predictor made of rows it learned from, or whose labels touch those it learned from. */
function inSample(
  part: JudgingPart,
  fold: FoldProvenance,
  { spans }: FoldRules,
  rowsOf: (part: FittedPart) => Int32Array,
): [LeakageKind, number][] {
  const faults: [LeakageKind, number][] = [];
  for (const { by, rows } of part.predicted) {
    const predictor = fold.parts.find((other) => other.name === by && other !== part);
    if (predictor === undefined) {
      throw new InputError(
        `fold ${fold.name}: the ${part.name} learned from predictions of ${by}, which is no part of it`,
        'name every part that was fitted, with the rows it learned from',
      );
    }
    const learned = rowsOf(predictor);
    const predicted = sortedRows(rows, spans.t0.length, `${fold.name}, ${part.name},`);
    if (predicted.length === 0) continue;
    const knew =
      predictor.learns === 'features' ? new Set(learned) : droppedBackwards(spans, learned, predicted);
    for (const row of predicted) if (knew.has(row)) faults.push(['in-sample', row]);
  }
  return faults.sort(([, a], [, b]) => a - b);
}

/** Of `predicted`, those that are in `learned` or whose label touches one of its labels. */
const droppedBackwards = ({ t0, t1 }: LabelSpans, learned: Int32Array, predicted: Int32Array): Set<number> =>
  purgedAway(t0, (row) => t1[row]!, learned, 0, predicted);

function sortedRows(rows: ArrayLike<number>, count: number, where: string): Int32Array {
  const sorted = Int32Array.from(new Set(Array.from(rows))).sort();
  const wrong = Array.from(rows).find((row) => !Number.isInteger(row) || row < 0 || row >= count);
  if (wrong !== undefined) {
    throw new InputError(
      `fold ${where} names row ${wrong} of ${count}`,
      'give numbers of rows in the one data set',
    );
  }
  return sorted;
}

/**
 * Fits everything twice: on the bars as they are, and on the same bars with another future from bar `cut` on. `fit`
 * gives a fingerprint (a hash, canonical JSON) of each thing that must be settled by then: scaler, model, calibration,
 * threshold, the features of the rows before. The names of those that came out otherwise are given back: they saw
 * something of the future, however. Empty for an honest pipeline. `fit` must be deterministic.
 *
 * The other future begins at the same close and moves as much as the true one, in other directions: a mirror image.
 * Throws InputError for a cut outside the bars.
 */
export function findFutureSight(
  bars: BarColumns,
  cut: number,
  fit: (bars: BarColumns) => Readonly<Record<string, string>>,
): string[] {
  if (!Number.isInteger(cut) || cut < 1 || cut >= bars.length) {
    throw new InputError(
      `a future from bar ${cut} of ${bars.length}`,
      'cut where there are bars on both sides',
    );
  }
  const before = fit(cutBars(bars, 0, bars.length));
  const after = fit(withOtherFuture(bars, cut));
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => before[name] !== after[name]).sort();
}

/** Bars from `cut` on mirrored at the close before it, in proportion: what rose by a tenth falls to 1 / 1.1. */
function withOtherFuture(bars: BarColumns, cut: number): BarColumns {
  const other = cutBars(bars, 0, bars.length);
  const axis = bars.close[cut - 1]! ** 2;
  for (let t = cut; t < bars.length; t++) {
    other.open[t] = axis / bars.open[t]!;
    other.high[t] = axis / bars.low[t]!;
    other.low[t] = axis / bars.high[t]!;
    other.close[t] = axis / bars.close[t]!;
    other.volume[t] = 2 * bars.volume[t]! + 1;
  }
  return other;
}
