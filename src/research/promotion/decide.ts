import {
  EVIDENCE_CRITERIA,
  type FigureName,
  type ProfileCriterion,
  type PromotionProfile,
  type Relation,
} from './profile.ts';
import { STAGES, type Stage } from './stage.ts';

/** Unknown is not met. */
export type CriterionVerdict = 'met' | 'not met' | 'unknown' | 'excepted';

/** A figure, or why there is none. */
export interface Measured {
  /** Null where it is not known. */
  readonly value: number | null;
  /** What a reader must know of it. */
  readonly note?: string;
  /** Whether it is met without a number: a profit factor without a loss, a PBO where nothing was chosen. */
  readonly passes?: boolean;
}

export interface Criterion {
  readonly name: string;
  /** Null where it is not known, or no number. */
  readonly figure: number | null;
  readonly relation: Relation | null;
  readonly needed: number | null;
  readonly verdict: CriterionVerdict;
  readonly note: string | null;
  readonly source: string;
}

/** What a person signs: only DSR and PBO are excepted by it. */
export interface PromotionException {
  readonly name: string;
  readonly reason: string;
}

export interface PromotionCase {
  readonly to: Exclude<Stage, 'research'>;
  readonly profile: PromotionProfile;
  /** Of the desk with exactly these parameters. */
  readonly stage: Stage;
  /** As profiles write it: `5m`. */
  readonly interval: string;
  readonly figures: Readonly<Partial<Record<FigureName, Measured>>>;
  /** What was switched off for the run, and what else makes it no evidence. */
  readonly stamps: readonly string[];
  readonly isRegistered: boolean;
  readonly exception: PromotionException | null;
}

export interface PromotionDecision {
  readonly promoted: boolean;
  readonly criteria: readonly Criterion[];
  /** The exception, where one was needed. */
  readonly exception: PromotionException | null;
}

/** Judges every criterion: those of the house, of every profile, and of the profile. One that is not met refuses. */
export function decidePromotion(given: PromotionCase): PromotionDecision {
  const { to, profile, exception } = given;
  const asked = [...EVIDENCE_CRITERIA, ...profile.criteria].filter(({ stages }) => stages.includes(to));
  const judged = asked.map((criterion) => judge(criterion, given));
  const criteria = [...houseCriteria(given), ...judged];
  return {
    promoted: criteria.every(({ verdict }) => verdict === 'met' || verdict === 'excepted'),
    criteria,
    exception: criteria.some(({ verdict }) => verdict === 'excepted') ? exception : null,
  };
}

function houseCriteria({ to, stage, stamps, isRegistered }: PromotionCase): Criterion[] {
  const before = STAGES[STAGES.indexOf(to) - 1]!;
  const plain = (name: string, isMet: boolean, note: string): Criterion => ({
    name,
    figure: null,
    relation: null,
    needed: null,
    verdict: isMet ? 'met' : 'not met',
    note,
    source: 'every profile',
  });
  return [
    plain('stage', stage === before, `is ${stage}, needed ${before}`),
    plain('registered', isRegistered, isRegistered ? 'the run is on record' : 'the run is not on record'),
    plain('nothing switched off', stamps.length === 0, stamps.length === 0 ? 'no stamp' : stamps.join('; ')),
  ];
}

function judge(criterion: ProfileCriterion, given: PromotionCase): Criterion {
  const { figure, relation, source } = criterion;
  const needed = neededAt(criterion, given.interval);
  const {
    value,
    note,
    passes = false,
  }: Measured = given.figures[figure] ?? {
    value: null,
    note: 'no figure was given',
  };
  const known = value !== null && Number.isFinite(value) && needed !== null;
  const isMet = passes || (known && holds(value, relation, needed));
  const mayBeExcepted = given.exception !== null && EVIDENCE_CRITERIA.includes(criterion);
  const verdict = isMet ? 'met' : mayBeExcepted ? 'excepted' : known ? 'not met' : 'unknown';
  const noBand = needed === null ? `the profile has no number for ${given.interval}` : null;
  return { name: figure, figure: value, relation, needed, verdict, note: noBand ?? note ?? null, source };
}

function neededAt({ needed }: ProfileCriterion, interval: string): number | null {
  if (typeof needed === 'number') return needed;
  return Object.hasOwn(needed, interval) ? needed[interval]! : null;
}

function holds(value: number, relation: Relation, needed: number): boolean {
  switch (relation) {
    case '>':
      return value > needed;
    case '>=':
      return value >= needed;
    case '<':
      return value < needed;
    case '<=':
      return value <= needed;
  }
}
