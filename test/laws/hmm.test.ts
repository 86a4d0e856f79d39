import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance } from '#base';
import type { RegimePart } from '#engine';
import { fitHmm, type HmmRows, readHmm, viterbiPath } from '#research';
import { HmmFilter, type HmmParameters, hmmRegime } from '#signals';
import { barsOf, crossingDesk, lawPortfolio, live, marketOf } from './engine-kit.ts';
import { baumWelchStep, enumerated, inLogs, type OracleReading, type Rows, scaled } from './hmm-oracle.ts';

const list = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));

/** A valid model; with `zeros`, about a third of the moves and first states are impossible. */
function randomModel(chance: Chance, k: number, d: number, full: boolean, zeros: boolean): HmmParameters {
  const probabilities = (certain: number) => {
    const weights = list(k, (j) =>
      zeros && j !== certain && chance.happens(0.35) ? 0 : 0.05 + chance.uniform(),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((w) => w / sum);
  };
  const spread = () => {
    if (!full) return list(d, () => 0.2 + 2 * chance.uniform());
    const root = list(d * d, () => chance.normal());
    return list(d * d, (m) => {
      const [i, j] = [Math.floor(m / d), m % d];
      let sum = i === j ? 0.3 : 0;
      for (let c = 0; c < d; c++) sum += root[i * d + c]! * root[j * d + c]!;
      return sum;
    });
  };
  return {
    kind: 'gaussian-hmm',
    features: list(d, (i) => `x${i}`),
    names: list(k, (s) => `s${s}`),
    initial: probabilities(0),
    transition: list(k, probabilities),
    means: list(k, () => list(d, () => 2 * chance.normal())),
    covariance: full ? 'full' : 'diagonal',
    covariances: list(k, spread),
  };
}

/** Rows that a model makes (its covariances taken as diagonal: any rows will do). */
function sampled(chance: Chance, model: HmmParameters, count: number): { rows: Rows; states: number[] } {
  const d = model.features.length;
  const draw = (weights: readonly number[]) => {
    let rest = chance.uniform();
    const found = weights.findIndex((w) => {
      rest -= w;
      return rest < 0;
    });
    return found < 0 ? weights.findLastIndex((w) => w > 0) : found;
  };
  let state = draw(model.initial);
  const states: number[] = [];
  const rows = list(count, (t) => {
    if (t > 0) state = draw(model.transition[state]!);
    states.push(state);
    return list(d, (i) => {
      const variance = model.covariances[state]![model.covariance === 'full' ? i * d + i : i]!;
      return model.means[state]![i]! + Math.sqrt(variance) * chance.normal();
    });
  });
  return { rows, states };
}

const flat = (model: HmmParameters, rows: Rows, starts: number[] = []): HmmRows => ({
  values: Float64Array.from(rows.flat()),
  features: model.features,
  starts,
});

function worst(a: ArrayLike<number>, b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return b.reduce((most, v, i) => Math.max(most, Math.abs(a[i]! - v)), 0);
}

function agree(model: HmmParameters, rows: Rows, oracle: OracleReading, slack: number) {
  const reading = readHmm(model, flat(model, rows));
  expect(Math.abs(reading.logLikelihood - oracle.logLikelihood)).toBeLessThan(
    slack * Math.max(1, Math.abs(oracle.logLikelihood)),
  );
  expect(worst(reading.filtered, oracle.filtered.flat())).toBeLessThan(slack);
  expect(worst(reading.smoothed, oracle.smoothed.flat())).toBeLessThan(slack);
  const filter = new HmmFilter(model);
  const one = rows.flatMap((x) => [...filter.advance(x)]);
  expect(worst(one, oracle.filtered.flat())).toBeLessThan(slack);
  expect(Math.abs(filter.logLikelihood - oracle.logLikelihood)).toBeLessThan(
    slack * Math.max(1, Math.abs(oracle.logLikelihood)),
  );
}

const shape = fc.record({
  seed: fc.integer(),
  k: fc.integer({ min: 1, max: 4 }),
  d: fc.integer({ min: 1, max: 3 }),
  full: fc.boolean(),
  zeros: fc.boolean(),
});

describe('the hidden Markov model beside a second one', () => {
  it('tiny chains: likelihood, filtered, smoothed and best path as when every path is counted', () => {
    fc.assert(
      fc.property(shape, fc.integer({ min: 2, max: 5 }), ({ seed, k, d, full, zeros }, count) => {
        const chance = new Chance(seed);
        const model = randomModel(chance, k, d, full, zeros);
        const { rows } = sampled(chance, model, count);
        const oracle = enumerated(model, rows);
        agree(model, rows, oracle, 1e-10);
        const { states, logProbability } = viterbiPath(model, flat(model, rows));
        expect([...states]).toEqual(oracle.path);
        expect(logProbability).toBeCloseTo(oracle.best, 9);
      }),
      { numRuns: 150 },
    );
  });

  it('longer chains: as by the scaled recursions of the textbook', () => {
    fc.assert(
      fc.property(shape, ({ seed, k, d, full, zeros }) => {
        const chance = new Chance(seed);
        const model = randomModel(chance, k, d, full, zeros);
        const { rows } = sampled(chance, model, 400);
        agree(model, rows, scaled(model, rows), 1e-9);
      }),
      { numRuns: 30 },
    );
  });

  it('one step of Baum and Welch is that of the formulas', () => {
    fc.assert(
      fc.property(shape, ({ seed, k, d, full, zeros }) => {
        const chance = new Chance(seed);
        const model = randomModel(chance, k, d, full, zeros);
        const { rows } = sampled(chance, model, 300);
        const other = randomModel(chance, k, d, full, false);
        const next = baumWelchStep(other, rows);
        const options = {
          states: k,
          covariance: other.covariance,
          restarts: 0,
          seed: '',
          tolerance: 0,
        } as const;
        const fit = fitHmm(flat(model, rows), {
          ...options,
          start: other,
          iterationsMax: 1,
          covarianceFloor: 1e-12,
        });
        if (fit.iterations === 0 || fit.raised > 0) return;
        // states may come in another order, for they are named by their means
        const order = next.means.map((_, s) => s).sort((a, b) => next.means[a]![0]! - next.means[b]![0]!);
        const found = fit.parameters.means.map((_, s) => s);
        found.sort((a, b) => fit.parameters.means[a]![0]! - fit.parameters.means[b]![0]!);
        order.forEach((s, i) => {
          const f = found[i]!;
          expect(worst(fit.parameters.means[f]!, next.means[s]! as number[])).toBeLessThan(1e-8);
          expect(worst(fit.parameters.covariances[f]!, next.covariances[s]! as number[])).toBeLessThan(1e-8);
          const moves = found.map((g) => fit.parameters.transition[f]![g]!);
          expect(
            worst(
              moves,
              order.map((r) => next.transition[s]![r]!),
            ),
          ).toBeLessThan(1e-8);
          expect(Math.abs(fit.parameters.initial[f]! - next.initial[s]!)).toBeLessThan(1e-8);
        });
        expect(fit.logLikelihood).toBeCloseTo(scaled(next, rows).logLikelihood, 6);
      }),
      { numRuns: 30 },
    );
  });

  it('sequences of their own: likelihoods add up, and nothing is known across a gap', () => {
    const chance = new Chance('gaps');
    for (const k of [2, 3, 4]) {
      const model = randomModel(chance, k, 2, true, k === 4);
      const parts = [40, 1, 60].map((count) => sampled(chance, model, count).rows);
      const together = readHmm(model, flat(model, parts.flat(), [0, 40, 41]));
      const alone = parts.map((rows) => scaled(model, rows));
      expect(together.logLikelihood).toBeCloseTo(
        alone.reduce((sum, part) => sum + part.logLikelihood, 0),
        8,
      );
      expect(
        worst(
          together.smoothed,
          alone.flatMap((part) => part.smoothed.flat()),
        ),
      ).toBeLessThan(1e-10);
      expect(
        worst(
          together.filtered,
          alone.flatMap((part) => part.filtered.flat()),
        ),
      ).toBeLessThan(1e-10);
      const path = viterbiPath(model, flat(model, parts.flat(), [40, 41]));
      expect([...path.states.slice(0, 40)]).toEqual([...viterbiPath(model, flat(model, parts[0]!)).states]);
      expect([...path.states.slice(41)]).toEqual([...viterbiPath(model, flat(model, parts[2]!)).states]);
    }
  });
});

describe('underflow', () => {
  const COUNT = 100_000;

  /** Rows with crashes of up to 200 deviations among them. */
  function wild(k: number) {
    const chance = new Chance(`wild ${k}`);
    const model: HmmParameters = {
      kind: 'gaussian-hmm',
      features: ['x0'],
      names: list(k, (s) => `s${s}`),
      initial: list(k, (s) => (s === 0 ? 1 : 0)),
      transition: list(k, (i) => list(k, (j) => (i === j ? 0.98 : 0.02 / (k - 1)))),
      means: list(k, (s) => [0.001 * s]),
      covariance: 'diagonal',
      covariances: list(k, (s) => [(0.005 * (1 + s)) ** 2]),
    };
    const { rows } = sampled(chance, model, COUNT);
    return { model, rows: rows.map(([x], t) => [t % 9_973 === 500 ? 1 - 2 * ((t / 9_973) & 1) : x!]) };
  }

  it.each([2, 3, 4])(
    '100,000 observations of %i states, crashes among them: as in logarithms throughout',
    (k) => {
      const { model, rows } = wild(k);
      const oracle = inLogs(model, rows);
      // densities of such rows are 0 in floating point, and so is any product over the whole
      expect([0, Infinity]).toContain(Math.exp(oracle.logLikelihood));
      expect(Number.isFinite(scaled(model, rows).logLikelihood)).toBe(false);
      agree(model, rows, oracle, 1e-8);
      const path = viterbiPath(model, flat(model, rows));
      expect(path.logProbability).toBeLessThan(oracle.logLikelihood);
      expect(path.logProbability).toBeGreaterThan(oracle.logLikelihood - COUNT);
    },
  );

  it('moves that never happen: a state that can only be left is not forgotten', () => {
    // s0 cannot be entered again, so what is lost below 1e-308 would be lost for good
    const model: HmmParameters = {
      kind: 'gaussian-hmm',
      features: ['x0'],
      names: ['s0', 's1'],
      initial: [0.5, 0.5],
      transition: [
        [0.999, 0.001],
        [0, 1],
      ],
      means: [[0], [50]],
      covariance: 'diagonal',
      covariances: [[1], [1]],
    };
    const rows = [...list(2, () => [50]), ...list(20, () => [0]), ...list(20, () => [50])];
    const oracle = inLogs(model, rows);
    expect(oracle.filtered[1]![0]).toBe(0);
    expect(oracle.filtered[21]![0]).toBe(1);
    agree(model, rows, oracle, 1e-12);
    expect([...viterbiPath(model, flat(model, rows)).states]).toEqual(rows.map((_, t) => Number(t > 21)));
  });

  it('a fit at 100,000 observations ends with finite numbers', () => {
    const { rows, model } = wild(3);
    const fit = fitHmm(flat(model, rows), { states: 3, restarts: 2, iterationsMax: 15, seed: 'long' });
    expect(Number.isFinite(fit.logLikelihood)).toBe(true);
    expect(fit.logLikelihood).toBeGreaterThan(fit.history[0]!);
    expect(fit.logLikelihood).toBeCloseTo(readHmm(fit.parameters, flat(model, rows)).logLikelihood, 3);
  });

  it('rows that no state can have made are refused by a reading and passed over by a filter', () => {
    const model = randomModel(new Chance('none'), 2, 1, false, false);
    expect(() => readHmm(model, flat(model, [[0], [1e200], [0]]))).toThrow('cannot have made these rows');
    expect(() => viterbiPath(model, flat(model, [[0], [1e200], [0]]))).toThrow('cannot have made these rows');
    const filter = new HmmFilter(model);
    const before = [...filter.advance([0])];
    const next = filter.advance([1e200]);
    model.names.forEach((_, j) => {
      const predicted = before.reduce((sum, p, i) => sum + p * model.transition[i]![j]!, 0);
      expect(next[j]).toBeCloseTo(predicted, 12);
    });
  });
});

describe('expectation maximisation', () => {
  /** Rows of every ugly kind: fat tails, ties, few, one far away. */
  const ugly = fc.record({
    seed: fc.integer(),
    count: fc.integer({ min: 8, max: 120 }),
    d: fc.integer({ min: 1, max: 3 }),
    k: fc.integer({ min: 1, max: 4 }),
    full: fc.boolean(),
    kind: fc.constantFrom('normal', 'cubed', 'ties', 'outlier', 'tiny'),
    cuts: fc.boolean(),
  });

  it('never lowers the likelihood, whatever the rows', () => {
    fc.assert(
      fc.property(ugly, ({ seed, count, d, k, full, kind, cuts }) => {
        const chance = new Chance(seed);
        const draw = () => {
          const z = chance.normal();
          if (kind === 'cubed') return z ** 3;
          if (kind === 'ties') return Math.round(z);
          return kind === 'tiny' ? 1e-7 * z + 3 : z;
        };
        const values = Float64Array.from({ length: count * d }, draw);
        if (kind === 'outlier') values[d * Math.floor(count / 2)] = 1e4;
        const features = list(d, (i) => `x${i}`);
        fc.pre(features.every((_, i) => new Set(values.filter((_v, m) => m % d === i)).size > 1));
        const fit = fitHmm(
          { values, features, starts: cuts ? [Math.floor(count / 3)] : [] },
          {
            states: k,
            covariance: full ? 'full' : 'diagonal',
            restarts: 2,
            iterationsMax: 60,
            seed: `${seed}`,
          },
        );
        fit.history.forEach((value, i) => {
          expect(Number.isFinite(value)).toBe(true);
          if (i > 0) expect(value - fit.history[i - 1]!).toBeGreaterThan(-1e-9 * (1 + Math.abs(value)));
        });
        expect(fit.history.at(-1)).toBe(fit.logLikelihood);
        expect(Math.max(...fit.tries.map((t) => t.logLikelihood))).toBe(fit.logLikelihood);
        const read = readHmm(fit.parameters, {
          values,
          features,
          starts: cuts ? [Math.floor(count / 3)] : [],
        });
        expect(Math.abs(read.logLikelihood - fit.logLikelihood)).toBeLessThan(
          1e-6 * (1 + Math.abs(fit.logLikelihood)),
        );
      }),
      { numRuns: 80 },
    );
  });
});

describe('the regime of a desk', () => {
  it('is the likeliest state of the filter at each bar, with a snapshot in between as well', () => {
    const chance = new Chance('regime');
    const bars = barsOf(list(160, (t) => (t % 80 < 40 ? 1 + chance.normal() : -3 + 8 * chance.normal())));
    const model: HmmParameters = {
      kind: 'gaussian-hmm',
      features: ['logret:1'],
      names: ['bear', 'bull'],
      initial: [0.5, 0.5],
      transition: [
        [0.95, 0.05],
        [0.05, 0.95],
      ],
      means: [[-0.003], [0.001]],
      covariance: 'full',
      covariances: [[0.008 ** 2], [0.001 ** 2]],
    };
    const part: RegimePart = hmmRegime(model);
    const life = live(lawPortfolio(crossingDesk({ regime: part })), marketOf(bars), { snapshotAfter: 150 });
    const filter = new HmmFilter(model);
    const changes = new Map<string, number>();
    let now = '';
    bars.slice(1).forEach((bar, i) => {
      filter.advance([Math.log(bar.close / bars[i]!.close)]);
      const name = model.names[filter.likeliest()]!;
      if (name !== now) changes.set(name, (changes.get(name) ?? 0) + 1);
      now = name;
    });
    expect([...changes.keys()].sort()).toEqual(['bear', 'bull']);
    expect([...life.engine.counts.regimes].sort()).toEqual([...changes].sort());
    expect(life.engine.desks[0]!.instruments[0]!.regimeName).toBe(now);
    expect(life.snapshot!.text).toContain('"logPosterior"');
  });
});
