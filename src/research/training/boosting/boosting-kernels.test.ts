import { describe, expect, it } from 'vitest';
import { Chance, wasmMemory } from '#base';
import { BoostingHand } from './boosting-hand.ts';
import type { BoostingOptions } from './boosting-options.ts';
import { planBoosting } from './train-boosted.ts';

const ROWS = 1_201;

function handFor(options: BoostingOptions, weighted: boolean): BoostingHand {
  const labels = new Float32Array(ROWS);
  const columns = Array.from({ length: 9 }, () => new Float32Array(ROWS));
  const weights = new Float32Array(ROWS).fill(1);
  const plan = planBoosting({ columns, labels, ...(weighted && { weights }) }, options, 1);
  return new BoostingHand(plan, wasmMemory(plan.bytes), 0);
}

/** Margins, labels and weights by chance, and what `derive` makes of them, per output [first, second] of each row. */
function derived(options: BoostingOptions, weighted: boolean) {
  const hand = handFor(options, weighted);
  const { plan, kernels } = hand;
  const { at, outputApart, settings } = plan;
  const { outputs, objective } = settings;
  const chance = new Chance(7);
  const apart = outputApart / 8;
  const margins = hand.doublesAt('margins', outputs * apart);
  margins.forEach((_, i) => {
    margins[i] = i % 50 === 0 ? 900 * chance.normal() : 4 * chance.normal();
  });
  const labels = hand.floatsAt('labels', ROWS);
  for (let i = 0; i < ROWS; i++) {
    labels[i] = objective === 'multi:softprob' ? chance.below(outputs) : chance.below(2);
  }
  const weights = new Float32Array(ROWS).fill(1);
  if (weighted) hand.floatsAt('weights', ROWS).set(weights.map(() => chance.uniform()));
  if (weighted) weights.set(hand.floatsAt('weights', ROWS));
  const per = 2 ** 30 / (objective === 'reg:squarederror' ? 4_096 : 1);
  kernels.derive(
    ...([at.margins, at.margins + 8 * ROWS, at.labels, at.weights, at.pairs, per, per] as const),
    ...([at.blocks, outputApart, outputs] as const),
  );
  const pairs = hand.wordsAt('pairs', 2 * outputs * apart);
  const pair = (row: number, k: number) =>
    [0, 1].map((place) => pairs[2 * (k * apart + row) + place]! / per) as [number, number];
  return { hand, margins, labels, weights, pair, apart, per };
}

/** 1e-9 is the grain that derivatives are written in. */
const near = (a: number, b: number, grain = 1e-9) => expect(Math.abs(a - b)).toBeLessThan(2 * grain);

describe('derivatives of the losses', () => {
  it.each([false, true])('of the logistic loss (weights: %s)', (weighted) => {
    const { margins, labels, weights, pair } = derived({ objective: 'binary:logistic', rounds: 1 }, weighted);
    for (let row = 0; row < ROWS; row++) {
      const p = 1 / (1 + Math.exp(-margins[row]!));
      near(pair(row, 0)[0], (p - labels[row]!) * weights[row]!);
      near(pair(row, 0)[1], p * (1 - p) * weights[row]!);
    }
  });

  it.each([false, true])('of the softmax loss (weights: %s)', (weighted) => {
    const options: BoostingOptions = { objective: 'multi:softprob', classes: 5, rounds: 1 };
    const { margins, labels, weights, pair, apart } = derived(options, weighted);
    for (let row = 0; row < ROWS; row++) {
      const own = [0, 1, 2, 3, 4].map((k) => margins[k * apart + row]!);
      const powers = own.map((margin) => Math.exp(margin - Math.max(...own)));
      const sum = powers.reduce((a, b) => a + b);
      powers.forEach((power, k) => {
        const p = power / sum;
        near(pair(row, k)[0], (p - (labels[row] === k ? 1 : 0)) * weights[row]!);
        near(pair(row, k)[1], 2 * p * (1 - p) * weights[row]!);
      });
    }
  });

  it.each([false, true])('of the squared loss, and its largest residual (weights: %s)', (weighted) => {
    const options: BoostingOptions = { objective: 'reg:squarederror', rounds: 1 };
    const { hand, margins, labels, weights, pair, per } = derived(options, weighted);
    let largest = 0;
    for (let row = 0; row < ROWS; row++) {
      const first = (margins[row]! - labels[row]!) * weights[row]!;
      largest = Math.max(largest, Math.abs(first));
      // a number of 32 bits holds no more
      near(pair(row, 0)[0], Math.max(-(2 ** 31) / per, Math.min((2 ** 31 - 1) / per, first)), 1 / per);
      near(pair(row, 0)[1], weights[row]!, 1 / per);
    }
    const { at } = hand.plan;
    const found = hand.kernels.residual(at.margins, at.margins + 8 * ROWS, at.labels, at.weights);
    // the neighbour of the odd last row counts for nothing: its margin is by chance here, its label 0
    const neighbour = weighted ? 0 : Math.abs(margins[ROWS]!);
    expect(found).toBe(Math.max(largest, neighbour));
  });
});

