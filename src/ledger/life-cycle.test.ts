import { describe, expect, it } from 'vitest';
import { currency } from '#market';
import { perpetual } from '../../test/support/instruments.ts';
import { request } from '../../test/support/ledger-books.ts';
import { Ledger } from './ledger.ts';
import { LIFE_CYCLE, type OrderReportKind } from './life-cycle.ts';
import { bookId, type ClientOrderId, type Fill, type OrderStatus, type VenueReport } from './order.ts';

const BTC = perpetual('BTCUSDT.TEST', { base: 'BTC' });
const BOOK = bookId({ portfolio: 'p', desk: 'd', configuration: 'c', instrument: BTC.id });
const ID = 'order-1' as ClientOrderId;

const ORDER = request(BTC, 'buy', 10, { clientId: ID, type: 'limit', limitTicks: 600_000, leverage: 5 });

const STAMP = { at: 5, eventTime: 5 };

function fill(fillId: string, lots: number): VenueReport {
  const facts: Fill = {
    fillId,
    clientId: ID,
    instrument: BTC.id,
    side: 'buy',
    lots,
    ticks: 600_000,
    fee: 7,
    liquidity: 'maker',
  };
  return { ...STAMP, kind: 'order-filled', fill: facts };
}

function message(kind: OrderReportKind): VenueReport {
  switch (kind) {
    case 'order-filled':
      return fill('tested', 3);
    case 'order-accepted':
      return { ...STAMP, kind, clientId: ID, venueOrderId: 'v1' };
    case 'order-amended':
      return { ...STAMP, kind, clientId: ID, lots: 20, limitTicks: 590_000, triggerTicks: null };
    case 'order-triggered':
    case 'order-unknown':
      return { ...STAMP, kind, clientId: ID };
    default:
      return { ...STAMP, kind, clientId: ID, reason: 'because' };
  }
}

const WAY_TO: Record<OrderStatus, VenueReport[]> = {
  pending: [],
  working: [message('order-accepted')],
  triggered: [message('order-accepted'), message('order-triggered')],
  'partially-filled': [message('order-accepted'), fill('first', 4)],
  filled: [fill('first', 10)],
  canceled: [message('order-accepted'), message('order-canceled')],
  expired: [message('order-accepted'), message('order-expired')],
  rejected: [message('order-rejected')],
};

function ledgerWith(status: OrderStatus): Ledger {
  const ledger = new Ledger({
    portfolio: 'p',
    base: currency('USDT'),
    baseMinorScale: 8,
    instrumentOf: () => BTC,
    openingCash: [{ currency: currency('USDT'), minorScale: 8, amount: 1e12 }],
    at: 0,
  });
  ledger.submit(ORDER, 1);
  for (const report of WAY_TO[status]) ledger.report(report);
  expect(ledger.order(ID)?.status).toBe(status);
  return ledger;
}

// columns: accepted rejected triggered filled(3 lots) canceled expired amended(to 20) cancel-rej amend-rej unknown.
// a cell is the status afterwards, by first letter (x = expired, r = rejected), and what was said of it:
// ' ' applied, '-' ignored, '!' bad transition not applied, '+' booked with a fault
const KINDS: OrderReportKind[] = [
  'order-accepted',
  'order-rejected',
  'order-triggered',
  'order-filled',
  'order-canceled',
  'order-expired',
  'order-amended',
  'cancel-rejected',
  'amend-rejected',
  'order-unknown',
];
const EXPECTED: Record<OrderStatus, string> = {
  pending: /*         */ 'w  r  t  a  c  x  w  p  p  r ',
  working: /*         */ 'w- r  t  a  c  x  w  w  w  w!',
  triggered: /*       */ 't  r  t- a  c  x  t  t  t  t!',
  'partially-filled': 'a  a! a- a  c  x  a  a  a  a!',
  filled: /*          */ 'f  f! f- f+ f- f- a  f- f- f-',
  canceled: /*        */ 'c  c- c- c  c- c- c! c- c- c-',
  expired: /*         */ 'x  x- x- x  x- x- x! x- x- x-',
  rejected: /*        */ 'r! r- r! r+ r- r- r! r- r- r-',
};
const LETTER: Record<string, OrderStatus> = {
  p: 'pending',
  w: 'working',
  t: 'triggered',
  a: 'partially-filled',
  f: 'filled',
  c: 'canceled',
  x: 'expired',
  r: 'rejected',
};

