import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, DAY, HOUR, MINUTE } from '#base';
import { columnsOfBars, compareOrdered, type InstrumentId, type MarketEvent, orderOf } from '#market';
import { type BarSeries, barSeries, cutSeries, rowSeries, type TapeSeries } from './series.ts';
import { Tape, TapeCursor, tapeEvents } from './tape.ts';

const id = (text: string) => text as InstrumentId;

function bars(instrument: string, intervalMs: number, opens: readonly number[], price = 10): BarSeries {
  const rows = opens.map((i) => ({
    time: i * intervalMs,
    open: price + i,
    high: price + i + 2,
    low: price + i - 1,
    close: price + i + 1,
    volume: i,
  }));
  return barSeries(id(instrument), intervalMs, columnsOfBars(rows));
}

function funding(instrument: string, times: readonly number[]): TapeSeries {
  const time = Float64Array.from(times);
  const columns = [time.map(() => 0.0001), time.map(() => Number.NaN)];
  return rowSeries({
    kind: 'funding',
    instrument: id(instrument),
    length: time.length,
    at: time,
    time,
    columns,
  });
}

const line = (event: MarketEvent) =>
  `${event.at / MINUTE} ${event.kind} ${'instrument' in event ? event.instrument : ''} ${'intervalMs' in event ? event.intervalMs / MINUTE : ''}`.trim();

describe('Tape', () => {
  it('orders closes before opens, funding before bars, short before long', () => {
    const tape = new Tape([
      bars('B.X', 2 * MINUTE, [0]),
      funding('A.X', [2 * MINUTE]),
      bars('A.X', MINUTE, [0, 1, 2]),
      bars('B.X', MINUTE, [1]),
    ]);
    expect([...tapeEvents(tape)].map(line)).toEqual([
      '0 bar-opened A.X 1',
      '0 bar-opened B.X 2',
      '1 bar-closed A.X 1',
      '1 bar-opened A.X 1',
      '1 bar-opened B.X 1',
      '2 funding-due A.X',
      '2 bar-closed A.X 1',
      '2 bar-closed B.X 1',
      '2 bar-closed B.X 2',
      '2 bar-opened A.X 1',
      '3 bar-closed A.X 1',
    ]);
    expect(tape).toMatchObject({ length: 11, from: 0, to: 3 * MINUTE });
  });

  const tapes = fc
    .record({
      seed: fc.integer(),
      series: fc.integer({ min: 1, max: 6 }),
      rows: fc.integer({ min: 1, max: 40 }),
    })
    .map(({ seed, series, rows }) => {
      const chance = new Chance(seed);
      const list: TapeSeries[] = [];
      for (let s = 0; s < series; s++) {
        const name = `${'ABC'[chance.below(3)]}.X`;
        if (chance.happens(0.2)) {
          list.push(
            funding(
              `${name}${s}`,
              Array.from({ length: rows }, (_, i) => i * 8 * MINUTE),
            ),
          );
          continue;
        }
        const interval = [MINUTE, 3 * MINUTE, 5 * MINUTE][chance.below(3)]!;
        const opens: number[] = [];
        for (
          let i = chance.below(5);
          opens.length < rows;
          i += 1 + (chance.happens(0.2) ? chance.below(4) : 0)
        )
          opens.push(i);
        list.push(bars(name, interval, opens));
      }
      return list;
    });

  it('gives the same stream and hash for every order of the input, sorted by the common comparator', () => {
    fc.assert(
      fc.property(tapes, fc.integer(), (series, seed) => {
        const chance = new Chance(seed);
        const shuffled = series
          .map((s) => [chance.uniform(), s] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, s]) => s);
        const tape = new Tape(series);
        const other = new Tape(shuffled);
        const events = [...tapeEvents(tape)];
        expect([...tapeEvents(other)]).toEqual(events);
        expect(other.hash).toBe(tape.hash);
        expect(events.length).toBe(tape.length);
        for (let i = 1; i < events.length; i++) {
          expect(compareOrdered(orderOf(events[i - 1]!), orderOf(events[i]!))).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('seeks to any position, forwards and backwards', () => {
    fc.assert(
      fc.property(tapes, fc.array(fc.nat(), { maxLength: 6 }), (series, targets) => {
        const tape = new Tape(series);
        const all = [...tapeEvents(tape)];
        const cursor = new TapeCursor(tape);
        for (const target of targets.map((t) => t % (tape.length + 1))) {
          cursor.seek(target);
          expect(cursor.position).toBe(target);
          if (target > 0) expect(cursor.event()).toEqual(all[target - 1]);
          const more = cursor.next();
          expect(more).toBe(target < tape.length);
          if (more) expect(cursor.event()).toEqual(all[target]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('seeks backwards over remembered places on a long tape', () => {
    const tape = new Tape([
      bars(
        'A.X',
        MINUTE,
        Array.from({ length: 120_000 }, (_, i) => i),
      ),
    ]);
    const cursor = new TapeCursor(tape);
    while (cursor.next());
    expect(cursor.position).toBe(240_000);
    for (const position of [131_072, 131_073, 65_536, 70_001, 1, 0, 239_999]) {
      cursor.seek(position);
      if (position > 0)
        expect([cursor.row, cursor.phase]).toEqual([
          (position - 1) >> 1,
          position % 2 === 1 ? 'open' : 'close',
        ]);
      cursor.next();
      expect([cursor.row, cursor.phase]).toEqual([position >> 1, position % 2 === 0 ? 'open' : 'close']);
    }
    expect(() => cursor.seek(240_001)).toThrow();
  });

  it('joins files of one instrument and refuses files that contradict each other', () => {
    const whole = bars('A.X', MINUTE, [0, 1, 2, 3, 4, 5]);
    const tape = new Tape([bars('A.X', MINUTE, [3, 4, 5]), bars('A.X', MINUTE, [0, 1, 2, 3])]);
    expect(tape.series.length).toBe(1);
    expect(tape.hash).toBe(new Tape([whole]).hash);
    expect(new Tape([whole, whole]).hash).toBe(new Tape([whole]).hash);
    expect(new Tape([whole, bars('A.X', MINUTE, [7])]).hash).not.toBe(new Tape([whole]).hash);
    expect(() => new Tape([whole, bars('A.X', MINUTE, [2], 99)])).toThrow(
      /two files differ at 1970-01-01T00:02:00Z/,
    );
  });

  it('cuts to a span and says what there is otherwise', () => {
    const tape = new Tape([bars('A.X', MINUTE, [0, 1, 2, 3, 4, 5]), funding('A.X', [0, HOUR])]);
    const part = tape.cut(MINUTE, 4 * MINUTE);
    expect(part.series.length).toBe(1);
    expect([part.from, part.to]).toEqual([MINUTE, 4 * MINUTE]);
    expect(tape.cut(0, DAY).hash).toBe(tape.hash);
    expect(cutSeries(tape.series[0]!, 0, DAY)).toBe(tape.series[0]);
    expect(() => tape.cut(DAY, 2 * DAY)).toThrow(/nothing was recorded/);
  });

  it('closes a bar at the next open where that comes first', () => {
    const rows = [0, 30, 90].map((minute) => ({
      time: minute * MINUTE,
      open: 1,
      high: 1,
      low: 1,
      close: 1,
      volume: 1,
    }));
    const tape = new Tape([barSeries(id('A.X'), HOUR, columnsOfBars(rows))]);
    const closes = [...tapeEvents(tape)].filter((e) => e.kind === 'bar-closed').map((e) => e.at / MINUTE);
    expect(closes).toEqual([30, 90, 150]);
  });
});
