import { describe, expect, it } from 'vitest';
import { venueOptions } from '#execution';
import type { Bar, Instrument, InstrumentChange } from '#market';
import type { Sizer } from '#risk';
import { ALFA, BETA, STEP, share, Table } from '../../test/support/engine-table.ts';
import type { DeskParts } from './desk.ts';

/** Never sized, always followed: one unit, neither stop nor target. */
const followed: Sizer = {
  name: 'followed',
  features: {},
  size: () => ({
    kind: 'not-sized',
    objection: { by: 'expectancy', reason: 'test' },
    shadow: {
      kind: 'sized',
      quantity: 1,
      stopDistance: null,
      targetDistance: null,
      leverage: 2,
      riskFraction: null,
      cuts: [],
    },
  }),
};
/** A limit a tenth below, good for so many bars. */
const resting = (bars: number): DeskParts['entry'] => ({
  type: 'limit',
  offsetRate: 0.1,
  bars,
  postOnly: false,
});

const held = (table: Table) => [...table.engine.shadows[0]!.lane.held.values()];
const tell = (table: Table, change: InstrumentChange, instrument: Instrument = ALFA) =>
  table.step({
    kind: 'instrument-changed',
    at: table.at,
    eventTime: table.at,
    instrument: instrument.id,
    change,
  });

/** The next bar of every instrument, all told at its close. */
function next(table: Table, figures: Omit<Bar, 'time' | 'volume'>): void {
  const time = table.at;
  table.at += STEP;
  for (const { id: instrument } of table.instruments) {
    const bar = { time, ...figures, volume: 1e6 };
    const stamp = { at: table.at, eventTime: table.at };
    table.step({ kind: 'bar-closed', ...stamp, instrument, intervalMs: STEP, bar });
  }
}

describe('a shadow order good for one bar', () => {
  const dips = { open: 100, high: 100, low: 80, close: 85 };

  it('fills inside that bar', () => {
    const table = new Table({ sizer: followed, entry: resting(1) });
    table.bar(100, { [ALFA.id]: 1 });
    next(table, dips);
    expect(held(table)).toMatchObject([{ direction: 1, entryPrice: 90 }]);
  });

  it('in every instrument, whichever bar is told first', () => {
    const table = new Table({ sizer: followed, entry: resting(1) }, [ALFA, BETA]);
    table.bar(100, { [ALFA.id]: 1, [BETA.id]: 1 });
    next(table, dips);
    expect(held(table)).toHaveLength(2);
  });

  it('and not in the bar after it', () => {
    const table = new Table({ sizer: followed, entry: resting(1) });
    table.bar(100, { [ALFA.id]: 1 });
    table.bar(100);
    next(table, dips);
    expect(held(table)).toEqual([]);
  });

  it('at the market fills at the opening, at its time', () => {
    const table = new Table({ sizer: followed });
    table.bar(100, { [ALFA.id]: 1 });
    const openedAt = table.at;
    next(table, { open: 101, high: 103, low: 99, close: 102 });
    expect(held(table)).toMatchObject([{ entryPrice: 101, openedAt }]);
  });

  it('and is held from then on, whatever else was heard of its instrument before its bar was', () => {
    const table = new Table({ sizer: followed });
    table.bar(100, { [ALFA.id]: 1 });
    const at = table.at + 1_000;
    table.step({ kind: 'funding-due', at, eventTime: at, instrument: ALFA.id, rate: 0.0001, mark: 100 });
    next(table, { open: 101, high: 103, low: 99, close: 102 });
    expect(held(table)).toMatchObject([{ openedAt: at - 1_000 }]);
  });
});

describe('a halt', () => {
  it('keeps shadows from entering, and ends when trading resumes though nothing was shadowed', () => {
    const table = new Table({ sizer: followed });
    table.bar(100);
    tell(table, { change: 'halted' });
    table.bar(100, { [ALFA.id]: 1 });
    table.bar(100);
    expect(held(table)).toEqual([]);
    tell(table, { change: 'resumed' });
    table.bar(100, { [ALFA.id]: 1 });
    table.bar(100);
    expect(held(table)).toHaveLength(1);
  });

  it('heard while an order works is over when resumed after that order', () => {
    const table = new Table({ sizer: followed, entry: resting(2) });
    table.bar(100, { [ALFA.id]: 1 });
    tell(table, { change: 'halted' });
    for (let i = 0; i < 4; i++) table.bar(100);
    tell(table, { change: 'resumed' });
    table.bar(100, { [ALFA.id]: 1 });
    next(table, { open: 100, high: 100, low: 80, close: 85 });
    expect(held(table)).toHaveLength(1);
  });

  it('that begins behind an order keeps it from filling', () => {
    const table = new Table({ sizer: followed });
    table.bar(100, { [ALFA.id]: 1 });
    tell(table, { change: 'halted' });
    table.bar(100);
    expect(held(table)).toEqual([]);
  });
});

describe('rules of the venue that look back', () => {
  const shadowVenue = (given: Parameters<typeof venueOptions>[0]) => {
    const { instrumentOf: _, seed: __, ...rest } = venueOptions(given);
    return { shadowVenue: rest };
  };

  it('know the previous close of days in which nothing was shadowed', () => {
    const SHARE = share('ACME.NYSE', { maxLeverage: 5 });
    const seen: (number | null)[] = [];
    const options = shadowVenue({
      instrumentOf: () => SHARE,
      priceBand: (_, __, previous) => {
        seen.push(previous);
        return null;
      },
    });
    const table = new Table({ sizer: followed }, [SHARE], options);
    for (let i = 0; i < 300; i++) table.bar(100);
    table.bar(100, { [SHARE.id]: 1 });
    table.bar(100);
    expect(held(table)).toHaveLength(1);
    expect(seen.at(-1)).toBe(100);
  });

  it('slip by what the bars before the order tell of volume and deviation', () => {
    const options = shadowVenue({
      instrumentOf: () => ALFA,
      slippage: { kind: 'impact', halfSpreadRate: 0, k: 1, windowBars: 5 },
    });
    const table = new Table({ sizer: followed }, [ALFA], options);
    for (const price of [100, 110, 100, 110, 100, 110]) table.bar(price);
    table.bar(100, { [ALFA.id]: 1 });
    table.bar(100);
    expect(held(table)[0]!.entryPrice).toBeGreaterThan(100);
  });
});
