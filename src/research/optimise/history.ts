import type { Space } from './space.ts';

/** States of a trial as small numbers, in the order of rank. */
export const COMPLETE = 0;
export const PRUNED = 1;
export const OPEN = 2;
export const FAILED = 3;
export type StateCode = typeof COMPLETE | typeof PRUNED | typeof OPEN | typeof FAILED;

/**
 * What samplers see of a study: columns over trials, grown by doubling. Trial `i` is row `i`. Two orders are kept up
 * to date by insertion, so that no sampler sorts: `ranked` (finished trials, best first) and `along[a]` (all trials
 * that have parameter `a`, by coordinate).
 */
export class History {
  readonly space: Space;
  count = 0;
  /** Finished trials, complete or pruned: the first `finished` entries of `ranked`. */
  finished = 0;
  open = 0;
  coordinates: Float64Array[];
  /** To be made small: the value, or its negative where the study maximises. */
  loss = new Float64Array(64);
  /** By how much told constraints are broken; 0 is feasible. */
  violation = new Float64Array(64);
  /** Last reported step of a pruned trial. */
  steps = new Float64Array(64);
  state = new Uint8Array(64);
  ranked = new Int32Array(64);
  along: Int32Array[];
  readonly alongCount: Int32Array;

  constructor(space: Space) {
    this.space = space;
    this.coordinates = space.axes.map(() => new Float64Array(64));
    this.along = space.axes.map(() => new Int32Array(64));
    this.alongCount = new Int32Array(space.axes.length);
  }

  /** A new open trial; returns its row. */
  add(point: Float64Array): number {
    if (this.count === this.loss.length) this.grow();
    const row = this.count++;
    this.state[row] = OPEN;
    this.open += 1;
    for (let a = 0; a < point.length; a++) {
      const c = point[a]!;
      this.coordinates[a]![row] = c;
      if (!Number.isNaN(c)) this.insertAlong(a, row, c);
    }
    return row;
  }

  /** Closes an open trial. */
  finish(row: number, state: StateCode, loss: number, violation: number, step: number): void {
    this.state[row] = state;
    this.loss[row] = loss;
    this.violation[row] = violation;
    this.steps[row] = step;
    this.open -= 1;
    if (state === COMPLETE || state === PRUNED) this.insertRanked(row);
  }

  /**
   * Negative when trial `a` is the better one: feasible before infeasible, then less violation; complete before
   * pruned; complete ones by loss, pruned ones by how far they came and then by loss (Optuna's order); then the
   * earlier one.
   */
  compare(a: number, b: number): number {
    const { violation, state, loss, steps } = this;
    if (violation[a] !== violation[b]) return violation[a]! - violation[b]!;
    if (state[a] !== state[b]) return state[a]! - state[b]!;
    if (state[a] === PRUNED && steps[a] !== steps[b]) return steps[b]! - steps[a]!;
    if (loss[a] !== loss[b]) return loss[a]! - loss[b]!;
    return a - b;
  }

  private insertRanked(row: number): void {
    const { ranked } = this;
    let low = 0;
    let high = this.finished;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.compare(ranked[middle]!, row) < 0) low = middle + 1;
      else high = middle;
    }
    ranked.copyWithin(low + 1, low, this.finished);
    ranked[low] = row;
    this.finished += 1;
  }

  private insertAlong(a: number, row: number, c: number): void {
    const order = this.along[a]!;
    const column = this.coordinates[a]!;
    let low = 0;
    let high = this.alongCount[a]!;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (column[order[middle]!]! <= c) low = middle + 1;
      else high = middle;
    }
    order.copyWithin(low + 1, low, this.alongCount[a]!);
    order[low] = row;
    this.alongCount[a]! += 1;
  }

  private grow(): void {
    const wider = this.loss.length * 2;
    const floats = (old: Float64Array) => {
      const next = new Float64Array(wider);
      next.set(old);
      return next;
    };
    const ints = (old: Int32Array) => {
      const next = new Int32Array(wider);
      next.set(old);
      return next;
    };
    this.coordinates = this.coordinates.map(floats);
    this.loss = floats(this.loss);
    this.violation = floats(this.violation);
    this.steps = floats(this.steps);
    this.ranked = ints(this.ranked);
    this.along = this.along.map(ints);
    const state = new Uint8Array(wider);
    state.set(this.state);
    this.state = state;
  }
}
