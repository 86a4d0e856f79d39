import { describe, expect, it } from 'vitest';
import { type BarSeries, tapeEvents } from '#adapters';
import { parseInstrumentId } from '#market';
import { mixedTape } from '../../../../test/support/mixed-tape.ts';
import { dataFromShared, shareData } from './shared-tape.ts';

const { id } = parseInstrumentId('BTCUSDT.BINANCE-USDM');
const tape = mixedTape(id, [3, 1, 4]);
const bars = (tape.series.find(({ kind }) => kind === 'bars') as BarSeries).columns;

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
