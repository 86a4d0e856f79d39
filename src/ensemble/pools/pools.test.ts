import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, InvariantError } from '#base';
import { defineInstrument } from '#market';
import type { Forecast, Proposal, Score, Signal, View } from '#signals';
import {
  allGatesThenScore,
  confirmationOf,
  countIndependent,
  coverageOf,
  killsAt,
  logOddsPool,
  longOnly,
  majority,
  type Pooled,
  type PoolingRule,
  pointsThatWay,
  proposalPool,
  SIGMA_ORCHESTRATOR,
  type SigmaOrchestratorConfig,
  sigmaMatrix,
  sigmaOrchestrator,
  sigmaStrength,
  single,
  weightedSum,
  withQuorum,
} from '../index.ts';

const view = { at: 0, instrument: defineInstrument({ id: 'A.TEST' }) } as unknown as View;

const score = (source: string, value: number, more: Partial<Score> = {}): Score => ({
  kind: 'score',
  source,
  value,
  horizonMs: 1000,
  ...more,
});
const forecast = (
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
const proposal = (source: string, expectedEdge: number, worstLoss: number): Proposal => ({
  kind: 'proposal',
  source,
  legs: [{ instrument: view.instrument.id, side: 'buy', quantity: 1, limitPrice: null }],
  expectedEdge,
  worstLoss,
});
const pool = (rule: PoolingRule, signals: readonly Signal[], weights = {}): Pooled =>
  rule.pool(signals, view, weights);

function v1(confidence: number, action = 'ENTER_LONG'): Score {
  const value =
    action === 'WAIT' ? 0.1 : ((action === 'ENTER_SHORT' ? -1 : 1) * Math.max(confidence, 0.01)) / 2.5;
  return score('sigma-v1', value, { confidence, detail: { action } });
}
const v2 = (long: number, short: number): Score =>
  score('sigma-v2', (long - short) / 10, { detail: { long, short } });

describe('the sigma matrix', () => {
  // [V1 confidence, supporting, conflicting] -> execute, confidence, row
  it.each<[number, number, number, boolean, number, string]>([
    [0.695313, 7, 1, true, 0.764844, 'V2 confirms'],
    [0.695313, 2, 1, false, 0.347656, 'V2 does not confirm'],
    [0.7209, 2, 1, true, 0.57672, 'V1 acts without V2'],
    // confirmation of exactly 50 % raises, of exactly 30 % leaves
    [0.5, 5, 0, true, 0.55, 'V2 confirms'],
    [0.5, 4, 0, true, 0.5, 'V2 accepts'],
    [0.5, 3, 2, true, 0.5, 'V2 accepts'],
    // cap
    [0.95, 8, 0, true, 1, 'V2 confirms'],
    // confidence of exactly 0.4 is valid, just below is not
    [0.4, 5, 2, true, 0.44, 'V2 confirms'],
    [0.399999, 5, 2, false, 0.1999995, 'V2 does not confirm'],
    // two conflicting rules are allowed, three are not
    [0.6, 7, 2, true, 0.66, 'V2 confirms'],
    [0.6, 7, 3, false, 0.3, 'V2 does not confirm'],
    // exactly 0.7 does not exceed 0.7
    [0.7, 7, 3, false, 0.35, 'V2 does not confirm'],
    [0.700001, 7, 3, true, 0.5600008, 'V1 acts without V2'],
    [0.75, 0, 10, true, 0.6, 'V1 acts without V2'],
  ])(
    'confidence %d with %d for and %d against',
    (confidence, supporting, conflicting, execute, final, row) => {
      const result = sigmaMatrix({ confidence, supporting, conflicting });
      expect(result).toMatchObject({ execute, row });
      expect(Math.abs(result.confidence - final)).toBeLessThanOrEqual(1e-6);
    },
  );

  it('has the row that three of ten rules make impossible', () => {
    const loose = { ...SIGMA_ORCHESTRATOR, supportingMin: 2 };
    expect(sigmaMatrix({ confidence: 0.6, supporting: 2, conflicting: 0 }, loose)).toMatchObject({
      execute: false,
      confidence: 0.3,
      valid: true,
      confirmation: 20,
    });
  });

  it('names strengths and percents', () => {
    expect([0.8, 0.7999, 0.6, 0.5999].map(sigmaStrength)).toEqual(['STRONG', 'NORMAL', 'NORMAL', 'NEUTRAL']);
    expect(confirmationOf(7)).toBe(70);
  });
});

describe('sigma orchestrator', () => {
  const rule = sigmaOrchestrator();

  it('reads support from the side of V1', () => {
    expect(pool(rule, [v1(0.5), v2(7, 1)])).toMatchObject({
      action: 'enter-long',
      rule: 'V2 confirms',
      objections: [],
    });
    expect(pool(rule, [v1(0.5, 'ENTER_SHORT'), v2(1, 7)])).toMatchObject({
      action: 'enter-short',
      rule: 'V2 confirms',
    });
    expect(pool(rule, [v1(0.5, 'ENTER_SHORT'), v2(7, 1)])).toMatchObject({ action: 'wait' });
  });

  it('waits with V1 and says how much is missing', () => {
    const waiting = { ...v1(0.358005, 'WAIT'), value: 0.143202 };
    expect(pool(rule, [waiting, v2(7, 1)])).toEqual({
      action: 'wait',
      confidence: 0.358005,
      probability: null,
      rule: 'V1 waits',
      objections: [
        {
          by: 'sigma-v1',
          reason: 'adjusted score is too small to enter',
          measured: 0.143202,
          needed: 0.2,
          relation: '>=',
          unit: 'score',
        },
      ],
    });
  });

  it('names every condition the confirmation missed', () => {
    const { objections } = pool(rule, [v1(0.39), v2(2, 3)]);
    expect(objections.map((o) => [o.measured, o.relation, o.needed])).toEqual([
      [2, '>=', 3],
      [3, '<=', 2],
      [0.39, '>=', 0.4],
      [0.39, '>', 0.7],
    ]);
    const unconfirmed = sigmaOrchestrator({ supportingMin: 2 });
    expect(pool(unconfirmed, [v1(0.6), v2(2, 0)]).objections[0]).toMatchObject({
      measured: 20,
      needed: 30,
      unit: '%',
    });
  });

  it('takes silence and what it cannot read for a wait', () => {
    for (const signals of [
      [],
      [v2(7, 0)],
      [v1(0.9)],
      [v1(0.9), score('sigma-v2', 0.7)],
      [v1(0.9), v2(Number.NaN, 0)],
      [v1(0.9), v2(7, 4)],
      [v1(0.9), v2(7.5, 0)],
      [{ ...v1(0.9), detail: {} }, v2(7, 0)],
      [{ ...v1(0.9), value: -0.3 }, v2(7, 0)],
    ]) {
      const pooled = pool(rule, signals);
      expect(pooled.action).toBe('wait');
      expect(pooled.objections.length).toBe(1);
    }
  });

  it('refuses other sources, other kinds and impossible numbers', () => {
    expect(() => pool(rule, [v1(0.9), score('rsi', 1)])).toThrow(InputError);
    expect(() => pool(rule, [forecast('sigma-v1', 0.9)])).toThrow(InputError);
    expect(() => sigmaOrchestrator({ supportingMin: 11 })).toThrow(InputError);
    expect(() => sigmaOrchestrator({ acceptedFrom: Number.NaN })).toThrow(InputError);
  });
});

describe('log-odds pool', () => {
  it('gives the printed pool', () => {
    const signals = [forecast('gfs', 0.733), forecast('sport', 0.691), forecast('whale', 0.42)];
    const rule = logOddsPool({ weights: { gfs: 1, sport: 0.8, whale: 0.25 }, longFrom: 0.6 });
    const pooled = pool(rule, signals);
    expect(Math.abs(pooled.probability! - 0.682945)).toBeLessThanOrEqual(1e-6);
    expect(pooled).toMatchObject({ action: 'enter-long', rule: 'pooled probability is high' });
    expect(pooled.confidence).toBeCloseTo(2 * 0.682945 - 1, 5);
    // a learned weight multiplies the base weight
    expect(pool(rule, signals, { sport: 0, whale: 0 }).probability).toBeCloseTo(0.733, 12);
  });

  it('clips certainty, waits between its thresholds and names the nearer one', () => {
    expect(pool(logOddsPool(), [forecast('a', 1)]).probability).toBeCloseTo(0.98, 12);
    const rule = logOddsPool({ longFrom: 0.7 });
    expect(pool(rule, [forecast('a', 0.7)]).action).toBe('enter-long');
    expect(pool(rule, [forecast('a', 0.3)]).action).toBe('enter-short');
    expect(pool(rule, [forecast('a', 0.6)]).objections[0]).toMatchObject({ relation: '>=', needed: 0.7 });
    expect(pool(rule, [forecast('a', 0.4)]).objections[0]).toMatchObject({ relation: '<=' });
    const long = logOddsPool({ longFrom: 0.7, shortTo: null });
    expect(pool(long, [forecast('a', 0.1)])).toMatchObject({ action: 'wait', objections: [{ needed: 0.7 }] });
  });

  it('needs its quorum of weighted sources, one claim, and no open contradiction', () => {
    const rule = logOddsPool({ sourcesMin: 2 });
    expect(pool(rule, [forecast('a', 0.9)]).objections[0]).toMatchObject({ measured: 1, needed: 2 });
    expect(pool(rule, [forecast('a', 0.9), forecast('b', 0.9)], { b: 0 }).action).toBe('wait');
    expect(pool(rule, [])).toMatchObject({ action: 'wait', probability: null });
    expect(() => pool(rule, [forecast('a', 0.9), forecast('b', 0.9, 'resolves-yes')])).toThrow(InputError);
    expect(() => pool(rule, [score('a', 1)])).toThrow(/calibration|pools forecasts/);
    const certain = logOddsPool({ clip: 0 });
    expect(pool(certain, [forecast('a', 1), forecast('b', 0)])).toMatchObject({
      action: 'wait',
      probability: null,
    });
  });

  it('laws: one source returns itself; equal sources return what they say; between the extremes; weights scale', () => {
    const p = fc.double({ min: 0.02, max: 0.98, noNaN: true });
    const w = fc.double({ min: 0.01, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(p, w), { minLength: 1, maxLength: 8 }), w, (parts, scale) => {
        const rule = logOddsPool();
        const signals = parts.map(([probability], i) => forecast(`s${i}`, probability));
        const weights = Object.fromEntries(parts.map(([, weight], i) => [`s${i}`, weight]));
        const scaled = Object.fromEntries(parts.map(([, weight], i) => [`s${i}`, scale * weight]));
        const pooled = pool(rule, signals, weights).probability!;
        expect(pool(rule, [signals[0]!], weights).probability).toBeCloseTo(parts[0]![0], 12);
        expect(pooled).toBeGreaterThanOrEqual(Math.min(...parts.map((x) => x[0])) - 1e-12);
        expect(pooled).toBeLessThanOrEqual(Math.max(...parts.map((x) => x[0])) + 1e-12);
        expect(pool(rule, signals, scaled).probability).toBeCloseTo(pooled, 10);
        const equal = signals.map((s) => forecast(s.source, parts[0]![0]));
        expect(pool(rule, equal, weights).probability).toBeCloseTo(parts[0]![0], 10);
        const opposite = signals.map((s) => forecast(s.source, 1 - s.probability));
        expect(pool(rule, opposite, weights).probability).toBeCloseTo(1 - pooled, 10);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('weighted sum', () => {
  const agents = {
    language: 0.5 / 8,
    news: 0.5 / 8,
    xgb: 0.15,
    micro: 0.15,
    derivatives: 0.1,
    technical: 0.1,
  };

  it('does not divide, and its bounds are inclusive to the rounding of a sum', () => {
    const rule = weightedSum({ weights: { a: 0.1, b: 0.2, c: 0.15 }, enterFrom: 0.2, strongFrom: 0.45 });
    const all = (a: number, b: number, c: number) =>
      pool(rule, [score('a', a), score('b', b), score('c', c)]);
    // 0.1 + 0.2 + 0.15 is 0.45000000000000007 or 0.45 depending on the order
    expect(all(1, 1, 1)).toMatchObject({ action: 'enter-long', rule: 'strong weighted sum' });
    expect(all(-1, -1, -1)).toMatchObject({ action: 'enter-short', rule: 'strong weighted sum' });
    expect(all(0, 1, 0)).toMatchObject({ action: 'enter-long', rule: 'weighted sum', confidence: 0.2 });
    expect(all(0.9, 0.5, 0)).toMatchObject({ action: 'wait' });
    expect(all(0.9, 0.5, 0).objections[0]).toMatchObject({ needed: 0.2, relation: '>=' });
    expect(pool(rule, [score('b', 0.9)]).confidence).toBeCloseTo(0.18, 12);
    // 0.1 + 0.7 is 0.7999999999999999 in binary and 0.8 on paper
    const paper = weightedSum({ weights: { a: 0.1, b: 0.7 }, enterFrom: 0.8 });
    expect(pool(paper, [score('a', 1), score('b', 1)]).action).toBe('enter-long');
    // a learned weight may lift the sum
    expect(pool(rule, [score('b', 0.9)], { b: 1.5 }).action).toBe('enter-long');
  });

  it('divides by what answered where asked to, and needs coverage', () => {
    const weights = {
      ml: 0.2,
      llm: 0.15,
      tf: 0.15,
      bots: 0.1,
      tech: 0.1,
      deriv: 0.1,
      macro: 0.1,
      news: 0.05,
    };
    const x = [0.6, 0.4, 0.5, 0.2, 0.3, -0.2, 0.1, 0.5];
    const names = Object.keys(weights);
    const rule = weightedSum({ weights, enterFrom: 0.3, coverageMin: 0.6, divideBy: 'present' });
    const signals = names.map((name, i) => score(name, x[i]!));
    expect(pool(rule, signals).confidence).toBeCloseTo(0.336842, 6);
    expect(pool(weightedSum({ weights, enterFrom: 0.3 }), signals).confidence).toBeCloseTo(0.32, 12);
    const some = signals.filter((s) => s.source !== 'llm' && s.source !== 'news');
    expect(pool(rule, some).confidence).toBeCloseTo(0.313333, 6);
    expect(
      coverageOf(
        weights,
        some.map((s) => s.source),
      ),
    ).toBeCloseTo(0.789474, 6);
    const few = signals.slice(0, 3);
    expect(pool(rule, few)).toMatchObject({ action: 'wait', rule: 'insufficient coverage' });
    expect(pool(rule, few).objections[0]!.measured).toBeCloseTo(0.5 / 0.95, 12);
  });

  it('refuses sources without a base weight and weights that are none', () => {
    expect(() => pool(weightedSum({ weights: agents, enterFrom: 0.2 }), [score('stranger', 1)])).toThrow(
      InputError,
    );
    expect(() => weightedSum({ weights: {}, enterFrom: 0.2 })).toThrow(InputError);
    expect(() => weightedSum({ weights: { a: Number.NaN }, enterFrom: 0.2 })).toThrow(InputError);
    expect(() => weightedSum({ weights: { a: 1 }, enterFrom: 0 })).toThrow(InputError);
    const rule = weightedSum({ weights: { a: 1 }, enterFrom: 0.2 });
    expect(() => pool(rule, [score('a', 1)], { a: Number.NaN })).toThrow(InvariantError);
    expect(() => pool(rule, [score('a', 1)], { a: -1 })).toThrow(InvariantError);
  });
});

describe('all gates, then the score', () => {
  const dir = (s: Score, d: 1 | -1) => (1 + d * s.value) / 2;
  const rule = allGatesThenScore({
    members: [
      { source: 'regime', weight: 0.25 },
      {
        source: 'xgb',
        weight: 0.6,
        objects: pointsThatWay(0.1),
        strength: (s, d) => (d > 0 ? 0.66 : 0.2) + 0 * s.value,
      },
      { source: 'finbert', weight: 0.15, objects: killsAt(-0.3), strength: dir, optional: true },
    ],
    scoreMin: 0.65,
  });
  const regime = score('regime', 0.7);
  const xgb = score('xgb', 0.3);

  it('ranks what all members let through', () => {
    const pooled = pool(rule, [regime, xgb, score('finbert', 0.1)]);
    // 0.25 x 0.70 + 0.60 x 0.66 + 0.15 x 0.55
    expect(pooled.confidence).toBeCloseTo(0.6535, 12);
    expect(pooled.action).toBe('enter-long');
  });

  it('scales the rest up when an optional member is absent', () => {
    expect(pool(rule, [regime, xgb]).confidence).toBeCloseTo((0.25 * 0.7 + 0.6 * 0.66) / 0.85, 12);
  });

  it('one objection refuses whatever the score is, and all are kept', () => {
    const killed = pool(rule, [regime, xgb, score('finbert', -0.3)]);
    expect(killed.action).toBe('wait');
    expect(killed.objections.map((o) => o.by)).toEqual(['finbert', 'all-gates-then-score']);
    expect(pool(rule, [regime, score('xgb', 0.1)]).objections[0]).toMatchObject({
      by: 'xgb',
      needed: 0.1,
      relation: '>',
    });
    expect(pool(rule, [regime]).objections[0]).toEqual({ by: 'xgb', reason: 'silent' });
    expect(pool(rule, [xgb]).objections[0]).toEqual({ by: 'regime', reason: 'silent' });
    expect(pool(rule, [score('regime', 0), xgb]).action).toBe('wait');
    expect(pool(rule, [score('regime', -0.7), xgb]).objections[0]!.by).toBe('xgb');
  });

  it('needs a leader', () => {
    expect(() => allGatesThenScore({ members: [], scoreMin: 0.5 })).toThrow(InputError);
    const optional = [{ source: 'a', weight: 1, optional: true }];
    expect(() => allGatesThenScore({ members: optional, scoreMin: 0.5 })).toThrow(InputError);
  });
});

describe('majority', () => {
  it('needs more than its share of all who answered', () => {
    const signals = [score('a', 1), score('b', 0.1), score('c', -1), score('d', 0)];
    expect(pool(majority(), signals)).toMatchObject({
      action: 'wait',
      objections: [{ measured: 0.5, relation: '>' }],
    });
    expect(pool(majority(), signals.slice(0, 3))).toMatchObject({ action: 'enter-long' });
    expect(pool(majority({ neutralTo: 0.2 }), signals.slice(0, 3)).action).toBe('wait');
    expect(pool(majority({ votesMin: 3 }), signals.slice(0, 2)).objections[0]).toMatchObject({
      measured: 2,
      needed: 3,
    });
    expect(pool(majority(), signals, { c: 5 })).toMatchObject({ action: 'enter-short' });
    expect(pool(majority(), [])).toMatchObject({ action: 'wait', confidence: 0 });
    expect(() => majority({ shareAbove: 0.4 })).toThrow(InputError);
  });
});

describe('single', () => {
  it('takes one source as it is', () => {
    expect(pool(single(), [score('a', -0.2)])).toMatchObject({ action: 'enter-short', confidence: 0.2 });
    expect(pool(single(), [score('a', 0)])).toMatchObject({
      action: 'wait',
      objections: [{ relation: '>' }],
    });
    expect(pool(single({ enterFrom: 0.3 }), [score('a', 0.2)]).objections[0]).toMatchObject({
      measured: 0.2,
      needed: 0.3,
    });
    expect(pool(single(), []).action).toBe('wait');
    expect(pool(single({ takes: 'forecast' }), [forecast('a', 0.4)])).toMatchObject({
      action: 'enter-short',
      probability: 0.4,
    });
    expect(pool(single({ takes: 'forecast' }), [forecast('a', 0.52)])).toMatchObject({
      action: 'wait',
      probability: 0.52,
    });
    const chosen = proposal('a', 3, 1);
    expect(pool(single({ takes: 'proposal' }), [chosen])).toMatchObject({
      action: 'propose',
      proposal: chosen,
    });
  });

  it('does not choose among several', () => {
    expect(() => pool(single(), [score('a', 1), score('b', 1)])).toThrow(InputError);
    expect(pool(single({ source: 'b' }), [score('a', 1), score('b', -1)]).action).toBe('enter-short');
    expect(() => pool(single(), [forecast('a', 1)])).toThrow(InputError);
  });
});

describe('proposals', () => {
  it('takes the best edge per worst loss', () => {
    const best = proposal('b', 3, 2);
    const signals = [proposal('a', 5, 10), best, proposal('c', -1, 0.1)];
    expect(pool(proposalPool(), signals)).toMatchObject({
      action: 'propose',
      proposal: best,
      confidence: 0.6,
    });
    expect(pool(proposalPool(), signals, { b: 0.1 }).proposal?.source).toBe('a');
    expect(pool(proposalPool({ ratioMin: 2 }), signals).objections[0]).toMatchObject({
      measured: 1.5,
      needed: 2,
    });
    expect(pool(proposalPool(), [proposal('c', 0, 1)]).rule).toBe('no proposal has an edge');
    expect(pool(proposalPool(), []).rule).toBe('nobody proposes');
  });

  it('a sure profit comes first, then the larger one, then the name', () => {
    const sure = [proposal('y', 1, 0), proposal('z', 2, 0), proposal('x', 100, 1)];
    expect(pool(proposalPool(), sure).proposal?.source).toBe('z');
    expect(pool(proposalPool(), [proposal('b', 1, 1), proposal('a', 1, 1)]).proposal?.source).toBe('a');
  });
});

describe('wrappers', () => {
  it('a long-only desk closes where it would go short', () => {
    expect(pool(longOnly(single()), [score('a', -1)]).action).toBe('exit');
    expect(pool(longOnly(single()), [score('a', 1)]).action).toBe('enter-long');
  });

  it('a quorum counts independent sources behind the direction', () => {
    const rule = withQuorum(logOddsPool({ longFrom: 0.6 }), {
      min: 2,
      groups: { gfs: 'noaa', hrrr: 'noaa' },
    });
    expect(pool(rule, [forecast('gfs', 0.8), forecast('hrrr', 0.8)])).toMatchObject({
      action: 'wait',
      objections: [{ by: 'quorum', measured: 1, needed: 2 }],
    });
    expect(pool(rule, [forecast('gfs', 0.8), forecast('nws', 0.8)]).action).toBe('enter-long');
    expect(pool(rule, [forecast('gfs', 0.9), forecast('nws', 0.45)]).objections[0]!.by).toBe('quorum');
    expect(pool(rule, [forecast('gfs', 0.5)]).objections[0]!.by).toBe('log-odds');
    const edge = withQuorum(logOddsPool({ longFrom: 0.6 }), {
      min: 2,
      supports: (s) => s.kind === 'forecast' && s.probability - 0.7 >= 0.05,
    });
    expect(pool(edge, [forecast('a', 0.8), forecast('b', 0.72)]).action).toBe('wait');
  });

  it('linked groups count as two only while they agree', () => {
    const linked = [{ a: 'source gfs', b: 'source nws', within: 0.2 }];
    const count = (a: number, b: number) =>
      countIndependent([forecast('gfs', a), forecast('nws', b)], { linked });
    expect(count(0.7, 0.5)).toBe(2);
    // 0.9 - 0.7 is more than 0.2 in binary
    expect(count(0.9, 0.7)).toBe(2);
    expect(count(0.7, 0.49)).toBe(1);
    expect(countIndependent([], { linked })).toBe(0);
    const groups = { gfs: 'GFS', nws: 'NWS' };
    const named = { groups, linked: [{ a: 'GFS', b: 'NWS', within: 0.2 }] };
    expect(countIndependent([forecast('gfs', 0.9), forecast('nws', 0.4), forecast('x', 0.4)], named)).toBe(2);
  });
});

describe('laws of every pooling rule', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const value = fc.double({ min: -1, max: 1, noNaN: true });
  const weights = fc.dictionary(fc.constantFrom(...names), fc.double({ min: 0, max: 3, noNaN: true }));
  const base = { a: 0.3, b: 0.25, c: 0.2, d: 0.15, e: 0.1 };
  const ofScores: PoolingRule[] = [
    weightedSum({ weights: base, enterFrom: 0.2 }),
    weightedSum({ weights: base, enterFrom: 0.2, divideBy: 'present' }),
    majority(),
    allGatesThenScore({
      members: names.map((source) => ({ source, weight: 1, optional: source !== 'a' })),
      scoreMin: 0.2,
    }),
    withQuorum(majority(), { min: 2 }),
    longOnly(majority()),
  ];
  const answers = fc
    .subarray(names, { minLength: 0 })
    .chain((present) =>
      fc.tuple(
        fc.constant(present),
        fc.array(value, { minLength: present.length, maxLength: present.length }),
        fc.infiniteStream(fc.nat()),
      ),
    );

  function shuffled<T>(list: readonly T[], chance: Iterator<number>): T[] {
    const keyed = list.map((item) => [chance.next().value as number, item] as const);
    return keyed.sort((x, y) => x[0] - y[0]).map(([, item]) => item);
  }

  it('does not depend on the order of answers, and states numbers in their ranges', () => {
    fc.assert(
      fc.property(answers, weights, ([present, values, chance], learned) => {
        const scores = present.map((name, i) => score(name, values[i]!));
        const forecasts = present.map((name, i) => forecast(name, (values[i]! + 1) / 2));
        const proposals = present.map((name, i) =>
          proposal(name, values[i]!, Math.abs(values[(i + 1) % values.length]!)),
        );
        const cases: [PoolingRule, Signal[]][] = [
          ...ofScores.map((rule): [PoolingRule, Signal[]] => [rule, scores]),
          [logOddsPool(), forecasts],
          [proposalPool(), proposals],
        ];
        for (const [rule, signals] of cases) {
          const pooled = pool(rule, signals, learned);
          expect(pool(rule, shuffled(signals, chance), learned)).toEqual(pooled);
          expect(pooled.confidence >= 0 && pooled.confidence <= 1).toBe(true);
          expect(pooled.probability === null || (pooled.probability >= 0 && pooled.probability <= 1)).toBe(
            true,
          );
          expect(pooled.objections.length > 0).toBe(pooled.action === 'wait');
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('turned signals give the turned action', () => {
    const turned = { 'enter-long': 'enter-short', 'enter-short': 'enter-long', wait: 'wait' } as Record<
      string,
      string
    >;
    fc.assert(
      fc.property(answers, weights, ([present, values], learned) => {
        for (const rule of ofScores.slice(0, 5)) {
          const up = pool(
            rule,
            present.map((n, i) => score(n, values[i]!)),
            learned,
          );
          const down = pool(
            rule,
            present.map((n, i) => score(n, -values[i]!)),
            learned,
          );
          expect(down.action).toBe(turned[up.action]);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('the orchestrator never gives an entry more than 1.1 times the confidence of V1, nor one without it', () => {
    const changes: Partial<SigmaOrchestratorConfig> = {};
    const confidence = fc.double({ min: 0, max: 1, noNaN: true });
    const action = fc.constantFrom('ENTER_LONG', 'ENTER_SHORT', 'WAIT');
    fc.assert(
      fc.property(confidence, action, fc.nat(10), fc.nat(10), (c, a, long, short) => {
        const pooled = pool(sigmaOrchestrator(changes), [v1(c, a), v2(long, short)]);
        expect(pooled.confidence).toBeLessThanOrEqual(Math.min(1, 1.1 * c) + 1e-12);
        if (a === 'WAIT' || long + short > 10) expect(pooled.action).toBe('wait');
        else if (pooled.action !== 'wait')
          expect(pooled.action).toBe(a === 'ENTER_LONG' ? 'enter-long' : 'enter-short');
        expect(pool(sigmaOrchestrator(changes), [v2(long, short), v1(c, a)])).toEqual(pooled);
      }),
      { numRuns: 1000 },
    );
  });
});
