import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstrumentId } from '#market';
import {
  type AccountSummary,
  BREAKER_LEVELS,
  CircuitBreaker,
  consume,
  correlatedGroups,
  type Exposure,
  heat,
  heatLimit,
  type JudgeRules,
  judge,
  kelly,
  type Plan,
  type PlanFacts,
  type PortfolioLimitsConfig,
  platformGuard,
  portfolioLimits,
  riskPerPlanLimit,
  type SafetyConfig,
  SIGMA_LIMITS,
  SIGMA_SAFETY,
  SIGMA_SECTORS,
  STANDARD_RULES,
  safetyLayers,
  sumPortfolios,
} from '#risk';
import {
  AT,
  accountOf,
  EQUITY,
  exposureOf,
  factsOf,
  idOf,
  type LegSpec,
  planOf,
} from './fixtures/risk-cases.ts';

const RUNS = { numRuns: 1_000 };
const BASES = ['BTC', 'ETH', 'SOL', 'XRP', 'ADA', 'DOGE'] as const;

const base = fc.constantFrom(...BASES);
const fraction = (max: number) => fc.double({ min: 0, max, noNaN: true });

const legSpec: fc.Arbitrary<LegSpec> = fc.record({
  base,
  side: fc.constantFrom('buy' as const, 'sell' as const),
  lots: fc.oneof(fc.integer({ min: 1, max: 400_000 }), fc.constantFrom(100_000, 200_000, 400_000, 600_000)),
  price: fc.oneof(fc.constant(100), fc.integer({ min: 10, max: 200 })),
  stop: fc.oneof(fc.constant(0.01), fc.double({ min: 0.001, max: 0.03, noNaN: true })),
  leverage: fc.integer({ min: 5, max: 20 }),
});

const exposure: fc.Arbitrary<Exposure> = fc
  .record({
    base,
    direction: fc.constantFrom(1 as const, -1 as const),
    margin: fraction(0.2 * EQUITY),
    riskToStop: fraction(0.03 * EQUITY),
  })
  .map(({ base: name, ...rest }) => exposureOf(name, rest));

/** A correlation per pair of instruments, symmetric, 1 on the diagonal; not always a possible matrix, as estimates are. */
const correlations = fc.array(fraction(1), { minLength: 36, maxLength: 36 }).map((values) => {
  const numberOf = (id: InstrumentId) => BASES.findIndex((name) => idOf(name) === id);
  return (a: InstrumentId, b: InstrumentId) => {
    const [i, j] = [numberOf(a), numberOf(b)].sort((x, y) => x - y) as [number, number];
    return i === j ? 1 : values[i * 6 + j]!;
  };
});

const account: fc.Arbitrary<AccountSummary> = fc
  .record({
    exposures: fc.array(exposure, { maxLength: 3 }),
    correlation: correlations,
    freeBalance: fc.integer({ min: 0.2 * EQUITY, max: EQUITY }),
    equityAtDayStart: fc.integer({ min: EQUITY / 2, max: 1.051 * EQUITY }),
  })
  .map((parts) => accountOf(parts));

const plan = fc.array(legSpec, { minLength: 1, maxLength: 3 }).map((legs) => planOf(legs));

interface Numbers extends Omit<PortfolioLimitsConfig, 'sector'>, Omit<SafetyConfig, 'allowed'> {
  readonly sectorMax: number;
  readonly shareMin: number;
  readonly approvalMs: number;
  readonly platformLoss: number;
  readonly platformMargin: number;
}

const STANDARD: Numbers = {
  ...SIGMA_LIMITS,
  ...SIGMA_SAFETY,
  riskMax: 0.02,
  sectorMax: 0.5,
  shareMin: 0.25,
  approvalMs: 60_000,
  platformLoss: 0.05,
  platformMargin: 1,
};

/** `riskMax` of the limits and of the layer are moved together, as a desk would. */
function rulesOf(n: Numbers): JudgeRules {
  return {
    limits: [
      ...portfolioLimits({ ...n, sector: { ...SIGMA_SECTORS, max: n.sectorMax } }),
      platformGuard({ dayLossMax: n.platformLoss, marginMax: n.platformMargin }),
    ],
    safetyLayers: safetyLayers({ ...n, allowed: null }),
    shareMin: n.shareMin,
    approvalMs: n.approvalMs,
    solvent: true,
  };
}

