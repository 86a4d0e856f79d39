import { assert, numberToSteps, unreachable } from '#base';
import { settleBinary, type VenueReport } from '#ledger';
import { type Instrument, type InstrumentChange, isSplitRatio } from '#market';
import { isMargined, liquidationOf } from './holdings.ts';
import type { OrderBoard } from './order-board.ts';
import type { Stamp, Track } from './venue-state.ts';

/**
 * What a change of the instrument does to orders and positions here. Halted instruments keep their orders and fill
 * nothing; a resolved binary pays out; a delisted perpetual is settled at its last price; both trade again when they
 * are listed anew. A split changes sizes and prices of orders and positions. A changed grid is taken over as soon as
 * nothing is held or ordered in the old one. Dividends are not the venue's matter.
 */
export function applyChange(
  board: OrderBoard,
  track: Track,
  change: InstrumentChange,
  stamp: Stamp,
  out: VenueReport[],
): void {
  const instrument = board.instrument(track);
  switch (change.change) {
    case 'listed':
      if (track.gone) track.halted = false;
      track.gone = false;
      board.redefine(track, change.definition);
      return;
    case 'changed':
      board.redefine(track, change.definition);
      return;
    case 'dividend':
      return;
    case 'halted':
      track.halted = true;
      return;
    case 'resumed':
      track.halted = false;
      track.gone = false;
      return;
    case 'resolved': {
      const { payout } = change;
      if (instrument.kind !== 'binary' || !(payout >= 0 && payout <= 1)) return;
      settle(board, track, (lots) => settleBinary(instrument, lots, 0, payout).ticks, stamp, out);
      return;
    }
    case 'delisted':
      if (isMargined(instrument) && track.price > 0) {
        const ticks = numberToSteps(track.price, instrument.tick, 'half-away');
        settle(board, track, () => ticks, stamp, out);
      } else close(board, track, 'delisted', stamp, out);
      return;
    case 'split':
      split(board, track, change.ratio, stamp, out);
      return;
    default:
      unreachable(change);
  }
}

/** Everything held is paid out, without a fee, and nothing works any more. */
function settle(
  board: OrderBoard,
  track: Track,
  ticksFor: (lots: number) => number,
  stamp: Stamp,
  out: VenueReport[],
): void {
  for (const holding of track.holdings) {
    if (holding.lots !== 0) board.takeAway(track, holding, 'settlement', ticksFor(holding.lots), stamp, out);
  }
  close(board, track, 'settled', stamp, out);
}

function close(board: OrderBoard, track: Track, reason: string, stamp: Stamp, out: VenueReport[]): void {
  track.halted = true;
  track.gone = true;
  for (const order of [...track.orders]) board.finish(track, order, 'canceled', reason, stamp, out);
}

const WHOLE = { units: 1, scale: 0 };

/** Whether the ledger takes it too: perpetuals do not split, and what comes out must be whole numbers. */
function splits(instrument: Instrument, track: Track, ratio: number): boolean {
  if (isMargined(instrument) || !isSplitRatio(ratio)) return false;
  const fits = (figure: number) => Math.abs(figure) <= Number.MAX_SAFE_INTEGER;
  return (
    track.holdings.every(({ lots }) => fits(lots * ratio)) &&
    track.orders.every(
      ({ requested, limitTicks, triggerTicks }) =>
        fits(requested * ratio) && fits((limitTicks ?? 0) / ratio) && fits((triggerTicks ?? 0) / ratio),
    )
  );
}

/** `ratio` new units for one old. Sizes are floored to whole lots as the ledger does; prices go to the nearest tick. */
function split(board: OrderBoard, track: Track, ratio: number, stamp: Stamp, out: VenueReport[]): void {
  if (!splits(board.instrument(track), track, ratio)) return;
  const sized = (lots: number) => {
    const size = numberToSteps(Math.abs(lots) * ratio, WHOLE, 'floor');
    return lots < 0 ? 0 - size : size;
  };
  const priced = (ticks: number | null) => (ticks === null ? null : Math.max(1, Math.round(ticks / ratio)));
  for (const holding of track.holdings) {
    const had = holding.lots !== 0;
    holding.lots = sized(holding.lots);
    holding.lotsBefore = sized(holding.lotsBefore);
    if (had && holding.lots === 0) track.held -= 1;
    assert(track.held >= 0, 'no fewer than no positions');
    const { position } = holding;
    holding.position =
      position === null || holding.lots === 0
        ? null
        : { ...position, lots: holding.lots, entryPrice: position.entryPrice / ratio };
    holding.liquidation = liquidationOf(board.instrument(track), holding);
  }
  for (const order of [...track.orders]) {
    const left = sized(order.lots - order.filled);
    order.lots = order.filled + left;
    order.requested = Math.max(order.lots, sized(order.requested));
    order.limitTicks = priced(order.limitTicks);
    order.triggerTicks = priced(order.triggerTicks);
    if (order.best !== null) order.best /= ratio;
    if (left === 0) board.finish(track, order, 'canceled', 'split', stamp, out);
    else board.tellAmended(order, stamp, out);
  }
  for (let i = 0; i < track.closes.length; i++) {
    track.closes[i]! /= ratio;
    track.volumes[i]! *= ratio;
  }
  track.price /= ratio;
  track.previousClose /= ratio;
  track.dayClose /= ratio;
}
