import { describe, expect, it } from 'vitest';
import { SECOND } from '#base';
import { defineInstrument } from '#market';
import { fixedUnits, type Limit } from '#risk';
import { ALFA, BETA, STEP, share, submitted, Table } from '../../test/support/engine-table.ts';

describe('a bar that is told late', () => {
  /** A mark of 150 is seen, then the bar that closed at 100 before it is told. */
  const late = (behindMs: number) => {
    const table = new Table();
    table.bar(100);
    const time = table.at;
    const closesAt = time + STEP;
    const stampOf = (at: number) => ({ at, eventTime: at });
    if (behindMs > 0)
      table.step({
        kind: 'mark-updated',
        ...stampOf(closesAt + SECOND),
        instrument: ALFA.id,
        mark: 150,
        index: null,
      });
    table.say[ALFA.id] = 1;
    const bar = { time, open: 100, high: 100, low: 100, close: 100, volume: 1 };
    const at = closesAt + behindMs;
    return submitted(
      table.step({
        kind: 'bar-closed',
        at,
        eventTime: closesAt,
        instrument: ALFA.id,
        intervalMs: STEP,
        bar,
      }),
    ).map(({ expectedTicks }) => expectedTicks);
  };

  it('does not bring back the price before the newest mark', () => {
    expect(late(0)).toEqual([1_000]);
    expect(late(STEP - SECOND)).toEqual([1_500]);
  });

  it('but later closes are the price again', () => {
    const table = new Table();
    table.bar(100);
    table.at += SECOND;
    table.mark(ALFA, 150);
    table.at += STEP - SECOND;
    const time = table.at - STEP;
    const bar = { time, open: 150, high: 150, low: 120, close: 120, volume: 1 };
    const stamp = { at: table.at, eventTime: table.at };
    table.step({ kind: 'bar-closed', ...stamp, instrument: ALFA.id, intervalMs: STEP, bar });
    expect(table.engine.desks[0]!.instruments[0]).toMatchObject({ price: 120, close: 120 });
  });
});

describe('a price at which the books could not be reckoned', () => {
  const LOTS = 1_000_000_000;
  const heavy = () => {
    const table = new Table({}, [ALFA, BETA]);
    table.bar(100);
    table.unasked(table.engine.desks[0]!.instruments[0]!.book, ALFA, 'buy', LOTS, 1_000);
    return table;
  };

  it.each([1e6, 1e8, 1e10, 1e12])('is no mark while much is held: %d', (price) => {
    const table = heavy();
    const equity = table.engine.equity();
    table.at += 6 * SECOND;
    table.mark(ALFA, price);
    expect(table.engine.equity()).toBe(equity);
    expect(table.engine.counts.barsRefused.get('price-unusable')).toBe(1);
    // nothing is held of the other
    table.mark(BETA, price);
    expect(table.engine.counts.barsRefused.get('price-unusable')).toBe(1);
  });

  it('is no bar either, also for what is only ordered', () => {
    const table = heavy();
    table.bar({ [ALFA.id]: 1e10, [BETA.id]: 100 });
    expect(table.engine.counts.barsRefused.get('price-unusable')).toBe(1);
    table.bar({ [ALFA.id]: 101, [BETA.id]: 100 });
    expect(table.engine.real.ledger.lastMark(ALFA.id)?.ticks).toBe(1_010);
    const [order] = submitted(table.bar(100, { [BETA.id]: 1 }));
    table.accept(order!);
    table.bar({ [ALFA.id]: 101, [BETA.id]: 9e12 });
    expect(table.engine.counts.barsRefused.get('price-unusable')).toBe(2);
    table.end('order-canceled', order!.clientId);
    table.bar({ [ALFA.id]: 101, [BETA.id]: 9e12 });
    expect(table.engine.counts.barsRefused.get('price-unusable')).toBe(2);
  });

  it('is judged by all that is held together', () => {
    const names = Array.from({ length: 12 }, (_, i) => share(`S${i}.X`));
    const table = new Table({}, names);
    table.bar(100);
    for (const { book, instrument } of table.engine.desks[0]!.instruments)
      table.unasked(book, instrument, 'buy', 1_000, 10_000_000_000);
    table.at += 6 * SECOND;
    // each alone is worth a ninth of what a whole number holds
    for (const name of names) table.mark(name, 1e6);
    expect(table.engine.counts.barsRefused.get('price-unusable')).toBeGreaterThan(4);
    expect(Number.isSafeInteger(table.engine.equity())).toBe(true);
  });

  it('refuses a coin contract at a price next to nothing', () => {
    const COIN = defineInstrument({
      id: 'BTCUSD.COIN',
      kind: 'inverse-perpetual',
      base: 'BTC',
      quote: 'USD',
      tick: { units: 1, scale: 2 },
      lot: { units: 1, scale: 0 },
    });
    const table = new Table({}, [COIN]);
    table.rate('BTC', 'USDT', 50_000);
    table.bar(50_000);
    table.unasked(table.engine.desks[0]!.instruments[0]!.book, COIN, 'buy', 1_000_000, 5_000_000);
    const equity = table.engine.equity();
    table.at += 6 * SECOND;
    table.mark(COIN, 0.01);
    expect(table.engine.equity()).toBe(equity);
    expect(table.engine.counts.barsRefused.get('price-unusable')).toBe(1);
  });

  it('makes an entry that is refused, not one that stops the engine', () => {
    const table = new Table();
    expect(submitted(table.bar(9e12, { [ALFA.id]: 1 }))).toEqual([]);
    expect([...table.engine.counts.refusalsByLimit.keys()]).toEqual(['grid']);
    const huge = new Table({ sizer: fixedUnits(1e20) });
    expect(submitted(huge.bar(100, { [ALFA.id]: 1 }))).toEqual([]);
  });
});

