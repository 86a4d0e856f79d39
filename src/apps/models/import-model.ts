import { IMPORTED, MODEL_NAME, type ModelRegistry, readModelFile } from '#adapters';
import { InputError } from '#base';
import { nearest } from '#features';
import {
  type BoostedModel,
  type ModelArtefact,
  outputsOf,
  parseBoostedModel,
  writeBoostedModel,
} from '#signals';
import { actNow } from './models-folder.ts';

/** What a model that XGBoost saved does not say of itself; null for what nobody said. */
export interface BareModelFacts {
  readonly name: string | null;
  readonly features: readonly string[] | null;
  readonly classes: readonly string[] | null;
  readonly instrument: string | null;
  readonly interval: string | null;
  readonly trainedFrom: number | null;
  readonly trainedTo: number | null;
  readonly probabilityMin: number | null;
  readonly leadMin: number | null;
  /** Id of the model it follows. */
  readonly parent: string | null;
}

/** Carried by a model of which nobody knows how it was made. */
export const UNKNOWN_TRAINING = 'training not on record';

export interface ImportedModel {
  readonly id: string;
  readonly isNew: boolean;
  readonly artefact: ModelArtefact;
  /** Records of evidence that came with it. */
  readonly evidence: number;
}

/**
 * Brings a file into a registry, as a candidate: stages are given here, not brought along, and what speaks for it is somebody else's
 * until something here bears it out. A model of XGBoost's own becomes whole
 * with the facts, and is stamped: how it was made is not on record. Throws InputError.
 */
export function importModel(registry: ModelRegistry, path: string, facts: BareModelFacts): ImportedModel {
  const file = readModelFile(path);
  if (file.kind === 'model') {
    const told = Object.entries(facts).find(([, value]) => value !== null);
    if (told !== undefined)
      throw new InputError(
        `${path} says itself what its ${told[0]} is`,
        'leave the options about the model out: they are for files that XGBoost saved',
      );
    const { artefact, evidence, signatures = [] } = file;
    const { id, isNew } = registry.register(artefact, evidence, IMPORTED, actNow(), signatures);
    return { id, isNew, artefact, evidence: evidence.length };
  }
  const artefact = wholeModel(path, file.data, facts);
  const { id, isNew } = registry.register(artefact, [], IMPORTED, actNow());
  return { id, isNew, artefact, evidence: 0 };
}

function wholeModel(path: string, data: Record<string, unknown>, facts: BareModelFacts): ModelArtefact {
  const trees = parseBoostedModel(data);
  const { name, parent, probabilityMin, leadMin, instrument, interval, trainedFrom, trainedTo } = facts;
  if (name === null)
    throw new InputError(`${path} has no name of its own`, 'name it with --name, such as MY_MODEL_15M');
  if (!MODEL_NAME.test(name))
    throw new InputError(
      `"${name}" cannot be the name of a model`,
      'take letters, digits, dots, dashes and underscores',
    );
  const features = facts.features ?? trees.featureNames;
  if (features.length === 0)
    throw new InputError(
      `${path} does not say what its ${trees.features} columns are`,
      'name them in the order of the training with --features a,b,...',
    );
  if (facts.features !== null && trees.featureNames.length > 0)
    compareNames(path, features, trees.featureNames);
  return {
    schemaVersion: 1,
    name,
    kind: 'boosted-trees',
    features: [...features],
    classes: classesOf(path, facts.classes, outputsOf(trees), trees.objective),
    // written anew: the same trees have one id, whichever of XGBoost's formats they came in
    model: JSON.parse(writeBoostedModel(withFiniteNotes(trees))),
    scaler: null,
    calibration: null,
    threshold: { probabilityMin: probabilityMin ?? 0.5, leadMin: leadMin ?? 0 },
    training: {
      from: trainedFrom ?? 0,
      to: trainedTo ?? 0,
      rows: 0,
      seed: '',
      dataHash: '',
      codeHash: '',
      instrument: instrument ?? '',
      interval: interval ?? '',
      parameters: { objective: trees.objective, trees: trees.trees.length },
    },
    metrics: {},
    stamps: [UNKNOWN_TRAINING],
    parent,
  };
}

/**
 * Trees whose gains, covers and optimal values are numbers: of degenerate nodes XGBoost writes NaN or Infinity, which plain JSON does
 * not have. Nothing is predicted by them. They count as 0.
 */
function withFiniteNotes(model: BoostedModel): BoostedModel {
  const finite = (values: Float32Array) => values.map((value) => (Number.isFinite(value) ? value : 0));
  const trees = model.trees.map((tree) => ({
    ...tree,
    gain: finite(tree.gain),
    cover: finite(tree.cover),
    weight: finite(tree.weight),
  }));
  return { ...model, trees };
}

function compareNames(path: string, named: readonly string[], own: readonly string[]): void {
  const at = own.findIndex((name, i) => name !== named[i]);
  if (at < 0 && named.length === own.length) return;
  const strange = named.find((name) => !own.includes(name));
  const near = strange === undefined ? '' : nearest(strange, own);
  throw new InputError(
    `${path} was trained on ${own.join(', ')}, in this order`,
    near === '' ? 'leave --features out, or give them in this order' : `is ${strange} meant to be ${near}?`,
  );
}

function classesOf(
  path: string,
  named: readonly string[] | null,
  outputs: number,
  objective: string,
): readonly string[] {
  if (named === null) {
    if (outputs === 1) return [objective.startsWith('binary:') ? 'event' : 'value'];
    throw new InputError(
      `${path} has ${outputs} classes without names`,
      `name them in the order of the labels with --classes, such as --classes down,none,up`,
    );
  }
  if (named.length === outputs) return named;
  throw new InputError(
    `${named.length} classes are named, and ${path} has ${outputs} outputs`,
    outputs === 1 ? 'name the one event it speaks of' : 'name one per class, in the order of the labels',
  );
}
