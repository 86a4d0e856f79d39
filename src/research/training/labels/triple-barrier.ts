import { InputError } from '#base';
import type { BarColumns } from '#market';

/** The columns that barriers look at. */
export type BarrierBars = Pick<BarColumns, 'length' | 'high' | 'low' | 'close'>;

/** Where the barriers of each bar lie. */
export interface Barriers {
  /** Per bar the unit of both distances, such as the average true range at its close; NaN or 0 and the bar has no label. */
  readonly width: ArrayLike<number>;
  /** Loss that ends a position, in widths. */
  readonly stop: number;
  /** Profit that ends it, in widths. */
  readonly target: number;
  /** Bars after which it ends whatever happened. */
  readonly verticalBars: number;
}

/** How a position that follows one bar ended. */
export interface BarrierOutcomes {
  /** 1 the target, -1 the stop, 0 the vertical barrier; 0 as well where nothing is known. */
  readonly outcomes: Int8Array;
  /** The bar of the end; the bar itself where nothing is known. */
  readonly ends: Int32Array;
  /** Per unit of the close: what was earned at the barrier that was touched, or at the last close. */
  readonly returns: Float64Array;
  /** 1 where there is an outcome. */
  readonly known: Uint8Array;
}

/** Classes of {@link tripleBarrierLabels}, in the order of a model's outputs. */
export const LABEL_CLASSES = ['down', 'none', 'up'] as const;

export interface BarrierLabels {
  /** Per bar 0 down, 1 none, 2 up; 1 as well where nothing is known. */
  readonly labels: Int8Array;
  /** The bar with whose close the label is known: the label's span is from its bar to here, both included. */
  readonly spanEnds: Int32Array;
  /** 1 where there is a label. */
  readonly known: Uint8Array;
}

/**
 * The triple barrier (Lopez de Prado 2018, "Advances in Financial Machine Learning", section 3.3) for a position on one
 * side of each bar: taken at the bar's close, ended by the first of the following bars whose high or low touches a
 * barrier. Touching counts. Where one bar touches both, the stop counts, because nobody knows which came first.
 * `sides` holds 1 for long, -1 for short and 0 for none; or one of them for all bars.
 *
 * A bar whose vertical barrier lies behind the last bar is not known, even where another barrier was touched: of the
 * last bars only fast ends would be seen. Throws InputError for barriers that cannot be.
 */
export function tripleBarrier(
  bars: BarrierBars,
  sides: 1 | -1 | ArrayLike<number>,
  barriers: Barriers,
): BarrierOutcomes {
  checkBarriers(bars, barriers);
  const n = bars.length;
  const out = emptyOutcomes(n);
  for (let i = 0; i < n; i++) {
    const side = typeof sides === 'number' ? sides : sides[i]!;
    if (side === 0) continue;
    if (side !== 1 && side !== -1) throw new InputError(`the side of bar ${i} is ${side}`, 'give 1, -1 or 0');
    follow(bars, barriers, i, side, out);
  }
  return out;
}

/**
 * What happened first after each bar, in three classes (sheet S1 RX68, section 3): up where a long position reaches its
 * target, down where a short one with mirrored barriers does, none otherwise. With a target at least as far as the stop
 * the two exclude each other: whoever rises to the long's target has passed the short's stop. A label of up or down is
 * known with the bar that reaches the target, none with the later of both ends. Throws InputError for a target nearer
 * than the stop.
 */
export function tripleBarrierLabels(bars: BarrierBars, barriers: Barriers): BarrierLabels {
  checkBarriers(bars, barriers);
  if (barriers.target < barriers.stop) {
    throw new InputError(
      `a target of ${barriers.target} and a stop of ${barriers.stop} can make one bar both up and down`,
      'put the target at least as far away as the stop',
    );
  }
  const n = bars.length;
  const long = tripleBarrier(bars, 1, barriers);
  const short = tripleBarrier(bars, -1, barriers);
  const labels = new Int8Array(n).fill(1);
  const spanEnds = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    if (long.outcomes[i] === 1) {
      labels[i] = 2;
      spanEnds[i] = long.ends[i]!;
    } else if (short.outcomes[i] === 1) {
      labels[i] = 0;
      spanEnds[i] = short.ends[i]!;
    } else spanEnds[i] = Math.max(long.ends[i]!, short.ends[i]!);
  }
  return { labels, spanEnds, known: long.known };
}

/**
 * Labels for a second model that says whether to follow a first one (Lopez de Prado, section 3.6): 1 where the side that
 * `sides` took at a bar reached its target, or earned something until the vertical barrier; 0 where it did not. Known
 * where the first model took a side and its end was seen.
 */
export function metaLabels(bars: BarrierBars, sides: ArrayLike<number>, barriers: Barriers): BarrierLabels {
  if (sides.length < bars.length) {
    throw new InputError(`${sides.length} sides for ${bars.length} bars`, 'give every bar 1, -1 or 0');
  }
  const { returns, ends, known } = tripleBarrier(bars, sides, barriers);
  const labels = new Int8Array(bars.length);
  for (let i = 0; i < labels.length; i++) labels[i] = Number(known[i] === 1 && returns[i]! > 0);
  return { labels, spanEnds: ends, known };
}

function follow(bars: BarrierBars, barriers: Barriers, i: number, side: 1 | -1, out: BarrierOutcomes): void {
  const { width, stop, target, verticalBars } = barriers;
  const last = i + verticalBars;
  const entry = bars.close[i]!;
  if (!(width[i]! > 0) || !Number.isFinite(width[i]!) || last >= bars.length) return;
  const goal = entry + side * target * width[i]!;
  const end = entry - side * stop * width[i]!;
  out.known[i] = 1;
  for (let t = i + 1; t <= last; t++) {
    const worst = side === 1 ? bars.low[t]! : bars.high[t]!;
    const best = side === 1 ? bars.high[t]! : bars.low[t]!;
    if (side * (worst - end) <= 0) return settle(out, i, t, -1, (side * (end - entry)) / entry);
    if (side * (best - goal) >= 0) return settle(out, i, t, 1, (side * (goal - entry)) / entry);
  }
  settle(out, i, last, 0, (side * (bars.close[last]! - entry)) / entry);
}

function settle(out: BarrierOutcomes, i: number, end: number, outcome: number, earned: number): void {
  out.outcomes[i] = outcome;
  out.ends[i] = end;
  out.returns[i] = earned;
}

function emptyOutcomes(n: number): BarrierOutcomes {
  return {
    outcomes: new Int8Array(n),
    ends: Int32Array.from({ length: n }, (_, i) => i),
    returns: new Float64Array(n),
    known: new Uint8Array(n),
  };
}

function checkBarriers(bars: BarrierBars, { width, stop, target, verticalBars }: Barriers): void {
  if (width.length < bars.length) {
    throw new InputError(
      `${width.length} widths for ${bars.length} bars`,
      'give every bar one, NaN where there is none',
    );
  }
  if (!(stop > 0 && target > 0 && Number.isFinite(stop) && Number.isFinite(target))) {
    throw new InputError(`a stop of ${stop} and a target of ${target}`, 'give distances above 0');
  }
  if (!Number.isInteger(verticalBars) || verticalBars < 1) {
    throw new InputError(`a vertical barrier after ${verticalBars} bars`, 'give a whole number from 1');
  }
}
