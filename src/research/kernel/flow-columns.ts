import { KernelAccount } from './kernel-account.ts';
import type { KernelMarket } from './kernel-market.ts';
import type { KernelRule } from './kernel-rule.ts';

/** Doubles of an entry: change of money, fee. */
const ENTRY = 2;
/** Sells and buys, of the position and of twice as much. */
const COLUMNS = 4;

/**
 * What one size pays at the opening of each bar of a piece, for all rules that trade it: a fill is then one addition. Fees
 * are those of {@link KernelAccount}.
 */
export class FlowColumns {
  private readonly values: Float64Array;
  private readonly address: number;
  private readonly rows: number;
  private readonly filled = [false, false];
  private market: KernelMarket | null = null;
  private rule: KernelRule | null = null;
  private lots = 0;
  private from = -1;

  /** Doubles for pieces of so many rows and the bar behind them. */
  static doubles(rows: number): number {
    return COLUMNS * ENTRY * (rows + 1);
  }

  /** `values` lies at the byte address. */
  constructor(values: Float64Array, address: number, rows: number) {
    this.values = values;
    this.address = address;
    this.rows = rows;
  }

  /** Which size of whose rule trades from now on, in the piece that begins at bar `from`. */
  turnTo(market: KernelMarket, rule: KernelRule, lots: number, from: number): void {
    const same = this.lots === lots && this.rule?.feeRate === rule.feeRate && this.market === market;
    if (same && this.from === from) return;
    this.market = market;
    this.rule = rule;
    this.lots = lots;
    this.from = from;
    this.filled.fill(false);
  }

  /** Byte address of the column of a change of so many times the size: 1, 2, -1 or -2. */
  of(change: number): number {
    const times = Math.abs(change) as 1 | 2;
    if (!this.filled[times - 1]) this.fill(times);
    return this.address + 8 * this.at(change);
  }

  private at(change: number): number {
    return (2 * (Math.abs(change) - 1) + (change > 0 ? 1 : 0)) * ENTRY * (this.rows + 1);
  }

  private fill(times: 1 | 2): void {
    this.filled[times - 1] = true;
    const { values, from } = this;
    const { instrument, cash, feeRate } = this.rule!;
    const { buyTicks, sellTicks, length } = this.market!;
    const account = new KernelAccount(instrument, cash, feeRate, false);
    const lots = times * this.lots;
    const perTick = lots * instrument.valueNumerator;
    const to = Math.min(length, from + this.rows + 1);
    let buy = this.at(times);
    let sell = this.at(-times);
    for (let bar = from; bar < to; bar++) {
      const paid = account.feeOf(lots, buyTicks[bar]!);
      values[buy++] = -(buyTicks[bar]! * perTick) - paid;
      values[buy++] = paid;
      const fee = account.feeOf(lots, sellTicks[bar]!);
      values[sell++] = sellTicks[bar]! * perTick - fee;
      values[sell++] = fee;
    }
  }
}
