import { applyScaler, computeFeatures, fitScaler, type Scaler } from '#features';
import {
  type BoostedModel,
  BoostedScorer,
  S1_FEATURE_NAMES,
  S1_WARM_UP_BARS,
  type S1Lengths,
  s1Rows,
} from '#signals';
import { trainBoosted } from '../boosting/index.ts';
import { labelWeights, tripleBarrierLabels } from '../labels/index.ts';
import type { BarRange, ColdData, ColdPoint, ColdRules } from './cold-data.ts';
import { COLD_CLASSES } from './cold-directions.ts';
import { isWholeBehind, missingBefore } from './cold-gaps.ts';
import { type ColdWindow, trainingBars } from './cold-windows.ts';

const WIDTH = S1_FEATURE_NAMES.length;

/** Rows, labels and their spans for one choice of lengths, over the whole series. */
export interface ColdSamples {
  readonly rows: Float64Array;
  /** 1 where a row is whole and its label is known. */
  readonly usable: Uint8Array;
  /** 1 where a row is whole: what may be predicted. */
  readonly whole: Uint8Array;
  /** 0 down, 1 none, 2 up. */
  readonly labels: Int8Array;
  /** The bar with which a label is known. */
  readonly spanEnds: Int32Array;
}

/**
 * Features and labels of a series; nothing in a row or a label looks beyond the bar `spanEnds` names. A row with a hole among the
 * bars it was made from is not whole, as the desk holds there, and a label whose span has a hole in it is not known.
 */
export function coldSamples(data: ColdData, rules: ColdRules, point: S1Lengths): ColdSamples {
  const { bars, fundingTilts, intervalMs } = data;
  const { rows, usable } = s1Rows(bars, fundingTilts, point);
  const missing = missingBefore(bars.time, bars.length, intervalMs);
  const whole = usable.map((is, i) => (is === 1 && isWholeBehind(missing, i, S1_WARM_UP_BARS) ? 1 : 0));
  const atr = computeFeatures(bars, [`atr:${point.atr}`]).get(`atr_${point.atr}`)!;
  const { labels, spanEnds, known } = tripleBarrierLabels(bars, {
    width: atr,
    stop: rules.stopAtr,
    target: rules.targetAtr,
    verticalBars: rules.verticalBars,
  });
  const learnable = whole.map((is, i) =>
    is === 1 && known[i] === 1 && missing[spanEnds[i]!] === missing[i] ? 1 : 0,
  );
  return { rows, usable: learnable, whole, labels, spanEnds };
}

/** A model with the scaler it was trained behind. */
export interface ColdModel {
  readonly model: BoostedModel;
  readonly scaler: Scaler;
  /** Bars it, and its scaler, learned from. */
  readonly learnedFrom: Int32Array;
}

/** Trains on the given bars and nothing else: scaler, sample weights (average uniqueness) and trees. */
export function fitOn(
  samples: ColdSamples,
  learnedFrom: Int32Array,
  point: ColdPoint,
  seed: string,
): ColdModel {
  const n = learnedFrom.length;
  const raw = new Float64Array(n * WIDTH);
  learnedFrom.forEach((bar, k) => {
    raw.set(samples.rows.subarray(bar * WIDTH, (bar + 1) * WIDTH), k * WIDTH);
  });
  const scaler = fitScaler(S1_FEATURE_NAMES, raw, { from: 0, to: n });
  const values = new Float32Array(n * WIDTH);
  const scaled = new Float64Array(WIDTH);
  for (let k = 0; k < n; k++) {
    applyScaler(scaler, raw.subarray(k * WIDTH, (k + 1) * WIDTH), scaled);
    values.set(scaled, k * WIDTH);
  }
  const { model } = trainBoosted(
    {
      values,
      rows: n,
      features: WIDTH,
      labels: Float32Array.from(learnedFrom, (bar) => samples.labels[bar]!),
      weights: labelWeights(learnedFrom, samples.spanEnds),
    },
    {
      objective: 'multi:softprob',
      classes: COLD_CLASSES.length,
      rounds: point.rounds,
      eta: point.eta,
      maxDepth: point.maxDepth,
      minChildWeight: point.minChildWeight,
      subsample: point.subsample,
      featureNames: S1_FEATURE_NAMES,
      seed,
    },
  );
  return { model, scaler, learnedFrom };
}

/** Trains one window of a walk-forward. Null where it has no rows of at least two classes to learn from. */
export function fitWindow(
  samples: ColdSamples,
  window: ColdWindow,
  embargoBars: number,
  point: ColdPoint,
  seed: string,
): ColdModel | null {
  const bars = trainingBars(window, samples.usable, samples.spanEnds, embargoBars);
  const seen = new Set(Array.from(bars, (bar) => samples.labels[bar]!));
  return seen.size < 2 ? null : fitOn(samples, bars, point, `${seed}/${window.number}`);
}

/** What a model says of bars it has not seen. */
export interface ColdPredictions {
  /** Down, none and up for each bar of a range, one after the other; NaN where a row is not whole. */
  readonly probabilities: Float64Array;
  /** Share of the rows in which a value was cut off: far from what the model was trained on. */
  readonly clippedShare: number;
}

export function predictBars(
  { model, scaler }: ColdModel,
  samples: ColdSamples,
  range: BarRange,
): ColdPredictions {
  const scorer = new BoostedScorer(model);
  const { outputs } = scorer;
  const out = new Float64Array((range.to - range.from) * outputs).fill(Number.NaN);
  const scaled = new Float64Array(WIDTH);
  const probabilities = new Float64Array(outputs);
  let rows = 0;
  let clipped = 0;
  for (let bar = range.from; bar < range.to; bar++) {
    if (samples.whole[bar] !== 1) continue;
    rows += 1;
    if (applyScaler(scaler, samples.rows.subarray(bar * WIDTH, (bar + 1) * WIDTH), scaled) > 0) clipped += 1;
    scorer.probabilities(scaled, probabilities);
    out.set(probabilities, (bar - range.from) * outputs);
  }
  return { probabilities: out, clippedShare: rows === 0 ? 0 : clipped / rows };
}
