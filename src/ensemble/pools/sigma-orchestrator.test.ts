import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { forecast, pool, score, v1, v2 } from '../../../test/support/pool-signals.ts';
import {
  confirmationOf,
  SIGMA_ORCHESTRATOR,
  sigmaMatrix,
  sigmaOrchestrator,
  sigmaStrength,
} from './sigma-orchestrator.ts';

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
