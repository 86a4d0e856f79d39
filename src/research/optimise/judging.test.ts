import { describe, expect, it } from 'vitest';
import { objectiveOf } from './objective.ts';
import { isWorseThanMedian, medianAt, prunesByMedian, type StepReport } from './pruner.ts';
import { Space } from './space.ts';
import { parameterStability } from './stability.ts';
import { Study } from './study.ts';
import { trialsAround } from './trials-around.ts';

describe('objectives', () => {
  const run = { cash: 100, daily: [110, 99, 118.8], maxDrawdown: 0.12, nets: [30, -10] };

  it('are what the words say', () => {
    const of = (name: string) => objectiveOf(name).of(run);
    expect(of('return')).toBeCloseTo(0.188, 12);
    expect(of('maxDrawdown')).toBe(0.12);
    expect(of('profitFactor')).toBe(3);
    // returns 0.1, -0.1, 0.2: mean 1/15, deviation sqrt(7/300)
    expect(of('sharpe')).toBeCloseTo((1 / 15 / Math.sqrt(7 / 300)) * Math.sqrt(365), 9);
    expect(of('sortino')).toBeCloseTo((1 / 15 / Math.sqrt(0.01 / 3)) * Math.sqrt(365), 9);
    expect(of('calmar')).toBeCloseTo((1.188 ** (365 / 3) - 1) / 0.12, 0);
  });

  it('are null where there is nothing to divide by, and known by name only', () => {
    const still = { cash: 100, daily: [100, 100, 100], maxDrawdown: 0, nets: [] };
    for (const name of ['sharpe', 'sortino', 'calmar', 'profitFactor'])
      expect(objectiveOf(name).of(still)).toBeNull();
    expect(objectiveOf('sharpe').of({ ...run, daily: [101, 102] })).toBeNull();
    expect(() => objectiveOf('sharp')).toThrow(/no objective "sharp"/);
  });
});

describe('what stops a trial elsewhere', () => {
  it('is what stops it here', () => {
    const spec = { kind: 'median', startup: 2, warmup: 1 } as const;
    const complete: StepReport[][] = [
      [
        [0, 5],
        [1, 4],
        [2, 3],
      ],
      [
        [0, 9],
        [1, 8],
        [2, 7],
      ],
      [
        [0, 1],
        [1, 2],
        [2, 9],
      ],
    ];
    for (const own of [
      [[0, 9]],
      [
        [0, 9],
        [1, 5],
      ],
      [
        [0, 9],
        [1, 4],
      ],
      [
        [0, 2],
        [1, 9],
      ],
      [[1, Number.NaN]],
    ] as StepReport[][]) {
      const median = medianAt(spec, own.at(-1)![0], complete);
      expect(isWorseThanMedian(own, median)).toBe(prunesByMedian(spec, own, complete));
    }
    expect(medianAt(spec, 1, complete)).toBe(4);
    expect(medianAt(spec, 0, complete)).toBeNull();
    expect(medianAt(spec, 1, complete.slice(0, 1))).toBeNull();
  });

  it('is told by a study as losses', () => {
    const space = new Space({ x: { kind: 'float', low: 0, high: 1 } });
    const study = new Study(space, {
      seed: '1',
      direction: 'maximise',
      pruner: { kind: 'median', startup: 1, warmup: 0 },
    });
    const { number } = study.ask()!;
    study.report(number, 0, 3);
    expect(study.medianLosses(2)).toEqual([null, null]);
    study.tell(number, 4);
    expect(study.medianLosses(1)).toEqual([-3]);
  });
});

describe('trials around the best', () => {
  const space = new Space({
    x: { kind: 'float', low: 0, high: 10 },
    mode: { kind: 'categorical', choices: ['a', 'b'] },
  });
  const at = (x: number, value: number, mode = 'a') => ({ point: { x, mode }, value });
  const far = [at(0, 0), at(1, 0), at(9, 0), at(5.2, 0, 'b')];

  it('tell a plateau from a peak', () => {
    const best = at(5, 10);
    const flat = trialsAround(space, [best, at(4.5, 9), at(5.5, 9), at(5.9, 8), ...far], best, 'maximise');
    expect(flat).toMatchObject({ neighbours: 3, worst: 8, verdict: 'plateau' });
    const lone = trialsAround(space, [best, at(4.5, 1), at(5.5, 0), at(5.9, 2), ...far], best, 'maximise');
    expect(lone).toMatchObject({ neighbours: 3, mean: 1, worst: 0, verdict: 'peak' });
    // neighbours that keep half of what the best is ahead of all are a plateau
    const kept = (value: number) => {
      const near = [at(4.5, value), at(5.5, value), at(5.9, value)];
      const { all, mean, verdict } = trialsAround(space, [best, ...near, ...far], best, 'maximise');
      return { share: (mean! - all) / (10 - all), verdict };
    };
    for (const value of [4, 5, 6, 7]) {
      const { share, verdict } = kept(value);
      expect(verdict, String(share)).toBe(share < 0.5 ? 'peak' : 'plateau');
    }
    expect(kept(5.5)).toMatchObject({ verdict: 'peak' });
    expect(kept(7.5)).toMatchObject({ verdict: 'plateau' });
    const low = at(5, -10);
    const turned = trialsAround(space, [low, at(4.5, -1), at(5.5, 0), at(5.9, -2), ...far], low, 'minimise');
    expect(turned).toMatchObject({ verdict: 'peak', worst: 0 });
    expect(trialsAround(space, [best, at(5.5, 9), ...far], best, 'maximise').verdict).toBe('unknown');
    expect(trialsAround(space, [best, ...far], best, 'maximise')).toMatchObject({
      neighbours: 0,
      mean: null,
    });
  });
});

describe('steadiness of what windows chose', () => {
  it('counts what stayed and how far the rest moved', () => {
    const space = new Space({
      n: { kind: 'int', low: 1, high: 10 },
      mode: { kind: 'categorical', choices: ['a', 'b'] },
    });
    const points = [3, 3, 8, 8].map((n, i) => ({ n, mode: i === 0 ? 'a' : 'b' }));
    const [n, mode] = parameterStability(space, points);
    expect(n).toMatchObject({ values: [3, 3, 8, 8], same: 2 / 3 });
    // five of ten steps, once in three
    expect(n!.movement).toBeCloseTo(5 / 10 / 3, 12);
    expect(mode).toEqual({ name: 'mode', values: ['a', 'b', 'b', 'b'], same: 2 / 3, movement: null });
    expect(parameterStability(space, points.slice(0, 1))[0]).toMatchObject({ same: null, movement: null });
  });
});
