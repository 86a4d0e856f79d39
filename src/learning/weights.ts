import type { Weights } from '#ensemble';
import type { Scorecard } from './scorecard.ts';

/**
 * Weight by accuracy of the newest directional signals (btc-engine.md 2):
 * acc = (hits + prior) / (n + 2*prior), w = base * clamp(acc / 0.5, min, max). Not normalised afterwards.
 */
export interface AccuracyRule {
  readonly prior: number;
  readonly min: number;
  readonly max: number;
}

export const ACCURACY_RULE: AccuracyRule = { prior: 5, min: 0.25, max: 2 };

export function accuracyWeights(
  base: Weights,
  cards: readonly Scorecard[],
  changes: Partial<AccuracyRule> = {},
): Weights {
  const { prior, min, max } = { ...ACCURACY_RULE, ...changes };
  return weighted(base, cards, (card) => {
    const accuracy = ((card?.recentHits ?? 0) + prior) / ((card?.recentN ?? 0) + 2 * prior);
    return Math.min(max, Math.max(min, accuracy / 0.5));
  });
}

/**
 * Weight by Brier skill against always saying 0.5: skill = 1 - brier/0.25, shrunk to 0 by n/(n + shrink), and
 * w = base * clamp(1 + skill, 0, 2). A source without settled forecasts keeps its base weight.
 */
export function brierWeights(base: Weights, cards: readonly Scorecard[], shrink = 50): Weights {
  return weighted(base, cards, (card) => {
    if (card === null || card.forecasts === 0) return 1;
    const skill = (1 - card.brier / 0.25) * (card.forecasts / (card.forecasts + shrink));
    return Math.min(2, Math.max(0, 1 + skill));
  });
}

/** Every source that has a base weight or a card; a source without a base weight starts from 1. */
function weighted(
  base: Weights,
  cards: readonly Scorecard[],
  factor: (card: Scorecard | null) => number,
): Weights {
  const byName = new Map(cards.map((card) => [card.source, card]));
  const names = [...new Set([...Object.keys(base), ...byName.keys()])].sort();
  return Object.fromEntries(
    names.map((name) => [name, (base[name] ?? 1) * factor(byName.get(name) ?? null)]),
  );
}
