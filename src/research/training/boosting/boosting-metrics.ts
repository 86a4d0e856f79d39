import type { BoostingMetric } from './boosting-options.ts';

/** Probabilities are kept so far from 0 and 1 in a log loss. */
const CLIP = 1e-15;

const logistic = (margin: number): number => 1 / (1 + Math.exp(-margin));
const clipped = (p: number): number => Math.min(1 - CLIP, Math.max(CLIP, p));

/** What a metric is taken over: margins of output k at [k * apart, k * apart + rows). */
export interface Measured {
  readonly margins: Float64Array;
  readonly apart: number;
  readonly outputs: number;
  readonly labels: Float32Array;
  readonly weights: Float32Array | null;
  readonly isLogistic: boolean;
}

/** The weighted mean of a loss per row. */
function meanLoss({ labels, weights }: Measured, loss: (row: number) => number): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    const weight = weights === null ? 1 : weights[row]!;
    sum += weight * loss(row);
    total += weight;
  }
  return sum / total;
}

function crossEntropy(measured: Measured): number {
  const { margins, apart, outputs, labels } = measured;
  return meanLoss(measured, (row) => {
    let top = -Infinity;
    for (let k = 0; k < outputs; k++) top = Math.max(top, margins[k * apart + row]!);
    let sum = 0;
    for (let k = 0; k < outputs; k++) sum += Math.exp(margins[k * apart + row]! - top);
    return -Math.log(clipped(Math.exp(margins[labels[row]! * apart + row]! - top) / sum));
  });
}

/**
 * Area under the ROC curve: the share of pairs of a row labelled 1 and one labelled 0 (weighted) in which the first is given
 * more, ties counted half (Mann and Whitney 1947). NaN without both. A label between counts for both by its share.
 */
export function areaUnderCurve(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  weights: ArrayLike<number> | null,
): number {
  const order = Uint32Array.from(labels, (_, row) => row).sort((a, b) => scores[a]! - scores[b]!);
  let below = 0;
  let pairs = 0;
  let positives = 0;
  for (let from = 0, to = 0; from < order.length; from = to) {
    let positive = 0;
    let negative = 0;
    for (; to < order.length && scores[order[to]!] === scores[order[from]!]; to++) {
      const row = order[to]!;
      const weight = weights === null ? 1 : weights[row]!;
      positive += weight * labels[row]!;
      negative += weight * (1 - labels[row]!);
    }
    pairs += positive * (below + negative / 2);
    below += negative;
    positives += positive;
  }
  return pairs / (positives * below);
}

/** The same without weights and with labels 0 and 1 alone: sorting numbers is ten times as fast as sorting by them. */
function plainArea(scores: Float64Array, labels: Float32Array): number {
  const positives = scores.filter((_, row) => labels[row] === 1).sort();
  const negatives = scores.filter((_, row) => labels[row] === 0).sort();
  let below = 0;
  let notAbove = 0;
  let pairs = 0;
  for (const score of positives) {
    while (below < negatives.length && negatives[below]! < score) below++;
    notAbove = Math.max(notAbove, below);
    while (notAbove < negatives.length && negatives[notAbove]! <= score) notAbove++;
    pairs += (below + notAbove) / 2;
  }
  return pairs / (positives.length * negatives.length);
}

export function measure(metric: BoostingMetric, measured: Measured): number {
  const { margins, labels, weights, isLogistic } = measured;
  switch (metric) {
    case 'logloss':
      return meanLoss(measured, (row) => {
        const p = clipped(logistic(margins[row]!));
        return -(labels[row]! * Math.log(p) + (1 - labels[row]!) * Math.log(1 - p));
      });
    case 'mlogloss':
      return crossEntropy(measured);
    case 'rmse':
      return Math.sqrt(
        meanLoss(measured, (row) => {
          const margin = margins[row]!;
          return ((isLogistic ? logistic(margin) : margin) - labels[row]!) ** 2;
        }),
      );
    case 'auc': {
      const scores = margins.subarray(0, labels.length);
      const isPlain = weights === null && labels.every((label) => label === 0 || label === 1);
      return isPlain ? plainArea(scores, labels) : areaUnderCurve(scores, labels, weights);
    }
  }
}
