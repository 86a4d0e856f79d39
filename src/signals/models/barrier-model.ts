import {
  applyScaler,
  type ClipWatch,
  clippedShare,
  fundingTilt,
  haveDrifted,
  newClipWatch,
  scalerFault,
  watchClips,
} from '#features';
import type { SignalDetail } from '../signal.ts';
import { type Source, source, type View } from '../source.ts';
import type { ModelArtefact } from './artefact.ts';
import { BoostedScorer, parseBoostedModel } from './boosting/index.ts';
import { calibrateProbabilities } from './calibrate-probability.ts';
import {
  followParity,
  newParity,
  type ParityFeature,
  type ParityMemory,
  parityReport,
  readPine,
} from './pine-parity.ts';
import { fillS1Row, S1_FEATURE_NAMES, S1_FEATURES, s1Indicators, s1LengthsOf } from './s1-row.ts';

export const BARRIER_MODEL_SOURCE = 'model';

/** Classes of a triple-barrier model, in the order of its outputs. */
export const BARRIER_CLASSES: readonly string[] = ['down', 'none', 'up'];

/** Gives probabilities of a scaled row. */
export interface RowScorer {
  readonly outputs: number;
  probabilities(row: Float64Array, out: Float64Array): void;
}

export interface BarrierModelConfig {
  /** Null: there is none, and the desk must not trade. */
  readonly artefact: ModelArtefact | null;
  /** The beginning of its id, for the trace. */
  readonly id: string | null;
  /** What it speaks about: until which barrier, at the latest. */
  readonly horizonMs: number;
  /** Subject of what a chart's script sends of the same bars; null: nothing is compared. */
  readonly pineSubject: string | null;
  /** Studies only: bars that the model was trained on are not refused. */
  readonly inSample: boolean;
}

/** What the model's source keeps from bar to bar. Plain data. */
interface ModelMemory {
  readonly clips: ClipWatch;
  readonly parity: ParityMemory;
}

/** Why a model cannot be used for S1's rows at all, or null. */
export function barrierModelFault(artefact: ModelArtefact | null): string | null {
  if (artefact === null) return 'there is no model';
  const { features, classes, scaler, calibration } = artefact;
  if (features.length !== S1_FEATURE_NAMES.length || features.some((name, k) => name !== S1_FEATURE_NAMES[k]))
    return 'the model reads other features';
  if (classes.length !== 3 || classes.some((name, k) => name !== BARRIER_CLASSES[k]))
    return 'the model does not tell down, none and up';
  if (scaler === null) return 'the model has no scaler';
  if (calibration !== null && calibration.length !== 3) return 'the model has not one calibration per class';
  return scalerFault(scaler, features);
}

/**
 * The learned gate as a source: P(up) - P(down) of the frozen 18 features, scaled by the model's own scaler and calibrated. It
 * always speaks, so that what is wrong can be read in the trace and trip a kill switch: a score of 0 with `fault` in its
 * detail says why it says nothing. Throws InputError for a model that is none.
 */
export function barrierModel(config: BarrierModelConfig): Source {
  const { artefact, horizonMs, pineSubject, inSample } = config;
  const fault = barrierModelFault(artefact);
  const scorer: RowScorer | null =
    artefact === null || fault !== null ? null : new BoostedScorer(parseBoostedModel(artefact.model));
  const wrong = fault ?? (scorer!.outputs === 3 ? null : 'the model has not three outputs');
  const width = S1_FEATURES.length;
  // filled anew at every call
  const row = new Float64Array(width);
  const scaled = new Float64Array(width);
  const stated = new Float64Array(3);
  const calibrated = new Float64Array(3);

  /** What stands in the way of using the model at this bar, or null. */
  const trainedTo = artefact?.training.to ?? 0;
  const faultAt = (view: View): string | null => {
    if (wrong !== null) return wrong;
    return view.at - view.intervalMs < trainedTo && !inSample ? 'the model was trained on later bars' : null;
  };

  return source({
    name: BARRIER_MODEL_SOURCE,
    emits: 'score',
    features: s1Indicators(s1LengthsOf(artefact?.training.parameters ?? {})),
    state: (): ModelMemory => ({ clips: newClipWatch(), parity: newParity() }),
    report: ({ clips, parity }) => ({
      id: config.id,
      name: artefact?.name ?? null,
      trainedTo: artefact === null ? null : trainedTo,
      fault: wrong,
      rows: clips.rows,
      clippedShare: clippedShare(clips),
      drifted: haveDrifted(clips),
      parity: pineSubject === null ? null : parityReport(parity, PARITY_FEATURES),
    }),
    signal: (view, values, { clips, parity }) => {
      const speak = (value: number, detail: SignalDetail) =>
        ({ kind: 'score', source: BARRIER_MODEL_SOURCE, value, horizonMs, detail }) as const;
      const ageMs = artefact === null ? null : view.at - trainedTo;
      const mute = (why: string, more: SignalDetail = {}) => speak(0, { fault: why, ageMs, ...more });
      const now = faultAt(view);
      if (now !== null) return mute(now);
      if (!fillS1Row(values, fundingTilt(view.funding()), row)) return mute('a feature is not defined');
      const pine = pineSubject === null ? null : readPine(view.observation(pineSubject)?.value);
      const time = view.frame.bars.time[view.frame.last]!;
      const parityBp =
        pineSubject === null
          ? null
          : followParity(parity, { time, close: view.close, values: [...row] }, pine, PARITY_FEATURES);
      const clipped = applyScaler(artefact!.scaler!, row, scaled);
      const drifted = watchClips(clips, clipped > 0);
      const seen = { clipped, drifted, parityBp };
      scorer!.probabilities(scaled, stated);
      const { calibration } = artefact!;
      if (calibration !== null) calibrateProbabilities(calibration, stated, calibrated);
      const [down, none, up] = calibration === null ? stated : calibrated;
      if (!Number.isFinite(down! + none! + up!)) return mute('the model gives no probability', seen);
      const value = Math.min(1, Math.max(-1, up! - down!));
      return speak(value, { up: up!, none: none!, down: down!, ageMs, model: config.id, ...seen });
    },
  });
}

/** How each feature is compared with a script's: the RSI in points, all others are fractions. */
export const PARITY_FEATURES: readonly ParityFeature[] = S1_FEATURES.map(({ name }, at) => ({
  name,
  at,
  unit: name === 'rsi14' ? 'points' : 'fraction',
}));
