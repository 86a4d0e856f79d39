import { safe } from '#base';
import type { Currency } from '#market';
import { ACCOUNT, type Accounts } from './accounts.ts';
import { isPerpetual } from './apply-fill.ts';
import type { Holdings } from './holdings.ts';

/** The account in one currency, minor units. `equity = cashStart + realised - fees - funding + unrealised` exactly. */
export interface Figures {
  /** Opening cash plus deposits, less withdrawals. */
  readonly cashStart: number;
  readonly equity: number;
  readonly cash: number;
  /** Gross of fees. */
  readonly realised: number;
  readonly unrealised: number;
  /** Positive when paid. */
  readonly fees: number;
  /** Funding and all other carry (borrowing, interest, dividends), positive when paid. */
  readonly funding: number;
  /** Isolated initial margin of open positions. */
  readonly margin: number;
  /** Set aside for working orders. */
  readonly reserved: number;
  /** What new positions may use. */
  readonly free: number;
}

/** The same in the base currency. */
export interface Summary extends Figures {
  /**
   * What exchange rates did: equity less the other terms of the identity. 0 with one currency. `cashStart` is taken
   * at the rates of its days, everything else at the newest.
   */
  readonly fxDifference: number;
  readonly ratesFresh: boolean;
}

/**
 * Figures of one currency. Free balance: perpetuals are equity-based, so their unrealised profit and loss counts; what
 * is bought outright is cash-based, it counts nothing until sold; a short sale's proceeds are locked in its margin and
 * its unrealised result counts; a binary claim is fully collateralised.
 */
export function figuresOf(accounts: Accounts, holdings: Holdings, slot: number): Figures {
  let unrealised = 0;
  let collateral = 0;
  let margin = 0;
  for (const holding of holdings.open) {
    if (holding.currencySlot !== slot) continue;
    const result = holdings.unrealised(holding);
    const term = holdings.term(holding.instrumentSlot);
    unrealised += result;
    margin += holding.position.margin;
    if (isPerpetual(term) || (holding.position.lots < 0 && term.kind !== 'binary')) collateral += result;
  }
  const cash = accounts.balance(slot, ACCOUNT.cash);
  const reserved = accounts.reserved[slot]!;
  return {
    cashStart: 0 - accounts.balance(slot, ACCOUNT.capital),
    equity: accounts.bookValue(slot) + unrealised,
    cash,
    realised: 0 - accounts.balance(slot, ACCOUNT.realised),
    unrealised,
    fees: accounts.balance(slot, ACCOUNT.fees),
    funding:
      accounts.balance(slot, ACCOUNT.funding) +
      accounts.balance(slot, ACCOUNT.dividends) +
      accounts.balance(slot, ACCOUNT.borrowing) +
      accounts.balance(slot, ACCOUNT.interest),
    margin,
    reserved,
    free: cash + collateral - margin - reserved,
  };
}

/** All currencies in base, each converted with rounding against us. */
export function summaryOf(
  accounts: Accounts,
  holdings: Holdings,
  equity: number,
  ratesFresh: boolean,
): Summary {
  const sum = { cash: 0, realised: 0, unrealised: 0, fees: 0, funding: 0, margin: 0, reserved: 0, free: 0 };
  for (let slot = 0; slot < accounts.codes.length; slot++) {
    const own = figuresOf(accounts, holdings, slot);
    sum.cash += accounts.toBase(slot, own.cash, false);
    sum.realised += accounts.toBase(slot, own.realised, false);
    sum.unrealised += accounts.toBase(slot, own.unrealised, false);
    sum.fees += accounts.toBase(slot, own.fees, true);
    sum.funding += accounts.toBase(slot, own.funding, true);
    sum.margin += accounts.toBase(slot, own.margin, true);
    sum.reserved += accounts.toBase(slot, own.reserved, true);
    sum.free += accounts.toBase(slot, own.free, false);
  }
  const cashStart = accounts.capital;
  const fxDifference = equity - (cashStart + sum.realised - sum.fees - sum.funding + sum.unrealised);
  return { cashStart, equity, ...sum, fxDifference, ratesFresh };
}

/** Base-currency minor units; per currency rounded towards less. No allocation. */
export function equityOf(accounts: Accounts, holdings: Holdings): number {
  const open = holdings.open;
  const currencies = accounts.codes.length;
  if (currencies === 1 && open.length === 0) return safe(accounts.bookValue(0));
  let total = 0;
  for (let slot = 0; slot < currencies; slot++) {
    let worth = accounts.bookValue(slot);
    for (let i = 0; i < open.length; i++) {
      if (open[i]!.currencySlot === slot) worth += holdings.unrealised(open[i]!);
    }
    total += accounts.toBase(slot, worth, false);
  }
  return safe(total);
}

export function trialBalanceOf(accounts: Accounts, holdings: Holdings): Map<Currency, number> {
  const out = new Map<Currency, number>();
  accounts.codes.forEach((code, slot) => {
    let books = 0;
    for (const holding of holdings.open) if (holding.currencySlot === slot) books += holding.basis;
    out.set(code, accounts.total(slot, books));
  });
  return out;
}
