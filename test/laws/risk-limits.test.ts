import { describe, expect, it } from 'vitest';
import { captureState, restoreState } from '#base';
import type { Objection } from '#ensemble';
import { defineInstrument, type InstrumentId } from '#market';
import {
  type Approved,
  approveShadow,
  CircuitBreaker,
  consume,
  correlatedGroupLimit,
  correlatedGroups,
  heat,
  heatLimit,
  isApproved,
  type JudgeRequest,
  type JudgeRules,
  judge,
  type Limit,
  type LimitVerdict,
  type Plan,
  platformGuard,
  portfolioLimits,
  RiskDesk,
  readReviewAnswer,
  STANDARD_RULES,
  safetyLayers,
  sectorLimit,
  singleAssetLimit,
  sumPortfolios,
} from '#risk';
import {
  AT,
  accountOf,
  bookOf,
  EQUITY,
  exposureOf,
  factsOf,
  idOf,
  instrumentOf,
  type LegSpec,
  planOf,
} from './fixtures/risk-cases.ts';

const check = (limit: Limit, plan: Plan, account = accountOf()): LimitVerdict =>
  limit.check(plan, factsOf(plan), account);
const share = (verdict: LimitVerdict) =>
  verdict.kind === 'pass' ? 1 : verdict.kind === 'reduce' ? verdict.share : null;

/** Margin of `percent` of equity at price 100 and leverage 10: lots of 0.001. */
const lotsForMargin = (percent: number) => percent * 1000 * 10;
const margin = (percent: number) => (EQUITY * percent) / 100;

describe('concentration', () => {
  it.each([
    [40, 1],
    [40.01, 40 / 40.01],
    [80, 0.5],
  ])('a single asset of %d %% keeps %d', (percent, kept) => {
    const verdict = check(singleAssetLimit(), planOf([{ base: 'BTC', lots: lotsForMargin(percent) }]));
    expect(share(verdict)).toBeCloseTo(kept, 9);
  });

  it('counts what is held in the same underlying, on whatever side', () => {
    const account = accountOf({ exposures: [exposureOf('BTC', { margin: margin(30), direction: -1 })] });
    const wanted = planOf([{ base: 'BTC', lots: lotsForMargin(20) }]);
    expect(share(check(singleAssetLimit(), wanted, account))).toBeCloseTo(0.5, 9);
    const full = accountOf({ exposures: [exposureOf('BTC', { margin: margin(40) })] });
    expect(check(singleAssetLimit(), wanted, full).kind).toBe('refuse');
    const other = accountOf({ exposures: [exposureOf('ETH', { margin: margin(40) })] });
    expect(check(singleAssetLimit(), wanted, other).kind).toBe('pass');
  });

  it('a correlated group holds 60 %, connected through a third', () => {
    const rho = (pair: Record<string, number>) => (a: InstrumentId, b: InstrumentId) =>
      pair[
        [a, b]
          .map((id) => instrumentOf(id).base)
          .sort()
          .join('')
      ] ?? 0;
    const exposures = [exposureOf('ETH', { margin: margin(30) }), exposureOf('SOL', { margin: margin(20) })];
    const wanted = planOf([{ base: 'BTC', lots: lotsForMargin(20) }]);
    const chained = accountOf({ exposures, correlation: rho({ BTCETH: 0.7, ETHSOL: 0.9 }) });
    expect(share(check(correlatedGroupLimit(), wanted, chained))).toBeCloseTo(0.5, 9);
    const apart = accountOf({ exposures, correlation: rho({ BTCETH: 0.6999, ETHSOL: 0.9 }) });
    expect(check(correlatedGroupLimit(), wanted, apart).kind).toBe('pass');
    const equal = planOf([{ base: 'BTC', lots: lotsForMargin(10) }]);
    expect(check(correlatedGroupLimit(), equal, chained).kind).toBe('pass');
  });

  it('groups by underlying even across venues, and refuses an unknown correlation', () => {
    const nodes = [
      { instrument: idOf('BTC'), underlying: 'BTC' },
      { instrument: 'BTCUSD.Y' as InstrumentId, underlying: 'BTC' },
      { instrument: idOf('XRP'), underlying: 'XRP' },
    ];
    expect(correlatedGroups(nodes, () => 0, 0.7)).toEqual([0, 0, 1]);
    expect(correlatedGroups(nodes, () => Number.NaN, 0.7)).toBeNull();
    const account = accountOf({ exposures: [exposureOf('ETH')], correlation: () => Number.NaN });
    expect(check(correlatedGroupLimit(), planOf([{ base: 'BTC', lots: 10 }]), account).kind).toBe('refuse');
  });

  it('a sector holds 50 %', () => {
    const account = accountOf({ exposures: [exposureOf('ETH', { margin: margin(40) })] });
    expect(share(check(sectorLimit(), planOf([{ base: 'SOL', lots: lotsForMargin(10) }]), account))).toBe(1);
    expect(
      share(check(sectorLimit(), planOf([{ base: 'SOL', lots: lotsForMargin(20) }]), account)),
    ).toBeCloseTo(0.5, 9);
    expect(share(check(sectorLimit(), planOf([{ base: 'BTC', lots: lotsForMargin(20) }]), account))).toBe(1);
  });
});

