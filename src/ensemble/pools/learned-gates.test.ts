import { describe, expect, it } from 'vitest';
import {
  BARRIER_MODEL_SOURCE,
  MOMENTUM_REGIME_SOURCE,
  NEWS_SENTIMENT_SOURCE,
  type Score,
  type Signal,
  type SignalDetail,
} from '#signals';
import { learnedGates } from './learned-gates.ts';

const regime = (value: number): Score => ({
  kind: 'score',
  source: MOMENTUM_REGIME_SOURCE,
  value,
  horizonMs: 1,
});
const model = (up: number, down: number, more: SignalDetail = {}): Score => ({
  kind: 'score',
  source: BARRIER_MODEL_SOURCE,
  value: up - down,
  horizonMs: 1,
  detail: { up, down, none: 1 - up - down, parityBp: null, ...more },
});
const news = (value: number, more: SignalDetail = {}): Score => ({
  kind: 'score',
  source: NEWS_SENTIMENT_SOURCE,
  value,
  horizonMs: 1,
  detail: { stopsLong: false, stopsShort: false, reason: 'news', ...more },
});

const pooled = (signals: readonly Signal[], scoreMin = 0, withNews = true) =>
  learnedGates({ scoreMin, news: withNews }).pool(signals, undefined as never, {});
const first = (signals: readonly Signal[], scoreMin = 0, withNews = true) =>
  pooled(signals, scoreMin, withNews).objections[0] ?? null;

describe('the three gates', () => {
  it('rank what passes them: the example of the sheet passes one minute', () => {
    // F = (1 + S) / 2 = 0.55
    const signals = [regime(0.7), model(0.66, 0.1), news(0.1)];
    const { confidence, action } = pooled(signals, 0.65);
    expect(confidence).toBeCloseTo(0.6535, 12);
    expect(action).toBe('enter-long');
    expect(pooled(signals, 0.6536).action).toBe('wait');
  });

  it('scale up to the same sum without news', () => {
    const { confidence } = pooled([regime(0.7), model(0.66, 0.1)], 0, false);
    expect(confidence).toBeCloseTo((0.25 * 0.7 + 0.6 * 0.66) / 0.85, 12);
  });

  it('mirror each other', () => {
    const { confidence, action } = pooled([regime(-0.7), model(0.1, 0.66), news(-0.1)], 0.65);
    expect(confidence).toBeCloseTo(0.6535, 12);
    expect(action).toBe('enter-short');
  });

  const passes = [regime(0.9), model(0.8, 0.1), news(0)];
  it.each<[string, readonly Signal[], string | null]>([
    ['all agree', passes, null],
    ['the regime is flat', [regime(0), ...passes.slice(1)], 'regime'],
    ['the regime is silent', passes.slice(1), 'regime'],
    ['the regime points the other way', [regime(-0.9), ...passes.slice(1)], 'model'],
    ['the model is silent', [passes[0]!, passes[2]!], 'model'],
    ['P(up) is exactly 0.55', [regime(0.9), model(0.55, 0.1), news(0)], null],
    ['P(up) is below 0.55', [regime(0.9), model(0.5499, 0.1), news(0)], 'model'],
    ['the lead is exactly 0.10', [regime(0.9), model(0.55, 0.45), news(0)], null],
    ['the lead is below 0.10', [regime(0.9), model(0.549_95 + 0.0001, 0.4501), news(0)], 'model'],
    ['parity is exactly 1 bp', [regime(0.9), model(0.8, 0.1, { parityBp: 1 }), news(0)], null],
    ['parity is above 1 bp', [regime(0.9), model(0.8, 0.1, { parityBp: 1.0001 }), news(0)], 'model'],
    ['parity is not known', [regime(0.9), model(0.8, 0.1, { parityBp: null }), news(0)], null],
    ['the model has a fault', [regime(0.9), model(0.8, 0.1, { fault: 'x' }), news(0)], 'model'],
    ['the model states nothing', [regime(0.9), { ...model(0.8, 0.1), detail: {} }, news(0)], 'model'],
    ['news stop longs', [regime(0.9), model(0.8, 0.1), news(-0.4, { stopsLong: true })], 'news'],
    ['news stop shorts only', [regime(0.9), model(0.8, 0.1), news(-0.4, { stopsShort: true })], null],
    ['news are silent', passes.slice(0, 2), 'news'],
    ['news give no verdict', [regime(0.9), model(0.8, 0.1), { ...news(0), detail: {} }], 'news'],
  ])('%s', (_, signals, by) => {
    expect(first(signals)?.by ?? null).toBe(by);
    expect(pooled(signals).action).toBe(by === null ? 'enter-long' : 'wait');
  });

  it('need the score exactly', () => {
    const signals = [regime(1), model(0.6, 0.1)];
    const { confidence } = pooled(signals, 0, false);
    expect(pooled(signals, confidence, false).action).toBe('enter-long');
    expect(first(signals, confidence + 1e-9, false)?.reason).toBe('score is too low');
  });
});
