import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { GRID_MAX, Grid, type GridAxis, pointText, readAxis } from './grid.ts';

describe('readAxis', () => {
  it.each([
    ['fast=5:9:2', [5, 7, 9]],
    ['fast=5:10:2', [5, 7, 9]],
    ['fast=5:5:1', [5]],
    ['x=0:0.3:0.1', [0, 0.1, 0.2, 0.3]],
    ['x=-1:1:0.5', [-1, -0.5, 0, 0.5, 1]],
    ['x=1e-3:3e-3:1e-3', [0.001, 0.002, 0.003]],
    ['slow=200,20:60:20', [20, 40, 60, 200]],
    ['fast=10, 5', [5, 10]],
    ['x=-0', [0]],
    ['x=-1.2:0:0.4', [-1.2, -0.8, -0.4, 0]],
    ['x=1e-7:3e-7:1e-7', [1e-7, 2e-7, 3e-7]],
  ])('%s is a row of numbers', (text, values) => {
    expect(readAxis(text)).toEqual({ name: text.slice(0, text.indexOf('=')), values, ordered: true });
  });

  it.each([
    ['mode=long-short,long-flat', ['long-short', 'long-flat']],
    ['on=true,false', [true, false]],
    ['stop=null,1', [null, 1]],
    ['average=sma:10,ema:10', ['sma:10', 'ema:10']],
    ['n="5",5', ['5', 5]],
  ])('%s keeps its order, having none', (text, values) => {
    expect(readAxis(text)).toMatchObject({ values, ordered: false });
  });

  it.each([
    ['fast', 'names no parameter'],
    ['=5', 'names no parameter'],
    ['fast=', 'a value is missing'],
    ['fast=5,,6', 'a value is missing'],
    ['fast=5:60', 'three numbers'],
    ['fast=5:60:1:1', 'three numbers'],
    ['fast=5:x:1', '"x" is not a number'],
    ['fast=5::1', '"" is not a number'],
    ['fast=5:1e999:1', '"1e999" is not a number'],
    ['fast=5:60:0', 'the step is 0'],
    ['fast=60:5:-1', 'the step is -1'],
    ['fast=60:5:1', 'from 60 down to 5'],
    ['fast=0:1:1e-7', '10000001 values'],
    ['fast=0:1:1e-9', 'values'],
    ['fast=1e999', 'too large'],
    ['fast=5,5', 'the value 5 twice'],
    ['fast=1:5:1,3', 'the value 3 twice'],
    ['list=[1]', 'neither a number nor a word'],
  ])('refuses %s', (text, says) => {
    expect(() => readAxis(text)).toThrow(InputError);
    expect(() => readAxis(text)).toThrow(says);
  });

  it('takes exactly the numbers from + k * step that are not beyond the end', () => {
    const whole = fc.record({
      from: fc.integer({ min: -1000, max: 1000 }),
      span: fc.integer({ min: 0, max: 500 }),
      step: fc.integer({ min: 1, max: 60 }),
    });
    fc.assert(
      fc.property(whole, fc.constantFrom(1, 10, 1000), ({ from, span, step }, parts) => {
        // the same range in whole numbers and in decimals
        const text = [from, from + span, step].map((n) => String(n / parts)).join(':');
        const expected = [];
        for (let k = from; k <= from + span; k += step) expected.push(k / parts + 0);
        expect(readAxis(`p=${text}`).values).toEqual(expected);
      }),
    );
  });
});

const axes = fc
  .array(fc.record({ size: fc.integer({ min: 1, max: 5 }), ordered: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((sizes): GridAxis[] =>
    sizes.map(({ size, ordered }, a) => ({
      name: `p${a}`,
      ordered,
      values: Array.from({ length: size }, (_, k) => (ordered ? k * 3 : `v${k}`)),
    })),
  );

describe('Grid', () => {
  it('counts with the last parameter changing fastest', () => {
    const grid = new Grid([readAxis('fast=1,2'), readAxis('mode=a,b,c')]);
    const points = Array.from({ length: grid.size }, (_, i) => pointText(grid.pointAt(i)));
    expect(points).toEqual([
      'fast=1 mode=a',
      'fast=1 mode=b',
      'fast=1 mode=c',
      'fast=2 mode=a',
      'fast=2 mode=b',
      'fast=2 mode=c',
    ]);
    expect(grid.indexOf([2, 'b'])).toBe(4);
    expect(grid.indexOf([3, 'b'])).toBeNull();
  });

  it('refuses no parameter, one twice and too many combinations', () => {
    expect(() => new Grid([])).toThrow('at least one parameter');
    expect(() => new Grid([readAxis('a=1'), readAxis('a=2')])).toThrow('--param a is given twice');
    expect(() => new Grid([readAxis('a=1:1001:1'), readAxis('b=1:1000:1')])).toThrow(
      '1001 x 1000 are 1001000 combinations',
    );
    expect(new Grid([readAxis('a=1:1000:1'), readAxis('b=1:1000:1')]).size).toBe(GRID_MAX);
  });

  it('numbers every combination once, and finds it again', () => {
    fc.assert(
      fc.property(axes, (list) => {
        const grid = new Grid(list);
        const seen = new Set<string>();
        for (let i = 0; i < grid.size; i++) {
          const values = grid.valuesAt(i);
          seen.add(JSON.stringify(values));
          expect(grid.indexOf(values)).toBe(i);
        }
        expect(seen.size).toBe(list.reduce((product, { values }) => product * values.length, 1));
      }),
    );
  });

  it('has exactly those neighbours whose every ordered value is at most one step off and the others equal', () => {
    fc.assert(
      fc.property(axes, fc.nat(), (list, pick) => {
        const grid = new Grid(list);
        const centre = pick % grid.size;
        const levels = (i: number) => grid.valuesAt(i).map((value, a) => list[a]!.values.indexOf(value));
        const here = levels(centre);
        const expected = [];
        for (let i = 0; i < grid.size; i++) {
          const near = levels(i).every(
            (level, a) => Math.abs(level - here[a]!) <= (list[a]!.ordered ? 1 : 0),
          );
          if (near && i !== centre) expected.push(i);
        }
        expect(grid.neighboursOf(centre)).toEqual(expected);
      }),
    );
  });
});
