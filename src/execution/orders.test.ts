import { describe, expect, it } from 'vitest';
import { HOUR } from '#base';
import type { BookId, ClientOrderId } from '#ledger';
import { fills, instrument, MIN, play, quote, story, submit, venue } from '../../test/support/venue-kit.ts';

const T = 24 * HOUR;
const FLAT = [100, 100.5, 99.5, 100] as const;
const id = (text: string) => text as ClientOrderId;

describe('what a venue refuses', () => {
  const strict = instrument({ minLots: 2, minNotional: 50_000_000_000, maxLeverage: 5 });
  it.each([
    [{ lots: 0 }, 'size-not-positive'],
    [{ lots: 1.5 }, 'size-not-positive'],
    [{ lots: Number.NaN }, 'size-not-positive'],
    [{ lots: 1 }, 'size-below-minimum'],
    [{ lots: 4, type: 'limit', limitTicks: 1000 } as const, 'value-below-minimum'],
    [{ lots: 9, leverage: 6 }, 'leverage-above-maximum'],
    [{ lots: 9, leverage: 0 }, 'leverage-below-one'],
    [{ lots: 9, type: 'limit' } as const, 'price-not-positive'],
    [{ lots: 9, type: 'limit', limitTicks: Number.NaN } as const, 'price-not-positive'],
    [{ lots: 9, type: 'stop' } as const, 'trigger-not-positive'],
    [{ lots: 9, type: 'trailing-stop' } as const, 'trail-out-of-range'],
    [{ lots: 9, postOnly: true }, 'post-only-needs-limit'],
    [{ lots: 9, expectedTicks: 1000, timeInForce: 'GTD' } as const, 'expiry-missing'],
    [{ lots: 9, expectedTicks: 1000, timeInForce: 'GTD', expiresAt: T } as const, 'expiry-passed'],
  ])('%o', (given, reason) => {
    const sim = venue({}, strict);
    expect(story(submit(sim, T, { id: 'x', ...given }))).toEqual([`rejected:x:${reason}`]);
    expect(story(submit(sim, T, { id: 'x', ...given })), 'and again').toEqual([`rejected:x:${reason}`]);
  });
  it('reduce-only orders are exempt from minima', () => {
    expect(story(submit(venue({}, strict), T, { id: 'x', reduceOnly: true }))).toEqual(['accepted:x']);
  });
});

