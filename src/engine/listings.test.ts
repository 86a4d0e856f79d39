import { describe, expect, it } from 'vitest';
import { defineInstrument, type Instrument, type InstrumentChange, type InstrumentId } from '#market';
import type { Sizer } from '#risk';
import { ALFA, BETA, enterLong, guarded, share, submitted, Table } from '../../test/support/engine-table.ts';

const SHARE = share('ACME.NYSE', { tick: { units: 1, scale: 2 }, maxLeverage: 5 });

/** ALFA with other terms: the grid is part of the definition. */
function changed(
  of: Instrument,
  terms: Partial<Pick<Instrument, 'lot' | 'tick' | 'minLots' | 'minorScale'>>,
) {
  const { valueNumerator: _, valueDenominator: __, ...spec } = of;
  return defineInstrument({ ...spec, ...terms });
}

const tell = (table: Table, id: InstrumentId, change: InstrumentChange) =>
  table.step({ kind: 'instrument-changed', at: table.at, eventTime: table.at, instrument: id, change });

const hold = (table: Table, instrument: Instrument, price: number) => {
  const [order] = submitted(table.bar(price, { [instrument.id]: 1 }));
  table.accept(order!);
  table.fill(order!, price);
  return order!;
};

describe('a definition that changes', () => {
  const COARSE = changed(ALFA, { lot: { units: 1, scale: 0 }, tick: { units: 5, scale: 0 } });

  it('is what the next entry is sized in, stops and targets with it', () => {
    const table = new Table({ sizer: guarded });
    table.bar(100);
    tell(table, ALFA.id, { change: 'changed', definition: COARSE });
    const [entry, ...children] = submitted(table.bar(100, { [ALFA.id]: 1 }));
    // one unit is one lot, 100 is the 20th tick; stop 95, target 110
    expect(entry).toMatchObject({ lots: 1, expectedTicks: 20 });
    expect(children.map(({ triggerTicks }) => triggerTicks)).toEqual([19, 22]);
  });

  it('waits while it is held and is taken over once flat', () => {
    const table = new Table();
    hold(table, ALFA, 100);
    tell(table, ALFA.id, { change: 'changed', definition: COARSE });
    expect(submitted(table.bar(100, { [ALFA.id]: 1 }))).toEqual([]);
    const { book } = table.engine.desks[0]!.instruments[0]!;
    table.unasked(book, ALFA, 'sell', 100, 1_000);
    expect(submitted(table.bar(100, { [ALFA.id]: 1 }))).toMatchObject([{ lots: 1, expectedTicks: 20 }]);
  });

  it('is in force after a restore too', () => {
    const table = new Table();
    table.bar(100);
    tell(table, ALFA.id, { change: 'changed', definition: COARSE });
    table.bar(100);
    const next = new Table();
    next.engine.restore(JSON.parse(JSON.stringify(table.engine.capture())));
    next.at = table.at;
    expect(submitted(next.bar(100, { [ALFA.id]: 1 }))).toMatchObject([{ lots: 1, expectedTicks: 20 }]);
  });

  it('moves the bound of prices that bars are believed up to', () => {
    // 1e14 ticks of 0.1 are 1e13; of 1e-9 they are 100,000
    const FINE = changed(ALFA, { tick: { units: 1, scale: 9 } });
    const table = new Table();
    table.bar(200_000);
    expect(table.engine.counts.bars).toBe(1);
    tell(table, ALFA.id, { change: 'changed', definition: FINE });
    table.bar(200_000);
    expect(table.engine.counts.bars).toBe(1);
    expect(table.engine.counts.barsRefused.get('beyond-grid')).toBe(1);
  });

  it('is alerted about once while it waits', () => {
    const table = new Table();
    hold(table, ALFA, 100);
    expect(tell(table, ALFA.id, { change: 'changed', definition: COARSE })).toHaveLength(1);
    expect(tell(table, ALFA.id, { change: 'changed', definition: COARSE })).toEqual([]);
    const other = changed(ALFA, { lot: { units: 2, scale: 0 } });
    expect(tell(table, ALFA.id, { change: 'changed', definition: other })).toHaveLength(1);
  });

  it('in another minor unit, or of another instrument, is refused', () => {
    const table = new Table();
    table.bar(100);
    tell(table, ALFA.id, { change: 'changed', definition: changed(ALFA, { minorScale: 8 }) });
    tell(table, ALFA.id, { change: 'changed', definition: BETA });
    expect(table.engine.counts.barsRefused.get('definition-unusable')).toBe(2);
    expect(submitted(table.bar(100, { [ALFA.id]: 1 }))).toMatchObject([{ lots: 100 }]);
  });
});