describe('heat', () => {
  const rho = () => 0.85;
  it('BTC 2 % and ETH 2 % long are 3.847077 %, BTC long and ETH short 1.095445 %', () => {
    const long = [
      { instrument: idOf('BTC'), weight: 0.02 },
      { instrument: idOf('ETH'), weight: 0.02 },
    ];
    expect(100 * heat(long, rho)).toBeCloseTo(3.847077, 6);
    expect(100 * heat([long[0]!, { ...long[1]!, weight: -0.02 }], rho)).toBeCloseTo(1.095445, 6);
  });

  it('passes at 6 % and reduces exactly to it above', () => {
    // a lot of 0.001 at 100 with a stop 1 % away risks 0.1 cent: 600,000 lots risk 6 % of 10,000
    expect(check(heatLimit(), planOf([{ base: 'BTC', lots: 600_000 }])).kind).toBe('pass');
    expect(share(check(heatLimit(), planOf([{ base: 'BTC', lots: 800_000 }])))).toBeCloseTo(0.75, 9);
    const held = accountOf({
      exposures: [exposureOf('ETH', { riskToStop: 0.03 * EQUITY })],
      correlation: rho,
    });
    const verdict = check(heatLimit(), planOf([{ base: 'BTC', lots: 600_000 }]), held);
    const w = 0.06 * share(verdict)!;
    expect(Math.sqrt(w * w + 2 * 0.85 * w * 0.03 + 0.03 ** 2)).toBeCloseTo(0.06, 12);
  });

  it('lets a hedge through that cools, and refuses what heats a hot book', () => {
    const hot = accountOf({
      exposures: [exposureOf('ETH', { riskToStop: 0.08 * EQUITY })],
      correlation: rho,
    });
    expect(check(heatLimit(), planOf([{ base: 'BTC', lots: 10 }]), hot).kind).toBe('refuse');
    expect(check(heatLimit(), planOf([{ base: 'BTC', side: 'sell', lots: 600_000 }]), hot).kind).toBe('pass');
    // far too large a hedge is cut back to where it still fits
    const verdict = check(heatLimit(), planOf([{ base: 'BTC', side: 'sell', lots: 2_000_000 }]), hot);
    const w = -0.2 * share(verdict)!;
    expect(Math.sqrt(w * w + 2 * 0.85 * w * 0.08 + 0.08 ** 2)).toBeCloseTo(0.06, 12);
    // too small a hedge does not help
    expect(check(heatLimit(), planOf([{ base: 'BTC', side: 'sell', lots: 100_000 }]), hot).kind).toBe(
      'refuse',
    );
  });
});

