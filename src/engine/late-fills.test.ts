import { describe, expect, it } from 'vitest';
import { proposalPool } from '#ensemble';
import type { OrderRequest } from '#ledger';
import { source } from '#signals';
import {
  ALFA,
  BETA,
  canceled,
  enterLong,
  guarded,
  STEP,
  submitted,
  Table,
} from '../../test/support/engine-table.ts';
import type { Command, OperatorAction } from './events.ts';

const limit = { type: 'limit', offsetRate: 0.01, bars: 10, postOnly: false } as const;
const now = ({ at }: Table) => ({ at, eventTime: at });
const operate = (table: Table, act: OperatorAction) =>
  table.step({ kind: 'operator-acted', ...now(table), by: 'me', reason: 'test', act });
const alerts = (commands: readonly Command[]) =>
  commands.flatMap((c) => (c.kind === 'raise-alert' ? [[c.severity, c.text]] : []));
const held = (table: Table) => table.engine.real.held.get(bookOf(table));
const bookOf = (table: Table) => table.engine.desks[0]!.instruments[0]!.book;

/** A limit entry at work with its stop and target. */
function entered(parts: ConstructorParameters<typeof Table>[0] = {}) {
  const table = new Table({ sizer: guarded, entry: limit, ...parts });
  const orders = submitted(table.bar(100, { [ALFA.id]: 1 }));
  for (const order of orders) table.accept(order);
  return { table, orders, entry: orders[0]! };
}

/** The venue says that an entry has ended, and its protection with it. */
function end(table: Table, orders: readonly OrderRequest[], kind: 'order-canceled' | 'order-expired'): void {
  for (const { clientId } of orders) table.end(kind, clientId);
}

describe('a fill that is told after its entry was canceled because its book is to be flat', () => {
  it.each([
    ['a flatten', { action: 'flatten', desk: null }, 'exit:flatten'],
    ['a kill', { action: 'kill' }, 'exit:flatten'],
    ['a close', { action: 'close', book: bookOf(new Table()) }, 'exit:close'],
  ] satisfies [string, OperatorAction, string][])('by %s is closed at the next bar', (_, act, reason) => {
    const { table, orders, entry } = entered();
    expect(canceled(operate(table, act))).toEqual([entry.clientId]);
    end(table, orders, 'order-canceled');
    expect(table.engine.real.leaving.size).toBe(0);
    const out = table.fill(entry, 99);
    expect(submitted(out)).toEqual([]);
    expect(alerts(out)).toEqual([
      ['warning', expect.stringMatching(/nobody expected it any more; it is closed/)],
    ]);
    const [exit] = submitted(table.bar(100));
    expect(exit).toMatchObject({ side: 'sell', lots: 100, reason });
    table.fill(exit!, 100);
    expect(table.lots()).toBe(0);
    expect(table.engine.real.leaving.size).toBe(0);
  });

  it('is closed in pieces as it is told', () => {
    const { table, orders, entry } = entered();
    operate(table, { action: 'flatten', desk: null });
    end(table, orders, 'order-canceled');
    table.fill(entry, 99, 60);
    const [exit] = submitted(table.bar(100));
    expect(exit).toMatchObject({ lots: 60 });
    table.fill(exit!, 100);
    table.fill(entry, 99, 40);
    expect(submitted(table.bar(100))).toMatchObject([{ side: 'sell', lots: 40, reason: 'exit:flatten' }]);
  });

  it('is closed also where its book was to be flat only after the entry had ended', () => {
    const { table, orders, entry } = entered({ opposite: 'close' });
    table.fill(entry, 99, 50);
    table.end('order-expired', entry.clientId);
    const [exit] = submitted(table.bar(100, { [ALFA.id]: -1 }));
    expect(exit).toMatchObject({ reason: 'exit:opposite-signal', lots: 50 });
    table.fill(exit!, 100);
    end(table, orders.slice(1), 'order-canceled');
    expect(table.engine.real.leaving.size).toBe(0);
    expect(submitted(table.fill(entry, 99, 50))).toEqual([]);
    expect(submitted(table.bar(100))).toMatchObject([
      { side: 'sell', lots: 50, reason: 'exit:opposite-signal' },
    ]);
  });

  it('is closed where its position had been stopped out', () => {
    const { table, orders, entry } = entered();
    table.fill(entry, 99, 50);
    expect(canceled(table.fill(orders[1]!, 95, 50))).toContain(entry.clientId);
    table.end('order-canceled', entry.clientId);
    table.fill(entry, 99, 50);
    // what is left of the stop may still fill
    expect(submitted(table.bar(100))).toEqual([]);
    end(table, orders.slice(1), 'order-canceled');
    expect(submitted(table.bar(100))).toMatchObject([{ side: 'sell', lots: 50, reason: 'exit:late-fill' }]);
  });

  it('is closed after a restart from a snapshot', () => {
    const { table, orders, entry } = entered();
    operate(table, { action: 'flatten', desk: null });
    end(table, orders, 'order-canceled');
    const next = new Table({ sizer: guarded, entry: limit });
    next.at = table.at;
    next.engine.restore(JSON.parse(JSON.stringify(table.engine.capture())));
    next.fill(entry, 99);
    expect(submitted(next.bar(100))).toMatchObject([{ side: 'sell', lots: 100, reason: 'exit:flatten' }]);
  });

  it('is canceled again when the venue had only lost sight of it', () => {
    const table = new Table({ sizer: guarded, entry: limit });
    const [entry] = submitted(table.bar(100, { [ALFA.id]: 1 }));
    const { clientId } = entry!;
    operate(table, { action: 'flatten', desk: null });
    table.step({ kind: 'order-unknown', ...now(table), clientId });
    const out = table.step({ kind: 'order-accepted', ...now(table), clientId, venueOrderId: 'v' });
    expect(canceled(out)).toEqual([clientId]);
    table.fill(entry!, 99);
    expect(submitted(table.bar(100))).toMatchObject([{ side: 'sell', lots: 100, reason: 'exit:flatten' }]);
  });

  it('is protected when the venue had only lost sight of it and nobody wants it gone', () => {
    const table = new Table({ sizer: guarded, entry: limit });
    const [entry] = submitted(table.bar(100, { [ALFA.id]: 1 }));
    const { clientId } = entry!;
    table.step({ kind: 'order-unknown', ...now(table), clientId });
    table.step({ kind: 'order-accepted', ...now(table), clientId, venueOrderId: 'v' });
    table.fill(entry!, 99);
    expect(held(table)).toMatchObject({ stopPrice: 95, targetPrice: 110 });
  });
});

