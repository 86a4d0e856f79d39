import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '#base';
import { single } from '#ensemble';
import { type Bar, barAt, columnsOfBars, type InstrumentId, resampleColumns, seriesFor } from '#market';
import { fixedUnits } from '#risk';
import { source, type View } from '#signals';
import { ALFA, BETA, START, Table } from '../../test/support/engine-table.ts';
import type { DeskParts } from './desk.ts';
import type { PortfolioDefinition } from './portfolio.ts';

const minute = (k: number, close: number): Bar => ({
  time: START + k * MINUTE,
  open: close - 0.5,
  high: close + 1,
  low: close - 1,
  close,
  volume: 10 + k,
});
const minutes = Array.from({ length: 60 }, (_, k) => minute(k, 100 + ((k * 7) % 11)));

/** Five-minute bars of the same market. */
const fives = (() => {
  const { columns } = resampleColumns(columnsOfBars(minutes), MINUTE, 5 * MINUTE);
  return Array.from({ length: columns.length }, (_, i) => barAt(columns, i));
})();

interface Heard {
  readonly at: number;
  readonly close: number;
  readonly open: number;
  readonly sum: number;
  readonly peer: number | null;
}

/** A desk that writes down what it sees, and never speaks. */
function listener(parts: Partial<DeskParts> = {}) {
  const heard: Heard[] = [];
  const ear = source({
    name: 'ear',
    emits: 'score',
    features: { mean: 'sma:3' },
    signal: (view: View, { mean }) => {
      const peer = view.peer(BETA.id);
      const last = peer === null || peer.last < 0 ? null : peer.bars.close[peer.last]!;
      heard.push({ at: view.at, close: view.close, open: view.open, sum: mean, peer: last });
      return null;
    },
  });
  const desk: Partial<DeskParts> = {
    sources: [ear],
    pooling: single(),
    sizer: fixedUnits(1, { leverage: 1 }),
    warmUpBars: 0,
    ...parts,
  };
  return { desk, heard };
}

const deskOf = (
  name: string,
  parts: Partial<DeskParts>,
  intervalMs: number,
  changes: Partial<PortfolioDefinition['desks'][number]> = {},
): PortfolioDefinition['desks'][number] => ({
  name,
  configuration: 'c',
  parts: { interval: '5m', ...parts } as DeskParts,
  instruments: [ALFA],
  intervalMs,
  otherMs: [],
  ...changes,
});

function tell(table: Table, instrument: InstrumentId, intervalMs: number, bar: Bar, lateMs = 0): void {
  const eventTime = bar.time + intervalMs;
  const at = Math.max(table.at, eventTime + lateMs);
  table.at = at;
  table.step({ kind: 'bar-closed', at, eventTime, instrument, intervalMs, bar });
}

/** Every bar of both series in the order of their closes, short before long. */
function tellAll(table: Table, withFives: boolean): void {
  for (const bar of minutes) {
    tell(table, ALFA.id, MINUTE, bar);
    const close = bar.time + MINUTE;
    const five = withFives ? fives.find(({ time }) => time + 5 * MINUTE === close) : undefined;
    if (five !== undefined) tell(table, ALFA.id, 5 * MINUTE, five);
  }
}

const bringing =
  (...ms: number[]): PortfolioDefinition['feedMs'] =>
  (_, wanted) =>
    wanted === undefined ? Math.min(...ms) : seriesFor(ms, wanted)!;