describe('safety layers', () => {
  const verdicts = (leg: LegSpec, changes = {}, config = {}) => {
    const plan = planOf([leg]);
    const account = accountOf(changes);
    return safetyLayers(config).map((layer) => layer.check(plan, factsOf(plan), account).kind === 'pass');
  };
  const SMALL: LegSpec = { base: 'BTC', lots: 100 };

  it('are five, in the sheet order', () => {
    expect(safetyLayers().map((layer) => layer.name)).toEqual([
      'symbol',
      'leverage',
      'position-size',
      'balance',
      'daily-loss',
    ]);
    expect(verdicts(SMALL)).toEqual([true, true, true, true, true]);
  });

  it('1 the list', () => {
    expect(verdicts(SMALL, {}, { allowed: ['ETH'] })[0]).toBe(false);
    expect(verdicts(SMALL, {}, { allowed: ['BTCUSDT.X'] })[0]).toBe(true);
    expect(verdicts(SMALL, {}, { allowed: null })[0]).toBe(true);
  });

  it('2 leverage of 20 and not more', () => {
    expect(verdicts({ ...SMALL, leverage: 20 })[1]).toBe(true);
    expect(verdicts({ ...SMALL, leverage: 20.5 })[1]).toBe(false);
  });

  it('3 risk of 2 % and margin of 40 %, and not more', () => {
    expect(verdicts({ base: 'BTC', lots: 200_000 })[2]).toBe(true);
    expect(verdicts({ base: 'BTC', lots: 200_001 })[2]).toBe(false);
    expect(verdicts({ base: 'BTC', lots: 400_000, stop: 0.001 })[2]).toBe(true);
    expect(verdicts({ base: 'BTC', lots: 400_001, stop: 0.001 })[2]).toBe(false);
    const plan = { ...planOf([SMALL]), legs: planOf([SMALL]).legs.map((leg) => ({ ...leg, lots: 0 })) };
    expect(safetyLayers()[2]!.check(plan, factsOf(planOf([SMALL])), accountOf()).kind).toBe('refuse');
  });

  it('4 margin and two fees fit the free balance', () => {
    const facts = factsOf(planOf([SMALL]));
    const needed = facts.margin + 2 * facts.fee;
    expect(verdicts(SMALL, { freeBalance: needed })[3]).toBe(true);
    expect(verdicts(SMALL, { freeBalance: needed - 0.01 })[3]).toBe(false);
  });

  it('5 a day loss below 5 %', () => {
    expect(verdicts(SMALL, { equity: 0.9501 * EQUITY })[4]).toBe(true);
    expect(verdicts(SMALL, { equity: 0.95 * EQUITY })[4]).toBe(false);
    expect(verdicts(SMALL, { equity: Number.NaN })[4]).toBe(false);
  });
});

describe('platform guard', () => {
  const part = (equity: number) => ({ equity, equityAtDayStart: 100, margin: 30 });
  const guarded = (equities: readonly number[], config = {}) => {
    const platform = sumPortfolios(equities.map(part), 1e-4);
    return check(platformGuard(config), planOf([{ base: 'BTC', lots: 1_000_000 }]), accountOf({ platform }));
  };
  it('sums portfolios and refuses from -5 % on', () => {
    expect(guarded([80, 110.1]).kind).toBe('pass');
    expect(guarded([80, 110]).kind).toBe('refuse');
    expect(guarded([Number.NaN, 100]).kind).toBe('refuse');
    expect(check(platformGuard(), planOf([{ base: 'BTC', lots: 1 }])).kind).toBe('refuse');
  });
  it('reduces to its margin cap', () => {
    // 60 held and 100 wanted on 200
    expect(share(guarded([100, 100], { marginMax: 0.55 }))).toBeCloseTo(0.5, 9);
  });
});

const RULES: JudgeRules = { limits: portfolioLimits(), safetyLayers: safetyLayers(), ...STANDARD_RULES };
const request = (plan: Plan, changes: Partial<JudgeRequest> = {}): JudgeRequest => ({
  plan,
  facts: factsOf(plan),
  account: accountOf(),
  breaker: null,
  at: AT,
  ...changes,
});
const objections = (found: ReturnType<typeof judge>): readonly Objection[] =>
  found.kind === 'refused' ? found.refused.objections : [];
const lotsOf = (found: ReturnType<typeof judge>) =>
  found.kind === 'approved' ? found.approved.plan.legs.map((leg) => leg.lots) : null;

