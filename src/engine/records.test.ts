import { describe, expect, it } from 'vitest';
import { defineInstrument } from '#market';
import { type Sizer, stopLossExit, trailingExit } from '#risk';
import { ALFA, guarded, share, submitted, Table } from '../../test/support/engine-table.ts';
import { tally } from './counts.ts';
import type { Event } from './events.ts';
import { Observations } from './observations.ts';

describe('instruments that change', () => {
  const SHARE = share('ACME.NYSE', { tick: { units: 1, scale: 2 } });
  const split = (table: Table, ratio: number) =>
    table.step({
      kind: 'instrument-changed',
      at: table.at,
      eventTime: table.at,
      instrument: SHARE.id,
      change: { change: 'split', ratio },
    });
  const buy = (table: Table, price: number) => {
    const orders = submitted(table.bar(price, { [SHARE.id]: 1 }));
    for (const order of orders) table.accept(order);
    table.fill(orders[0]!, price);
    return orders;
  };

  it('a split moves stop, target and best price with it', () => {
    const table = new Table(
      { sizer: guarded, exits: [stopLossExit(), trailingExit({ distances: {}, otherwise: 0.01 })] },
      [SHARE],
    );
    const orders = buy(table, 100);
    table.bar(103);
    split(table, 4);
    for (const { clientId } of orders.slice(1)) table.end('order-canceled', clientId);
    expect(submitted(table.bar(25.7))).toEqual([]);
    expect(submitted(table.bar(23.6))).toMatchObject([{ reason: 'exit:stop-loss' }]);
  });

  it('a holding that a split pays out leaves nothing behind', () => {
    const table = new Table({}, [SHARE]);
    buy(table, 100);
    split(table, 0.1);
    expect(table.engine.real.held.size).toBe(0);
    expect(submitted(table.bar(1_000, { [SHARE.id]: 1 }))).toHaveLength(1);
  });

  it('figures that are no figures are refused', () => {
    const table = new Table({}, [SHARE]);
    buy(table, 100);
    const stamp = { at: table.at, eventTime: table.at, instrument: SHARE.id } as const;
    split(table, Number.NaN);
    split(table, 0);
    for (const amountPerUnit of [Number.NaN, Number.POSITIVE_INFINITY]) {
      table.step({
        kind: 'instrument-changed',
        ...stamp,
        change: { change: 'dividend', amountPerUnit },
      } as Event);
    }
    expect(table.engine.real.ledger.position(table.engine.desks[0]!.instruments[0]!.book)!.lots).toBe(1);
  });

  it('a lot that changes while it is held is an alert and no crash', () => {
    const table = new Table({}, [SHARE]);
    buy(table, 100);
    const definition = { ...SHARE, lot: { units: 10, scale: 0 } };
    const stamp = { at: table.at, eventTime: table.at, instrument: SHARE.id } as const;
    const out = table.step({
      kind: 'instrument-changed',
      ...stamp,
      change: { change: 'changed', definition },
    } as Event);
    expect(out).toMatchObject([{ kind: 'raise-alert', severity: 'critical' }]);
    expect(table.engine.isHalted(SHARE.id)).toBe(true);
  });
});

describe('a shadow', () => {
  /** Never sized, always followed. */
  const followed: Sizer = {
    name: 'followed',
    features: {},
    size: (context) => {
      const sized = guarded.size(context, {});
      if (sized.kind !== 'sized') throw new Error('guarded sizes always');
      return { kind: 'not-sized', objection: { by: 'expectancy', reason: 'test' }, shadow: sized };
    },
  };

  it('ends with the opposite signal as a real position would', () => {
    const trades: string[] = [];
    const table = new Table({ sizer: followed, opposite: 'close' });
    table.engine.observer = { traded: (trade, _desk, shadow) => void trades.push(`${trade.id} ${shadow}`) };
    table.bar(100, { [ALFA.id]: 1 });
    table.bar(100);
    table.bar(100, { [ALFA.id]: -1 });
    table.bar(100);
    table.bar(100);
    // its trades have names of their own
    expect(trades).toEqual(['p-d-shadow-T1 true']);
    expect(submitted(table.commands)).toEqual([]);
  });

  it('window that shows an edge waits for a person unless the run says otherwise', () => {
    const words = (autoResume: boolean) => {
      const changes = autoResume ? { autoResume } : {};
      const table = new Table({ sizer: followed, shadow: { window: 1 } }, [ALFA], changes);
      for (const price of [100, 100, 111, 111, 111]) table.bar(price, price === 100 ? { [ALFA.id]: 1 } : {});
      return [...table.engine.counts.edges.keys()];
    };
    expect(words(false)).toEqual(['edge-returned']);
    expect(words(true)).toEqual(['resumed']);
  });
});

describe('what grows', () => {
  it('is bounded: names in counters, subjects of observations', () => {
    const names = new Map<string, number>();
    for (let i = 0; i < 10_000; i++) tally(names, `reason ${i}`);
    expect(names.size).toBeLessThanOrEqual(257);
    expect([...names.values()].reduce((a, b) => a + b, 0)).toBe(10_000);
    const observations = new Observations();
    const publish = (subject: string, at: number) =>
      observations.publish({
        kind: 'observation-published',
        at,
        eventTime: at,
        source: 's',
        subject,
        value: at,
        publishedAt: at,
      });
    publish('weather', 0);
    for (let i = 1; i < 5_000; i++) publish(`game ${i}`, i);
    expect(observations.observation('weather', 5_000)).toBeNull();
    expect(observations.observation('game 4999', 5_000)?.value).toBe(4_999);
  });
});

describe('the track record', () => {
  it('is kept in the base currency', () => {
    const SHARE = defineInstrument({
      id: 'TLKM.IDX',
      kind: 'equity',
      quote: 'IDR',
      minorScale: 0,
      tick: { units: 1, scale: 1 },
    });
    const table = new Table({}, [SHARE]);
    table.rate('USDT', 'IDR', 10_000);
    const { book } = table.engine.desks[0]!.instruments[0]!;
    table.unasked(book, SHARE, 'buy', 100_000_000, 40_000);
    table.unasked(book, SHARE, 'sell', 100_000_000, 90_000);
    // 5,000 rupiah won are half a dollar
    expect(table.engine.desks[0]!.record.trackRecord().expectancy).toBeCloseTo(0.5, 6);
  });
});
