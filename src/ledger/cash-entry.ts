import { assert, broken, safe } from '#base';
import type { Currency } from '#market';
import { ACCOUNT, type Accounts } from './accounts.ts';
import type { Holding } from './holdings.ts';

export type CashKind =
  | 'deposit'
  | 'withdrawal'
  | 'dividend'
  | 'borrow'
  | 'interest'
  | 'fee'
  /** A difference to the venue that nothing explains: profit or loss. */
  | 'correction';

const CASH_ACCOUNT = {
  deposit: ACCOUNT.capital,
  withdrawal: ACCOUNT.capital,
  dividend: ACCOUNT.dividends,
  borrow: ACCOUNT.borrowing,
  interest: ACCOUNT.interest,
  fee: ACCOUNT.fees,
  correction: ACCOUNT.realised,
} as const;

function openSlot(accounts: Accounts, currency: Currency): number {
  const slot = accounts.slotOf(currency);
  if (!(slot !== undefined)) broken(`no account in ${currency}`);
  return slot;
}

/** Books `amount` minor units, positive into the account, and counts it in `holding`'s trade where it is carry or fee. */
export function postCash(
  accounts: Accounts,
  kind: CashKind,
  currency: Currency,
  amount: number,
  holding: Holding | undefined,
): void {
  const slot = openSlot(accounts, currency);
  assert(kind !== 'deposit' || amount >= 0, 'a deposit is positive');
  assert(kind !== 'withdrawal' || amount <= 0, 'a withdrawal is negative');
  if (kind === 'deposit' || kind === 'withdrawal') {
    accounts.addCapital(slot, amount);
    return;
  }
  accounts.post(slot, ACCOUNT.cash, CASH_ACCOUNT[kind], amount);
  if (holding === undefined) return;
  if (kind === 'correction') holding.realised = safe(holding.realised + amount);
  else if (kind === 'fee') holding.fees = safe(holding.fees - amount);
  else holding.funding = safe(holding.funding - amount);
}

/** `paid` of one currency for `received` of another: capital moves, no profit arises in either. */
export function postExchange(
  accounts: Accounts,
  from: Currency,
  paid: number,
  to: Currency,
  received: number,
): void {
  assert(
    from !== to && paid >= 0 && received >= 0,
    'an exchange needs two currencies and no negative amount',
  );
  accounts.post(openSlot(accounts, from), ACCOUNT.capital, ACCOUNT.cash, paid);
  accounts.post(openSlot(accounts, to), ACCOUNT.cash, ACCOUNT.capital, received);
}
