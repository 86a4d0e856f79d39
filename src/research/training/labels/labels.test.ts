import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance } from '#base';
import { cusumEvents } from './cusum-filter.ts';
import {
  fractionalDifference,
  fractionalDifferenceFixed,
  fractionalWeights,
} from './fractional-difference.ts';
import { drawProbabilities, sequentialBootstrap } from './sequential-bootstrap.ts';
import { type BarrierBars, metaLabels, tripleBarrier, tripleBarrierLabels } from './triple-barrier.ts';
import { averageUniqueness, concurrency, labelWeights } from './uniqueness.ts';

/** Bars as [high, low, close]. */
const barsOf = (rows: readonly (readonly [number, number, number])[]): BarrierBars => ({
  length: rows.length,
  high: Float64Array.from(rows, (r) => r[0]),
  low: Float64Array.from(rows, (r) => r[1]),
  close: Float64Array.from(rows, (r) => r[2]),
});

/** The sheet's barriers at a width of 1 about 100: long 102.25 and 98.5, short 97.75 and 101.5. */
const sheet = (n: number, verticalBars = 3) => ({
  width: new Float64Array(n).fill(1),
  stop: 1.5,
  target: 2.25,
  verticalBars,
});
const first = [100, 100, 100] as const;
const quiet = [100.5, 99.5, 100] as const;

