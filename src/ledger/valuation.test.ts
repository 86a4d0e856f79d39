import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepsToNumber } from '#base';
import { BTC, COIN, ledger, listed, request, trade } from '../../test/support/ledger-books.ts';

const SHARE = listed({ id: 'WORTH.X', kind: 'equity', quote: 'USDT', lot: { units: 1, scale: 0 } });

describe('what can be valued', () => {
  it('law: a price that the books let through can be marked and reckoned', () => {
    const step = fc.tuple(
      fc.constantFrom(BTC, SHARE, COIN),
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: -9, max: 14 }),
    );
    let refused = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const books = ledger([
          ['USDT', 8, 1_000_000_000_000],
          ['BTC', 8, 1_000_000_000],
        ]);
        books.fxRate(COIN.settle, SHARE.settle, 50_000, 0);
        for (const instrument of [BTC, SHARE, COIN])
          trade(books, instrument, 'buy', 1_000, { ticks: instrument === SHARE ? 1e8 : 500_000 });
        for (const [instrument, ticks, exponent] of steps) {
          const price = stepsToNumber(ticks, instrument.tick) * 10 ** exponent;
          if (!books.canValue(instrument.id, price, price)) {
            refused += 1;
            continue;
          }
          if (price / stepsToNumber(1, instrument.tick) > 1e14) continue;
          books.mark(instrument.id, price, 1);
          if (!Number.isSafeInteger(books.equity(1))) throw new Error('no equity');
          books.summary(1);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it('counts an order as long as it may fill', () => {
    const books = ledger();
    expect(books.canValue(BTC.id, 1e11, 1e11)).toBe(true);
    const order = request(BTC, 'buy', 1_000_000, { expectedTicks: 100 });
    books.submit(order, 0);
    expect(books.canValue(BTC.id, 1e11, 1e11)).toBe(false);
    books.report({ kind: 'order-canceled', at: 1, eventTime: 1, clientId: order.clientId, reason: 'x' });
    expect(books.canValue(BTC.id, 1e11, 1e11)).toBe(true);
  });

  it('a split must come out in whole numbers, also of the most that was held', () => {
    const books = ledger();
    trade(books, SHARE, 'buy', 1_000, { ticks: 1e8 });
    expect(books.canSplit(SHARE.id, 10)).toBe(true);
    expect(books.canSplit(SHARE.id, 1 / 3)).toBe(true);
    expect(books.canSplit(SHARE.id, 1e7)).toBe(false);
    expect(books.canSplit(SHARE.id, Number.NaN)).toBe(false);
    expect(books.canSplit(BTC.id, 2)).toBe(false);
  });
});
