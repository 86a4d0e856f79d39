import type { Pooled, PoolingRule } from '#ensemble';
import { defineInstrument } from '#market';
import type { Forecast, Proposal, Score, Signal, View } from '#signals';

/** Signals for pooling rules, of an instrument that nobody looks at. */
const view = { at: 0, instrument: defineInstrument({ id: 'A.TEST' }) } as unknown as View;

export const score = (source: string, value: number, more: Partial<Score> = {}): Score => ({
  kind: 'score',
  source,
  value,
  horizonMs: 1000,
  ...more,
});
export const forecast = (
  source: string,
  probability: number,
  claim: Forecast['claim'] = 'up-at-horizon',
): Forecast => ({
  kind: 'forecast',
  source,
  claim,
  probability,
  horizonMs: 1000,
});
export const proposal = (source: string, expectedEdge: number, worstLoss: number): Proposal => ({
  kind: 'proposal',
  source,
  legs: [{ instrument: view.instrument.id, side: 'buy', quantity: 1, limitPrice: null }],
  expectedEdge,
  worstLoss,
});
export const pool = (rule: PoolingRule, signals: readonly Signal[], weights = {}): Pooled =>
  rule.pool(signals, view, weights);

export function v1(confidence: number, action = 'ENTER_LONG'): Score {
  const value =
    action === 'WAIT' ? 0.1 : ((action === 'ENTER_SHORT' ? -1 : 1) * Math.max(confidence, 0.01)) / 2.5;
  return score('sigma-v1', value, { confidence, detail: { action } });
}
export const v2 = (long: number, short: number): Score =>
  score('sigma-v2', (long - short) / 10, { detail: { long, short } });
