import type { ModelRegistry } from '#adapters';
import { InputError } from '#base';
import type { FoundModel, ModelUnfit } from '#engine';

/** The candidate that a reference means, and those that are newer and were passed over. */
export interface CandidateSearch {
  readonly found: FoundModel | null;
  /** Newest first. */
  readonly passedOver: readonly { readonly id: string; readonly why: string }[];
}

/**
 * The newest candidate of a name that is whole and that fits whoever asks: a candidate was judged by nobody, so that its name alone
 * says nothing of what is in it. Only those that came behind `after`, a place in the registry's log, are looked at. What does not fit
 * is kept in `known`, so that it is read once.
 */
export function newestFit(
  registry: ModelRegistry,
  name: string,
  unfit: ModelUnfit = () => null,
  after = 0,
  known: Map<string, string> = new Map(),
): CandidateSearch {
  const passedOver: { id: string; why: string }[] = [];
  const candidates = registry
    .entries()
    .filter((one) => one.name === name && one.stage === 'candidate' && !one.isPruned && one.position > after);
  for (const { id } of candidates.reverse()) {
    const told = known.get(id);
    if (told !== undefined) {
      passedOver.push({ id, why: told });
      continue;
    }
    try {
      const artefact = registry.artefact(id);
      const why = unfit(artefact);
      if (why === null) return { found: { id, artefact }, passedOver };
      known.set(id, why);
      passedOver.push({ id, why });
    } catch (error) {
      // missing or changed since it came
      if (!(error instanceof InputError)) throw error;
      passedOver.push({ id, why: error.message });
    }
  }
  return { found: null, passedOver };
}

/** Candidates that are named at most where none fits. */
const TOLD_MOST = 3;

/** Refuses a name of which there are candidates, and none that fits. */
export function noneFits(name: string, { passedOver }: CandidateSearch): InputError {
  const told = passedOver.slice(0, TOLD_MOST).map(({ id, why }) => `${id.slice(0, 12)}: ${why}`);
  const more = passedOver.length - told.length;
  return new InputError(
    `no candidate of ${name} can be used: ${told.join('; ')}${more > 0 ? `; and ${more} older ones` : ''}`,
    `quorum models list --name ${name} shows them; train or import one that fits`,
  );
}
