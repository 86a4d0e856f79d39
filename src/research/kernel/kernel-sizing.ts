import { numberToSteps, power10, type Step, stepsToNumber } from '#base';
import { canReckon, notional } from '#market';
import { type ColumnarSizer, stopDistance } from '#risk';
import type { KernelAccount } from './kernel-account.ts';
import type { KernelRule } from './kernel-rule.ts';

/** Values of the sizer's features at the bar of the decision; NaN where it has none. */
export interface SizingValues {
  readonly atr: number;
  readonly volatility: number;
}

/** Whether a positive number of units is a whole number of steps that can be written down. */
const onGrid = (value: number, { units, scale }: Step): boolean =>
  (value * 10 ** scale) / units <= Number.MAX_SAFE_INTEGER;

const usable = (value: number): boolean => value > 0 && value < Infinity;

/** Sizes an entry: sizer, grid and the judge's minima in the order and the arithmetic of the loop. */
export class KernelSizing {
  /** Of the entry sized last; null without one. */
  stopTicks: number | null = null;
  targetTicks: number | null = null;
  private readonly rule: KernelRule;
  private readonly contractSize: number;
  private readonly perUnit: number;

  constructor(rule: KernelRule) {
    this.rule = rule;
    this.contractSize = stepsToNumber(1, rule.instrument.contractSize);
    this.perUnit = power10(rule.instrument.minorScale);
  }

  /** Lots to open, 0 when the entry is refused. `held`: lots of the other side that the same order turns round. */
  lots(
    direction: 1 | -1,
    price: number,
    markTicks: number,
    account: KernelAccount,
    values: SizingValues,
    held: number,
  ): number {
    const { instrument, sizer, costRate, solvent } = this.rule;
    const equity = account.equity(markTicks);
    // the judge refuses without equity, and every sizer but that of fixed units before it
    if ((solvent || sizer.kind !== 'fixed-units') && !(equity > 0)) return 0;
    if (!(costRate >= 0 && costRate < 1)) return 0;
    let distance: number | null = null;
    let targetDistance: number | null = null;
    if (sizer.stop !== null) {
      distance = stopDistance(sizer.stop, values.atr, price, costRate);
      if (!usable(distance)) return 0;
      if (sizer.stop.targetMultiple !== null) {
        targetDistance = sizer.stop.targetMultiple * distance;
        if (!usable(targetDistance)) return 0;
      }
    }
    const quantity = this.quantity(sizer, price, equity, account, markTicks, values, distance);
    if (!usable(quantity)) return 0;
    const farthest = price + (distance ?? 0) + (targetDistance ?? 0);
    if (!onGrid(quantity, instrument.lot) || !onGrid(farthest, instrument.tick)) return 0;
    const lots = numberToSteps(quantity, instrument.lot, 'floor');
    if (lots < Math.max(1, instrument.minLots) || !canReckon(instrument, lots + held, price)) return 0;
    if (numberToSteps(price, instrument.tick, 'half-away') <= 0) return 0;
    if (!this.protect(direction, price, distance, targetDistance)) return 0;
    return this.isTooSmall(lots + held, price) ? 0 : lots;
  }

  /** Whether so many lots are worth less than the smallest order. */
  isTooSmall(lots: number, price: number): boolean {
    const { instrument } = this.rule;
    const { minNotional, tick } = instrument;
    if (minNotional === 0) return false;
    return notional(instrument, numberToSteps(price, tick, 'half-away'), lots, 'floor') < minNotional;
  }

  private quantity(
    sizer: ColumnarSizer,
    price: number,
    equity: number,
    account: KernelAccount,
    markTicks: number,
    { volatility }: SizingValues,
    distance: number | null,
  ): number {
    const { leverage } = sizer;
    switch (sizer.kind) {
      case 'fixed-units':
        return sizer.units;
      case 'fixed-fraction': {
        const money = equity / this.perUnit;
        const byRisk = (money * sizer.risk) / (this.contractSize * distance!);
        if (sizer.notionalMax === null) return byRisk;
        return Math.min(byRisk, (money * sizer.notionalMax) / (price * this.contractSize));
      }
      case 'all-in': {
        const free = account.free(markTicks);
        if (!(free > 0)) return 0;
        const cash = (Math.min(equity, free) / this.perUnit) * sizer.share;
        return cash / (price * this.contractSize * (1 / leverage + this.rule.costRate));
      }
      case 'volatility-target': {
        if (!usable(volatility)) return 0;
        const gearing = Math.min(sizer.target / volatility, leverage);
        return ((equity / this.perUnit) * gearing) / (price * this.contractSize);
      }
    }
  }

  /** Stop and target on the grid; false when the stop would lie at or below zero. */
  private protect(direction: 1 | -1, price: number, stop: number | null, target: number | null): boolean {
    const { tick } = this.rule.instrument;
    const long = direction === 1;
    this.stopTicks =
      stop === null ? null : numberToSteps(price - direction * stop, tick, long ? 'floor' : 'ceil');
    if (this.stopTicks !== null && this.stopTicks <= 0) return false;
    this.targetTicks =
      target === null
        ? null
        : Math.max(1, numberToSteps(price + direction * target, tick, long ? 'ceil' : 'floor'));
    return true;
  }
}
