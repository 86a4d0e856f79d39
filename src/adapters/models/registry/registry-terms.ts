import type { ModelEvidence, ModelPromotionDecision } from '#research';
import type { HeldStage } from './model-event.ts';
import type { Arrival, ModelEntry } from './model-state.ts';

/** Who does something, and when. */
export interface Act {
  /** Epoch milliseconds. */
  readonly at: number;
  /** User and machine. */
  readonly by: string;
}

/** What {@link ModelRegistry.register} is told of a model that a file brought: its evidence is not this machine's. */
export const IMPORTED = 'imported';

/** A record of evidence as it lies in a registry. */
export interface EvidenceRecord extends Arrival {
  readonly hash: string;
  readonly evidence: ModelEvidence;
}

/** A verdict on a model, as it is kept. */
export interface ModelVerdict extends ModelPromotionDecision {
  readonly model: string;
  readonly to: HeldStage;
  readonly profile: string;
}

export interface RegistryCheck {
  readonly models: number;
  readonly entries: number;
  readonly objects: number;
  /** Chain hash of the last entry. */
  readonly head: string;
  /** What is not as it was written. */
  readonly faults: readonly string[];
  /** Files that nothing needs: left over from an interruption. */
  readonly leftOver: readonly string[];
}

/** What retention would take, or took. */
export interface Pruning {
  readonly models: readonly ModelEntry[];
  /** Bytes of the objects that go with them. */
  readonly bytes: number;
  /** Files that nothing needed. */
  readonly leftOver: number;
}