describe('what is done row by row', () => {
  const hand = handFor({ objective: 'binary:logistic', rounds: 1 }, false);
  const { kernels, plan, bytes, words } = hand;
  const { at, stride } = plan;
  const chance = new Chance(3);

  it('puts values into the bins that cuts say', () => {
    const cuts = hand.floatsAt('cuts', 255).fill(Infinity);
    cuts.set([-2, -0.5, 0, 0.25, 3]);
    const values = hand.floatsAt('labels', 9);
    values.set([-3, -2, -0.75, -0, 0.25, 0.1, 3, 1e30, Number.NaN]);
    kernels.bin(at.labels, at.labels + 36, at.cuts, 77, at.columnBins);
    expect([...bytes.subarray(at.columnBins, at.columnBins + 9)]).toEqual([0, 1, 1, 3, 4, 3, 5, 5, 77]);
    const many = cuts.map((_, i) => i);
    cuts.set(many);
    values.set([-1, 0, 254, 253.5, 1000, 128, 127.5, 1, 2]);
    kernels.bin(at.labels, at.labels + 36, at.cuts, 77, at.columnBins);
    expect([...bytes.subarray(at.columnBins, at.columnBins + 9)]).toEqual([
      0, 1, 255, 254, 255, 129, 128, 2, 3,
    ]);
  });

  it('sorts rows to both sides of a split in their order', () => {
    const rows = hand.wordsAt('rows', ROWS);
    kernels.enumerate(at.rows, ROWS);
    expect([...rows]).toEqual(Array.from({ length: ROWS }, (_, i) => i));
    for (let row = 0; row < ROWS; row++) bytes[at.columnBins + row] = chance.below(10);
    const bin = (row: number) => bytes[at.columnBins + row]!;
    for (const missing of [9, 256]) {
      kernels.enumerate(at.rows, ROWS);
      const end = kernels.part(at.rows, at.rows + 4 * ROWS, at.columnBins, 3, missing, at.rows, at.buffer);
      const all = Array.from({ length: ROWS }, (_, i) => i);
      const left = all.filter((row) => bin(row) <= 3 || bin(row) === missing);
      expect([...rows.subarray(0, (end - at.rows) / 4)]).toEqual(left);
      const right = all.filter((row) => !left.includes(row));
      expect([...hand.wordsAt('buffer', right.length)]).toEqual(right);
    }
  });

  it('counts rows into histograms, eight columns at once, those left over, and a selection', () => {
    const rows = hand.wordsAt('rows', ROWS);
    kernels.enumerate(at.rows, ROWS);
    for (let i = 0; i < ROWS * stride; i++) bytes[at.rowBins + i] = chance.below(256);
    const pairs = hand.wordsAt('pairs', 2 * ROWS);
    for (let i = 0; i < pairs.length; i++) pairs[i] = chance.below(1_000) - (i % 2 === 0 ? 500 : 0);
    const picked = rows.filter((row) => row % 3 === 0).slice(0, 300);
    rows.set(picked);
    const [bins, doubles] = [at.blocks, at.blocks + 512 * stride];
    kernels.gather(at.rows, at.rows + 4 * picked.length, at.rowBins, at.pairs, bins, doubles);
    const end = doubles + 16 * picked.length;
    kernels.clear(at.histograms, plan.histogramBytes);
    kernels.countEight(bins, doubles, end, at.histograms);
    kernels.countRest(bins + 8, doubles, end, at.histograms + 8 * 256 * 16);
    const expected = (column: number) => {
      const sums = new Float64Array(512);
      for (const row of picked) {
        const place = 2 * bytes[at.rowBins + row * stride + column]!;
        sums[place]! += pairs[2 * row]!;
        sums[place + 1]! += pairs[2 * row + 1]!;
      }
      return [...sums];
    };
    const counted = (column: number) => [
      ...new Float64Array(words.buffer, at.histograms + column * 256 * 16, 512),
    ];
    for (let column = 0; column < 9; column++) expect(counted(column)).toEqual(expected(column));
    kernels.clear(at.histograms, plan.histogramBytes);
    kernels.countFour(bins, doubles, end, at.histograms, 8, 2, 5, 0);
    for (const [place, column] of [8, 2, 5, 0].entries()) expect(counted(place)).toEqual(expected(column));
  });
});
