import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, canonicalJson, MINUTE, sha256 } from '#base';
import { computeFeatures, fitScaler } from '#features';
import { type BarColumns, barColumns } from '#market';
import {
  areaUnderCurve,
  averageUniqueness,
  type ColdData,
  type ColdSamples,
  checkFolds,
  coldSamples,
  coldWindows,
  combinatorialPurged,
  describeLeak,
  evenSpans,
  type FittedPart,
  findFutureSight,
  findLookAhead,
  fitOn,
  fitOutOfSample,
  fitWindow,
  type LearnedPart,
  permuteLabels,
  predictBars,
  purgedKFold,
  purgedTraining,
  refuseLeaks,
  type Split,
  trainBoosted,
  trainingBars,
  walkForward,
} from '#research';
import { BoostedScorer, writeBoostedModel } from '#signals';
import { COLD_POINT, COLD_RULES } from '../support/cold-path.ts';
import { perpetual } from '../support/instruments.ts';

const list = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

const INTERVAL = 15 * MINUTE;
// what a bar traded bounds no order: only what is learned is looked at
const RULES = { ...COLD_RULES, participation: null };
const POINT = { ...COLD_POINT, rounds: 12 };

/** A market that nobody can foretell. */
function randomBars(count: number, seed: string): BarColumns {
  const chance = new Chance(seed);
  const bars = barColumns(count);
  bars.length = count;
  let price = 100;
  for (let t = 0; t < count; t++) {
    const open = price;
    price *= Math.exp(0.003 * chance.normal());
    bars.time[t] = t * INTERVAL;
    bars.open[t] = open;
    bars.close[t] = price;
    bars.high[t] = Math.max(open, price) * (1 + 0.001 * chance.uniform());
    bars.low[t] = Math.min(open, price) * (1 - 0.001 * chance.uniform());
    bars.volume[t] = 10 + 5 * chance.uniform();
  }
  return bars;
}

const dataOf = (bars: BarColumns): ColdData => ({
  instrument: perpetual('AAA.LEAK'),
  intervalMs: INTERVAL,
  bars,
  fundingTilts: null,
  funding: null,
  regime: new Int8Array(bars.length),
  regimeStrength: new Float64Array(bars.length),
  news: null,
});

const BARS = randomBars(1_450, 'leakage');
const SAMPLES = coldSamples(dataOf(BARS), RULES, POINT);
const WINDOWS = coldWindows(BARS.time, BARS.length, INTERVAL, {
  trainMs: 500 * INTERVAL,
  testMs: 160 * INTERVAL,
  stepMs: 160 * INTERVAL,
});
const SPANS = {
  t0: list(BARS.length, (i) => i),
  t1: list(BARS.length, (i) => Math.max(i, SAMPLES.spanEnds[i]!)),
};

/**
 * The area under the curve of P(up), mean over the tests of the windows, by the very functions that training uses. One
 * area for all tests together would be below chance: labels that were in a training are missing in the tests.
 */
function areaOf(samples: ColdSamples, testOn: 'test' | 'train' = 'test'): number {
  return mean(
    WINDOWS.map((window) => {
      const model = fitWindow(samples, window, RULES.verticalBars, POINT, 'area')!;
      const range = window[testOn];
      const { probabilities } = predictBars(model, samples, range);
      const bars = list(range.to - range.from, (k) => range.from + k).filter(
        (bar) => samples.usable[bar] === 1,
      );
      // no numbers would score by chance as well
      expect(bars.every((bar) => probabilities[3 * (bar - range.from) + 2]! > 0)).toBe(true);
      return areaUnderCurve(
        bars.map((bar) => probabilities[3 * (bar - range.from) + 2]!),
        bars.map((bar) => Number(samples.labels[bar] === 2)),
        null,
      );
    }),
  );
}

const usableBars = list(BARS.length, (i) => i).filter((i) => SAMPLES.usable[i] === 1);

