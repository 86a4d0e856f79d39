import { broken, type Instant, numberToSteps, safe } from '#base';
import { type InstrumentId, isSplitRatio } from '#market';
import type { Accounts } from './accounts.ts';
import { fillFlow, isPerpetual } from './apply-fill.ts';
import { closeHolding, postFlow } from './book-fill.ts';
import { type Holdings, noteExit, notePosition } from './holdings.ts';
import type { Trade } from './trade.ts';

const WHOLE = { units: 1, scale: 0 };

/** Whether a split can be booked: not of a perpetual, and whole numbers come out of it. */
export function canSplitShares(holdings: Holdings, instrument: InstrumentId, ratio: number): boolean {
  const slot = holdings.slot(instrument);
  const term = holdings.term(slot);
  if (isPerpetual(term) || !isSplitRatio(ratio)) return false;
  const fits = (figure: number) => figure <= Number.MAX_SAFE_INTEGER;
  const mark = holdings.markTicks(slot);
  return (
    (Number.isNaN(mark) || fits(mark / ratio)) &&
    holdings.open.every((h) => h.instrumentSlot !== slot || fits(h.maxLots * ratio * term.valueNumerator))
  );
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
  if (!canSplitShares(holdings, instrument, ratio)) broken(`${instrument} does not split by ${ratio}`);
  const slot = holdings.slot(instrument);
  const term = holdings.term(slot);
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
      trades.push(closeHolding(holdings, holding, term, at, 'split'));
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
