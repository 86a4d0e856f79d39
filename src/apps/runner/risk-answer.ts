import { DAY, formatDecimal, stepsToText } from '#base';
import { type Engine, limitsInForce } from '#engine';
import { type AccountSummary, type Exposure, heat, type Limit, platformGuard, valueAtRisk } from '#risk';
import type {
  BreakerAnswer,
  ExposureAnswer,
  ExposureSum,
  LimitGauge,
  RiskAnswer,
} from './control-answers.ts';
import type { Figures } from './figures.ts';

const FORMULA =
  "VaR 95 %, one day, one-sided: 1.645 * sqrt(day / period) * sqrt(v'Rv); v: signed notional times the standard deviation of one period's return, R: the correlations that the limits use";

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** What a portfolio has at risk and how much of every limit is used, as things stand. Changes nothing. */
export function riskAnswer(engine: Engine, figures: Figures): RiskAnswer {
  const { definition, limitChanges, real, intake } = engine;
  const account = engine.account(real);
  const { exposures, ordered = [] } = account;
  const money = (minor: number) => formatDecimal(Math.round(minor), definition.baseMinorScale);
  const { correlations } = intake;
  const rho = (a: string, b: string) => correlations.between(a, b);
  const { amount, unknown } = valueAtRisk(
    exposures,
    (id) => correlations.deviation(id),
    rho,
    DAY / correlations.periodMs,
  );
  const instruments = [...new Set(engine.desks.flatMap((d) => d.instruments.map((i) => i.instrument.id)))];
  instruments.sort();
  const gross = exposures.reduce((sum, e) => sum + e.notional, 0);
  const net = exposures.reduce((sum, e) => sum + e.direction * e.notional, 0);
  const configured = definition.limits ?? {};
  const { equity, equityAtDayStart } = account;
  return {
    at: engine.at,
    currency: definition.base,
    running: engine.running,
    desksStopped: [...engine.desksStopped].sort(),
    equity: money(equity),
    free: money(account.freeBalance),
    margin: money(exposures.reduce((sum, e) => sum + e.margin, 0)),
    gross: money(gross),
    net: money(net),
    limits: gaugesOf(engine, account),
    portfolioLimits: { configured, changed: limitChanges, inForce: limitsInForce(configured, limitChanges) },
    exposures: exposures.map((e) => exposureAnswer(engine, e, equity, money)),
    ordered: ordered.map((e) => exposureAnswer(engine, e, equity, money)),
    byInstrument: sums(exposures, equity, money, (e) => e.instrument),
    byUnderlying: sums(exposures, equity, money, (e) => e.underlying),
    heat: finite(
      heat(
        [...exposures, ...ordered].map((e) => ({
          instrument: e.instrument,
          weight: (e.direction * e.riskToStop) / equity,
        })),
        rho,
      ),
    ),
    valueAtRisk: {
      amount: amount === null ? null : money(amount),
      share: amount === null ? null : finite(amount / equity),
      confidence: 0.95,
      spanMs: DAY,
      formula: FORMULA,
      unknown,
    },
    correlation: {
      instruments,
      matrix: instruments.map((a) => instruments.map((b) => finite(rho(a, b)))),
      deviations: instruments.map((id) => correlations.deviation(id)),
      periodMs: correlations.periodMs,
    },
    breaker: breakerAnswer(engine),
    drawdown: { now: figures.drawdownOf(equity), max: figures.maxDrawdown, peak: money(figures.peak) },
    day: {
      start: money(equityAtDayStart),
      change: equityAtDayStart > 0 ? equity / equityAtDayStart - 1 : 0,
      loss: equityAtDayStart > 0 ? Math.max(0, 1 - equity / equityAtDayStart) : 0,
    },
  };
}

function gaugesOf({ definition, desks, plans }: Engine, account: AccountSummary): LimitGauge[] {
  const gauges: LimitGauge[] = [];
  const add = (limits: readonly Limit[], desk: string | null, layer: LimitGauge['layer']) => {
    for (const { name, uses } of limits) {
      const lines = uses?.(account) ?? [];
      if (lines.length === 0)
        gauges.push({ name, desk, layer, of: null, used: null, max: null, share: null, unit: null });
      for (const { of, used, max, unit } of lines)
        gauges.push({
          name,
          desk,
          layer,
          of,
          used: finite(used),
          max: finite(max),
          share: finite(used / max),
          unit,
        });
    }
  };
  for (const { name, parts } of desks) {
    add(parts.limits ?? [], name, 'limit');
    add(parts.safetyLayers ?? [], name, 'safety');
  }
  add(plans.portfolioLimits, null, 'portfolio');
  if (definition.platform !== null) add([platformGuard(definition.platform)], null, 'platform');
  return gauges;
}

function exposureAnswer(
  engine: Engine,
  e: Exposure,
  equity: number,
  money: (minor: number) => string,
): ExposureAnswer {
  return {
    book: e.book,
    desk: e.desk,
    instrument: e.instrument,
    underlying: e.underlying,
    side: e.direction === 1 ? 'long' : 'short',
    quantity: stepsToText(e.lots, engine.instrumentOf(e.instrument).lot),
    notional: money(e.notional),
    margin: money(e.margin),
    riskToStop: money(e.riskToStop),
    unrealised: money(e.unrealised),
    share: finite(e.notional / equity),
  };
}

function sums(
  exposures: readonly Exposure[],
  equity: number,
  money: (minor: number) => string,
  of: (exposure: Exposure) => string,
): ExposureSum[] {
  const found = new Map<string, { long: number; short: number; margin: number }>();
  for (const e of exposures) {
    const sum = found.get(of(e)) ?? { long: 0, short: 0, margin: 0 };
    if (e.direction === 1) sum.long += e.notional;
    else sum.short += e.notional;
    sum.margin += e.margin;
    found.set(of(e), sum);
  }
  return [...found]
    .sort(([, a], [, b]) => b.long + b.short - (a.long + a.short))
    .map(([name, { long, short, margin }]) => ({
      of: name,
      long: money(long),
      short: money(short),
      net: money(long - short),
      gross: money(long + short),
      margin: money(margin),
      share: finite((long + short) / equity),
    }));
}

function breakerAnswer({ breaker, at }: Engine): BreakerAnswer | null {
  if (breaker === null) return null;
  const { state, since, isOverridden, closesAll, sizeMultiplier, nextDue, causes, thresholds, history } =
    breaker;
  return {
    state,
    since,
    overridden: isOverridden,
    closesAll,
    sizeMultiplier,
    nextDueAt: finite(nextDue),
    causes,
    thresholds,
    measures: breaker.measuresAt(at),
    history,
  };
}
