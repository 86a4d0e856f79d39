import { reaches } from '#ensemble';
import type { ColdRules } from './cold-data.ts';

/** Classes of the model, in the order of its outputs. */
export const COLD_CLASSES = ['down', 'none', 'up'] as const;
const DOWN = 0;
const UP = 2;
const STOPS_LONG = 1;
const STOPS_SHORT = 2;

/**
 * What the gates and the score let through at one bar: the direction of the regime when P(direction) reaches its least and
 * leads its opposite by enough, news stop it not, and the score its own. 0 otherwise. `probabilities`: down, none, up at `from`.
 */
export function coldDirection(
  rules: ColdRules,
  regime: number,
  strength: number,
  probabilities: ArrayLike<number>,
  from: number,
  /** What the news say at this bar; null without a gate of news. */
  news: { readonly score: number; readonly stops: number } | null = null,
): 1 | 0 | -1 {
  if (regime === 0) return 0;
  const along = probabilities[from + (regime === 1 ? UP : DOWN)]!;
  const against = probabilities[from + (regime === 1 ? DOWN : UP)]!;
  if (!reaches(along, rules.probabilityMin) || !reaches(along - against, rules.leadMin)) return 0;
  if (news !== null && (news.stops & (regime === 1 ? STOPS_LONG : STOPS_SHORT)) !== 0) return 0;
  const { regimeWeight, modelWeight } = rules;
  const newsWeight = news === null ? 0 : rules.newsWeight;
  const mood = news === null ? 0 : (1 + regime * news.score) / 2;
  const sum = regimeWeight * strength + modelWeight * along + newsWeight * mood;
  const score = sum / (regimeWeight + modelWeight + newsWeight);
  return reaches(score, rules.scoreMin) ? (regime as 1 | -1) : 0;
}