const withPlatform = (a: AccountSummary): AccountSummary => ({
  ...a,
  correlation: a.correlation,
  platform: sumPortfolios(
    [
      { ...a, margin: a.exposures.reduce((sum, e) => sum + e.margin, 0) },
      { equity: EQUITY, equityAtDayStart: EQUITY, margin: 0.5 * EQUITY },
    ],
    1,
  ),
});

/** Lots of each leg that risk lets through: zeros for a refusal. */
function passed(
  wanted: Plan,
  a: AccountSummary,
  rules: JudgeRules,
  facts: PlanFacts = factsOf(wanted),
): number[] {
  const found = judge({ plan: wanted, facts, account: withPlatform(a), breaker: null, at: AT }, rules);
  return found.kind === 'approved'
    ? found.approved.plan.legs.map((leg) => leg.lots)
    : wanted.legs.map(() => 0);
}

/** Every number and how tightening moves it: down, or up for those marked. */
const THRESHOLDS = {
  riskMax: 'down',
  assetMax: 'down',
  groupRho: 'down',
  groupMax: 'down',
  sectorMax: 'down',
  heatMax: 'down',
  leverageMax: 'down',
  marginMax: 'down',
  dayLossMax: 'down',
  platformLoss: 'down',
  platformMargin: 'down',
  feesReserved: 'up',
  shareMin: 'up',
} as const;

describe('tightening a limit never enlarges a plan', () => {
  it.each(Object.entries(THRESHOLDS))('%s (%s)', (name, way) => {
    let reached = 0;
    fc.assert(
      fc.property(plan, account, fraction(1), (wanted, a, t) => {
        const value = STANDARD[name as keyof Numbers];
        const tight = way === 'down' ? value * t : value + t * (name === 'shareMin' ? 0.75 : 5);
        const loose = passed(wanted, a, rulesOf(STANDARD));
        const tightened = passed(wanted, a, rulesOf({ ...STANDARD, [name]: tight }));
        if (loose.some((lots) => lots > 0)) reached += 1;
        tightened.forEach((lots, i) => {
          expect(lots).toBeLessThanOrEqual(loose[i]!);
        });
      }),
      RUNS,
    );
    expect(reached, `reached ${reached}`).toBeGreaterThan(100);
  });

  it('holds from any starting point, all thresholds at once', () => {
    const names = Object.keys(THRESHOLDS) as (keyof typeof THRESHOLDS)[];
    const steps = fc.array(fraction(1), { minLength: names.length, maxLength: names.length });
    fc.assert(
      fc.property(plan, account, steps, steps, (wanted, a, first, second) => {
        const tighten = (from: Numbers, by: readonly number[], rate: number): Numbers => {
          const to: Record<string, number> = { ...from };
          names.forEach((name, i) => {
            if (THRESHOLDS[name] === 'down') to[name] = from[name] * (1 - rate * by[i]!);
            else to[name] = from[name] + rate * by[i]!;
          });
          return to as unknown as Numbers;
        };
        const start = tighten(STANDARD, first, 0.2);
        const loose = passed(wanted, a, rulesOf(start));
        const tight = passed(wanted, a, rulesOf(tighten(start, second, 0.5)));
        tight.forEach((lots, i) => {
          expect(lots).toBeLessThanOrEqual(loose[i]!);
        });
      }),
      RUNS,
    );
  });
});

describe('a leg that hedges what is held', () => {
  it('rounded down does not refuse what a tighter limit would have passed', () => {
    const wanted = planOf([
      { base: 'ADA', lots: 39_763, price: 100, stop: 0.0237, leverage: 5 },
      { base: 'BTC', lots: 5_245, price: 82, stop: 67 / 8_200, leverage: 5 },
    ]);
    const hot = exposureOf('BTC', { direction: -1, margin: 0, riskToStop: 59_999.68698455546 });
    const correlation = (a: InstrumentId, b: InstrumentId) => (a === b ? 1 : 0.02950234650987349);
    const lotsUnder = (riskMax: number): number[] => {
      const a = accountOf({ exposures: [hot], correlation });
      const limits = [riskPerPlanLimit({ max: riskMax }), heatLimit()];
      const rules: JudgeRules = { ...STANDARD_RULES, limits, safetyLayers: [] };
      const found = judge({ plan: wanted, facts: factsOf(wanted), account: a, breaker: null, at: AT }, rules);
      return found.kind === 'approved' ? found.approved.plan.legs.map((leg) => leg.lots) : [0, 0];
    };
    const tight = lotsUnder(0.00304);
    const loose = lotsUnder(0.2);
    expect(tight[0]).toBeGreaterThan(0);
    tight.forEach((lots, i) => {
      expect(loose[i]).toBeGreaterThanOrEqual(lots);
    });
  });
});

