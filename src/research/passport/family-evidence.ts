import { doubleBytes, sha256, wholeBytes } from '#base';
import {
  backtestOverfitting,
  type Overfitting,
  type OverfittingVerdict,
} from '../statistics/backtest-overfitting.ts';
import { BlockTable } from '../statistics/block-table.ts';
import {
  deflatedSharpe,
  expectedBestSharpe,
  minimumTrackRecord,
  probabilisticSharpe,
  type SharpeFigures,
  sharpeFigures,
} from '../statistics/sharpe-evidence.ts';
import { clusterTrials } from '../statistics/trial-clusters.ts';
import { clusterVariance } from '../statistics/trial-evidence.ts';

/** Returns of a run with the days they are of: one day for each return. */
export interface DatedReturns {
  readonly returns: Float64Array;
  readonly days: Int32Array;
}

export interface FamilyMember extends DatedReturns {
  readonly hash: string;
  /** Whether somebody could choose it: everything but the plays of a study that takes parts out. */
  readonly isCandidate: boolean;
}

/** Fewer common days say nothing of how two trials go together, nor of a Sharpe ratio. */
export const COMMON_DAYS_MIN = 20;
/** A block of the overfitting test holds at least so many days. */
const BLOCK_DAYS_MIN = 5;
const BLOCKS_MAX = 16;
const BLOCKS_MIN = 4;
/** Of a family that is larger no strategy is left out; the halves are fewer instead. */
const MANY = 4_000;
const BLOCKS_OF_MANY = 12;

/** Why there is no probability of overfitting: nothing was chosen, or it cannot be told. */
export type NoOverfitting = 'nothing was chosen' | 'too few days' | 'too few trials over all days of the run';

export interface FamilyEvidence {
  /** Trials of the family on record, the run included. */
  readonly trials: number;
  /** The same without those whose returns are another's, bit for bit. */
  readonly distinct: number;
  /** Trials that never moved. */
  readonly idle: number;
  /** Trials that have not all days of the run and fewer than {@link COMMON_DAYS_MIN} of them: each counts as one. */
  readonly shortOverlap: number;
  /** Effective number of trials. */
  readonly effective: number;
  /** Variance of the clusters' Sharpe ratios per day. */
  readonly variance: number;
  /** SR*: what the best of as many trials without skill would show, per day. */
  readonly luck: number;
  /** Of the run; null when it never moved or has fewer than two days. */
  readonly figures: SharpeFigures | null;
  readonly psr: number | null;
  readonly dsr: number | null;
  readonly pbo: number | null;
  readonly pboVerdict: OverfittingVerdict | null;
  readonly pboStrategies: number;
  readonly pboBlocks: number | null;
  readonly noPbo: NoOverfitting | null;
  /** Days until the Sharpe ratio is above 0, and above the luck, with 95 %; null when no length would do. */
  readonly trackRecord: number | null;
  readonly trackRecordAgainstLuck: number | null;
}

/**
 * What all trials of a family say about one of them. `members` hold the run itself, under its hash. Trials are compared
 * on the days they share with the run; those with other shared days than most are clustered among themselves, so that no
 * two trials are taken for one because of days that only one of them has. One that shares too few counts by itself, with the
 * Sharpe ratio of its own days. A Sharpe ratio of fewer days than the run's is brought to the run's length: see {@link atLength}.
 */
export function familyEvidence(run: FamilyMember, members: readonly FamilyMember[]): FamilyEvidence {
  const own = members.some(({ hash }) => hash === run.hash) ? members : [...members, run];
  const distinct = withoutCopies(own);
  const { groups, short } = byCommonDays(run, distinct);
  const figures: (SharpeFigures | null)[] = [];
  const labels: number[] = [];
  let labelled = 0;
  let effective = 0;
  let idle = 0;
  for (const group of groups) {
    const found = clusterTrials(group.returns);
    if (found.idle < group.returns.length) {
      effective += found.effective;
      // clusters of different groups are different clusters
      for (const label of found.labels) labels.push(label < 0 ? -1 : labelled + label);
      labelled += group.returns.length;
      for (const returns of group.returns) figures.push(atLength(sharpeFigures(returns), run.returns.length));
    }
    idle += found.idle;
  }
  for (const { returns } of short) {
    // alone, with what its own days say
    const found = atLength(sharpeFigures(returns), run.returns.length);
    if (found === null) idle += 1;
    else {
      effective += 1;
      figures.push(found);
      labels.push(labelled++);
    }
  }
  effective = Math.max(1, effective);
  const variance = clusterVariance(figures, Int32Array.from(labels));
  const luck = expectedBestSharpe(variance, effective);
  const judged = sharpeFigures(run.returns);
  const overfitting = overfittingOfFamily(run, distinct);
  return {
    trials: own.length,
    distinct: distinct.length,
    idle,
    shortOverlap: short.length,
    effective,
    variance,
    luck,
    figures: judged,
    psr: judged === null ? null : probabilisticSharpe(judged),
    dsr: judged === null ? null : deflatedSharpe(judged, variance, effective),
    ...overfitting,
    trackRecord: judged === null ? null : minimumTrackRecord(judged),
    trackRecordAgainstLuck: judged === null ? null : minimumTrackRecord(judged, luck),
  };
}

