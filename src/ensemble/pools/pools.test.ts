import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, InvariantError } from '#base';
import type { Score } from '#signals';
import { forecast, pool, proposal, score } from '../../../test/support/pool-signals.ts';
import {
  allGatesThenScore,
  countIndependent,
  coverageOf,
  killsAt,
  logOddsPool,
  longOnly,
  majority,
  pointsThatWay,
  proposalPool,
  single,
  weightedSum,
  withQuorum,
} from '../index.ts';

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
