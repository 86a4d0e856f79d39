import { describe, expect, it } from 'vitest';
import type { BookId, ClientOrderId } from '#ledger';
import type { Leg, Plan } from '#risk';
import { BOOK, leg as legOf, MIN, PERP, plan } from '../../test/support/venue-kit.ts';
import { approve } from '../risk/plan.ts';
import { LegTracker } from './leg-tracker.ts';
import { planOrders } from './planner.ts';
import type { VenueCommand } from './venue.ts';

const T = 60 * MIN;
const EXPIRY = T + 10 * MIN;
const OTHER = 'p/d/c/two' as BookId;
const id = (text: string) => text as ClientOrderId;

const leg = (given: Partial<Leg>): Leg =>
  legOf({ type: 'limit', limitTicks: 1000, timeInForce: 'GTD', reason: 'r', ...given });

/** A plan of two legs, orders q0 and q1, and what their books hold. */
function track(of: Plan, held?: Map<BookId, number>) {
  const requests = planOrders(approve(of, T, MIN), (n) => id(`q${n}`), { at: T });
  const tracker = new LegTracker(of, requests, {
    ids: (n) => id(`u${n}`),
    worth: (l, lots) => lots * l.expectedTicks,
    ...(held === undefined ? {} : { heldLots: (l: Leg) => held.get(l.book) ?? 0 }),
  });
  let fills = 0;
  const story: string[] = [];
  const tell = (commands: readonly VenueCommand[]) => {
    for (const c of commands) {
      if (c.kind === 'submit-order') story.push(`${c.order.side} ${c.order.lots} as ${c.order.clientId}`);
      else story.push(`cancel ${c.clientId}`);
    }
  };
  return {
    tracker,
    /** What was commanded since the last call. */
    commands: () => story.splice(0),
    fill: (order: string, lots: number) => {
      fills += 1;
      const fill = {
        fillId: `f${fills}`,
        clientId: id(order),
        instrument: PERP.id,
        side: 'buy',
        lots,
      } as const;
      const rest = { ticks: 1, fee: 0, liquidity: 'taker' } as const;
      tell(tracker.onReport({ kind: 'order-filled', at: T, eventTime: T, fill: { ...fill, ...rest } }));
    },
    end: (order: string, at = T) =>
      tell(tracker.onReport({ kind: 'order-canceled', at, eventTime: at, clientId: id(order), reason: 'r' })),
    pass: (at: number) => tell(tracker.advance(at)),
  };
}

describe('a plan that only closes', () => {
  const closing = (given: Partial<Plan> = {}) => {
    const held = new Map([
      [BOOK, 10],
      [OTHER, -10],
    ]);
    const legs = [
      leg({ side: 'sell', reduceOnly: true }),
      leg({ book: OTHER, side: 'buy', reduceOnly: true }),
    ];
    return {
      held,
      ...track(plan(legs, { purpose: 'exit', legFailure: 'complete-at-market', ...given }), held),
    };
  };

  it('calls for nobody when it expires with nothing closed', () => {
    const { tracker, pass, end, commands } = closing();
    pass(EXPIRY);
    expect(commands()).toEqual(['cancel q0', 'cancel q1']);
    end('q0', EXPIRY);
    end('q1', EXPIRY);
    expect(tracker.outcome()).toBe('unwound');
    expect(tracker.failure()).toBe('expired');
    expect(commands()).toEqual([]);
  });

  it.each(['unwind', 'keep', 'complete-at-market'] as const)(
    'goes on with its other leg when a stop has closed one (%s)',
    (legFailure) => {
      const { tracker, held, fill, end, commands } = closing({ legFailure });
      held.set(BOOK, 0);
      fill('the-stop', 10); // of another order, whose fill closes the book
      end('q0'); // canceled by whoever saw the position closed
      expect(commands()).toEqual([]);
      expect(tracker.outcome()).toBeNull();
      held.set(OTHER, 0);
      fill('q1', 10);
      expect(tracker.outcome()).toBe('complete');
      expect(tracker.failure()).toBeNull();
    },
  );

  it('is complete when something else has closed its last leg', () => {
    const { tracker, held, fill, end } = closing();
    held.set(BOOK, 0);
    fill('q0', 10);
    held.set(OTHER, 0);
    end('q1');
    expect(tracker.outcome()).toBe('complete');
  });

  it('completes the other leg at the market when the time is up and a stop has closed one', () => {
    const { tracker, held, end, pass, fill, commands } = closing();
    held.set(BOOK, 0);
    end('q0');
    pass(EXPIRY);
    expect(commands()).toEqual(['cancel q1']);
    end('q1', EXPIRY);
    expect(commands()).toEqual(['buy 10 as u0']);
    held.set(OTHER, 0);
    fill('u0', 10);
    expect(tracker.outcome()).toBe('complete');
  });

  it('does not close what a book has opened since it was flat', () => {
    const { held, fill, end, pass, commands } = closing();
    held.set(BOOK, 0);
    fill('the-stop', 10);
    end('q0');
    held.set(BOOK, 7);
    pass(EXPIRY);
    end('q1', EXPIRY);
    expect(commands()).toEqual(['cancel q1', 'buy 10 as u0']);
  });

  it('is stranded, without an order that would open again, when one leg is closed and the other is held', () => {
    const { tracker, held, fill, end, commands } = closing({ legFailure: 'unwind' });
    held.set(BOOK, 0);
    fill('q0', 10);
    end('q1');
    expect(tracker.outcome()).toBe('stranded');
    expect(commands()).toEqual([]);
  });

  it('counts a leg closed in part as closed in part', () => {
    const { tracker, held, fill, pass, end } = closing({ legFailure: 'unwind' });
    held.set(BOOK, 6);
    fill('q0', 4);
    pass(EXPIRY);
    end('q0', EXPIRY);
    end('q1', EXPIRY);
    expect(tracker.outcome()).toBe('stranded');
  });
});

