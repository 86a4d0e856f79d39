import { describe, expect, it } from 'vitest';
import { crossNoise, groupedNoise, independentNoise, planted, promotionStudy } from './noise-study.ts';

const shape = { trials: 30, periods: 400 };
const few = { sweeps: 70, seed: 'noise' };

describe('promotion by luck', () => {
  it.each([
    ['independent trials', independentNoise(shape)],
    ['trials crowded in groups', groupedNoise(shape, 6, 0.9)],
    ['moving averages on a random walk', crossNoise(shape)],
  ])('lets at most 5 % of the sweeps over noise through: %s', (_, maker) => {
    const found = promotionStudy(maker, few, { blocks: 10 });
    expect(found.sweeps).toBe(70);
    expect(found.promoted.rate).toBeLessThanOrEqual(0.05);
  });

  it.each([
    // the edge's t value over 400 periods is 5 and 6; the best of 30 without skill shows about 2
    ['0.25 a period among independent trials', independentNoise(shape), 0.25, 0.65],
    ['0.25 a period among moving averages', crossNoise(shape), 0.25, 0.9],
    ['0.3 a period among independent trials', independentNoise(shape), 0.3, 0.9],
  ])('lets a planted edge through: %s', (_, maker, edge, power) => {
    const found = promotionStudy(planted(maker, edge), { ...few, sweeps: 40 }, { blocks: 10 });
    expect(found.first.rate).toBeGreaterThanOrEqual(power);
    expect(found.promoted.rate).toBe(found.first.rate);
  });

  it('can be cut in parts', () => {
    const maker = planted(independentNoise({ trials: 8, periods: 100 }), 0.4);
    const study = (from: number, sweeps: number) =>
      promotionStudy(maker, { seed: 'parts', sweeps, from }, { blocks: 4 }).promoted.rate * sweeps;
    expect(study(0, 7) + study(7, 5)).toBeCloseTo(study(0, 12), 9);
  });
});
