import type { Instant } from '#base';
import { stepsToNumber } from '#base';
import type { Correlations } from '#features';
import { bookKey } from '#ledger';
import { notional } from '#market';
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
    const margin = inBase(position.margin);
    const held = lane.held.get(position.book);
    const stop = held?.stopPrice ?? null;
    const price = stepsToNumber(ticks, instrument.tick);
    const value = ticks > 0 ? inBase(notional(instrument, ticks, lots, 'ceil')) : margin;
    const toStop =
      stop === null || price <= 0
        ? margin
        : Math.ceil((Math.max(0, direction * (price - stop)) / price) * value);
    return {
      book: position.book,
      desk: bookKey(position.book).desk,
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
    ratesFresh: summary.ratesFresh,
    correlation: (a, b) => correlations.between(a, b),
  };
}
