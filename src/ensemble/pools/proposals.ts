import type { Proposal, Signal, View } from '#signals';
import type { Pooled, PoolingRule, Weights } from '../pooling.ts';
import { bySource, checkRange, ofKind, waiting, weightOf } from './inputs.ts';

/** The pooled form of a chosen proposal. Its confidence is edge / (edge + worst loss): 0.5 where they are equal. */
export function proposing(proposal: Proposal): Pooled {
  const { expectedEdge, worstLoss } = proposal;
  const confidence = expectedEdge > 0 ? expectedEdge / (expectedEdge + worstLoss) : 0;
  return {
    action: 'propose',
    confidence,
    probability: null,
    rule: `proposal of ${proposal.source}`,
    proposal,
    objections: [],
  };
}

export interface ProposalPoolConfig {
  readonly name?: string;
  /** Smallest expected edge per unit of worst loss. */
  readonly ratioMin?: number;
}

/**
 * The proposal with the best expected edge per worst loss, the edge weighed by the trust in its source. Proposals
 * without legs or without an edge are out; among equals the larger edge, then the first source by name.
 */
export function proposalPool(config: ProposalPoolConfig = {}): PoolingRule {
  const { name = 'best-proposal', ratioMin = 0 } = config;
  checkRange(name, 'ratioMin', ratioMin, 0, Number.MAX_VALUE);
  return {
    name,
    takes: 'proposal',
    pool(signals: readonly Signal[], _view: View, learned: Weights): Pooled {
      let best: Proposal | null = null;
      let bestRatio = 0;
      let bestEdge = 0;
      for (const proposal of bySource(ofKind(signals, 'proposal', name))) {
        const edge = proposal.expectedEdge * weightOf(learned, proposal.source);
        if (!(edge > 0) || proposal.legs.length === 0) continue;
        const ratio = proposal.worstLoss > 0 ? edge / proposal.worstLoss : Number.POSITIVE_INFINITY;
        if (ratio > bestRatio || (ratio === bestRatio && edge > bestEdge)) {
          best = proposal;
          bestRatio = ratio;
          bestEdge = edge;
        }
      }
      if (best === null) {
        const reason = signals.length === 0 ? 'nobody proposes' : 'no proposal has an edge';
        return waiting(reason, [{ by: name, reason }]);
      }
      if (bestRatio < ratioMin) {
        const reason = 'edge per worst loss is too small';
        return waiting(reason, [
          { by: name, reason, measured: bestRatio, needed: ratioMin, relation: '>=', unit: 'ratio' },
        ]);
      }
      return proposing(best);
    },
  };
}