describe('a plan that was reduced', () => {
  it('exceeds no limit any more, and is never larger than what was wanted', () => {
    let reduced = 0;
    fc.assert(
      fc.property(plan, account, (wanted, a) => {
        const rules = rulesOf(STANDARD);
        const found = judge(
          { plan: wanted, facts: factsOf(wanted), account: withPlatform(a), breaker: null, at: AT },
          rules,
        );
        if (found.kind !== 'approved') return;
        const fitted = found.approved.plan;
        fitted.legs.forEach((leg, i) => {
          expect(leg.lots).toBeLessThanOrEqual(wanted.legs[i]!.lots);
        });
        if (found.reductions.length > 0) reduced += 1;
        // measured anew, so rounding of money to whole minor units (one per leg) may show: allow one part in 1e4
        const account_ = withPlatform(a);
        for (const limit of [...rules.limits, ...rules.safetyLayers]) {
          const verdict = limit.check(fitted, factsOf(fitted), account_);
          if (verdict.kind === 'pass') continue;
          const { measured, needed } = verdict.objection;
          const lot = Math.max(...wanted.legs.map((leg) => 1 / leg.lots));
          expect(measured!).toBeLessThanOrEqual(needed! * (1 + lot) + 3e-6);
        }
      }),
      RUNS,
    );
    expect(reduced, `reduced ${reduced}`).toBeGreaterThan(50);
  });
});

describe('a number that is not one', () => {
  const BAD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const small = planOf([{ base: 'BTC', lots: 1_000 }]);
  const healthy = accountOf({ exposures: [exposureOf('ETH', { margin: 1_000, riskToStop: 100 })] });

  it('is approved as a control', () => {
    expect(passed(small, healthy, rulesOf(STANDARD))).toEqual([1_000]);
  });

  it('anywhere in plan, facts or account is refused with a reason', () => {
    const places: ((bad: number) => {
      plan?: Plan;
      facts?: Partial<PlanFacts>;
      account?: Partial<AccountSummary>;
    })[] = [
      (bad) => ({ plan: { ...small, confidence: bad } }),
      (bad) => ({ plan: { ...small, worstLoss: bad } }),
      (bad) => ({ plan: { ...small, expiresAt: bad } }),
      ...(['lots', 'expectedTicks', 'limitTicks', 'triggerTicks', 'worstTicks', 'leverage'] as const).map(
        (field) => (bad: number) => ({ plan: { ...small, legs: [{ ...small.legs[0]!, [field]: bad }] } }),
      ),
      (bad) => ({
        plan: {
          ...small,
          legs: [{ ...small.legs[0]!, protection: { stopTicks: bad, targetTicks: null, trailRate: null } }],
        },
      }),
      ...(['notional', 'margin', 'fee', 'riskToStop', 'leverage'] as const).map((field) => (bad: number) => ({
        facts: { [field]: bad },
      })),
      ...(['notional', 'margin', 'fee', 'riskToStop'] as const).map((field) => (bad: number) => ({
        facts: { legs: factsOf(small).legs!.map((leg) => ({ ...leg, [field]: bad })) },
      })),
      ...(['equity', 'equityAtDayStart', 'freeBalance'] as const).map((field) => (bad: number) => ({
        account: { [field]: bad },
      })),
      ...(['lots', 'notional', 'margin', 'riskToStop', 'unrealised', 'direction'] as const).map(
        (field) => (bad: number) => ({
          account: { exposures: [exposureOf('ETH', { [field]: bad })] },
        }),
      ),
      (bad) => ({ account: { correlation: () => bad } }),
      (bad) => ({ account: { platform: { equity: bad, equityAtDayStart: 1, margin: 0, perBaseMinor: 1 } } }),
      (bad) => ({ account: { platform: { equity: 1, equityAtDayStart: 1, margin: bad, perBaseMinor: 1 } } }),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.constantFrom(...BAD), (place, bad) => {
        const changed = place(bad);
        const wanted = changed.plan ?? small;
        const found = judge(
          {
            plan: wanted,
            facts: { ...factsOf(small), ...changed.facts },
            account: { ...withPlatform(healthy), ...changed.account },
            breaker: new CircuitBreaker(),
            at: AT,
          },
          rulesOf(STANDARD),
        );
        expect(found.kind).toBe('refused');
        if (found.kind === 'refused') expect(found.refused.objections[0]!.reason).not.toBe('');
      }),
      RUNS,
    );
  });
});

