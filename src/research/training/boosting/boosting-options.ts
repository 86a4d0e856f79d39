import { InputError } from '#base';
import type { BoostedModel } from '#signals';

export type BoostingObjective = 'binary:logistic' | 'multi:softprob' | 'reg:squarederror';

/** `auc` is the area under the ROC curve, ties counted half; log losses clip at 1e-15. */
export type BoostingMetric = 'logloss' | 'mlogloss' | 'rmse' | 'auc';

/** Rows in order: by columns, or row after row in one array. NaN is a missing value. */
export type BoostingMatrix =
  | { readonly columns: readonly Float32Array[] }
  | { readonly values: Float32Array; readonly rows: number; readonly features: number };

/**
 * Rows with what they should come to: 0 or 1 (or between) for `binary:logistic`, the class 0, 1, ... for `multi:softprob`, any
 * finite number otherwise. A weight says how often a row counts; 0 leaves it out.
 */
export type BoostingRows = BoostingMatrix & {
  readonly labels: Float32Array;
  readonly weights?: Float32Array;
};

/** What is learned from, and rows it is watched on. */
export type BoostingData = BoostingRows & { readonly validation?: BoostingRows };

/** Named after XGBoost's parameters, with its defaults (https://xgboost.readthedocs.io/en/release_1.7.0/parameter.html). */
export interface BoostingOptions {
  readonly objective: BoostingObjective;
  /** Of `multi:softprob`, at least 2. */
  readonly classes?: number;
  /** Trees per output. */
  readonly rounds: number;
  /** Learning rate. Default 0.3. */
  readonly eta?: number;
  /** 1 to 20, default 6. */
  readonly maxDepth?: number;
  /** Least sum of the second derivatives in a node, default 1. */
  readonly minChildWeight?: number;
  /** Least gain of a split, default 0. */
  readonly gamma?: number;
  /** L2 on leaves, default 1. */
  readonly lambda?: number;
  /** L1 on leaves, default 0. */
  readonly alpha?: number;
  /** Share of the rows that a tree sees, default 1. */
  readonly subsample?: number;
  /** Share of the features that a tree, a level of it, a node of that sees; each of what the one before left. Default 1. */
  readonly colsampleByTree?: number;
  readonly colsampleByLevel?: number;
  readonly colsampleByNode?: number;
  /** 2 to 256, default 256; a feature with missing values has at most 255. */
  readonly maxBin?: number;
  /** Per feature 1 where the output may only rise with it, -1 where it may only fall, 0 where it is free. Default all free. */
  readonly monotone?: readonly number[];
  /** What the weight of rows labelled 1 is multiplied by in `binary:logistic`. Default 1. */
  readonly scalePosWeight?: number;
  /** Where every prediction begins: a probability for `binary:logistic`. Default 0.5. */
  readonly baseScore?: number;
  /** On the validation rows. Default that of the objective: `logloss`, `mlogloss`, `rmse`. */
  readonly metric?: BoostingMetric;
  /** Stops when the metric was not better for so many rounds, and keeps the trees up to its best; needs validation rows. */
  readonly earlyStoppingRounds?: number;
  /** Measures the training rows as well, each round. Default false. */
  readonly watchTraining?: boolean;
  /** Of the drawing of rows and features. Default `boosting`. */
  readonly seed?: string;
  readonly featureNames?: readonly string[];
}

/** One round of trees that was grown. */
export interface BoostingRound {
  /** From 0. */
  readonly round: number;
  readonly rounds: number;
  readonly training: number | null;
  readonly validation: number | null;
}

export interface BoostingHooks {
  readonly progress?: (round: BoostingRound) => void;
  /** Looked at before each round; training ends with its reason as an error. */
  readonly signal?: AbortSignal;
}

export interface BoostingHistory {
  readonly metric: BoostingMetric;
  /** Per round grown; null where not measured. */
  readonly training: readonly number[] | null;
  readonly validation: readonly number[] | null;
  /** The round, from 0, whose trees are the model's last. */
  readonly bestRound: number;
}

export interface TrainedBooster {
  readonly model: BoostedModel;
  readonly history: BoostingHistory;
}

/** {@link BoostingOptions} complete and checked. */
export type BoostingSettings = Required<Omit<BoostingOptions, 'classes' | 'earlyStoppingRounds'>> & {
  /** Numbers that a row is given: the classes of `multi:softprob`, otherwise 1. */
  readonly outputs: number;
  readonly earlyStoppingRounds: number | null;
};

const METRICS: Readonly<Record<BoostingObjective, readonly [BoostingMetric, ...BoostingMetric[]]>> = {
  'binary:logistic': ['logloss', 'auc', 'rmse'],
  'multi:softprob': ['mlogloss'],
  'reg:squarederror': ['rmse'],
};

const DEFAULTS = {
  eta: 0.3,
  maxDepth: 6,
  minChildWeight: 1,
  gamma: 0,
  lambda: 1,
  alpha: 0,
  subsample: 1,
  colsampleByTree: 1,
  colsampleByLevel: 1,
  colsampleByNode: 1,
  maxBin: 256,
  scalePosWeight: 1,
  baseScore: 0.5,
};

