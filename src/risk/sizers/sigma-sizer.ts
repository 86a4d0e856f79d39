import type { Objection } from '#ensemble';
import type { SizeCut } from '../plan.ts';
import type { NotSized, Sized, Sizer, SizingContext, TrackRecord } from '../sizer.ts';
import { checked, contextFault, contractRisk, fault, inQuote, notSized } from './contract-value.ts';
import { kelly, payoffRatio } from './kelly.ts';
import { SIGMA_STOP, type StopRule, stopDistance } from './stop-rule.ts';

/** Shrinks size as volatility grows: clip(1 - slope*(v - from)/from, floor, 1), v an annualised fraction. */
export interface VolatilityPenalty {
  /** Feature expression of annualised volatility. */
  readonly feature: string;
  readonly from: number;
  readonly slope: number;
  readonly floor: number;
}

export interface SigmaSizerConfig {
  /** Fraction of equity at risk below `tradesMin` closed trades and after a returned edge. */
  readonly explorationRisk: number;
  readonly tradesMin: number;
  readonly kellyFraction: number;
  readonly riskMax: number;
  readonly payoffCap: number;
  /** Size multiplier per regime name; null does not look at regimes. An unknown regime is not sized. */
  readonly regimes: Readonly<Record<string, number>> | null;
  readonly regimeClamp: readonly [min: number, max: number];
  readonly volatility: VolatilityPenalty | null;
  readonly stop: StopRule;
  readonly leverage: number;
  /** Research only: an expectancy at or below zero trades at exploration risk instead of not at all. */
  readonly ignoreExpectancy: boolean;
  /** Closed trades at which the full quarter-Kelly is reached, in proportion below; null is no ramp. */
  readonly sampleRamp: number | null;
}

export const SIGMA_REGIMES = {
  TREND_UP: 1.3,
  TREND_DOWN: 1.3,
  RANGE: 0.8,
  CHOP: 0.4,
  VOLATILE: 0.3,
} as const;

/** sigma.md sections 1, 5 and 6. */
export const SIGMA_SIZER: SigmaSizerConfig = {
  explorationRisk: 0.005,
  tradesMin: 30,
  kellyFraction: 0.25,
  riskMax: 0.02,
  payoffCap: 10,
  regimes: SIGMA_REGIMES,
  regimeClamp: [0.3, 1.5],
  volatility: { feature: 'gk:20:105120/annual', from: 0.4, slope: 0.5, floor: 0.5 },
  stop: SIGMA_STOP,
  leverage: 10,
  ignoreExpectancy: false,
  sampleRamp: null,
};

const NAME = 'sigma-sizer';

/** The factor of a volatility penalty: 1 below `from`, falling to `floor`. */
export function volatilityFactor(penalty: VolatilityPenalty, volatility: number): number {
  const raw = 1 - (penalty.slope * (volatility - penalty.from)) / penalty.from;
  return Math.min(1, Math.max(penalty.floor, raw));
}

/**
 * Expectancy, quarter-Kelly and exploration (sigma.md 6): risk = min(riskMax, base*regime*penalty), then the
 * strategy monitor's and the breaker's multipliers; quantity = equity*risk / loss to the stop. Every factor that
 * is not 1 is in `cuts`. An expectancy at or below zero is not sized but carries a shadow at exploration risk.
 */
export function sigmaSizer(changes: Partial<SigmaSizerConfig> = {}): Sizer {
  const config: SigmaSizerConfig = { ...SIGMA_SIZER, ...changes };
  const features: Record<string, string> = { atr: config.stop.atr };
  if (config.volatility !== null) features.volatility = config.volatility.feature;
  return {
    name: NAME,
    features,
    removable: removableOf(config),
    size: (context, values) => size(config, context, values),
  };
}

/** What is taken out becomes 1 (or never objects); what must be known to size at all must still be known. */
function removableOf(config: SigmaSizerConfig): Readonly<Record<string, () => Sizer>> {
  const { regimes, volatility, sampleRamp, ignoreExpectancy } = config;
  const without = (changes: Partial<SigmaSizerConfig>) => () => sigmaSizer({ ...config, ...changes });
  const all: Record<string, () => Sizer> = {
    'kelly-fraction': without({ kellyFraction: 1 }),
    'risk-cap': without({ riskMax: Number.POSITIVE_INFINITY }),
  };
  if (regimes !== null) {
    const ones = Object.fromEntries(Object.keys(regimes).map((name) => [name, 1]));
    all.regime = without({ regimes: ones, regimeClamp: [1, 1] });
  }
  if (volatility !== null) all.volatility = without({ volatility: { ...volatility, slope: 0 } });
  if (sampleRamp !== null) all['sample-ramp'] = without({ sampleRamp: null });
  if (!ignoreExpectancy) all.expectancy = without({ ignoreExpectancy: true });
  return all;
}