describe('judge', () => {
  it('approves what fits, as it is', () => {
    const plan = planOf([{ base: 'BTC', lots: 1000 }]);
    const found = judge(request(plan), RULES);
    expect(lotsOf(found)).toEqual([1000]);
    expect(found).toMatchObject({ cuts: [], reductions: [] });
    expect(found.layers.map((layer) => layer.objection)).toEqual([null, null, null, null, null]);
  });

  it('reduces to fit, records the cut, and shrinks worst loss and unhedged amount with it', () => {
    const plan = planOf([{ base: 'BTC', lots: 300_000 }], { worstLoss: 30_001, unhedgedMax: 101 });
    const found = judge(request(plan), RULES);
    expect(lotsOf(found)).toEqual([200_000]);
    expect(found.cuts.map((cut) => cut.by)).toEqual(['risk-per-plan']);
    expect(found.cuts[0]!.factor).toBeCloseTo(2 / 3, 12);
    expect(found.reductions[0]).toMatchObject({ by: 'risk-per-plan', needed: 0.02, relation: '<=' });
    if (found.kind !== 'approved') throw new Error('not approved');
    expect(found.approved.plan).toMatchObject({ worstLoss: 20_001, unhedgedMax: 67 });
  });

  it('refuses below a quarter of what was wanted, passes at a quarter', () => {
    expect(lotsOf(judge(request(planOf([{ base: 'BTC', lots: 800_000 }])), RULES))).toEqual([200_000]);
    const found = judge(request(planOf([{ base: 'BTC', lots: 800_008 }])), RULES);
    expect(objections(found)[0]).toMatchObject({ by: 'fitted-size', needed: 0.25 });
    expect(objections(found).map((o) => o.by)).toContain('risk-per-plan');
  });

  it('refuses what falls below the venue minimum', () => {
    const coarse = defineInstrument({ id: 'BTCUSDT.X', minLots: 250_000, minNotional: 0 });
    const plan = planOf([{ base: 'BTC', lots: 300_000 }]);
    const facts = { ...factsOf(plan), instrumentOf: () => coarse };
    expect(objections(judge(request(plan, { facts }), RULES))[0]).toMatchObject({ by: 'venue-minimum' });
    const costly = defineInstrument({
      id: 'BTCUSDT.X',
      minNotional: 10 ** 15,
      tick: coarse.lot,
      lot: { units: 1, scale: 3 },
    });
    const poor = { ...factsOf(plan), instrumentOf: () => costly };
    expect(objections(judge(request(plan, { facts: poor }), RULES))[0]).toMatchObject({
      by: 'venue-minimum',
      unit: 'minor units',
    });
  });

  it('logs every safety layer and blocks on the first', () => {
    const plan = planOf([{ base: 'ADA', lots: 1000, leverage: 25 }]);
    const rules = { ...RULES, safetyLayers: safetyLayers({ allowed: ['BTC'] }) };
    const found = judge(request(plan), rules);
    expect(objections(found).map((o) => o.by)).toEqual(['symbol']);
    expect(found.layers.map((l) => [l.layer, l.objection === null])).toEqual([
      ['symbol', false],
      ['leverage', false],
      ['position-size', true],
      ['balance', true],
      ['daily-loss', true],
    ]);
  });

  it('asks the breaker about entries only', () => {
    const breaker = new CircuitBreaker();
    breaker.monitor('severe', AT);
    const entry = planOf([{ base: 'BTC', lots: 1000 }]);
    expect(objections(judge(request(entry, { breaker }), RULES))[0]!.by).toBe('breaker');
    const exit: Plan = {
      ...entry,
      purpose: 'exit',
      legs: entry.legs.map((l) => ({ ...l, side: 'sell', reduceOnly: true })),
    };
    expect(lotsOf(judge(request(exit, { breaker }), RULES))).toEqual([1000]);
    breaker.critical('kill-command', AT);
    expect(objections(judge(request(exit, { breaker }), RULES))[0]!.by).toBe('breaker');
    expect(lotsOf(judge(request(exit, { breaker, manual: true }), RULES))).toEqual([1000]);
  });

  it('lets exits pass every limit, but only when they reduce', () => {
    const account = accountOf({
      exposures: [exposureOf('BTC', { lots: 9_000_000 })],
      equity: -5,
      ratesFresh: false,
    });
    const entry = planOf([{ base: 'BTC', side: 'sell', lots: 9_000_000 }], {
      purpose: 'unwind',
      confidence: Number.NaN,
    });
    const reducing: Plan = { ...entry, legs: entry.legs.map((l) => ({ ...l, reduceOnly: true })) };
    expect(lotsOf(judge(request(reducing, { account }), RULES))).toEqual([9_000_000]);
    expect(objections(judge(request(entry, { account }), RULES))[0]!.by).toBe('reduce-only');
    const adding: Plan = { ...reducing, legs: reducing.legs.map((l) => ({ ...l, side: 'buy' })) };
    expect(objections(judge(request(adding, { account }), RULES))[0]!.by).toBe('reduce-only');
  });

  it('judges only the opening part of a reversal', () => {
    const account = accountOf({
      exposures: [exposureOf('BTC', { direction: -1, lots: 50_000, margin: margin(39) })],
    });
    const plan = planOf([{ base: 'BTC', lots: 350_000 }], { purpose: 'reverse' });
    const facts = {
      ...factsOf(plan),
      riskToStop: 30_000,
      legs: factsOf(plan).legs!.map((l) => ({ ...l, riskToStop: 30_000 })),
    };
    expect(lotsOf(judge(request(plan, { account, facts }), RULES))).toEqual([250_000]);
    const closingOnly = planOf([{ base: 'BTC', lots: 50_000 }], { purpose: 'reverse' });
    expect(objections(judge(request(closingOnly, { account }), RULES))[0]!.by).toBe('venue-minimum');
  });

  it('shares totals out among legs when nobody states them', () => {
    const plan = planOf([
      { base: 'BTC', lots: 100_000 },
      { base: 'ETH', lots: 300_000 },
    ]);
    const { legs: _legs, ...facts } = factsOf(plan);
    const account = accountOf({ exposures: [exposureOf('ETH', { margin: margin(25) })] });
    const rules = { ...RULES, limits: [singleAssetLimit()], safetyLayers: [] };
    expect(lotsOf(judge(request(plan, { facts, account }), rules))).toEqual([50_000, 150_000]);
  });

  it('refuses a hedge that another limit made too small', () => {
    const rho = () => 0.85;
    const account = accountOf({
      exposures: [exposureOf('ETH', { riskToStop: 0.08 * EQUITY })],
      correlation: rho,
    });
    const plan = planOf([{ base: 'BTC', side: 'sell', lots: 600_000 }]);
    const halving: Limit = {
      name: 'halving',
      check: (p) =>
        p.legs[0]!.lots <= 160_000
          ? { kind: 'pass' }
          : { kind: 'reduce', share: 0.26, objection: { by: 'halving', reason: 'half' } },
    };
    const rules = { ...RULES, limits: [heatLimit(), halving], safetyLayers: [] };
    expect(objections(judge(request(plan, { account }), rules))[0]).toMatchObject({ by: 'heat' });
  });

  it.each([Number.NaN, 1.5, -0.1, Number.POSITIVE_INFINITY])(
    'refuses a limit that asks for a share of %d',
    (bad) => {
      const broken: Limit = {
        name: 'broken',
        check: () => ({ kind: 'reduce', share: bad, objection: { by: 'broken', reason: '' } }),
      };
      const found = judge(request(planOf([{ base: 'BTC', lots: 1000 }])), { ...RULES, limits: [broken] });
      expect(objections(found)[0]!.by).toBe('broken');
    },
  );

  it('refuses what has expired and stale rates', () => {
    const plan = planOf([{ base: 'BTC', lots: 1000 }]);
    expect(objections(judge(request(plan, { at: plan.expiresAt }), RULES))[0]!.by).toBe('plan');
    const account = accountOf({ ratesFresh: false });
    expect(objections(judge(request(plan, { account }), RULES))[0]!.by).toBe('stale-rates');
  });
});

