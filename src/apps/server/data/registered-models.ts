import { type ModelEntry, ModelRegistry } from '#adapters';
import { InputError } from '#base';
import { stampsOf, withTrust } from '../../models/held-evidence.ts';
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
      const items = withTrust(folder, {}, (trust) =>
        registry.entries().map((entry) => ({ ...entry, stamps: stampsOf(registry, entry, trust) })),
      );
      return { items, error: null };
    } finally {
      registry.close();
    }
  } catch (error) {
    if (error instanceof InputError) return { items: [], error: error.message };
    throw error;
  }
}
