import { InputError } from '#base';
import type { Signal, View } from '#signals';
import type { Pooled, PoolingRule, Weights } from '../pooling.ts';
import { bySource, checkRange, entering, ofKind, reaches, waiting, weightOf } from './inputs.ts';

export interface WeightedSumConfig {
  readonly name?: string;
  /** Base weight per source; the learned weight multiplies it. A source not named here is a configuration error. */
  readonly weights: Weights;
  /** |sum| from which on to enter, and from which on the entry is called strong. */
  readonly enterFrom: number;
  readonly strongFrom?: number;
  /** Fewest base weight that must have answered, as a share of all base weights. */
  readonly coverageMin?: number;
  /** `none` keeps the raw sum against absolute thresholds; `present` divides by the weights that answered. */
  readonly divideBy?: 'none' | 'present';
}

/** Share of the base weights whose sources answered. */
export function coverageOf(weights: Weights, answered: readonly string[]): number {
  let all = 0;
  let present = 0;
  for (const source of Object.keys(weights).sort()) {
    all += weights[source]!;
    if (answered.includes(source)) present += weights[source]!;
  }
  return present / all;
}

/**
 * S = sum of weight x score with absolute thresholds, both bounds inclusive; by default not divided by anything, so
 * that silence weakens and agreement strengthens. Confidence is |S|, at most 1.
 */
export function weightedSum(config: WeightedSumConfig): PoolingRule {
  const { name = 'weighted-sum', weights: base, enterFrom, coverageMin = 0, divideBy = 'none' } = config;
  const strongFrom = config.strongFrom ?? Number.POSITIVE_INFINITY;
  const total = Object.values(base).reduce((a, b) => a + b, 0);
  if (!(total > 0 && Object.values(base).every((w) => w >= 0 && Number.isFinite(w)))) {
    throw new InputError(
      `${name}: base weights must be finite, from 0 up and not all 0`,
      'correct the weights',
    );
  }
  if (!(enterFrom > 0 && Number.isFinite(enterFrom) && strongFrom >= enterFrom)) {
    throw new InputError(`${name}: 0 < enterFrom <= strongFrom does not hold`, 'for example 0.20 and 0.45');
  }
  checkRange(name, 'coverageMin', coverageMin, 0, 1);
  return {
    name,
    takes: 'score',
    pool(signals: readonly Signal[], _view: View, learned: Weights): Pooled {
      const scores = bySource(ofKind(signals, 'score', name));
      let sum = 0;
      let present = 0;
      let divisor = 0;
      for (const { source, value } of scores) {
        const weight = base[source];
        if (weight === undefined) {
          throw new InputError(
            `${name}: no base weight for ${source}`,
            'name every source in weights, with 0 to mute one',
          );
        }
        const effective = weight * weightOf(learned, source);
        sum += effective * value;
        present += weight;
        divisor += effective;
      }
      const coverage = present / total;
      if (!reaches(coverage, coverageMin)) {
        const reason = 'insufficient coverage';
        return waiting(reason, [
          { by: name, reason, measured: coverage, needed: coverageMin, relation: '>=', unit: 'share' },
        ]);
      }
      const score = divideBy === 'none' ? sum : divisor > 0 ? sum / divisor : 0;
      const size = Math.abs(score);
      const confidence = Math.min(1, size);
      if (!reaches(size, enterFrom)) {
        const reason = 'the weighted sum is too small';
        const objection = {
          by: name,
          reason,
          measured: size,
          needed: enterFrom,
          relation: '>=',
          unit: 'score',
        } as const;
        return waiting(reason, [objection], confidence);
      }
      const strength = reaches(size, strongFrom) ? 'strong weighted sum' : 'weighted sum';
      return entering(score > 0 ? 1 : -1, confidence, strength);
    },
  };
}
