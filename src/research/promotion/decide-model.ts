import { type CountedTrials, worstDsr, worstPbo } from './count-trials.ts';
import { type Criterion, decidePromotion, type Measured, type PromotionException } from './decide.ts';
import {
  type HeldEvidence,
  isOurs,
  type ModelEvidence,
  type ModelStage,
  NOT_OURS,
} from './model-evidence.ts';
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
  /**
   * Oldest first; a later one has the last word on a figure, but none makes DSR or PBO better. What is not ours says nothing, for
   * the model or against it.
   */
  readonly evidence: readonly HeldEvidence[];
  /** What the record of runs says of how it was chosen; null where there is no record. */
  readonly counted: CountedTrials | null;
  /** Measured just now, over whatever the evidence says: time on paper. */
  readonly measured?: Readonly<Partial<Record<FigureName, Measured>>>;
  /** Days on paper that this very model traded, on the way to live; left out where nobody measured them. */
  readonly ownPaperDays?: Measured;
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

/**
 * A model goes live that was on paper itself for as long as a walk-forward tests one (S1 9: 48 h). The rest of the time on paper
 * may be that of the models it follows: with a new one every week none would ever see the ninety days of S1 7.
 */
export const OWN_PAPER_DAYS = 2;

const BEFORE = { paper: 'candidate', live: 'paper' } as const;

/**
 * Judges a model: the stage before, evidence of this very model on its own data that was made here or is borne out here, a passport,
 * runs on record, no refusal of its trainer, no stamp, better than the one it follows, for live some time on paper itself, and every
 * criterion of the profile, DSR and PBO over every trial of its config on record. What is not known is not met.
 */
export function decideModelPromotion(given: ModelPromotionCase): ModelPromotionDecision {
  const { id, dataHash, profile, to, stage } = given;
  const about = given.evidence.filter(({ evidence }) => evidence.model === id);
  const own = about.filter(isOurs).map(({ evidence }) => evidence);
  const fitting = own.filter((one) => one.dataHash === dataHash);
  const counted = given.counted?.fault === null ? given.counted : null;
  // whoever signed it vouches for what was tried too; its runs are on record elsewhere
  const signed = about.filter(
    ({ origin, evidence }) => origin.kind === 'signed' && evidence.dataHash === dataHash,
  );
  const isSignedFor = counted === null && signed.length === fitting.length && signed.length > 0;
  const figures = {
    ...Object.assign({}, ...fitting.map((one) => one.figures), given.measured),
    ...selectionFigures(fitting, counted, isSignedFor),
  };
  const borrowed = about.length > 0 && own.length === 0 ? [NOT_OURS] : [];
  const stamps = [...new Set([...given.stamps, ...own.flatMap((one) => one.stamps), ...borrowed])];
  const decision = decidePromotion({
    to,
    profile,
    stage: to === 'paper' ? 'research' : 'paper',
    interval: given.interval,
    figures,
    stamps,
    isRegistered: counted !== null || isSignedFor,
    exception: given.exception,
  });
  const criteria = [
    plain('stage', stage === BEFORE[to], `is ${stage}, needed ${BEFORE[to]}`),
    evidenceOf(own.length, fitting.length, about),
    plain(
      'passport',
      fitting.some((one) => one.passport !== null),
      'of the run that speaks for it',
    ),
    ...trainersWord(fitting),
    contest(given, fitting),
    ...(to === 'live' ? [onPaperItself(given.ownPaperDays)] : []),
    ...decision.criteria
      .filter(({ name }) => name !== 'stage')
      .map((one) =>
        one.name === 'registered'
          ? { ...one, note: isSignedFor ? 'where it was signed' : recordNote(given.counted) }
          : one,
      ),
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

function evidenceOf(own: number, fitting: number, about: readonly HeldEvidence[]): Criterion {
  const name = 'evidence';
  const strange = about.flatMap(({ origin }) => (origin.kind === 'elsewhere' ? [origin.why] : []));
  if (own === 0 && strange.length > 0) return plain(name, false, `not ours: ${strange.at(-1)}`);
  if (own === 0) return plain(name, null, 'none');
  if (fitting === 0) return plain(name, false, 'on other data than the model was made from');
  const left = strange.length === 0 ? '' : `; left out as not ours: ${strange.length}`;
  return plain(name, true, `${fitting === 1 ? 'one record' : `${fitting} records`}${left}`);
}

function onPaperItself(measured: Measured = { value: null, note: 'not measured' }): Criterion {
  const { value, note = null } = measured;
  const verdict = value === null ? 'unknown' : value >= OWN_PAPER_DAYS ? 'met' : 'not met';
  return {
    name: 'on paper itself',
    figure: value,
    relation: '>=',
    needed: OWN_PAPER_DAYS,
    verdict,
    note,
    source: 'every model',
  };
}

/** Those that a trainer reckons over its own search alone, and that a person may sign for. */
const SELECTION: readonly string[] = ['dsr', 'pbo'] satisfies FigureName[];

/**
 * A trainer that refused its own model is not overruled, by no later record either; one that did not judge is silent. Its DSR and
 * PBO are judged where all trials are counted.
 */
function trainersWord(evidence: readonly ModelEvidence[]): Criterion[] {
  const verdicts = evidence.flatMap(({ verdict }) => (verdict === null ? [] : [verdict]));
  if (verdicts.length === 0) return [];
  const reasons = new Set<string>();
  for (const { promoted, criteria } of verdicts) {
    const failed = criteria.filter(({ verdict: is }) => is === 'not met' || is === 'unknown');
    if (!promoted && failed.length === 0) reasons.add('without a reason');
    for (const { name } of failed) if (!SELECTION.includes(name)) reasons.add(name);
  }
  const isMet = reasons.size === 0;
  const note = isMet ? `by ${verdicts.at(-1)!.profile}` : [...reasons].join(', ');
  return [plain("trainer's verdict", isMet, note)];
}

/** DSR and PBO over every trial on record, or those of a sheet where they are worse; a reader sees both. */
function selectionFigures(
  evidence: readonly ModelEvidence[],
  counted: CountedTrials | null,
  isSignedFor: boolean,
): Partial<Record<FigureName, Measured>> {
  const judge = (name: 'dsr' | 'pbo', worst: typeof worstDsr): Measured => {
    const sheets = evidence.flatMap(({ figures }) => figures[name] ?? []);
    const sheet = worst(sheets);
    const told = sheet === null ? 'not on the sheet' : `on the sheet ${figureText(sheet)}`;
    if (counted === null && isSignedFor && sheet !== null)
      return { ...sheet, note: `by who signed it, ${told}` };
    if (counted === null) return { value: null, note: told };
    const { value, passes = false } = worst([...sheets, counted[name]])!;
    const note = `counted ${figureText(counted[name])}, ${told}`;
    return value === null && passes ? { value, note, passes } : { value, note };
  };
  return { dsr: judge('dsr', worstDsr), pbo: judge('pbo', worstPbo) };
}

const figureText = ({ value, note }: Measured): string => value?.toFixed(3) ?? note ?? 'unknown';

function recordNote(counted: CountedTrials | null): string {
  if (counted === null) return 'there is no record of runs to count its trials in';
  const { fault, trials, effective, elsewhere } = counted;
  if (fault !== null) return fault;
  const others = elsewhere === 0 ? '' : `; ${elsewhere} on other days`;
  return `${trials} ${trials === 1 ? 'trial' : 'trials'} of this config, ${effective} in effect${others}`;
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
