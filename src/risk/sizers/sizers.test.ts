import { describe, expect, it } from 'vitest';
import { defineInstrument } from '#market';
import type { NotSized, Sized, SizingContext, TrackRecord } from '../sizer.ts';
import { contractRisk, contractValue } from './contract-value.ts';
import { kelly, payoffRatio } from './kelly.ts';
import { SIGMA_SIZER, type SigmaSizerConfig, sigmaSizer, volatilityFactor } from './sigma-sizer.ts';
import { allIn, fixedFraction, fixedUnits, volatilityTarget } from './simple-sizers.ts';
import { SIGMA_STOP, stopDistance } from './stop-rule.ts';

const BTC = defineInstrument({ id: 'BTCUSDT.X', kind: 'linear-perpetual', base: 'BTC', quote: 'USDT' });
const MONEY = 1e8;
const ONE = { units: 1, scale: 0 };

const NEW_DESK: TrackRecord = {
  n: 0,
  winRate: 0,
  meanWin: 0,
  meanLoss: 0,
  expectancy: 0,
  monitorMultiplier: 1,
  edgeReturned: false,
};
/** Quarter-Kelly far above the cap of 2 %. */
const PROVEN: TrackRecord = {
  ...NEW_DESK,
  n: 100,
  winRate: 0.68,
  meanWin: 50,
  meanLoss: 20,
  expectancy: 27.6,
};
const LOSING: TrackRecord = { ...NEW_DESK, n: 30, winRate: 0.4, meanWin: 10, meanLoss: 10, expectancy: -2 };

function context(changes: Partial<SizingContext> = {}): SizingContext {
  return {
    at: 0,
    instrument: BTC,
    decision: {
      at: 0,
      instrument: BTC.id,
      action: 'enter-long',
      wanted: 'enter-long',
      confidence: 0.8,
      probability: null,
      rule: 'test',
      signals: [],
      objections: [],
    },
    direction: 1,
    price: 50_000,
    account: {
      at: 0,
      equity: 10_000 * MONEY,
      equityAtDayStart: 10_000 * MONEY,
      freeBalance: 10_000 * MONEY,
      exposures: [],
      ratesFresh: true,
      correlation: () => 0,
    },
    record: PROVEN,
    regime: 'TREND_UP',
    breakerMultiplier: 1,
    costRate: 0,
    ...changes,
  };
}

/** ATR 500/1.5, so the stop is 500 away. */
const CALM = { atr: 500 / 1.5, volatility: 0.3 };

const sized = (result: Sized | NotSized): Sized => {
  if (result.kind !== 'sized') throw new Error(`not sized: ${result.objection.reason}`);
  return result;
};
const size = (
  changes: Partial<SizingContext>,
  values: Record<string, number> = CALM,
  config: Partial<SigmaSizerConfig> = {},
) => sigmaSizer(config).size(context(changes), values);

