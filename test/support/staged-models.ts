import { ModelRegistry } from '#adapters';
import { S1_CONFIGS, s1Instrument } from '#desks';
import { type ModelArtefact, S1_FEATURE_NAMES } from '#signals';
import { s1Model } from './s1-model.ts';

/** A registry of models in which whatever is asked for is staged: nothing is judged. */
export class StagedModels {
  readonly folder: string;
  private at = Date.UTC(2024, 0, 1);

  constructor(folder: string) {
    this.folder = folder;
  }

  private changed<T>(change: (registry: ModelRegistry, act: { at: number; by: string }) => T): T {
    const registry = ModelRegistry.open(this.folder);
    this.at += 1_000;
    try {
      return change(registry, { at: this.at, by: 'ada@test' });
    } finally {
      registry.close();
    }
  }

  register(artefact: ModelArtefact): string {
    return this.changed((registry, act) => registry.register(artefact, [], 'test', act).id);
  }

  promote(artefact: ModelArtefact): string {
    const model = this.register(artefact);
    this.changed((registry, act) => {
      const verdict = {
        model,
        to: 'paper',
        profile: 's1',
        promoted: true,
        criteria: [],
        exception: null,
      } as const;
      registry.promote(verdict, null, registry.head(), act);
    });
    return model;
  }

  rollBack(name: string): string {
    return this.changed((registry, act) => registry.rollBack(name, 'paper', 'too many stops', act));
  }

  retire(id: string): void {
    this.changed((registry, act) => registry.retire(id, 'trained on damaged bars', act));
  }
}

/**
 * A tiny S1 model of a name that follows what its longest return did, or goes against it, with lengths of its own: its
 * features differ from those of another one. Made from the bars that a config of its name decides on.
 */
export function tinyS1(
  name: string,
  to: number,
  { way = 1, momentum = 20 }: { readonly way?: 1 | -1; readonly momentum?: number } = {},
): ModelArtefact {
  const moved = 0.0006;
  const artefact = s1Model(
    {
      down: { feature: 'r20', below: -way * moved, left: way > 0 ? 3 : 0, right: way > 0 ? 0 : 3 },
      none: 0,
      up: { feature: 'r20', below: way * moved, left: way > 0 ? 0 : 3, right: way > 0 ? 3 : 0 },
    },
    { name, features: S1_FEATURE_NAMES },
  );
  const parameters = { momentum, rsi: 7 + (momentum % 20), atr: 8 + (momentum % 12) };
  const config = S1_CONFIGS.find(({ id }) => id === name);
  const made =
    config === undefined ? {} : { interval: config.interval, instrument: s1Instrument(config.symbol) };
  return { ...artefact, training: { ...artefact.training, ...made, to, parameters } };
}
