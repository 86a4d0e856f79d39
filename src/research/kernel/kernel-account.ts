import { mulDiv, stepsToNumber } from '#base';
import { feeOn } from '#execution';
import { initialMargin, isPerpetual, liquidationTicksOf } from '#ledger';
import { type Instrument, notional, RATE_ONE, WORTH_MOST } from '#market';

/** One fill as it is told to who records them. Times as the loop reports them. */
export interface KernelFill {
  /** Bar in which it happened. */
  readonly bar: number;
  readonly eventTime: number;
  readonly side: 'buy' | 'sell';
  readonly lots: number;
  readonly ticks: number;
  /** Minor units. */
  readonly fee: number;
  /** Reason of the order. */
  readonly reason: string;
}

/** From entry to flat. */
export interface KernelTrade {
  readonly openedAt: number;
  readonly closedAt: number;
  readonly direction: 1 | -1;
  /** Largest size held. */
  readonly lots: number;
  /** Gross of fees, minor units. */
  readonly realised: number;
  readonly fees: number;
  /** Reason of the order that closed it. */
  readonly exitReason: string;
}

/** Hears what happens in one run of the kernel. */
export interface KernelRecorder {
  fill(fill: KernelFill): void;
  trade(trade: KernelTrade): void;
}

/** A float is off by less than this share of itself after the few operations of {@link KernelAccount.feeOf}. */
const ROUNDING = 2e-15;

/**
 * The account of one rule in one instrument: the ledger's arithmetic on plain fields. All money in minor units of the
 * settle currency, exact.
 */
export class KernelAccount {
  /** Signed. */
  lots = 0;
  /** Minor units paid (long) or received (short) for what is held. */
  cost = 0;
  margin = 0;
  /** Average entry price. */
  entryPrice = 0;
  /** When the position was opened at the venue. */
  openedAt = 0;
  /** Price at which the position is liquidated; NaN when it cannot be. */
  liquidation = Number.NaN;
  /** What moved in money; of a perpetual only results do. */
  cash: number;
  readonly start: number;
  realised = 0;
  fees = 0;
  fills = 0;
  trades = 0;
  recorder: KernelRecorder | null = null;
  private readonly instrument: Instrument;
  private readonly feeRate: number;
  private readonly liquidates: boolean;
  private readonly perpetual: boolean;
  private readonly numerator: number;
  private readonly exact: boolean;
  /** Minor units of fee for a tick and lot, as a float. */
  private readonly feePerStep: number;
  private tradeLots = 0;
  private tradeRealised = 0;
  private tradeFees = 0;

  constructor(instrument: Instrument, cash: number, feeRate: number, liquidates: boolean) {
    this.instrument = instrument;
    this.cash = cash;
    this.start = cash;
    this.feeRate = feeRate;
    this.liquidates = liquidates;
    this.perpetual = isPerpetual(instrument);
    this.numerator = instrument.valueNumerator;
    this.exact = instrument.valueDenominator === 1;
    this.feePerStep = (instrument.valueNumerator / instrument.valueDenominator) * (feeRate / RATE_ONE);
  }

  /** Worth of `lots` at `ticks`, rounded once. */
  worth(lots: number, ticks: number, up: boolean): number {
    if (this.exact) {
      const exact = ticks * (lots * this.numerator);
      if (exact <= Number.MAX_SAFE_INTEGER) return exact;
    }
    return notional(this.instrument, ticks, lots, up ? 'ceil' : 'floor');
  }

  /** Fee of a fill, rounded up; by the venue's own exact rule where a float leaves a doubt. */
  feeOf(lots: number, ticks: number): number {
    if (this.feeRate === 0) return 0;
    if (this.exact) {
      // a whole number below 2^53 over 1e8 is further from the next whole one than a float is off
      const product = ticks * (lots * this.numerator) * this.feeRate;
      if (product <= Number.MAX_SAFE_INTEGER && product > 0) return Math.ceil(product / RATE_ONE);
    }
    const about = ticks * lots * this.feePerStep;
    const up = Math.ceil(about);
    const doubt = about * ROUNDING;
    if (this.feeRate > 0 && up - about > doubt && about - (up - 1) > doubt) return up;
    // prices and sizes of a few digits make whole amounts: those need no longer numbers
    const worth = this.worth(lots, ticks, true);
    if (worth === this.worth(lots, ticks, false)) return mulDiv(worth, this.feeRate, RATE_ONE, 'ceil');
    return feeOn(this.instrument, ticks, lots, this.feeRate);
  }

