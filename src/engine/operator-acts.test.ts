import { describe, expect, it } from 'vitest';
import { type BookId, bookId, type ClientOrderId } from '#ledger';
import { SIGMA_BREAKER, singleAssetLimit, stopLossExit, takeProfitExit } from '#risk';
import { ALFA, BETA, enterLong, guarded, submitted, Table } from '../../test/support/engine-table.ts';
import { Engine } from './engine.ts';
import type { OperatorAction } from './events.ts';
import { exitsAhead } from './exits-ahead.ts';
import { operatorRefusal } from './operator-acts.ts';
import type { TraceLine } from './trace.ts';

const LONG = { [ALFA.id]: 1 };
const PRICES = { [ALFA.id]: 100, [BETA.id]: 100 };
const BOOK = bookId({ portfolio: 'p', desk: 'd', configuration: 'c', instrument: ALFA.id });

function seen(parts: ConstructorParameters<typeof Table>[0] = {}, changes: object = {}) {
  const lines: TraceLine[] = [];
  const trace = { level: 'decisions' as const, line: (line: TraceLine) => void lines.push(line) };
  const table = new Table(parts, [ALFA, BETA], { trace, ...changes });
  const act = (given: OperatorAction, reason = 'because') =>
    table.step({
      kind: 'operator-acted',
      at: table.at,
      eventTime: table.at,
      by: 'ada',
      reason,
      act: given,
    });
  return { table, lines, act };
}

/** A table that holds ALFA long from 100, its entry filled. */
function holding(parts: ConstructorParameters<typeof Table>[0] = {}, changes: object = {}) {
  const found = seen(parts, changes);
  const { table } = found;
  enterLong(table);
  return found;
}

const texts = (lines: readonly TraceLine[]) => lines.flatMap((l) => ('text' in l ? [l.text] : []));

describe('stopping one desk', () => {
  it('keeps its entries back with a reason in the trace, and lets its exits go on', () => {
    const { table, lines, act } = seen();
    act({ action: 'stop', desk: 'd' });
    expect(submitted(table.bar(PRICES, LONG))).toEqual([]);
    expect(lines.at(-1)).toMatchObject({
      type: 'decision',
      outcome: 'refused',
      objections: [{ by: 'desk-stopped', reason: 'desk d is stopped: an operator must start it' }],
    });
    expect(table.engine.running).toBe(true);
    expect([...table.engine.desksStopped]).toEqual(['d']);
    act({ action: 'start' });
    expect(submitted(table.bar(PRICES, LONG))).toEqual([]);
    act({ action: 'start', desk: 'd' });
    expect(submitted(table.bar(PRICES, LONG))).toHaveLength(1);
  });

  it('is not undone by starting the portfolio, nor does starting a desk start a stopped portfolio', () => {
    const { table, lines, act } = seen();
    act({ action: 'stop' });
    act({ action: 'start', desk: 'd' });
    expect(submitted(table.bar(PRICES, LONG))).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ objections: [{ by: 'stopped' }] });
  });

  it('survives a snapshot, which one without it knows nothing of', () => {
    const { table, act } = seen();
    const before = JSON.stringify(table.engine.capture());
    act({ action: 'stop', desk: 'd' });
    const warm = new Engine(table.engine.definition);
    warm.restore(JSON.parse(JSON.stringify(table.engine.capture())));
    expect([...warm.desksStopped]).toEqual(['d']);
    const old = JSON.parse(before) as Record<string, unknown>;
    const { desksStopped: _, limitChanges: __, ...older } = old;
    const other = new Engine(table.engine.definition);
    other.restore(older);
    expect([...other.desksStopped]).toEqual([]);
    expect(other.limitChanges).toEqual({});
  });
});

