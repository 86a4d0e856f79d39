import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, MINUTE } from '#base';
import { FeatureFrame } from '#features';
import { barColumns, defineInstrument } from '#market';
import { type Signal, signalFault } from '../signal.ts';
import type { LocalSource, Source, View } from '../source.ts';
import { type SigmaReadings, sigmaFeatures, sigmaFeaturesFor, sigmaGuards } from './sigma-readings.ts';
import { contrarian, pooledScore, SIGMA_V1, scoreV1, sigmaV1, sigmaV1Config } from './sigma-v1.ts';
import { explainV2, SIGMA_RULES, sigmaV2, sigmaV2Config, voteV2 } from './sigma-v2.ts';

/** The sheet's bar 249 as printed; OBV's line has R2 0.947622 and falls. */
const CLOSE = 108.704557;
const BAR_249: SigmaReadings = {
  rsi: 23.663182,
  stochK: 8.538557,
  cci: -195.26392,
  macdHist: -0.697499,
  atr: 1.51781,
  ema9: 111.162584,
  ema20: 112.184429,
  ema50: 111.749755,
  ema200: 107.696149,
  bbWidth: 0.07191,
  bbWidthMedian: 0.098376,
  percentB: -0.049111,
  slopePercent: -0.307582,
  obvSlope: -1,
  obvR2: 0.947622,
  mfi: 7.134889,
  vwap: 106.434582,
  z: -2.196443,
  pUp: 0.429137,
  gkAnnual: 2.825886,
};

const NEUTRAL: SigmaReadings = {
  ...BAR_249,
  rsi: 50,
  stochK: 50,
  cci: 0,
  macdHist: 0,
  atr: 1,
  ema9: 100,
  ema20: 100,
  ema50: 100,
  ema200: 100,
  bbWidth: 0.05,
  bbWidthMedian: 0.05,
  percentB: 0.5,
  slopePercent: 0,
  obvSlope: 0,
  obvR2: 0,
  mfi: 50,
  vwap: 100,
  z: 0,
  pUp: 0.5,
  gkAnnual: 0.2,
};

const about = (value: number | undefined, expected: number, within = 1.5e-6) =>
  expect(Math.abs(value! - expected), `${value} against ${expected}`).toBeLessThanOrEqual(within);

/** The sheet's synthetic series from 00:00 UTC in five-minute bars. */
function sheetFrame(requests: readonly string[], bars = 250): FeatureFrame {
  const frame = new FeatureFrame(requests);
  let previous = Number.NaN;
  for (let i = 0; i < bars; i++) {
    const c = 100 + 0.05 * i + 5 * Math.sin(i / 7) + 2 * Math.cos(i / 3);
    const o = i === 0 ? c : previous;
    const v = 1000 + 100 * Math.sin(i / 4);
    frame.push(i * 5 * MINUTE, o, Math.max(o, c) + 0.5, Math.min(o, c) - 0.5, c, v);
    previous = c;
  }
  return frame;
}

const requestsOf = (features: Readonly<Record<string, string>>) =>
  Object.values(features).map((text) => text.split('/')[0]!);

function read(frame: FeatureFrame, features: Readonly<Record<string, string>>): Record<string, number> {
  const entries = Object.entries(features).map(([name, expression]) => {
    const [request, output] = expression.split('/');
    const column = request!.replaceAll(':', '_') + (output ? `_${output}` : '');
    return [name, frame.value(frame.column(column))] as const;
  });
  return Object.fromEntries(entries);
}

const INSTRUMENT = defineInstrument({ id: 'BTCUSDT.TEST' });

function viewOf(frame: FeatureFrame): View {
  const { bars } = frame;
  const last = bars.length - 1;
  return {
    at: bars.time[last]! + 5 * MINUTE,
    instrument: INSTRUMENT,
    intervalMs: 5 * MINUTE,
    count: frame.count,
    open: bars.open[last]!,
    high: bars.high[last]!,
    low: bars.low[last]!,
    close: bars.close[last]!,
    volume: bars.volume[last]!,
    frame,
    peer: () => null,
    observation: () => null,
  };
}