/** The same samples with the labels of usable bars replaced, in their order. */
function labelled(labels: ArrayLike<number>, change: Partial<ColdSamples> = {}): ColdSamples {
  const all = SAMPLES.labels.slice();
  usableBars.forEach((bar, k) => {
    all[bar] = labels[k]!;
  });
  return { ...SAMPLES, ...change, labels: all };
}

const TRUE_LABELS = usableBars.map((bar) => SAMPLES.labels[bar]!);
const WIDTH = SAMPLES.rows.length / BARS.length;

describe('permuted labels', () => {
  /**
   * Five tests of 160 rows, a third of them up: an area by chance has a deviation of 0.023, the mean of twenty one of
   * 0.005 (200 orders come to 0.4987). The band is four of them.
   */
  const BAND = 0.02;
  /** Scores of the procedure on twenty orders of the labels. */
  const twenty = (area: (labels: Float64Array) => number) => {
    const areas: number[] = [];
    const report = permuteLabels(TRUE_LABELS, (labels) => areas[areas.push(area(labels)) - 1]!, {
      chance: 0.5,
      permutations: 20,
      slack: BAND,
      seed: 'twenty',
    });
    return { areas: areas.slice(1), report };
  };

  it('the whole procedure scores by chance, over twenty seeds', () => {
    const { areas, report } = twenty((labels) => areaOf(labelled(labels)));
    expect(areas).toHaveLength(20);
    expect(Math.abs(mean(areas) - 0.5)).toBeLessThan(BAND);
    expect(report.leaks).toBe(false);
    // the true labels of a random walk are not foretold either
    expect(report.p).toBeGreaterThan(0.01);
  });

  it('labels with meaning are found, so that chance is no deafness', () => {
    const chance = new Chance('meaning');
    const meaning = usableBars.map((bar) => {
      const x = SAMPLES.rows[bar * WIDTH + 3]! + 0.7 * chance.normal();
      return x > 0.5 ? 2 : x < -0.5 ? 0 : 1;
    });
    expect(areaOf(labelled(meaning))).toBeGreaterThan(0.75);
  });

  it('a label among the features, and a test on what was trained, stand out', () => {
    const chance = new Chance('told');
    const told = twenty((labels) => {
      const rows = SAMPLES.rows.slice();
      usableBars.forEach((bar, k) => {
        rows[bar * WIDTH + 8] = labels[k]! + 3 * chance.normal();
      });
      return areaOf(labelled(labels, { rows }));
    });
    expect(mean(told.areas)).toBeGreaterThan(0.5 + 2 * BAND);
    expect(told.report.leaks).toBe(true);
    expect(areaOf(labelled(TRUE_LABELS), 'train')).toBeGreaterThan(0.5 + 4 * BAND);
  });
});

