import type { Instant } from '#base';
import type { Objection } from '#ensemble';
import type { InstrumentId } from '#market';
import type { SizeCut } from '#risk';
import type { Signal } from '#signals';

/** `none` keeps nothing, `decisions` every idea that wanted to act and every act, `all` every slice as well. */
export type TraceLevel = 'none' | 'decisions' | 'all';

/** One line of the decision trace: what was thought about one instrument in one slice, and where it ended. */
export interface DecisionTrace {
  readonly type: 'decision';
  readonly at: Instant;
  readonly desk: string;
  readonly instrument: InstrumentId;
  readonly shadow: boolean;
  readonly regime: string | null;
  readonly signals: readonly Signal[];
  readonly action: string;
  readonly confidence: number;
  readonly rule: string;
  readonly size: {
    readonly quantity: string;
    readonly riskFraction: number | null;
    readonly cuts: readonly SizeCut[];
  } | null;
  /** Everything that objected, in order; the first one decided. */
  readonly objections: readonly Objection[];
  readonly outcome:
    | 'wait'
    | 'entered'
    | 'refused'
    | 'not-selected'
    | 'in-review'
    | 'exited'
    | 'shadow'
    | 'held';
  readonly orders: readonly string[];
}

/** An exit, a breaker move, an operator's act, a missing bar: what happened beside decisions. */
export interface HappeningTrace {
  readonly type: 'exit' | 'breaker' | 'operator' | 'slice' | 'order' | 'trade' | 'review' | 'edge' | 'bar';
  readonly at: Instant;
  readonly desk: string | null;
  readonly instrument: InstrumentId | null;
  readonly shadow: boolean;
  readonly text: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export type TraceLine = DecisionTrace | HappeningTrace;

/** Where lines go. The engine asks `level` before it builds one. */
export interface TraceSink {
  readonly level: TraceLevel;
  line(line: TraceLine): void;
}

export const NO_TRACE: TraceSink = { level: 'none', line: () => {} };
