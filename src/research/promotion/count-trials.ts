import { type FamilyMember, familyEvidence } from '../passport/family-evidence.ts';
import type { RegisteredTrial } from '../passport/trial.ts';
import type { Measured } from './decide.ts';
import type { ModelEvidence } from './model-evidence.ts';

/** Whose trials are counted. */
export interface TrialsAsked {
  /** Name of the models: the config that the trials tried. */
  readonly config: string;
  /** SHA-256 of the bars the model was made from. */
  readonly dataHash: string;
  /** Of this model on this data. */
  readonly evidence: readonly Pick<ModelEvidence, 'runs' | 'passport'>[];
}

/** What the record of runs says of how a model was chosen. */
export interface CountedTrials {
  /** Why the record does not hold what the evidence names; null where it does. */
  readonly fault: string | null;
  /** Trials of the config on record whose days overlap the judged ones, whichever search, seed or settings they had. */
  readonly trials: number;
  /** Effective number of them. */
  readonly effective: number;
  /** Trials of the config that share no day with the judged ones. */
  readonly elsewhere: number;
  /** Against all of them. */
  readonly dsr: Measured;
  readonly pbo: Measured;
}

/**
 * DSR and PBO of a model's runs over every training of its config on record, as a desk's passport counts them: whoever searches
 * again with another seed, fewer trials or other windows has looked again. Of several runs the worst counts. `daysOf` gives the
 * UTC days of a trial's returns.
 */
export function countTrials(
  { config, dataHash, evidence }: TrialsAsked,
  all: readonly RegisteredTrial[],
  daysOf: (trial: RegisteredTrial) => Int32Array,
): CountedTrials {
  const kin = all.filter(({ kind, parameters }) => kind === 'train' && configOf(parameters) === config);
  const known = new Map(kin.map((trial) => [trial.hash, trial]));
  const named = [...new Set(evidence.flatMap(({ runs }) => runs))];
  if (named.length === 0) return uncounted('the run is not on record');
  let counted: CountedTrials | null = null;
  for (const hash of named) {
    const run = known.get(hash);
    if (run === undefined)
      return uncounted(`its run ${hash.slice(0, 12)} is no training of ${config} on record`);
    if (run.tapeHash !== dataHash) return uncounted(`its run ${hash.slice(0, 12)} is of other data`);
    counted = worseOf(counted, countedFor(run, kin, daysOf));
  }
  const searched = Math.max(...evidence.map(({ passport }) => completeTrials(passport)));
  if (counted!.trials < searched)
    return uncounted(
      `${counted!.trials} trials of ${config} are on record, its search alone made ${searched}`,
    );
  return counted!;
}

function countedFor(
  run: RegisteredTrial,
  kin: readonly RegisteredTrial[],
  daysOf: (trial: RegisteredTrial) => Int32Array,
): CountedTrials {
  const family = kin.filter(({ days }) => days.first <= run.days.last && days.last >= run.days.first);
  const member = (trial: RegisteredTrial): FamilyMember => ({
    hash: trial.hash,
    returns: trial.returns,
    days: daysOf(trial),
    isCandidate: true,
  });
  const { dsr, pbo, noPbo, effective } = familyEvidence(member(run), family.map(member));
  return {
    fault: null,
    trials: family.length,
    effective,
    elsewhere: kin.length - family.length,
    dsr: dsr === null ? { value: null, note: 'the run never moved' } : { value: dsr },
    pbo:
      pbo !== null
        ? { value: pbo }
        : noPbo === 'nothing was chosen'
          ? { value: null, note: noPbo, passes: true }
          : { value: null, note: noPbo ?? 'unknown' },
  };
}

function uncounted(fault: string): CountedTrials {
  const none = { value: null, note: fault };
  return { fault, trials: 0, effective: 0, elsewhere: 0, dsr: none, pbo: none };
}

function worseOf(one: CountedTrials | null, other: CountedTrials): CountedTrials {
  if (one === null) return other;
  const more = one.trials >= other.trials ? one : other;
  return { ...more, dsr: worstDsr([one.dsr, other.dsr])!, pbo: worstPbo([one.pbo, other.pbo])! };
}

/** The least; what is not known is less than any. Null for none. */
export const worstDsr = (of: readonly Measured[]): Measured | null => worst(of, (value) => value);

/** The largest; what is not known is more than any, and a choice that was none is less than any. Null for none. */
export const worstPbo = (of: readonly Measured[]): Measured | null => worst(of, (value) => -value);

function worst(of: readonly Measured[], worth: (value: number) => number): Measured | null {
  const rank = ({ value, passes = false }: Measured) =>
    value !== null && Number.isFinite(value) ? worth(value) : passes ? Infinity : -Infinity;
  return of.reduce<Measured | null>((a, b) => (a === null || rank(b) < rank(a) ? b : a), null);
}

const configOf = (parameters: unknown): unknown =>
  typeof parameters === 'object' && parameters !== null && 'config' in parameters ? parameters.config : null;

/** Trials that a search played to their end, as the passport of its winner tells; 0 where it does not. */
function completeTrials(passport: unknown): number {
  const { trials } = (passport ?? {}) as { trials?: { complete?: unknown } };
  const complete = trials?.complete;
  return typeof complete === 'number' && Number.isFinite(complete) ? complete : 0;
}