describe('purge and embargo', () => {
  const example = evenSpans(10, 2);
  const fold = (rows: readonly number[]) => ({
    name: 'example',
    test: [4, 5],
    parts: [{ name: 'model', learns: 'labels', rows }] as const,
  });

  it('the worked example: what remains, and what the audit says of the rest', () => {
    expect([...purgedTraining(example, [4, 5], 0)]).toEqual([0, 1, 8, 9]);
    expect([...purgedTraining(example, [4, 5], 1)]).toEqual([0, 1, 9]);
    const rules = { spans: example, embargo: 1, learnsFromLater: true };
    expect(checkFolds([fold([0, 1, 9])], rules)).toEqual([]);
    const kinds = list(10, (row) => checkFolds([fold([row])], rules).map(({ kind }) => kind));
    expect(kinds.map(([kind]) => kind ?? 'fine')).toEqual([
      'fine',
      'fine',
      'label-reaches-test',
      'label-reaches-test',
      'test-row',
      'test-row',
      'label-reaches-test',
      'label-reaches-test',
      'embargo',
      'fine',
    ]);
    expect(kinds.every((found) => found.length <= 1)).toBe(true);
    const walk = checkFolds([fold([0, 1, 9])], { spans: example, embargo: 1 });
    expect(walk.map(({ kind, first }) => [kind, first])).toEqual([['later-row', 9]]);
    expect(checkFolds([fold([1])], { spans: example, gap: 1 })[0]!.kind).toBe('label-reaches-test');
    expect(checkFolds([fold([0])], { spans: example, gap: 1 })).toEqual([]);
  });

  it('every split of ours passes the audit, and no dropped row would', () => {
    const makers: ((label: number) => {
      splits: readonly Split[];
      learnsFromLater: boolean;
      embargo: number;
    })[] = [
      (label) => ({
        splits: walkForward(60, { train: 20, test: 5, spans: evenSpans(60, label) }),
        learnsFromLater: false,
        embargo: 0,
      }),
      (label) => ({
        splits: purgedKFold(evenSpans(60, label), { embargo: 3 }),
        learnsFromLater: true,
        embargo: 3,
      }),
      (label) => ({
        splits: combinatorialPurged(evenSpans(60, label), { embargo: 2 }).splits,
        learnsFromLater: true,
        embargo: 2,
      }),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...makers), fc.nat(6), fc.nat(), (make, label, pick) => {
        const { splits, learnsFromLater, embargo } = make(label);
        const rules = { spans: evenSpans(60, label), learnsFromLater, embargo };
        const folds = splits.map(({ train, test }, k) => ({
          name: `${k}`,
          test,
          parts: [{ name: 'model', learns: 'labels', rows: train }] as const,
        }));
        expect(checkFolds(folds, rules)).toEqual([]);
        const { train, test } = splits[pick % splits.length]!;
        const span = list(60, (i) => i).filter((i) => learnsFromLater || i >= test[0]! - label);
        const dropped = span.filter((i) => !train.includes(i));
        const one = dropped[pick % dropped.length]!;
        const parts = [{ name: 'model', learns: 'labels', rows: [...train, one] }] as const;
        const faults = checkFolds([{ name: 'spoilt', test, parts }], rules);
        expect(faults.map(({ first, count }) => [first, count])).toEqual([[one, 1]]);
      }),
      { numRuns: 60 },
    );
  });

  it('without them a random walk looks foretold', () => {
    // labels that overlap are alike, and the number of the bar tells who the neighbours are
    const kept = usableBars.filter((bar) => SAMPLES.labels[bar] !== 1);
    const spans = { t0: kept, t1: kept.map((bar) => SAMPLES.spanEnds[bar]!) };
    const up = Float32Array.from(kept, (bar) => Number(SAMPLES.labels[bar] === 2));
    const columnOf = (rows: ArrayLike<number>) => [Float32Array.from(Array.from(rows), (k) => kept[k]!)];
    const area = (splits: readonly Split[]) => {
      const [scores, happened]: [number[], number[]] = [[], []];
      for (const { train, test } of splits) {
        const { model } = trainBoosted(
          { columns: columnOf(train), labels: Float32Array.from(train, (k) => up[k]!) },
          { objective: 'binary:logistic', rounds: 30, maxDepth: 6, minChildWeight: 0 },
        );
        const scorer = new BoostedScorer(model);
        const out = new Float64Array(1);
        for (const k of test) {
          scorer.margins(Float32Array.of(kept[k]!), out);
          scores.push(out[0]!);
          happened.push(up[k]!);
        }
      }
      return areaUnderCurve(scores, happened, null);
    };
    const chance = new Chance('careless');
    const home = kept.map(() => chance.below(5));
    const careless = list(5, (fold) => {
      const rows = kept.map((_, k) => k);
      const of = (isTest: boolean) => Int32Array.from(rows.filter((k) => (home[k] === fold) === isTest));
      return { train: of(false), test: of(true) };
    });
    expect(area(careless)).toBeGreaterThan(0.8);
    expect(area(purgedKFold(spans, { folds: 5 }))).toBeLessThan(0.62);
    const faults = checkFolds(
      careless.map(({ train, test }, k) => ({
        name: `${k}`,
        test,
        parts: [{ name: 'model', learns: 'labels', rows: train }] as const,
      })),
      { spans, learnsFromLater: true },
    );
    expect(faults).toHaveLength(5);
    expect(mean([...averageUniqueness(spans)])).toBeLessThan(0.7);
  });
});

