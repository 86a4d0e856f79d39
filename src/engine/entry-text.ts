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
  return `["order-accepted",${num(e.at)},${num(e.eventTime)},${str(e.clientId)},${str(e.venueOrderId)}]`;
}

function filledText({ at, eventTime, fill }: Extract<VenueReport, { kind: 'order-filled' }>): string {
  return (
    `["order-filled",${num(at)},${num(eventTime)},${str(fill.fillId)},${str(fill.clientId)},` +
    `${str(fill.instrument)},"${fill.side}",${num(fill.lots)},${num(fill.ticks)},${num(fill.fee)},` +
    `"${fill.liquidity}"]`
  );
}

function orderText(o: OrderRequest): string {
  return (
    `["submit-order",${str(o.clientId)},${str(o.book)},${str(o.instrument)},"${o.side}",${num(o.lots)},` +
    `"${o.type}",${num(o.limitTicks)},${num(o.triggerTicks)},${num(o.trailRate)},"${o.timeInForce}",` +
    `${num(o.expiresAt)},${o.postOnly},${o.reduceOnly},${o.reduceOnlyAtVenue},${text(o.ocoGroup)},` +
    `${text(o.parent)},${num(o.leverage)},${num(o.expectedTicks)},${str(o.reason)}]`
  );
}

/** A number as JSON has it: null for what is none. */
const num = (value: number | null): string => (Number.isFinite(value) ? `${value}` : 'null');
const text = (value: string | null): string => (value === null ? 'null' : str(value));

/** Letters, digits and what ids are made with stand for themselves. */
const PLAIN = /^[\w ./:#+-]*$/;
const str = (value: string): string => (PLAIN.test(value) ? `"${value}"` : JSON.stringify(value));
