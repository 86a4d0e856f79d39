import { describe, expect, it } from 'vitest';
import { barSeries, depthSeries, rowSeries, Tape, tapeEvents } from '#adapters';
import { columnsOfBars, parseInstrumentId } from '#market';
import { dataFromShared, shareData } from './shared-tape.ts';

const HOUR = 3_600_000;
const { id } = parseInstrumentId('BTCUSDT.BINANCE-USDM');
const bars = columnsOfBars(
  [3, 1, 4].map((price, i) => ({
    time: i * HOUR,
    open: price,
    high: price + 1,
    low: price - 0.5,
    close: price + 0.5,
    volume: i,
  })),
);
const at = Float64Array.of(1, 2);
const tape = new Tape([
  barSeries(id, HOUR, bars),
  rowSeries({
    kind: 'funding',
    instrument: id,
    length: 2,
    at,
    time: at,
    columns: [Float64Array.of(0.1, -0.2), Float64Array.of(Number.NaN, 3)],
  }),
  depthSeries({
    instrument: id,
    at,
    time: at,
    changes: [
      { snapshot: true, bids: [[1, 2]], asks: [] },
      { snapshot: false, bids: [], asks: [[3, 4]] },
    ],
    breaks: 0,
    files: [],
  }),
]);

describe('data shared with a thread', () => {
  it('is the same tape event for event, over memory that is not copied', () => {
    const shared = shareData({ tape, faults: new Map([['late', 2]]) });
    // what postMessage does: copies objects, shares memory
    const there = dataFromShared(structuredClone(shared));
    expect(there.tape.hash).toBe(tape.hash);
    expect([...tapeEvents(there.tape)]).toEqual([...tapeEvents(tape)]);
    expect(there.faults).toEqual(new Map([['late', 2]]));
    for (const series of shared.series) {
      if (series.kind === 'bars') series.columns.close[1] = 99;
      else series.at[1] = 77;
    }
    for (const series of there.tape.series) {
      expect(series.kind === 'bars' ? series.columns.close[1] : series.at[1]).toBe(
        series.kind === 'bars' ? 99 : 77,
      );
    }
    // and the tape it was made from is left alone
    expect(bars.close[1]).toBe(1.5);
  });

  it('leaves columns where they are when threads share them already', () => {
    const first = shareData({ tape, faults: new Map() });
    const second = shareData(dataFromShared(first));
    second.series.forEach((series, i) => {
      const before = first.series[i]!;
      if (series.kind === 'bars' && before.kind === 'bars') {
        expect(series.columns.close.buffer).toBe(before.columns.close.buffer);
      }
    });
  });
});