describe('canceling one order', () => {
  it('asks the venue once, and refuses what is unknown, ended or being canceled', () => {
    const { table, lines, act } = seen();
    const [entry] = submitted(table.bar(PRICES, LONG));
    const { clientId } = entry!;
    const cancel = { action: 'cancel', clientId } as const;
    expect(operatorRefusal(table.engine, cancel)).toBeNull();
    expect(act(cancel)).toEqual([{ kind: 'cancel-order', clientId, reason: 'operator' }]);
    expect(operatorRefusal(table.engine, cancel)).toMatch(/is being canceled already/);
    expect(act(cancel)).toEqual([]);
    expect(texts(lines).at(-1)).toMatch(/^cancel p-1 by ada: because \(refused: order p-1 is being canceled/);
    table.end('order-canceled', clientId);
    expect(operatorRefusal(table.engine, cancel)).toMatch(/has ended: canceled/);
    const stranger = { action: 'cancel', clientId: 'nobody' as ClientOrderId } as const;
    expect(operatorRefusal(table.engine, stranger)).toBe('there is no order nobody');
    expect(act(stranger)).toEqual([]);
  });
});

describe('canceling the stop of a position', () => {
  const stopOf = (table: Table) =>
    table.engine.real.ledger.workingOrders().find(({ request }) => request.reason === 'stop-loss')!.request;

  it('tells so, and the desk closes at the stop by itself from then on', () => {
    const { table, act } = holding({ exits: [stopLossExit(), takeProfitExit()], sizer: guarded });
    const { clientId } = stopOf(table);
    expect(act({ action: 'cancel', clientId })).toEqual([
      { kind: 'cancel-order', clientId, reason: 'operator' },
      {
        kind: 'raise-alert',
        severity: 'warning',
        key: `unprotected-${BOOK}`,
        text: `${BOOK} has no stop at the venue any more, canceled by ada: the desk itself closes it there`,
      },
    ]);
    table.end('order-canceled', clientId);
    expect(submitted(table.bar({ ...PRICES, [ALFA.id]: 94 }))).toMatchObject([
      { book: BOOK, reduceOnly: true, reason: 'exit:stop-loss' },
    ]);
  });

  it('tells that nothing closes it where the desk does not watch for its stop', () => {
    const { table, act } = holding({ sizer: guarded });
    const { clientId } = stopOf(table);
    expect(act({ action: 'cancel', clientId })).toMatchObject([
      { kind: 'cancel-order' },
      {
        kind: 'raise-alert',
        severity: 'critical',
        text: expect.stringMatching(/no exit of its desk takes the place/),
      },
    ]);
  });

  it('has nothing to tell of a target', () => {
    const { table, act } = holding({ sizer: guarded });
    const target = table.engine.real.ledger
      .workingOrders()
      .find(({ request }) => request.reason === 'take-profit')!.request;
    expect(act({ action: 'cancel', clientId: target.clientId })).toHaveLength(1);
  });
});

describe('closing one position', () => {
  it('closes it, cancels the entries of its book and leaves the others alone', () => {
    const { table, act } = seen({ opposite: 'reverse' });
    const orders = submitted(table.bar(PRICES, { [ALFA.id]: 1, [BETA.id]: 1 }));
    for (const order of orders) {
      table.accept(order);
      table.fill(order, 100);
    }
    expect(table.engine.real.held.size).toBe(2);
    const out = act({ action: 'close', book: BOOK });
    const [exit] = submitted(out);
    expect(submitted(out)).toHaveLength(1);
    expect(exit).toMatchObject({ book: BOOK, side: 'sell', reduceOnly: true, reason: 'exit:close' });
    table.fill(exit!, 99);
    expect([...table.engine.real.held.keys()]).toEqual(orders.map((o) => o.book).filter((b) => b !== BOOK));
    expect(table.engine.real.leaving.size).toBe(0);
    expect(operatorRefusal(table.engine, { action: 'close', book: BOOK })).toBe(`${BOOK} holds nothing`);
  });

  it('is asked for again when the exit is refused, and goes through SHUTDOWN', () => {
    const { table, act } = holding({ breaker: SIGMA_BREAKER });
    table.engine.breaker!.critical('security', table.at);
    const [exit] = submitted(act({ action: 'close', book: BOOK }));
    table.end('order-rejected', exit!.clientId);
    const [again] = submitted(table.bar(101));
    expect(again).toMatchObject({ book: BOOK, reduceOnly: true, reason: 'exit:close' });
  });

  it('cancels an entry that has not filled', () => {
    const { table, act } = seen();
    const [entry] = submitted(table.bar(PRICES, LONG));
    expect(act({ action: 'close', book: BOOK })).toEqual([
      { kind: 'cancel-order', clientId: entry!.clientId, reason: 'close' },
    ]);
  });

  it('is refused for a book that nobody trades', () => {
    const { table } = seen();
    const act = { action: 'close', book: 'p/other/c/ALFA.X' as BookId } as const;
    expect(operatorRefusal(table.engine, act)).toBe('no desk of this portfolio trades p/other/c/ALFA.X');
  });
});

describe('limits changed at run time', () => {
  const sized = { limits: [singleAssetLimit({ max: 0.5 })] };
  const definition = { limits: { assetMax: 0.0004 }, cash: 100_000_000_000 };
  // one lot-sized ALFA at 100 with leverage 2 ties up 50 of 100,000: a share of 0.0005
  const lotsOf = (orders: readonly { readonly lots: number }[]) => orders.map(({ lots }) => lots);

  it('take the place of what is configured, come back with null, and never loosen what a desk asks', () => {
    const { table, act } = seen(sized, definition);
    const entered = () => {
      const orders = submitted(table.bar(PRICES, LONG));
      for (const order of orders) table.end('order-rejected', order.clientId);
      return lotsOf(orders);
    };
    expect(entered()).toEqual([80]);
    act({ action: 'limits', changes: { assetMax: 0.0003 } });
    expect(entered()).toEqual([60]);
    act({ action: 'limits', changes: { assetMax: 1 } });
    expect(entered()).toEqual([100]);
    act({ action: 'limits', changes: { assetMax: null } });
    expect(entered()).toEqual([80]);
    expect(table.engine.limitChanges).toEqual({});
    const strict = seen({ limits: [singleAssetLimit({ max: 0.0002 })] }, definition);
    strict.act({ action: 'limits', changes: { assetMax: 1 } });
    expect(lotsOf(submitted(strict.table.bar(PRICES, LONG)))).toEqual([40]);
  });

  it('hold in an engine that was restored', () => {
    const { table, act } = seen(sized, definition);
    act({ action: 'limits', changes: { assetMax: 0.0003, heatMax: 0.5 } });
    const other = seen(sized, definition);
    other.table.at = table.at;
    other.table.engine.restore(JSON.parse(JSON.stringify(table.engine.capture())));
    expect(other.table.engine.plans.portfolioLimits.map(({ name }) => name)).toEqual([
      'single-asset',
      'heat',
    ]);
    expect(lotsOf(submitted(other.table.bar(PRICES, LONG)))).toEqual([60]);
  });

  it('are refused when they are none, say nothing, or group by a correlation alone', () => {
    const { table, act } = seen();
    const refusal = (changes: Record<string, number | null>) =>
      operatorRefusal(table.engine, { action: 'limits', changes });
    expect(refusal({})).toBe('no limit is named');
    expect(refusal({ assetMax: 0 })).toMatch(/assetMax must be above 0 and at most 1, got 0/);
    expect(refusal({ assetMax: Number.NaN })).toMatch(/got NaN/);
    expect(refusal({ wit: 1 })).toMatch(/there is no limit wit/);
    expect(refusal({ groupRho: 0.5 })).toMatch(/groupRho alone limits nothing/);
    expect(refusal({ groupRho: 0.5, groupMax: 0.5 })).toBeNull();
    act({ action: 'limits', changes: { groupRho: 0.5 } });
    expect(table.engine.limitChanges).toEqual({});
  });
});

describe('a journal of another version', () => {
  it('gives its stopped desks and limits on, and what was closed by its orders alone', () => {
    const { table } = holding();
    const event = (act: OperatorAction) => ({
      kind: 'operator-acted' as const,
      at: table.at,
      eventTime: table.at,
      by: 'ada',
      reason: 'because',
      act,
    });
    const before = table.engine.real.ledger.workingOrders().length;
    table.engine.fact(event({ action: 'close', book: BOOK }));
    expect(table.engine.real.ledger.workingOrders()).toHaveLength(before);
    expect(table.engine.real.leaving.size).toBe(0);
    table.engine.fact(event({ action: 'stop', desk: 'd' }));
    table.engine.fact(event({ action: 'limits', changes: { heatMax: 0.1 } }));
    expect([...table.engine.desksStopped]).toEqual(['d']);
    expect(table.engine.plans.portfolioLimits.map(({ name }) => name)).toEqual(['heat']);
    expect(table.engine.outgoing).toBe(0);
  });
});

describe('a record', () => {
  it('stands in the trace and does nothing', () => {
    const { table, lines, act } = holding();
    const before = JSON.stringify(table.engine.capture());
    expect(act({ action: 'record', subject: 'user bob', detail: 'role trader' }, 'new colleague')).toEqual(
      [],
    );
    expect(texts(lines).at(-1)).toBe('record user bob (role trader) by ada: new colleague');
    expect(JSON.stringify(table.engine.capture())).toBe(before);
  });
});

describe('what could close a position next', () => {
  it('names levels, resting orders and what is not armed, and changes nothing', () => {
    const { table } = holding({
      exits: [stopLossExit(), takeProfitExit()],
      opposite: 'close',
      sizer: guarded,
    });
    const before = JSON.stringify(table.engine.capture());
    const [position] = exitsAhead(table.engine);
    expect(position).toMatchObject({ book: BOOK, desk: 'd', direction: 1, lots: 100, entryPrice: 100 });
    expect(position!.exits).toMatchObject([
      { exit: 'stop-loss', on: 'price', level: 95, now: 100, from: 100, armed: true },
      { exit: 'take-profit', on: 'price', level: 110 },
      { exit: 'opposite-signal', on: 'state', level: null },
    ]);
    expect(position!.exits[0]!.order).not.toBeNull();
    expect(JSON.stringify(table.engine.capture())).toBe(before);
    expect(exitsAhead(seen().table.engine)).toEqual([]);
  });
});
