import { describe, expect, it } from 'vitest';
import { Chance } from '#base';
import { parameterImportance } from './importance.ts';
import { drawPoint } from './random-sampler.ts';
import { type Point, Space } from './space.ts';

function outcomes(space: Space, n: number, score: (point: Point, chance: Chance) => number) {
  const chance = new Chance('importance');
  const into = new Float64Array(space.axes.length);
  return Array.from({ length: n }, () => {
    drawPoint(space, chance, into);
    const point = space.point(into);
    return { point, value: score(point, chance) };
  });
}

describe('parameterImportance', () => {
  const space = new Space({
    a: { kind: 'float', low: 0, high: 1 },
    b: { kind: 'float', low: 0.01, high: 100, log: true },
    way: { kind: 'categorical', choices: ['p', 'q', 'r', 's'] },
    idle: { kind: 'int', low: 1, high: 9 },
    fixed: { kind: 'int', low: 3, high: 3 },
  });

  it('shares out the variance of a sum', () => {
    // variances: 36/12 = 3, (ln 10)^2 * 16/12 / (ln 10)^2 = 4/3, 1 (values -1, 1 in halves)
    const data = outcomes(
      space,
      500,
      (p) => 6 * (p.a as number) + Math.log10(p.b as number) + (p.way === 'q' || p.way === 's' ? 1 : -1),
    );
    const share = parameterImportance(space, data);
    const whole = 3 + 4 / 3 + 1;
    expect(Math.abs(share.a! - 3 / whole)).toBeLessThan(0.06);
    expect(Math.abs(share.b! - 4 / 3 / whole)).toBeLessThan(0.06);
    expect(Math.abs(share.way! - 1 / whole)).toBeLessThan(0.06);
    expect(share.idle).toBeLessThan(0.02);
    expect(share.fixed).toBe(0);
    expect(parameterImportance(space, data)).toEqual(share);
  });

  it('leaves interactions out of the sum of shares', () => {
    const sign = (x: number) => (x > 0.5 ? 1 : -1);
    const two = new Space({ x: { kind: 'float', low: 0, high: 1 }, y: { kind: 'float', low: 0, high: 1 } });
    const crossed = outcomes(two, 400, (p) => sign(p.x as number) * sign(p.y as number));
    const share = parameterImportance(two, crossed);
    expect(share.x! + share.y!).toBeLessThan(0.3);
  });

  it('counts a conditional parameter, and says nothing of results that do not vary', () => {
    const tree = new Space({
      stop: { kind: 'categorical', choices: ['none', 'atr'] },
      atr: { kind: 'float', low: 1, high: 5, when: { parameter: 'stop', in: ['atr'] } },
    });
    const share = parameterImportance(
      tree,
      outcomes(tree, 300, (p) => (p.stop === 'atr' ? (p.atr as number) : 3)),
    );
    expect(share.atr!).toBeGreaterThan(0.2);
    expect(share.atr!).toBeGreaterThan(3 * share.stop!);
    expect(
      parameterImportance(
        tree,
        outcomes(tree, 20, () => 7),
      ),
    ).toEqual({ stop: 0, atr: 0 });
    expect(() =>
      parameterImportance(
        tree,
        outcomes(tree, 9, () => 1),
      ),
    ).toThrow('9 outcomes');
    expect(() =>
      parameterImportance(
        tree,
        outcomes(tree, 12, () => Number.NaN),
      ),
    ).toThrow('finite');
  });
});