describe('bars of several lengths from one feed', () => {
  it('are made from the series itself where it comes, else from the finest that divides', () => {
    expect(seriesFor([60, 180, 300], 180)).toBe(180);
    expect(seriesFor([180, 300], 900)).toBe(180);
    expect(seriesFor([180, 300], 600)).toBe(300);
    expect(seriesFor([180, 300], 60)).toBeNull();
  });

  it('say the same to a desk whether they come or are resampled', () => {
    const run = (withFives: boolean) => {
      const short = listener();
      const long = listener();
      const table = new Table({}, [ALFA, BETA], {
        desks: [deskOf('short', short.desk, MINUTE), deskOf('long', long.desk, 5 * MINUTE)],
        feedMs: withFives ? bringing(MINUTE, 5 * MINUTE) : bringing(MINUTE),
      });
      table.at = START;
      tellAll(table, withFives);
      return { short: short.heard, long: long.heard, bars: table.engine.counts.bars };
    };
    const brought = run(true);
    const resampled = run(false);
    expect(brought.short).toEqual(resampled.short);
    expect(brought.long).toEqual(resampled.long);
    expect(brought.long).toHaveLength(12);
    expect([brought.bars, resampled.bars]).toEqual([72, 60]);
  });

  it('use the series that comes, not one that could be made', () => {
    const long = listener();
    const table = new Table({}, [ALFA, BETA], {
      desks: [deskOf('long', long.desk, 5 * MINUTE)],
      feedMs: bringing(MINUTE, 5 * MINUTE),
    });
    tell(table, ALFA.id, MINUTE, minutes[4]!);
    tell(table, ALFA.id, 5 * MINUTE, { ...fives[0]!, close: 101.25 });
    expect(long.heard.map(({ close }) => close)).toEqual([101.25]);
  });

  it('each have a checker of their own: none is late for another', () => {
    const table = new Table({}, [ALFA, BETA], {
      desks: [deskOf('a', listener().desk, MINUTE), deskOf('b', listener().desk, 5 * MINUTE)],
      feedMs: bringing(MINUTE, 5 * MINUTE),
    });
    tellAll(table, true);
    expect(Object.fromEntries(table.engine.counts.barsRefused)).toEqual({});
    tell(table, ALFA.id, 5 * MINUTE, fives[11]!);
    expect(Object.fromEntries(table.engine.counts.barsRefused)).toEqual({ duplicate: 1 });
    tell(table, ALFA.id, 3 * MINUTE, fives[11]!);
    expect(Object.fromEntries(table.engine.counts.barsRefused)).toEqual({ duplicate: 1 });
  });

  it('mark the books with the shortest only, and with a longer one once the shorter have stopped', () => {
    const table = new Table({}, [ALFA, BETA], {
      desks: [deskOf('a', listener().desk, MINUTE), deskOf('b', listener().desk, 5 * MINUTE)],
      feedMs: bringing(MINUTE, 5 * MINUTE),
    });
    const mark = () => table.engine.real.ledger.lastMark(ALFA.id)!.ticks;
    for (const bar of minutes.slice(0, 5)) tell(table, ALFA.id, MINUTE, bar);
    expect(mark()).toBe(minutes[4]!.close * 10);
    tell(table, ALFA.id, 5 * MINUTE, { ...fives[0]!, close: 100 });
    expect(mark()).toBe(minutes[4]!.close * 10);
    tell(table, ALFA.id, 5 * MINUTE, { ...fives[1]!, close: 103 });
    expect(mark()).toBe(1_030);
  });

  it('snapshot and go on as if nothing had been', () => {
    const definition = () => {
      const long = listener();
      const table = new Table({}, [ALFA, BETA], {
        desks: [deskOf('long', long.desk, 5 * MINUTE)],
        feedMs: bringing(MINUTE),
      });
      return { table, heard: long.heard };
    };
    const whole = definition();
    for (const bar of minutes) tell(whole.table, ALFA.id, MINUTE, bar);
    const first = definition();
    for (const bar of minutes.slice(0, 33)) tell(first.table, ALFA.id, MINUTE, bar);
    const second = definition();
    second.table.engine.restore(JSON.parse(JSON.stringify(first.table.engine.capture())));
    second.table.at = first.table.at;
    for (const bar of minutes.slice(33)) tell(second.table, ALFA.id, MINUTE, bar);
    expect([...first.heard, ...second.heard]).toEqual(whole.heard);
  });
});

describe('what a desk watches', () => {
  const watching = () => {
    const { desk, heard } = listener();
    const table = new Table({}, [ALFA, BETA], {
      desks: [deskOf('d', desk, 5 * MINUTE, { watched: [BETA] })],
    });
    return { table, heard };
  };

  it('is in its slices and its views, and is never decided on', () => {
    const { table, heard } = watching();
    table.bar({ [ALFA.id]: 100, [BETA.id]: 7 });
    expect(heard).toHaveLength(1);
    expect(heard[0]!.peer).toBe(7);
    expect(table.engine.counts.slices).toBe(1);
    expect(table.engine.desks[0]!.instruments.map(({ traded }) => traded)).toEqual([true, false]);
  });

  it('is waited for, and named when it does not come', () => {
    const { table, heard } = watching();
    const at = START + 5 * MINUTE;
    tell(table, ALFA.id, 5 * MINUTE, minute(0, 100));
    expect(heard).toHaveLength(0);
    expect(table.engine.nextDue()).toBe(at + 2_000);
    table.step({ kind: 'timer-fired', at: at + 2_000, eventTime: at + 2_000 });
    expect(heard).toHaveLength(1);
    expect(heard[0]!.peer).toBeNull();
    expect(Object.fromEntries(table.engine.counts.missingBars)).toEqual({ [BETA.id]: 1 });
  });

  it('has only the features that are asked for it', () => {
    const { desk } = listener({ watchFeatures: ['ema:9'] });
    const table = new Table({}, [ALFA, BETA], {
      desks: [deskOf('d', desk, 5 * MINUTE, { watched: [BETA] })],
    });
    const [own, other] = table.engine.desks[0]!.instruments;
    expect(own!.frame.requests).toEqual(['sma:3']);
    expect(other!.frame.requests).toEqual(['ema:9']);
  });

  it('marks no books and holds up no money: a price of it moves nothing', () => {
    const { table } = watching();
    table.bar({ [ALFA.id]: 100, [BETA.id]: 7 });
    table.mark(BETA, 1e9);
    expect(table.engine.real.ledger.lastMark(BETA.id)).toBeNull();
    expect(table.engine.nextDue()).toBeGreaterThan(table.at + HOUR);
  });
});
