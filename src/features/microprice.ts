import { assert, type Instant } from '#base';
import type { FlowKernel, QuoteColumns } from './flow.ts';

/** Adjustment of the mid price by imbalance bucket and spread: row-major, `spreads` columns, in price. */
export interface MicropriceModel {
  readonly tick: number;
  /** Buckets of bidSize / (bidSize + askSize) over 0..1. */
  readonly buckets: number;
  /** Spreads of 1..spreads ticks; wider ones count as the widest. */
  readonly spreads: number;
  readonly adjustment: readonly number[];
}

export interface MicropriceOptions {
  readonly tick: number;
  readonly buckets?: number;
  readonly spreads?: number;
}

/** Bucket and spread of a quote as one index, -1 when it has no size or no positive spread. */
function stateOf(
  model: { tick: number; buckets: number; spreads: number },
  bid: number,
  bidSize: number,
  ask: number,
  askSize: number,
): number {
  const total = bidSize + askSize;
  if (!(total > 0) || !(ask > bid)) return -1;
  const bucket = Math.min(model.buckets - 1, Math.floor((bidSize / total) * model.buckets));
  const ticks = Math.max(1, Math.round((ask - bid) / model.tick));
  return bucket * model.spreads + Math.min(model.spreads, ticks) - 1;
}

/**
 * Stoikov's micro-price (2018, "The micro-price: a high-frequency estimator of future prices"): the limit of the
 * expected mid price given imbalance and spread, from a Markov chain over both. With Q the transitions that leave
 * the mid unchanged, T those that move it and R the mean move: G1 = (I - Q)^-1 R, B = (I - Q)^-1 T, and the
 * adjustment is the sum of B^k G1. Every observation is also counted mirrored, so that the sum converges and an
 * even book adjusts nothing. States never seen adjust nothing.
 */
export function fitMicroprice(quotes: QuoteColumns, options: MicropriceOptions): MicropriceModel {
  const { tick } = options;
  const buckets = options.buckets ?? 10;
  const spreads = options.spreads ?? 3;
  assert(tick > 0 && buckets >= 1 && spreads >= 1, 'a micro-price needs a tick, buckets and spreads');
  const states = buckets * spreads;
  const visits = new Float64Array(states);
  const still = new Float64Array(states * states);
  const moved = new Float64Array(states * states);
  const move = new Float64Array(states);
  const grid = { tick, buckets, spreads };
  const mirror = (s: number) => (buckets - 1 - Math.floor(s / spreads)) * spreads + (s % spreads);
  let before = -1;
  let midBefore = 0;
  for (let i = 0; i < quotes.time.length; i++) {
    const state = stateOf(grid, quotes.bid[i], quotes.bidSize[i], quotes.ask[i], quotes.askSize[i]);
    const mid = (quotes.bid[i] + quotes.ask[i]) / 2;
    if (before >= 0 && state >= 0) {
      const change = Math.abs(mid - midBefore) < tick / 4 ? 0 : mid - midBefore;
      for (const side of [1, -1]) {
        const a = side === 1 ? before : mirror(before);
        const b = side === 1 ? state : mirror(state);
        visits[a]++;
        if (change === 0) still[a * states + b]++;
        else {
          moved[a * states + b]++;
          move[a] += side * change;
        }
      }
    }
    before = state;
    midBefore = mid;
  }
  return { tick, buckets, spreads, adjustment: adjustments(states, visits, still, moved, move) };
}

function adjustments(
  states: number,
  visits: Float64Array,
  still: Float64Array,
  moved: Float64Array,
  move: Float64Array,
): number[] {
  // Columns of the right-hand side: R, then T. A state the mid never leaves would make I - Q singular: hence the 1e-9.
  const width = 2 * states + 1;
  const rows = Array.from({ length: states }, (_, s) => {
    const row = new Float64Array(width);
    const count = Math.max(1, visits[s]);
    for (let t = 0; t < states; t++) {
      row[t] = (s === t ? 1 : 0) - ((1 - 1e-9) * still[s * states + t]) / count;
      row[states + 1 + t] = moved[s * states + t] / count;
    }
    row[states] = move[s] / count;
    return row;
  });
  eliminate(rows, states);
  let term = rows.map((row) => row[states]);
  const total = [...term];
  for (let k = 0; k < 1000; k++) {
    const last = term;
    term = rows.map((row) => last.reduce((sum, value, t) => sum + row[states + 1 + t] * value, 0));
    let largest = 0;
    for (let s = 0; s < states; s++) {
      total[s] += term[s];
      largest = Math.max(largest, Math.abs(term[s]));
    }
    if (largest < 1e-15) break;
  }
  return total;
}

/** Gauss and Jordan with partial pivots on the first n columns, in place. */
function eliminate(rows: Float64Array[], n: number): void {
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(rows[r][c]) > Math.abs(rows[pivot][c])) pivot = r;
    [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
    const head = rows[c];
    const scale = 1 / head[c];
    for (let k = 0; k < head.length; k++) head[k] *= scale;
    for (let r = 0; r < n; r++) {
      const factor = rows[r][c];
      if (r === c || factor === 0) continue;
      for (let k = 0; k < head.length; k++) rows[r][k] -= factor * head[k];
    }
  }
}

/** Mid price, size-weighted mid and, with a fitted model, Stoikov's micro-price. NaN for a quote without sizes. */
export class Microprice implements FlowKernel {
  static readonly configuration = ['outputs', 'model'];
  readonly outputs = [
    { suffix: '', unit: 'price' },
    { suffix: 'mid', unit: 'price' },
    { suffix: 'weighted', unit: 'price' },
  ];
  values = new Float64Array(3).fill(Number.NaN);
  private readonly model: MicropriceModel;

  constructor(model: MicropriceModel) {
    this.model = model;
  }

  onQuote(_time: Instant, bid: number, bidSize: number, ask: number, askSize: number): void {
    const mid = (bid + ask) / 2;
    const state = stateOf(this.model, bid, bidSize, ask, askSize);
    this.values[0] = state < 0 ? Number.NaN : mid + this.model.adjustment[state];
    this.values[1] = mid;
    this.values[2] = (bid * askSize + ask * bidSize) / (bidSize + askSize);
  }
}
