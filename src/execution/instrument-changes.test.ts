import { describe, expect, it } from 'vitest';
import type { InstrumentChange } from '#market';
import { closed, instrument, MIN, opened, order, PERP, submit, venue } from '../../test/support/venue-kit.ts';

const T = Date.UTC(2024, 0, 1);
const HOUR = 60 * MIN;
const told = (at: number, change: InstrumentChange) =>
  ({ kind: 'instrument-changed', at, eventTime: at, instrument: PERP.id, change }) as const;
const bar = (time: number, price: number) =>
  closed({ time, open: price, high: price, low: price, close: price, volume: 1e6 });
const kinds = (reports: readonly { kind: string }[]) => reports.map(({ kind }) => kind);

/** Sends a market order and lets it meet the next bar. */
const fills = (to: ReturnType<typeof venue>, at: number, price = 100, lots = 1) => {
  submit(to, at, { lots });
  return [...to.onMarket(opened(at, price)), ...to.onMarket(bar(at, price))].flatMap((report) =>
    report.kind === 'order-filled' ? [report.fill] : [],
  );
};

describe('a new listing at the venue', () => {
  it('lifts the halt of a delisting, not one of trading', () => {
    const sim = venue();
    sim.onMarket(told(T, { change: 'delisted' }));
    expect(fills(sim, T)).toEqual([]);
    sim.onMarket(told(T + HOUR, { change: 'listed', definition: PERP }));
    expect(fills(sim, T + HOUR)).not.toEqual([]);
    sim.onMarket(told(T + 2 * HOUR, { change: 'halted' }));
    sim.onMarket(told(T + 2 * HOUR, { change: 'listed', definition: PERP }));
    expect(fills(sim, T + 2 * HOUR)).toEqual([]);
    sim.onMarket(told(T + 3 * HOUR, { change: 'resumed' }));
    expect(fills(sim, T + 3 * HOUR)).not.toEqual([]);
  });
});

describe('a changed grid at the venue', () => {
  const COARSE = instrument({ tick: { units: 5, scale: 0 } });

  it('is what the next order is read in', () => {
    const sim = venue();
    sim.onMarket(told(T, { change: 'changed', definition: COARSE }));
    // 100 is the 20th tick of 5 and the 1,000th of 0.1
    expect(fills(sim, T)).toMatchObject([{ ticks: 20 }]);
  });

  it('waits for what is held and ordered in the old one', () => {
    const sim = venue();
    fills(sim, T);
    sim.onMarket(told(T + MIN, { change: 'changed', definition: COARSE }));
    submit(sim, T + MIN, { side: 'sell' });
    const out = [...sim.onMarket(opened(T + MIN, 100)), ...sim.onMarket(bar(T + MIN, 100))];
    expect(out).toMatchObject([{ kind: 'order-filled', fill: { ticks: 1_000 } }]);
    expect(fills(sim, T + 2 * MIN)).toMatchObject([{ ticks: 20 }]);
  });

  it('moves the bound of prices that are believed', () => {
    const sim = venue();
    // 1e14 ticks of 1e-9 are 100,000
    sim.onMarket(told(T, { change: 'changed', definition: instrument({ tick: { units: 1, scale: 9 } }) }));
    expect(fills(sim, T, 200_000)).toEqual([]);
    expect(fills(sim, T + MIN, 100)).not.toEqual([]);
  });
});

describe('figures that nothing can be reckoned with', () => {
  it.each([1e17, 1e-17, 0, Number.NaN])('a split by %d changes nothing', (ratio) => {
    const sim = venue({}, instrument({ kind: 'equity' }));
    fills(sim, T, 100, 10);
    sim.execute(
      { kind: 'submit-order', order: order({ type: 'limit', limitTicks: 900, lots: 10 }) },
      T + MIN,
    );
    expect(sim.onMarket(told(T + MIN, { change: 'split', ratio }))).toEqual([]);
    expect(sim.accountReport(T)).toMatchObject({ nets: [{ lots: 10 }] });
  });

  it('a perpetual does not split', () => {
    const sim = venue();
    fills(sim, T, 100, 10);
    expect(sim.onMarket(told(T + MIN, { change: 'split', ratio: 2 }))).toEqual([]);
    expect(sim.accountReport(T)).toMatchObject({ nets: [{ lots: 10 }] });
  });

  it('a price at which an order could not be paid fills nothing and stops nothing', () => {
    const sim = venue();
    submit(sim, T, { id: 'large', lots: 1_000 });
    expect([...sim.onMarket(opened(T, 1e12)), ...sim.onMarket(bar(T, 1e12))]).toEqual([]);
    const mark = { kind: 'mark-updated', at: T + MIN, eventTime: T + MIN, instrument: PERP.id } as const;
    expect(sim.onMarket({ ...mark, mark: 1e12, index: null })).toEqual([]);
    const after = [...sim.onMarket(opened(T + MIN, 100)), ...sim.onMarket(bar(T + MIN, 100))];
    expect(kinds(after)).toEqual(['order-filled']);
  });
});
