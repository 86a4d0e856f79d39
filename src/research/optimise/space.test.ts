import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, InputError } from '#base';
import { drawPoint } from './random-sampler.ts';
import { type Parameter, Space } from './space.ts';

const draws = (space: Space, n: number, seed = 'space') => {
  const into = new Float64Array(space.axes.length);
  const chance = new Chance(seed);
  return Array.from({ length: n }, () => {
    drawPoint(space, chance, into);
    return space.point(into);
  });
};

describe('Space', () => {
  it('draws every kind of parameter from its whole range', () => {
    const space = new Space({
      x: { kind: 'float', low: -2, high: 3 },
      rate: { kind: 'float', low: 1e-5, high: 1, log: true },
      share: { kind: 'float', low: 0, high: 0.35, step: 0.1 },
      tilt: { kind: 'float', low: -1.2, high: 0.1, step: 0.1 },
      n: { kind: 'int', low: 2, high: 5 },
      odd: { kind: 'int', low: 1, high: 10, step: 3 },
      size: { kind: 'int', low: 1, high: 1000, log: true },
      way: { kind: 'categorical', choices: ['long', 'short', true] },
    });
    const points = draws(space, 4000);
    const seen = (name: string) => [...new Set(points.map((p) => p[name]))].sort();
    expect(seen('n')).toEqual([2, 3, 4, 5]);
    expect(seen('odd')).toEqual([1, 10, 4, 7]);
    expect(seen('share')).toEqual([0, 0.1, 0.2, 0.3]);
    expect(seen('tilt')).toContain(-0.1);
    expect(seen('way')).toEqual(['long', 'short', true]);
    for (const { x, rate, size } of points) {
      expect(x).toBeGreaterThanOrEqual(-2);
      expect(x).toBeLessThanOrEqual(3);
      expect(rate).toBeGreaterThanOrEqual(1e-5);
      expect(rate).toBeLessThanOrEqual(1);
      expect(Number.isInteger(size)).toBe(true);
    }
    // a log scale gives every decade the same share
    const small = points.filter((p) => (p.rate as number) < 1e-3).length;
    expect(small / points.length).toBeCloseTo(0.4, 1);
    expect(points.filter((p) => (p.size as number) <= 30).length / points.length).toBeCloseTo(0.55, 1);
    expect(points.filter((p) => p.n === 2).length / points.length).toBeCloseTo(0.25, 1);
  });

  it('has conditional parameters exactly where their condition holds, over several levels', () => {
    const space = new Space({
      stop: { kind: 'categorical', choices: ['none', 'atr', 'fixed'] },
      atr: { kind: 'int', low: 5, high: 6, when: { parameter: 'stop', in: ['atr'] } },
      trail: {
        kind: 'categorical',
        choices: [true, false],
        when: { parameter: 'stop', in: ['atr', 'fixed'] },
      },
      step: {
        kind: 'float',
        low: 0,
        high: 1,
        when: [
          { parameter: 'trail', in: [true] },
          { parameter: 'atr', in: [6] },
        ],
      },
    });
    for (const point of draws(space, 300)) {
      expect('atr' in point).toBe(point.stop === 'atr');
      expect('trail' in point).toBe(point.stop !== 'none');
      expect('step' in point).toBe(point.trail === true && point.atr === 6);
    }
    expect(space.groups).toEqual([[0], [1], [2], [3]]);
  });

  it('comes back from a point to the same coordinates', () => {
    const numbers = fc.record({
      low: fc.integer({ min: 1, max: 50 }),
      span: fc.integer({ min: 0, max: 400 }),
      step: fc.constantFrom(0, 0.1, 0.25, 1, 3),
      whole: fc.boolean(),
      log: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 4 }), fc.string(), (list, seed) => {
        const parameters: Record<string, Parameter> = {};
        list.forEach(({ low, span, step, whole, log }, i) => {
          const grid = step > 0 && !log && !(whole && !Number.isInteger(step)) ? { step } : {};
          parameters[`p${i}`] = { kind: whole ? 'int' : 'float', low, high: low + span, log, ...grid };
        });
        const space = new Space(parameters);
        const into = new Float64Array(space.axes.length);
        const again = new Float64Array(space.axes.length);
        drawPoint(space, new Chance(seed), into);
        const point = space.point(into);
        space.coordinates(point, again);
        expect(space.point(again)).toEqual(point);
        space.coordinates(space.point(again), into);
        expect([...into]).toEqual([...again]);
      }),
      { numRuns: 60 },
    );
  });

  it.each<[string, Record<string, Parameter>, string]>([
    ['nothing', {}, 'without parameters'],
    ['an empty range', { x: { kind: 'float', low: 2, high: 1 } }, 'is empty'],
    ['no number', { x: { kind: 'float', low: Number.NaN, high: 1 } }, 'not a finite number'],
    ['a broken int', { x: { kind: 'int', low: 0.5, high: 1 } }, 'not whole'],
    ['log from 0', { x: { kind: 'float', low: 0, high: 1, log: true } }, 'log scale'],
    ['int log from 0', { x: { kind: 'int', low: 0, high: 9, log: true } }, 'log scale'],
    ['log with step', { x: { kind: 'float', low: 1, high: 2, log: true, step: 1 } }, 'takes no step'],
    ['no step', { x: { kind: 'int', low: 1, high: 2, step: 0 } }, 'the step is 0'],
    ['half a step', { x: { kind: 'int', low: 1, high: 2, step: 0.5 } }, 'of an int'],
    ['a huge grid', { x: { kind: 'float', low: 0, high: 1, step: 1e-12 } }, 'values'],
    ['no choices', { x: { kind: 'categorical', choices: [] } }, 'no choices'],
    ['doubled choices', { x: { kind: 'categorical', choices: [1, 1] } }, 'twice'],
    [
      'a later parent',
      {
        x: { kind: 'int', low: 1, high: 2, when: { parameter: 'y', in: [1] } },
        y: { kind: 'int', low: 1, high: 2 },
      },
      'not declared before',
    ],
    [
      'an impossible condition',
      {
        y: { kind: 'int', low: 1, high: 2 },
        x: { kind: 'int', low: 1, high: 2, when: { parameter: 'y', in: [3] } },
      },
      "'y' cannot be 3",
    ],
  ])('refuses %s', (_, parameters, message) => {
    expect(() => new Space(parameters)).toThrow(InputError);
    expect(() => new Space(parameters)).toThrow(message);
  });

  it('refuses points that it does not hold', () => {
    const space = new Space({
      on: { kind: 'categorical', choices: [true, false] },
      n: { kind: 'int', low: 2, high: 10, step: 4, when: { parameter: 'on', in: [true] } },
    });
    const into = new Float64Array(2);
    space.coordinates({ on: true, n: 6 }, into);
    expect([...into]).toEqual([0, 6]);
    for (const [point, message] of [
      [{ on: true }, 'has no value'],
      [{ on: true, n: 5 }, 'cannot be 5'],
      [{ on: true, n: 14 }, 'cannot be 14'],
      [{ on: 'yes' }, 'no choice'],
      [{ on: false, n: 6 }, "names 'n'"],
      [{ on: false, m: 6 }, "names 'm'"],
    ] as const) {
      expect(() => space.coordinates(point, into)).toThrow(message);
    }
  });
});
