import type { Capacity } from './capacity.ts';
import type { FamilyEvidence } from './family-evidence.ts';
import type { Habitat } from './habitat.ts';
import type { TrialNeighbours } from './trial-neighbours.ts';

/** Multiples of fees and slippage a run is played again with. */
export const COST_FACTORS = [0.5, 1, 1.5, 2, 3] as const;

/** The run again, with its fees and slippage multiplied. The desk knows of it where it reckons with costs. */
export interface CostPlay {
  readonly factor: number;
  readonly return: number;
  readonly sharpe: number | null;
  readonly maxDrawdown: number;
  readonly trades: number;
  /** What the venue took, a share of the opening cash. */
  readonly fees: number;
}

export interface WalkForwardOnRecord {
  readonly hash: string;
  readonly windows: number | null;
  /** Annual return out of sample per annual return in sample; null where the latter is not above 0. */
  readonly efficiency: number | null;
  /** How many are on record for the desk's family over days of the run; the least is shown. */
  readonly onRecord: number;
}

/** Figures of the run itself, from playing it again. Fractions; money in units of the account's currency. */
export interface RunFigures {
  readonly cash: number;
  readonly profit: number;
  readonly return: number;
  /** Annualised by {@link RunFigures.periodsPerYear}. */
  readonly sharpe: number | null;
  readonly periodsPerYear: number;
  readonly maxDrawdown: number;
  readonly trades: number;
  readonly winRate: number | null;
  /** Gross profit / gross loss; null without a loss. */
  readonly profitFactor: number | null;
  readonly expectancy: number | null;
  /** Every trade gained: a profit factor without a number. */
  readonly hasNoLoss: boolean;
}

/** What a result carries: how much was tried before it, and how well it stands up to what is not chance. */
export interface Passport {
  readonly schemaVersion: 1;
  readonly desk: string;
  readonly deskHash: string;
  readonly parameters: unknown;
  readonly instruments: readonly string[];
  readonly interval: string;
  readonly currency: string;
  readonly tapeHash: string;
  readonly codeHash: string;
  readonly journalHash: string;
  readonly trialHash: string;
  /** Head of the registry that the trials were counted in. */
  readonly registry: { readonly entries: number; readonly head: string };
  readonly from: string;
  readonly to: string;
  readonly days: number;
  readonly stamps: readonly string[];
  readonly run: RunFigures;
  readonly family: {
    readonly names: readonly string[];
    /** By how the trials were made. */
    readonly kinds: Readonly<Record<string, number>>;
    readonly elsewhere: number;
    readonly otherDesks: number;
  };
  readonly evidence: FamilyEvidence;
  readonly walkForward: WalkForwardOnRecord | null;
  readonly neighbourhood: TrialNeighbours;
  readonly costs: readonly CostPlay[];
  /** The highest of the cost factors at which the run still gained; null when it never did. */
  readonly gainsUpTo: number | null;
  readonly capacity: Capacity;
  readonly months: readonly Habitat[];
  readonly volatility: readonly Habitat[];
  /** Empty where the desk has no detector. */
  readonly regimes: readonly Habitat[];
}

/** The highest factor up to which every play gained. */
export function gainsUpTo(costs: readonly CostPlay[]): number | null {
  let highest: number | null = null;
  for (const { factor, return: gained } of [...costs].sort((a, b) => a.factor - b.factor)) {
    if (!(gained > 0)) break;
    highest = factor;
  }
  return highest;
}