function ask(part: Source, frame: FeatureFrame): Signal | null {
  const local = part as unknown as LocalSource;
  return local.signal(viewOf(frame), read(frame, local.features), local.state());
}

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

const ZERO = { momentum: 0, trend: 0, volatility: 0, volume: 0, meanReversion: 0, probability: 0 };

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

describe('guard values', () => {
  const requests = requestsOf(sigmaFeatures);

  it('reads a market that never moved as neutral, where the library says 0', () => {
    const frame = new FeatureFrame(requests);
    for (let i = 0; i < 260; i++) frame.push(i * 300_000, 7, 7, 7, 7, 10);
    const raw = read(frame, sigmaFeatures) as unknown as SigmaReadings;
    expect([raw.rsi, raw.stochK, raw.mfi]).toEqual([0, 0, 0]);
    const guarded = sigmaGuards(frame.bars, raw);
    expect([guarded.rsi, guarded.stochK, guarded.mfi]).toEqual([50, 50, 50]);
    expect(scoreV1(7, guarded)).toMatchObject({ raw: 0, action: 'WAIT' });
    expect(voteV2(7, guarded)).toMatchObject({ long: 0, short: 0 });
    expect(ask(sigmaV1(), frame)).toMatchObject({ value: 0, confidence: 0 });
    expect(ask(sigmaV2(), frame)).toMatchObject({ value: 0 });
  });

  it('keeps a true 0 of a market that only fell', () => {
    const frame = new FeatureFrame(requests);
    for (let i = 0; i < 260; i++) {
      const c = 1000 - i;
      frame.push(i * 300_000, c, c, c, c, 10);
    }
    const raw = read(frame, sigmaFeatures) as unknown as SigmaReadings;
    expect([raw.rsi, raw.mfi]).toEqual([0, 0]);
    expect(sigmaGuards(frame.bars, raw)).toBe(raw);
  });

  it('keeps the RSI of a market that fell before it went still, and counts flat windows of the stochastic', () => {
    const still = (bars: number) => {
      const frame = new FeatureFrame(requests);
      for (let i = 0; i < 240 + bars; i++) {
        const c = i < 240 ? 1000 - i : 760;
        const spread = i < 240 ? 1 : 0;
        frame.push(i * 300_000, c, c + spread, c - spread, c, 10);
      }
      const raw = read(frame, sigmaFeatures) as unknown as SigmaReadings;
      return { ...sigmaGuards(frame.bars, raw), added: sigmaGuards(frame.bars, raw).stochK - raw.stochK };
    };
    // 14 flat bars hold one flat window, 15 two, 16 three
    expect(still(13).added).toBe(0);
    about(still(14).added, 50 / 3, 1e-9);
    about(still(15).added, 100 / 3, 1e-9);
    expect(still(16)).toMatchObject({ added: 50, stochK: 50 });
    expect(still(20)).toMatchObject({ rsi: 0, stochK: 50, mfi: 50 });
  });

  it('reads no volume as no flow', () => {
    const frame = new FeatureFrame(requests);
    for (let i = 0; i < 260; i++) frame.push(i * 300_000, 100 - i / 10, 101, 80 - i / 10, 100 - i / 10, 0);
    const raw = read(frame, sigmaFeatures) as unknown as SigmaReadings;
    expect(sigmaGuards(frame.bars, raw).mfi).toBe(50);
  });

  it('finds nothing to guard in too few bars', () => {
    expect(sigmaGuards(barColumns(4), NEUTRAL)).toBe(NEUTRAL);
  });
});

/** Readings on a grid on which mirroring is exact enough. */
const reading = (min: number, max: number) => fc.integer({ min: min * 64, max: max * 64 }).map((n) => n / 64);
const readings: fc.Arbitrary<SigmaReadings> = fc.record({
  rsi: reading(0, 100),
  stochK: reading(0, 100),
  cci: reading(-400, 400),
  macdHist: reading(-4, 4),
  atr: reading(0, 4),
  ema9: reading(90, 110),
  ema20: reading(90, 110),
  ema50: reading(90, 110),
  ema200: reading(90, 110),
  bbWidth: reading(1, 3),
  bbWidthMedian: reading(1, 3),
  percentB: reading(-1, 2),
  slopePercent: reading(-1, 1),
  obvSlope: reading(-5, 5),
  obvR2: reading(0, 1),
  mfi: reading(0, 100),
  vwap: reading(90, 110),
  z: reading(-4, 4),
  pUp: reading(0, 1),
  gkAnnual: reading(0, 3),
});
const close = reading(90, 110);