/**
 * The Sharpe ratio that stands as many of its standard deviations from 0 over `days` as it does over its own, fewer days: without
 * skill a ratio of n days scatters with 1/sqrt(n). Taken as they are, the stretches of a walk-forward would make the luck of short
 * runs the bar of a long one, and the more somebody validates, the less could ever pass.
 */
function atLength(figures: SharpeFigures | null, days: number): SharpeFigures | null {
  if (figures === null || figures.n >= days) return figures;
  return { ...figures, sharpe: figures.sharpe * Math.sqrt(figures.n / days) };
}

/** The first of those that have the same returns on the same days: another of them is no further try. */
function withoutCopies(members: readonly FamilyMember[]): FamilyMember[] {
  const seen = new Map<string, number>();
  const out: FamilyMember[] = [];
  const dayNames = new Map<Int32Array, string>();
  for (const member of members) {
    let days = dayNames.get(member.days);
    if (days === undefined) {
      days = sha256(wholeBytes(member.days));
      dayNames.set(member.days, days);
    }
    const key = `${days} ${sha256(doubleBytes(member.returns))}`;
    const at = seen.get(key);
    if (at === undefined) {
      seen.set(key, out.length);
      out.push(member);
      // what can be chosen stays so, whatever else had its returns
    } else if (member.isCandidate && !out[at]!.isCandidate) out[at] = member;
  }
  return out;
}

interface Common {
  /** Places of the common days in the trial's returns. */
  readonly places: Int32Array;
  readonly key: string;
  readonly isWhole: boolean;
}

function commonDays(run: DatedReturns, member: DatedReturns): Common {
  const places: number[] = [];
  const common: number[] = [];
  let j = 0;
  for (let i = 0; i < run.days.length; i++) {
    while (j < member.days.length && member.days[j]! < run.days[i]!) j += 1;
    if (j === member.days.length) break;
    if (member.days[j] !== run.days[i]) continue;
    places.push(j);
    common.push(i);
  }
  const isWhole = places.length === run.days.length;
  return { places: Int32Array.from(places), key: isWhole ? 'whole' : common.join(' '), isWhole };
}

/** Whose days are looked up once for each set of days, not for each trial. */
function commonOf(run: DatedReturns): (member: DatedReturns) => Common {
  const found = new Map<Int32Array, Common>();
  return (member) => {
    let common = found.get(member.days);
    if (common === undefined) {
      common = commonDays(run, member);
      found.set(member.days, common);
    }
    return common;
  };
}

const pick = (returns: Float64Array, places: Int32Array): Float64Array =>
  Float64Array.from(places, (place) => returns[place]!);

function byCommonDays(run: FamilyMember, members: readonly FamilyMember[]) {
  const common = commonOf(run);
  const groups = new Map<string, { readonly returns: Float64Array[] }>();
  const short: FamilyMember[] = [];
  for (const member of members) {
    const { places, key, isWhole } = common(member);
    if (places.length < COMMON_DAYS_MIN && !isWhole) {
      short.push(member);
      continue;
    }
    const group = groups.get(key) ?? { returns: [] };
    groups.set(key, group);
    group.returns.push(pick(member.returns, places));
  }
  return { groups: [...groups.values()], short };
}

/**
 * PBO of the candidates that cover all days of the run. A trial that lacks days is left out: days filled with nothing would
 * make it a weak rival, which flatters. So would one that never moved. No other is left out: of a family of more than 4,000
 * the blocks are 12 instead of 16, which makes the estimate coarser in either direction, and never a smaller table.
 */
function overfittingOfFamily(run: FamilyMember, members: readonly FamilyMember[]) {
  const none = (noPbo: NoOverfitting, pboStrategies: number) => ({
    pbo: null,
    pboVerdict: null,
    pboStrategies,
    pboBlocks: null,
    noPbo,
  });
  const candidates = members.filter(({ isCandidate }) => isCandidate);
  if (candidates.length < 2) return none('nothing was chosen', candidates.length);
  const common = commonOf(run);
  const rivals = candidates
    .filter((member) => common(member).isWhole)
    .map((member) => pick(member.returns, common(member).places))
    .filter((returns) => sharpeFigures(returns) !== null);
  if (rivals.length < 2) return none('too few trials over all days of the run', rivals.length);
  const most = rivals.length > MANY ? BLOCKS_OF_MANY : BLOCKS_MAX;
  const blocks = Math.min(most, 2 * Math.floor(run.days.length / BLOCK_DAYS_MIN / 2));
  if (blocks < BLOCKS_MIN) return none('too few days', rivals.length);
  const table = new BlockTable(run.days.length, blocks);
  for (const returns of rivals) table.add(returns);
  const { pbo, verdict } = backtestOverfitting(table) as Overfitting;
  return { pbo, pboVerdict: verdict, pboStrategies: rivals.length, pboBlocks: blocks, noPbo: null };
}