  /** What closing at the mark would realise. */
  unrealised(markTicks: number): number {
    const { lots } = this;
    if (lots === 0) return 0;
    return lots > 0
      ? this.worth(lots, markTicks, false) - this.cost
      : this.cost - this.worth(-lots, markTicks, true);
  }

  equity(markTicks: number): number {
    return this.start + this.realised - this.fees + this.unrealised(markTicks);
  }

  /** What new positions may use while no order sets anything aside. */
  free(markTicks: number): number {
    const counts = this.perpetual || this.lots < 0;
    return this.cash + (counts ? this.unrealised(markTicks) : 0) - this.margin;
  }

  /** Whether numbers have grown beyond what can be reckoned safely. */
  get isBeyond(): boolean {
    return !(Math.abs(this.cash) <= WORTH_MOST && this.cost <= WORTH_MOST);
  }

  /** Books a fill of `lots` (positive) in `direction`; true when a trade ended. `at`: when the loop hears of it, `filledAt`: when it came about. */
  fill(
    direction: 1 | -1,
    lots: number,
    ticks: number,
    leverage: number,
    at: number,
    filledAt: number,
    reason: string,
  ): boolean {
    const held = this.lots;
    const closed = held * direction < 0 ? Math.min(Math.abs(held), lots) : 0;
    const opened = lots - closed;
    const fee = this.feeOf(lots, ticks);
    let closedFee = 0;
    if (closed > 0) {
      closedFee = opened === 0 ? fee : fee - mulDiv(fee, opened, lots, 'trunc');
      this.reduce(closed, ticks);
      this.tradeFees += closedFee;
    }
    const ended = closed > 0 && this.lots === 0;
    if (ended) this.endTrade(held > 0 ? 1 : -1, at, reason);
    if (opened > 0) {
      this.enlarge(direction, opened, ticks, leverage, filledAt);
      this.tradeFees += fee - closedFee;
    }
    this.fees += fee;
    this.cash -= fee;
    this.fills += 1;
    if (this.liquidates) this.liquidation = this.liquidationPrice();
    return ended;
  }

  /** What is left of a cost that was paid is rounded down, of one that was received up: no profit comes early. */
  private reduce(closed: number, ticks: number): void {
    const { lots, cost } = this;
    const long = lots > 0;
    const size = long ? lots : -lots;
    const left = size - closed;
    const rest = left === 0 ? 0 : mulDiv(cost, left, size, long ? 'floor' : 'ceil');
    const released = cost - rest;
    const flow = this.worth(closed, ticks, !long);
    const realised = long ? flow - released : released - flow;
    this.cash += this.perpetual ? realised : long ? flow : -flow;
    this.realised += realised;
    this.tradeRealised += realised;
    this.margin = left === 0 ? 0 : mulDiv(this.margin, left, size, 'ceil');
    this.cost = rest;
    this.lots = long ? left : -left;
  }

  private enlarge(
    direction: 1 | -1,
    opened: number,
    ticks: number,
    leverage: number,
    filledAt: number,
  ): void {
    const worth = this.worth(opened, ticks, direction === 1);
    const price = stepsToNumber(ticks, this.instrument.tick);
    const margin =
      this.perpetual || direction === -1
        ? initialMargin(this.instrument, direction * opened, worth, leverage)
        : 0;
    if (!this.perpetual) this.cash -= direction * worth;
    if (this.lots === 0) {
      this.cost = worth;
      this.margin = margin;
      this.entryPrice = price;
      this.openedAt = filledAt;
    } else {
      this.cost += worth;
      this.margin += margin;
      if (price !== this.entryPrice) {
        const sum = this.lots + direction * opened;
        this.entryPrice = (this.lots * this.entryPrice + direction * opened * price) / sum;
      }
    }
    this.lots += direction * opened;
    const size = Math.abs(this.lots);
    if (size > this.tradeLots) this.tradeLots = size;
  }

  private endTrade(direction: 1 | -1, at: number, exitReason: string): void {
    this.trades += 1;
    this.recorder?.trade({
      openedAt: this.openedAt,
      closedAt: at,
      direction,
      lots: this.tradeLots,
      realised: this.tradeRealised,
      fees: this.tradeFees,
      exitReason,
    });
    this.tradeLots = 0;
    this.tradeRealised = 0;
    this.tradeFees = 0;
  }

  private liquidationPrice(): number {
    const { instrument, lots, cost, margin } = this;
    const ticks = lots === 0 ? null : liquidationTicksOf(instrument, lots, cost, margin);
    return ticks === null ? Number.NaN : stepsToNumber(ticks, instrument.tick);
  }
}
