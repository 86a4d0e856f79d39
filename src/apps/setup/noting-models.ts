import { readReference } from '#adapters';
import { InputError } from '#base';
import type { DeskResources, FoundModel, ModelsInPlace, ModelUnfit } from '#engine';

/** What the references of a desk's models were found as. */
export type FoundModels = ModelsInPlace;

/** What a desk says of candidates, by reference. */
export type UnfitCandidates = Readonly<Record<string, ModelUnfit>>;

/**
 * Resources that note which models were found. A reference that `known` names means that model and no other: what a run was
 * made with it is made with again. Throws {@link InputError}, from the look-up, for a known model that has gone.
 */
export function notingModels(
  resources: DeskResources,
  known: FoundModels,
): { readonly resources: DeskResources; readonly models: FoundModels; readonly unfit: UnfitCandidates } {
  const models: Record<string, string | null> = {};
  const unfits: Record<string, ModelUnfit> = {};
  const model: DeskResources['model'] = (reference, unfit) => {
    if (unfit !== undefined) unfits[reference] = unfit;
    const id = Object.hasOwn(known, reference) ? known[reference]! : undefined;
    models[reference] = null;
    // there was none then: what has come since is another run's
    if (id === null) return null;
    const found = id === undefined ? resources.model(reference, unfit) : knownModel(resources, reference, id);
    models[reference] = found?.id ?? null;
    return found;
  };
  return { resources: { model }, models, unfit: unfits };
}

/** A model by its id: what its reference means by now may be another one, or damaged, and does not matter. */
function knownModel(resources: DeskResources, reference: string, id: string): FoundModel {
  // a file that was named is looked at first: it may be on record nowhere
  const places = readReference(reference).kind === 'file' ? [reference, id] : [id, reference];
  for (const place of places) {
    const found = resources.model(place);
    if (found?.id === id) return found;
  }
  throw new InputError(
    `the model ${id.slice(0, 12)} that ${reference} meant is not here`,
    'import its exported file with quorum models import',
  );
}

/** Resources of a desk that is made with exactly these models: it may ask for no other. */
export function theseModels(resources: DeskResources, models: FoundModels): DeskResources {
  const ids = new Set(Object.values(models));
  return {
    model: (reference) => {
      if (Object.hasOwn(models, reference) || ids.has(reference)) return resources.model(reference);
      throw new InputError(
        `with these models the desk asks for ${reference} as well`,
        'begin it anew with --fresh, so that its journal says what that means',
      );
    },
  };
}