describe('the triple barrier', () => {
  it.each<[string, (readonly [number, number, number])[], string, number]>([
    ['rises to the target', [[101.4, 99.9, 101.3], [102.25, 101, 102], quiet], 'up', 2],
    ['just short of it', [[101.4, 99.9, 101.3], [102.24, 101, 102], quiet], 'none', 3],
    ['falls to the mirrored target', [[100, 98.6, 98.7], [98.7, 97.75, 98], quiet], 'down', 2],
    ['target and stop in one bar: the adverse one', [[102.5, 98.5, 100], quiet, quiet], 'none', 1],
    ['both targets in one bar', [[103, 97, 100], quiet, quiet], 'none', 1],
    ['the stop first, the target later', [[100, 98.5, 99], [102.5, 99, 102], quiet], 'none', 2],
    ['nothing until the vertical barrier', [quiet, quiet, quiet], 'none', 3],
    ['the target on the last bar', [quiet, quiet, [102.25, 99.5, 102]], 'up', 3],
    ['a gap beyond the target', [[105, 104, 104.5], quiet, quiet], 'up', 1],
    ['the long loses at once, the short later', [[100, 98.4, 98.6], quiet, [101.5, 100, 101]], 'none', 3],
  ])('%s', (_, after, label, end) => {
    const bars = barsOf([first, ...after]);
    const { labels, spanEnds, known } = tripleBarrierLabels(bars, sheet(bars.length));
    expect([['down', 'none', 'up'][labels[0]!], spanEnds[0], known[0]]).toEqual([label, end, 1]);
  });

  it('gives the end, the side of it and what it earned, long and mirrored short', () => {
    const bars = barsOf([first, [101.4, 99.9, 101.3], [102.25, 101, 102], quiet]);
    const long = tripleBarrier(bars, 1, sheet(4));
    expect([long.outcomes[0], long.ends[0]]).toEqual([1, 2]);
    expect(long.returns[0]).toBeCloseTo(0.0225, 14);
    const short = tripleBarrier(bars, -1, sheet(4));
    expect([short.outcomes[0], short.ends[0]]).toEqual([-1, 2]);
    expect(short.returns[0]).toBeCloseTo(-0.015, 14);
    const calm = barsOf([first, quiet, quiet, [100.5, 99.5, 100.2]]);
    expect(tripleBarrier(calm, 1, sheet(4)).returns[0]).toBeCloseTo(0.002, 14);
    expect(tripleBarrier(calm, -1, sheet(4)).returns[0]).toBeCloseTo(-0.002, 14);
  });

  it('knows nothing of bars whose vertical barrier is not seen, or without a width', () => {
    const bars = barsOf([first, [103, 100, 102], quiet, quiet, quiet]);
    const { known, labels, spanEnds } = tripleBarrierLabels(bars, {
      ...sheet(5),
      width: [1, Number.NaN, 0, 1, 1],
    });
    expect([...known]).toEqual([1, 0, 0, 0, 0]);
    expect([...labels]).toEqual([2, 1, 1, 1, 1]);
    expect([...spanEnds]).toEqual([1, 1, 2, 3, 4]);
  });

  it('a mirrored market has mirrored labels, and a label hangs on no bar behind its end', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: -8, max: 8 }), fc.nat(5), fc.nat(5)), {
      minLength: 4,
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 6 }), (rows, verticalBars) => {
        let price = 100;
        const walk = rows.map(([step, up, down]) => {
          const before = price;
          price += step / 4;
          const [top, floor] = [Math.max(before, price), Math.min(before, price)];
          return [top + up / 4, floor - down / 4, price] as const;
        });
        const bars = barsOf(walk);
        const barriers = sheet(walk.length, verticalBars);
        const { labels, spanEnds, known } = tripleBarrierLabels(bars, barriers);
        const mirror = tripleBarrierLabels(
          barsOf(walk.map(([h, l, c]) => [200 - l, 200 - h, 200 - c])),
          barriers,
        );
        expect([...mirror.labels]).toEqual([...labels].map((label) => 2 - label));
        expect([...mirror.spanEnds]).toEqual([...spanEnds]);
        known.forEach((is, i) => {
          expect(is).toBe(Number(i + verticalBars < walk.length));
          if (is === 0) return;
          expect(spanEnds[i]).toBeLessThanOrEqual(i + verticalBars);
          const wild = walk.map((row, t) => (t > spanEnds[i]! ? ([999, 1, 500] as const) : row));
          expect(tripleBarrierLabels(barsOf(wild), barriers).labels[i]).toBe(labels[i]);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('refuses barriers that cannot be', () => {
    const bars = barsOf([first, quiet]);
    expect(() => tripleBarrierLabels(bars, { ...sheet(2), target: 1 })).toThrow('both up and down');
    expect(() => tripleBarrier(bars, 1, { ...sheet(2), stop: 0 })).toThrow('a stop of 0');
    expect(() => tripleBarrier(bars, 1, { ...sheet(2), verticalBars: 0 })).toThrow('after 0 bars');
    expect(() => tripleBarrier(bars, 1, sheet(1))).toThrow('1 widths for 2 bars');
    expect(() => tripleBarrier(bars, [2, 0], sheet(2))).toThrow('the side of bar 0 is 2');
    expect(() => metaLabels(bars, [1], sheet(2))).toThrow('1 sides for 2 bars');
  });
});

describe('meta-labels', () => {
  it('say whether the side that was taken paid', () => {
    const bars = barsOf([
      first,
      [102.3, 99, 100],
      [100.5, 98.4, 100],
      [100.5, 99.5, 100.2],
      quiet,
      quiet,
      quiet,
    ]);
    const { labels, known, spanEnds } = metaLabels(bars, [1, -1, 1, -1, 0, 0, 0], sheet(7));
    // long to its target; short to neither in three bars, flat at the end: nothing earned; long the same;
    // short from 100.2 to 100: earned until the vertical barrier
    expect([...known]).toEqual([1, 1, 1, 1, 0, 0, 0]);
    expect([...labels]).toEqual([1, 0, 0, 1, 0, 0, 0]);
    expect([...spanEnds.slice(0, 4)]).toEqual([1, 4, 5, 6]);
  });
});

describe('uniqueness', () => {
  /** The three labels of section 4.5.3: returns 1..3, 3..4 and 5..6. */
  const book = { t0: [1, 3, 5], t1: [3, 4, 6] };

  it('the worked example of the book', () => {
    expect([...concurrency(book)]).toEqual([1, 1, 2, 1, 1, 1]);
    const uniqueness = averageUniqueness(book);
    [5 / 6, 3 / 4, 1].forEach((expected, i) => {
      expect(uniqueness[i]).toBeCloseTo(expected, 14);
    });
  });

  it('weights are those of the training rows among themselves', () => {
    const spanEnds = [2, 3, 2, 5, 9, 5];
    const weights = labelWeights([0, 2, 4], spanEnds);
    // rows 0..2 and 2..2 share row 2; row 4's label stands alone
    [(1 + 1 + 0.5) / 3, 0.5, 1].forEach((expected, i) => {
      expect(weights[i]).toBeCloseTo(expected, 6);
    });
    expect(labelWeights([], spanEnds)).toHaveLength(0);
  });

  it('agrees with the definition, sample by sample', () => {
    const spans = fc.array(fc.tuple(fc.nat(30), fc.nat(9)), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(spans, (pairs) => {
        const t0 = pairs.map(([start]) => start);
        const t1 = pairs.map(([start, length]) => start + length);
        const found = averageUniqueness({ t0, t1 });
        pairs.forEach(([start, length], i) => {
          let sum = 0;
          for (let t = start; t <= start + length; t++)
            sum += 1 / t0.filter((s, k) => s <= t && t1[k]! >= t).length;
          expect(found[i]).toBeCloseTo(sum / (length + 1), 10);
        });
      }),
    );
  });

  it('refuses spans that are not on rows', () => {
    expect(() => averageUniqueness({ t0: [0.5], t1: [1] })).toThrow('from row 0.5');
    expect(() => averageUniqueness({ t0: [2], t1: [1] })).toThrow('from row 2 to row 1');
    expect(() => concurrency({ t0: [2], t1: [] })).toThrow('1 label starts');
  });

  it('the sequential bootstrap draws by the chances of the book', () => {
    expect([...drawProbabilities(book, [])]).toEqual([1 / 3, 1 / 3, 1 / 3]);
    [5 / 14, 3 / 14, 6 / 14].forEach((expected, i) => {
      expect(drawProbabilities(book, [1])[i]).toBeCloseTo(expected, 14);
    });
    // by hand: 0 drawn twice, 2 once: (1/3+1/3+1/3)/3, (1/3+1)/2, (1/2+1/2)/2
    const sum = 1 / 3 + 2 / 3 + 1 / 2;
    [1 / 3 / sum, 2 / 3 / sum, 1 / 2 / sum].forEach((expected, i) => {
      expect(drawProbabilities(book, [0, 2, 0])[i]).toBeCloseTo(expected, 14);
    });
    const counts = [0, 0, 0];
    const chance = new Chance('book');
    for (let k = 0; k < 6_000; k++) {
      const [a, b] = sequentialBootstrap(book, chance, 2);
      if (a === 1) counts[b!]! += 1;
    }
    const drawn = counts.reduce((a, b) => a + b, 0);
    [5 / 14, 3 / 14, 6 / 14].forEach((expected, i) => {
      expect(Math.abs(counts[i]! / drawn - expected)).toBeLessThan(0.04);
    });
  });

  it('agrees with the definition whatever was drawn', () => {
    const cases = fc.array(fc.tuple(fc.nat(20), fc.nat(8)), { minLength: 1, maxLength: 15 }).chain((pairs) =>
      fc.record({
        pairs: fc.constant(pairs),
        drawn: fc.array(fc.nat(pairs.length - 1), { maxLength: 20 }),
      }),
    );
    fc.assert(
      fc.property(cases, ({ pairs, drawn }) => {
        const t0 = pairs.map(([start]) => start);
        const t1 = pairs.map(([start, length]) => start + length);
        const weights = pairs.map(([start, length]) => {
          let sum = 0;
          for (let t = start; t <= start + length; t++)
            sum += 1 / (1 + drawn.filter((k) => t0[k]! <= t && t1[k]! >= t).length);
          return sum / (length + 1);
        });
        const total = weights.reduce((a, b) => a + b, 0);
        drawProbabilities({ t0, t1 }, drawn).forEach((p, i) => {
          expect(p).toBeCloseTo(weights[i]! / total, 12);
        });
      }),
    );
  });

  it('a sequential bootstrap is more unique than a plain one, and repeats itself for a seed', () => {
    // the experiment of section 4.5.4: ten labels of one to five bars somewhere in a hundred bars
    const made = new Chance('labels');
    const t0 = Array.from({ length: 10 }, () => made.below(100));
    const spans = { t0, t1: t0.map((t) => t + made.below(5)) };
    const uniquenessOf = (samples: Int32Array) => {
      const drawn = averageUniqueness({
        t0: samples.map((i) => spans.t0[i]!),
        t1: samples.map((i) => spans.t1[i]!),
      });
      return drawn.reduce((a, b) => a + b, 0) / drawn.length;
    };
    let [sequential, plain] = [0, 0];
    for (let k = 0; k < 300; k++) {
      const chance = new Chance(`draw ${k}`);
      sequential += uniquenessOf(sequentialBootstrap(spans, chance));
      plain += uniquenessOf(Int32Array.from({ length: 10 }, () => chance.below(10)));
    }
    expect(sequential).toBeGreaterThan(1.05 * plain);
    expect(sequentialBootstrap(spans, new Chance('a'))).toEqual(sequentialBootstrap(spans, new Chance('a')));
    expect(sequentialBootstrap(spans, new Chance('a'))).not.toEqual(
      sequentialBootstrap(spans, new Chance('b')),
    );
    expect(() => sequentialBootstrap({ t0: [], t1: [] }, new Chance('a'), 1)).toThrow('nothing to draw from');
  });
});

describe('fractional differences', () => {
  it('weights by hand', () => {
    expect([...fractionalWeights(0.5, 5)]).toEqual([1, -0.5, -0.125, -0.0625, -0.0390625]);
    expect([...fractionalWeights(1, 4)].map((w) => w + 0)).toEqual([1, -1, 0, 0]);
    expect([...fractionalWeights(0, 3)].map((w) => w + 0)).toEqual([1, 0, 0]);
    expect([...fractionalWeights(2, 5)].map((w) => w + 0)).toEqual([1, -2, 1, 0, 0]);
  });

  it('order 0 is the series, order 1 its differences, and orders add up', () => {
    const values = [3, 5, 4, 8, 8, 1];
    expect([...fractionalDifferenceFixed(values, 0)]).toEqual(values);
    expect([...fractionalDifferenceFixed(values, 1)]).toEqual([Number.NaN, 2, -1, 4, 0, -7]);
    expect([...fractionalDifference(values, 1, 1)]).toEqual([3, 2, -1, 4, 0, -7]);
    const twice = fractionalDifference(fractionalDifference(values, 0.4, 1), 0.6, 1);
    fractionalDifference(values, 1, 1).forEach((v, t) => {
      expect(twice[t]).toBeCloseTo(v, 12);
    });
    const back = fractionalDifference(fractionalDifference(values, 0.4, 1), -0.4, 1);
    values.forEach((v, t) => {
      expect(back[t]).toBeCloseTo(v, 12);
    });
  });

  it('the fixed window ends before the first weight below the threshold', () => {
    // order 0.5, threshold 0.1: weights 1, -0.5, -0.125
    const out = fractionalDifferenceFixed([8, 16, 32, 64, Number.NaN, 8, 8, 8], 0.5, 0.1);
    expect([...out]).toEqual([NaN, NaN, 32 - 8 - 1, 64 - 16 - 2, NaN, NaN, NaN, 8 - 4 - 1]);
    expect(() => fractionalDifferenceFixed([1, 2, 3], 0.5, 1e-4)).toThrow('stay above 0.0001');
    expect(() => fractionalDifferenceFixed([1, 2, 3], 0.5, 0)).toThrow('a threshold of 0');
  });

  it('the growing window begins where little enough weight is missing', () => {
    // weights by size 1, 0.5, 0.125, 0.0625: lost after one, two, three, four 0.4074, 0.1111, 0.037, 0
    const values = [8, 16, 32, 64];
    const full = [8, 16 - 4, 32 - 8 - 1, 64 - 16 - 2 - 0.5];
    expect([...fractionalDifference(values, 0.5, 1)]).toEqual(full);
    expect([...fractionalDifference(values, 0.5, 0.2)]).toEqual([Number.NaN, ...full.slice(1)]);
    expect([...fractionalDifference(values, 0.5, 0.04)]).toEqual([NaN, NaN, ...full.slice(2)]);
    expect([...fractionalDifference(values, 0.5, 0)]).toEqual([NaN, NaN, NaN, full[3]]);
    expect(() => fractionalDifference(values, 0.5, 2)).toThrow('a loss of 2');
  });
});

describe('the CUSUM filter', () => {
  it('by hand', () => {
    // changes .6 .6 -.2 -.9 .3 .8 .5; up .6 1.2! ; down from there -.2 -1.1! ; up since its event 0 0 .3 1.1! .5
    const values = [0, 0.6, 1.2, 1.0, 0.1, 0.4, 1.2, 1.7];
    expect([...cusumEvents(values, 1)]).toEqual([2, 4, 6]);
    expect([...cusumEvents(values, [1, 1, 1, 1, 2, 1, 1, 1])]).toEqual([2, 6]);
  });

  it('reaching counts, rows that are not there do not, and a run is seen once', () => {
    expect([...cusumEvents([0, 1, 2, 3], 1)]).toEqual([1, 2, 3]);
    expect([...cusumEvents([0, Number.NaN, 2, 3], 1)]).toEqual([3]);
    expect([...cusumEvents([0, 0.9, 1.1, 0.9, 1.1, 0.9, 1.1], 1)]).toEqual([2]);
    expect(() => cusumEvents([1], 0)).toThrow('a threshold of 0');
    expect(() => cusumEvents([1, 2], [1])).toThrow('1 thresholds for 2 values');
  });
});