describe('a fill that is told after its entry had ended otherwise', () => {
  const asPlanned = { direction: 1, stopPrice: 95, targetPrice: 110 };

  it('is protected as its plan says, by orders of its own', () => {
    const { table, orders, entry } = entered();
    end(table, orders, 'order-expired');
    const out = table.fill(entry, 99);
    expect(held(table)).toMatchObject(asPlanned);
    const [stop, target] = submitted(out);
    expect(submitted(out)).toMatchObject([
      { side: 'sell', lots: 100, type: 'stop', reason: 'stop-loss', triggerTicks: orders[1]!.triggerTicks },
      { side: 'sell', lots: 100, reason: 'take-profit', triggerTicks: orders[2]!.triggerTicks },
    ]);
    for (const order of [stop!, target!])
      expect(order).toMatchObject({ parent: null, reduceOnly: true, reduceOnlyAtVenue: true });
    expect(stop!.ocoGroup).toBe(target!.ocoGroup);
    expect(stop!.ocoGroup).not.toBeNull();
    expect(alerts(out)).toEqual([['warning', expect.stringMatching(/protective orders were sent again/)]]);
    // each piece has its own
    expect(submitted(table.bar(100))).toEqual([]);
    expect(canceled(table.fill(stop!, 95))).toEqual([target!.clientId]);
    expect(table.lots()).toBe(0);
  });

  it('is protected piece by piece', () => {
    const { table, orders, entry } = entered();
    end(table, orders, 'order-expired');
    expect(submitted(table.fill(entry, 99, 30)).map(({ lots }) => lots)).toEqual([30, 30]);
    expect(submitted(table.fill(entry, 99, 70)).map(({ lots }) => lots)).toEqual([70, 70]);
  });

  it('is left to the protection that works at the venue still', () => {
    const { table, entry } = entered();
    table.end('order-canceled', entry.clientId);
    const out = table.fill(entry, 99);
    expect(submitted(out)).toEqual([]);
    expect(held(table)).toMatchObject(asPlanned);
    expect(alerts(out)).toEqual([['warning', expect.stringMatching(/held as it was planned/)]]);
  });

  it('a person who canceled that one order has it protected', () => {
    const { table, orders, entry } = entered();
    operate(table, { action: 'cancel', clientId: entry.clientId });
    end(table, orders, 'order-canceled');
    expect(submitted(table.fill(entry, 99))).toHaveLength(2);
    expect(submitted(table.bar(100))).toEqual([]);
  });

  it('is closed where the price has passed its stop', () => {
    const { table, orders, entry } = entered();
    end(table, orders, 'order-expired');
    table.bar(94);
    expect(submitted(table.fill(entry, 99))).toEqual([]);
    expect(submitted(table.bar(94))).toMatchObject([{ side: 'sell', lots: 100, reason: 'exit:stop-loss' }]);
  });

  it('does not take the levels of the entry that works by then', () => {
    const { table, orders, entry } = entered();
    end(table, orders, 'order-expired');
    const next = submitted(table.bar(90, { [ALFA.id]: 1 }));
    expect(next).toHaveLength(3);
    table.bar(99);
    table.fill(entry, 99);
    expect(held(table)).toMatchObject(asPlanned);
  });

  it('is closed where nothing is known of it any more', () => {
    const { table, entry } = entered();
    table.fill(entry, 99);
    operate(table, { action: 'flatten', desk: null });
    const [exit] = submitted(table.commands).slice(-1);
    table.fill(exit!, 100);
    expect(table.lots()).toBe(0);
    // more than was asked for
    table.fill(entry, 99, 10);
    expect(submitted(table.bar(100))).toMatchObject([{ side: 'sell', lots: 10, reason: 'exit:late-fill' }]);
  });

  it('of an order that should only have reduced is closed', () => {
    const table = new Table({ sizer: guarded });
    const orders = enterLong(table);
    table.fill(orders[2]!, 110);
    table.fill(orders[1]!, 95);
    expect(table.lots()).toBe(-100);
    expect(submitted(table.bar(100))).toMatchObject([{ side: 'buy', lots: 100, reason: 'exit:late-fill' }]);
  });

  it('of a stop that is told before the fill of its entry waits for that', () => {
    const { table, orders, entry } = entered();
    table.fill(orders[1]!, 95);
    expect(table.lots()).toBe(-100);
    expect(submitted(table.bar(100))).toEqual([]);
    table.fill(entry, 99);
    expect(table.lots()).toBe(0);
    expect(table.engine.real.leaving.size).toBe(0);
  });
});

