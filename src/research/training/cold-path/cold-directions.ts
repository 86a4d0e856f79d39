import { reaches } from '#ensemble';
import type { ColdRules } from './cold-data.ts';

/** Classes of the model, in the order of its outputs. */
export const COLD_CLASSES = ['down', 'none', 'up'] as const;
const DOWN = 0;
const UP = 2;

/**
 * What the gates and the score let through at one bar: the direction of the regime when P(direction) reaches its least and
 * leads its opposite by enough, and the score its own. 0 otherwise. `probabilities`: down, none, up at `from`.
 */
export function coldDirection(
  rules: ColdRules,
  regime: number,
  strength: number,
  probabilities: ArrayLike<number>,
  from: number,
): 1 | 0 | -1 {
  if (regime === 0) return 0;
  const along = probabilities[from + (regime === 1 ? UP : DOWN)]!;
  const against = probabilities[from + (regime === 1 ? DOWN : UP)]!;
  if (!reaches(along, rules.probabilityMin) || !reaches(along - against, rules.leadMin)) return 0;
  const { regimeWeight, modelWeight } = rules;
  const score = (regimeWeight * strength + modelWeight * along) / (regimeWeight + modelWeight);
  return reaches(score, rules.scoreMin) ? (regime as 1 | -1) : 0;
}
