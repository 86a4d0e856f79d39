import { stepsToText } from '#base';
import { type Engine, type ExitLine, exitsAhead } from '#engine';
import { deskOfBook, type OrderState } from '#ledger';
import type { ExitAnswer, ExitsAnswer, WorkingOrderAnswer } from './control-answers.ts';

/** What could close each open position next, nearest first, and every order that may still fill. */
export function exitsAnswer(engine: Engine): ExitsAnswer {
  return {
    at: engine.at,
    orders: engine.real.ledger.workingOrders().map((order) => orderAnswer(engine, order)),
    positions: exitsAhead(engine).map((position) => {
      const { book, desk, instrument, direction, lots, entryPrice, openedAt, price, leaving, exits } =
        position;
      return {
        book,
        desk,
        instrument,
        side: direction === 1 ? 'long' : 'short',
        quantity: stepsToText(lots, engine.instrumentOf(instrument).lot),
        entryPrice,
        price: Number.isFinite(price) ? price : null,
        openedAt,
        leaving,
        exits: exits.map(exitAnswer).sort(nearest),
      };
    }),
  };
}

function orderAnswer(engine: Engine, order: OrderState): WorkingOrderAnswer {
  const { request, status, lots, filledLots, limitTicks, triggerTicks, submittedAt, cancelRequestedAt } =
    order;
  const { clientId, book, instrument, side, type, reduceOnly, reason } = request;
  const { tick, lot } = engine.instrumentOf(instrument);
  const price = (ticks: number | null) => (ticks === null ? null : stepsToText(ticks, tick));
  return {
    clientId,
    book,
    desk: deskOfBook(book),
    instrument,
    side,
    type,
    status,
    quantity: stepsToText(lots, lot),
    filled: stepsToText(filledLots, lot),
    price: price(limitTicks),
    trigger: price(triggerTicks),
    reduceOnly,
    reason,
    submittedAt,
    cancelRequestedAt,
  };
}

function exitAnswer({ exit, on, level, now, from, armed, order, text }: ExitLine): ExitAnswer {
  const known = level !== null && now !== null && Number.isFinite(level) && Number.isFinite(now);
  const away = known ? Math.abs(level - now) : null;
  const distance = away !== null && on === 'price' ? (now! > 0 ? away / now! : null) : away;
  return {
    exit,
    on,
    level: level !== null && Number.isFinite(level) ? level : null,
    now: now !== null && Number.isFinite(now) ? now : null,
    distance,
    progress: known && from !== null ? progressOf(from, now, level) : null,
    armed,
    order,
    text,
  };
}

/** Share of the way from `from` to `level` that lies behind `now`. */
function progressOf(from: number, now: number, level: number): number {
  if (level === from) return 1;
  return Math.min(1, Math.max(0, (now - from) / (level - from)));
}

/** Armed before those that something must happen to first, then by how much of the way is done. */
function nearest(a: ExitAnswer, b: ExitAnswer): number {
  if ((a.progress === null) !== (b.progress === null)) return a.progress === null ? 1 : -1;
  if (a.armed !== b.armed) return a.armed ? -1 : 1;
  return (b.progress ?? 0) - (a.progress ?? 0);
}
