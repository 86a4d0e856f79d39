import type { Instant } from '#base';
import { stepsToNumber } from '#base';
import type { Correlations } from '#features';
import { deskOfBook, isPerpetual, type OrderState, sideSign } from '#ledger';
import { type Instrument, notional } from '#market';
import type { AccountSummary, Exposure } from '#risk';
import type { Lane } from './lane.ts';

/** The account of a lane as risk sees it, in minor units of the base currency. */
export function accountOf(
  lane: Lane,
  at: Instant,
  equityAtDayStart: number,
  correlations: Correlations,
): AccountSummary {
  const { ledger } = lane;
  const summary = ledger.summary(at);
  const exposures: Exposure[] = ledger.positions().map((position) => {
    const instrument = lane.instrument(position.instrument);
    const direction = position.lots > 0 ? 1 : -1;
    const lots = Math.abs(position.lots);
    const ticks = ledger.lastMark(position.instrument)?.ticks ?? 0;
    const inBase = (amount: number) => ledger.inBase(instrument.settle, amount, true);
    const held = lane.held.get(position.book);
    const stop = held?.stopPrice ?? null;
    const value = inBase(ticks > 0 ? notional(instrument, ticks, lots, 'ceil') : position.cost);
    // what was bought outright ties up all it is worth, though the venue asks no margin for it
    const outright = direction === 1 && !isPerpetual(instrument);
    const margin = outright ? value : inBase(position.margin);
    const toStop = riskToStop(instrument, direction, ticks, stop, value) ?? margin;
    return {
      book: position.book,
      desk: deskOfBook(position.book),
      instrument: position.instrument,
      underlying: instrument.underlying,
      direction,
      lots,
      notional: value,
      margin,
      riskToStop: toStop,
      unrealised: ledger.unrealised(position.book),
    };
  });
  return {
    at,
    equity: summary.equity,
    equityAtDayStart,
    freeBalance: summary.free,
    exposures,
    ordered: orderedOf(lane),
    ratesFresh: summary.ratesFresh,
    correlation: (a, b) => correlations.between(a, b),
  };
}

/** Lots of an order that may still open or enlarge a position: its closing part fills first. */
function stillOpening({ lots, openingLots, filledLots }: OrderState): number {
  return Math.max(0, openingLots - Math.max(0, filledLots - (lots - openingLots)));
}

/** What working orders may still add, as if it filled at their price. */
function orderedOf(lane: Lane): Exposure[] {
  const { ledger } = lane;
  const out: Exposure[] = [];
  for (const order of ledger.workingOrders()) {
    const { request } = order;
    const lots = request.reduceOnly ? 0 : stillOpening(order);
    if (lots === 0) continue;
    const instrument = lane.instrument(request.instrument);
    const mark = ledger.lastMark(request.instrument)?.ticks ?? null;
    const ticks = order.limitTicks ?? order.triggerTicks ?? request.expectedTicks ?? mark ?? 0;
    const inBase = (amount: number) => ledger.inBase(instrument.settle, amount, true);
    const margin = inBase(order.reserved);
    const value = ticks > 0 ? inBase(notional(instrument, ticks, lots, 'ceil')) : margin;
    const direction = sideSign(request.side);
    out.push({
      book: request.book,
      desk: deskOfBook(request.book),
      instrument: request.instrument,
      underlying: instrument.underlying,
      direction,
      lots,
      notional: value,
      margin,
      riskToStop: riskToStop(instrument, direction, ticks, lane.stopOfEntry(request.book), value) ?? margin,
      unrealised: 0,
    });
  }
  return out;
}

/** Loss from `ticks` to the stop, never negative; null without a stop or a price. */
function riskToStop(
  instrument: Instrument,
  direction: 1 | -1,
  ticks: number,
  stop: number | null,
  value: number,
): number | null {
  const price = stepsToNumber(ticks, instrument.tick);
  if (stop === null || price <= 0) return null;
  return Math.ceil((Math.max(0, direction * (price - stop)) / price) * value);
}