describe('changes that cannot be taken', () => {
  it('of an instrument of others are passed over', () => {
    const table = new Table({}, [SHARE]);
    table.bar(100);
    const other = 'OTHER.X' as InstrumentId;
    tell(table, other, { change: 'split', ratio: 2 });
    tell(table, other, { change: 'dividend', amountPerUnit: 1 });
    tell(table, other, { change: 'halted' });
    tell(table, other, { change: 'delisted' });
    expect(table.engine.isHalted(other)).toBe(false);
    expect(table.engine.counts.barsRefused.size).toBe(0);
  });

  it('a split or dividend of a perpetual is counted', () => {
    const table = new Table();
    hold(table, ALFA, 100);
    tell(table, ALFA.id, { change: 'split', ratio: 2 });
    tell(table, ALFA.id, { change: 'dividend', amountPerUnit: 1 });
    expect(table.lots()).toBe(100);
    expect([...table.engine.counts.barsRefused]).toEqual([
      ['split-unusable', 1],
      ['dividend-unusable', 1],
    ]);
  });

  it.each([1e17, 1e-17, Number.MIN_VALUE, 1e7])('a split by %d is counted and changes nothing', (ratio) => {
    const table = new Table({}, [SHARE]);
    hold(table, SHARE, 100);
    tell(table, SHARE.id, { change: 'split', ratio });
    expect(table.lots(SHARE)).toBe(1);
    expect(table.engine.counts.barsRefused.get('split-unusable')).toBe(1);
  });

  it.each([1e12, -1e12, 1e300])('a dividend of %d is counted and pays nothing', (amountPerUnit) => {
    const table = new Table({}, [SHARE]);
    hold(table, SHARE, 100);
    const equity = table.engine.equity();
    tell(table, SHARE.id, { change: 'dividend', amountPerUnit });
    expect(table.engine.equity()).toBe(equity);
    expect(table.engine.counts.barsRefused.get('dividend-unusable')).toBe(1);
  });
});

describe('a dividend', () => {
  const CENTS = share('CENT.NYSE', { quote: 'USD', minorScale: 2, contractSize: { units: 10, scale: 0 } });
  const paid = (lots: number, side: 'buy' | 'sell', amountPerUnit: number) => {
    const table = new Table({}, [CENTS]);
    table.rate('USD', 'USDT', 1);
    table.unasked(table.engine.desks[0]!.instruments[0]!.book, CENTS, side, lots, 1_000);
    tell(table, CENTS.id, { change: 'dividend', amountPerUnit });
    return -table.engine.real.ledger.currencySummary(CENTS.settle)!.funding;
  };

  it('is exact where floats are not, and counts the contract size', () => {
    // 100 x 0.29 x 100 is 2,899.9999999999995 in floats
    expect(paid(10, 'buy', 0.29)).toBe(2_900);
    expect(paid(10, 'sell', 0.29)).toBe(-2_900);
  });

  it('of less than a minor unit is rounded against us', () => {
    expect(paid(10, 'buy', 0.00019)).toBe(1);
    expect(paid(10, 'sell', 0.00019)).toBe(-2);
  });

  it('reaches shadows', () => {
    const followed: Sizer = {
      ...guarded,
      size: (context) => {
        const shadow = guarded.size(context, {});
        if (shadow.kind !== 'sized') throw new Error('guarded sizes always');
        return { kind: 'not-sized', objection: { by: 'expectancy', reason: 'test' }, shadow };
      },
    };
    const table = new Table({ sizer: followed }, [SHARE]);
    table.bar(100, { [SHARE.id]: 1 });
    table.bar(100);
    const { ledger } = table.engine.shadows[0]!.lane;
    expect(ledger.net(SHARE.id)).toBe(1);
    tell(table, SHARE.id, { change: 'dividend', amountPerUnit: 2 });
    expect(ledger.currencySummary(SHARE.settle)!.funding).toBe(-2_000_000);
  });
});

describe('a listing', () => {
  it('lifts the halt of a delisting, not one of trading', () => {
    const listed = { change: 'listed', definition: ALFA } as const;
    const table = new Table();
    table.bar(100);
    tell(table, ALFA.id, { change: 'delisted' });
    expect(submitted(table.bar(100, { [ALFA.id]: 1 }))).toEqual([]);
    tell(table, ALFA.id, listed);
    expect(table.engine.isHalted(ALFA.id)).toBe(false);
    tell(table, ALFA.id, { change: 'halted' });
    tell(table, ALFA.id, listed);
    expect(table.engine.isHalted(ALFA.id)).toBe(true);
    tell(table, ALFA.id, { change: 'resumed' });
    expect(enterLong(table)).toHaveLength(1);
  });
});