/** The same market upside down around a price of 100. */
const mirrored = (r: SigmaReadings): SigmaReadings => ({
  ...r,
  rsi: 100 - r.rsi,
  stochK: 100 - r.stochK,
  cci: -r.cci,
  macdHist: -r.macdHist,
  ema9: 200 - r.ema9,
  ema20: 200 - r.ema20,
  ema50: 200 - r.ema50,
  ema200: 200 - r.ema200,
  percentB: 1 - r.percentB,
  slopePercent: -r.slopePercent,
  obvSlope: -r.obvSlope,
  mfi: 100 - r.mfi,
  vwap: 200 - r.vwap,
  z: -r.z,
  pUp: 1 - r.pUp,
});

describe('laws of Sigma', () => {
  const runs = { numRuns: 1500 };

  it('the market upside down gives the opposite score and the opposite votes', () => {
    fc.assert(
      fc.property(close, readings, (c, r) => {
        const up = scoreV1(c, r)!;
        const down = scoreV1(200 - c, mirrored(r))!;
        expect(down.raw).toBeCloseTo(-up.raw, 12);
        expect(down.factor).toBe(up.factor);
        expect(down.confidence).toBeCloseTo(up.confidence, 12);
        const a = voteV2(c, r);
        const b = voteV2(200 - c, mirrored(r));
        // P(up) of 0.4 and 0.6 are not on the grid, so no threshold can be missed by rounding
        expect([b.longRules, b.shortRules]).toEqual([a.shortRules, a.longRules]);
      }),
      runs,
    );
  });

  it('every member, category and score stays in its range, and an action fits its score', () => {
    fc.assert(
      fc.property(close, readings, (c, r) => {
        const score = scoreV1(c, r)!;
        for (const x of [...Object.values(score.members), ...Object.values(score.categories), score.raw]) {
          expect(Math.abs(x)).toBeLessThanOrEqual(1);
        }
        expect(score.factor).toBeGreaterThanOrEqual(0.5);
        expect(score.factor).toBeLessThanOrEqual(1);
        expect(Math.abs(score.adjusted)).toBeLessThanOrEqual(Math.abs(score.raw));
        expect(score.confidence >= 0 && score.confidence <= 1).toBe(true);
        const wanted = score.adjusted >= 0.2 ? 'ENTER_LONG' : score.adjusted <= -0.2 ? 'ENTER_SHORT' : 'WAIT';
        expect(score.action).toBe(wanted);
        const votes = voteV2(c, r);
        expect(votes.longRules & votes.shortRules).toBe(0);
        expect(votes.long + votes.short).toBeLessThanOrEqual(10);
      }),
      runs,
    );
  });

  it('one undefined or infinite reading makes V1 silent', () => {
    const names = fc.constantFrom(...(Object.keys(NEUTRAL) as (keyof SigmaReadings)[]));
    const bad = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    fc.assert(
      fc.property(close, readings, names, bad, (c, r, name, value) => {
        expect(scoreV1(c, { ...r, [name]: value })).toBeNull();
        expect(scoreV1(value, r)).toBeNull();
      }),
      runs,
    );
  });

  it('more volatility never strengthens a score', () => {
    fc.assert(
      fc.property(close, readings, reading(0, 3), (c, r, more) => {
        const calm = scoreV1(c, r)!;
        const wild = scoreV1(c, { ...r, gkAnnual: r.gkAnnual + more })!;
        expect(Math.abs(wild.adjusted)).toBeLessThanOrEqual(Math.abs(calm.adjusted));
      }),
      runs,
    );
  });
});