describe('what must not see the test', () => {
  const window = WINDOWS[2]!;
  const test = list(window.test.to - window.test.from, (k) => window.test.from + k);
  const training = trainingBars(window, SAMPLES.usable, SAMPLES.spanEnds, RULES.verticalBars);
  /** The model that judges the test learns from all but the last 100 training bars; these serve the calibration. */
  const early = training.subarray(0, training.length - 130);
  const late = training.subarray(training.length - 100);
  const honest: readonly FittedPart[] = [
    { name: 'scaler', learns: 'features', rows: early },
    { name: 'model', learns: 'labels', rows: early },
    { name: 'calibration', learns: 'predictions', predicted: [{ by: 'model', rows: late }] },
  ];
  const rules = { spans: SPANS, gap: RULES.verticalBars };
  const audit = (parts: readonly FittedPart[], featuresUntil?: readonly number[]) =>
    checkFolds([{ name: '2', test, parts }], { ...rules, ...(featuresUntil && { featuresUntil }) });
  const replaced = (part: FittedPart) => honest.map((other) => (other.name === part.name ? part : other));
  const everything: LearnedPart = { name: 'scaler', learns: 'features', rows: usableBars };
  const unpurged = list(window.test.from - window.train.from, (k) => window.train.from + k);

  it('an honest fold has no faults', () => {
    expect(audit(honest)).toEqual([]);
    expect(() => refuseLeaks([{ name: '2', test, parts: honest }], rules)).not.toThrow();
    expect(audit(honest, SPANS.t0)).toEqual([]);
  });

  it.each<[string, FittedPart, [string, string][]]>([
    [
      'a scaler fitted on everything',
      everything,
      [
        ['scaler', 'test-row'],
        ['scaler', 'later-row'],
      ],
    ],
    [
      'label spans that cross into the test',
      { name: 'model', learns: 'labels', rows: unpurged },
      [
        ['model', 'label-reaches-test'],
        ['calibration', 'in-sample'],
      ],
    ],
    ['a model trained on the test', { name: 'model', learns: 'labels', rows: test }, [['model', 'test-row']]],
    [
      'a calibration fitted in sample',
      { name: 'calibration', learns: 'predictions', predicted: [{ by: 'model', rows: early }] },
      [['calibration', 'in-sample']],
    ],
    [
      'a calibration on rows whose labels touch those the model knows',
      {
        name: 'calibration',
        learns: 'predictions',
        predicted: [{ by: 'model', rows: [training[training.length - 130]!] }],
      },
      [['calibration', 'in-sample']],
    ],
    [
      'a calibration fitted on the test',
      { name: 'calibration', learns: 'predictions', predicted: [{ by: 'model', rows: test }] },
      [['calibration', 'test-row']],
    ],
    [
      'rounds chosen on the test',
      { name: 'model', learns: 'labels', rows: [...early, test[5]!] },
      [['model', 'test-row']],
    ],
  ])('finds %s', (_, part, expected) => {
    const faults = audit(replaced(part));
    const kinds = faults.map((fault) => [fault.part, fault.kind]);
    for (const one of expected) expect(kinds).toContainEqual(one);
    expect(kinds.filter(([name]) => name === expected[0]![0])).toEqual(
      expected.filter(([name]) => name === expected[0]![0]),
    );
    expect(() => refuseLeaks([{ name: '2', test, parts: replaced(part) }], rules)).toThrow(
      describeLeak(faults[0]!),
    );
  });

  it('finds a feature that says itself that it looks ahead', () => {
    const ahead = SPANS.t0.map((t, i) => (i === test[3] ? t + 1 : t));
    expect(audit(honest, ahead)).toEqual([
      { kind: 'feature-ahead', fold: '2', part: 'features', count: 1, first: test[3] },
    ]);
  });

  it('refuses a provenance that makes no sense', () => {
    expect(() => audit([{ name: 'model', learns: 'labels', rows: [BARS.length] }])).toThrow(
      `row ${BARS.length} of`,
    );
    expect(() => audit([honest[2]!])).toThrow('predictions of model, which is no part of it');
    expect(() => checkFolds([{ name: 'none', test: [], parts: [] }], rules)).toThrow('tests no rows');
  });

  it('our own calibration refuses rows that its model knew', () => {
    const fold = (rows: Int32Array) => ({
      learnedFrom: early,
      rows,
      probabilities: Array.from(rows, () => [0.3, 0.4, 0.3]).flat(),
      happened: Array.from(rows, (row) => SAMPLES.labels[row]!),
    });
    const options = { method: 'platt', outputs: 3, minSamples: 10 } as const;
    expect(() => fitOutOfSample([fold(early.slice(0, 50))], options)).toThrow('which it learned from');
    expect(() => fitOutOfSample([fold(late)], options)).not.toThrow();
  });
});