it('a fill of a leg that comes after its plan was unwound is unwound as well', () => {
  const legs = [
    { instrument: ALFA.id, side: 'buy', quantity: 1, limitPrice: null },
    { instrument: BETA.id, side: 'sell', quantity: 1, limitPrice: null },
  ] as const;
  const spread = source({
    name: 'spread',
    emits: 'proposal',
    features: {},
    signal: (view) =>
      view.instrument.id === ALFA.id && view.close === 103
        ? {
            kind: 'proposal',
            source: 'spread',
            legs,
            expectedEdge: 1,
            worstLoss: 5,
            confidence: 1,
            horizonMs: STEP,
          }
        : null,
  });
  const parts = {
    sources: [spread],
    pooling: proposalPool({ ratioMin: 0.1 }),
    legFailure: 'unwind',
  } as const;
  let table = new Table(parts, [ALFA, BETA]);
  const [bought, sold] = submitted(table.bar(103));
  table.end('order-rejected', sold!.clientId);
  table.end('order-canceled', bought!.clientId);
  expect(table.engine.counts.legPlans.get('unwound')).toBe(1);
  const { at } = table;
  const captured = JSON.parse(JSON.stringify(table.engine.capture()));
  table = new Table(parts, [ALFA, BETA]);
  table.at = at;
  table.engine.restore(captured);
  const [unwind] = submitted(table.fill(bought!, 103));
  expect(unwind).toMatchObject({ side: 'sell', lots: 100, reduceOnly: true, reason: 'leg-unwind' });
  table.fill(unwind!, 103);
  expect(table.lots()).toBe(0);
  expect(table.engine.counts.legPlans.get('unwound')).toBe(2);
});
