import { existsSync } from 'node:fs';
import { readModelFile, readReference, requireModel, treesOf } from '#adapters';
import { applyScaler } from '#features';
import {
  type BoostedModel,
  BoostedScorer,
  calibrateProbabilities,
  calibrateProbability,
  type ModelArtefact,
  parseBoostedModel,
} from '#signals';
import { existingModels, type ModelsChoice } from './models-folder.ts';

/** A model that is ready to score: of the registry, or a file, XGBoost's own too. */
export interface LoadedModel {
  /** Null of a plain XGBoost file. */
  readonly id: string | null;
  readonly artefact: ModelArtefact | null;
  readonly trees: BoostedModel;
  /** Names of its columns; null where nobody knows them. */
  readonly features: readonly string[] | null;
  readonly classes: readonly string[] | null;
}

/** The model of a reference or a path. Throws InputError. */
export function loadModel(reference: string, choice: ModelsChoice): LoadedModel {
  const read = readReference(reference);
  if (read.kind === 'file' && existsSync(read.path)) {
    const file = readModelFile(read.path);
    if (file.kind === 'model') return loaded(file.id, file.artefact);
    const trees = parseBoostedModel(file.data);
    const features = trees.featureNames.length > 0 ? trees.featureNames : null;
    return { id: null, artefact: null, trees, features, classes: null };
  }
  // a path that leads nowhere is named as such by whoever reads it
  if (read.kind === 'file') readModelFile(read.path);
  const registry = existingModels(choice);
  try {
    const { id } = requireModel(registry, reference);
    return loaded(id, registry.artefact(id));
  } finally {
    registry.close();
  }
}

function loaded(id: string, artefact: ModelArtefact): LoadedModel {
  const { features, classes } = artefact;
  return { id, artefact, trees: treesOf(artefact), features, classes };
}

/** Margins and probabilities of rows, one after the other. */
export class RowScorer {
  readonly outputs: number;
  /** Whether its outputs are probabilities; else they are plain predictions. */
  readonly hasProbabilities: boolean;
  readonly margins: Float64Array;
  readonly probabilities: Float64Array;
  /** Rows of which a scaled value was cut off. */
  clippedRows = 0;
  private readonly scorer: BoostedScorer;
  private readonly scaler: ModelArtefact['scaler'];
  private readonly calibration: ModelArtefact['calibration'];
  private readonly scaled: Float64Array;

  /** `isRaw`: rows are scaled already, and probabilities are the model's own. */
  constructor({ trees, artefact }: LoadedModel, isRaw: boolean) {
    this.scorer = new BoostedScorer(trees);
    this.outputs = this.scorer.outputs;
    this.hasProbabilities = this.scorer.kind !== 'number';
    this.margins = new Float64Array(this.outputs);
    this.probabilities = new Float64Array(this.outputs);
    this.scaled = new Float64Array(this.scorer.features);
    this.scaler = isRaw ? null : (artefact?.scaler ?? null);
    this.calibration = isRaw || !this.hasProbabilities ? null : (artefact?.calibration ?? null);
  }

  get isScaled(): boolean {
    return this.scaler !== null;
  }

  get isCalibrated(): boolean {
    return this.calibration !== null;
  }

  score(row: Float64Array): void {
    const { scorer, scaler, scaled, margins, probabilities } = this;
    let input = row;
    if (scaler !== null) {
      if (applyScaler(scaler, row, scaled) > 0) this.clippedRows += 1;
      input = scaled;
    }
    scorer.margins(input, margins);
    if (!this.hasProbabilities) scorer.predictions(input, probabilities);
    else scorer.probabilities(input, probabilities);
    if (this.calibration !== null) this.calibrate(this.calibration);
  }

  private calibrate(list: NonNullable<ModelArtefact['calibration']>): void {
    const { probabilities } = this;
    // one event is not scaled to sum to 1: its probability is what its calibration says
    if (this.outputs === 1) probabilities[0] = calibrateProbability(list[0]!, probabilities[0]!);
    else calibrateProbabilities(list, probabilities, probabilities);
  }
}
