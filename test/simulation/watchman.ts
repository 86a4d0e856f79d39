import { assert, type Instant, MINUTE } from '#base';
import { type Command, commandText, type Engine, onlyReduces } from '#engine';
import type { VenueFold } from '#execution';
import type { ClientOrderId, VenueReport } from '#ledger';
import { FIXED_UNITS, INSTRUMENTS, VENUE } from './desks.ts';
import type { MemoryJournal } from './memory-journal.ts';

/** What the books took in over a whole life. */
export interface Booked {
  readonly fills: string[];
  /** Book and time of each charge. */
  readonly fundings: string[];
}

/** Stands at the venue's door and in the book-keeping and checks what must never be otherwise. */
export class Watchman {
  private readonly orders = new Map<ClientOrderId, string>();
  private readonly entries = new Map<string, ClientOrderId>();
  private readonly turnedAt = new Map<string, Instant>();
  private readonly passed = new Set<string>();
  private readonly fundings = new Set<string>();
  private readonly unasked = new Set<string>();

  /** A command passes the door. */
  leaves(command: Command, engine: Engine, journal: MemoryJournal): void {
    const text = commandText(command);
    assert(
      journal.durable.some(
        (entry, i) => i >= journal.durable.length - 64 && entry.kind === 'command' && entry.text === text,
      ),
      `a ${command.kind} left that the journal does not hold`,
    );
    this.passed.add(text);
    if (command.kind !== 'submit-order') return;
    const { order } = command;
    assert(
      Number.isSafeInteger(order.lots) && order.lots > 0,
      `order ${order.clientId} for ${order.lots} lots`,
    );
    for (const ticks of [order.limitTicks, order.triggerTicks]) {
      assert(
        ticks === null || (Number.isSafeInteger(ticks) && ticks > 0),
        `order ${order.clientId} at ${ticks} ticks`,
      );
    }
    const known = this.orders.get(order.clientId);
    assert(known === undefined || known === text, `client id ${order.clientId} names two orders`);
    assert(known === undefined, `order ${order.clientId} was sent twice`);
    this.orders.set(order.clientId, text);
    if (order.reduceOnly) return;
    if (order.reason === 'reverse') this.turnedAt.set(order.book, engine.at);
    assert(!onlyReduces(command), 'an entry counts as reducing');
    const leg = `${order.book} ${order.reason} ${engine.at} ${order.expectedTicks}`;
    const twin = this.entries.get(leg);
    assert(twin === undefined, `${order.clientId} and ${twin} are one leg: ${leg}`);
    this.entries.set(leg, order.clientId);
    assert(engine.running, `entry ${order.clientId} left while stopped`);
    const state = engine.breaker?.state;
    assert(state !== 'HALT' && state !== 'SHUTDOWN', `entry ${order.clientId} left in ${state}`);
  }

  /** The venue says something, whether or not it will be heard. */
  told(report: VenueReport): void {
    if (report.kind === 'funding-charged') this.fundings.add(report.chargeId);
    if (report.kind === 'unasked-fill') this.unasked.add(report.fill.fillId);
  }

  /** Orders, cancellations and questions that stand in the journal and never passed the door. */
  unsent(commands: readonly string[]): number {
    return commands.filter(
      (text) => !/^\{"kind":"(query-order|raise-alert)"/.test(text) && !this.passed.has(text),
    ).length;
  }

  /** The fast desk's fixed size, in lots of either instrument: a position beyond it was entered twice. */
  private fixedSize(engine: Engine): void {
    for (const { book, lots, instrument, openedAt } of engine.real.ledger.positions()) {
      // an order that turns a position round may meet its stop at the venue: then it opens more than it should
      const turned = (this.turnedAt.get(book) ?? -Infinity) >= openedAt - 15 * MINUTE;
      if (!book.includes('/flip/') || turned) continue;
      const { lot } = engine.instrumentOf(instrument);
      const most = (FIXED_UNITS * 10 ** lot.scale) / lot.units;
      assert(Math.abs(lots) <= most, `${book} holds ${lots} lots, the desk's size is ${most}`);
    }
  }

  /** Books sum to zero and the identity holds, to the last minor unit. */
  books(engine: Engine): void {
    this.fixedSize(engine);
    const { ledger } = engine.real;
    for (const [currency, sum] of ledger.trialBalance())
      assert(sum === 0, `books in ${currency} sum to ${sum}`);
    for (const code of ledger.currencies()) {
      const f = ledger.currencySummary(code)!;
      const equity = f.cashStart + f.realised - f.fees - f.funding + f.unrealised;
      assert(f.equity === equity, `equity ${f.equity} in ${code} is not ${equity}`);
      assert(Number.isSafeInteger(f.equity), `equity ${f.equity}`);
    }
  }

  /** The day is over and every message has come: the books must say what the venue says. */
  settled(engine: Engine, venue: VenueFold, now: Instant, booked: Booked): void {
    const { ledger } = engine.real;
    const account = venue.accountReport(now, VENUE);
    assert(account.kind === 'account-reported', 'the venue reports its account');
    for (const { id } of INSTRUMENTS) {
      const theirs = account.nets.find((n) => n.instrument === id)?.lots ?? 0;
      assert(ledger.net(id) === theirs, `net of ${id}: books ${ledger.net(id)}, venue ${theirs}`);
    }
    const alive = new Set(ledger.workingOrders().map((o) => o.request.clientId));
    for (const id of account.openOrders) assert(alive.has(id), `the venue works ${id}, the books do not`);
    for (const id of alive)
      assert(account.openOrders.includes(id), `the books work ${id}, the venue does not`);
    assert(ledger.positions().length === 0, 'a position is left after everything was closed');
    const made = new Set(this.unasked);
    for (const clientId of this.orders.keys()) {
      for (const report of this.truth(venue, clientId, now))
        if (report.kind === 'order-filled') made.add(report.fill.fillId);
    }
    const once = new Set(booked.fills);
    assert(once.size === booked.fills.length, `${booked.fills.length - once.size} fills were booked twice`);
    for (const id of made) assert(once.has(id), `fill ${id} was made and not booked`);
    const [theirs, ours] = [[...this.fundings].sort().join('; '), [...booked.fundings].sort().join('; ')];
    assert(theirs === ours, `funding charged: ${theirs}; booked: ${ours}`);
    for (const id of once) assert(made.has(id), `fill ${id} was booked and not made`);
  }

  private truth(venue: VenueFold, clientId: ClientOrderId, now: Instant): readonly VenueReport[] {
    const reports = [
      ...venue.execute({ kind: 'query-order', clientId }, now),
      ...venue.advanceTo(now + 10_000),
    ];
    return reports;
  }
}
