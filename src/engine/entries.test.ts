import { describe, expect, it } from 'vitest';
import { HOUR } from '#base';
import { correlatedGroupLimit, fixedUnits, type Sizer, safetyLayers, sigmaSizer } from '#risk';
import { source } from '#signals';
import { ALFA, BETA, START, STEP, share, submitted, Table } from '../../test/support/engine-table.ts';
import { BBCA, rainClaim } from '../../test/support/instruments.ts';
import type { Event } from './events.ts';

describe('limits', () => {
  it('see what was ordered in the same slice and has not filled', () => {
    const limits = [correlatedGroupLimit({ rho: 0.7, max: 0.6 })];
    // each takes half of equity as margin; both follow each other (prior correlation 0.85)
    const table = new Table({ sizer: fixedUnits(1_000, { leverage: 2 }), limits }, [ALFA, BETA]);
    const orders = submitted(table.bar(100, { [ALFA.id]: 1, [BETA.id]: 1 }));
    expect(orders).toHaveLength(1);
  });

  it('see an entry that rests for bars', () => {
    const limits = [correlatedGroupLimit({ rho: 0.7, max: 0.6 })];
    const entry = { type: 'limit', offsetRate: 0.01, bars: 10, postOnly: false } as const;
    const table = new Table({ sizer: fixedUnits(1_000, { leverage: 2 }), limits, entry }, [ALFA, BETA]);
    expect(submitted(table.bar(100, { [ALFA.id]: 1 }))).toHaveLength(1);
    expect(submitted(table.bar(100, { [BETA.id]: 1 }))).toHaveLength(0);
  });
});

describe('what is paid outright', () => {
  it('counts with all it is worth where limits look for margin', () => {
    const [ONE, TWO] = [share('ONE.NYSE'), share('TWO.NYSE')];
    const limits = [correlatedGroupLimit({ rho: 0.7, max: 0.6 })];
    const table = new Table({ sizer: fixedUnits(500), limits }, [ONE, TWO]);
    const [order] = submitted(table.bar(100, { [ONE.id]: 1 }));
    table.fill(order!, 100);
    // half of equity is held, another half of it would make a whole
    expect(submitted(table.bar(100, { [TWO.id]: 1 }))).toEqual([]);
  });

  it('a claim that is sold needs its payout', () => {
    const CLAIM = rainClaim({ quote: 'USDT', minorScale: 6 });
    const sold = (units: number) => {
      const safety = safetyLayers({ allowed: null, marginMax: 1, riskMax: 1 });
      const table = new Table({ sizer: fixedUnits(units), safetyLayers: safety }, [CLAIM]);
      return submitted(table.bar(0.05, { [CLAIM.id]: -1 })).map(({ lots }) => lots);
    };
    expect(sold(100_000)).toEqual([100_000]);
    // 95,000 of 100,000 is tied up by that; more than what the payout allows is cut
    expect(sold(200_000)[0]).toBeLessThanOrEqual(105_264);
  });
});

describe('currencies', () => {
  const tenth: Sizer = sigmaSizer({
    regimes: null,
    volatility: null,
    leverage: 1,
    stop: { atr: 'atr:2', atrMultiple: 1, costMultiple: 0, targetMultiple: 2 },
  });

  it('without a rate nothing is entered', () => {
    const table = new Table({ sizer: fixedUnits(1_000) }, [BBCA]);
    expect(submitted(table.bar(9_000, { [BBCA.id]: 1 }))).toEqual([]);
    expect([...table.engine.counts.refusalsByLimit.keys()]).toContain('fx-rate');
  });

  it('sizes in the instrument’s own currency', () => {
    const table = new Table({ sizer: tenth }, [BBCA]);
    table.rate('USDT', 'IDR', 15_000);
    const prices = [9_000, 9_100, 9_000];
    for (const p of prices) table.bar(p);
    const [order] = submitted(table.bar(9_100, { [BBCA.id]: 1 }));
    // 100,000 USDT = 1.5e9 IDR, 0.5 % of it at a stop of some 100 IDR: some 75,000 shares = 750 lots
    expect(order!.lots).toBeGreaterThan(600);
    expect(order!.lots).toBeLessThan(1_100);
  });
});

describe('what sources see', () => {
  it('is the close of the bar, also when a price came after it', () => {
    const seen: number[] = [];
    const late = source({
      name: 'late',
      features: {},
      signal: (view) => {
        seen.push(view.close);
        return null;
      },
    });
    const table = new Table({ sources: [late] }, [ALFA, BETA]);
    table.bar(100);
    table.at += STEP;
    const bar = { time: table.at - STEP, open: 100, high: 100, low: 100, close: 100, volume: 1 };
    const stamp = { at: table.at, eventTime: table.at } as const;
    table.step({ kind: 'bar-closed', ...stamp, instrument: ALFA.id, intervalMs: STEP, bar });
    const mark = { kind: 'mark-updated', at: table.at + 1_000, eventTime: table.at + 1_000 } as const;
    table.step({ ...mark, instrument: ALFA.id, mark: 90, index: null } as Event);
    table.step({ kind: 'timer-fired', at: table.at + 2_000, eventTime: table.at + 2_000 });
    expect(seen.at(-1)).toBe(100);
  });

  it('does not hold bars from the future', () => {
    const table = new Table();
    table.bar(100);
    const time = table.at + HOUR;
    const bar = { time, open: 50, high: 50, low: 50, close: 50, volume: 1 };
    table.step({
      kind: 'bar-closed',
      at: table.at,
      eventTime: time + STEP,
      instrument: ALFA.id,
      intervalMs: STEP,
      bar,
    });
    expect(table.engine.counts.barsRefused.get('from-the-future')).toBe(1);
    table.bar(101);
    expect(table.engine.counts.bars).toBe(2);
  });

  it('bars that are told late do not move the books back to old prices', () => {
    const table = new Table();
    table.bar(100);
    const book = table.engine.desks[0]!.instruments[0]!.book;
    expect(book).toBeDefined();
    table.at += 4 * HOUR;
    table.mark(ALFA, 80);
    const time = START + STEP;
    const bar = { time, open: 100, high: 100, low: 100, close: 100, volume: 1 };
    table.step({
      kind: 'bar-closed',
      at: table.at,
      eventTime: time + STEP,
      instrument: ALFA.id,
      intervalMs: STEP,
      bar,
    });
    expect(table.engine.real.ledger.lastMark(ALFA.id)!.ticks).toBe(800);
  });
});