const approvedOf = (found: { kind: string }): Approved => {
  if (found.kind !== 'approved') throw new Error('not approved');
  return (found as unknown as { approved: Approved }).approved;
};

describe('an approval', () => {
  const fresh = () => approvedOf(judge(request(planOf([{ base: 'BTC', lots: 1000 }])), RULES));

  it('is used once', () => {
    const approved = fresh();
    expect(isApproved(approved)).toBe(true);
    expect(consume(approved, AT)).toMatchObject({ kind: 'plan', plan: { id: 'plan-1' } });
    expect(isApproved(approved)).toBe(false);
    expect(() => consume(approved, AT)).toThrow(/unused approval/);
  });

  it('ends with the approval time or the plan, whichever is sooner', () => {
    const approved = fresh();
    expect(approved.approvedUntil).toBe(AT + 60_000);
    expect(consume(approved, AT + 60_001)).toMatchObject({ kind: 'refused' });
    const short = approvedOf(
      judge(request(planOf([{ base: 'BTC', lots: 1 }])), { ...RULES, approvalMs: 10 }),
    );
    expect(short.approvedUntil).toBe(AT + 10);
    expect(consume(short, AT + 10).kind).toBe('plan');
  });

  it('cannot be forged, copied or changed', () => {
    const approved = fresh();
    const plan = planOf([{ base: 'BTC', lots: 1000 }]);
    for (const forged of [plan, { ...approved }, structuredClone(approved), null, 'approved', { plan }]) {
      expect(() => consume(forged as never, AT)).toThrow(/unused approval/);
    }
    expect(Object.isFrozen(approved)).toBe(true);
    expect(Object.isFrozen(approved.plan.legs)).toBe(true);
    expect(() => Object.assign(approved.plan.legs[0]!, { lots: 9e9 })).toThrow();
    expect(() => Object.assign(approved.plan.legs[0]!.protection!, { stopTicks: 1 })).toThrow();
  });

  it('of a shadow does not work for a real lane, nor the other way round', () => {
    const shadow = approveShadow(planOf([{ base: 'BTC', lots: 1000 }]), AT, 1000);
    expect(() => consume(shadow, AT)).toThrow(/other lane/);
    expect(consume(shadow, AT, 'shadow').kind).toBe('plan');
    expect(() => consume(fresh(), AT, 'shadow')).toThrow(/other lane/);
  });
});

