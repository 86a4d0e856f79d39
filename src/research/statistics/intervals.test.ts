import { describe, expect, it } from 'vitest';
import { Chance, InputError } from '#base';
import { drawdownOf } from './drawdown.ts';
import { differenceInterval, type Interval, intervalOf, MEAN, sharpeStatistic } from './intervals.ts';

const SHARPE = sharpeStatistic();
/** The standard error of a coverage is 2.4 %. */
const SIMULATIONS = 150;

/** AR(1) with deviation 1 around a mean. */
function autoregressive(chance: Chance, n: number, phi: number, mean: number): Float64Array {
  const scale = Math.sqrt(1 - phi * phi);
  let value = chance.normal();
  return Float64Array.from({ length: n }, () => {
    const out = value + mean;
    value = phi * value + scale * chance.normal();
    return out;
  });
}

function coverage(truth: number, of: (chance: Chance, seed: string) => Interval | null): number {
  let held = 0;
  for (let k = 0; k < SIMULATIONS; k++) {
    const interval = of(new Chance(`coverage/${k}`), `draw/${k}`)!;
    if (interval.low <= truth && truth <= interval.high) held += 1;
  }
  return held / SIMULATIONS;
}

describe('coverage of nominal 90 % intervals on AR(1) series of 300', () => {
  const common = { paths: 149, confidence: 0.9 };

  it('of the mean: blocks hold it, single observations do not', () => {
    const interval = (meanBlock: number | 'auto') =>
      coverage(0.1, (chance, seed) =>
        intervalOf(autoregressive(chance, 300, 0.5, 0.1), MEAN, { ...common, seed, meanBlock }),
      );
    const held = interval('auto');
    expect(held).toBeGreaterThan(0.84);
    expect(held).toBeLessThan(0.96);
    // the deviation of the mean is sqrt(3) times what single observations show
    expect(interval(1)).toBeLessThan(0.75);
  });

  it('of the Sharpe ratio', () => {
    const held = coverage(0.2, (chance, seed) =>
      intervalOf(autoregressive(chance, 300, 0.3, 0.2), SHARPE, { ...common, seed }),
    );
    expect(held).toBeGreaterThan(0.84);
    expect(held).toBeLessThan(0.96);
  });

  it('of a difference of Sharpe ratios on the same events', () => {
    const held = coverage(0.1, (chance, seed) => {
      const a = autoregressive(chance, 300, 0.3, 0.2);
      // half of b is a: deviation 1, mean 0.1
      const own = autoregressive(chance, 300, 0.3, 0);
      const b = a.map((value, i) => 0.1 + (value - 0.2) * 0.8 + own[i]! * 0.6);
      return differenceInterval(a, b, SHARPE, { ...common, seed });
    });
    expect(held).toBeGreaterThan(0.84);
    expect(held).toBeLessThan(0.96);
  });
});

describe('intervals', () => {
  const series = autoregressive(new Chance('series'), 300, 0.2, 0.1);

  it('hold the estimate, are wider for more confidence, and scale per year', () => {
    const narrow = intervalOf(series, SHARPE, { seed: 's', confidence: 0.5 })!;
    const wide = intervalOf(series, SHARPE, { seed: 's', confidence: 0.95 })!;
    expect(narrow.low).toBeGreaterThan(wide.low);
    expect(narrow.high).toBeLessThan(wide.high);
    expect(narrow.low).toBeLessThan(narrow.estimate);
    expect(narrow.high).toBeGreaterThan(narrow.estimate);
    const yearly = intervalOf(series, sharpeStatistic(365), { seed: 's', confidence: 0.95 })!;
    expect(yearly.low).toBeCloseTo(wide.low * Math.sqrt(365), 8);
    expect(yearly.meanBlock).toBeCloseTo(wide.meanBlock, 8);
  });

  it('pairing takes away what two series share', () => {
    const chance = new Chance('pair');
    const better = series.map((value) => value + 0.05 + 0.1 * chance.normal());
    const paired = differenceInterval(better, series, MEAN, { seed: 's' })!;
    const alone = intervalOf(series, MEAN, { seed: 's' })!;
    expect(paired.estimate).toBeCloseTo(0.05, 1);
    expect(paired.low).toBeGreaterThan(0);
    expect(paired.high - paired.low).toBeLessThan((alone.high - alone.low) / 4);
  });

  it('equal series differ by 0 without width', () => {
    for (const statistic of [MEAN, SHARPE])
      expect(differenceInterval(series, series, statistic, { seed: 's' })).toMatchObject({
        estimate: 0,
        low: 0,
        high: 0,
      });
  });

  it('take any statistic, by percentiles', () => {
    const fall = {
      of: (values: ArrayLike<number>) => drawdownOf(Array.from(values, (v, i) => 100 + i + v)).max,
    };
    const found = intervalOf(series, fall, { seed: 's', paths: 300 })!;
    expect(found.method).toBe('percentile');
    expect(found.low).toBeLessThanOrEqual(found.high);
  });

  it('differences in a few periods only fall back to percentiles', () => {
    const other = Float64Array.from(series, (value, i) => (i === 7 || i === 200 ? value + 1 : value));
    const found = differenceInterval(other, series, MEAN, { seed: 's' })!;
    expect(found).toMatchObject({ method: 'percentile', low: 0 });
    expect(found.high).toBeGreaterThan(found.estimate);
  });

  it('are null where there is no figure, and refuse what is no pair', () => {
    expect(intervalOf([1], MEAN, { seed: 's' })).toBeNull();
    expect(intervalOf([1, 1, 1, 1], SHARPE, { seed: 's' })).toBeNull();
    // most resamples of one moving period out of three do not move
    expect(intervalOf([0, 0, 1], SHARPE, { seed: 's' })).toBeNull();
    expect(() => differenceInterval([1, 2], [1], MEAN, { seed: 's' })).toThrow(InputError);
    expect(() => intervalOf([1, 2], MEAN, { seed: 's', confidence: 1 })).toThrow(InputError);
  });

  it('are the same for the same seed', () => {
    expect(intervalOf(series, SHARPE, { seed: 'a' })).toEqual(intervalOf(series, SHARPE, { seed: 'a' }));
    expect(intervalOf(series, SHARPE, { seed: 'a' })).not.toEqual(intervalOf(series, SHARPE, { seed: 'b' }));
  });
});
