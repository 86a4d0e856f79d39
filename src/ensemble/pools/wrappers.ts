import type { Signal, View } from '#signals';
import { directionOf } from '../decision.ts';
import { columnarPoolings, type Pooled, type PoolingRule, type Weights } from '../pooling.ts';
import { countIndependent, type Independence } from '../quorum.ts';
import { checkRange, waiting } from './inputs.ts';

/** The same rule for a desk that never goes short: what would enter short closes what is held. */
export function longOnly(rule: PoolingRule): PoolingRule {
  const made: PoolingRule = {
    ...rule,
    pool(signals, view, weights): Pooled {
      const pooled = rule.pool(signals, view, weights);
      return pooled.action === 'enter-short' ? { ...pooled, action: 'exit' } : pooled;
    },
  };
  const known = columnarPoolings.find(rule);
  return known === null ? made : columnarPoolings.describe(made, { ...known, shortsClose: true });
}

export interface QuorumConfig extends Independence {
  /** Fewest independent sources behind the pooled direction. */
  readonly min: number;
  /** Whether a signal stands behind a direction. By default its score or forecast leans that way. */
  readonly supports?: (signal: Signal, direction: 1 | -1, view: View) => boolean;
}

function leansThatWay(signal: Signal, direction: 1 | -1): boolean {
  if (signal.kind === 'proposal') return false;
  const lean = signal.kind === 'score' ? signal.value : signal.probability - 0.5;
  return direction * lean > 0;
}

/** The same rule, entering only when enough independent sources stand behind the pooled direction. */
export function withQuorum(rule: PoolingRule, config: QuorumConfig): PoolingRule {
  const { min, supports = leansThatWay } = config;
  checkRange(`${rule.name} with quorum`, 'min', min, 1, 1000);
  return {
    ...rule,
    pool(signals: readonly Signal[], view: View, weights: Weights): Pooled {
      const pooled = rule.pool(signals, view, weights);
      const direction = directionOf(pooled.action);
      if (direction === 0) return pooled;
      const behind = signals.filter((signal) => supports(signal, direction, view));
      const measured = countIndependent(behind, config);
      if (measured >= min) return pooled;
      const reason = 'too few independent sources agree';
      const objection = {
        by: 'quorum',
        reason,
        measured,
        needed: min,
        relation: '>=',
        unit: 'sources',
      } as const;
      return waiting(reason, [objection], pooled.confidence, pooled.probability);
    },
  };
}
