import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR } from '#base';
import { proposalPool } from '#ensemble';
import { isEnded, type OrderRequest } from '#ledger';
import { timeExit } from '#risk';
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
import type { DeskParts } from './desk.ts';
import type { OperatorAction } from './events.ts';

const PRICE = 100;

/** Proposes one unit of both instruments, one each way, when the price of the bar is so written. */
function pair(limitPrice: number | null = null): Partial<DeskParts> {
  const spread = source({
    name: 'spread',
    emits: 'proposal',
    features: {},
    signal: (view) => {
      const way = Math.round((view.close - PRICE) * 10);
      if (view.instrument.id !== ALFA.id || Math.abs(way) !== 1) return null;
      const leg = (id: typeof ALFA.id, sign: number) =>
        ({
          instrument: id,
          side: sign > 0 ? 'buy' : 'sell',
          quantity: 1,
          limitPrice: way < 0 ? limitPrice : null,
        }) as const;
      return {
        kind: 'proposal',
        source: 'spread',
        legs: [leg(ALFA.id, way), leg(BETA.id, -way)],
        expectedEdge: 10,
        worstLoss: 5,
        confidence: 1,
        horizonMs: HOUR,
      };
    },
  });
  return { sources: [spread], pooling: proposalPool({ ratioMin: 0.1 }), legFailure: 'unwind' };
}

/** Whether an order waits for a trigger that no report has told. */
const rests = (table: Table, { clientId, triggerTicks }: OrderRequest): boolean => {
  const status = table.engine.real.ledger.order(clientId)!.status;
  return triggerTicks !== null && (status === 'pending' || status === 'working');
};

/** What the closers at work of an order's book and side may still close; of those that cancel each other, the largest. */
function atWork(table: Table, { book, side }: OrderRequest): number {
  const groups = new Map<string, number>();
  for (const { request, lots, filledLots } of table.engine.real.ledger.workingOrders(book)) {
    if (!request.reduceOnly || request.side !== side || rests(table, request)) continue;
    const group = request.ocoGroup ?? request.clientId;
    groups.set(group, Math.max(groups.get(group) ?? 0, lots - filledLots));
  }
  return [...groups.values()].reduce((sum, lots) => sum + lots, 0);
}

/** Every order that is to close something and left with the newest commands, with all that closes the same. */
function lookAtClosers(table: Table, from: number): number {
  const closers = submitted(table.commands.slice(from)).filter((o) => o.reduceOnly && o.parent === null);
  for (const order of closers) {
    if (rests(table, order)) continue;
    const held = table.engine.real.ledger.position(order.book)?.lots ?? 0;
    expect(Math.sign(held), `${order.reason} closes nothing`).toBe(order.side === 'sell' ? 1 : -1);
    expect(atWork(table, order), `${order.reason} with all that works`).toBeLessThanOrEqual(Math.abs(held));
  }
  return closers.length;
}

const ACTS: readonly OperatorAction[] = [
  { action: 'flatten', desk: null },
  { action: 'kill' },
  { action: 'start' },
];

/** A venue that says anything a venue may say, in any order, and does not know what an order only reduces. */
function playDay(parts: Partial<DeskParts>, draws: readonly (readonly [number, number])[]): number {
  const table = new Table(parts, [ALFA, BETA]);
  const orders: OrderRequest[] = [];
  let closers = 0;
  for (const [kind, draw] of draws) {
    const from = table.commands.length;
    const stamp = { at: table.at, eventTime: table.at };
    const order = orders[orders.length - 1 - (draw % Math.max(1, Math.min(orders.length, 8)))];
    const state = order === undefined ? undefined : table.engine.real.ledger.order(order.clientId)!;
    if (kind < 3) {
      const way = (draw % 3) - 1;
      table.bar(PRICE + way / 10, { [ALFA.id]: way, [BETA.id]: (draw % 5) - 2 > 0 ? -way : way });
    } else if (kind === 3) {
      const act = ACTS[draw % ACTS.length]!;
      table.step({ kind: 'operator-acted', ...stamp, by: 'me', reason: 'test', act });
      table.step({ kind: 'operator-acted', ...stamp, by: 'me', reason: 'test', act: { action: 'start' } });
    } else if (order !== undefined && state !== undefined) {
      const { clientId } = order;
      const left = state.lots - state.filledLots;
      if (kind < 8 && left > 0 && (!isEnded(state.status) || draw % 4 === 0))
        table.fill(order, PRICE, draw % 3 === 0 ? Math.max(1, Math.floor(left / 2)) : left);
      else if (kind === 8) table.accept(order);
      else if (kind === 9) table.end(draw % 2 === 0 ? 'order-canceled' : 'order-expired', clientId);
      else if (kind === 10) table.end('order-rejected', clientId);
      else if (kind === 11 && order.triggerTicks !== null)
        table.step({ kind: 'order-triggered', ...stamp, clientId });
      else if (kind === 12) table.step({ kind: 'cancel-rejected', ...stamp, clientId, reason: 'filled' });
    }
    closers += lookAtClosers(table, from);
    orders.push(...submitted(table.commands.slice(from)));
  }
  return closers;
}

describe('closers of one book never ask for more than it holds', () => {
  const exits = [timeExit({ otherwiseMs: 3 * STEP })];
  it.each([
    [
      'one position with stop and target that is turned round',
      { sizer: guarded, opposite: 'reverse', exits },
    ],
    ['one position without', { opposite: 'reverse', exits }],
    ['plans of two legs', { ...pair(), exits }],
    ['plans of two legs that are closed at a price', { ...pair(PRICE), exits }],
  ] satisfies [string, Partial<DeskParts>][])('%s', (_, parts) => {
    let closers = 0;
    const draw = fc.tuple(fc.nat(12), fc.nat(59));
    fc.assert(
      fc.property(fc.array(draw, { minLength: 20, maxLength: 90 }), (draws) => {
        closers += playDay(parts, draws);
      }),
      { numRuns: 300 },
    );
    expect(closers).toBeGreaterThan(300);
  });
});

