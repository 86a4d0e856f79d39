import { canonicalJson, InputError } from '#base';
import { COLD_CLASSES, type ColdModel, type ColdPoint } from '#research';
import {
  type ModelArtefact,
  type ProbabilityCalibration,
  S1_FEATURE_NAMES,
  writeBoostedModel,
} from '#signals';
import { trainerHash } from '../setup/code-hash.ts';
import type { TrainConfig } from './train-config.ts';
import type { TrainMarket } from './train-data.ts';

/** Where a model comes from, besides what it was trained with. */
export interface Origin {
  readonly train: TrainConfig;
  readonly market: TrainMarket;
  readonly seed: string;
}

/** The model of a configuration as it is kept: no wall clock, so the same data, seed and code give the same bytes. */
export function artefactOf(
  { train, market, seed }: Origin,
  { model, scaler, learnedFrom }: ColdModel,
  point: ColdPoint,
  calibration: readonly ProbabilityCalibration[] | null,
  /** Bars up to here are known to it; its age counts from here. */
  knownTo: number,
  rest: Pick<ModelArtefact, 'metrics' | 'stamps' | 'parent'>,
): ModelArtefact {
  const { config, rules } = train;
  const { data, dataHash } = market;
  if (learnedFrom.length === 0)
    throw new InputError(`${config.id}: nothing was learned from`, 'give more bars');
  const artefact: ModelArtefact = {
    schemaVersion: 1,
    name: config.id,
    kind: 'boosted-trees',
    features: S1_FEATURE_NAMES,
    classes: COLD_CLASSES,
    model: JSON.parse(writeBoostedModel(model)),
    scaler,
    calibration,
    threshold: { probabilityMin: rules.probabilityMin, leadMin: rules.leadMin },
    training: {
      from: data.bars.time[learnedFrom[0]!]!,
      to: knownTo,
      rows: learnedFrom.length,
      seed,
      dataHash,
      codeHash: trainerHash(),
      instrument: data.instrument.id,
      interval: config.interval,
      parameters: { ...point },
    },
    ...rest,
  };
  // members in one order, and nothing undefined: what is kept is what is hashed
  return JSON.parse(canonicalJson(artefact)) as ModelArtefact;
}
