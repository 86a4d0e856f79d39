import type { Instant } from '#base';
import type { InstrumentId } from '#market';
import type { Proposal, Signal } from '#signals';

/** An objection with what was measured and what would have passed, so that a non-trade explains itself. */
export interface Objection {
  /** Name of the gate, veto, quorum rule, limit or exit that objects. */
  readonly by: string;
  readonly reason: string;
  readonly measured?: number;
  readonly needed?: number;
  /** How `measured` must stand to `needed` to pass. */
  readonly relation?: '>=' | '<=' | '>' | '<' | '=';
  readonly unit?: string;
}

export type Action = 'enter-long' | 'enter-short' | 'exit' | 'propose' | 'wait';

/** The pooled result of one slice for one instrument, with all reasons. */
export interface Decision {
  readonly at: Instant;
  readonly instrument: InstrumentId;
  readonly action: Action;
  /** What the pooling rule wanted before gates and vetoes were asked; null when it wanted nothing. */
  readonly wanted: Exclude<Action, 'wait'> | null;
  /** Pooled strength 0..1: ranks and thresholds, never sizes as if it were a win rate. */
  readonly confidence: number;
  /** Only a pooling rule over calibrated forecasts states one. */
  readonly probability: number | null;
  /** What the pooling rule thought, in words of the trace. */
  readonly rule: string;
  /** The chosen proposal of a `propose`; absent otherwise. */
  readonly proposal?: Proposal;
  readonly signals: readonly Signal[];
  readonly objections: readonly Objection[];
}

export const directionOf = (action: Action): 1 | -1 | 0 =>
  action === 'enter-long' ? 1 : action === 'enter-short' ? -1 : 0;
