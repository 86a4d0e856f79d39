import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, captureState, restoreState } from '#base';
import { calibratedProbability } from '#ensemble';
import type { InstrumentId } from '#market';
import type { Signal } from '#signals';
import { fitBins, fitIsotonic, fitPlatt } from './calibration.ts';
import { binShares, driftVerdict, featurePsi, PageHinkley, psi, quantileEdges } from './drift.ts';
import {
  brier,
  expectedCalibrationError,
  logLoss,
  meanBrier,
  meanLogLoss,
  reliability,
} from './proper-scores.ts';
import { type Scorecard, Scorecards } from './scorecard.ts';
import { accuracyWeights, brierWeights } from './weights.ts';

const BTC = 'BTC.X' as InstrumentId;
const ETH = 'ETH.X' as InstrumentId;
const score = (source: string, value: number, horizonMs = 100): Signal => ({
  kind: 'score',
  source,
  value,
  horizonMs,
});
const forecast = (
  source: string,
  probability: number,
  claim: 'up-at-horizon' | 'target-before-stop' | 'resolves-yes' = 'up-at-horizon',
): Signal => ({ kind: 'forecast', source, claim, probability, horizonMs: 100 });

describe('proper scores', () => {
  it('Brier of .8 .6 .3 against 1 0 0 is 0.163333', () => {
    expect(meanBrier([0.8, 0.6, 0.3], [1, 0, 0])).toBeCloseTo(0.163333, 6);
    expect(brier(1, 1)).toBe(0);
    expect(meanBrier([], [])).toBeNaN();
  });

  it('log loss clips at 1e-15', () => {
    expect(logLoss(0.5, 1)).toBeCloseTo(Math.LN2, 12);
    expect(logLoss(0, 1)).toBeCloseTo(-Math.log(1e-15), 9);
    expect(logLoss(1, 0)).toBeCloseTo(-Math.log(1e-15), 1);
    expect(meanLogLoss([0.5, 0.5], [1, 0])).toBeCloseTo(Math.LN2, 12);
  });

  it('calibration error over ten bins', () => {
    expect(expectedCalibrationError([0.05, 0.05, 0.95, 0.95], [0, 0, 1, 1])).toBeCloseTo(0.05, 12);
    expect(expectedCalibrationError([0.8, 0.8], [1, 0])).toBeCloseTo(0.3, 12);
    const bins = reliability([0, 0.1, 1], [0, 0, 1]);
    expect(bins.map((bin) => bin.n)).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(bins[2]!.observed).toBeNaN();
  });
});

