import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captureState, restoreState } from '#base';
import type { Fill, Ledger, OrderRequest, VenueReport } from '#ledger';
import { BTC, bookOf, COIN, fillOf, ledger, request } from '../../test/support/ledger-books.ts';

const asked = (fill: Fill): VenueReport => ({ kind: 'order-filled', at: 1, eventTime: 1, fill });
const unasked = (fill: Fill, instrument = BTC): VenueReport => ({
  kind: 'unasked-fill',
  at: 1,
  eventTime: 1,
  book: bookOf(instrument),
  cause: 'manual',
  fill,
});

function ordered(books: Ledger, lots: number, instrument = BTC): OrderRequest {
  const order = request(instrument, 'buy', lots);
  books.submit(order, 0);
  return order;
}

describe('a fill that is told in both ways', () => {
  it('as its order’s and then as nobody’s is booked once', () => {
    const books = ledger();
    const fill = fillOf(ordered(books, 10), 10, 600_000, 7);
    expect(books.report(asked(fill))).toMatchObject({ accepted: true, fault: null });
    expect(books.report(unasked(fill))).toMatchObject({ accepted: false, fault: 'duplicate-fill' });
    expect(books.net(BTC.id)).toBe(10);
    expect(books.summary(1).fees).toBe(7);
  });

  it('under whatever client id the venue tells it again', () => {
    const books = ledger();
    const fill = fillOf(ordered(books, 10), 10, 600_000);
    books.report(asked(fill));
    const other = { ...fill, clientId: 'by-hand' as Fill['clientId'] };
    expect(books.report(unasked(other))).toMatchObject({ accepted: false, fault: 'duplicate-fill' });
    expect(books.net(BTC.id)).toBe(10);
  });

  it('as nobody’s and then as its order’s is booked once, and the order is filled', () => {
    const books = ledger();
    const order = ordered(books, 10);
    const fill = fillOf(order, 10, 600_000, 7);
    books.report(unasked(fill));
    const booking = books.report(asked(fill));
    expect(booking).toMatchObject({ accepted: false, fault: 'duplicate-fill', order: { status: 'filled' } });
    expect(books.net(BTC.id)).toBe(10);
    expect(books.summary(1)).toMatchObject({ fees: 7, reserved: 0 });
    expect(books.workingOrders()).toEqual([]);
    // told a third time it is nothing at all
    expect(books.report(asked(fill))).toMatchObject({ accepted: false, order: { filledLots: 10 } });
  });

  it('is another fill where another venue gave the same id', () => {
    const books = ledger([
      ['USDT', 8, 1_000_000_000_000],
      ['BTC', 8, 1_000_000_000],
    ]);
    const fill = fillOf(ordered(books, 10), 10, 600_000);
    books.report(unasked(fill));
    const coin = { ...fillOf(ordered(books, 5, COIN), 5, 500_000), fillId: fill.fillId };
    expect(books.report(asked(coin))).toMatchObject({ accepted: true, fault: null });
    expect([books.net(BTC.id), books.net(COIN.id)]).toEqual([10, 5]);
  });

  it('a charge does not shut out a fill of the same id', () => {
    const books = ledger();
    const fill = fillOf(ordered(books, 10), 10, 600_000);
    const { fillId: chargeId, instrument } = fill;
    const stamp = { at: 1, eventTime: 1 };
    books.report({
      kind: 'funding-charged',
      ...stamp,
      chargeId,
      instrument,
      book: bookOf(BTC),
      amount: 1,
    });
    expect(books.report(asked(fill))).toMatchObject({ accepted: true });
  });

  it('law: however often, in whatever order and way, it is booked once', () => {
    const lots = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 });
    const tellings = fc.array(fc.tuple(fc.nat(5), fc.boolean()), { minLength: 1, maxLength: 24 });
    fc.assert(
      fc.property(lots, tellings, fc.nat(24), (sizes, told, snapshotAfter) => {
        let books = ledger();
        const fills = sizes.map((size, i) => fillOf(ordered(books, size), size, 600_000 + i, i));
        const seen = new Set<Fill>();
        const known = new Set<Fill>();
        told.forEach(([pick, byOrder], i) => {
          const fill = fills[pick % fills.length]!;
          const booking = books.report(byOrder ? asked(fill) : unasked(fill));
          expect(booking.accepted).toBe(!seen.has(fill));
          seen.add(fill);
          if (byOrder) known.add(fill);
          if (i !== snapshotAfter) return;
          const next = ledger();
          restoreState(next, JSON.parse(JSON.stringify(captureState(books))));
          books = next;
        });
        const once = [...seen];
        expect(books.net(BTC.id)).toBe(once.reduce((sum, fill) => sum + fill.lots, 0));
        expect(books.summary(1).fees).toBe(once.reduce((sum, fill) => sum + fill.fee, 0));
        for (const sum of books.trialBalance().values()) expect(sum).toBe(0);
        for (const fill of fills)
          expect(books.order(fill.clientId)!.filledLots).toBe(known.has(fill) ? fill.lots : 0);
      }),
      { numRuns: 1_000 },
    );
  });
});
