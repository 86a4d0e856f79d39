import { type ModelEntry, ModelRegistry } from '#adapters';
import { InputError } from '#base';
import { modelsFolder } from '../../models/models-folder.ts';

export type RegisteredModel = ModelEntry;

/** Models on record, oldest first; none where there is no registry, and where it cannot be read, with why. */
export function registeredModels(folder: string = modelsFolder()): {
  readonly items: readonly RegisteredModel[];
  readonly error: string | null;
} {
  try {
    const registry = ModelRegistry.openExisting(folder);
    if (registry === null) return { items: [], error: null };
    try {
      return { items: registry.entries(), error: null };
    } finally {
      registry.close();
    }
  } catch (error) {
    if (error instanceof InputError) return { items: [], error: error.message };
    throw error;
  }
}