type Bound = readonly [least: number, most: number, kind: 'whole' | 'any' | 'above'];

/** `above`: the least value itself is not allowed. */
const BOUNDS: Readonly<Record<keyof typeof DEFAULTS | 'rounds', Bound>> = {
  rounds: [1, 100_000, 'whole'],
  eta: [0, 10, 'above'],
  maxDepth: [1, 20, 'whole'],
  minChildWeight: [0, Number.MAX_VALUE, 'any'],
  gamma: [0, Number.MAX_VALUE, 'any'],
  lambda: [0, Number.MAX_VALUE, 'any'],
  alpha: [0, Number.MAX_VALUE, 'any'],
  subsample: [0, 1, 'above'],
  colsampleByTree: [0, 1, 'above'],
  colsampleByLevel: [0, 1, 'above'],
  colsampleByNode: [0, 1, 'above'],
  maxBin: [2, 256, 'whole'],
  scalePosWeight: [0, Number.MAX_VALUE, 'above'],
  baseScore: [-Number.MAX_VALUE, Number.MAX_VALUE, 'any'],
};

const CLASSES_MOST = 1_000;

function refuse(what: string, mend: string): never {
  throw new InputError(what, mend);
}

function checkBound(name: string, value: number, [least, most, kind]: Bound): void {
  const fits = kind === 'above' ? value > least && value <= most : value >= least && value <= most;
  if (fits && (kind !== 'whole' || Number.isInteger(value))) return;
  const range = most === Number.MAX_VALUE ? `${kind === 'above' ? 'above' : 'at least'} ${least}` : '';
  const between = kind === 'above' ? `above ${least}, at most ${most}` : `from ${least} to ${most}`;
  refuse(
    `${name} is ${value}`,
    `take ${kind === 'whole' ? 'a whole number' : 'a finite number'} ${range || between}`,
  );
}

function outputsFor({ objective, classes }: BoostingOptions): number {
  if (objective !== 'multi:softprob') {
    if (classes !== undefined) refuse(`${objective} has no classes`, 'leave classes out');
    return 1;
  }
  if (!Number.isInteger(classes) || classes! < 2 || classes! > CLASSES_MOST) {
    refuse(`classes is ${classes}`, `multi:softprob needs 2 to ${CLASSES_MOST} classes`);
  }
  return classes!;
}

/** Settings for data of so many features; throws InputError for what cannot be. */
export function boostingSettings(
  options: BoostingOptions,
  features: number,
  validated: boolean,
): BoostingSettings {
  const { objective, monotone = [], featureNames = [], earlyStoppingRounds } = options;
  if (METRICS[objective] === undefined) {
    refuse(`the objective ${objective} is not known`, `take one of ${Object.keys(METRICS).join(', ')}`);
  }
  const outputs = outputsFor(options);
  const metric = options.metric ?? METRICS[objective][0];
  if (!METRICS[objective].includes(metric)) {
    refuse(`${metric} does not measure ${objective}`, `take one of ${METRICS[objective].join(', ')}`);
  }
  const settings = { ...DEFAULTS, rounds: options.rounds };
  for (const name of Object.keys(BOUNDS) as (keyof typeof BOUNDS)[]) {
    const value = options[name] ?? settings[name];
    checkBound(name, value, BOUNDS[name]);
    settings[name] = value;
  }
  if (objective === 'binary:logistic' && !(settings.baseScore > 0 && settings.baseScore < 1)) {
    refuse(`baseScore is ${settings.baseScore}`, 'for binary:logistic it is a probability between 0 and 1');
  }
  if (objective !== 'binary:logistic' && settings.scalePosWeight !== 1) {
    refuse(`scalePosWeight does not apply to ${objective}`, 'give weights instead');
  }
  if (monotone.length !== 0 && monotone.length !== features) {
    refuse(`monotone names ${monotone.length} of ${features} features`, 'give one number per feature');
  }
  if (monotone.some((sign) => sign !== 0 && sign !== 1 && sign !== -1)) {
    refuse('monotone holds another number than -1, 0 and 1', 'give the sign of each feature');
  }
  if (monotone.some((sign) => sign !== 0) && objective === 'multi:softprob') {
    refuse(
      'monotone constraints on several classes',
      'a class can only rise where others fall; leave them out',
    );
  }
  if (featureNames.length !== 0 && featureNames.length !== features) {
    refuse(`there are ${featureNames.length} names for ${features} features`, 'give one name per feature');
  }
  if (earlyStoppingRounds !== undefined) {
    checkBound('earlyStoppingRounds', earlyStoppingRounds, BOUNDS.rounds);
    if (!validated) refuse('early stopping has nothing to watch', 'give validation rows');
  }
  return {
    ...settings,
    objective,
    outputs,
    metric,
    monotone,
    featureNames,
    earlyStoppingRounds: earlyStoppingRounds ?? null,
    watchTraining: options.watchTraining ?? false,
    seed: options.seed ?? 'boosting',
  };
}

/** Whether a value of the metric is the better one. */
export const isBetter = (metric: BoostingMetric, value: number, than: number): boolean =>
  metric === 'auc' ? value > than : value < than;
