import { existsSync } from 'node:fs';
import { ModelRegistry, modelAtStage, modelOfWord, readModelFile, readReference } from '#adapters';
import { InputError } from '#base';
import type { DeskResources, FoundModel } from '#engine';
import { modelsFolder } from './models-folder.ts';

/**
 * Models for desks, from a registry (the usual one unless named) or from files. A reference is an id or the beginning of one,
 * `NAME@paper`, `NAME@live`, `NAME@candidate`, `NAME` for the newest of it, or a path. Null where there is none. What is there but
 * damaged, ambiguous or no model of ours throws {@link InputError}: a desk must not take that for a model that is yet to come.
 * Each question looks at the registry as it is at that moment.
 */
export function modelResources(folder: string = modelsFolder()): DeskResources {
  return { model: (text) => foundModel(folder, text) };
}

function foundModel(folder: string, text: string): FoundModel | null {
  const reference = readReference(text);
  if (reference.kind === 'file') return modelOfFile(reference.path);
  const registry = ModelRegistry.openExisting(folder);
  if (registry === null) return null;
  try {
    const entry =
      reference.kind === 'stage'
        ? modelAtStage(registry, reference.name, reference.stage)
        : modelOfWord(registry, reference.word);
    return entry === null ? null : { id: entry.id, artefact: registry.artefact(entry.id) };
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
