import { describe, expect, it } from 'vitest';
import {
  barOf,
  closed,
  fills,
  funding,
  MIN,
  mark,
  opened,
  order,
  PERP,
  play,
  print,
  quote,
  story,
  submit,
  venue,
} from '../../test/support/venue-kit.ts';

const T = 60 * MIN;

describe('matching on quotes', () => {
  it('takers pay the ask and get the bid that stand when they arrive', () => {
    const sim = venue({ latencyMs: 250 });
    sim.onMarket(quote(T, 100, 100.2));
    submit(sim, T + 10, { id: 'm' });
    sim.onMarket(quote(T + 200, 101, 101.2));
    expect(story(sim.onMarket(quote(T + 300, 102, 102.2)))).toEqual(['accepted:m', 'filled:m:1@101.2']);
    const now = venue();
    now.onMarket(quote(T, 100, 100.2));
    expect(story(submit(now, T, { id: 's', side: 'sell' }))).toEqual(['accepted:s', 'filled:s:1@100']);
  });
  it('respects sizes and walks to the next quote', () => {
    const sim = venue();
    sim.onMarket(quote(T, 100, 100.2, 5, 3));
    expect(fills(submit(sim, T, { lots: 5 }))).toEqual(['buy 3@100.2 taker']);
    expect(fills(submit(sim, T, { lots: 1, side: 'sell' }))).toEqual(['sell 1@100 taker']);
    expect(fills(sim.onMarket(quote(T + 1, 100.1, 100.3, 5, 9)))).toEqual(['buy 2@100.3 taker']);
  });
  it('what was taken is gone until the quote is renewed', () => {
    const sim = venue();
    sim.onMarket(quote(T, 100, 100.2, 5, 3));
    submit(sim, T, { lots: 3 });
    expect(fills(submit(sim, T, { lots: 1 }))).toEqual([]);
  });
  it('FOK takes all or nothing, IOC what there is', () => {
    const sim = venue();
    sim.onMarket(quote(T, 100, 100.2, 5, 3));
    expect(story(submit(sim, T, { id: 'f', lots: 5, timeInForce: 'FOK' })).at(-1)).toBe(
      'canceled:f:fok-not-whole',
    );
    expect(story(submit(sim, T, { id: 'i', lots: 5, timeInForce: 'IOC' })).slice(1)).toEqual([
      'filled:i:3@100.2',
      'canceled:i:ioc-remainder',
    ]);
  });
  it('walks the levels of a book down to its limit', () => {
    const sim = venue();
    const book = (at: number, snapshot: boolean, asks: [number, number][]) =>
      ({ kind: 'book-changed', at, eventTime: at, instrument: PERP.id, snapshot, bids: [], asks }) as const;
    sim.onMarket(
      book(T, true, [
        [100.2, 2],
        [100.1, 1],
        [100.5, 9],
      ]),
    );
    const limit = { id: 'l', lots: 5, type: 'limit', limitTicks: 1002 } as const;
    expect(fills(submit(sim, T, limit))).toEqual(['buy 1@100.1 taker', 'buy 2@100.2 taker']);
    // depth is finer than quotes; a level at the limit does not fill a rested order, one through it does
    expect(sim.onMarket(quote(T + 1, 99, 99.5))).toEqual([]);
    expect(sim.onMarket(book(T + 2, false, [[100.2, 9]]))).toEqual([]);
    expect(fills(sim.onMarket(book(T + 3, false, [[100.1, 9]])))).toEqual(['buy 2@100.2 maker']);
  });
  it('stops look at the side they would take', () => {
    const sim = venue();
    sim.onMarket(quote(T, 100, 100.2));
    submit(sim, T, { lots: 2 });
    submit(sim, T, { id: 's', side: 'sell', lots: 2, type: 'stop', triggerTicks: 990, reduceOnly: true });
    expect(sim.onMarket(quote(T + 1, 99.1, 99.2))).toEqual([]);
    expect(story(sim.onMarket(quote(T + 2, 98.9, 99.3)))).toEqual(['triggered:s', 'filled:s:2@98.9']);
  });
  it('a trailing stop follows the bid', () => {
    const sim = venue();
    sim.onMarket(quote(T, 100, 100.2));
    submit(sim, T, {});
    const trail = {
      id: 's',
      side: 'sell',
      type: 'trailing-stop',
      trailRate: 1_000_000,
      reduceOnly: true,
    } as const;
    submit(sim, T, trail);
    sim.onMarket(quote(T + 1, 110, 110.2)); // trigger 108.9
    expect(sim.onMarket(quote(T + 2, 109, 109.2))).toEqual([]);
    expect(story(sim.onMarket(quote(T + 3, 108.9, 109)))).toEqual(['triggered:s', 'filled:s:1@108.9']);
  });
  it('queue: what was displayed at our price trades before us', () => {
    const sim = venue({ limitFill: 'queue' });
    sim.onMarket(quote(T, 100, 100.2, 5, 5));
    submit(sim, T, { lots: 4, type: 'limit', limitTicks: 1000 });
    expect(fills(sim.onMarket(print(T + 1, 100, 3, 'sell')))).toEqual([]);
    expect(fills(sim.onMarket(print(T + 2, 100, 3, 'buy')))).toEqual([]);
    expect(fills(sim.onMarket(print(T + 3, 100, 3, 'sell')))).toEqual(['buy 1@100 maker']);
    expect(fills(sim.onMarket(print(T + 4, 99.9, 9, 'sell')))).toEqual(['buy 3@100 maker']);
  });
  it('ignores quotes that are none', () => {
    const sim = venue();
    submit(sim, T, { id: 'm' });
    expect(sim.onMarket(quote(T, Number.NaN, 100))).toEqual([]);
    expect(sim.onMarket(quote(T, 101, 100))).toEqual([]);
    expect(sim.onMarket(quote(T, 0, 100))).toEqual([]);
    expect(sim.onMarket(quote(T, 100, 100.1, -1, 5))).toEqual([]);
    expect(sim.onMarket(print(T, Number.POSITIVE_INFINITY, 1, 'buy'))).toEqual([]);
    expect(sim.onMarket(mark(T, Number.NaN))).toEqual([]);
    expect(sim.onMarket(funding(T, 0.1, 0))).toEqual([]);
  });
});

