import { broken, type Instant, mulDiv, safe } from '#base';
import type { Instrument } from '#market';
import { ACCOUNT, type Accounts } from './accounts.ts';
import { applyFill, type FillFacts, isPerpetual } from './apply-fill.ts';
import {
  closedTrade,
  type Holding,
  type Holdings,
  newHolding,
  noteEntry,
  noteExit,
  notePosition,
} from './holdings.ts';
import type { BookId, Fill } from './order.ts';
import type { Position, Trade } from './trade.ts';

/** What belongs to a fill besides the fill itself. */
export interface FillContext {
  readonly book: BookId;
  readonly leverage: number;
  readonly lossLimited: boolean;
  readonly reason: string;
  /** When it was heard of: what it ends, ends then. */
  readonly at: Instant;
  /** When it came about at the venue: what it opens is held from then on. */
  readonly filledAt: Instant;
}

export interface Booked {
  readonly position: Position | null;
  readonly closed: Trade | null;
  readonly realised: number;
}

/** Perpetuals move cash only by the profit, their cost stands against an obligation; the rest pays in full. */
export function postFlow(
  accounts: Accounts,
  currency: number,
  perpetual: boolean,
  flow: number,
  released: number,
  opened: number,
): void {
  const counter = perpetual ? ACCOUNT.obligations : ACCOUNT.cash;
  const realised = flow + opened - released;
  if (opened !== 0) accounts.post(currency, ACCOUNT.positions, counter, opened);
  if (released !== 0) accounts.post(currency, counter, ACCOUNT.positions, released);
  if (realised !== 0) accounts.post(currency, ACCOUNT.cash, ACCOUNT.realised, realised);
}

export function closeHolding(
  holdings: Holdings,
  holding: Holding,
  term: Instrument,
  at: Instant,
  reason: string,
): Trade {
  holdings.remove(holding.position.book);
  return closedTrade(holding, term, holdings.nextTradeId(), at, reason);
}

/**
 * The one writer: posts a fill and moves its book's position. A fill that flips the book ends one trade and opens the
 * next at its own price; its fee is split by lots, the remainder goes to the closing part.
 */
export function bookFill(accounts: Accounts, holdings: Holdings, fill: Fill, context: FillContext): Booked {
  const { lots, ticks, fee, side } = fill;
  const { book, leverage, lossLimited, reason, at, filledAt } = context;
  const slot = holdings.slot(fill.instrument);
  const term = holdings.term(slot);
  if (!(Number.isSafeInteger(lots) && lots > 0)) broken(`fill ${fill.fillId} of ${lots} lots`);
  if (!(Number.isSafeInteger(ticks) && (ticks > 0 || (ticks === 0 && term.kind === 'binary'))))
    broken(`fill ${fill.fillId} at ${ticks} ticks`);
  const currency = accounts.slot(term.settle, term.minorScale);
  let holding = holdings.find(book);
  const facts: FillFacts = { book, side, lots, ticks, leverage, filledAt, lossLimited };
  const effect = applyFill(holding === undefined ? null : holding.position, facts, term);
  const { position, closedLots, openedLots } = effect;
  postFlow(accounts, currency, isPerpetual(term), effect.flow, effect.releasedBasis, effect.openedBasis);
  accounts.post(currency, ACCOUNT.fees, ACCOUNT.cash, fee);
  let closingFee = 0;
  let closed: Trade | null = null;
  if (closedLots > 0) {
    closingFee = openedLots === 0 ? fee : fee - mulDiv(fee, openedLots, lots, 'trunc');
    noteExit(holding!, term, closedLots, ticks);
    holding!.realised = safe(holding!.realised + effect.realised);
    holding!.fees = safe(holding!.fees + closingFee);
    if (position === null || openedLots > 0) {
      closed = closeHolding(holdings, holding!, term, at, reason);
      holding = undefined;
    }
  }
  if (position !== null) {
    if (holding === undefined) {
      holding = newHolding(position, slot, currency);
      holdings.add(holding);
    }
    if (openedLots > 0) {
      noteEntry(holding, term, openedLots, ticks);
      holding.fees = safe(holding.fees + (fee - closingFee));
    }
    notePosition(holding, term, position);
  }
  holdings.markIfNone(slot, ticks, at);
  return { position, closed, realised: effect.realised };
}
