import type { OrderRequest, VenueReport } from '#ledger';
import type { Command, Event } from './events.ts';

/**
 * The journal's text of an event or a command: what JSON.stringify gives. The three messages that fill a backtest's
 * journal are written out, in a third of the time; one with fields in another order, or more of them, is not.
 */
export function eventText(event: Event): string {
  if (event.kind === 'order-accepted' && hasKeys(event, ACCEPTED)) return acceptedText(event);
  if (event.kind === 'order-filled' && hasKeys(event, FILLED) && hasKeys(event.fill, FILL))
    return filledText(event);
  return JSON.stringify(event);
}

/** See {@link eventText}. */
export function commandText(command: Command): string {
  if (command.kind !== 'submit-order' || !hasKeys(command, SUBMIT) || !hasKeys(command.order, ORDER))
    return JSON.stringify(command);
  return `{"kind":"submit-order","order":${orderText(command.order)}}`;
}

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

function acceptedText(e: Extract<VenueReport, { kind: 'order-accepted' }>): string {
  return (
    `{"kind":"order-accepted","at":${num(e.at)},"eventTime":${num(e.eventTime)},` +
    `"clientId":${str(e.clientId)},"venueOrderId":${str(e.venueOrderId)}}`
  );
}

function filledText({ at, eventTime, fill }: Extract<VenueReport, { kind: 'order-filled' }>): string {
  return (
    `{"kind":"order-filled","at":${num(at)},"eventTime":${num(eventTime)},"fill":{` +
    `"fillId":${str(fill.fillId)},"clientId":${str(fill.clientId)},"instrument":${str(fill.instrument)},` +
    `"side":"${fill.side}","lots":${num(fill.lots)},"ticks":${num(fill.ticks)},"fee":${num(fill.fee)},` +
    `"liquidity":"${fill.liquidity}"}}`
  );
}

function orderText(o: OrderRequest): string {
  return (
    `{"clientId":${str(o.clientId)},"book":${str(o.book)},"instrument":${str(o.instrument)},` +
    `"side":"${o.side}","lots":${num(o.lots)},"type":"${o.type}",` +
    `"limitTicks":${num(o.limitTicks)},"triggerTicks":${num(o.triggerTicks)},"trailRate":${num(o.trailRate)},` +
    `"timeInForce":"${o.timeInForce}","expiresAt":${num(o.expiresAt)},` +
    `"postOnly":${o.postOnly},"reduceOnly":${o.reduceOnly},"reduceOnlyAtVenue":${o.reduceOnlyAtVenue},` +
    `"ocoGroup":${text(o.ocoGroup)},"parent":${text(o.parent)},"leverage":${num(o.leverage)},` +
    `"expectedTicks":${num(o.expectedTicks)},"reason":${str(o.reason)}}`
  );
}

/** A number as JSON has it: null for what is none. */
const num = (value: number | null): string => (Number.isFinite(value) ? `${value}` : 'null');
const text = (value: string | null): string => (value === null ? 'null' : str(value));

/** Letters, digits and what ids are made with stand for themselves. */
const PLAIN = /^[\w ./:#+-]*$/;
const str = (value: string): string => (PLAIN.test(value) ? `"${value}"` : JSON.stringify(value));
