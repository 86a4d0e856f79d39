import { describe, expect, it } from 'vitest';
import type { BookId, ClientOrderId, OrderRequest } from '#ledger';
import type { Approved, Leg, Plan } from '#risk';
import { BOOK, leg, MIN, order, PERP, plan, play, story, venue } from '../../test/support/venue-kit.ts';
import { approve } from '../risk/plan.ts';
import { LegTracker } from './leg-tracker.ts';
import { planOrders } from './planner.ts';
import { type RestingQuote, refreshQuotes } from './quotes.ts';
import type { VenueCommand } from './venue.ts';

const T = 60 * MIN;
const ids = (n: number) => `q${n}` as ClientOrderId;

const orders = (of: Plan, at = T) => planOrders(approve(of, T, MIN), ids, { at });
const brief = (o: OrderRequest) => [
  o.clientId,
  o.side,
  o.lots,
  o.type,
  o.limitTicks,
  o.triggerTicks,
  o.timeInForce,
];

describe('planOrders', () => {
  it('takes nothing that risk has not approved, nor what has run out', () => {
    const fake = { plan: plan([leg()]), approvedAt: T, approvedUntil: T + MIN } as unknown as Approved;
    expect(() => planOrders(fake, ids, { at: T })).toThrow('only an approved plan');
    expect(() => orders(plan([leg()]), T + MIN + 1)).toThrow('run out');
  });
  it('a leg becomes an order, its protection children of one group', () => {
    const made = orders(
      plan([leg({ protection: { stopTicks: 950, targetTicks: 1050, trailRate: 1_000_000 } })]),
    );
    expect(made.map(brief)).toEqual([
      ['q0', 'buy', 10, 'market', null, null, 'GTC'],
      ['q1', 'sell', 10, 'stop', null, 950, 'GTC'],
      ['q2', 'sell', 10, 'take-profit', null, 1050, 'GTC'],
      ['q3', 'sell', 10, 'trailing-stop', null, null, 'GTC'],
    ]);
    expect(made[0]).toMatchObject({
      ocoGroup: null,
      parent: null,
      reduceOnly: false,
      leverage: 3,
      expectedTicks: 1000,
    });
    for (const child of made.slice(1)) {
      expect(child).toMatchObject({
        parent: 'q0',
        ocoGroup: 'q0/protection',
        reduceOnly: true,
        reduceOnlyAtVenue: true,
      });
    }
    expect(made.map((o) => o.reason)).toEqual(['entry', 'stop-loss', 'take-profit', 'trailing-stop']);
  });
  it('asks whether stop and target reduce the venue’s net as it is once their entry has filled', () => {
    const protection = { stopTicks: 950, targetTicks: 1050, trailRate: null };
    const flags = (net: number, side: 'buy' | 'sell') =>
      planOrders(approve(plan([leg({ side, protection })]), T, MIN), ids, {
        at: T,
        reducesNet: (one, before) =>
          one.side === 'sell' ? net + before >= one.lots : -(net + before) >= one.lots,
      }).map((o) => o.reduceOnlyAtVenue);
    // alone, and beside desks that hold as much or more on the same side
    for (const net of [0, 10, 25]) expect(flags(net, 'buy')).toEqual([false, true, true]);
    for (const net of [0, -10, -25]) expect(flags(net, 'sell')).toEqual([false, true, true]);
    // beside one that holds the other side the venue’s net is less than the position: it would refuse the stop
    for (const net of [-1, -10, -25]) expect(flags(net, 'buy')).toEqual([false, false, false]);
    for (const net of [1, 10, 25]) expect(flags(net, 'sell')).toEqual([false, false, false]);
  });
  it('a single protection needs no group', () => {
    const made = orders(plan([leg({ protection: { stopTicks: 950, targetTicks: null, trailRate: null } })]));
    expect(made.map((o) => o.ocoGroup)).toEqual([null, null]);
  });
  it.each([
    [{ type: 'market' }, ['limit', 1010, null, 'IOC']],
    [{ type: 'market', timeInForce: 'FOK' }, ['limit', 1010, null, 'FOK']],
    [{ type: 'stop', triggerTicks: 1005 }, ['stop-limit', 1010, 1005, 'GTC']],
    [{ type: 'take-profit', triggerTicks: 990 }, ['take-profit-limit', 1010, 990, 'GTC']],
    [{ type: 'limit', limitTicks: 1020 }, ['limit', 1010, null, 'GTC']],
    [{ type: 'limit', limitTicks: 1000 }, ['limit', 1000, null, 'GTC']],
    [{ type: 'limit', limitTicks: 1000, side: 'sell' }, ['limit', 1010, null, 'GTC']],
  ] as const)('worst price 1010 with %o', (given, wanted) => {
    const [made] = orders(plan([leg({ ...given, worstTicks: 1010 })]));
    expect(brief(made!).slice(3)).toEqual(wanted);
  });
  it('exit plans only reduce; GTD legs end with the plan', () => {
    const [exit] = orders(
      plan([leg({ side: 'sell', timeInForce: 'GTD', type: 'limit', limitTicks: 990 })], { purpose: 'exit' }),
    );
    expect(exit).toMatchObject({ reduceOnly: true, reduceOnlyAtVenue: true, expiresAt: T + 10 * MIN });
    const [book] = planOrders(approve(plan([leg()], { purpose: 'exit' }), T, MIN), ids, {
      at: T,
      reducesNet: () => false,
    });
    expect(book).toMatchObject({ reduceOnly: true, reduceOnlyAtVenue: false });
  });
  it('closes what a reversal turns round in an order of its own where something else may close it first', () => {
    const protection = { stopTicks: 1_050, targetTicks: null, trailRate: null };
    const of = plan([leg({ side: 'sell', lots: 25, protection })], { purpose: 'reverse' });
    const whole = planOrders(approve(of, T, MIN), ids, { at: T });
    expect(whole.map((o) => [o.lots, o.reduceOnly])).toEqual([
      [25, false],
      [25, true],
    ]);
    const apart = planOrders(approve(of, T, MIN), ids, {
      at: T,
      closesFirst: () => ({ lots: 10, asked: 10 }),
    });
    expect(apart.map((o) => [o.clientId, o.side, o.lots, o.reduceOnly, o.parent, o.reason])).toEqual([
      ['q0', 'sell', 10, true, null, 'exit:reverse'],
      ['q1', 'sell', 15, false, null, 'entry'],
      ['q2', 'buy', 15, true, 'q1', 'stop-loss'],
    ]);
    const closesFirst = () => ({ lots: 10, asked: 4 });
    const asked: unknown[] = [];
    const reducesNet = (one: { lots: number }, before: number) => asked.push([one.lots, before]) > 0;
    const partly = planOrders(approve(of, T, MIN), ids, { at: T, closesFirst, reducesNet });
    expect(partly.map((o) => [o.lots, o.reason])).toEqual([
      [4, 'exit:reverse'],
      [15, 'entry'],
      [15, 'stop-loss'],
    ]);
    // its stop works when the whole position has been turned
    expect(asked).toContainEqual([15, -25]);
    const wrong = { lots: 10, asked: 11 };
    expect(() => planOrders(approve(of, T, MIN), ids, { at: T, closesFirst: () => wrong })).toThrow(
      'asks for',
    );
  });
  it('a trailing leg takes its distance from its protection', () => {
    const protection = { stopTicks: null, targetTicks: null, trailRate: 500 };
    const made = orders(plan([leg({ type: 'trailing-stop', side: 'sell', reduceOnly: true, protection })]));
    expect(made).toMatchObject([{ type: 'trailing-stop', trailRate: 500 }]);
    expect(() => orders(plan([leg({ type: 'trailing-stop' })]))).toThrow('distance');
  });
});

