import { InputError } from '#base';
import type { DeskResources } from '#engine';

/** What the references of a desk's models were found as: an id, or null where there was none. */
export type FoundModels = Readonly<Record<string, string | null>>;

/**
 * Resources that note which models were found. A reference that `known` names means that model and no other: what a run was
 * made with it is made with again. Throws {@link InputError}, from the look-up, for a known model that has gone.
 */
export function notingModels(
  resources: DeskResources,
  known: FoundModels,
): { readonly resources: DeskResources; readonly models: FoundModels } {
  const models: Record<string, string | null> = {};
  const model: DeskResources['model'] = (reference) => {
    const id = Object.hasOwn(known, reference) ? known[reference]! : undefined;
    models[reference] = null;
    // there was none then: what has come since is another run's
    if (id === null) return null;
    const newest = resources.model(reference);
    const found = id === undefined || newest?.id === id ? newest : resources.model(id);
    if (id !== undefined && found?.id !== id) {
      throw new InputError(
        `the model ${id.slice(0, 12)} that ${reference} meant is not here`,
        'import its exported file with quorum models import',
      );
    }
    models[reference] = found?.id ?? null;
    return found;
  };
  return { resources: { model }, models };
}
