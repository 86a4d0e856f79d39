import { describe, expect, it } from 'vitest';
import type { BookId, OrderRequest, VenueReport } from '#ledger';
import { fixedUnits, SIGMA_BREAKER, timeExit } from '#risk';
import {
  ALFA,
  canceled,
  enterLong,
  guarded,
  STEP,
  submitted,
  Table,
} from '../../test/support/engine-table.ts';

describe('exits', () => {
  it('are asked again until the position is gone, also where the reason was told only once', () => {
    const table = new Table({ opposite: 'close' });
    enterLong(table);
    const [exit] = submitted(table.bar(100, { [ALFA.id]: -1 }));
    expect(exit).toMatchObject({ side: 'sell', reduceOnly: true, reason: 'exit:opposite-signal' });
    table.end('order-rejected', exit!.clientId);
    const [again] = submitted(table.bar(100));
    expect(again).toMatchObject({ side: 'sell', lots: 100, reason: 'exit:opposite-signal' });
    table.fill(again!, 100);
    expect(submitted(table.bar(100))).toEqual([]);
    expect(table.lots()).toBe(0);
  });

  it('close what is left of an exit that was canceled half filled', () => {
    const table = new Table({ opposite: 'close' });
    enterLong(table);
    const [exit] = submitted(table.bar(100, { [ALFA.id]: -1 }));
    table.fill(exit!, 100, 60);
    table.end('order-canceled', exit!.clientId);
    expect(submitted(table.bar(100))).toMatchObject([{ side: 'sell', lots: 40, reduceOnly: true }]);
  });

  it('flatten reaches an entry whose fill crossed its cancellation, also in SHUTDOWN', () => {
    const table = new Table({ breaker: SIGMA_BREAKER });
    const [entry] = submitted(table.bar(100, { [ALFA.id]: 1 }));
    table.accept(entry!);
    const kill = {
      kind: 'operator-acted',
      at: table.at,
      eventTime: table.at,
      by: 'me',
      reason: 'test',
    } as const;
    expect(canceled(table.step({ ...kill, act: { action: 'kill' } }))).toEqual([entry!.clientId]);
    table.fill(entry!, 100);
    expect(submitted(table.bar(100))).toMatchObject([{ side: 'sell', lots: 100, reason: 'exit:flatten' }]);
  });
});

describe('protection', () => {
  const flags = (othersHold: number) => {
    const table = new Table({ sizer: guarded });
    table.bar(100);
    if (othersHold !== 0) {
      const other = 'p/other/c/ALFA.X' as BookId;
      table.unasked(other, ALFA, othersHold > 0 ? 'buy' : 'sell', Math.abs(othersHold), 1_000);
    }
    return enterLong(table).map((order) => [order.reason, order.reduceOnlyAtVenue]);
  };

  it('is reduce-only at the venue where it reduces the net that its entry will have made', () => {
    const reduces = [
      ['entry', false],
      ['stop-loss', true],
      ['take-profit', true],
    ];
    for (const held of [0, 40, 100]) expect(flags(held)).toEqual(reduces);
  });

  it('is not where another desk holds the other side: the venue would refuse it', () => {
    for (const held of [-40, -100, -300])
      expect(flags(held).map(([, atVenue]) => atVenue)).toEqual([false, false, false]);
  });
});