describe('a fill of the first order after its completion was sent', () => {
  const completing = () => {
    const opening = [leg({}), leg({ book: OTHER, side: 'sell', lots: 20 })];
    const made = track(plan(opening, { legFailure: 'complete-at-market' }));
    made.fill('q0', 10);
    made.fill('q1', 5);
    made.end('q1');
    expect(made.commands()).toEqual(['sell 15 as u0']);
    return made;
  };

  it('is closed again with what the completion has filled too much', () => {
    const { tracker, fill, commands } = completing();
    fill('q1', 4);
    expect(tracker.held()).toEqual([10, 9]);
    expect(commands()).toEqual([]);
    fill('u0', 15);
    expect(commands()).toEqual(['buy 4 as u1']);
    expect(tracker.outcome()).toBeNull();
    fill('u1', 4);
    expect(tracker.outcome()).toBe('complete');
    expect(tracker.held()).toEqual([10, 20]);
  });

  it('that makes the leg whole cancels the completion', () => {
    const { tracker, fill, end, commands } = completing();
    fill('q1', 15);
    expect(commands()).toEqual(['cancel u0']);
    expect(tracker.outcome()).toBeNull(); // it may fill yet
    expect(tracker.nextDue()).toBe(Infinity);
    end('u0');
    expect(tracker.outcome()).toBe('complete');
    expect(tracker.failure()).toContain('order-canceled');
    expect(commands()).toEqual([]);
  });

  it('that comes when all was complete reopens the plan', () => {
    const { tracker, fill, commands } = completing();
    fill('u0', 15);
    expect(tracker.outcome()).toBe('complete');
    fill('q1', 2);
    expect(tracker.outcome()).toBeNull();
    expect(commands()).toEqual(['buy 2 as u1']);
    fill('u1', 2);
    expect(tracker.outcome()).toBe('complete');
  });

  it('is unwound with the rest when the completion fails', () => {
    const { tracker, fill, end, commands } = completing();
    fill('q1', 4);
    end('u0');
    expect(commands()).toEqual(['sell 10 as u1', 'buy 9 as u2']);
    fill('u1', 10);
    fill('u2', 9);
    expect(tracker.outcome()).toBe('unwound');
  });

  it('needs a person when it cannot be closed', () => {
    const { tracker, fill, end } = completing();
    fill('q1', 4);
    fill('u0', 15);
    for (const order of ['u1', 'u2', 'u3']) end(order);
    expect(tracker.outcome()).toBe('stranded');
  });
});

it('a completion has its time from the moment the leg failed', () => {
  const of = plan([leg({}), leg({ book: OTHER, side: 'sell' })], { legFailure: 'complete-at-market' });
  const { tracker, fill, end, commands } = track(of);
  fill('q0', 10);
  end('q1', T + 3 * MIN);
  expect(commands()).toEqual(['sell 10 as u0']);
  expect(tracker.nextDue()).toBe(T + 13 * MIN);
});

it('asks of the order that unwinds, not of its leg, whether it reduces the net', () => {
  const of = plan([leg({}), leg({ book: OTHER, side: 'sell' })], { legFailure: 'unwind' });
  const unwoundAt = (net: number) => {
    const requests = planOrders(approve(of, T, MIN), (n) => id(`q${n}`), { at: T });
    const tracker = new LegTracker(of, requests, {
      ids: (n) => id(`u${n}`),
      worth: () => 0,
      reducesNet: ({ side, lots }) => (side === 'sell' ? net >= lots : -net >= lots),
    });
    const fill = { fillId: 'f', clientId: id('q0'), instrument: PERP.id, side: 'buy', lots: 4 } as const;
    const stamp = { at: T, eventTime: T };
    const priced = { ...fill, ticks: 1, fee: 0, liquidity: 'taker' } as const;
    tracker.onReport({ kind: 'order-filled', ...stamp, fill: priced });
    const end = { kind: 'order-canceled', ...stamp, clientId: id('q1'), reason: 'r' } as const;
    return tracker.onReport(end).flatMap((c) => (c.kind === 'submit-order' ? [c.order] : []));
  };
  const asked = { side: 'sell', lots: 4, reduceOnly: true };
  expect(unwoundAt(4)).toMatchObject([{ ...asked, reduceOnlyAtVenue: true }]);
  // another desk is short: a reduce-only sale would be refused there
  expect(unwoundAt(-20)).toMatchObject([{ ...asked, reduceOnlyAtVenue: false }]);
});
