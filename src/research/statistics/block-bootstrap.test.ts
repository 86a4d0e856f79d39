import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, InputError } from '#base';
import { automaticBlock, shuffle, stationaryIndices } from './block-bootstrap.ts';

function autoregressive(chance: Chance, n: number, phi: number): Float64Array {
  let value = chance.normal() / Math.sqrt(1 - phi * phi);
  return Float64Array.from({ length: n }, () => {
    value = phi * value + chance.normal();
    return value;
  });
}

describe('stationary bootstrap', () => {
  it('with blocks of 1 is the bootstrap of single observations', () => {
    const out = new Int32Array(50);
    stationaryIndices(20, 1, new Chance('one'), out);
    const chance = new Chance('one');
    expect([...out]).toEqual(Array.from({ length: 50 }, () => chance.below(20)));
  });

  it('has blocks of the mean length asked for, geometric, wrapping round the end', () => {
    const n = 1_000_000;
    const out = new Int32Array(20_000);
    stationaryIndices(n, 5, new Chance('five'), out);
    const lengths: number[] = [];
    let length = 1;
    for (let i = 1; i < out.length; i++) {
      if (out[i] === (out[i - 1]! + 1) % n) length += 1;
      else {
        lengths.push(length);
        length = 1;
      }
    }
    const mean = lengths.reduce((a, b) => a + b, 0) / lengths.length;
    expect(mean).toBeGreaterThan(4.75);
    expect(mean).toBeLessThan(5.25);
    // a geometric length is 1 with probability 1/5
    expect(lengths.filter((l) => l === 1).length / lengths.length).toBeCloseTo(0.2, 1);
    const round = new Int32Array(40);
    stationaryIndices(7, 1e9, new Chance('round'), round);
    for (let i = 1; i < 40; i++) expect(round[i]).toBe((round[i - 1]! + 1) % 7);
  });

  it('draws every observation equally often', () => {
    const counts = new Float64Array(10);
    const out = new Int32Array(10);
    const chance = new Chance('equal');
    for (let k = 0; k < 4000; k++) {
      stationaryIndices(10, 4, chance, out);
      for (const index of out) counts[index]! += 1;
    }
    for (const count of counts) expect(count / 4000).toBeCloseTo(1, 1);
  });

  it('refuses blocks below 1', () => {
    for (const block of [0.5, 0, -1, Number.NaN])
      expect(() => stationaryIndices(5, block, new Chance(1), new Int32Array(5))).toThrow(InputError);
  });
});

describe('shuffle', () => {
  it('keeps every value', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.string(), (values, seed) => {
        const shuffled = Int32Array.from(values);
        shuffle(shuffled, new Chance(seed));
        expect(shuffled.sort()).toEqual(Int32Array.from(values).sort());
      }),
    );
  });
});

describe('automatic block length', () => {
  it.each([
    // (2 phi / (1 - phi^2))^(2/3) n^(1/3) is what an AR(1) series asks for
    [0.3, 2000],
    [0.6, 2000],
    [0.8, 2000],
  ])('is near the optimum of an AR(1) series with %f', (phi, n) => {
    const optimum = ((2 * phi) / (1 - phi * phi)) ** (2 / 3) * Math.cbrt(n);
    const found = Array.from({ length: 30 }, (_, k) =>
      automaticBlock(autoregressive(new Chance(`ar/${phi}/${k}`), n, phi)),
    ).sort((a, b) => a - b);
    expect(found[15]! / optimum).toBeGreaterThan(0.75);
    expect(found[15]! / optimum).toBeLessThan(1.25);
  });

  it('is small for noise, bounded for a trend, 1 for nothing', () => {
    const noise = Array.from({ length: 20 }, (_, k) => automaticBlock(autoregressive(new Chance(k), 500, 0)));
    expect(noise.reduce((a, b) => a + b, 0) / 20).toBeLessThan(3);
    const trend = Float64Array.from({ length: 300 }, (_, i) => i);
    expect(automaticBlock(trend)).toBeLessThanOrEqual(52);
    expect(automaticBlock(trend)).toBeGreaterThan(20);
    expect(automaticBlock(new Float64Array(100).fill(0.1))).toBe(1);
    expect(automaticBlock([1, 2, 3])).toBe(1);
  });

  it('does not depend on scale or level', () => {
    const series = autoregressive(new Chance('scale'), 300, 0.5);
    expect(automaticBlock(series.map((value) => 7 - 4 * value))).toBeCloseTo(automaticBlock(series), 6);
  });
});