describe('life of an order', () => {
  it('a second submission of a client id is the same order', () => {
    const sim = venue();
    submit(sim, T, { id: 'm' });
    expect(story(submit(sim, T, { id: 'm' }))).toEqual(['accepted:m']);
    expect(fills(play(sim, T, FLAT))).toHaveLength(1);
    expect(story(submit(sim, T + MIN, { id: 'm' }))).toEqual(['accepted:m']);
    expect(fills(play(sim, T + MIN, FLAT))).toEqual([]);
  });
  it('cancels, and says why it cannot', () => {
    const sim = venue();
    submit(sim, T, { id: 'l', type: 'limit', limitTicks: 900 });
    const cancel = (name: string) =>
      story(sim.execute({ kind: 'cancel-order', clientId: id(name), reason: 'r' }, T));
    expect(cancel('l')).toEqual(['canceled:l:r']);
    expect(cancel('l')).toEqual(['cancel-rejected:l:canceled']);
    expect(cancel('none')).toEqual(['cancel-rejected:none:unknown-order']);
  });
  it('a query tells the whole story again', () => {
    const sim = venue({ participation: 0.1 });
    submit(sim, T, { id: 'm', lots: 25 });
    play(sim, T, [100, 101, 99, 100, 100]);
    const ask = (name: string) => sim.execute({ kind: 'query-order', clientId: id(name) }, T + MIN);
    expect(story(ask('m'))).toEqual(['accepted:m', 'filled:m:10@100']);
    sim.execute({ kind: 'cancel-order', clientId: id('m'), reason: 'r' }, T + MIN);
    const last = ask('m');
    expect(story(last)).toEqual(['accepted:m', 'filled:m:10@100', 'canceled:m:r']);
    expect(last[1]).toMatchObject({ at: T + MIN, eventTime: T, fill: { fillId: 'm#1' } });
    expect(story(ask('none'))).toEqual(['unknown:none']);
  });
  it('amends size and price; below what is filled it refuses', () => {
    const sim = venue({ participation: 0.1 });
    submit(sim, T, { id: 'l', lots: 30, type: 'limit', limitTicks: 1000 });
    play(sim, T, [99, 101, 99, 100, 100]);
    const amend = (lots: number, limitTicks: number | null) =>
      story(
        sim.execute(
          { kind: 'amend-order', clientId: id('l'), lots, limitTicks, triggerTicks: null },
          T + MIN,
        ),
      );
    expect(amend(10, null)).toEqual(['amend-rejected:l:size-already-filled']);
    expect(amend(15, Number.NaN)).toEqual(['amend-rejected:l:price-not-positive']);
    expect(amend(15, 1010)).toEqual(['amended:l:15']);
    expect(fills(play(sim, T + MIN, [100.5, 101, 100.2, 100.5, 1000]))).toEqual(['buy 5@100.5 taker']);
    expect(amend(20, null)).toEqual(['amend-rejected:l:filled']);
  });
  it('only a smaller size keeps the place in the queue', () => {
    const first = (lots: number) => {
      const sim = venue({ participation: 0.1 });
      submit(sim, T, { id: 'a', lots: 10, type: 'limit', limitTicks: 1000 });
      submit(sim, T, { id: 'b', lots: 10, type: 'limit', limitTicks: 1000 });
      sim.execute({ kind: 'amend-order', clientId: id('a'), lots, limitTicks: null, triggerTicks: null }, T);
      return story(play(sim, T, [101, 102, 99, 100, 50]));
    };
    expect(first(8)).toEqual(['filled:a:5@100']);
    expect(first(12)).toEqual(['filled:b:5@100']);
  });
  it('price comes before time', () => {
    const sim = venue({ participation: 0.1 });
    submit(sim, T, { id: 'a', lots: 10, type: 'limit', limitTicks: 1000 });
    submit(sim, T, { id: 'b', lots: 10, type: 'limit', limitTicks: 1005 });
    expect(story(play(sim, T, [101, 102, 99, 100, 50]))).toEqual(['filled:b:5@100.5']);
  });
});

describe('time in force', () => {
  it('GTD counts for the bar that closes at its expiry, and not after', () => {
    const sim = venue();
    submit(sim, T, { id: 'g', type: 'limit', limitTicks: 990, timeInForce: 'GTD', expiresAt: T + MIN });
    submit(sim, T, { id: 'h', type: 'limit', limitTicks: 980, timeInForce: 'GTD', expiresAt: T + MIN });
    expect(sim.advanceTo(T + MIN)).toEqual([]);
    expect(story(play(sim, T, [100, 100, 98.5, 100]))).toEqual(['filled:g:1@99']);
    expect(story(play(sim, T + MIN, [97, 100, 97, 100]))).toEqual(['expired:h:good-till-date']);
  });
  it('time alone expires', () => {
    const sim = venue();
    submit(sim, T, { id: 'g', type: 'limit', limitTicks: 990, timeInForce: 'GTD', expiresAt: T + 1000 });
    expect(sim.advanceTo(T + 1000)).toEqual([]);
    expect(sim.advanceTo(T + 1001)[0]).toMatchObject({
      kind: 'order-expired',
      at: T + 1001,
      eventTime: T + 1000,
    });
  });
  it('DAY ends at 00:00 UTC where the market never closes', () => {
    const sim = venue();
    submit(sim, T, { id: 'd', type: 'limit', limitTicks: 900, timeInForce: 'DAY' });
    expect(sim.advanceTo(T + 24 * HOUR)).toEqual([]);
    expect(story(sim.advanceTo(T + 24 * HOUR + 1))).toEqual(['expired:d:day-over']);
  });
  it('DAY ends with the session of the calendar, lunch is no end', () => {
    const idx = instrument({ calendar: 'IDX' });
    const sim = venue({}, idx);
    const monday = Date.UTC(2026, 1, 9, 2, 30); // 09:30 in Jakarta
    submit(sim, monday, { id: 'd', type: 'limit', limitTicks: 900, timeInForce: 'DAY' });
    const close = Date.UTC(2026, 1, 9, 8, 50); // 15:50
    expect(sim.advanceTo(close)).toEqual([]);
    expect(story(sim.advanceTo(close + 1))).toEqual(['expired:d:day-over']);
  });
  it('a DAY order counts for the whole daily bar that holds the close', () => {
    const idx = instrument({ calendar: 'IDX' });
    const sim = venue({}, idx);
    const day = Date.UTC(2026, 1, 9);
    play(sim, day - 72 * HOUR, FLAT, 24 * HOUR); // Friday's bar
    submit(sim, day - 48 * HOUR, { id: 'd', type: 'limit', limitTicks: 990, timeInForce: 'DAY' });
    expect(fills(play(sim, day, [100, 101, 98, 99], 24 * HOUR))).toEqual(['buy 1@99 maker']);
  });
  it('IOC limits that cannot take at the open end there', () => {
    const sim = venue();
    submit(sim, T, { id: 'i', type: 'limit', limitTicks: 990, timeInForce: 'IOC' });
    expect(story(play(sim, T, [100, 101, 90, 100]))).toEqual(['canceled:i:ioc-remainder']);
  });
});

