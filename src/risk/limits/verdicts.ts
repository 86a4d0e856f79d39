import type { Objection } from '#ensemble';
import type { LimitVerdict } from '../limit.ts';

export const PASS: LimitVerdict = { kind: 'pass' };

export const refuse = (objection: Objection): LimitVerdict => ({ kind: 'refuse', objection });

/** Relative slack within which a float counts as equal to its limit. */
export const SLACK = 1e-9;

/** value <= limit, float noise apart; false for NaN. */
export function within(value: number, limit: number): boolean {
  return value <= limit + SLACK * Math.abs(limit);
}

/**
 * `held` is there already, `added` is wanted: passes while their sum is at most `cap`, else reduces what is added
 * to the room that is left, or refuses when there is none.
 */
export function capVerdict(
  words: { readonly by: string; readonly reason: string; readonly unit: string },
  held: number,
  added: number,
  cap: number,
): LimitVerdict {
  const total = held + added;
  const objection: Objection = { ...words, measured: total, needed: cap, relation: '<=' };
  if (!Number.isFinite(total) || Number.isNaN(cap))
    return refuse({ ...objection, reason: `${words.by} is not a finite number` });
  if (within(total, cap)) return PASS;
  const room = cap - held;
  if (!(room > 0 && added > room)) return refuse(objection);
  return { kind: 'reduce', share: room / added, objection };
}

/** The verdict that leaves least: a refusal, else the smallest share. */
export function strictest(verdicts: readonly LimitVerdict[]): LimitVerdict {
  let worst: LimitVerdict = PASS;
  for (const verdict of verdicts) {
    if (verdict.kind === 'refuse') return verdict;
    if (
      verdict.kind === 'reduce' &&
      (worst.kind === 'pass' || (worst.kind === 'reduce' && verdict.share < worst.share))
    ) {
      worst = verdict;
    }
  }
  return worst;
}