describe('heat and groups', () => {
  const risks = fc.array(
    fc
      .record({ base, weight: fc.double({ min: -0.05, max: 0.05, noNaN: true }) })
      .map(({ base: name, weight }) => ({
        instrument: idOf(name),
        underlying: name,
        weight,
      })),
    { minLength: 1, maxLength: 8 },
  );
  const shuffled = risks.chain((list) =>
    fc
      .shuffledSubarray(list, { minLength: list.length, maxLength: list.length })
      .map((other) => [list, other] as const),
  );

  it('heat does not depend on the order of positions, nor on all signs turned round', () => {
    fc.assert(
      fc.property(shuffled, correlations, ([list, other], rho) => {
        const h = heat(list, rho);
        expect(heat(other, rho)).toBe(h);
        expect(heat(list, (a, b) => rho(b, a))).toBe(h);
        expect(
          heat(
            list.map((r) => ({ ...r, weight: -r.weight })),
            rho,
          ),
        ).toBeCloseTo(h, 12);
      }),
      RUNS,
    );
  });

  it('heat of positions on one side lies between the largest and the sum', () => {
    fc.assert(
      fc.property(risks, correlations, (list, rho) => {
        const long = list.map((r) => ({ ...r, weight: Math.abs(r.weight) }));
        const h = heat(long, rho);
        expect(h).toBeLessThanOrEqual(long.reduce((sum, r) => sum + r.weight, 0) + 1e-12);
        expect(h).toBeGreaterThanOrEqual(Math.max(...long.map((r) => r.weight)) - 1e-12);
      }),
      RUNS,
    );
  });

  it('who is grouped with whom does not depend on the order', () => {
    fc.assert(
      fc.property(shuffled, correlations, fraction(1), ([list, other], rho, threshold) => {
        const pairs = (nodes: typeof list) => {
          const groups = correlatedGroups(nodes, rho, threshold)!;
          const together = new Set<string>();
          nodes.forEach((a, i) => {
            nodes.forEach((b, j) => {
              if (groups[i] === groups[j]) together.add(`${a.underlying}-${b.underlying}`);
            });
          });
          return [...together].sort();
        };
        expect(pairs(other)).toEqual(pairs(list));
      }),
      RUNS,
    );
  });
});