describe('the finest data present', () => {
  it('quotes silence bars, and bars take over when quotes stop', () => {
    const sim = venue();
    sim.onMarket(quote(T + 1000, 100, 100.2, 0, 0));
    submit(sim, T + 1000, { id: 'm' });
    expect(sim.onMarket(opened(T + MIN, 50))).toEqual([]);
    sim.onMarket(quote(T + MIN + 1000, 100, 100.2, 0, 0));
    expect(sim.onMarket(closed(barOf(T + MIN, [50, 51, 49, 50])))).toEqual([]);
    // a bar without any quote in it
    expect(fills(play(sim, T + 2 * MIN, [50, 51, 49, 50]))).toEqual(['buy 1@50 taker']);
  });
  it('prints: takers at the print within its size, limits through it', () => {
    const sim = venue({ slippage: { kind: 'fixed', rate: 100_000 } });
    submit(sim, T, { id: 'm', lots: 5 });
    submit(sim, T, { id: 'l', lots: 5, type: 'limit', limitTicks: 990 });
    expect(story(sim.onMarket(print(T, 100, 2, 'buy')))).toEqual(['filled:m:2@100.1']);
    expect(story(sim.onMarket(print(T + 1, 100, 3, 'buy')))).toEqual(['filled:m:3@100.1']);
    expect(sim.onMarket(print(T + 2, 99, 3, 'sell'))).toEqual([]);
    expect(story(sim.onMarket(print(T + 3, 98.9, 3, 'sell')))).toEqual(['filled:l:3@99']);
  });
  it('marks alone: the next mark, with half the spread', () => {
    const slippage = { kind: 'impact', halfSpreadRate: 10_000, k: 0.5, windowBars: 20 } as const;
    const sim = venue({ slippage });
    submit(sim, T, { id: 'm' });
    expect(story(sim.onMarket(mark(T + 5, 1000)))).toEqual(['filled:m:1@1000.1']);
    submit(sim, T + 6, { id: 's', side: 'sell', type: 'stop', triggerTicks: 9900, reduceOnly: true });
    expect(story(sim.onMarket(mark(T + 10, 980)))).toEqual(['triggered:s', 'filled:s:1@979.9']);
  });
  it('sparse marks beside bars do not match', () => {
    const sim = venue();
    play(sim, T, [100, 101, 99, 100]);
    submit(sim, T + MIN, { id: 'm' });
    expect(sim.onMarket(mark(T + MIN, 90))).toEqual([]);
    expect(fills(sim.onMarket(opened(T + MIN, 100)))).toEqual(['buy 1@100 taker']);
    expect(order().side).toBe('buy');
  });
});
