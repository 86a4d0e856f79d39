import type { Instant } from '#base';
import { stepsToNumber } from '#base';
import type { BookId, ClientOrderId } from '#ledger';
import type { InstrumentId } from '#market';
import type { ExitAhead } from '#risk';
import { HeldContext } from './desk-contexts.ts';
import type { DeskRuntime } from './desk-runtime.ts';
import type { Engine } from './engine.ts';
import type { Held, Leaving } from './held.ts';
import type { InstrumentRuntime } from './instrument-runtime.ts';

/** One way out of a position. */
export interface ExitLine extends ExitAhead {
  readonly exit: string;
  /** The order at the venue that does it; null: the desk watches for it itself. */
  readonly order: ClientOrderId | null;
}

export interface PositionExits {
  readonly book: BookId;
  readonly desk: string;
  readonly instrument: InstrumentId;
  readonly direction: 1 | -1;
  readonly lots: number;
  readonly entryPrice: number;
  readonly openedAt: Instant;
  /** Newest price; NaN before any. */
  readonly price: number;
  /** It is on its way to flat already. */
  readonly leaving: Leaving | null;
  readonly exits: readonly ExitLine[];
}

/** What could close each open position next, in the desk's order. Changes nothing. */
export function exitsAhead(engine: Engine): readonly PositionExits[] {
  const found: PositionExits[] = [];
  for (const desk of engine.desks) {
    for (const instrument of desk.instruments) {
      const held = engine.real.held.get(instrument.book);
      if (held !== undefined) found.push(exitsOf(engine, desk, instrument, held));
    }
  }
  return found;
}

function exitsOf(
  engine: Engine,
  desk: DeskRuntime,
  instrument: InstrumentRuntime,
  held: Held,
): PositionExits {
  const { real } = engine;
  const { book } = instrument;
  const context = new HeldContext(instrument, held, real, engine);
  const resting = real.ledger.workingOrders(book).filter(({ request }) => request.reduceOnly);
  const exits: ExitLine[] = [];
  for (const [i, exit] of (desk.parts.exits ?? []).entries()) {
    const memory = real.exitMemories.peek(exit, book);
    const ahead = exit.ahead?.(context, instrument.exitValues[i]!, memory) ?? null;
    if (ahead === null) continue;
    const order = resting.find(({ request }) => request.reason === exit.name);
    exits.push({ exit: exit.name, ...ahead, order: order?.request.clientId ?? null });
  }
  for (const { request, triggerTicks, limitTicks } of resting) {
    if (exits.some(({ order }) => order === request.clientId)) continue;
    const ticks = triggerTicks ?? limitTicks;
    const level = ticks === null ? null : stepsToNumber(ticks, instrument.instrument.tick);
    const text = level === null ? `${request.reason} is under way` : `${request.reason} ${level}`;
    exits.push({
      exit: request.reason,
      on: level === null ? 'state' : 'price',
      level,
      now: level === null ? null : instrument.price,
      from: level === null ? null : held.entryPrice,
      armed: true,
      text,
      order: request.clientId,
    });
  }
  const opposite = desk.parts.opposite ?? 'ignore';
  if (opposite !== 'ignore')
    exits.push(stateLine('opposite-signal', `an opposite signal would ${opposite} it`));
  if (engine.closesAll) exits.push(stateLine('breaker', 'the breaker closes every position'));
  return {
    book,
    desk: desk.name,
    instrument: instrument.instrument.id,
    direction: held.direction,
    lots: Math.abs(real.ledger.position(book)?.lots ?? 0),
    entryPrice: held.entryPrice,
    openedAt: held.openedAt,
    price: instrument.price,
    leaving: real.leaving.get(book) ?? null,
    exits,
  };
}

const stateLine = (exit: string, text: string): ExitLine => ({
  exit,
  on: 'state',
  level: null,
  now: null,
  from: null,
  armed: true,
  text,
  order: null,
});