function size(
  config: SigmaSizerConfig,
  context: SizingContext,
  values: Readonly<Record<string, number>>,
): Sized | NotSized {
  const bad = contextFault(NAME, context) ?? recordFault(context.record);
  if (bad !== null) return notSized(bad);
  const market = marketFactors(config, context, values);
  if (!Array.isArray(market)) return notSized(market as Objection);
  const distance = stopDistance(config.stop, values.atr!, context.price, context.costRate);
  if (!(distance > 0 && distance < Infinity)) {
    return notSized(fault(NAME, 'stop distance is not a positive finite number', distance));
  }
  const build = (base: number, cuts: SizeCut[], multipliers: readonly SizeCut[]): Sized | NotSized => {
    let risk = base;
    for (const cut of market as readonly SizeCut[]) risk = apply(risk, cut, cuts);
    if (risk > config.riskMax) risk = apply(risk, { by: 'risk-cap', factor: config.riskMax / risk }, cuts);
    risk = Math.min(risk, config.riskMax);
    for (const cut of multipliers) risk = apply(risk, cut, cuts);
    const { targetMultiple } = config.stop;
    return checked(NAME, {
      kind: 'sized',
      quantity:
        (inQuote(context, context.account.equity) * risk) /
        contractRisk(context.instrument, context.price, distance),
      stopDistance: distance,
      targetDistance: targetMultiple === null ? null : targetMultiple * distance,
      leverage: config.leverage,
      riskFraction: risk,
      cuts,
    });
  };
  const base = baseRisk(config, context.record);
  const monitor = { by: 'strategy-monitor', factor: context.record.monitorMultiplier };
  const breaker = { by: 'breaker', factor: context.breakerMultiplier };
  const stopped = base.objection ?? stoppedBy(monitor) ?? stoppedBy(breaker);
  if (stopped === null) return build(base.risk, [...base.cuts], [monitor, breaker]);
  const shadow = build(config.explorationRisk, [{ by: 'shadow', factor: 1 }], []);
  return notSized(stopped, shadow.kind === 'sized' ? shadow : null);
}

function apply(risk: number, cut: SizeCut, cuts: SizeCut[]): number {
  if (cut.factor !== 1) cuts.push(cut);
  return risk * cut.factor;
}

function stoppedBy(multiplier: SizeCut): Objection | null {
  if (multiplier.factor > 0) return null;
  return {
    by: multiplier.by,
    reason: 'entries are halted',
    measured: multiplier.factor,
    needed: 0,
    relation: '>',
  };
}

/** Regime and volatility factors, or why there are none. */
function marketFactors(
  config: SigmaSizerConfig,
  context: SizingContext,
  values: Readonly<Record<string, number>>,
): readonly SizeCut[] | Objection {
  const cuts: SizeCut[] = [];
  if (config.regimes !== null) {
    const stated = context.regime === null ? undefined : config.regimes[context.regime];
    if (stated === undefined || !Number.isFinite(stated)) {
      return { by: NAME, reason: `no size multiplier for regime ${context.regime ?? 'unknown'}` };
    }
    const [min, max] = config.regimeClamp;
    cuts.push({ by: `regime:${context.regime}`, factor: Math.min(max, Math.max(min, stated)) });
  }
  if (config.volatility !== null) {
    const v = values.volatility!;
    if (!(v >= 0 && v < Infinity)) return fault(NAME, 'volatility is not defined', v);
    cuts.push({ by: 'volatility', factor: volatilityFactor(config.volatility, v) });
  }
  return cuts;
}

/** Fraction of equity at risk before the market has its say. */
function baseRisk(
  config: SigmaSizerConfig,
  record: TrackRecord,
): { risk: number; cuts: readonly SizeCut[]; objection: Objection | null } {
  const exploration = {
    risk: config.explorationRisk,
    cuts: [{ by: 'exploration', factor: 1 }],
    objection: null,
  };
  if (record.n < config.tradesMin || record.edgeReturned) return exploration;
  const b = payoffRatio(record.meanWin, record.meanLoss, config.payoffCap);
  const f = b > 0 ? kelly(record.winRate, b) : -1;
  if (!(record.expectancy > 0 && f > 0)) {
    if (config.ignoreExpectancy) return { ...exploration, cuts: [{ by: 'expectancy-ignored', factor: 1 }] };
    const objection: Objection = {
      by: 'expectancy',
      reason: `no edge over the last ${record.n} closed trades`,
      measured: record.expectancy,
      needed: 0,
      relation: '>',
    };
    return { risk: 0, cuts: [], objection };
  }
  const cuts: SizeCut[] = [{ by: 'kelly-fraction', factor: config.kellyFraction }];
  let risk = f * config.kellyFraction;
  if (risk > config.riskMax) {
    cuts.push({ by: 'risk-cap', factor: config.riskMax / risk });
    risk = config.riskMax;
  }
  if (config.sampleRamp !== null && record.n < config.sampleRamp) {
    risk = apply(risk, { by: 'sample-ramp', factor: record.n / config.sampleRamp }, cuts);
  }
  return { risk, cuts, objection: null };
}

function recordFault(record: TrackRecord): Objection | null {
  const { n, winRate, meanWin, meanLoss, expectancy, monitorMultiplier } = record;
  if (!Number.isSafeInteger(n) || n < 0) return fault(NAME, 'number of closed trades is not a count', n);
  if (n > 0 && !(winRate >= 0 && winRate <= 1)) return fault(NAME, 'win rate is not within 0..1', winRate);
  if (n > 0 && !(meanWin >= 0 && meanLoss >= 0 && Number.isFinite(meanWin + meanLoss + expectancy))) {
    return fault(NAME, 'track record is not finite', meanWin + meanLoss + expectancy);
  }
  if (!(monitorMultiplier >= 0 && monitorMultiplier <= 1)) {
    return fault(NAME, 'monitor multiplier is not within 0..1', monitorMultiplier);
  }
  return null;
}
