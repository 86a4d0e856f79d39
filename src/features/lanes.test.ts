import { describe, expect, it } from 'vitest';
import { Chance, captureState } from '#base';
import { type BarColumns, barColumns } from '#market';
import { BLOCK } from './kernel.ts';
import { SPAN } from './loops.ts';
import { parseFeature } from './registry.ts';

/** A walk with equal prices, gaps, a flat stretch and an absurd bar, over more than two blocks. */
function walk(rows: number): BarColumns {
  const chance = new Chance('lanes');
  const bars = barColumns(rows);
  bars.length = rows;
  let close = 100;
  for (let i = 0; i < rows; i++) {
    const open = i % 40 === 7 ? close * 1.02 : close;
    const still = (i > 900 && i < 1400) || i % 9 === 0;
    close = still ? open : Math.round(open * Math.exp(0.004 * chance.normal()) * 100) / 100;
    bars.time[i] = i * 60_000;
    bars.open[i] = open;
    bars.high[i] = Math.max(open, close) + (still ? 0 : 0.05 * chance.uniform());
    bars.low[i] = Math.min(open, close) - (still ? 0 : 0.05 * chance.uniform());
    bars.close[i] = i === 3000 ? 1e12 : close;
    if (i === 3000) bars.high[i] = 1.1e12;
    bars.volume[i] = i % 700 < 40 ? 0 : Math.round(1000 * chance.uniform());
  }
  return bars;
}

const rows = 2 * BLOCK + 777;
const bars = walk(rows);
const long = walk(2 * SPAN + 777);

function compute(text: string, cuts: (from: number) => number, over = bars) {
  const rows = over.length;
  const { definition, parameters, columns } = parseFeature(text);
  const kernel = definition.create(parameters);
  const out = columns.map(() => new Float64Array(rows));
  for (let from = 0; from < rows; ) {
    const to = Math.min(rows, cuts(from));
    kernel.run(over, out, from, to);
    from = to;
  }
  return { columns, out, state: JSON.stringify(captureState(kernel)) };
}

const windows = [2, 3, 4, 5, 14, 20, 33, 128, 513];
const texts = [
  ...[
    'max',
    'min',
    'donchian',
    'willr',
    'cci',
    'aroon',
    'mom',
    'roc',
    'stddev',
    'bbands',
    'wma',
    'mfi',
  ].flatMap((name) => windows.map((n) => `${name}:${n}`)),
  ...windows.flatMap((n) => [
    `stoch:${n}:3:3`,
    `stoch:${n}:5:1`,
    `stochrsi:14:${n}:3`,
    `ultosc:${n}:9:${n + 4}`,
  ]),
  ...[
    'ultosc:1:2:3',
    'stoch:1:1:1',
    'stochrsi:2:1:1',
    'bbands:20:0',
    'stddev:20:0',
    'sar',
    'sar:0:0',
    'sar:1:1',
    'tr',
  ],
];

describe('spans of rows in blocks', () => {
  it.each(texts)('%s is, bit for bit and with its state, what rows one by one give', (text) => {
    const one = compute(text, (from) => from + 1);
    const lengths = [1, 256, 90, 700, 3, 2100];
    for (const other of [
      compute(text, () => rows),
      compute(text, (from) => from + lengths[from % lengths.length]!),
    ]) {
      one.out.forEach((column, k) => {
        const row = column.findIndex((value, i) => !Object.is(value, other.out[k]![i]));
        expect(row < 0 ? '' : `${one.columns[k]} row ${row}: ${other.out[k]![row]}, not ${column[row]}`).toBe(
          '',
        );
      });
      expect(other.state).toBe(one.state);
    }
  });

  it.each(['mom:10', 'roc:10', 'tr'])('%s over more rows than its loop takes at once', (text) => {
    const one = compute(text, (from) => from + 1, long);
    const all = compute(text, () => long.length, long);
    expect(all.out[0]!.findIndex((value, i) => !Object.is(value, one.out[0]![i]))).toBe(-1);
    expect(all.state).toBe(one.state);
  });
});