const other = 'p/d/c/two' as BookId;
const pair = (given: Partial<Plan> = {}, first: Partial<Leg> = {}) =>
  plan([leg(first), leg({ book: other, side: 'sell', lots: 20 })], given);
const track = (of: Plan, attempts = 3) => {
  const requests = orders(of);
  const entries = requests.filter((request) => request.parent === null).map((request) => request.clientId);
  const tracker = new LegTracker(of, requests, {
    ids: (n) => `u${n}` as ClientOrderId,
    worth: (l, lots) => lots * l.expectedTicks,
    attempts,
  });
  return { tracker, entries };
};
let n = 0;
const filled = (clientId: string, lots: number, fillId = `f${++n}`) =>
  ({
    kind: 'order-filled',
    at: T,
    eventTime: T,
    fill: {
      fillId,
      clientId: clientId as ClientOrderId,
      instrument: PERP.id,
      side: 'buy',
      lots,
      ticks: 1,
      fee: 0,
      liquidity: 'taker',
    },
  }) as const;
const ended = (
  clientId: string,
  kind: 'order-rejected' | 'order-canceled' | 'order-expired' = 'order-canceled',
) => ({ kind, at: T, eventTime: T, clientId: clientId as ClientOrderId, reason: 'r' }) as const;
const told = (commands: readonly VenueCommand[]) =>
  commands.map((c) =>
    c.kind === 'submit-order'
      ? `${c.order.side} ${c.order.lots} ${c.order.type}${c.order.reduceOnly ? ' reduce' : ''} ${c.order.clientId}`
      : `${c.kind} ${c.clientId}`,
  );

