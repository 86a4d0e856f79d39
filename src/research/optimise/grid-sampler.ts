import { type Chance, InputError } from '#base';
import type { Axis } from './axis.ts';
import type { History } from './history.ts';
import type { GridSpec, Sampler } from './sampler.ts';
import type { Space } from './space.ts';

/**
 * Every combination of the grid once, in order, the last parameter fastest. Cells whose conditional parameters do not
 * exist are visited once, cells that a constraint forbids not at all. Its place is the cell in the newest record.
 */
export class GridSampler implements Sampler {
  private readonly space: Space;
  private readonly values: readonly (readonly number[])[];
  /** Cells of the whole product. */
  readonly cells: number;
  private next = 0;

  /** Throws InputError for a continuous parameter without `levels`, and for more than 2^53 cells. */
  constructor(space: Space, spec: GridSpec) {
    this.space = space;
    this.values = space.axes.map((axis) => axisValues(axis, spec.levels?.[axis.name]));
    this.cells = this.values.reduce((product, list) => product * list.length, 1);
    if (!Number.isSafeInteger(this.cells)) {
      throw new InputError('the grid has more than 2^53 cells', 'take wider steps or another sampler');
    }
  }

  propose(_history: History, _chance: Chance, into: Float64Array): readonly number[] | 'exhausted' {
    while (this.next < this.cells) {
      const cell = this.next++;
      if (this.decode(cell, into) && this.space.allows(this.space.point(into))) return [cell];
    }
    return 'exhausted';
  }

  /** Continues behind a cell that an earlier session asked for. */
  continueAfter(cell: number): void {
    if (cell >= this.next) this.next = cell + 1;
  }

  /** Coordinates of a cell; false for the doubles of a cell whose conditional parameters do not exist. */
  private decode(cell: number, into: Float64Array): boolean {
    let rest = cell;
    const { values, space } = this;
    for (let a = values.length - 1; a >= 0; a--) {
      const list = values[a]!;
      const k = rest % list.length;
      rest = (rest - k) / list.length;
      into[a] = k;
    }
    for (let a = 0; a < values.length; a++) {
      const k = into[a]!;
      if (space.active(a, into)) into[a] = values[a]![k]!;
      else if (k === 0) into[a] = Number.NaN;
      else return false;
    }
    return true;
  }
}

function axisValues(axis: Axis, levels: number | undefined): number[] {
  if (axis.choices !== null || axis.step > 0 || axis.low === axis.high) {
    return Array.from({ length: axis.levels }, (_, k) => (axis.choices === null ? axis.level(k) : k));
  }
  if (levels === undefined || !Number.isInteger(levels) || levels < 1) {
    throw new InputError(
      `the grid does not say how many values '${axis.name}' takes`,
      `give '${axis.name}' a step, or levels: { ${axis.name}: 10 }`,
    );
  }
  const first = axis.log ? Math.log(axis.low) : axis.low;
  const last = axis.log ? Math.log(axis.high) : axis.high;
  const at = (k: number) =>
    axis.snap(levels === 1 ? (first + last) / 2 : first + ((last - first) * k) / (levels - 1));
  return [...new Set(Array.from({ length: levels }, (_, k) => at(k)))];
}
