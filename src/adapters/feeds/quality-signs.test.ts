import { describe, expect, it } from 'vitest';
import { Chance, DAY, HOUR, MINUTE } from '#base';
import { type Bar, columnsOfBars, expectsBar, type InstrumentId } from '#market';
import { judgeSeries } from './quality.ts';
import { barSeries } from './series.ts';
import { universeSigns } from './survivorship.ts';

const bar = (time: number, price: number): Bar => ({
  time,
  open: price,
  high: price * 1.001,
  low: price * 0.999,
  close: price,
  volume: 10,
});

/** A walk over the given times, 1 % a step; `change` alters the price from a row on. */
function walk(times: readonly number[], change: (price: number, i: number) => number = (price) => price) {
  const chance = new Chance('quality');
  let price = 100;
  return columnsOfBars(
    times.map((time, i) => {
      price = change(price * Math.exp(0.01 * chance.normal()), i);
      return bar(time, price);
    }),
  );
}

const judge = (instrument: string, intervalMs: number, columns: ReturnType<typeof walk>) =>
  judgeSeries(barSeries(instrument as InstrumentId, intervalMs, columns));
const times = (n: number, step: number, from = Date.UTC(2023, 0, 2)) =>
  Array.from({ length: n }, (_, i) => from + i * step);

describe('suspected splits', () => {
  it.each([
    ['a split of two for one', 0.5, 2],
    ['a split of seven for one', 1 / 7, 7],
    ['a consolidation of ten into one', 10, 0.1],
    ['a split of three for two', 2 / 3, 1.5],
  ])('finds %s', (_, factor, ratio) => {
    // no other move on the day: the small ratios must be met closely
    const columns = walk(times(400, DAY));
    for (let i = 200; i < 400; i++)
      for (const name of ['open', 'high', 'low', 'close'] as const) columns[name][i]! *= factor;
    const gap = (columns.close[199]! * factor) / columns.open[200]!;
    for (let i = 200; i < 400; i++)
      for (const name of ['open', 'high', 'low', 'close'] as const) columns[name][i]! *= gap;
    const quality = judge('AAA.LOCAL', DAY, columns);
    expect(quality.suspectedSplits.map((one) => one.at)).toEqual([columns.time[200]]);
    expect(quality.suspectedSplits[0]!.ratio).toBeCloseTo(ratio, 10);
    expect(quality).toMatchObject({ verdict: 'usable', outliers: 1 });
    expect(quality.reasons.join()).toContain('suspected split');
  });

  it('takes neither a crash, nor a bad print, nor wild days for a split', () => {
    const crash = walk(times(400, DAY), (price, i) => (i === 200 ? price * 0.58 : price));
    const print = walk(times(400, DAY), (price, i) =>
      i === 200 ? price * 0.5 : i === 201 ? price * 2 : price,
    );
    const wild = walk(times(400, DAY), (price, i) => price * (i % 2 ? 1.3 : 1 / 1.3));
    for (const columns of [crash, print, wild])
      expect(judge('AAA.LOCAL', DAY, columns).suspectedSplits).toEqual([]);
  });
});

describe('time zones', () => {
  const sessions = (hoursAhead: (time: number) => number) =>
    times(60 * 24 * 2, 30 * MINUTE)
      .filter((time) => expectsBar('NYSE', time, 30 * MINUTE))
      .map((time) => time + hoursAhead(time) * HOUR);

  it('are right where bars lie in the session', () => {
    const quality = judge('SPY.NYSE', 30 * MINUTE, walk(sessions(() => 0)));
    expect(quality.times).toMatchObject({ outsideSession: 0, shift: null });
    expect(quality.verdict).toBe('good');
  });

  it('are found wrong from the first bar on', () => {
    const quality = judge('SPY.NYSE', 30 * MINUTE, walk(sessions(() => -5)));
    expect(quality.times.shift?.hours).toBe(-5);
    expect(quality.verdict).toBe('poor');
    expect(quality.reasons.join()).toContain('times seem to be 5 h behind UTC from 2023-01-03 on');
  });

  it('are found wrong in a later part', () => {
    const turn = Date.UTC(2023, 1, 1);
    const quality = judge('SPY.NYSE', 30 * MINUTE, walk(sessions((time) => (time < turn ? 0 : 7))));
    expect(quality.times.shift?.hours).toBe(7);
    expect(Math.abs(quality.times.shift!.from - turn)).toBeLessThan(6 * DAY);
  });

  it('show in the beginning of days', () => {
    const begins = times(100, DAY, Date.UTC(2023, 0, 1, 16));
    begins[50]! += HOUR;
    const quality = judge('AAA.LOCAL', DAY, walk(begins));
    expect(quality.times).toMatchObject({ dayBegins: 16 * 60, otherBegins: 1 });
    expect(quality.reasons.join()).toContain('days begin at 16:00 UTC');
  });
});

describe('universes', () => {
  const span = (symbol: string, last: number) => ({
    instrument: `${symbol}.IDX` as InstrumentId,
    intervalMs: DAY,
    first: 0,
    last: last * DAY,
  });
  const alive = ['A', 'B', 'C', 'D', 'E'].map((symbol) => span(symbol, 1000));

  it('in which nothing ever ended are suspect', () => {
    const [signs] = universeSigns(alive);
    expect(signs).toMatchObject({ venue: 'IDX', interval: '1d', series: 5, ended: [] });
    expect(signs!.warning).toContain('survivorship');
  });

  it('that are small, short or hold ended series are not', () => {
    expect(universeSigns(alive.slice(1))[0]!.warning).toBeNull();
    expect(universeSigns(alive.map((one) => ({ ...one, last: 100 * DAY })))[0]!.warning).toBeNull();
    expect(universeSigns([...alive, span('GONE', 500), span('LATE', 990)])[0]).toMatchObject({
      ended: ['GONE.IDX'],
      warning: null,
    });
  });
});