describe('an entry whose cancellation the venue refuses', () => {
  /** A person closes all while an entry works; the cancellation and what the entry filled are answered as stated. */
  const answers = {
    'the fill first': ['fill', 'refused'],
    'the refusal first': ['refused', 'fill'],
    'the refusal first, and again': ['refused', 'refused', 'accepted', 'fill'],
  } as const;
  const refused = (table: Table, { clientId }: OrderRequest) =>
    table.step({ kind: 'cancel-rejected', ...now(table), clientId, reason: 'filled' });
  const now = ({ at }: Table) => ({ at, eventTime: at });
  const leftEntry = () => {
    const table = new Table();
    const [entry] = submitted(table.bar(100, { [ALFA.id]: 1 }));
    table.accept(entry!);
    const act = { action: 'flatten', desk: null } as const;
    const out = table.step({ kind: 'operator-acted', ...now(table), by: 'me', reason: 'test', act });
    expect(canceled(out)).toEqual([entry!.clientId]);
    return { table, entry: entry! };
  };

  it.each(Object.entries(answers))('is closed when it has filled: %s', (_, order) => {
    const { table, entry } = leftEntry();
    for (const answer of order) {
      if (answer === 'fill') table.fill(entry, 100);
      else if (answer === 'accepted') table.accept(entry);
      else refused(table, entry);
    }
    const [exit] = submitted(table.bar(100));
    expect(exit).toMatchObject({ side: 'sell', lots: 100, reason: 'exit:flatten' });
    table.fill(exit!, 100);
    expect(table.engine.real.leaving.size).toBe(0);
  });

  it('is closed when it fills after a restart from a snapshot', () => {
    const { table, entry } = leftEntry();
    expect(refused(table, entry)).toEqual([{ kind: 'query-order', clientId: entry.clientId }]);
    const next = new Table();
    next.at = table.at;
    next.engine.restore(JSON.parse(JSON.stringify(table.engine.capture())));
    next.step({ kind: 'run-resumed', ...now(next) });
    next.fill(entry, 100);
    expect(submitted(next.bar(100))).toMatchObject([{ side: 'sell', lots: 100, reason: 'exit:flatten' }]);
  });

  it('leaves nothing to do once it has ended after all', () => {
    const { table, entry } = leftEntry();
    refused(table, entry);
    expect(table.engine.real.leaving.size).toBe(1);
    table.end('order-expired', entry.clientId);
    expect(table.engine.real.leaving.size).toBe(0);
    enterLong(table);
    expect(submitted(table.bar(100))).toEqual([]);
  });
});

describe('the breaker', () => {
  const call = (table: Table, latencyMs: number) =>
    table.step({ kind: 'call-measured', at: table.at, eventTime: table.at, venue: 'X', latencyMs });

  it('closes everything when a loss comes while it halts for another reason', () => {
    const table = new Table({ sizer: fixedUnits(500, { leverage: 2 }), breaker: SIGMA_BREAKER });
    enterLong(table);
    call(table, 3_000);
    expect(table.engine.breaker!.state).toBe('HALT');
    expect(submitted(table.bar(100))).toEqual([]);
    expect(submitted(table.bar(85))).toMatchObject([{ side: 'sell', reason: 'exit:breaker' }]);
  });

  it('closes again what an exit it asked for did not close', () => {
    const table = new Table({ sizer: fixedUnits(500, { leverage: 2 }), breaker: SIGMA_BREAKER });
    enterLong(table);
    const [exit] = submitted(table.bar(85));
    expect(exit).toMatchObject({ reason: 'exit:breaker' });
    table.end('order-rejected', exit!.clientId);
    expect(submitted(table.bar(85))).toMatchObject([{ side: 'sell', reason: 'exit:breaker' }]);
  });

  it('says at once that it halts', () => {
    const table = new Table({ breaker: SIGMA_BREAKER });
    table.bar(100);
    expect(call(table, 3_000)).toMatchObject([{ kind: 'raise-alert', severity: 'critical', key: 'breaker' }]);
  });

  it('counts an order that could not be sent once', () => {
    const table = new Table({ breaker: SIGMA_BREAKER });
    const [entry] = submitted(table.bar(100, { [ALFA.id]: 1 }));
    const { clientId } = entry!;
    const lost = {
      kind: 'send-failed',
      at: table.at,
      eventTime: table.at,
      clientId,
      reason: 'down',
    } as const;
    table.step({ ...lost, outcome: 'not-sent' });
    expect(table.engine.breaker!.state).toBe('CLOSED');
  });

  it('counts a rejected entry once, whatever becomes of its protective orders', () => {
    const table = new Table({ sizer: guarded, breaker: SIGMA_BREAKER });
    const orders = submitted(table.bar(100, { [ALFA.id]: 1 }));
    expect(orders).toHaveLength(3);
    for (const { clientId } of orders) table.end('order-rejected', clientId);
    expect(table.engine.breaker!.state).toBe('CLOSED');
  });

  it('asks to be woken for every step down, so that long bars do not hold it up', () => {
    const table = new Table({ breaker: SIGMA_BREAKER });
    table.bar(100);
    call(table, 3_000);
    const from = table.at;
    const steps: [number, string][] = [];
    for (let due = table.engine.nextDue(); due < Infinity; due = table.engine.nextDue()) {
      table.step({ kind: 'timer-fired', at: due, eventTime: due });
      steps.push([(due - from) / 1_000, table.engine.breaker!.state]);
    }
    expect(steps).toEqual([
      [900, 'THROTTLE'],
      [1_200, 'ALERT'],
      [1_260, 'CLOSED'],
    ]);
  });

  it('hears of a loss between bars', () => {
    const table = new Table({ sizer: fixedUnits(500, { leverage: 2 }), breaker: SIGMA_BREAKER });
    enterLong(table);
    table.bar(100);
    table.at += 10_000;
    expect(submitted(table.mark(ALFA, 85))).toMatchObject([{ side: 'sell', reason: 'exit:breaker' }]);
  });
});