describe('correlations', () => {
  it('are kept for safety layers as they are for limits', () => {
    const seen: number[] = [];
    const looks: Limit = {
      name: 'looks',
      check: (_plan, _facts, account) => {
        seen.push(account.correlation(ALFA.id, BETA.id));
        return { kind: 'pass' };
      },
    };
    const table = new Table({ safetyLayers: [looks] }, [ALFA, BETA]);
    for (let hour = 0; hour < 110; hour++) {
      for (let i = 0; i < 12; i++) table.bar({ [ALFA.id]: 100 + (hour % 7), [BETA.id]: 200 - (hour % 7) });
    }
    table.bar(100, { [ALFA.id]: 1 });
    expect(seen.at(-1)).toBeLessThan(0);
  });
});

describe('a feed that was lost', () => {
  const told = (table: Table, status: 'connected' | 'disconnected' | 'stale' | 'resynced') =>
    table.step({ kind: 'feed-changed', at: table.at, eventTime: table.at, feed: 'x', status, detail: '' });

  it.each(['disconnected', 'stale'] as const)('%s: nothing is entered until it is resynced', (lost) => {
    const table = new Table();
    table.bar(100);
    told(table, lost);
    table.say[ALFA.id] = 1;
    expect(submitted(table.bar(100))).toEqual([]);
    told(table, 'connected');
    expect(submitted(table.bar(100))).toEqual([]);
    told(table, 'resynced');
    expect(submitted(table.bar(100))).toHaveLength(1);
  });
});

describe('a rate of exchange', () => {
  const rated = (...rates: number[]) => {
    const table = new Table({}, [share('E.X', { quote: 'EUR' })]);
    for (const rate of rates) {
      const stamp = { at: table.at, eventTime: table.at };
      table.step({ kind: 'fx-rate-updated', ...stamp, from: 'EUR' as never, to: 'USDT' as never, rate });
    }
    return table.engine.counts.barsRefused.get('rate-unusable') ?? 0;
  };

  it('beyond all rates is counted and changes nothing', () => {
    expect(rated(1.1, 1e300)).toBe(1);
    expect(rated(1e-300, Number.NaN, 0, -1)).toBe(4);
  });

  it('of a currency in use does not leap by more than ten times', () => {
    expect(rated(1.1, 11.5, 0.1)).toBe(2);
    expect(rated(1.1, 10.5, 100)).toBe(0);
  });

  it('may be any sensible one at first, and move', () => {
    expect(rated(1.1, 1.2, 0.9)).toBe(0);
    expect(rated(1e-5, 1.2e-5)).toBe(0);
  });
});
