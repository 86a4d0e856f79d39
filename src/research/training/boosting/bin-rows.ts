import { InputError } from '#base';
import { CUTS_ROOM } from './bin-kernel.ts';
import type { BoostingHand } from './boosting-hand.ts';
import type { BoostingMatrix, BoostingRows } from './boosting-options.ts';
import { findCuts, sortedKeys } from './find-cuts.ts';

/** Copies a column of a matrix; NaN where it is missing. */
function readColumn(matrix: BoostingMatrix, column: number, out: Float32Array): void {
  if ('columns' in matrix) {
    out.set(matrix.columns[column]!);
    return;
  }
  const { values, features } = matrix;
  for (let i = 0, at = column; i < out.length; i++, at += features) out[i] = values[at]!;
}

/** How many values are missing. Throws InputError for an infinite one, as XGBoost does. */
function missingOf(values: Float32Array, feature: number, name: string): number {
  let missing = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // 0 for every finite number
    if (value - value === 0) continue;
    if (!Number.isNaN(value)) {
      throw new InputError(
        `row ${i} of the ${name} has ${value} as feature ${feature}`,
        'give finite values, and NaN where one is missing',
      );
    }
    missing++;
  }
  return missing;
}

/** Puts the values of one column after the other into bins. */
export class ColumnBinner {
  private readonly hand: BoostingHand;
  private readonly data: BoostingRows;
  private readonly validation: BoostingRows | null;
  private readonly column: Float32Array;
  private readonly validationColumn: Float32Array;
  private readonly keys: Uint32Array;
  private readonly spare: Uint32Array;

  constructor(hand: BoostingHand, data: BoostingRows, validation: BoostingRows | null) {
    this.hand = hand;
    this.data = data;
    this.validation = validation;
    const { plan, floats } = hand;
    const { rows, validationRows } = plan.shape;
    const at = plan.at.sorting + hand.thread * plan.sortingBytes;
    const longest = 4 * Math.max(rows, validationRows);
    this.column = new Float32Array(floats.buffer, at, rows);
    this.validationColumn = new Float32Array(floats.buffer, at, validationRows);
    this.keys = new Uint32Array(floats.buffer, at + longest, rows);
    this.spare = new Uint32Array(floats.buffer, at + 2 * longest, rows);
  }

  bin(feature: number): void {
    const { hand, column, validationColumn, keys, validation } = this;
    const { plan, kernels } = hand;
    const { at, shape, settings } = plan;
    const { rows, validationRows } = shape;
    readColumn(this.data, feature, column);
    const missing = missingOf(column, feature, 'training rows');
    const cutsAt = at.cuts + 4 * CUTS_ROOM * feature;
    const cuts = new Float32Array(hand.floats.buffer, cutsAt, CUTS_ROOM).fill(Infinity);
    const n = sortedKeys(column, this.data.weights ?? null, keys, this.spare);
    // the bin behind the last is that of missing values
    const most = missing > 0 ? Math.min(settings.maxBin, 256 - 1) : settings.maxBin;
    const bins = n === 0 ? 0 : 1 + findCuts(keys, n, most, cuts);
    hand.words[(at.binCounts >>> 2) + feature] = bins;
    hand.words[(at.missing >>> 2) + feature] = missing > 0 ? 1 : 0;
    // where none is missing in training, missing values go right, as those of the last bin always do
    const missingBin = missing > 0 ? bins : bins - 1;
    const from = column.byteOffset;
    kernels.bin(from, from + 4 * rows, cutsAt, missingBin, at.columnBins + feature * rows);
    if (validation === null) return;
    readColumn(validation, feature, validationColumn);
    missingOf(validationColumn, feature, 'validation rows');
    const end = from + 4 * validationRows;
    kernels.bin(from, end, cutsAt, missingBin, at.validationBins + feature * validationRows);
  }
}

/** Rows whose bins are brought together at once: their bins fit the nearest cache. */
const WOVEN_ROWS = 256;

/** Brings the bins of rows [from, to) together from the columns. */
export function weaveRows({ plan, kernels }: BoostingHand, from: number, to: number): void {
  const { at, shape, stride } = plan;
  for (let row = from; row < to; row += WOVEN_ROWS) {
    const end = Math.min(to, row + WOVEN_ROWS);
    for (let feature = 0; feature < shape.features; feature++) {
      const column = at.columnBins + feature * shape.rows;
      kernels.weave(column + row, column + end, at.rowBins + row * stride + feature, stride);
    }
  }
}
