import { columnarSizers } from '../columnar.ts';
import type { SizeCut } from '../plan.ts';
import type { NotSized, Sized, Sizer, SizingContext } from '../sizer.ts';
import {
  checked,
  contextFault,
  contractRisk,
  contractValue,
  fault,
  inQuote,
  notSized,
} from './contract-value.ts';
import { type StopRule, stopDistance } from './stop-rule.ts';

type Values = Readonly<Record<string, number>>;

/** Options shared by the sizers below: leverage (1 unless stated) and protective distances (none unless stated). */
export interface SizerOptions {
  readonly leverage?: number;
  readonly stop?: StopRule | null;
}

/** Distances of a stop rule; null where no rule is given; 'bad' when the average true range is not defined. */
function distances(stop: StopRule | null, context: SizingContext, values: Values) {
  if (stop === null) return { stopDistance: null, targetDistance: null };
  const distance = stopDistance(stop, values.atr!, context.price, context.costRate);
  if (!(distance > 0 && distance < Infinity)) return 'bad';
  return {
    stopDistance: distance,
    targetDistance: stop.targetMultiple === null ? null : stop.targetMultiple * distance,
  };
}

function finish(
  name: string,
  context: SizingContext,
  values: Values,
  options: SizerOptions,
  quantity: number,
  usesEquity = true,
): Sized | NotSized {
  const bad = contextFault(name, context, usesEquity);
  if (bad !== null) return notSized(bad);
  const spread = distances(options.stop ?? null, context, values);
  if (spread === 'bad') return notSized(fault(name, 'stop distance is not defined', values.atr!));
  const cuts: SizeCut[] = [];
  const factor = context.breakerMultiplier;
  if (factor === 0) return notSized({ by: 'breaker', reason: 'entries are halted' });
  if (factor !== 1) cuts.push({ by: 'breaker', factor });
  const size = quantity * factor;
  const risk = spread.stopDistance === null ? null : riskShare(context, size, spread.stopDistance);
  return checked(name, {
    kind: 'sized',
    quantity: size,
    ...spread,
    leverage: options.leverage ?? 1,
    riskFraction: risk,
    cuts,
  });
}

/** Loss to the stop over equity; null when there is no equity to speak of. */
function riskShare(context: SizingContext, quantity: number, stopDistance: number): number | null {
  const equity = inQuote(context, context.account.equity);
  return equity > 0
    ? (quantity * contractRisk(context.instrument, context.price, stopDistance)) / equity
    : null;
}

const needs = (options: SizerOptions, more: Record<string, string> = {}): Record<string, string> =>
  options.stop ? { atr: options.stop.atr, ...more } : more;

const common = ({ leverage = 1, stop = null }: SizerOptions) => ({ leverage, stop });

/** Always the same number of contracts. */
export function fixedUnits(units: number, options: SizerOptions = {}): Sizer {
  const sizer: Sizer = {
    name: 'fixed-units',
    features: needs(options),
    size: (context, values) => finish('fixed-units', context, values, options, units, false),
  };
  return columnarSizers.describe(sizer, { kind: 'fixed-units', units, ...common(options) });
}

/**
 * Puts the same fraction of equity at risk to the stop each time: quantity = equity*risk / loss to the stop, its notional
 * at most `notionalMax` equities (no cap unless given).
 */
export function fixedFraction(
  risk: number,
  options: SizerOptions & { readonly stop: StopRule; readonly notionalMax?: number },
): Sizer {
  const name = 'fixed-fraction';
  const { notionalMax = null } = options;
  const sizer: Sizer = {
    name,
    features: needs(options),
    size: (context, values) => {
      const distance = stopDistance(options.stop, values.atr!, context.price, context.costRate);
      const loss = contractRisk(context.instrument, context.price, distance);
      const money = inQuote(context, context.account.equity);
      const byRisk = (money * risk) / loss;
      if (notionalMax === null) return finish(name, context, values, options, byRisk);
      const most = (money * notionalMax) / contractValue(context.instrument, context.price);
      return finish(name, context, values, options, Math.min(byRisk, most));
    },
  };
  return columnarSizers.describe(sizer, { kind: name, risk, notionalMax, ...common(options) });
}

/** Spends `share` (0..1) of what is free, never more than equity, after paying one side's cost. */
export function allIn(share = 1, options: SizerOptions = {}): Sizer {
  const name = 'all-in';
  const sizer: Sizer = {
    name,
    features: needs(options),
    size: (context, values) => {
      const { equity, freeBalance } = context.account;
      if (!(freeBalance > 0)) return notSized(fault(name, 'no free balance', freeBalance));
      const leverage = options.leverage ?? 1;
      const cash = inQuote(context, Math.min(equity, freeBalance)) * share;
      // the cost is paid on the notional, the margin is only a part of it
      const perContract =
        contractValue(context.instrument, context.price) * (1 / leverage + context.costRate);
      return finish(name, context, values, options, cash / perContract);
    },
  };
  return columnarSizers.describe(sizer, { kind: name, share, ...common(options) });
}

/**
 * Notional = equity * target / volatility, at most equity * leverage. `target` and the feature are annualised
 * fractions (Moskowitz, Ooi and Pedersen 2012).
 */
export function volatilityTarget(target: number, feature: string, options: SizerOptions = {}): Sizer {
  const name = 'volatility-target';
  const sizer: Sizer = {
    name,
    features: needs(options, { volatility: feature }),
    size: (context, values) => {
      const volatility = values.volatility!;
      if (!(volatility > 0 && volatility < Infinity)) {
        return notSized(fault(name, 'volatility is not a positive finite number', volatility));
      }
      const gearing = Math.min(target / volatility, options.leverage ?? 1);
      const value = inQuote(context, context.account.equity) * gearing;
      return finish(name, context, values, options, value / contractValue(context.instrument, context.price));
    },
  };
  return columnarSizers.describe(sizer, { kind: name, target, feature, ...common(options) });
}
