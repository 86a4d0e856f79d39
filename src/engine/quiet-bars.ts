import type { Instant } from '#base';
import type { BarColumns, InstrumentId } from '#market';
import type { Engine } from './engine.ts';

// Most bars of most tapes lead to nothing: no source speaks, no exit is watched, no timer is due. Where all parts can say
// so beforehand, such bars are passed over together: the books learn every close, and everything else is left as it
// would stand after taking them one by one. A law plays the same tapes both ways.

/** Bars of one instrument as a tape brings them next, rows [from, to), as long as one follows the other without a gap. */
export interface BarsAhead {
  readonly instrument: InstrumentId;
  readonly intervalMs: number;
  readonly columns: BarColumns;
  readonly from: number;
  readonly to: number;
}

/** How many of the bars ahead can be passed over. */
export function quietBars(engine: Engine, { instrument, intervalMs, columns, from, to }: BarsAhead): number {
  if (engine.breaker !== null || engine.kills.any || engine.listings.isWaiting) return 0;
  // the bar that ends a day, or ends at a timer, is taken by itself
  const until = Math.min(engine.dayEnd, engine.nextDue());
  const most = Math.ceil((until - columns.time[from]!) / intervalMs) - 1;
  return most <= 0
    ? 0
    : engine.intake.quietBars(instrument, intervalMs, columns, from, Math.min(to, from + most));
}

/** Passes over the first `bars` of those ahead, and puts the equity after each into `equities`. */
export function passBars(engine: Engine, ahead: BarsAhead, bars: number, equities: Float64Array): void {
  const { instrument, intervalMs, columns, from } = ahead;
  const to = from + bars;
  engine.turnOver(closedAt(ahead, to - 1));
  engine.real.ledger.markAlong(instrument, columns, intervalMs, from, to, equities);
  engine.intake.passBars(instrument, columns, from, to);
}

const closedAt = ({ columns, intervalMs }: BarsAhead, row: number): Instant =>
  columns.time[row]! + intervalMs;
