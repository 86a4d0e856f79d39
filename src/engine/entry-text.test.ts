import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandText, eventText, instantOf, readCommand, readEvent } from './entry-text.ts';
import type { Command, Event } from './events.ts';

const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e21, 1e-9, 5e-324, Number.MAX_SAFE_INTEGER),
);
const maybe = fc.option(number);
const id = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.stringMatching(/^[\w./:#-]{0,20}$/),
  fc.constant('a"b\\c\n'),
);

const order = fc.record({
  clientId: id,
  book: id,
  instrument: id,
  side: fc.constantFrom('buy', 'sell'),
  lots: number,
  type: fc.constantFrom('market', 'stop-limit'),
  limitTicks: maybe,
  triggerTicks: maybe,
  trailRate: maybe,
  timeInForce: fc.constantFrom('GTC', 'IOC'),
  expiresAt: maybe,
  postOnly: fc.boolean(),
  reduceOnly: fc.boolean(),
  reduceOnlyAtVenue: fc.boolean(),
  ocoGroup: fc.option(id),
  parent: fc.option(id),
  leverage: number,
  expectedTicks: maybe,
  reason: id,
});
const fill = fc.record({
  fillId: id,
  clientId: id,
  instrument: id,
  side: fc.constantFrom('buy', 'sell'),
  lots: number,
  ticks: number,
  fee: number,
  liquidity: fc.constantFrom('maker', 'taker'),
});
const event = fc.oneof(
  fc.record({
    kind: fc.constant('order-accepted'),
    at: number,
    eventTime: number,
    clientId: id,
    venueOrderId: id,
  }),
  fc.record({ kind: fc.constant('order-filled'), at: number, eventTime: number, fill }),
  // other orders of fields, and further ones
  fc.record({ at: number, kind: fc.constant('order-filled'), eventTime: number, fill, more: id }),
  fc.record({ kind: fc.constant('timer-fired'), at: number, eventTime: number }),
);

/** As JSON keeps it. */
const kept = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('the journal text', () => {
  it('of an event gives it back, its fields in their order', () => {
    fc.assert(
      fc.property(event, (e) => {
        const text = eventText(e as unknown as Event);
        expect(JSON.stringify(readEvent(text))).toBe(JSON.stringify(e));
        // and one text for one event
        expect(eventText(readEvent(text))).toBe(eventText(kept(e) as Event));
        if (Number.isSafeInteger(e.at) && e.at >= 0) expect(instantOf(text)).toBe(Math.abs(e.at));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of a command gives it back', () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant('submit-order'), order }),
      fc.record({ kind: fc.constant('cancel-order'), clientId: id, reason: id }),
    );
    fc.assert(
      fc.property(command, (c) => {
        const text = commandText(c as unknown as Command);
        expect(JSON.stringify(readCommand(text))).toBe(JSON.stringify(c));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of the three common messages is a row', () => {
    const at = 1_700_000_000_000;
    const accepted = { kind: 'order-accepted', at, eventTime: at, clientId: 'a', venueOrderId: 'b' };
    expect(eventText(accepted as Event)).toBe(`["order-accepted",${at},${at},"a","b"]`);
    // another order of fields would not come back as it was
    const turned = { at, kind: 'order-accepted', eventTime: at, clientId: 'a', venueOrderId: 'b' };
    expect(eventText(turned as Event)).toBe(JSON.stringify(turned));
  });
});