describe('kelly', () => {
  it('is 0.531163 for 0.68 and 2.15, whose quarter is over the cap', () => {
    expect(kelly(0.68, 2.15)).toBeCloseTo(0.531163, 6);
    expect(0.25 * kelly(0.68, 2.15)).toBeCloseTo(0.132791, 6);
  });

  it('would be 0.523 only for other inputs', () => {
    expect(kelly(0.674429, 2.15)).toBeCloseTo(0.523, 5);
    expect(kelly(0.68, 2.038217)).toBeCloseTo(0.523, 5);
  });

  it('is 0 at break-even and NaN outside its ranges', () => {
    expect(kelly(0.5, 1)).toBe(0);
    for (const [p, b] of [
      [-0.1, 1],
      [1.1, 1],
      [0.5, 0],
      [0.5, -1],
      [Number.NaN, 1],
      [0.5, Number.NaN],
      [0.5, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(kelly(p, b)).toBeNaN();
    }
  });

  it('caps the payoff ratio at 10, which also stands for no losses', () => {
    expect(payoffRatio(5, 0)).toBe(10);
    expect(payoffRatio(500, 1)).toBe(10);
    expect(payoffRatio(0, 5)).toBe(0);
    expect(payoffRatio(43, 20)).toBe(2.15);
  });
});

describe('volatility penalty', () => {
  it.each([
    [0.3, 1],
    [0.4, 1],
    [0.5, 0.875],
    [0.6, 0.75],
    [0.8, 0.5],
    [2, 0.5],
  ])('at %d is %d', (volatility, factor) => {
    expect(volatilityFactor(SIGMA_SIZER.volatility!, volatility)).toBeCloseTo(factor, 12);
  });
});

describe('sigma sizer', () => {
  it('risks 200 of 10,000 in a trend: 0.4 BTC at a stop of 500', () => {
    const result = sized(size({}));
    expect(result.riskFraction).toBe(0.02);
    expect(result.stopDistance).toBeCloseTo(500, 9);
    expect(result.targetDistance).toBeCloseTo(1250, 9);
    expect(result.quantity).toBeCloseTo(0.4, 12);
    expect(result.leverage).toBe(10);
    expect(result.cuts.map((cut) => cut.by)).toEqual([
      'kelly-fraction',
      'risk-cap',
      'regime:TREND_UP',
      'risk-cap',
    ]);
  });

  it('risks 60 in chop at volatility 0.6', () => {
    expect(sized(size({ regime: 'CHOP' }, { ...CALM, volatility: 0.6 })).riskFraction).toBeCloseTo(0.006, 12);
  });

  it('explores in a range with 40: 0.08 BTC', () => {
    const result = sized(size({ regime: 'RANGE', record: NEW_DESK }));
    expect(result.riskFraction).toBeCloseTo(0.004, 12);
    expect(result.quantity).toBeCloseTo(0.08, 12);
    expect(result.cuts[0]!.by).toBe('exploration');
  });

  it('explores below 30 closed trades and judges expectancy from the 30th on', () => {
    expect(sized(size({ record: { ...LOSING, n: 29 }, regime: 'RANGE' })).riskFraction).toBeCloseTo(0.004);
    expect(size({ record: LOSING }).kind).toBe('not-sized');
  });

  it.each([0, -2])('is size 0 with a shadow at an expectancy of %d', (expectancy) => {
    const result = size({ record: { ...LOSING, expectancy }, regime: 'RANGE' }) as NotSized;
    expect(result.objection).toMatchObject({ by: 'expectancy', measured: expectancy, relation: '>' });
    expect(result.shadow!.riskFraction).toBeCloseTo(0.004, 12);
    expect(result.shadow!.stopDistance).toBeCloseTo(500, 9);
  });

  it('comes back at exploration risk when the edge returned', () => {
    const result = sized(size({ record: { ...LOSING, edgeReturned: true }, regime: 'RANGE' }));
    expect(result.riskFraction).toBeCloseTo(0.004, 12);
  });

  it('trades a negative expectancy at exploration risk when research says so', () => {
    const result = sized(size({ record: LOSING, regime: 'RANGE' }, CALM, { ignoreExpectancy: true }));
    expect(result.riskFraction).toBeCloseTo(0.004, 12);
    expect(result.cuts[0]!.by).toBe('expectancy-ignored');
  });

  it('uses quarter-Kelly below the cap', () => {
    const record = { ...PROVEN, winRate: 0.52, meanWin: 10, meanLoss: 10, expectancy: 0.4 };
    expect(sized(size({ record, regime: 'TREND_UP' })).riskFraction).toBeCloseTo(0.25 * 0.04 * 1.3, 12);
  });

  it('ramps with the sample when asked to', () => {
    const record = { ...PROVEN, n: 50 };
    expect(sized(size({ record, regime: 'RANGE' })).riskFraction).toBeCloseTo(0.016, 12);
    expect(sized(size({ record, regime: 'RANGE' }, CALM, { sampleRamp: 100 })).riskFraction).toBeCloseTo(
      0.008,
      12,
    );
  });

  it('multiplies by monitor and breaker after the cap', () => {
    const halved = sized(size({ record: { ...PROVEN, monitorMultiplier: 0.5 }, breakerMultiplier: 0.5 }));
    expect(halved.riskFraction).toBeCloseTo(0.005, 12);
    expect(halved.cuts.slice(-2)).toEqual([
      { by: 'strategy-monitor', factor: 0.5 },
      { by: 'breaker', factor: 0.5 },
    ]);
    const stopped = size({ record: { ...PROVEN, monitorMultiplier: 0 } }) as NotSized;
    expect(stopped.objection.by).toBe('strategy-monitor');
    expect(stopped.shadow).not.toBeNull();
    expect((size({ breakerMultiplier: 0 }) as NotSized).objection.by).toBe('breaker');
  });

  it('keeps the stop at least five round trips away', () => {
    expect(stopDistance(SIGMA_STOP, 10, 50_000, 0.0005)).toBeCloseTo(250, 9);
    expect(stopDistance(SIGMA_STOP, 200, 50_000, 0.0005)).toBeCloseTo(300, 9);
    expect(sized(size({ costRate: 0.0005 }, { atr: 10, volatility: 0.3 })).stopDistance).toBeCloseTo(250, 9);
  });

  it('clamps regime multipliers and refuses an unknown regime', () => {
    const config = { regimes: { WILD: 9, DEAD: 0.01 } };
    expect(sized(size({ regime: 'DEAD' }, CALM, config)).riskFraction).toBeCloseTo(0.02 * 0.3, 12);
    expect(sized(size({ regime: 'WILD', record: NEW_DESK }, CALM, config)).riskFraction).toBeCloseTo(
      0.0075,
      12,
    );
    expect(size({ regime: 'ELSE' }).kind).toBe('not-sized');
    expect(size({ regime: null }).kind).toBe('not-sized');
    expect(size({ regime: null }, CALM, { regimes: null }).kind).toBe('sized');
  });

  it('refuses every number that is not finite', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(size({}, { atr: bad, volatility: 0.3 }).kind).toBe('not-sized');
      expect(size({}, { atr: 1, volatility: bad }).kind).toBe('not-sized');
      expect(size({ price: bad }).kind).toBe('not-sized');
      expect(size({ costRate: bad }).kind).toBe('not-sized');
      expect(size({ breakerMultiplier: bad }).kind).toBe('not-sized');
      expect(size({ quotePerMinor: bad }).kind).toBe('not-sized');
      expect(size({ account: { ...context().account, equity: bad } }).kind).toBe('not-sized');
      for (const field of [
        'n',
        'winRate',
        'meanWin',
        'meanLoss',
        'expectancy',
        'monitorMultiplier',
      ] as const) {
        expect(size({ record: { ...PROVEN, [field]: bad } }).kind).toBe('not-sized');
      }
    }
  });

  it('values contracts of every kind', () => {
    const inverse = defineInstrument({
      id: 'BTCUSD.X',
      kind: 'inverse-perpetual',
      base: 'BTC',
      contractSize: { units: 100, scale: 0 },
    });
    expect(contractValue(inverse, 50_000)).toBe(100);
    // long 1 contract from 50,000 to 49,500: 100*(1/49500-1/50000) coins at 49,500
    expect(contractRisk(inverse, 50_000, 500)).toBeCloseTo(100 * (1 / 49_500 - 1 / 50_000) * 49_500, 12);
    expect(contractRisk(BTC, 50_000, 500)).toBe(500);
    // equity of 0.2 BTC at 50,000 is 10,000: 200 at risk over 1 a contract
    const account = { ...context().account, equity: 0.2 * MONEY };
    expect(sized(size({ instrument: inverse, account })).quantity).toBeCloseTo(200, 9);
  });

  it('converts equity when the base currency is another one', () => {
    // 10,000 USD in cents, 16,000 IDR per USD
    const idr = defineInstrument({
      id: 'BBCA.IDX',
      kind: 'equity',
      quote: 'IDR',
      tick: ONE,
      lot: ONE,
      minorScale: 0,
    });
    const account = { ...context().account, equity: 1_000_000 };
    const result = sized(
      size({ instrument: idr, account, quotePerMinor: 160, price: 9_000 }, { atr: 100, volatility: 0.3 }),
    );
    expect(result.quantity).toBeCloseTo((160_000_000 * 0.02) / 150, 6);
  });
});

