import { Descriptions } from '#base';
import type { FeatureNeeds, FeatureValues, Signal, View } from '#signals';
import type { Decision, Objection } from './decision.ts';

/** Trust per source, 0 and up; made by learning/, handed across by the engine. A source without one weighs 1. */
export type Weights = Readonly<Record<string, number>>;

/** What a pooling rule says before gates are asked. */
export type Pooled = Pick<Decision, 'action' | 'confidence' | 'probability' | 'rule' | 'proposal'> & {
  readonly objections: readonly Objection[];
};

export interface PoolingRule {
  readonly name: string;
  /** Which kind of signal it takes; others are a configuration error. */
  readonly takes: 'score' | 'forecast' | 'proposal';
  readonly pool: (signals: readonly Signal[], view: View, weights: Weights) => Pooled;
}

/** What a built-in pooling rule does, as data. `single`: the score of one source as it is, from `enterFrom` on. */
export interface ColumnarPooling {
  readonly kind: 'single';
  readonly source: string | null;
  readonly enterFrom: number;
  /** What would enter short closes what is held instead. */
  readonly shortsClose: boolean;
}

/** The pooling rules of this room whose rule is known. */
export const columnarPoolings = new Descriptions<ColumnarPooling>();

/**
 * May object to an entry. A veto cannot be outvoted; a gate's objection counts towards the desk's quorum rule
 * (by default one objection of either kind is enough to refuse).
 */
export interface Gate<F extends FeatureNeeds = FeatureNeeds> {
  readonly name: string;
  readonly veto: boolean;
  readonly features: F;
  readonly check: (pooled: Pooled, view: View, values: FeatureValues<F>) => Objection | null;
}

/** Defines a gate with inferred feature names. */
export function gate<const F extends FeatureNeeds>(definition: {
  name: string;
  veto?: boolean;
  features: F;
  check: (pooled: Pooled, view: View, values: FeatureValues<F>) => Objection | null;
}): Gate<never> {
  return { veto: false, ...definition } as unknown as Gate<never>;
}