describe('another future', () => {
  const window = WINDOWS[1]!;
  const cut = window.test.from;
  const print = (value: unknown) => sha256(canonicalJson(value));

  /** Everything that must be settled when the test of the window begins; `plant` puts a fault in. */
  const pipeline =
    (plant: 'nothing' | 'scaler' | 'labels' | 'feature') =>
    (bars: BarColumns): Record<string, string> => {
      const samples = coldSamples(dataOf(bars), RULES, POINT);
      if (plant === 'feature') {
        for (let i = 0; i + 1 < bars.length; i++)
          samples.rows[i * WIDTH] = Math.log(bars.close[i + 1]! / bars.close[i]!);
      }
      const all = list(cut - window.train.from, (k) => window.train.from + k).filter(
        (bar) => samples.usable[bar] === 1,
      );
      const rows = trainingBars(window, samples.usable, samples.spanEnds, RULES.verticalBars);
      const { model, scaler } = fitOn(
        samples,
        plant === 'labels' ? Int32Array.from(all) : rows,
        POINT,
        'future',
      );
      const usable = list(bars.length, (i) => i).filter((i) => samples.usable[i] === 1);
      const whole = Float64Array.from(
        usable.flatMap((i) => [...samples.rows.subarray(i * WIDTH, (i + 1) * WIDTH)]),
      );
      const careless = fitScaler(scaler.features, whole, { from: 0, to: usable.length });
      return {
        scaler: plant === 'scaler' ? careless.hash : scaler.hash,
        model: print(writeBoostedModel(model)),
        features: print([...samples.rows.subarray(0, cut * WIDTH)].map(String)),
      };
    };

  it('leaves an honest pipeline as it was', () => {
    expect(findFutureSight(BARS, cut, pipeline('nothing'))).toEqual([]);
  });

  it.each([
    ['scaler', ['scaler']],
    ['labels', ['model']],
    ['feature', ['features']],
  ] as const)('changes one with a planted %s', (plant, parts) => {
    expect(findFutureSight(BARS, cut, pipeline(plant))).toEqual(parts);
  });

  it('a feature that peeks one bar is found by itself as well, and ours do not', () => {
    const peeking = (bars: BarColumns) =>
      new Map([
        ['honest', computeFeatures(bars, ['logret:1']).get('logret_1')!],
        ['peeks', Float64Array.from({ length: bars.length }, (_, i) => bars.close[i + 1] ?? Number.NaN)],
      ]);
    expect(findLookAhead(BARS, peeking).faults.map(({ column }) => column)).toEqual(['peeks']);
    const ours = (bars: BarColumns) => {
      const { rows } = coldSamples(dataOf(bars), RULES, POINT);
      return new Map(
        list(
          WIDTH,
          (k) =>
            [`${k}`, Float64Array.from({ length: bars.length }, (_, i) => rows[i * WIDTH + k]!)] as const,
        ),
      );
    };
    expect(findLookAhead(BARS, ours, { cuts: 50, cutsMax: 50 }).faults).toEqual([]);
  });

  it('needs bars on both sides', () => {
    expect(() => findFutureSight(BARS, 0, pipeline('nothing'))).toThrow('a future from bar 0');
    expect(() => findFutureSight(BARS, BARS.length, pipeline('nothing'))).toThrow(
      `a future from bar ${BARS.length} of`,
    );
  });
});