describe('simple sizers', () => {
  it('fixed units, fixed fraction', () => {
    expect(sized(fixedUnits(3).size(context(), {}))).toMatchObject({
      quantity: 3,
      stopDistance: null,
      leverage: 1,
    });
    const fraction = sized(fixedFraction(0.005, { stop: SIGMA_STOP }).size(context(), CALM));
    expect(fraction.quantity).toBeCloseTo(0.1, 12);
    expect(fraction.riskFraction).toBeCloseTo(0.005, 12);
    expect(fixedFraction(0.005, { stop: SIGMA_STOP }).size(context(), { atr: Number.NaN }).kind).toBe(
      'not-sized',
    );
  });

  it('all-in leaves room for the cost and never spends more than is free', () => {
    expect(sized(allIn(1).size(context({ costRate: 0.001 }), {})).quantity).toBeCloseTo(0.2 / 1.001, 12);
    const account = { ...context().account, freeBalance: 4_000 * MONEY };
    expect(sized(allIn(0.5).size(context({ account }), {})).quantity).toBeCloseTo(0.04, 12);
    expect(sized(allIn(1, { leverage: 5 }).size(context(), {})).quantity).toBeCloseTo(1, 12);
    expect(allIn().size(context({ account: { ...account, freeBalance: 0 } }), {}).kind).toBe('not-sized');
    expect(allIn().size(context({ account: { ...account, freeBalance: Number.NaN } }), {}).kind).toBe(
      'not-sized',
    );
  });

  it('volatility target gears up to its leverage', () => {
    const target = volatilityTarget(0.2, 'gk:20/annual', { leverage: 2 });
    expect(sized(target.size(context(), { volatility: 0.4 })).quantity).toBeCloseTo(0.1, 12);
    expect(sized(target.size(context(), { volatility: 0.01 })).quantity).toBeCloseTo(0.4, 12);
    expect(target.size(context(), { volatility: 0 }).kind).toBe('not-sized');
    expect(target.features).toEqual({ volatility: 'gk:20/annual' });
  });

  it('listens to the breaker', () => {
    const halved = sized(fixedUnits(3).size(context({ breakerMultiplier: 0.5 }), {}));
    expect(halved).toMatchObject({ quantity: 1.5, cuts: [{ by: 'breaker', factor: 0.5 }] });
    expect(fixedUnits(3).size(context({ breakerMultiplier: 0 }), {}).kind).toBe('not-sized');
    expect(fixedUnits(Number.NaN).size(context(), {}).kind).toBe('not-sized');
  });
});

