import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandText, eventText } from './entry-text.ts';
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

describe('the journal text', () => {
  it('of an event is what JSON.stringify gives', () => {
    fc.assert(
      fc.property(event, (e) => {
        expect(eventText(e as unknown as Event)).toBe(JSON.stringify(e));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of a command is what JSON.stringify gives', () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant('submit-order'), order }),
      fc.record({ kind: fc.constant('cancel-order'), clientId: id, reason: id }),
    );
    fc.assert(
      fc.property(command, (c) => {
        expect(commandText(c as unknown as Command)).toBe(JSON.stringify(c));
      }),
      { numRuns: 2_000 },
    );
  });
});
