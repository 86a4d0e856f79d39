import { broken, InputError } from '#base';
import type { Score, Signal } from '#signals';
import type { Objection } from '../decision.ts';
import type { Pooled, Weights } from '../pooling.ts';

/** Inclusive thresholds hold to this much: a sum of decimals that is the bound on paper reaches it. */
const PAPER = 1e-12;

/** value >= bound, up to the rounding of a sum. */
export function reaches(value: number, bound: number): boolean {
  return value >= bound - PAPER;
}

/** Trust in a source: 1 unless stated. A weight that is no finite number from 0 up is a bug of whoever made it. */
export function weightOf(weights: Weights, source: string): number {
  const weight = weights[source];
  if (weight === undefined) return 1;
  if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) broken(`weight of ${source} is ${weight}`);
  return weight;
}

/**
 * The signals by source name, so that sums over them do not depend on the order in which answers came.
 * Returns the same array when it is in order already.
 */
export function bySource<S extends Signal>(signals: readonly S[]): readonly S[] {
  for (let i = 1; i < signals.length; i++) {
    if (signals[i - 1]!.source > signals[i]!.source) {
      return [...signals].sort((a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : 0));
    }
  }
  return signals;
}

/** Asserts that all signals are of the kind a rule takes. Throws {@link InputError}: the desk is composed wrongly. */
export function ofKind<K extends Signal['kind']>(
  signals: readonly Signal[],
  kind: K,
  rule: string,
): readonly Extract<Signal, { kind: K }>[] {
  for (const signal of signals) {
    if (signal.kind !== kind) {
      throw new InputError(
        `${rule} pools ${kind}s, but ${signal.source} gives a ${signal.kind}`,
        signal.kind === 'score' && kind === 'forecast'
          ? `give ${signal.source} a calibration, which turns its score into a forecast`
          : `take ${signal.source} out, or pool with a rule that takes ${signal.kind}s`,
      );
    }
  }
  return signals as readonly Extract<Signal, { kind: K }>[];
}

/** A pooled wait with its reasons. */
export function waiting(
  rule: string,
  objections: readonly Objection[],
  confidence = 0,
  probability: number | null = null,
): Pooled {
  return { action: 'wait', confidence, probability, rule, objections };
}

const NONE: readonly Objection[] = Object.freeze([]);

/** A pooled entry. */
export function entering(
  direction: 1 | -1,
  confidence: number,
  rule: string,
  probability: number | null = null,
): Pooled {
  return {
    action: direction > 0 ? 'enter-long' : 'enter-short',
    confidence,
    probability,
    rule,
    objections: NONE,
  };
}

/** Stated strength of a score: |value| where the source states none. */
export function strengthOf(score: Score): number {
  return score.confidence ?? Math.abs(score.value);
}

/** Refuses a number outside `low..high` in a rule's configuration. */
export function checkRange(rule: string, name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high)) {
    throw new InputError(
      `${rule}: ${name} ${value} is not within ${low}..${high}`,
      `set ${name} within these bounds`,
    );
  }
}
