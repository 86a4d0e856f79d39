import { canonicalJson, sha256, wholeBytes } from '#base';

/** How a run came to be made. */
export type TrialKind =
  | 'backtest'
  | 'sweep'
  | 'worth'
  | 'optimise'
  | 'walk-forward'
  | 'cross-validate'
  | 'train';

/** What a desk is known by across its versions: any of the three makes two desks one family. */
export interface DeskTraits {
  /** The name it gives itself. */
  readonly name: string;
  /** SHA-256 over its file, or over a built-in's name. */
  readonly source: string;
  /** Absolute path of its file; null of a built-in desk. */
  readonly file: string | null;
}

/** The days of a run: those UTC days (numbers since 1970-01-01) at whose end its equity was taken. */
export interface TrialDays {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** SHA-256 over the numbers, little-endian int32. */
  readonly hash: string;
}

/** Figures of a run as its summary has them; those that a kind of run has not are left out. */
export interface TrialFigures {
  readonly trades?: number;
  readonly return?: number | null;
  readonly sharpe?: number | null;
  readonly maxDrawdown?: number;
  /** Of a walk-forward: its windows, and annual return out of sample per annual return in sample. */
  readonly windows?: number;
  readonly efficiency?: number | null;
}

/** Everything that decided a run, and what it came to. Plain data. */
export interface TrialRecord {
  readonly desk: Pick<DeskTraits, 'name' | 'source'>;
  /** SHA-256 over name, source and parameters. */
  readonly deskHash: string;
  readonly parameters: unknown;
  /** The part taken out, as a study of worth names it; null of a whole desk. */
  readonly removed: string | null;
  readonly tapeHash: string;
  readonly instruments: readonly string[];
  readonly intervalMs: number;
  readonly days: TrialDays;
  readonly cash: number;
  readonly feeBps: number | null;
  readonly slippageBps: number;
  readonly seed: string;
  readonly answersHash: string | null;
  readonly codeHash: string;
  readonly figures: TrialFigures;
  readonly stamps: readonly string[];
}

/** A run on record. */
export interface RegisteredTrial extends TrialRecord {
  /** Place in the registry, from 1. */
  readonly position: number;
  readonly hash: string;
  readonly kind: TrialKind;
  readonly file: string | null;
  /** What it belongs to: a sweep or another study by its hash; null of a run made alone. */
  readonly study: string | null;
  /** Simple return of each of the first days. A run that was interrupted has fewer of them than its data has days. */
  readonly returns: Float64Array;
}

/** What decides a whole run of a desk; a record has it, and so has the configuration of a run's journal. */
export type Deciding = Pick<
  TrialRecord,
  'deskHash' | 'tapeHash' | 'answersHash' | 'codeHash' | 'seed' | 'feeBps'
> & {
  readonly cash: number | null;
  readonly slippageBps: number | null;
};

/** Equal for runs that were asked for alike: they come to the same result. */
export function decidingKey(run: Deciding): string {
  const { deskHash, tapeHash, answersHash, codeHash, seed, feeBps, cash, slippageBps } = run;
  return canonicalJson([deskHash, tapeHash, answersHash, codeHash, seed, feeBps, cash, slippageBps]);
}

/** Whether a record is that of one whole run: no part was taken out, no stretches were joined. */
export const isWholeRun = ({ removed, figures }: TrialRecord): boolean =>
  removed === null && figures.windows === undefined;

/** What a record says of the days of its data. */
export function trialDays(days: Int32Array): TrialDays {
  return { first: days[0] ?? 0, last: days.at(-1) ?? 0, count: days.length, hash: sha256(wholeBytes(days)) };
}

/**
 * Simple returns of a run's days from its equity at their ends. After an equity of 0 or less there is nothing left to
 * earn with: 0.
 */
export function dailyReturns(start: number, closes: ArrayLike<number>): Float64Array {
  const out = new Float64Array(closes.length);
  let before = start;
  for (let i = 0; i < out.length; i++) {
    out[i] = before > 0 ? closes[i]! / before - 1 : 0;
    before = closes[i]!;
  }
  return out;
}
