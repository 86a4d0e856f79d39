import type { Decision, Objection } from './decision.ts';

/** What the first objection measured and the least that would have satisfied it. */
export interface SmallestChange {
  readonly by: string;
  readonly text: string;
  /** null where the objection is not a matter of a number. */
  readonly measured: number | null;
  readonly needed: number | null;
}

/** Up to six significant digits, without exponent where a person would not write one. */
function words(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function wordsOf({ by, reason, measured, needed, relation = '>=', unit }: Objection): string {
  if (measured === undefined || needed === undefined) return `${by}: ${reason}`;
  const of = unit === undefined ? '' : ` ${unit}`;
  const off = words(Math.abs(needed - measured));
  const step = needed > measured ? `${off} more` : needed < measured ? `${off} less` : 'any step beyond it';
  return `${by}: ${reason}; ${words(measured)}${of} was measured, ${relation} ${words(needed)} is needed (${step})`;
}

/**
 * Why a decision waits, by its first objection, and the smallest change that would have satisfied that one. Further
 * objections may stand behind it. Null when the decision does not wait or nobody objected.
 */
export function smallestChange(decision: Pick<Decision, 'action' | 'objections'>): SmallestChange | null {
  const first = decision.objections[0];
  if (decision.action !== 'wait' || first === undefined) return null;
  const { by, measured, needed } = first;
  const isMeasured = measured !== undefined && needed !== undefined;
  return {
    by,
    text: wordsOf(first),
    measured: isMeasured ? measured : null,
    needed: isMeasured ? needed : null,
  };
}