describe('what a study takes out of the Sigma sizer', () => {
  const without = (name: string, changes: Partial<SizingContext>, values = CALM) =>
    sigmaSizer({ sampleRamp: 200 }).removable![name]!().size(context(changes), values);

  it.each([
    // exploration 0.005 x 0.4 in chop, 1 without regimes
    ['regime', { record: NEW_DESK, regime: 'CHOP' }, CALM, 0.005],
    // 1 - 0.5 x (0.6 - 0.4) / 0.4 = 0.75
    ['volatility', { record: NEW_DESK, regime: 'RANGE' }, { ...CALM, volatility: 0.6 }, 0.004],
    // Kelly 0.552, a quarter 0.138: the cap of 0.02 halved by the ramp
    ['kelly-fraction', { regime: 'RANGE' }, CALM, 0.02 * 0.5 * 0.8],
    ['sample-ramp', { regime: 'RANGE' }, CALM, 0.02 * 0.8],
    ['risk-cap', { regime: 'RANGE' }, CALM, 0.552 * 0.25 * 0.5 * 0.8],
    ['expectancy', { record: LOSING, regime: 'RANGE' }, CALM, 0.004],
  ] as const)('%s is 1 in its place', (name, changes, values, risk) => {
    expect(sized(without(name, changes, values)).riskFraction).toBeCloseTo(risk, 12);
    expect(Object.keys(sigmaSizer({ sampleRamp: 200 }).removable!)).toContain(name);
  });

  it('leaves refusals of what is not known', () => {
    expect(without('regime', { regime: 'NEW' }).kind).toBe('not-sized');
    expect(without('volatility', {}, { ...CALM, volatility: Number.NaN }).kind).toBe('not-sized');
  });
});
