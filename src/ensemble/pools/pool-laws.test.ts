import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signal } from '#signals';
import { forecast, pool, proposal, score, v1, v2 } from '../../../test/support/pool-signals.ts';
import {
  allGatesThenScore,
  logOddsPool,
  longOnly,
  majority,
  type PoolingRule,
  proposalPool,
  type SigmaOrchestratorConfig,
  sigmaOrchestrator,
  weightedSum,
  withQuorum,
} from '../index.ts';

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