describe('post-only', () => {
  it('is rejected when it would take', () => {
    const sim = venue();
    play(sim, T, FLAT);
    const post = { postOnly: true, type: 'limit' } as const;
    expect(story(submit(sim, T + MIN, { id: 'a', ...post, limitTicks: 1001 }))).toEqual([
      'rejected:a:post-only',
    ]);
    expect(story(submit(sim, T + MIN, { id: 'b', ...post, limitTicks: 1000 }))).toEqual(['accepted:b']);
    expect(story(submit(sim, T + MIN, { id: 'c', ...post, side: 'sell', limitTicks: 999 }))).toEqual([
      'rejected:c:post-only',
    ]);
    // the market moved away before it could rest
    expect(story(play(sim, T + MIN, [99, 100, 98, 99]))).toEqual(['canceled:b:post-only']);
  });
  it('looks at the quote where there is one', () => {
    const sim = venue();
    sim.onMarket(quote(T, 100, 100.2));
    const post = { postOnly: true, type: 'limit' } as const;
    expect(story(submit(sim, T, { id: 'a', ...post, limitTicks: 1002 }))).toEqual(['rejected:a:post-only']);
    expect(story(submit(sim, T, { id: 'b', ...post, limitTicks: 1001 }))).toEqual(['accepted:b']);
    expect(fills(sim.onMarket(quote(T + 1, 99.9, 100)))).toEqual(['buy 1@100.1 maker']);
  });
});

