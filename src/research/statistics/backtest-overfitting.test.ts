import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, InputError } from '#base';
import { backtestOverfitting, overfittingOf, overfittingVerdict } from './backtest-overfitting.ts';
import { BlockTable } from './block-table.ts';
import { HalfPerformance, halvesOf } from './half-performance.ts';
import { sharpeOf } from './moments.ts';

const noise = (chance: Chance, n: number, edge = 0) =>
  Float64Array.from({ length: n }, () => chance.normal() + edge);

describe('halves', () => {
  it('are all choices of half the blocks, complements at mirrored places', () => {
    const halves = halvesOf(16);
    expect(halves).toHaveLength(12_870);
    for (const [i, mask] of halves.entries()) expect(mask ^ halves[halves.length - 1 - i]!).toBe(0xffff);
  });

  it('have the Sharpe ratio of their periods, far from zero too', () => {
    const chance = new Chance('halves');
    for (const edge of [0, 0.1, 1e6]) {
      const returns = noise(chance, 43, edge);
      const table = new BlockTable(43, 6);
      table.add(returns);
      const halves = halvesOf(6);
      const performance = new HalfPerformance(table, halves, 'sharpe');
      performance.of(0);
      halves.forEach((mask, i) => {
        // 43 = 6 * 7 + 1: the oldest period is left out
        const periods = [...returns].slice(1).filter((_, k) => (mask >> Math.floor(k / 7)) & 1);
        expect(performance.values[i]! / sharpeOf(periods)!).toBeCloseTo(1, 8);
      });
    }
  });
});

describe('probability of backtest overfitting', () => {
  it('is one third for the toy of the sheet, with its logits', () => {
    const rows = [
      [0.1, 0.3, -0.1],
      [0.2, 0.1, 0],
      [-0.1, 0.2, 0.3],
      [0, 0.25, 0.2],
    ];
    const found = overfittingOf(
      [0, 1, 2].map((k) => rows.map((row) => row[k]!)),
      4,
      'mean',
    )!;
    expect(found.pbo).toBeCloseTo(1 / 3, 12);
    const logits = [0, 1.0986, 1.0986, 1.0986, 1.0986, -1.0986];
    expect([...found.logits]).toEqual(logits.map((logit) => expect.closeTo(logit, 4)));
    expect(found).toMatchObject({ verdict: 'alarm', strategies: 3, blocks: 4, halves: 6 });
  });

  it('has its thresholds', () => {
    expect([0.2, 0.21, 0.5, 0.51].map(overfittingVerdict)).toEqual(['sound', 'alarm', 'alarm', 'reject']);
  });

  it('is 0 for one real edge among noise, and about one half for noise', () => {
    const chance = new Chance('edge');
    const strategies = Array.from({ length: 20 }, (_, k) => noise(chance, 400, k === 7 ? 0.5 : 0));
    const found = overfittingOf(strategies, 8)!;
    expect(found).toMatchObject({ pbo: 0, lossProbability: 0, verdict: 'sound' });
    let sum = 0;
    for (let k = 0; k < 60; k++)
      sum += overfittingOf(
        Array.from({ length: 20 }, () => noise(chance, 200)),
        8,
      )!.pbo;
    expect(sum / 60).toBeGreaterThan(0.4);
    expect(sum / 60).toBeLessThan(0.6);
  });

  it('does not depend on the order of the strategies, ties included', () => {
    const cell = fc.integer({ min: -2, max: 2 });
    const series = fc.array(fc.array(cell, { minLength: 12, maxLength: 12 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(series, fc.infiniteStream(fc.nat()), (strategies, keys) => {
        const shuffled = strategies
          .map((strategy) => ({ strategy, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ strategy }) => strategy);
        const one = overfittingOf(strategies, 4)!;
        const two = overfittingOf(shuffled, 4)!;
        expect(two.pbo).toBe(one.pbo);
        expect([...two.logits]).toEqual([...one.logits]);
      }),
      { numRuns: 60 },
    );
  });

  it('does not depend on the scale of a strategy', () => {
    const chance = new Chance('scale');
    const strategies = Array.from({ length: 5 }, () => noise(chance, 64));
    const scaled = strategies.map((strategy, k) => strategy.map((value) => value * 2 ** (k - 2)));
    expect([...overfittingOf(scaled, 8)!.logits]).toEqual([...overfittingOf(strategies, 8)!.logits]);
  });

  it('equal strategies share their rank: every logit is 0', () => {
    const returns = noise(new Chance('equal'), 64);
    const found = overfittingOf([returns, returns, returns], 8)!;
    expect(found.pbo).toBe(1);
    expect([...found.logits].every((logit) => logit === 0)).toBe(true);
  });

  it('needs two strategies, and refuses what has no blocks', () => {
    expect(overfittingOf([noise(new Chance(1), 64)], 8)).toBeNull();
    expect(() => new BlockTable(100, 7)).toThrow(InputError);
    expect(() => new BlockTable(100, 22)).toThrow(InputError);
    expect(() => new BlockTable(7, 8)).toThrow(InputError);
    const table = new BlockTable(8, 8);
    expect(() => table.add([1, 2])).toThrow(InputError);
    expect(() => table.add([1, 2, 3, 4, 5, 6, 7, Number.NaN])).toThrow(InputError);
    const tiny = new BlockTable(2, 2);
    tiny.add([1, 2]);
    tiny.add([2, 1]);
    expect(() => backtestOverfitting(tiny)).toThrow(InputError);
    expect(backtestOverfitting(tiny, 'mean')!.pbo).toBe(1);
  });

  it('takes strategies as they come, many of them', () => {
    const chance = new Chance('stream');
    const table = new BlockTable(40, 4);
    for (let k = 0; k < 500; k++) expect(table.add(noise(chance, 40))).toBe(k);
    expect(backtestOverfitting(table)!.strategies).toBe(500);
  });
});
