import { InputError } from '#base';
import { type Overfitting, overfittingOf } from './backtest-overfitting.ts';
import { deflatedSharpe, expectedBestSharpe, type SharpeFigures, sharpeFigures } from './sharpe-evidence.ts';
import { type ClusterOptions, clusterTrials } from './trial-clusters.ts';

/** The bar of a promotion. */
export const EVIDENCE_BAR = { dsrMin: 0.95, pboMax: 0.2 };

export interface EvidenceOptions extends ClusterOptions {
  /** Which trial is judged; the one with the highest Sharpe ratio if not given. */
  readonly chosen?: number;
  /** Blocks of the overfitting test. */
  readonly blocks?: number;
}

export interface TrialEvidence {
  readonly trials: number;
  /** Trials that never moved. */
  readonly idle: number;
  /** Effective number of trials. */
  readonly effective: number;
  /** The judged trial; null when none moved. */
  readonly chosen: number | null;
  readonly figures: SharpeFigures | null;
  /** Variance of the trials' Sharpe ratios, each cluster with the same weight. */
  readonly variance: number;
  /** SR*: what the best of as many trials without skill would show. */
  readonly luck: number;
  readonly dsr: number | null;
  /** Null for fewer than two trials: nothing was chosen. */
  readonly overfitting: Overfitting | null;
  /** Whether DSR and PBO clear {@link EVIDENCE_BAR}. A trial alone has no PBO and needs its DSR only. */
  readonly clears: boolean;
}

/** What the returns of all trials of one study (one length, the same periods) say about the chosen one. */
export function evidenceOf(
  trials: readonly ArrayLike<number>[],
  options: EvidenceOptions = {},
): TrialEvidence {
  const figures = trials.map(sharpeFigures);
  const chosen = options.chosen ?? bestOf(figures);
  if (options.chosen !== undefined && !(options.chosen in trials))
    throw new InputError(`trial ${options.chosen} of ${trials.length}`, 'choose one of the trials');
  const { effective, labels, idle } = clusterTrials(trials, options);
  const variance = clusterVariance(figures, labels);
  const judged = chosen === null ? null : figures[chosen]!;
  const dsr = judged === null ? null : deflatedSharpe(judged, variance, effective);
  const overfitting = overfittingOf(trials, options.blocks);
  return {
    trials: trials.length,
    idle,
    effective,
    chosen,
    figures: judged,
    variance,
    luck: expectedBestSharpe(variance, effective),
    dsr,
    overfitting,
    clears: clearsBar(dsr, overfitting?.pbo ?? null),
  };
}

/** DSR of at least 0.95, and PBO of at most 0.20 where there is one. */
export const clearsBar = (dsr: number | null, pbo: number | null): boolean =>
  dsr !== null && dsr >= EVIDENCE_BAR.dsrMin && (pbo === null || pbo <= EVIDENCE_BAR.pboMax);

function bestOf(figures: readonly (SharpeFigures | null)[]): number | null {
  let best: number | null = null;
  figures.forEach((found, i) => {
    if (found !== null && (best === null || found.sharpe > figures[best]!.sharpe)) best = i;
  });
  return best;
}

/**
 * Variance of Sharpe ratios where every cluster has the same weight, whatever its size, times k/(k-1) for k clusters:
 * without correlated trials the sample variance (ddof 1). Many copies of one trial would shrink a plain variance,
 * and with it the luck that is held against the best. 0 for one cluster.
 */
export function clusterVariance(figures: readonly (SharpeFigures | null)[], labels: Int32Array): number {
  const sizes = new Map<number, number>();
  for (const label of labels) if (label >= 0) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  const k = sizes.size;
  if (k < 2) return 0;
  const weight = (i: number) => 1 / (k * sizes.get(labels[i]!)!);
  const moving = figures.flatMap((found, i) =>
    found === null || labels[i]! < 0 ? [] : [{ sharpe: found.sharpe, weight: weight(i) }],
  );
  const center = moving.reduce((sum, { sharpe, weight: w }) => sum + w * sharpe, 0);
  const squares = moving.reduce((sum, { sharpe, weight: w }) => sum + w * (sharpe - center) ** 2, 0);
  return (squares * k) / (k - 1);
}
