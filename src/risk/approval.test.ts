import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstrumentId } from '#market';
import { AT, accountOf, exposureOf, factsOf, planOf } from '../../test/laws/fixtures/risk-cases.ts';
import type { AccountSummary } from './account.ts';
import { type JudgeRules, judge, STANDARD_RULES } from './approval.ts';
import { FittedSizes } from './fitted-sizes.ts';
import type { Limit } from './limit.ts';
import { heatLimit } from './limits/heat.ts';
import { riskPerPlanLimit } from './limits/sigma-limits.ts';
import type { Plan } from './plan.ts';

const rulesOf = (riskMax: number, heatMax = 0.06): JudgeRules => ({
  ...STANDARD_RULES,
  limits: [riskPerPlanLimit({ max: riskMax }), heatLimit({ max: heatMax })],
  safetyLayers: [],
});

const judged = (plan: Plan, account: AccountSummary, rules: JudgeRules) =>
  judge({ plan, facts: factsOf(plan), account, breaker: null, at: AT }, rules);

const lotsOf = (plan: Plan, account: AccountSummary, rules: JudgeRules): readonly number[] => {
  const found = judged(plan, account, rules);
  return found.kind === 'approved' ? found.approved.plan.legs.map((leg) => leg.lots) : plan.legs.map(() => 0);
};

/** A book that is almost as hot as it may be, short in BTC; what buys BTC hedges it. */
const hotBook = (riskToStop: number, rho: number): AccountSummary =>
  accountOf({
    exposures: [exposureOf('BTC', { direction: -1, riskToStop })],
    correlation: (a: InstrumentId, b: InstrumentId) => (a === b ? 1 : rho),
  });

/** Hundreds of thousands of lots of one leg on a hedge of few. */
const pair = (fine: number, coarse: number, price: number): Plan =>
  planOf([
    { base: 'ADA', lots: fine, price: 100, stop: 0.01, leverage: 20 },
    { base: 'BTC', lots: coarse, price, stop: 0.01, leverage: 20 },
  ]);

describe('a hedge of few lots under a plan of hundreds of thousands', () => {
  const wanted = pair(192_591, 20, 8_701);
  const account = hotBook(57_000, 0);

  it('is fitted where its next whole lot lies, however many lots of the other leg that takes', () => {
    const loose = lotsOf(wanted, account, rulesOf(0.02));
    const tight = lotsOf(wanted, account, rulesOf(0.006));
    expect(tight[0]).toBeGreaterThan(50_000);
    loose.forEach((lots, i) => {
      expect(lots).toBeGreaterThanOrEqual(tight[i]!);
    });
  });

  it('says in its trace what that took', () => {
    const found = judged(wanted, account, rulesOf(0.02));
    if (found.kind !== 'approved') throw new Error('not approved');
    expect(found.cuts.map((cut) => cut.by)).toEqual(['heat', 'heat']);
    expect(found.reductions.map(({ by }) => by)).toEqual(['heat', 'heat']);
    expect(found.reductions[1]!.reason).toContain('also when reduced');
    const share = found.cuts.reduce((product, cut) => product * cut.factor, 1);
    const kept = found.approved.plan.legs[0]!.lots / wanted.legs[0]!.lots;
    expect(kept).toBeLessThanOrEqual(share);
    expect(kept).toBeGreaterThan(share - 0.001);
  });

  it('asks a bounded number of sizes, and says who objects when none fits', () => {
    let asked = 0;
    const never: Limit = {
      name: 'never',
      check: (plan) => {
        asked += 1;
        const objection = { by: 'never', reason: 'too large' };
        return plan.legs[0]!.lots === wanted.legs[0]!.lots
          ? { kind: 'reduce', share: 0.999, objection }
          : { kind: 'refuse', objection };
      },
    };
    const rules: JudgeRules = { ...rulesOf(1, 1), limits: [never] };
    const found = judged(wanted, account, rules);
    if (found.kind !== 'refused') throw new Error('not refused');
    expect(found.refused.objections[0]!.reason).toBe('too large, also when reduced');
    expect(found.cuts).toEqual([{ by: 'never', factor: 0.999 }]);
    expect(asked).toBeGreaterThan(100);
    expect(asked).toBeLessThan(1_100);
  });

  const cases = fc.record({
    fine: fc.integer({ min: 100_000, max: 900_000 }),
    coarse: fc.integer({ min: 20, max: 400 }),
    price: fc.integer({ min: 1_000, max: 60_000 }),
    risk: fc.double({ min: 57_000, max: 60_000, noNaN: true }),
    rho: fc.double({ min: 0, max: 0.3, noNaN: true }),
    riskMax: fc.double({ min: 0.02, max: 0.2, noNaN: true }),
    tighter: fc.double({ min: 0.3, max: 1, noNaN: true }),
    cooler: fc.double({ min: 0.97, max: 1, noNaN: true }),
  });

  it('is never enlarged by a tighter limit', () => {
    let searched = 0;
    fc.assert(
      fc.property(cases, ({ fine, coarse, price, risk, rho, riskMax, tighter, cooler }) => {
        const plan = pair(fine, coarse, price);
        const book = hotBook(risk, rho);
        const found = judged(plan, book, rulesOf(riskMax));
        if (found.kind === 'approved' && found.reductions.at(-1)?.reason.endsWith('when reduced'))
          searched += 1;
        const kept = lotsOf(plan, book, rulesOf(riskMax));
        for (const rules of [rulesOf(riskMax * tighter), rulesOf(riskMax, 0.06 * cooler)]) {
          lotsOf(plan, book, rules).forEach((lots, i) => {
            expect(lots).toBeLessThanOrEqual(kept[i]!);
          });
        }
      }),
      { numRuns: 1_000 },
    );
    expect(searched).toBeGreaterThan(20);
  });
});

it('a plan without a hedge is cut to the lot', () => {
  const plan = planOf([
    { base: 'ADA', lots: 300_000 },
    { base: 'BTC', lots: 300_000 },
  ]);
  expect(lotsOf(plan, accountOf(), rulesOf(0.03))).toEqual([150_000, 150_000]);
});

describe('the sizes a plan may be fitted to', () => {
  const legs = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 1_000_000 })), {
    minLength: 2,
    maxLength: 3,
  });

  it('are those where a leg has whole steps, each once, falling to nothing', () => {
    fc.assert(
      fc.property(legs, (lots) => {
        const sizes = new FittedSizes(lots);
        const expected = new Set(
          lots.flatMap((n) => {
            const step = Math.ceil(n / 1_024);
            return Array.from({ length: Math.floor(n / step) }, (_, k) => ((k + 1) * step) / n);
          }),
        );
        const walked: number[] = [];
        for (let size = sizes.within(1); size > 0; size = sizes.below(size)) walked.push(size);
        expect(walked).toEqual([...expected].sort((a, b) => b - a));
      }),
      { numRuns: 200 },
    );
  });

  it('do not depend on the share that is asked for', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(legs, share, (lots, s) => {
        const sizes = new FittedSizes(lots);
        const found = sizes.within(s);
        expect(found).toBeLessThanOrEqual(s * (1 + 1e-9) + 1e-9);
        if (found > 0) expect(sizes.within(found)).toBe(found);
        let walked = sizes.within(1);
        while (walked > found) walked = sizes.below(walked);
        expect(walked).toBe(found);
      }),
      { numRuns: 200 },
    );
  });
});
