import { broken, type Instant, mulDiv, numberToSteps, safe } from '#base';
import type { Instrument, InstrumentId } from '#market';
import { ACCOUNT, type Accounts } from './accounts.ts';
import { applyFill, type FillFacts, fillFlow, isPerpetual } from './apply-fill.ts';
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
  readonly at: Instant;
}

export interface Booked {
  readonly position: Position | null;
  readonly closed: Trade | null;
  readonly realised: number;
}

const WHOLE = { units: 1, scale: 0 };

/** Perpetuals move cash only by the profit, their cost stands against an obligation; the rest pays in full. */
function postFlow(
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

function close(holdings: Holdings, holding: Holding, term: Instrument, at: Instant, reason: string): Trade {
  holdings.remove(holding.position.book);
  return closedTrade(holding, term, holdings.nextTradeId(), at, reason);
}

/**
 * The one writer: posts a fill and moves its book's position. A fill that flips the book ends one trade and opens the
 * next at its own price; its fee is split by lots, the remainder goes to the closing part.
 */
export function bookFill(accounts: Accounts, holdings: Holdings, fill: Fill, context: FillContext): Booked {
  const { lots, ticks, fee, side } = fill;
  const { book, leverage, lossLimited, reason, at } = context;
  const slot = holdings.slot(fill.instrument);
  const term = holdings.term(slot);
  if (!(Number.isSafeInteger(lots) && lots > 0)) broken(`fill ${fill.fillId} of ${lots} lots`);
  if (!(Number.isSafeInteger(ticks) && (ticks > 0 || (ticks === 0 && term.kind === 'binary'))))
    broken(`fill ${fill.fillId} at ${ticks} ticks`);
  const currency = accounts.slot(term.settle, term.minorScale);
  let holding = holdings.find(book);
  const facts: FillFacts = { book, side, lots, ticks, leverage, at, lossLimited };
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
      closed = close(holdings, holding!, term, at, reason);
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

/**
 * A share split: `ratio` new for one old. Cost stays; what does not make a whole lot is paid out at the mark. Returns
 * the trades of holdings too small to keep a lot.
 */
export function splitShares(
  accounts: Accounts,
  holdings: Holdings,
  instrument: InstrumentId,
  ratio: number,
  at: Instant,
): Trade[] {
  if (!(ratio > 0 && Number.isFinite(ratio))) broken(`split ratio ${ratio}`);
  const slot = holdings.slot(instrument);
  const term = holdings.term(slot);
  if (isPerpetual(term)) broken(`${instrument} does not split`);
  const trades: Trade[] = [];
  for (const holding of holdings.open.filter((h) => h.position.instrument === instrument)) {
    const { position, currencySlot } = holding;
    const size = Math.abs(position.lots);
    const mark = holdings.markTicks(slot);
    const after = numberToSteps(size * ratio, WHOLE, 'floor');
    const share = Math.max(0, 1 - after / (size * ratio));
    // below 1e-9 the share is noise of the ratio's own binary form
    const oddCost = after === 0 ? position.cost : share < 1e-9 ? 0 : Math.round(position.cost * share);
    if (oddCost > 0 || after === 0) {
      const worth = fillFlow(term, position.lots > 0 ? 'sell' : 'buy', size, mark);
      const flow = after === 0 ? worth : numberToSteps(worth * share, WHOLE, 'floor');
      const released = position.lots > 0 ? oddCost : 0 - oddCost;
      postFlow(accounts, currencySlot, false, flow, released, 0);
      holding.realised = safe(holding.realised + flow - released);
      noteExit(holding, term, after === 0 ? size : size * share, mark);
    }
    if (after === 0) {
      trades.push(close(holdings, holding, term, at, 'split'));
      continue;
    }
    holding.entered *= ratio;
    holding.exited *= ratio;
    holding.maxLots = numberToSteps(holding.maxLots * ratio, WHOLE, 'half-away');
    notePosition(holding, term, {
      ...position,
      lots: position.lots > 0 ? after : -after,
      cost: position.cost - oddCost,
      entryPrice: position.entryPrice / ratio,
      margin: oddCost === 0 ? position.margin : Math.ceil(position.margin * (1 - share)),
    });
  }
  holdings.rescaleMark(slot, ratio);
  return trades;
}
