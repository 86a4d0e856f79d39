import { describe, expect, it } from 'vitest';
import { Chance } from '#base';
import { HmmFilter, parseHmm } from '#signals';
import { chooseStates } from './choose-states.ts';
import { fitHmm, freeParametersOf } from './fit-hmm.ts';
import type { HmmRows } from './hmm-rows.ts';
import { readHmm, viterbiPath } from './read-hmm.ts';

const MEANS = [-0.004, 0, 0.003];
const SPREADS = [0.03, 0.006, 0.014];

/** Returns that stay 50 rows on average in each of three states. */
function market(count: number, seed: string): { rows: HmmRows; truth: number[] } {
  const chance = new Chance(seed);
  let state = 1;
  const truth: number[] = [];
  const values = Float64Array.from({ length: count }, () => {
    if (chance.happens(0.03)) state = chance.below(3);
    truth.push(state);
    return MEANS[state]! + SPREADS[state]! * chance.normal();
  });
  return { rows: { values, features: ['logret:1'] }, truth };
}

const slice = ({ values, features }: HmmRows, from: number, to: number): HmmRows => ({
  values: values.slice(from, to),
  features,
});

describe('fitHmm', () => {
  const { rows, truth } = market(6_000, 'known');
  const fit = fitHmm(rows, { states: 3, seed: 'a' });

  it('finds the states that made the rows', () => {
    expect(fit.converged).toBe(true);
    expect(fit.parameters.names).toEqual(['bear', 'sideways', 'bull']);
    expect(parseHmm(JSON.parse(JSON.stringify(fit.parameters)))).toEqual(fit.parameters);
    fit.parameters.means.forEach(([mean], s) => {
      expect(Math.abs(mean! - MEANS[s]!)).toBeLessThan(0.0015);
    });
    fit.parameters.covariances.forEach(([variance], s) => {
      expect(Math.sqrt(variance!) / SPREADS[s]!).toBeCloseTo(1, 1);
    });
    const { states } = viterbiPath(fit.parameters, rows);
    const right = truth.filter((s, t) => states[t] === s).length / truth.length;
    expect(right).toBeGreaterThan(0.85);
    const { filtered, smoothed } = readHmm(fit.parameters, rows);
    const surety = (p: Float64Array) => truth.reduce((sum, s, t) => sum + p[3 * t + s]!, 0);
    expect(surety(smoothed)).toBeGreaterThan(surety(filtered));
  });

  it('repeats itself for a seed, and does not hang on it', () => {
    expect(fitHmm(rows, { states: 3, seed: 'a' })).toEqual(fit);
    const other = fitHmm(rows, { states: 3, seed: 'b' });
    expect(other.logLikelihood).toBeCloseTo(fit.logLikelihood, 1);
    expect(fit.tries.map((t) => t.from)).toEqual(['rows', 'spreads', 'rows', 'spreads', 'rows', 'spreads']);
  });

  it('does not hang on units', () => {
    const scaled = { ...rows, values: rows.values.map((x) => 500 + 1e4 * x) };
    const found = fitHmm(scaled, { states: 3, seed: 'a' });
    expect(found.logLikelihood).toBeCloseTo(fit.logLikelihood - 6_000 * Math.log(1e4), 2);
    found.parameters.means.forEach(([mean], s) => {
      expect((mean! - 500) / 1e4).toBeCloseTo(fit.parameters.means[s]![0]!, 5);
    });
  });

  it('BIC prefers the number of states that there are', () => {
    const { best, fits } = chooseStates(rows, [4, 1, 2, 3], { seed: 'bic', restarts: 4 });
    expect(fits.map((f) => f.parameters.names.length)).toEqual([1, 2, 3, 4]);
    expect(best.parameters.names).toHaveLength(3);
    const [one] = fits;
    // one state is a normal: the likelihood has a closed form
    const mean = rows.values.reduce((a, b) => a + b, 0) / 6_000;
    const variance = rows.values.reduce((a, b) => a + (b - mean) ** 2, 0) / 6_000;
    const closed = -3_000 * (Math.log(2 * Math.PI * variance) + 1);
    expect(one!.logLikelihood).toBeCloseTo(closed, 6);
    expect(one!.bic).toBeCloseTo(2 * Math.log(6_000) - 2 * closed, 6);
    expect([
      freeParametersOf(3, 1, 'full'),
      freeParametersOf(3, 2, 'full'),
      freeParametersOf(2, 3, 'diagonal'),
    ]).toEqual([14, 23, 15]);
  });

  it('names stay with their states over rolling refits, warm or cold', () => {
    const long = market(6_000, 'rolling').rows;
    let previous = fitHmm(slice(long, 0, 2_000), { states: 3, restarts: 2, seed: 'w0' }).parameters;
    for (let begin = 400; begin + 2_000 <= 6_000; begin += 800) {
      const window = slice(long, begin, begin + 2_000);
      const next = fitHmm(window, { states: 3, restarts: 2, start: previous, seed: `w${begin}` }).parameters;
      expect(next.names).toEqual(['bear', 'sideways', 'bull']);
      const spreads = next.covariances.map(([v]) => Math.sqrt(v!));
      expect(spreads.map((s) => [...spreads].sort((a, b) => a - b).indexOf(s))).toEqual([2, 0, 1]);
      previous = next;
    }
  });

  it('online and batch agree on a fitted model', () => {
    const { filtered, logLikelihood } = readHmm(fit.parameters, rows);
    const filter = new HmmFilter(fit.parameters);
    let off = 0;
    for (let t = 0; t < 6_000; t++) {
      const posterior = filter.advance(rows.values, t);
      for (let s = 0; s < 3; s++) off = Math.max(off, Math.abs(posterior[s]! - filtered[3 * t + s]!));
    }
    expect(off).toBeLessThan(1e-10);
    expect(filter.logLikelihood).toBeCloseTo(logLikelihood, 6);
    expect(logLikelihood).toBeCloseTo(fit.logLikelihood, 6);
  });

  it('filtered probabilities do not change when the future is cut off; smoothed ones do', () => {
    const whole = readHmm(fit.parameters, rows);
    const cut = readHmm(fit.parameters, slice(rows, 0, 500));
    expect(cut.filtered).toEqual(whole.filtered.slice(0, 1_500));
    expect(cut.smoothed).not.toEqual(whole.smoothed.slice(0, 1_500));
  });

  it('the floor keeps a state from shrinking onto a row', () => {
    const values = Float64Array.from({ length: 60 }, (_, t) => (t === 30 ? 5 : t % 3));
    const some = { values, features: ['x'] };
    const least = fitHmm(some, { states: 4, covarianceFloor: 1e-3, seed: 'floor' });
    expect(least.raised).toBeGreaterThan(0);
    const mean = values.reduce((a, b) => a + b, 0) / 60;
    const pooled = values.reduce((a, b) => a + (b - mean) ** 2, 0) / 60;
    const smallest = Math.min(...least.parameters.covariances.map(([v]) => v!));
    expect(smallest).toBeCloseTo(1e-3 * pooled, 12);
    expect(Number.isFinite(least.logLikelihood)).toBe(true);
    const lower = fitHmm(some, { states: 4, covarianceFloor: 1e-5, seed: 'floor' });
    expect(lower.logLikelihood).toBeGreaterThan(least.logLikelihood);
  });

  it('refuses what cannot be fitted', () => {
    const refuse = (change: Partial<HmmRows>, options = {}) =>
      expect(() => fitHmm({ ...slice(rows, 0, 50), ...change }, { states: 2, seed: '', ...options }));
    refuse({ values: Float64Array.of(1, 2, Number.NaN) }).toThrow('row 2 of logret:1 is NaN');
    refuse({ values: Float64Array.of(1, 2, 3), features: ['a', 'b'] }).toThrow('3 numbers in rows of 2');
    refuse({ values: new Float64Array(9).fill(0.1) }).toThrow('logret:1 does not move');
    refuse({ starts: [30, 20] }).toThrow('cannot start at row 20');
    refuse({ starts: [50] }).toThrow('cannot start at row 50');
    refuse({}, { states: 0 }).toThrow('states is 0');
    refuse({}, { restarts: 0 }).toThrow('restarts is 0');
    refuse({}, { tolerance: -1 }).toThrow('tolerance is -1');
    refuse({}, { covarianceFloor: 0 }).toThrow('covarianceFloor is 0');
    refuse({ values: Float64Array.of(1, 2) }, { states: 3 }).toThrow('2 rows for 3 states');
    refuse({}, { start: fit.parameters }).toThrow('has 3 states and full covariances');
    refuse({ features: ['roc:1'] }, { states: 3, start: fit.parameters }).toThrow('the model reads logret:1');
    expect(() => chooseStates(rows, [], { seed: '' })).toThrow('no number of states');
  });
});