describe('reduce-only, groups, families', () => {
  const held = (lots = 10) => {
    const sim = venue();
    submit(sim, T, { lots });
    play(sim, T, FLAT);
    return sim;
  };
  const exit = { side: 'sell', reduceOnly: true } as const;
  it('never opens or flips', () => {
    const sim = held();
    submit(sim, T + MIN, { id: 'x', lots: 25, ...exit });
    expect(story(play(sim, T + MIN, FLAT))).toEqual(['filled:x:10@100', 'canceled:x:reduce-only']);
    submit(sim, T + 2 * MIN, { id: 'y', ...exit });
    expect(story(play(sim, T + 2 * MIN, FLAT))).toEqual(['canceled:y:reduce-only']);
  });
  it('is judged on the book, not on the net', () => {
    const sim = held();
    const other = 'p/d/other/BTC.SIM' as BookId;
    submit(sim, T + MIN, { id: 'x', book: other, ...exit });
    expect(story(play(sim, T + MIN, FLAT))).toEqual(['canceled:x:reduce-only']);
    submit(sim, T + 2 * MIN, { id: 'y', book: other, side: 'sell', lots: 4 });
    play(sim, T + 2 * MIN, FLAT);
    expect(sim.accountReport(T)).toMatchObject({
      nets: [{ instrument: 'BTC.SIM', lots: 6 }],
      openOrders: [],
    });
  });
  it('a flat book loses its resting reduce-only orders', () => {
    const sim = held();
    submit(sim, T + MIN, { id: 's', lots: 10, type: 'stop', triggerTicks: 900, ...exit });
    submit(sim, T + MIN, { id: 'x', lots: 10, ...exit });
    expect(story(play(sim, T + MIN, FLAT))).toEqual(['filled:x:10@100', 'canceled:s:reduce-only']);
  });
  it('one cancels other: entries at the first fill', () => {
    const sim = venue({ participation: 0.1 });
    submit(sim, T, { id: 'up', lots: 20, type: 'stop', triggerTicks: 1010, ocoGroup: 'g' });
    submit(sim, T, { id: 'down', side: 'sell', lots: 20, type: 'stop', triggerTicks: 990, ocoGroup: 'g' });
    expect(story(play(sim, T, [100, 102, 99.5, 101, 100]))).toEqual([
      'triggered:up',
      'filled:up:10@101',
      'canceled:down:oco',
    ]);
  });
  it('protective orders of a group shrink by what another has filled', () => {
    const sim = venue({ participation: 0.1 });
    submit(sim, T, { lots: 10 });
    play(sim, T, [100, 101, 99, 100, 100]);
    submit(sim, T + MIN, { id: 's', lots: 10, type: 'stop', triggerTicks: 950, ocoGroup: 'g', ...exit });
    submit(sim, T + MIN, { id: 't', lots: 10, type: 'limit', limitTicks: 1050, ocoGroup: 'g', ...exit });
    expect(story(play(sim, T + MIN, [100, 106, 99, 100, 40]))).toEqual(['filled:t:4@105', 'amended:s:6']);
    expect(story(play(sim, T + 2 * MIN, [100, 101, 94, 95, 100]))).toEqual([
      'triggered:s',
      'filled:s:6@95',
      'canceled:t:oco',
    ]);
  });
  it('children wait for their parent and end with it', () => {
    const sim = venue();
    submit(sim, T, { id: 'p', type: 'limit', limitTicks: 950 });
    submit(sim, T, { id: 'c', type: 'stop', triggerTicks: 990, parent: id('p'), ...exit });
    expect(story(play(sim, T, [100, 101, 98, 100]))).toEqual([]);
    expect(story(sim.execute({ kind: 'cancel-order', clientId: id('p'), reason: 'r' }, T + MIN))).toEqual([
      'canceled:p:r',
      'canceled:c:parent-ended',
    ]);
    submit(sim, T, { id: 'bad', lots: 0 });
    expect(story(submit(sim, T, { id: 'd', parent: id('bad'), ...exit }))).toEqual([
      'rejected:d:parent-ended',
    ]);
  });
  it('a child may come after its parent has filled, or before it is known', () => {
    const sim = held(3);
    submit(sim, T + MIN, {
      id: 'early',
      type: 'stop',
      lots: 5,
      triggerTicks: 990,
      parent: id('p2'),
      ...exit,
    });
    submit(sim, T + MIN, { id: 'p2', lots: 2 });
    expect(story(play(sim, T + MIN, FLAT))).toEqual(['filled:p2:2@100', 'amended:early:2']);
    const late = { id: 'late', type: 'stop', lots: 2, triggerTicks: 980, parent: id('p2'), ...exit } as const;
    expect(story(submit(sim, T + 2 * MIN, late))).toEqual(['accepted:late']);
    expect(fills(play(sim, T + 2 * MIN, [100, 100, 97, 98]))).toEqual(['sell 2@99 taker', 'sell 2@98 taker']);
  });
  it('a protection that acts stops its half-filled parent from entering further', () => {
    const sim = venue({ participation: 0.1 });
    submit(sim, T, { id: 'p', lots: 30 });
    submit(sim, T, { id: 's', lots: 30, type: 'stop', triggerTicks: 950, parent: id('p'), ...exit });
    expect(story(play(sim, T, [100, 101, 94, 95, 200]))).toEqual([
      'filled:p:20@100',
      'amended:s:20',
      'triggered:s',
    ]);
    expect(story(play(sim, T + MIN, [95, 96, 94, 95, 300]))).toEqual([
      'filled:p:10@95',
      'amended:s:30',
      'filled:s:20@95',
    ]);
  });
});
