import { InputError } from '#base';

/** What a model's outputs speak of: one event, classes that exclude each other, or numbers. */
export type OutputKind = 'binary' | 'classes' | 'number';

/** From margins to what XGBoost's `predict` gives. */
export type Link = 'identity' | 'logistic' | 'exp' | 'step' | 'softmax' | 'argmax';

export interface Objective {
  readonly kind: OutputKind;
  readonly link: Link;
  /** How the base score of the file becomes a margin. */
  readonly base: 'identity' | 'logit' | 'log';
}

const identity: Objective = { kind: 'number', link: 'identity', base: 'identity' };
const exponential: Objective = { kind: 'number', link: 'exp', base: 'log' };
const logisticOf = (kind: OutputKind): Objective => ({ kind, link: 'logistic', base: 'logit' });

/** The objectives of XGBoost 1.7 to 3 that can be scored. */
const OBJECTIVES: Readonly<Record<string, Objective>> = {
  'binary:logistic': logisticOf('binary'),
  'binary:logitraw': { kind: 'binary', link: 'identity', base: 'identity' },
  'binary:hinge': { kind: 'number', link: 'step', base: 'identity' },
  'multi:softprob': { kind: 'classes', link: 'softmax', base: 'identity' },
  'multi:softmax': { kind: 'classes', link: 'argmax', base: 'identity' },
  'reg:logistic': logisticOf('number'),
  'reg:squarederror': identity,
  'reg:linear': identity,
  'reg:squaredlogerror': identity,
  'reg:pseudohubererror': identity,
  'reg:absoluteerror': identity,
  'reg:quantileerror': identity,
  'reg:gamma': exponential,
  'reg:tweedie': exponential,
  'count:poisson': exponential,
  'survival:cox': exponential,
  'survival:aft': exponential,
  'rank:pairwise': identity,
  'rank:ndcg': identity,
  'rank:map': identity,
};

/** The objective of that name. Throws InputError for one that we cannot turn into predictions. */
export function objectiveOf(name: string): Objective {
  const objective = Object.hasOwn(OBJECTIVES, name) ? OBJECTIVES[name] : undefined;
  if (objective !== undefined) return objective;
  throw new InputError(
    `the boosted model is not usable: learner.objective.name is ${JSON.stringify(name)}, which is not known`,
    `train it with one of ${Object.keys(OBJECTIVES).join(', ')}`,
  );
}

/** XGBoost 3 keeps a logistic base score this far from 0 and 1; older ones refuse 0 and 1. */
const EDGE = 1e-6;

/** The margin that a row starts from, in single precision as XGBoost computes it. */
export function baseMargin(objective: Objective, baseScore: number): number {
  const score = Math.fround(baseScore);
  if (objective.base === 'identity') return score;
  if (objective.base === 'log') return Math.fround(Math.log(score));
  const inside = score <= 0 ? Math.fround(EDGE) : score >= 1 ? Math.fround(1 - EDGE) : score;
  return Math.fround(-Math.log(Math.fround(Math.fround(1 / inside) - 1)));
}

/** Why that base score has no margin, or null where it has one. */
export function baseScoreFault(objective: Objective, baseScore: number): string | null {
  if (!Number.isFinite(Math.fround(baseScore))) return 'is not a finite number';
  if (objective.base === 'logit' && !(baseScore >= 0 && baseScore <= 1)) return 'is not a probability';
  if (objective.base === 'log' && !(Math.fround(baseScore) > 0)) return 'is not above 0';
  return null;
}