describe('scorecards', () => {
  it('score every signal at its horizon, the overruled too', () => {
    const cards = new Scorecards();
    cards.observe(score('a', 0.5), BTC, 0, 100);
    cards.observe(score('b', -1), BTC, 0, 100);
    cards.observe(score('a', -0.5), BTC, 0, 100);
    cards.settle(99, () => 110);
    expect(cards.card('a')!.n).toBe(0);
    cards.settle(100, () => 110);
    expect(cards.card('a')).toMatchObject({ n: 2, hits: 1, hitRate: 0.5, recentHits: 1, recentN: 2 });
    expect(cards.card('a')!.meanReturn).toBeCloseTo(0, 12);
    expect(cards.card('b')!.meanReturn).toBeCloseTo(-0.1, 12);
    expect(cards.card('b')!.returnPerScore).toBeCloseTo(-0.1, 12);
    expect(cards.card('nobody')).toBeNull();
  });

  it('weighs returns by the score', () => {
    const cards = new Scorecards();
    cards.observe(score('a', 1), BTC, 0, 100);
    cards.observe(score('a', -0.5), ETH, 0, 100);
    cards.settle(100, (id) => (id === BTC ? 110 : 120));
    expect(cards.card('a')!.returnPerScore).toBeCloseTo((0.1 - 0.5 * 0.2) / 1.5, 12);
  });

  it('scores forecasts by Brier and log loss, and counts fence-sitters apart', () => {
    const cards = new Scorecards();
    cards.observe(forecast('f', 0.8), BTC, 0, 100);
    cards.observe(forecast('f', 0.5), BTC, 0, 100);
    cards.observe(score('f', 0), BTC, 0, 100);
    cards.settle(100, () => 101);
    expect(cards.card('f')).toMatchObject({ n: 1, hits: 1, neutral: 2, forecasts: 2 });
    expect(cards.card('f')!.brier).toBeCloseTo((0.04 + 0.25) / 2, 12);
    expect(cards.card('f')!.logLoss).toBeCloseTo((-Math.log(0.8) + Math.LN2) / 2, 12);
  });

  it('a return inside the dead zone is a miss for both sides', () => {
    const cards = new Scorecards({ deadZone: 0.0005 });
    for (const value of [1, -1]) cards.observe(score('a', value), BTC, 0, 100);
    cards.settle(100, () => 100.05);
    expect(cards.card('a')).toMatchObject({ n: 2, hits: 0 });
  });

  it('settles by due time whatever the horizons, and tells what was stated and what happened', () => {
    const cards = new Scorecards();
    const heard: [string, number, number][] = [];
    cards.observe(score('long', 1, 1000), BTC, 0, 100);
    cards.observe(score('short', -1, 10), BTC, 5, 100);
    cards.settle(
      500,
      () => 90,
      (...told) => heard.push(told),
    );
    expect(heard).toEqual([['short', -1, 0]]);
    cards.settle(
      1000,
      () => 110,
      (...told) => heard.push(told),
    );
    expect(heard.at(-1)).toEqual(['long', 1, 1]);
    expect(cards.pending).toBe(0);
  });

  it('claims about events wait for them', () => {
    const cards = new Scorecards({ claimsMax: 3 });
    cards.observe(forecast('f', 0.7, 'resolves-yes'), BTC, 1, Number.NaN);
    cards.observe(forecast('f', 0.6, 'target-before-stop'), BTC, 1, 100);
    cards.observe(forecast('f', 0.4, 'target-before-stop'), BTC, 2, 100);
    cards.observe(forecast('f', 0.4, 'resolves-yes'), ETH, 2, 100);
    expect([cards.pending, cards.card('f')!.unscored]).toEqual([3, 1]);
    cards.resolve(BTC, 'target-before-stop', 1, 2);
    expect(cards.card('f')).toMatchObject({ n: 1, hits: 0, forecasts: 1 });
    cards.resolve(BTC, 'resolves-yes', 1);
    expect(cards.card('f')).toMatchObject({ n: 2, hits: 1, forecasts: 2 });
    cards.dropClaims(2);
    expect([cards.pending, cards.card('f')!.unscored]).toEqual([0, 2]);
    expect(cards.card('f')!.meanReturn).toBeNaN();
  });

  it('is bounded, and says what it could not score', () => {
    const cards = new Scorecards({ pendingMax: 2 });
    for (let i = 0; i < 5; i++) cards.observe(score('a', 1), BTC, i, 100);
    cards.observe(score('a', 1), BTC, 0, Number.NaN);
    cards.observe(score('a', Number.NaN), BTC, 0, 100);
    cards.observe(score('a', 1, Number.NaN), BTC, 0, 100);
    expect([cards.pending, cards.card('a')!.unscored]).toEqual([2, 6]);
    cards.settle(1000, () => Number.NaN);
    expect([cards.pending, cards.card('a')!.unscored, cards.card('a')!.n]).toEqual([0, 8, 0]);
  });

  it('settles in the same way as a sorted list would', () => {
    const asked = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 9 })), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(asked, (list) => {
        const cards = new Scorecards({ pendingMax: 100 });
        const naive: { due: number; value: number; order: number }[] = [];
        const got: number[] = [];
        const expected: number[] = [];
        list.forEach(([horizon, step], i) => {
          const at = i * step;
          cards.observe(score('a', i + 1, horizon), BTC, at, 1);
          naive.push({ due: at + horizon, value: i + 1, order: i });
          if (i % 7 !== 0) return;
          cards.settle(
            at,
            () => 1,
            (_, stated) => got.push(stated),
          );
          naive.sort((a, b) => a.due - b.due || a.order - b.order);
          while (naive.length > 0 && naive[0]!.due <= at) expected.push(naive.shift()!.value);
        });
        expect(got).toEqual(expected);
        expect(cards.pending).toBe(naive.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('survives capture and restore', () => {
    const cards = new Scorecards();
    for (let i = 0; i < 20; i++)
      cards.observe(score(`s${i % 3}`, i % 2 ? 1 : -1, 10 + i), i % 2 ? BTC : ETH, i, 100);
    cards.observe(forecast('f', 0.7, 'resolves-yes'), BTC, 1, 100);
    cards.settle(20, () => 101);
    const copy = new Scorecards();
    restoreState(copy, JSON.parse(JSON.stringify(captureState(cards))));
    for (const c of [cards, copy]) {
      c.observe(score('s9', 1), ETH, 30, 100);
      c.settle(500, () => 99);
      c.resolve(BTC, 'resolves-yes', 0);
    }
    expect(copy.cards()).toEqual(cards.cards());
    expect(copy.cards().map((c) => c.source)).toEqual(['f', 's0', 's1', 's2', 's9']);
  });
});

describe('weights', () => {
  const card = (source: string, changes: Partial<Scorecard>): Scorecard => ({
    source,
    n: 0,
    hits: 0,
    hitRate: 0,
    recentHits: 0,
    recentN: 0,
    neutral: 0,
    forecasts: 0,
    brier: Number.NaN,
    logLoss: Number.NaN,
    meanReturn: Number.NaN,
    returnPerScore: Number.NaN,
    unscored: 0,
    ...changes,
  });

  it.each([
    [30, 50, 0.09333],
    [25, 50, 0.08],
    [20, 50, 0.06667],
    [40, 50, 0.12],
    [7, 10, 0.096],
    [0, 0, 0.08],
  ])('%d hits of %d make a base of 0.08 into %d', (recentHits, recentN, weight) => {
    const weights = accuracyWeights({ gemini: 0.08 }, [card('gemini', { recentHits, recentN })]);
    expect(weights.gemini).toBeCloseTo(weight, 5);
  });

  it('clamps, keeps sources that never spoke, and starts unknown ones from 1', () => {
    const cards = [card('bad', { recentHits: 0, recentN: 50 }), card('new', { recentHits: 50, recentN: 50 })];
    const weights = accuracyWeights({ bad: 0.1, silent: 0.3 }, cards);
    expect(weights.bad).toBeCloseTo(0.1 * 0.25, 12);
    expect(weights.silent).toBeCloseTo(0.3, 12);
    expect(weights.new).toBeCloseTo(11 / 6, 12);
  });

  it('Brier skill moves a weight as far as the sample allows', () => {
    const weights = brierWeights({ a: 1, b: 1, c: 1 }, [
      card('a', { forecasts: 50, brier: 0.125 }),
      card('b', { forecasts: 50, brier: 1 }),
    ]);
    expect(weights).toEqual({ a: 1.25, b: 0, c: 1 });
  });
});

describe('calibration', () => {
  const sample = (n: number, truth: (x: number) => number, seed = 7) => {
    const chance = new Chance(seed);
    const stated = Array.from({ length: n }, () => chance.uniform());
    return { stated, happened: stated.map((x) => (chance.happens(truth(x)) ? 1 : 0)) };
  };
  const at = (fit: ReturnType<typeof fitIsotonic>, probability: number) =>
    calibratedProbability(fit!, forecast('s', probability));

  it('needs its minimum sample, and numbers', () => {
    const few = sample(99, (x) => x);
    for (const fit of [fitIsotonic, fitBins]) {
      expect(fit(few)).toBeNull();
      expect(fit(few, { sampleMin: 99 })).not.toBeNull();
      expect(fit({ stated: [Number.NaN], happened: [1] }, { sampleMin: 1 })).toBeNull();
      expect(fit({ stated: [0.5], happened: [] }, { sampleMin: 0 })).toBeNull();
    }
    expect(fitPlatt(few, 'forecast')).toBeNull();
  });

  it('pools adjacent violators', () => {
    const fit = fitIsotonic(
      { stated: [0.1, 0.2, 0.3, 0.4, 0.5], happened: [0, 1, 0, 1, 1] },
      { sampleMin: 5 },
    );
    expect(fit).toEqual({ kind: 'steps', x: [0.1, 0.2, 0.3, 0.4, 0.5], p: [0, 0.5, 0.5, 1, 1] });
  });

  it('gives equal stated values one probability', () => {
    const fit = fitIsotonic({ stated: [0.2, 0.2, 0.2, 0.2], happened: [1, 0, 0, 0] }, { sampleMin: 4 });
    expect(fit).toEqual({ kind: 'steps', x: [0.2], p: [0.25] });
  });

  it.each([
    ['isotonic', fitIsotonic],
    ['bins', fitBins],
    ['Platt', (data: Parameters<typeof fitIsotonic>[0]) => fitPlatt(data, 'forecast')],
  ] as const)('%s finds the truth behind an overconfident source', (_name, fit) => {
    const shrunk = (x: number) => 0.5 + 0.5 * (x - 0.5);
    const fitted = fit(sample(20_000, shrunk));
    for (const x of [0.2, 0.5, 0.8]) expect(at(fitted, x)).toBeCloseTo(shrunk(x), 1);
  });

  it('Platt recovers its own parameters from scores, and stays finite on separable data', () => {
    const fit = fitPlatt(
      sample(50_000, (x) => 1 / (1 + Math.exp(-(2 * x - 1)))),
      'score',
    );
    if (fit?.kind !== 'platt') throw new Error('no fit');
    expect(fit.a).toBeCloseTo(2, 0);
    expect(fit.b).toBeCloseTo(-1, 0);
    const stated = Array.from({ length: 200 }, (_, i) => i / 100 - 1);
    const separable = fitPlatt({ stated, happened: stated.map((x) => (x > 0 ? 1 : 0)) }, 'score');
    expect(separable).toMatchObject({ kind: 'platt' });
    expect(Number.isFinite((separable as { a: number }).a)).toBe(true);
  });

  it('a source that is upside down is flat, not turned round', () => {
    const fit = fitPlatt(
      sample(5_000, (x) => 1 - x),
      'forecast',
    );
    expect(fit).toMatchObject({ kind: 'platt', a: 0 });
    expect(at(fit, 0.9)).toBeCloseTo(0.5, 1);
  });

  it('never falls, whatever the data', () => {
    const data = fc
      .array(fc.tuple(fc.double({ min: 0.001, max: 0.999, noNaN: true }), fc.constantFrom(0, 1)), {
        minLength: 5,
        maxLength: 60,
      })
      .map((rows) => ({ stated: rows.map(([x]) => x), happened: rows.map(([, y]) => y) }));
    fc.assert(
      fc.property(
        data,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (d, p, q) => {
          const [low, high] = [Math.min(p, q), Math.max(p, q)];
          for (const fit of [
            fitIsotonic(d, { sampleMin: 5 }),
            fitBins(d, { sampleMin: 5 }),
            fitPlatt(d, 'forecast', { sampleMin: 5 }),
          ]) {
            const [a, b] = [at(fit, low), at(fit, high)];
            expect(a).toBeLessThanOrEqual(b + 1e-12);
            expect(a).toBeGreaterThanOrEqual(0);
            expect(b).toBeLessThanOrEqual(1);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('isotonic keeps the total: calibrated probabilities sum to what happened', () => {
    const d = sample(500, (x) => x);
    const fit = fitIsotonic(d);
    const sum = d.stated.reduce((total, x) => total + at(fit, x), 0);
    expect(sum).toBeCloseTo(
      d.happened.reduce<number>((total, o) => total + o, 0),
      6,
    );
  });
});

describe('drift', () => {
  it('two bins of .5 .5 against .6 .4 have an index of 0.040547', () => {
    expect(psi([0.5, 0.5], [0.6, 0.4])).toBeCloseTo(0.040547, 6);
    expect(psi([0.5, 0.5], [0.5, 0.5])).toBe(0);
    expect(psi([0.5, 0.5], [1, 0])).toBeCloseTo(0.5 * Math.log(2) - 0.4999 * Math.log(1e-4 / 0.5), 9);
  });

  it.each([
    [0.1, 'stable'],
    [0.1001, 'watch'],
    [0.25, 'watch'],
    [0.2501, 'drift'],
  ])('an index of %d is %s', (index, verdict) => {
    expect(driftVerdict(index)).toBe(verdict);
  });

  it('bins by quantiles of the reference', () => {
    const reference = Array.from({ length: 101 }, (_, i) => i);
    expect(quantileEdges(reference, 4)).toEqual([25, 50, 75]);
    expect(binShares([25, 26, 50, 99], [25, 50, 75])).toEqual([0.25, 0.5, 0, 0.25]);
    expect(featurePsi(reference, reference)).toBe(0);
    expect(
      featurePsi(
        reference,
        reference.map((x) => x + 60),
      ),
    ).toBeGreaterThan(0.25);
  });

  it('Page-Hinkley hears a mean fall and starts again', () => {
    const test = new PageHinkley({ delta: 0.05, lambda: 5 });
    expect(Array.from({ length: 500 }, (_, i) => test.push(i % 2 ? 1.1 : 0.9)).some(Boolean)).toBe(false);
    const copy = new PageHinkley({ delta: 0.05, lambda: 5 });
    restoreState(copy, JSON.parse(JSON.stringify(captureState(test))));
    const alarms = Array.from({ length: 60 }, () => copy.push(0.5));
    expect(alarms.filter(Boolean)).toHaveLength(1);
    expect(test.push(Number.NaN)).toBe(false);
  });
});
