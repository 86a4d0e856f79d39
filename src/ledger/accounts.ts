import { broken, InputError, type Instant, power10, safe } from '#base';
import type { Currency } from '#market';

/** Accounts of one currency, debit positive. Their sum is zero at all times. */
export const ACCOUNT = {
  /** What the venues owe us in money. */
  cash: 0,
  /** Holdings at cost: positive where the cost was paid, negative where it was received. */
  positions: 1,
  /** Counter-entry of perpetual positions, whose cost was never paid. */
  obligations: 2,
  capital: 3,
  realised: 4,
  fees: 5,
  funding: 6,
  dividends: 7,
  borrowing: 8,
  interest: 9,
} as const;
export type Account = (typeof ACCOUNT)[keyof typeof ACCOUNT];
const WIDTH = 10;

/**
 * Double entry on whole minor units, one column of accounts per currency, and the newest rates into the base
 * currency. Slot 0 is the base currency.
 */
export class Accounts {
  static readonly configuration = ['base', 'staleAfterMs'];
  readonly base: Currency;
  private readonly staleAfterMs: number;
  readonly codes: Currency[] = [];
  private readonly scales: number[] = [];
  private readonly slots = new Map<Currency, number>();
  private balances = new Float64Array(0);
  /** Set aside for orders, per currency. */
  readonly reserved: number[] = [];
  /** Base units per unit, 0 while unknown. */
  private readonly rates: number[] = [];
  private readonly ratedAt: number[] = [];
  /** Rates of currencies that have no column yet. */
  private readonly early = new Map<Currency, { rate: number; at: Instant }>();
  /** Paid-in capital in base minor units at the rate of its day, and what still waits for a first rate. */
  private capitalInBase = 0;
  private readonly unratedCapital: number[] = [];

  constructor(base: Currency, baseMinorScale: number, staleAfterMs: number) {
    this.base = base;
    this.staleAfterMs = staleAfterMs;
    this.slot(base, baseMinorScale);
  }

  /** The column of a currency, opened on first use. One currency has one minor unit in a portfolio. */
  slot(code: Currency, minorScale: number): number {
    const known = this.slots.get(code);
    if (known !== undefined) {
      if (this.scales[known] !== minorScale) {
        throw new InputError(
          `${code} is kept with ${this.scales[known]} decimals in this portfolio, not ${minorScale}`,
          'give every instrument that settles in one currency the same minorScale',
        );
      }
      return known;
    }
    if (!(Number.isInteger(minorScale) && minorScale >= 0 && minorScale <= 12))
      broken(`minor scale ${minorScale} of ${code}`);
    const slot = this.codes.length;
    this.slots.set(code, slot);
    this.codes.push(code);
    this.scales.push(minorScale);
    this.reserved.push(0);
    const early = this.early.get(code);
    this.early.delete(code);
    this.rates.push(code === this.base ? 1 : (early?.rate ?? 0));
    this.ratedAt.push(early?.at ?? Number.NEGATIVE_INFINITY);
    this.unratedCapital.push(0);
    const wider = new Float64Array(this.codes.length * WIDTH);
    wider.set(this.balances);
    this.balances = wider;
    return slot;
  }

  slotOf(code: Currency): number | undefined {
    return this.slots.get(code);
  }

  /** Moves `amount` (any sign) from `credit` to `debit`. */
  post(slot: number, debit: Account, credit: Account, amount: number): void {
    const d = slot * WIDTH + debit;
    const c = slot * WIDTH + credit;
    const balances = this.balances;
    const up = safe(balances[d]! + amount);
    balances[c] = safe(balances[c]! - amount);
    balances[d] = up;
  }

  balance(slot: number, account: Account): number {
    return this.balances[slot * WIDTH + account]!;
  }

  /** Cash and holdings at cost: equity before unrealised profit. */
  bookValue(slot: number): number {
    const at = slot * WIDTH;
    const b = this.balances;
    return b[at + ACCOUNT.cash]! + b[at + ACCOUNT.positions]! + b[at + ACCOUNT.obligations]!;
  }