describe('review', () => {
  const desk = (changes = {}) =>
    new RiskDesk({ limits: portfolioLimits(), safetyLayers: safetyLayers(), reviewMs: 10_000, ...changes });
  const now = (changes = {}) => ({
    account: accountOf(),
    breaker: null,
    at: AT + 5_000,
    measure: factsOf,
    ...changes,
  });
  const wanted = planOf([{ base: 'BTC', lots: 300_000 }]);

  it('asks about the fitted plan and approves what is allowed', () => {
    const risk = desk();
    const asked = risk.judge(request(wanted));
    if (asked.kind !== 'review') throw new Error('not in review');
    expect(asked.question).toMatchObject({
      planId: 'plan-1',
      expiresAt: AT + 10_000,
      legs: [{ lots: 200_000 }],
    });
    expect(asked.question.margin).toBeCloseTo(margin(20), 6);
    expect(risk.nextExpiry).toBe(AT + 10_000);
    const found = risk.answer('plan-1', { verdict: 'allow', share: 0.1, reason: 'thin book' }, now());
    expect(lotsOf(found)).toEqual([20_000]);
    expect(found.cuts.map((cut) => cut.by)).toEqual(['risk-per-plan', 'review']);
    expect(risk.nextExpiry).toBeNull();
  });

  it('runs the limits again on the account of the moment', () => {
    const risk = desk();
    risk.judge(request(wanted));
    const account = accountOf({
      exposures: [exposureOf('ETH', { margin: margin(50) })],
      correlation: () => 0.9,
    });
    expect(lotsOf(risk.answer('plan-1', { verdict: 'allow' }, now({ account })))).toEqual([100_000]);
    const other = desk();
    other.judge(request(wanted));
    const breaker = new CircuitBreaker();
    breaker.monitor('severe', AT);
    expect(objections(other.answer('plan-1', { verdict: 'allow' }, now({ breaker })))[0]!.by).toBe('breaker');
  });

  it.each([
    [{ verdict: 'refuse', reason: 'no' }, 'no'],
    [{ decision: 'VETO', factor: 1 }, 'the reviewer refused'],
    [{ verdict: 'allow', share: 0 }, 'the reviewer refused'],
    [{ verdict: 'allow', share: 1.5 }, 'the answer is malformed'],
    [{ verdict: 'allow', share: Number.NaN }, 'the answer is malformed'],
    [{ verdict: 'allow', share: '1' }, 'the answer is malformed'],
    [{ decision: 'REDUCE' }, 'the answer is malformed'],
    [{ verdict: 'allow', decision: 'APPROVE' }, 'the answer is malformed'],
    [{ verdict: 'maybe' }, 'the answer is malformed'],
    [null, 'the answer is malformed'],
    ['allow', 'the answer is malformed'],
    [{ verdict: 'allow', share: 1e-9 }, 'the reviewer left less than one lot'],
  ])('%j refuses: %s', (answer, reason) => {
    const risk = desk();
    risk.judge(request(wanted));
    expect(objections(risk.answer('plan-1', answer, now()))[0]).toMatchObject({ by: 'review', reason });
    expect(risk.underReview).toEqual([]);
  });

  it('reads both contracts', () => {
    expect(readReviewAnswer({ decision: 'APPROVE', factor: 0.3 })).toMatchObject({
      verdict: 'allow',
      share: 1,
    });
    expect(readReviewAnswer({ decision: 'REDUCE', factor: 0.3, reason: 'x' })).toEqual({
      verdict: 'allow',
      share: 0.3,
      reason: 'x',
    });
  });

  it('silence refuses, and a late or second answer as well', () => {
    const risk = desk();
    risk.judge(request(wanted));
    expect(risk.expire(AT + 9_999)).toEqual([]);
    expect(
      objections(risk.answer('plan-1', { verdict: 'allow' }, now({ at: AT + 10_000 })))[0]!.reason,
    ).toMatch(/too late/);
    risk.judge(request(wanted));
    expect(risk.expire(AT + 10_000)[0]).toMatchObject({
      plan: { id: 'plan-1' },
      objections: [{ by: 'review' }],
    });
    expect(objections(risk.answer('plan-1', { verdict: 'allow' }, now()))[0]!.reason).toMatch(/no plan/);
  });

  it('approves a plan id once in its life, also across a restart', () => {
    const risk = desk({ reviewMs: null });
    approvedOf(risk.judge(request(wanted)));
    const restored = desk({ reviewMs: null });
    restoreState(restored, JSON.parse(JSON.stringify(captureState(risk))));
    for (const d of [risk, restored]) {
      const again = d.judge(request(wanted));
      expect(again).toMatchObject({
        kind: 'refused',
        refused: { objections: [{ reason: 'the plan was approved before' }] },
      });
    }
  });

  it('keeps plans under review across a restart', () => {
    const risk = desk();
    risk.judge(request(wanted));
    const restored = desk();
    restoreState(restored, JSON.parse(JSON.stringify(captureState(risk))));
    expect(lotsOf(restored.answer('plan-1', { verdict: 'allow', share: 0.5 }, now()))).toEqual([100_000]);
  });

  it('is bounded in what it remembers', () => {
    const risk = desk({ reviewsMax: 2 });
    const plans = [1, 2, 3].map((i) => planOf([{ base: 'BTC', lots: 1000 }], { id: `p${i}` }));
    expect(plans.map((plan) => risk.judge(request(plan)).kind)).toEqual(['review', 'review', 'refused']);
    const spent = desk({ reviewMs: null, spentMax: 2 });
    expect(plans.map((plan) => spent.judge(request(plan)).kind)).toEqual(['approved', 'approved', 'refused']);
    const later = planOf([{ base: 'BTC', lots: 1000 }], {
      id: 'p4',
      at: AT + 60_000,
      expiresAt: AT + 120_000,
    });
    expect(spent.judge(request(later, { at: AT + 60_000 })).kind).toBe('approved');
  });

  it('never keeps an exit waiting', () => {
    const exit = planOf([{ base: 'BTC', side: 'sell', lots: 10 }], { purpose: 'exit' });
    const plan: Plan = { ...exit, legs: exit.legs.map((l) => ({ ...l, reduceOnly: true })) };
    const risk = desk();
    expect([risk.judge(request(plan)).kind, risk.judge(request(plan)).kind]).toEqual([
      'approved',
      'approved',
    ]);
  });
});

it('fixtures agree on books', () => {
  expect(planOf([{ base: 'BTC', lots: 1 }]).legs[0]!.book).toBe(bookOf('BTC'));
});
