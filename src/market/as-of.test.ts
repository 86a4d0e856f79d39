import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asOf, asOfJoin, asOfTime, asOfValues, type DatedColumns } from './as-of.ts';

type Row = readonly [time: number, publishedAt: number, value: number];

function columnsOf(rows: readonly Row[]): DatedColumns & { value: Float64Array } {
  return {
    length: rows.length,
    time: Float64Array.from(rows, (row) => row[0]),
    publishedAt: Float64Array.from(rows, (row) => row[1]),
    value: Float64Array.from(rows, (row) => row[2]),
  };
}

/** The rule in other words: sort what was known by what it is about and when it was said; the last one counts. */
function valueKnown(rows: readonly Row[], at: number, about: number | null = null): number | null {
  const known = rows.filter(([time, published]) => published <= at && (about === null || time === about));
  return known.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]).at(-1)?.[2] ?? null;
}

const small = fc.integer({ min: 0, max: 12 });
const rows = fc.uniqueArray(fc.tuple(small, small, fc.integer()), {
  maxLength: 20,
  selector: ([time, published]) => time * 100 + published,
});
const instants = fc.array(fc.integer({ min: -2, max: 14 }), { maxLength: 20 });

describe('asOf', () => {
  it('never knows what has no publication', () => {
    const facts = columnsOf([
      [1, Number.NaN, 5],
      [0, 3, 7],
    ]);
    expect(asOf(facts, 9)).toBe(1);
    expect(asOfTime(facts, 1, 9)).toBe(-1);
    expect([...asOfJoin(facts, [2, 9])]).toEqual([-1, 1]);
  });

  const quarterly: Row[] = [
    [1, 4, 100],
    [2, 6, 200],
    [1, 7, 90],
    [2, 9, 210],
  ];

  it('knows a figure from its publication on, and its revision from that of the revision on', () => {
    const facts = columnsOf(quarterly);
    const values = [3, 4, 5, 6, 8, 9, 50].map((at) => {
      const row = asOf(facts, at);
      return row < 0 ? null : facts.value[row];
    });
    // the restatement of period 1 at 7 does not hide the newer period 2
    expect(values).toEqual([null, 100, 100, 200, 200, 210, 210]);
    expect(asOfTime(facts, 1, 6)).toBe(0);
    expect(asOfTime(facts, 1, 7)).toBe(2);
    expect(asOfTime(facts, 1, 3)).toBe(-1);
    expect(asOfTime(facts, 5, 50)).toBe(-1);
  });

  it('is the last thing said about the latest time known, for single instants and joins alike', () => {
    fc.assert(
      fc.property(rows, instants, (all, at) => {
        const facts = columnsOf(all);
        const joined = asOfJoin(facts, at);
        const values = asOfValues(facts, facts.value, at);
        at.forEach((instant, i) => {
          const expected = valueKnown(all, instant);
          expect(joined[i]! < 0 ? null : facts.value[joined[i]!]).toBe(expected);
          expect(asOf(facts, instant)).toBe(joined[i]);
          expect(values[i]).toBe(expected ?? Number.NaN);
          const about = asOfTime(facts, 3, instant);
          expect(about < 0 ? null : facts.value[about]).toBe(valueKnown(all, instant, 3));
        });
      }),
    );
  });

  it('never changes by what is published later', () => {
    fc.assert(
      fc.property(rows, rows, instants, (past, more, at) => {
        const now = Math.max(-3, ...at);
        const future = more.map(([time, published, value]): Row => [time, now + 1 + published, value]);
        const then = asOfValues(columnsOf(past), columnsOf(past).value, at);
        const later = columnsOf([...future, ...past]);
        expect(asOfValues(later, later.value, at)).toEqual(then);
      }),
    );
  });

  it('does not depend on the order of rows or instants', () => {
    fc.assert(
      fc.property(
        rows.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        instants,
        ([all, shuffled], at) => {
          const value = (list: readonly Row[], times: readonly number[]) =>
            asOfValues(columnsOf(list), columnsOf(list).value, times);
          expect(value(shuffled, at)).toEqual(value(all, at));
          expect([...value(all, at.toReversed())].reverse()).toEqual([...value(all, at)]);
        },
      ),
    );
  });

  it('takes the last of rows that say the same time at the same moment', () => {
    const facts = columnsOf([
      [1, 2, 10],
      [1, 2, 11],
    ]);
    expect(asOf(facts, 2)).toBe(1);
    expect([...asOfJoin(facts, [1, 2])]).toEqual([-1, 1]);
  });
});
