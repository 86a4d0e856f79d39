import {
  BARRIER_MODEL_SOURCE,
  MOMENTUM_REGIME_SOURCE,
  NEWS_SENTIMENT_SOURCE,
  type Score,
  type SignalDetail,
} from '#signals';
import type { Objection } from '../decision.ts';
import type { PoolingRule } from '../pooling.ts';
import { allGatesThenScore, type GatedMember } from './gates-then-score.ts';
import { checkRange, reaches } from './inputs.ts';

export interface LearnedGatesConfig {
  /** The pooled score that a trade needs. */
  readonly scoreMin: number;
  /** P(direction) that the model must state, and by how much it must lead its opposite. */
  readonly probabilityMin: number;
  readonly leadMin: number;
  /** Mean difference to a chart's script, basis points a bar, up to which the model is used. */
  readonly parityBpMax: number;
  /** Whether news are one of the gates; without them the other weights are scaled up. */
  readonly news: boolean;
  readonly weights: { readonly regime: number; readonly model: number; readonly news: number };
}

/** Sheet S1 RX68, sections 3 and 4. */
export const LEARNED_GATES: Omit<LearnedGatesConfig, 'scoreMin' | 'news'> = {
  probabilityMin: 0.55,
  leadMin: 0.1,
  parityBpMax: 1,
  weights: { regime: 0.25, model: 0.6, news: 0.15 },
};

const NO_DETAIL: SignalDetail = {};
const numberOf = (value: SignalDetail[string] | undefined): number =>
  typeof value === 'number' ? value : Number.NaN;

/** P(direction), and P of the opposite. */
function probabilitiesOf({ detail = NO_DETAIL }: Score, direction: 1 | -1) {
  const [up, down] = [numberOf(detail.up), numberOf(detail.down)];
  return direction === 1 ? { own: up, other: down } : { own: down, other: up };
}

/** Regime, learned model and news in parallel, all of which must let a direction pass; then the score ranks what passed. */
export function learnedGates(
  changes: Partial<LearnedGatesConfig> & Pick<LearnedGatesConfig, 'scoreMin' | 'news'>,
): PoolingRule {
  const config = { ...LEARNED_GATES, ...changes };
  const { weights } = config;
  const name = 'learned-gates';
  checkRange(name, 'probabilityMin', config.probabilityMin, 0, 1);
  checkRange(name, 'leadMin', config.leadMin, 0, 1);
  const regime: GatedMember = { source: MOMENTUM_REGIME_SOURCE, weight: weights.regime };
  const model: GatedMember = {
    source: BARRIER_MODEL_SOURCE,
    weight: weights.model,
    objects: (score, direction) => modelObjection(score, direction, config),
    strength: (score, direction) => {
      const { own } = probabilitiesOf(score, direction);
      return Number.isFinite(own) ? own : 0;
    },
  };
  const news: GatedMember = {
    source: NEWS_SENTIMENT_SOURCE,
    weight: weights.news,
    objects: newsObjection,
    strength: ({ value }, direction) => (1 + direction * value) / 2,
  };
  const members = config.news ? [regime, model, news] : [regime, model];
  return allGatesThenScore({ name, members, scoreMin: config.scoreMin });
}

function modelObjection(
  score: Score,
  direction: 1 | -1,
  { probabilityMin, leadMin, parityBpMax }: LearnedGatesConfig,
): Objection | null {
  const by = score.source;
  const { fault = null, parityBp = null } = score.detail ?? NO_DETAIL;
  if (fault !== null) return { by, reason: String(fault) };
  const { own, other } = probabilitiesOf(score, direction);
  if (!Number.isFinite(own + other)) return { by, reason: 'the model states no probability' };
  if (!reaches(own, probabilityMin)) {
    const reason = 'the model is not sure enough';
    return { by, reason, measured: own, needed: probabilityMin, relation: '>=', unit: 'probability' };
  }
  if (!reaches(own - other, leadMin)) {
    const reason = 'the model sees the opposite nearly as likely';
    return { by, reason, measured: own - other, needed: leadMin, relation: '>=', unit: 'probability' };
  }
  if (parityBp !== null && !reaches(parityBpMax, numberOf(parityBp))) {
    const reason = 'features differ from the chart script';
    return {
      by,
      reason,
      measured: numberOf(parityBp),
      needed: parityBpMax,
      relation: '<=',
      unit: 'bp a bar',
    };
  }
  return null;
}

function newsObjection({ source, value, detail = NO_DETAIL }: Score, direction: 1 | -1): Objection | null {
  const stops = direction === 1 ? detail.stopsLong : detail.stopsShort;
  // a detail that does not say so lets nothing pass
  if (stops === false) return null;
  return { by: source, reason: `kill switch: ${String(detail.reason ?? 'no verdict')}`, measured: value };
}
