import { describe, expect, it } from 'vitest';
import { InputError, MINUTE } from '#base';
import {
  about,
  ask,
  BAR_249,
  CLOSE,
  NEUTRAL,
  read,
  requestsOf,
  sheetFrame,
} from '../../../test/support/sigma-readings.ts';
import { signalFault } from '../signal.ts';
import { type SigmaReadings, sigmaFeatures, sigmaFeaturesFor } from './sigma-readings.ts';
import { contrarian, pooledScore, SIGMA_V1, scoreV1, sigmaV1, sigmaV1Config } from './sigma-v1.ts';
import { explainV2, SIGMA_RULES, sigmaV2, sigmaV2Config, voteV2 } from './sigma-v2.ts';

const ZERO = { momentum: 0, trend: 0, volatility: 0, volume: 0, meanReversion: 0, probability: 0 };

describe('Sigma V1', () => {
  it('gives the printed members, categories and scores of bar 249', () => {
    const score = scoreV1(CLOSE, BAR_249)!;
    const { members: m, categories: c } = score;
    about(m.rsi, 0.783153);
    about(m.stochastic, 0.930009);
    about(m.cci, 0.862175);
    about(m.macd, -0.725465);
    expect(m.ema).toBe(0);
    expect(m.bollinger).toBe(0);
    about(m.obv, -0.947622);
    about(m.mfi, 0.93721);
    about(m.vwap, -0.633823);
    about(m.z, 0.799859);
    expect(m.bollingerExtremes).toBe(1);
    about(c.momentum, 0.858446);
    about(c.trend, -0.362732);
    expect(c.volatility).toBe(0);
    about(c.volume, -0.214745);
    about(c.meanReversion, 0.89993);
    about(c.probability, -0.141725);
    about(score.raw, 0.286404);
    expect(score.factor).toBe(0.5);
    about(score.adjusted, 0.143202);
    about(score.confidence, 0.358005);
    expect(score.action).toBe('WAIT');
  });

  it('gives the same from bars through the feature frame; only the simulated probability differs', () => {
    const frame = sheetFrame(requestsOf(sigmaFeatures));
    const score = scoreV1(frame.bars.close[249]!, read(frame, sigmaFeatures) as unknown as SigmaReadings)!;
    about(score.categories.momentum, 0.858446);
    about(score.categories.trend, -0.362732);
    expect(score.categories.volatility).toBe(0);
    about(score.categories.volume, -0.214745);
    about(score.categories.meanReversion, 0.89993);
    // tolerance of the sheet: 0.05 on P(up), weighing 0.1 in the raw score
    about(score.categories.probability, -0.141725, 0.1);
    about(score.raw, 0.286404, 0.01);
    expect(score.action).toBe('WAIT');
  });

  it('scores the RSI as published', () => {
    about(contrarian(20), 0.833655, 1e-6);
    about(contrarian(30), 0.664037, 1e-6);
    about(contrarian(70), -0.664037, 1e-6);
    expect(contrarian(50)).toBeCloseTo(0, 15);
  });

  it('reaches the worked examples of the pooled score', () => {
    const categories = (m: number, t: number, v: number, o: number, r: number, p: number) => ({
      momentum: m,
      trend: t,
      volatility: v,
      volume: o,
      meanReversion: r,
      probability: p,
    });
    const gk = 0.22 * 0.8;
    const first = pooledScore(categories(0.45, 0.2, 0.1, 0.3, 0.5, 0.15), gk);
    about(first.factor, 0.89, 1e-12);
    about(first.raw, 0.3125, 1e-12);
    about(first.adjusted, 0.278125, 1e-12);
    about(first.confidence, 0.695313, 1e-6);
    expect(first.action).toBe('ENTER_LONG');
    const second = pooledScore(categories(0.48, 0.22, 0.1, 0.3, 0.5, 0.15), gk);
    about(second.raw, 0.324, 1e-12);
    about(second.adjusted, 0.28836, 1e-12);
    about(second.confidence, 0.7209, 1e-12);
    const third = pooledScore(categories(0.62, 0.35, 0.2, 0.4, 0.55, 0.3), gk);
    about(third.raw, 0.435, 1e-12);
    about(third.adjusted, 0.38715, 1e-12);
    about(third.confidence, 0.967875, 1e-12);
  });

  it('enters from 0.20 on, on both sides, and not just below', () => {
    const only = (x: number) =>
      pooledScore({ ...ZERO, momentum: x }, 0, { ...SIGMA_V1, weights: { ...ZERO, momentum: 1 } });
    const ZERO_CASES = [
      [0.2, 'ENTER_LONG'],
      [0.1999999, 'WAIT'],
      [-0.2, 'ENTER_SHORT'],
      [-0.1999999, 'WAIT'],
    ] as const;
    for (const [x, action] of ZERO_CASES) expect(only(x).action, String(x)).toBe(action);
  });

  it('damps by volatility up to the half', () => {
    const factor = (gk: number) => pooledScore({ ...ZERO, momentum: 1 }, gk).factor;
    expect(factor(0)).toBe(1);
    about(factor(0.4), 0.75, 1e-12);
    expect(factor(0.8)).toBe(0.5);
    expect(factor(5)).toBe(0.5);
  });

  it.each<[string, Partial<SigmaReadings>, keyof NonNullable<ReturnType<typeof scoreV1>>['members'], number]>(
    [
      ['MACD at half an ATR', { macdHist: 0.5 }, 'macd', Math.tanh(1)],
      ['MACD without ATR', { macdHist: 3, atr: 0 }, 'macd', 0],
      ['VWAP one ATR below', { vwap: 99 }, 'vwap', -Math.tanh(0.5)],
      ['VWAP without ATR', { vwap: 99, atr: 0 }, 'vwap', 0],
      ['EMA all rising', { ema9: 99, ema20: 98, ema50: 97, ema200: 96 }, 'ema', 1],
      ['EMA two up, one down, one level', { ema9: 99, ema20: 98, ema50: 98, ema200: 99 }, 'ema', 0.25],
      ['EMA close below the 9', { ema9: 101, ema20: 101, ema50: 101, ema200: 101 }, 'ema', -0.25],
      ['EMA 9 above 20', { ema20: 99, ema50: 99, ema200: 99 }, 'ema', 0.25],
      ['EMA 20 below 50', { ema50: 101, ema200: 101 }, 'ema', -0.25],
      ['EMA 50 above 200', { ema200: 99 }, 'ema', 0.25],
      ['width above its median', { bbWidth: 0.06, slopePercent: 0.2 }, 'bollinger', Math.tanh(1)],
      ['width at its median', { slopePercent: 0.2 }, 'bollinger', 0],
      ['OBV rising', { obvSlope: 3, obvR2: 0.4 }, 'obv', 0.4],
      ['OBV level', { obvSlope: 0, obvR2: 0.4 }, 'obv', 0],
      ['%B on the lower band', { percentB: 0 }, 'bollingerExtremes', 0.5],
      ['%B on the upper band', { percentB: 1 }, 'bollingerExtremes', -0.5],
      ['%B above', { percentB: 1.01 }, 'bollingerExtremes', -1],
      ['%B without width', { percentB: Number.NaN, bbWidth: 0 }, 'bollingerExtremes', 0],
      ['Z', { z: 2 }, 'z', -Math.tanh(1)],
      ['CCI', { cci: 150 }, 'cci', -Math.tanh(1)],
      ['Monte Carlo', { pUp: 0.7 }, 'monteCarlo', 0.4],
    ],
  )('member: %s', (_name, change, member, expected) => {
    about(scoreV1(100, { ...NEUTRAL, ...change })!.members[member], expected, 1e-12);
  });

  it('as a source gives a WAIT as a score and is silent below 200 bars', () => {
    const signal = ask(sigmaV1({ keepMembers: true }), sheetFrame(requestsOf(sigmaFeatures)))!;
    expect(signal.kind).toBe('score');
    expect(signalFault(signal)).toBeNull();
    expect(signal.detail?.action).toBe('WAIT');
    about(signal.detail?.['member.rsi'] as number, 0.783153);
    expect(signal.kind === 'score' && signal.horizonMs).toBe(60 * MINUTE);
    expect(ask(sigmaV1(), sheetFrame(requestsOf(sigmaFeatures), 199))).toBeNull();
    expect(ask(sigmaV1(), sheetFrame(requestsOf(sigmaFeatures), 200))).not.toBeNull();
    expect(ask(sigmaV2(), sheetFrame(requestsOf(sigmaFeatures), 199))).toBeNull();
  });

  it('refuses a configuration that makes no score', () => {
    expect(() => sigmaV1Config({ damping: 2 })).toThrow(InputError);
    expect(() => sigmaV1Config({ entry: Number.NaN })).toThrow(InputError);
    expect(() => sigmaV1Config({ weights: { ...SIGMA_V1.weights, trend: 0.9 } })).toThrow(InputError);
  });

  it('V2 refuses thresholds that would vote for both sides', () => {
    expect(sigmaV2Config({ rsiLow: 25 })).toMatchObject({ rsiLow: 25, rsiHigh: 70 });
    expect(() => sigmaV2Config({ rsiLow: 71 })).toThrow(InputError);
    expect(() => sigmaV2Config({ macdAtr: -1 })).toThrow(InputError);
    expect(() => sigmaV2({ zHigh: Number.NaN })).toThrow(InputError);
  });

  it('asks for the volatility of its own bars', () => {
    expect(sigmaFeaturesFor(35_040).gkAnnual).toBe('gk:20:35040/annual');
  });
});