describe('a closer that comes second', () => {
  const flatten = (table: Table) =>
    table.step({
      kind: 'operator-acted',
      at: table.at,
      eventTime: table.at,
      by: 'me',
      reason: 'test',
      act: { action: 'flatten', desk: null },
    });

  /** A plan of two legs whose second leg the venue refuses: what the first filled is unwound. */
  const unwinding = () => {
    const table = new Table(pair(), [ALFA, BETA]);
    const [bought, sold] = submitted(table.bar({ [ALFA.id]: 100.1, [BETA.id]: 100 }));
    table.accept(bought!);
    table.fill(bought!, 100);
    const [unwind] = submitted(table.end('order-rejected', sold!.clientId));
    expect(unwind).toMatchObject({ reason: 'leg-unwind', side: 'sell', lots: 100 });
    return { table, unwind: unwind! };
  };

  it('an exit waits for the order that unwinds its leg, and closes what that leaves', () => {
    const { table, unwind } = unwinding();
    expect(submitted(flatten(table))).toEqual([]);
    expect(submitted(table.bar(100))).toEqual([]);
    table.fill(unwind, 100, 60);
    const again = submitted(table.end('order-canceled', unwind.clientId));
    expect(again).toMatchObject([{ reason: 'leg-unwind', lots: 40 }]);
    table.fill(again[0]!, 100);
    expect(table.lots(ALFA)).toBe(0);
    expect(submitted(table.bar(100))).toEqual([]);
    expect(table.engine.real.leaving.size).toBe(0);
  });

  it('an order that unwinds waits for the exit of its leg, and unwinds what that leaves', () => {
    const table = new Table({ ...pair(), exits: [timeExit({ otherwiseMs: STEP })] }, [ALFA, BETA]);
    const [bought, sold] = submitted(table.bar({ [ALFA.id]: 100.1, [BETA.id]: 100 }));
    for (const order of [bought!, sold!]) table.accept(order);
    table.fill(bought!, 100);
    const [exit] = submitted(table.bar(100));
    expect(exit).toMatchObject({ reason: 'exit:time', side: 'sell', lots: 100 });
    expect(submitted(table.end('order-rejected', sold!.clientId))).toEqual([]);
    expect(submitted(table.end('order-rejected', exit!.clientId))).toMatchObject([
      { reason: 'leg-unwind', side: 'sell', lots: 100 },
    ]);
    // the desk leaves it to that
    expect(submitted(table.bar(100))).toEqual([]);
  });

  it('a reversal leaves to an exit at work what that closes', () => {
    const table = new Table({ opposite: 'reverse', exits: [timeExit({ otherwiseMs: STEP })] });
    enterLong(table);
    const out = submitted(table.bar(100, { [ALFA.id]: -1 }));
    expect(out.map(({ side, lots, reduceOnly, reason }) => [side, lots, reduceOnly, reason])).toEqual([
      ['sell', 100, true, 'exit:time'],
      ['sell', 100, false, 'reverse'],
    ]);
  });

  it('an exit has the lots of a closer that waits at its price as soon as that is canceled', () => {
    const table = new Table({ ...pair(PRICE), exits: [timeExit({ otherwiseMs: 2 * STEP })] }, [ALFA, BETA]);
    const opened = submitted(table.bar({ [ALFA.id]: 100.1, [BETA.id]: 100 }));
    for (const order of opened) table.fill(order, 100);
    const closing = submitted(table.bar({ [ALFA.id]: 99.9, [BETA.id]: 100 }));
    expect(closing.map(({ type, reduceOnly }) => [type, reduceOnly])).toEqual([
      ['limit', true],
      ['limit', true],
    ]);
    const out = table.bar(100);
    expect(submitted(out)).toEqual([]);
    expect(canceled(out)).toEqual(closing.map(({ clientId }) => clientId));
    const [closed] = closing;
    const [instead] = submitted(table.end('order-canceled', closed!.clientId));
    // the plan that closes asks first, by itself or through the desk, and once
    const asked = [instead, ...submitted(table.bar(100))].filter((o) => o?.book === closed!.book);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ side: closed!.side, lots: 100, reduceOnly: true, type: 'market' });
  });

  it('an exit asks for what a released stop and target, which share their lots, leave of a larger position', () => {
    const table = new Table({ sizer: guarded });
    const [{ book }, stop, target] = enterLong(table) as [OrderRequest, OrderRequest, OrderRequest];
    table.unasked(book, ALFA, 'buy', 30, 1_000);
    for (const { clientId } of [stop, target])
      table.step({ kind: 'order-triggered', at: table.at, eventTime: table.at, clientId });
    expect(submitted(flatten(table))).toMatchObject([{ side: 'sell', lots: 30 }]);
  });

  it('what protects a position that was turned round has its size', () => {
    const table = new Table({ sizer: guarded, opposite: 'reverse' });
    const { book } = table.engine.desks[0]!.instruments[0]!;
    table.bar(100);
    // held without any protection
    table.unasked(book, ALFA, 'buy', 70, 1_000);
    const out = submitted(table.bar(100, { [ALFA.id]: -1 }));
    expect(out.map(({ side, lots, reason }) => [side, lots, reason])).toEqual([
      ['sell', 70, 'exit:reverse'],
      ['sell', 100, 'reverse'],
      ['buy', 100, 'stop-loss'],
      ['buy', 100, 'take-profit'],
    ]);
  });
});
