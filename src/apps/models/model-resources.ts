import { existsSync } from 'node:fs';
import {
  type ModelEntry,
  ModelRegistry,
  modelAtStage,
  modelOfWord,
  readModelFile,
  readReference,
} from '#adapters';
import { InputError } from '#base';
import type { DeskResources, FoundModel, ModelUnfit } from '#engine';
import { newestFit, noneFits } from './fit-candidate.ts';
import { modelsFolder } from './models-folder.ts';

/**
 * Models for desks, from a registry (the usual one unless named) or from files. A reference is an id or the beginning of one,
 * `NAME@paper`, `NAME@live`, `NAME@candidate`, `NAME` for the newest of it, or a path. Null where there is none. What is there but
 * damaged, ambiguous or no model of ours throws {@link InputError}: a desk must not take that for a model that is yet to come. Of
 * candidates the newest is taken that is whole and fits the desk; where there are some and none does, the error says why.
 * Each question looks at the registry as it is at that moment.
 */
export function modelResources(folder: string = modelsFolder()): DeskResources {
  return { model: (text, unfit) => foundModel(folder, text, unfit) };
}

function foundModel(folder: string, text: string, unfit: ModelUnfit | undefined): FoundModel | null {
  const reference = readReference(text);
  if (reference.kind === 'file') return modelOfFile(reference.path);
  const registry = ModelRegistry.openExisting(folder);
  if (registry === null) return null;
  try {
    const whole = (entry: ModelEntry | null): FoundModel | null =>
      entry === null ? null : { id: entry.id, artefact: registry.artefact(entry.id) };
    if (reference.kind === 'word') return whole(modelOfWord(registry, reference.word));
    const { name, stage } = reference;
    if (stage !== 'candidate') return whole(modelAtStage(registry, name, stage));
    const search = newestFit(registry, name, unfit);
    if (search.found === null && search.passedOver.length > 0) throw noneFits(name, search);
    return search.found;
  } finally {
    registry.close();
  }
}

function modelOfFile(path: string): FoundModel | null {
  if (!existsSync(path)) return null;
  const file = readModelFile(path);
  if (file.kind === 'boosted')
    throw new InputError(
      `${path} is a model without names of its features and classes`,
      `quorum models import ${path} --name NAME --features a,b,... --classes c,d,... makes a whole one of it`,
    );
  return { id: file.id, artefact: file.artefact };
}