describe('circuit breaker', () => {
  type Act = (breaker: CircuitBreaker, at: number) => void;
  const act: fc.Arbitrary<readonly [string, Act]> = fc.oneof(
    fc
      .integer({ min: 0, max: 5_000 })
      .map((ms) => ['latency', (b: CircuitBreaker, at: number) => b.latency(ms, at)] as const),
    fc.constant(['failed', (b: CircuitBreaker, at: number) => b.orderFailed(at)] as const),
    fc.constant(['succeeded', (b: CircuitBreaker, at: number) => b.orderSucceeded(at)] as const),
    fc
      .double({ min: -0.01, max: 0.01, noNaN: true })
      .map((rate) => ['slippage', (b: CircuitBreaker, at: number) => b.slippage(rate, at)] as const),
    fc
      .integer({ min: 900, max: 1_000 })
      .map((value) => ['equity', (b: CircuitBreaker, at: number) => b.equity(value, at)] as const),
    fc
      .constantFrom('minor' as const, 'moderate' as const, 'severe' as const, 'critical' as const, null)
      .map((s) => ['monitor', (b: CircuitBreaker, at: number) => b.monitor(s, at)] as const),
    fc.constant(['kill', (b: CircuitBreaker, at: number) => b.critical('kill-command', at)] as const),
    fc.constant(['recover', (b: CircuitBreaker, at: number) => void b.recover({ reason: 'r' }, at)] as const),
    ...Array.from({ length: 6 }, () =>
      fc.constant(['tick', (b: CircuitBreaker, at: number) => b.tick(at)] as const),
    ),
  );
  const story = fc.array(fc.tuple(act, fc.integer({ min: 0, max: 400_000 })), { maxLength: 60 });

  it('comes down by one level at a time, and only a confirmation ends SHUTDOWN', () => {
    let steps = 0;
    let shut = 0;
    fc.assert(
      fc.property(story, (acts) => {
        const breaker = new CircuitBreaker();
        let at = AT;
        for (const [[name, run], wait] of acts) {
          at += wait;
          const before = BREAKER_LEVELS.indexOf(breaker.state);
          run(breaker, at);
          const after = BREAKER_LEVELS.indexOf(breaker.state);
          if (after < before && name !== 'recover') {
            steps += 1;
            expect(name).toBe('tick');
            expect(before - after).toBe(1);
          }
          if (before === 4) {
            shut += 1;
            expect(after).toBe(4);
          }
          expect(breaker.allowsEntry(1)).toBe(after < 3);
          if (breaker.closesAll) expect(breaker.state).toBe('HALT');
        }
        for (const move of breaker.history) expect(move.from).not.toBe(move.to);
        if (breaker.state !== 'SHUTDOWN') return;
        breaker.recover({ reason: 'r', confirm: 'RESTART' }, at);
        expect(breaker.state).toBe('CLOSED');
      }),
      RUNS,
    );
    expect(steps).toBeGreaterThan(50);
    expect(shut).toBeGreaterThan(50);
  });

  it('loses no loss: the window knows the highest equity of the last 60 minutes', () => {
    const path = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 20 * 60_000 }), fc.integer({ min: 900, max: 1_000 })),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    let halts = 0;
    fc.assert(
      fc.property(path, (steps) => {
        const breaker = new CircuitBreaker();
        const seen: { at: number; value: number }[] = [];
        let at = AT;
        for (const [wait, value] of steps) {
          at += wait;
          seen.push({ at, value });
          breaker.equity(value, at);
          const inside = (slackMs: number) =>
            Math.max(...seen.filter((s) => s.at >= at - 60 * 60_000 - slackMs).map((s) => s.value));
          const fell = (highest: number) => (highest - value) / highest >= 0.05;
          // whole minutes leave together, so the window may be up to a minute longer, never shorter
          if (fell(inside(0))) expect(breaker.state).toBe('HALT');
          if (breaker.state === 'HALT') {
            halts += 1;
            expect(fell(inside(60_000))).toBe(true);
            breaker.recover({ reason: 'seen' }, at);
            seen.length = 0;
          }
        }
      }),
      RUNS,
    );
    expect(halts).toBeGreaterThan(50);
  });
});

it('kelly rises with the win rate and with the payoff', () => {
  const p = fraction(1);
  const b = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
  fc.assert(
    fc.property(p, p, b, b, (p1, p2, b1, b2) => {
      const [low, high] = [Math.min(p1, p2), Math.max(p1, p2)];
      const [poor, rich] = [Math.min(b1, b2), Math.max(b1, b2)];
      expect(kelly(low, b1)).toBeLessThanOrEqual(kelly(high, b1) + 1e-9);
      expect(kelly(p1, poor)).toBeLessThanOrEqual(kelly(p1, rich) + 1e-9);
      expect(kelly(p1, b1)).toBeLessThanOrEqual(p1 + 1e-12);
    }),
    RUNS,
  );
});

describe('an order without an approval', () => {
  it('does not compile', () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const fixtures = fileURLToPath(new URL('./fixtures/', import.meta.url));
    const { stdout, error } = spawnSync(
      process.execPath,
      [`${root}node_modules/typescript/bin/tsc`, '-p', fixtures, '--noEmit', '--pretty', 'false'],
      { cwd: root, encoding: 'utf8' },
    );
    expect(error).toBeUndefined();
    expect(stdout.split('\n').filter((line) => line.includes('unapproved-plan.ts'))).toEqual([]);
  });

  it('throws when it is tried all the same', () => {
    const plan = planOf([{ base: 'BTC', lots: 1 }]);
    expect(() => consume(plan as never, AT)).toThrow(/unused approval/);
    expect(() =>
      consume({ plan, approvedAt: AT, approvedUntil: AT + 1, shadow: false } as never, AT),
    ).toThrow(/unused approval/);
  });
});
