import type { OrderRequest, VenueReport } from '#ledger';
import type { Command, Event } from './events.ts';

// The journal's text of an event or a command is JSON. The three messages that fill the journal of a backtest are rows:
// their kind and the values of their fields, whose names stand in the tables below. One with fields in another order, or
// more of them, is an object with names, as all others are.

/** The journal's text of an event; {@link readEvent} gives it back. */
export function eventText(event: Event): string {
  if (event.kind === 'order-accepted' && hasKeys(event, ACCEPTED)) return acceptedText(event);
  if (event.kind === 'order-filled' && hasKeys(event, FILLED) && hasKeys(event.fill, FILL))
    return filledText(event);
  return JSON.stringify(event);
}

/** The journal's text of a command; {@link readCommand} gives it back. */
export function commandText(command: Command): string {
  if (command.kind !== 'submit-order' || !hasKeys(command, SUBMIT) || !hasKeys(command.order, ORDER))
    return JSON.stringify(command);
  return orderText(command.order);
}

export function readEvent(text: string): Event {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) return value as Event;
  if (value[0] === 'order-accepted') return named(ACCEPTED, value) as unknown as Event;
  const fill = named(FILL, value.slice(FILLED.length - 1));
  return { ...named(FILLED, value.slice(0, FILLED.length - 1)), fill } as unknown as Event;
}

export function readCommand(text: string): Command {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) return value as Command;
  return { kind: 'submit-order', order: named(ORDER, value.slice(1)) as unknown as OrderRequest };
}

/** When an event happened, from its text, without reading all of it; null where no event says so. */
export function instantOf(text: string): number | null {
  const match = ROW_INSTANT.exec(text) ?? /"at":(\d+)/.exec(text.slice(0, 200));
  return match === null ? null : Number(match[1]);
}

const ROW_INSTANT = /^\["[\w-]+",(\d+)/;

const ACCEPTED = ['kind', 'at', 'eventTime', 'clientId', 'venueOrderId'];
const FILLED = ['kind', 'at', 'eventTime', 'fill'];
const FILL = ['fillId', 'clientId', 'instrument', 'side', 'lots', 'ticks', 'fee', 'liquidity'];
const SUBMIT = ['kind', 'order'];
const ORDER = [
  'clientId',
  'book',
  'instrument',
  'side',
  'lots',
  'type',
  'limitTicks',
  'triggerTicks',
  'trailRate',
  'timeInForce',
  'expiresAt',
  'postOnly',
  'reduceOnly',
  'reduceOnlyAtVenue',
  'ocoGroup',
  'parent',
  'leverage',
  'expectedTicks',
  'reason',
];

function hasKeys(value: object, keys: readonly string[]): boolean {
  let i = 0;
  for (const key in value) if (key !== keys[i++]) return false;
  return i === keys.length;
}

function named(keys: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (let i = 0; i < values.length; i++) out[keys[i]!] = values[i];
  return out;
}

function acceptedText(e: Extract<VenueReport, { kind: 'order-accepted' }>): string {
  return JSON.stringify([e.kind, e.at, e.eventTime, e.clientId, e.venueOrderId]);
}

function filledText({
  kind,
  at,
  eventTime,
  fill: f,
}: Extract<VenueReport, { kind: 'order-filled' }>): string {
  const { fillId, clientId, instrument, side, lots, ticks, fee, liquidity } = f;
  return JSON.stringify([
    kind,
    at,
    eventTime,
    fillId,
    clientId,
    instrument,
    side,
    lots,
    ticks,
    fee,
    liquidity,
  ]);
}

function orderText(o: OrderRequest): string {
  return JSON.stringify([
    'submit-order',
    o.clientId,
    o.book,
    o.instrument,
    o.side,
    o.lots,
    o.type,
    o.limitTicks,
    o.triggerTicks,
    o.trailRate,
    o.timeInForce,
    o.expiresAt,
    o.postOnly,
    o.reduceOnly,
    o.reduceOnlyAtVenue,
    o.ocoGroup,
    o.parent,
    o.leverage,
    o.expectedTicks,
    o.reason,
  ]);
}
