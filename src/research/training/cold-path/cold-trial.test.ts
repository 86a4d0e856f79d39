import { describe, expect, it } from 'vitest';
import { scoreTrial, TRADES_PER_WINDOW } from './cold-trial.ts';

const window = (sharpe: number | null, trades: number) => ({
  sharpe,
  nets: new Array<number>(trades).fill(1),
});

describe('what a trial is worth', () => {
  it('is the mean of its windows less half their deviation', () => {
    // mean 2, deviation (ddof 1) 1
    expect(scoreTrial([window(1, 5), window(2, 9), window(3, 5)])).toEqual({ value: 1.5, violation: 0 });
    expect(scoreTrial([window(4, 5)])).toEqual({ value: 4, violation: 0 });
  });

  it('counts a window in which nothing moved as 0', () => {
    const { value } = scoreTrial([window(null, 5), window(2, 5)]);
    expect(value).toBeCloseTo(1 - Math.SQRT2 / 2, 12);
  });

  it('lacks what its windows lack of five trades each', () => {
    expect(TRADES_PER_WINDOW).toBe(5);
    expect(scoreTrial([window(1, 5), window(1, 5)]).violation).toBe(0);
    expect(scoreTrial([window(1, 4), window(1, 40)]).violation).toBe(1);
    expect(scoreTrial([window(1, 0), window(1, 2)]).violation).toBe(8);
  });

  it('is nothing where the engine could not tell, or no window was played', () => {
    expect(scoreTrial([window(1, 5), null]).value).toBeNull();
    expect(scoreTrial([]).value).toBeNull();
    expect(scoreTrial([null]).violation).toBeGreaterThan(1e9);
  });
});
