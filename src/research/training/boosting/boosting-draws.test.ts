import { describe, expect, it } from 'vitest';
import { Chance } from '#base';
import { type BoostedModel, type BoostedTree, writeBoostedModel } from '#signals';
import type { BoostingData, BoostingOptions } from './boosting-options.ts';
import { trainBoosted } from './train-boosted.ts';

const FEATURES = 20;
const ROWS = 2_000;

const chance = new Chance('draws');
const data: BoostingData = {
  columns: Array.from({ length: FEATURES }, () => Float32Array.from({ length: ROWS }, () => chance.normal())),
  // noise: every feature is as likely to be split on as any other
  labels: Float32Array.from({ length: ROWS }, () => chance.normal()),
};

const options = { objective: 'reg:squarederror', rounds: 6, maxDepth: 5 } as const;

const train = (more: Partial<BoostingOptions>): BoostedModel =>
  trainBoosted(data, { ...options, ...more }).model;

/** Features that nodes are split on, by level. */
function featuresByLevel({ left, right, feature }: BoostedTree): number[][] {
  const levels: number[][] = [];
  const walk = (node: number, depth: number) => {
    if (left[node]! < 0) return;
    levels[depth] ??= [];
    levels[depth]!.push(feature[node]!);
    walk(left[node]!, depth + 1);
    walk(right[node]!, depth + 1);
  };
  walk(0, 0);
  return levels;
}

const different = (numbers: readonly number[]) => new Set(numbers).size;

describe('what is drawn', () => {
  it('is the same for the same seed, and another for another', () => {
    const drawn = { subsample: 0.5, colsampleByTree: 0.5, colsampleByLevel: 0.5, colsampleByNode: 0.5 };
    const text = (seed: string) => writeBoostedModel(train({ ...drawn, seed }));
    expect(text('a')).toBe(text('a'));
    expect(text('a')).not.toBe(text('b'));
  });

  it('is nothing where nothing is to be drawn', () => {
    expect(writeBoostedModel(train({ seed: 'a' }))).toBe(writeBoostedModel(train({ seed: 'b' })));
  });

  it('gives a tree its share of the rows, other rows to the next', () => {
    const covers = train({ subsample: 0.3 }).trees.map(({ cover }) => cover[0]!);
    for (const cover of covers) expect(Math.abs(cover - 600)).toBeLessThan(100);
    expect(different(covers)).toBeGreaterThan(3);
  });

  it('gives a tree, a level or a node its share of the features', () => {
    const byTree = train({ colsampleByTree: 0.25 }).trees.map(featuresByLevel);
    for (const levels of byTree) expect(different(levels.flat())).toBeLessThanOrEqual(5);
    expect(different(byTree.flat(2))).toBeGreaterThan(10);

    const byLevel = train({ colsampleByLevel: 0.1 }).trees.map(featuresByLevel);
    for (const level of byLevel.flat()) expect(different(level)).toBeLessThanOrEqual(2);
    expect(Math.max(...byLevel.map((levels) => different(levels.flat())))).toBeGreaterThan(2);

    const byNode = train({ colsampleByNode: 0.05 }).trees.map(featuresByLevel);
    expect(Math.max(...byNode.flatMap((levels) => levels.map(different)))).toBeGreaterThan(2);
    expect(different(byNode.flat(2))).toBe(FEATURES);
  });

  it('is never less than one row or one feature', () => {
    const { trees } = train({ subsample: 1e-9, colsampleByTree: 1e-9, minChildWeight: 0 });
    for (const { cover, left } of trees) {
      expect(cover[0]).toBe(1);
      expect(left.length).toBe(1);
    }
  });

  it('leaves rows that a tree did not see no less fitted', () => {
    // the margins of rows left out are those that the next tree goes on from: otherwise they would be fitted again and again
    const columns = [Float32Array.from({ length: ROWS }, (_, row) => row % 2)];
    const labels = columns[0]!.map((x) => (x > 0 ? 3 : -3));
    const { history } = trainBoosted(
      { columns, labels },
      { ...options, rounds: 40, subsample: 0.2, watchTraining: true },
    );
    expect(history.training!.at(-1)).toBeLessThan(0.0001);
  });
});