describe('a reversal', () => {
  it('takes the old protection away', () => {
    const table = new Table({ sizer: guarded, opposite: 'reverse' });
    const first = enterLong(table);
    const second = submitted(table.bar(100, { [ALFA.id]: -1 }));
    for (const order of second) table.accept(order);
    for (const order of second.filter((o) => o.parent === null)) table.fill(order, 100);
    expect(table.lots()).toBe(-100);
    const alive = table.engine.real.ledger.workingOrders();
    const asked = new Set(canceled(table.commands));
    for (const { clientId } of first.slice(1)) expect(asked).toContain(clientId);
    const kept = alive.filter(({ request }) => !asked.has(request.clientId)).map(({ request }) => request);
    expect(kept.map(({ side, reason }) => [side, reason])).toEqual([
      ['buy', 'stop-loss'],
      ['buy', 'take-profit'],
    ]);
  });

  it('is not doubled by a stop or an exit that closes the old position first', () => {
    const table = new Table({ sizer: guarded, opposite: 'reverse' });
    const first = enterLong(table);
    const second = submitted(table.bar(100, { [ALFA.id]: -1 }));
    // the old stop fires before the venue sees the reversal
    table.fill(first.find((o) => o.reason === 'stop-loss')!, 95);
    const entries = second.filter((o) => o.parent === null);
    for (const order of entries) {
      if (order.reduceOnly) table.end('order-canceled', order.clientId);
      else table.fill(order, 95);
    }
    expect(table.lots()).toBe(-100);
  });

  it('with an exit at work opens one size only', () => {
    const table = new Table({ opposite: 'reverse', exits: [timeExit({ otherwiseMs: STEP, longestMs: {} })] });
    enterLong(table);
    const out = submitted(table.bar(100, { [ALFA.id]: -1 }));
    expect(out[0]).toMatchObject({ side: 'sell', lots: 100, reason: 'exit:time' });
    const adding = out.filter((o) => !o.reduceOnly).reduce((sum, o) => sum + o.lots, 0);
    expect(adding).toBeLessThanOrEqual(100);
  });
});

describe('memories', () => {
  it('of an entry that never filled do not pass to another position', () => {
    const entry = { type: 'limit', offsetRate: 0.01, bars: 10, postOnly: false } as const;
    const table = new Table({ sizer: guarded, entry });
    const orders = submitted(table.bar(100, { [ALFA.id]: 1 }));
    for (const order of orders) table.accept(order);
    table.end('order-expired', orders[0]!.clientId);
    const book = orders[0]!.book;
    table.unasked(book, ALFA, 'sell', 10, 1_000);
    expect(table.engine.real.held.get(book)).toMatchObject({
      direction: -1,
      stopPrice: null,
      targetPrice: null,
    });
  });
});

describe('an order the venue has lost', () => {
  it('ends once the account and the query both say so', () => {
    const table = new Table({ sizer: guarded });
    const orders = enterLong(table);
    const stopId = orders.find((o) => o.reason === 'stop-loss')!.clientId;
    const stamp = { at: table.at, eventTime: table.at } as const;
    const unknown: VenueReport = { kind: 'order-unknown', ...stamp, clientId: stopId };
    table.step(unknown);
    expect(table.engine.real.ledger.order(stopId)!.status).toBe('working');
    const target = orders.find((o) => o.reason === 'take-profit')!.clientId;
    const nets = [{ instrument: ALFA.id, lots: 100 }];
    const out = table.step({ kind: 'account-reported', ...stamp, venue: 'X', nets, openOrders: [target] });
    expect(out).toContainEqual({ kind: 'query-order', clientId: stopId });
    table.step(unknown);
    expect(table.engine.real.ledger.order(stopId)!.status).toBe('canceled');
  });
});