describe('LegTracker', () => {
  it('is complete when every leg is whole; repeated fills count once', () => {
    const { tracker } = track(pair());
    tracker.onReport(filled('q0', 10, 'same'));
    tracker.onReport(filled('q0', 10, 'same'));
    expect(tracker.held()).toEqual([10, 0]);
    expect(tracker.outcome()).toBeNull();
    tracker.onReport(filled('q1', 20));
    expect(tracker.outcome()).toBe('complete');
    expect(tracker.failure()).toBeNull();
  });
  it('unwind: cancels the rest and closes what filled, fills that cross included', () => {
    const { tracker } = track(pair());
    tracker.onReport(filled('q0', 4));
    expect(told(tracker.onReport(ended('q1', 'order-rejected')))).toEqual([
      'cancel-order q0',
      'sell 4 market reduce u0',
    ]);
    expect(tracker.onReport(filled('q0', 3))).toEqual([]); // while the first closing order works
    expect(told(tracker.onReport(filled('u0', 4)))).toEqual(['sell 3 market reduce u1']);
    expect(tracker.onReport(ended('q0'))).toEqual([]);
    expect(tracker.outcome()).toBeNull();
    tracker.onReport(filled('u1', 3));
    expect(tracker.outcome()).toBe('unwound');
    expect(told(tracker.onReport(filled('q0', 1)))).toEqual(['sell 1 market reduce u2']);
    expect(tracker.outcome()).toBeNull();
    tracker.onReport(filled('u2', 1));
    expect(tracker.outcome()).toBe('unwound');
    expect(tracker.held()).toEqual([0, 0]);
  });
  it('nothing filled: nothing to unwind', () => {
    const { tracker } = track(pair());
    expect(told(tracker.onReport(ended('q1', 'order-rejected')))).toEqual(['cancel-order q0']);
    tracker.onReport(ended('q0'));
    expect(tracker.outcome()).toBe('unwound');
  });
  it('gives up after its attempts: a person must look', () => {
    const { tracker } = track(pair(), 2);
    tracker.onReport(filled('q0', 10));
    tracker.onReport(ended('q1', 'order-rejected'));
    expect(told(tracker.onReport(ended('u0', 'order-rejected')))).toEqual(['sell 10 market reduce u1']);
    expect(tracker.onReport(ended('u1', 'order-rejected'))).toEqual([]);
    expect(tracker.outcome()).toBe('stranded');
  });
  it('keep: cancels the rest and keeps what filled', () => {
    const { tracker } = track(pair({ legFailure: 'keep' }));
    tracker.onReport(filled('q0', 4));
    expect(told(tracker.onReport(ended('q1', 'order-expired')))).toEqual(['cancel-order q0']);
    tracker.onReport(ended('q0'));
    expect(tracker.outcome()).toBe('kept');
    expect(tracker.held()).toEqual([4, 0]);
  });
  it('complete at market: what is missing, once, then unwinds', () => {
    const { tracker } = track(pair({ legFailure: 'complete-at-market' }));
    tracker.onReport(filled('q0', 10));
    tracker.onReport(filled('q1', 5));
    expect(told(tracker.onReport(ended('q1')))).toEqual(['sell 15 market u0']);
    tracker.onReport(filled('u0', 15));
    expect(tracker.outcome()).toBe('complete');

    const second = track(pair({ legFailure: 'complete-at-market' })).tracker;
    second.onReport(filled('q0', 10));
    second.onReport(ended('q1'));
    expect(told(second.onReport(ended('u0')))).toEqual(['sell 10 market reduce u1']);
    second.onReport(filled('u1', 10));
    expect(second.outcome()).toBe('unwound');
  });
  it('a plan that expires half filled is completed, and unwound only when that has had its time too', () => {
    const { tracker } = track(pair({ legFailure: 'complete-at-market' }));
    tracker.onReport(filled('q0', 10));
    expect(told(tracker.advance(T + 10 * MIN))).toEqual(['cancel-order q1']);
    expect(tracker.nextDue()).toBe(T + 20 * MIN);
    expect(tracker.advance(T + 10 * MIN)).toEqual([]);
    expect(told(tracker.onReport(ended('q1')))).toEqual(['sell 20 market u0']);
    expect(tracker.advance(T + 20 * MIN - 1)).toEqual([]);
    expect(told(tracker.advance(T + 20 * MIN))).toEqual(['cancel-order u0', 'sell 10 market reduce u1']);

    // the venue tells the expiry of a leg before the timer does
    const second = track(pair({ legFailure: 'complete-at-market' })).tracker;
    second.onReport(filled('q0', 10));
    const expiry = { ...ended('q1', 'order-expired'), at: T + 10 * MIN };
    expect(told(second.onReport(expiry))).toEqual(['sell 20 market u0']);
    expect(second.advance(T + 10 * MIN)).toEqual([]);
    second.onReport(filled('u0', 20));
    expect(second.outcome()).toBe('complete');
  });
  it('a closing plan that cannot be completed is left to a person, not called unwound', () => {
    const of = plan([leg({ reduceOnly: true }), leg({ book: other, side: 'sell', reduceOnly: true })], {
      purpose: 'exit',
      legFailure: 'complete-at-market',
    });
    const { tracker } = track(of);
    tracker.onReport(filled('q0', 10));
    tracker.onReport(ended('q1'));
    tracker.onReport(ended('u0'));
    for (let k = 1; k <= 3; k++) tracker.onReport(ended(`u${k}`));
    expect(tracker.outcome()).toBe('stranded');
  });
  it('completes only within the worst price, and not at all when nothing has filled', () => {
    const of = pair({ legFailure: 'complete-at-market' }, { worstTicks: 1010 });
    const { tracker } = track(of);
    tracker.onReport(filled('q1', 20));
    expect(tracker.onReport(ended('q0'))).toMatchObject([
      { order: { type: 'limit', limitTicks: 1010, timeInForce: 'IOC', lots: 10 } },
    ]);
    const empty = track(of).tracker;
    expect(told(empty.onReport(ended('q0')))).toEqual(['cancel-order q1']);
    empty.onReport(ended('q1'));
    expect(empty.outcome()).toBe('unwound');
  });
  it('measures what is unhedged once the reports of an instant are in', () => {
    const { tracker } = track(pair({ unhedgedMax: 5_000 }));
    tracker.onReport(filled('q0', 10));
    expect(tracker.unhedged()).toBe(10_000);
    tracker.onReport(filled('q1', 12)); // 60 %: 4 of the first leg stand alone
    expect(tracker.unhedged()).toBe(4_000);
    expect(tracker.advance(T)).toEqual([]);
    const late = track(pair({ unhedgedMax: 5_000 })).tracker;
    late.onReport(filled('q0', 10));
    expect(told(late.advance(T))).toEqual(['cancel-order q1', 'sell 10 market reduce u0']);
    expect(late.failure()).toBe('unhedged');
  });
  it('expires with the plan', () => {
    const { tracker } = track(pair());
    tracker.onReport(filled('q1', 20));
    expect(tracker.advance(T + 10 * MIN - 1)).toEqual([]);
    expect(told(tracker.advance(T + 10 * MIN))).toEqual(['cancel-order q0', 'buy 20 market reduce u0']);
    expect(tracker.failure()).toBe('expired');
  });
  it('drops the protection of what it unwinds and counts what protection has closed', () => {
    const protection = { stopTicks: 950, targetTicks: null, trailRate: null };
    const { tracker, entries } = track(pair({}, { protection }));
    expect(entries).toEqual(['q0', 'q2']);
    tracker.onReport(filled('q0', 10));
    tracker.onReport(filled('q1', 3)); // the stop
    expect(told(tracker.onReport(ended('q2')))).toEqual(['cancel-order q1', 'sell 7 market reduce u0']);
  });
  it('plays with a venue', () => {
    const sim = venue({ participation: 0.1 });
    const of = plan([leg(), leg({ lots: 10, side: 'sell', book: other, type: 'limit', limitTicks: 2000 })]);
    const { tracker } = track(of);
    for (const order of orders(of)) sim.execute({ kind: 'submit-order', order }, T);
    const out: string[] = [];
    for (let i = 0; i < 15; i++) {
      const at = T + i * MIN;
      const reports = play(sim, at, [100, 101, 99, 100, 40]);
      out.push(...story(reports));
      const commands = [...reports.flatMap((r) => [...tracker.onReport(r)]), ...tracker.advance(at + MIN)];
      for (const c of commands) for (const r of sim.execute(c, at + MIN)) tracker.onReport(r);
    }
    expect(tracker.outcome()).toBe('unwound');
    expect(sim.accountReport(T)).toMatchObject({ nets: [], openOrders: [] });
    expect(out).toContain('filled:q0:4@100');
  });
});

