import { canonicalJson } from '#base';
import type { Criterion, ModelStage } from '#research';
import { writeWholeFile } from '../whole-file.ts';

/** Name of the file that a training of S1 leaves (S1 7). */
export const S1_RESULTS_FILE = 's1_rx68_results_final.json';

/** What became of one of the sixteen configs. */
export interface S1ConfigResult {
  /** `S1_RX68_BTC_15M`. */
  readonly config: string;
  /** The model in the registry; null where none came of it. */
  readonly model: string | null;
  readonly stage: ModelStage | null;
  readonly verdict: {
    readonly promoted: boolean;
    readonly criteria: readonly Criterion[];
    /** In words, where there was nothing to judge: too little data. */
    readonly reason: string | null;
  };
  /** Out of sample: our own, and the only ones that a verdict rests on. Null where a figure is not defined. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly windows: number;
  readonly stamps: readonly string[];
}

export interface S1Results {
  /** Seed of the training. */
  readonly seed: string;
  readonly dataHash: string;
  readonly codeHash: string;
  readonly configs: readonly S1ConfigResult[];
}

/**
 * Figures that came with the strategy's description (S1 7): to be shown beside ours and as the reference of drift pages. They are
 * no claim of ours, nothing is judged by them, and no test expects them.
 */
export const S1_SEED_BASELINES = {
  use: 'display targets and reference of drift pages only; not measured here, nothing is judged by them',
  profitFactor: { from: 1.48, to: 9.61 },
  winRate: { from: 0.556, to: 0.746 },
  profitUsd: '2186966',
  /** About so many. */
  trades: 12_000,
} as const;

/**
 * Writes what became of a training of S1: configs in the order of their names, no wall clock, so that the same training gives the
 * same bytes. The file appears whole or not at all.
 */
export function writeS1Results(path: string, { seed, dataHash, codeHash, configs }: S1Results): void {
  const sorted = configs.toSorted((a, b) => (a.config < b.config ? -1 : a.config > b.config ? 1 : 0));
  const value = {
    schemaVersion: 1,
    strategy: 'S1 RX68 BTC_MOM',
    seed,
    dataHash,
    codeHash,
    baselines: S1_SEED_BASELINES,
    promoted: sorted.filter(({ verdict }) => verdict.promoted).map(({ config }) => config),
    configs: sorted,
  };
  // through canonical JSON: members in one order whatever order they were made in, and nothing undefined
  writeWholeFile(path, [`${JSON.stringify(JSON.parse(canonicalJson(value)), null, 2)}\n`]);
}
