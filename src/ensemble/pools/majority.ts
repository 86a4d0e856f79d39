import type { Signal, View } from '#signals';
import type { Pooled, PoolingRule, Weights } from '../pooling.ts';
import { bySource, checkRange, entering, ofKind, waiting, weightOf } from './inputs.ts';

export interface MajorityConfig {
  readonly name?: string;
  /** A side must hold more than this share of the weight of all sources that answered, neutral ones included. */
  readonly shareAbove?: number;
  /** Fewest sources on the winning side. */
  readonly votesMin?: number;
  /** Scores up to this size are neutral. */
  readonly neutralTo?: number;
}

/** One source, one vote of its weight; the size of a score does not matter beyond the neutral band. */
export function majority(config: MajorityConfig = {}): PoolingRule {
  const { name = 'majority', shareAbove = 0.5, votesMin = 1, neutralTo = 0 } = config;
  // below one half both sides could win
  checkRange(name, 'shareAbove', shareAbove, 0.5, 1);
  checkRange(name, 'votesMin', votesMin, 1, 1000);
  checkRange(name, 'neutralTo', neutralTo, 0, 1);
  return {
    name,
    takes: 'score',
    pool(signals: readonly Signal[], _view: View, learned: Weights): Pooled {
      let all = 0;
      let long = 0;
      let short = 0;
      let longVotes = 0;
      let shortVotes = 0;
      for (const { source, value } of bySource(ofKind(signals, 'score', name))) {
        const weight = weightOf(learned, source);
        all += weight;
        if (weight === 0) continue;
        if (value > neutralTo) {
          long += weight;
          longVotes += 1;
        } else if (value < -neutralTo) {
          short += weight;
          shortVotes += 1;
        }
      }
      const direction = long >= short ? 1 : -1;
      const share = all > 0 ? Math.max(long, short) / all : 0;
      const votes = direction > 0 ? longVotes : shortVotes;
      if (!(share > shareAbove)) {
        const reason = 'no side has the majority';
        return waiting(
          reason,
          [{ by: name, reason, measured: share, needed: shareAbove, relation: '>', unit: 'share' }],
          share,
        );
      }
      if (votes < votesMin) {
        const reason = 'too few votes';
        return waiting(
          reason,
          [{ by: name, reason, measured: votes, needed: votesMin, relation: '>=', unit: 'votes' }],
          share,
        );
      }
      return entering(direction, share, 'majority');
    },
  };
}