  /** Sum over all accounts of a currency, with `positions` counted from the books instead of the account. */
  total(slot: number, positionsFromBooks: number): number {
    let sum = positionsFromBooks;
    for (let i = 0; i < WIDTH; i++) if (i !== ACCOUNT.positions) sum += this.balances[slot * WIDTH + i]!;
    return sum;
  }

  /** Capital paid in (or out, negative), minor units. */
  addCapital(slot: number, amount: number): void {
    this.post(slot, ACCOUNT.cash, ACCOUNT.capital, amount);
    if (this.rates[slot] === 0) this.unratedCapital[slot] = safe(this.unratedCapital[slot]! + amount);
    else this.capitalInBase = safe(this.capitalInBase + this.toBase(slot, amount, false));
  }

  /** Paid-in capital at the rates of its days, base minor units; not counted before a currency's first rate. */
  get capital(): number {
    return this.capitalInBase;
  }

  /** Newest rate, whichever way round it was quoted. Pairs without the base currency are passed over. */
  rate(from: Currency, to: Currency, rate: number, at: Instant): void {
    if (!(rate > 0 && Number.isFinite(rate))) broken(`rate ${from}/${to}: ${rate}`);
    if (from === to || (from !== this.base && to !== this.base)) return;
    const code = to === this.base ? from : to;
    const perUnit = to === this.base ? rate : 1 / rate;
    const slot = this.slots.get(code);
    if (slot === undefined) {
      this.early.set(code, { rate: perUnit, at });
      return;
    }
    if (at < this.ratedAt[slot]!) return;
    this.rates[slot] = perUnit;
    this.ratedAt[slot] = at;
    const waiting = this.unratedCapital[slot]!;
    if (waiting === 0) return;
    this.unratedCapital[slot] = 0;
    this.capitalInBase = safe(this.capitalInBase + this.toBase(slot, waiting, false));
  }

  /** Base minor units, rounded down (or up for what counts against us). 0 while no rate is known. */
  toBase(slot: number, amount: number, up: boolean): number {
    if (slot === 0 || amount === 0) return amount;
    const shift = this.scales[0]! - this.scales[slot]!;
    const scaled = amount * this.rates[slot]!;
    const value = shift >= 0 ? scaled * power10(shift) : scaled / power10(-shift);
    return safe(up ? Math.ceil(value) : Math.floor(value)) + 0;
  }

  /** Base minor units for one minor unit of a column's currency, as a float; 0 while no rate is known. */
  perMinor(slot: number): number {
    return slot === 0 ? 1 : this.rates[slot]! * 10 ** (this.scales[0]! - this.scales[slot]!);
  }

  /** Whether an account in a currency may be opened with this minor unit; one currency has one. */
  takes(code: Currency, minorScale: number): boolean {
    const known = this.slots.get(code);
    return known === undefined || this.scales[known] === minorScale;
  }

  /** Base units per unit of a column's currency; null while unknown or older than allowed. */
  freshRate(slot: number, at: Instant): number | null {
    if (slot === 0) return 1;
    const fresh = this.rates[slot]! > 0 && at - this.ratedAt[slot]! <= this.staleAfterMs;
    return fresh ? this.rates[slot]! : null;
  }

  /** Whether the rate of every currency in use is known and not older than allowed. */
  allFresh(at: Instant): boolean {
    for (let slot = 1; slot < this.codes.length; slot++) {
      if (this.freshRate(slot, at) === null && this.inUse(slot)) return false;
    }
    return true;
  }

  /** Whether anything at all is held or set aside in a currency. */
  private inUse(slot: number): boolean {
    const at = slot * WIDTH;
    const b = this.balances;
    return (
      b[at + ACCOUNT.cash] !== 0 ||
      b[at + ACCOUNT.positions] !== 0 ||
      b[at + ACCOUNT.obligations] !== 0 ||
      this.reserved[slot] !== 0
    );
  }
}
