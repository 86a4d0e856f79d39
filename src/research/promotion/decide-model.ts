import { type Criterion, decidePromotion, type Measured, type PromotionException } from './decide.ts';
import type { ModelEvidence, ModelStage } from './model-evidence.ts';
import type { FigureName, PromotionProfile } from './profile.ts';
import { contestNote, contestOf } from './window-contest.ts';

/** A model that shall go on, with all that speaks for it. */
export interface ModelPromotionCase {
  readonly to: 'paper' | 'live';
  readonly profile: PromotionProfile;
  readonly id: string;
  readonly stage: ModelStage;
  /** Of its training, as profiles write it: `15m`. */
  readonly interval: string;
  /** SHA-256 of the bars it was trained on. */
  readonly dataHash: string;
  /** What the model itself carries. */
  readonly stamps: readonly string[];
  /** Oldest first; a later one has the last word on a figure. */
  readonly evidence: readonly ModelEvidence[];
  /** Measured just now, over whatever the evidence says: time on paper. */
  readonly measured?: Readonly<Partial<Record<FigureName, Measured>>>;
  /** The model that it would follow in that stage; null where there is none. */
  readonly holder: string | null;
  readonly exception: PromotionException | null;
}

export interface ModelPromotionDecision {
  readonly promoted: boolean;
  readonly criteria: readonly Criterion[];
  /** The exception, where one was needed. */
  readonly exception: PromotionException | null;
}

const BEFORE = { paper: 'candidate', live: 'paper' } as const;

/**
 * Judges a model: the stage before, evidence of this very model on its own data, a passport, runs on record, no refusal of its
 * trainer, no stamp, better than the one it follows, and every criterion of the profile. What is not known is not met.
 */
export function decideModelPromotion(given: ModelPromotionCase): ModelPromotionDecision {
  const { id, dataHash, profile, to, stage } = given;
  const own = given.evidence.filter((one) => one.model === id);
  const fitting = own.filter((one) => one.dataHash === dataHash);
  const figures = Object.assign({}, ...fitting.map((one) => one.figures), given.measured);
  const stamps = [...new Set([...given.stamps, ...own.flatMap((one) => one.stamps)])];
  const decision = decidePromotion({
    to,
    profile,
    stage: to === 'paper' ? 'research' : 'paper',
    interval: given.interval,
    figures,
    stamps,
    isRegistered: fitting.some((one) => one.runs.length > 0),
    exception: given.exception,
  });
  const criteria = [
    plain('stage', stage === BEFORE[to], `is ${stage}, needed ${BEFORE[to]}`),
    evidenceOf(own.length, fitting.length),
    plain(
      'passport',
      fitting.some((one) => one.passport !== null),
      'of the run that speaks for it',
    ),
    ...trainersWord(fitting),
    contest(given, fitting),
    ...decision.criteria.filter(({ name }) => name !== 'stage'),
  ];
  return {
    promoted: criteria.every(({ verdict }) => verdict === 'met' || verdict === 'excepted'),
    criteria,
    exception: decision.exception,
  };
}

const plain = (name: string, isMet: boolean | null, note: string): Criterion => ({
  name,
  figure: null,
  relation: null,
  needed: null,
  verdict: isMet === null ? 'unknown' : isMet ? 'met' : 'not met',
  note,
  source: 'every model',
});

function evidenceOf(own: number, fitting: number): Criterion {
  if (own === 0) return plain('evidence', null, 'none');
  if (fitting === 0) return plain('evidence', false, 'on other data than the model was made from');
  return plain('evidence', true, fitting === 1 ? 'one record' : `${fitting} records`);
}

/** A trainer that refused its own model is not overruled; one that did not judge is silent. */
function trainersWord(evidence: readonly ModelEvidence[]): Criterion[] {
  const verdict = evidence.findLast((one) => one.verdict !== null)?.verdict;
  if (verdict === undefined || verdict === null) return [];
  const failed = verdict.criteria.filter(({ verdict: is }) => is === 'not met' || is === 'unknown');
  const note = verdict.promoted ? `by ${verdict.profile}` : failed.map(({ name }) => name).join(', ');
  return [plain("trainer's verdict", verdict.promoted, note)];
}

function contest({ id, holder }: ModelPromotionCase, evidence: readonly ModelEvidence[]): Criterion {
  const name = 'beats the one before it';
  if (holder === null || holder === id) return plain(name, true, 'there is none before it');
  const met = evidence.findLast((one) => one.against.some(({ model }) => model === holder));
  if (met === undefined) return plain(name, null, `was not held against ${holder.slice(0, 12)}`);
  const older = met.against.find(({ model }) => model === holder)!;
  const found = contestOf(met.windows, older.windows);
  return plain(name, found.isBetter, contestNote(found, holder));
}