describe('refreshQuotes', () => {
  const resting = (
    clientId: string,
    side: 'buy' | 'sell',
    lots: number,
    limitTicks: number,
    done = 0,
  ): RestingQuote => ({
    clientId: clientId as ClientOrderId,
    book: BOOK,
    instrument: PERP.id,
    side,
    lots,
    filled: done,
    limitTicks,
  });
  const want = (id: string, side: 'buy' | 'sell', lots: number, limitTicks: number) =>
    order({ id, side, lots, type: 'limit', limitTicks });
  it('amends what moved, leaves what stands, counts what has filled', () => {
    const commands = refreshQuotes(
      [resting('b', 'buy', 5, 990), resting('s', 'sell', 5, 1010, 2)],
      [want('x', 'buy', 5, 990), want('y', 'sell', 5, 1012)],
    );
    expect(commands).toEqual([
      { kind: 'amend-order', clientId: 's', lots: 7, limitTicks: 1012, triggerTicks: null },
    ]);
  });
  it('submits what is missing and cancels what is left over, cancellations first', () => {
    expect(told(refreshQuotes([resting('b', 'buy', 5, 990)], [want('y', 'sell', 5, 1012)]))).toEqual([
      'cancel-order b',
      'sell 5 limit y',
    ]);
  });
  it('pairs ladders from the best price', () => {
    const commands = refreshQuotes(
      [resting('b2', 'buy', 5, 980), resting('b1', 'buy', 5, 990)],
      [want('x', 'buy', 5, 991)],
    );
    expect(told(commands)).toEqual(['cancel-order b2', 'amend-order b1']);
  });
});