describe('order life cycle', () => {
  for (const status of Object.keys(EXPECTED) as OrderStatus[]) {
    const cells = EXPECTED[status];
    KINDS.forEach((kind, i) => {
      const cell = cells.slice(i * 3, i * 3 + 2);
      it(`${status} + ${kind} -> ${cell}`, () => {
        const ledger = ledgerWith(status);
        const before = ledger.order(ID)!;
        const booking = ledger.report(message(kind));
        const after = ledger.order(ID)!;
        expect(booking.order).toEqual(after);
        expect(after.status).toBe(LETTER[cell[0]!]);
        const mark = cell[1];
        expect(booking.accepted).toBe(mark === ' ' || mark === '+');
        if (mark === ' ' || mark === '-') expect(booking.fault).toBeNull();
        else
          expect(booking.fault).toBe(mark === '!' || status === 'rejected' ? 'bad-transition' : 'overfill');
        if (!booking.accepted) expect(after).toEqual(before);
        // fills are facts, whatever the status
        const booked = ledger.position(BOOK)?.lots ?? 0;
        expect(booked).toBe(before.filledLots + (kind === 'order-filled' ? 3 : 0));
        expect(booked).toBe(after.filledLots);
        const live = !['filled', 'canceled', 'expired', 'rejected'].includes(after.status);
        expect(ledger.workingOrders().length).toBe(live ? 1 : 0);
        expect(after.reserved > 0).toBe(live);
        expect(ledger.currencySummary(currency('USDT'))!.reserved).toBe(after.reserved);
      });
    });
  }

  it('has a row and a column for everything', () => {
    expect(Object.keys(LIFE_CYCLE)).toHaveLength(8);
    for (const row of Object.values(LIFE_CYCLE)) expect(Object.keys(row).sort()).toEqual([...KINDS].sort());
  });

  it('takes up an order again that it had given up as lost', () => {
    const ledger = ledgerWith('pending');
    ledger.report(message('order-unknown'));
    expect(ledger.order(ID)).toMatchObject({ status: 'rejected', endReason: 'order-unknown', reserved: 0 });
    const revived = ledger.report(message('order-accepted'));
    expect(revived).toMatchObject({ accepted: true, fault: 'revived' });
    expect(revived.order).toMatchObject({ status: 'working', endReason: null, venueOrderId: 'v1' });
    expect(revived.order!.reserved).toBe(revived.order!.reservation);
    const lost = ledgerWith('pending');
    lost.report(message('order-unknown'));
    expect(lost.report(fill('late', 2))).toMatchObject({ accepted: true, fault: 'revived' });
    expect(lost.order(ID)).toMatchObject({ status: 'partially-filled', filledLots: 2 });
  });

  it('fills up after a cancellation that crossed the last fill', () => {
    const ledger = ledgerWith('canceled');
    expect(ledger.report(fill('late', 10))).toMatchObject({ accepted: true, fault: null });
    expect(ledger.order(ID)).toMatchObject({ status: 'filled', filledLots: 10, reserved: 0 });
  });

  it('ends an order that is amended to no more than it has filled', () => {
    const ledger = ledgerWith('partially-filled');
    const report = {
      ...STAMP,
      kind: 'order-amended',
      clientId: ID,
      limitTicks: 1,
      triggerTicks: null,
    } as const;
    expect(ledger.report({ ...report, lots: 4 }).order!.status).toBe('filled');
    expect(ledger.workingOrders()).toEqual([]);
  });

  it('ignores repeated fills, refuses foreign and unknown ones', () => {
    const ledger = ledgerWith('partially-filled');
    expect(ledger.report(fill('first', 4))).toMatchObject({ accepted: false, fault: 'duplicate-fill' });
    const other = fill('second', 4) as Extract<VenueReport, { kind: 'order-filled' }>;
    const wrongSide = { ...other, fill: { ...other.fill, side: 'sell' as const } };
    expect(ledger.report(wrongSide)).toMatchObject({ accepted: false, fault: 'mismatched-fill' });
    const unknown = { ...other, fill: { ...other.fill, clientId: 'nobody' as ClientOrderId } };
    expect(ledger.report(unknown)).toMatchObject({ accepted: false, fault: 'unknown-order', order: null });
    expect(ledger.report(other)).toMatchObject({ accepted: true, fault: null });
    expect(ledger.position(BOOK)!.lots).toBe(8);
  });

  it('notes and clears requests that are under way', () => {
    const ledger = ledgerWith('working');
    ledger.cancelRequested(ID, 7);
    ledger.amendRequested(ID, 8);
    expect(ledger.order(ID)).toMatchObject({ cancelRequestedAt: 7, amendRequestedAt: 8 });
    ledger.report(message('cancel-rejected'));
    expect(ledger.order(ID)).toMatchObject({ cancelRequestedAt: null, amendRequestedAt: 8 });
    ledger.report(message('order-amended'));
    expect(ledger.order(ID)).toMatchObject({ amendRequestedAt: null, lots: 20, limitTicks: 590_000 });
    const ended = ledgerWith('canceled');
    ended.cancelRequested(ID, 9);
    expect(ended.order(ID)!.cancelRequestedAt).toBeNull();
  });

  it('asserts on a client id that was used before', () => {
    expect(() => ledgerWith('working').submit(ORDER, 9)).toThrow(/submitted twice/);
    expect(() => ledgerWith('filled').submit(ORDER, 9)).toThrow(/submitted twice/);
  });
});