describe('Sigma V2', () => {
  it('counts 7 for LONG and 1 against it on bar 249', () => {
    const votes = voteV2(CLOSE, BAR_249);
    expect([votes.long, votes.short]).toEqual([7, 1]);
    const words = explainV2(votes);
    expect(words.filter((w) => w.vote === 'LONG').map((w) => w.rule)).toEqual([
      'rsi',
      'stochastic',
      'bollinger',
      'cci',
      'mfi',
      'z',
      'vwap',
    ]);
    expect(words.filter((w) => w.vote === 'SHORT').map((w) => w.rule)).toEqual(['macd']);
    expect(words.filter((w) => w.vote === 'neutral').map((w) => w.rule)).toEqual(['ema', 'monte-carlo']);
    const signal = ask(sigmaV2(), sheetFrame(requestsOf(sigmaFeatures)))!;
    expect(signal).toMatchObject({ kind: 'score', value: 0.6, detail: { long: 7, short: 1 } });
    expect(explainV2(signal.detail!)).toEqual(words);
  });

  it.each<[string, Partial<SigmaReadings>, Partial<SigmaReadings>, Partial<SigmaReadings>]>([
    ['rsi', { rsi: 29.99 }, { rsi: 70.01 }, { rsi: 30 }],
    ['rsi', { rsi: 0 }, { rsi: 100 }, { rsi: 70 }],
    ['stochastic', { stochK: 19 }, { stochK: 81 }, { stochK: 20 }],
    ['macd', { macdHist: 0.11 }, { macdHist: -0.11 }, { macdHist: 0.1 }],
    ['ema', { ema9: 102, ema20: 101 }, { ema9: 98, ema20: 99 }, { ema9: 102 }],
    ['bollinger', { percentB: -0.01 }, { percentB: 1.01 }, { percentB: 1 }],
    ['cci', { cci: -101 }, { cci: 101 }, { cci: -100 }],
    ['mfi', { mfi: 19 }, { mfi: 81 }, { mfi: 80 }],
    ['z', { z: -2.01 }, { z: 2.01 }, { z: 2 }],
    ['vwap', { vwap: 99.4 }, { vwap: 100.6 }, { vwap: 99.5 }],
    ['monte-carlo', { pUp: 0.61 }, { pUp: 0.39 }, { pUp: 0.6 }],
  ])('rule %s: long, short, and neutral on the threshold', (rule, long, short, edge) => {
    const bit = 1 << SIGMA_RULES.indexOf(rule as (typeof SIGMA_RULES)[number]);
    const votes = (change: Partial<SigmaReadings>) => voteV2(100, { ...NEUTRAL, ...change });
    expect(votes(long)).toEqual({ long: 1, short: 0, longRules: bit, shortRules: 0 });
    expect(votes(short)).toEqual({ long: 0, short: 1, longRules: 0, shortRules: bit });
    expect(votes(edge)).toEqual({ long: 0, short: 0, longRules: 0, shortRules: 0 });
  });
});
