import { InputError } from '#base';
import type { BarColumns, InstrumentId } from '#market';
import type { Proposal } from '../signal.ts';
import { type Source, source } from '../source.ts';

/** Log ratio of two instruments against its own recent past. */
export interface SpreadReading {
  /** Population z-score of the newest log ratio in its window, this bar included. */
  readonly z: number;
  /** Population deviation of the log ratio: one z is this return on either leg. */
  readonly deviation: number;
}

/**
 * ln(a/b) of the newest `window` bars. Null unless both series have those bars at the same times, or when the ratio
 * did not move.
 */
export function spreadReading(a: BarColumns, b: BarColumns, window: number): SpreadReading | null {
  if (a.length < window || b.length < window) return null;
  const shift = b.length - a.length;
  const last = a.length - 1;
  const anchor = Math.log(a.close[last]! / b.close[last + shift]!);
  let sum = 0;
  let squares = 0;
  for (let i = a.length - window; i <= last; i++) {
    if (a.time[i] !== b.time[i + shift]) return null;
    const d = Math.log(a.close[i]! / b.close[i + shift]!) - anchor;
    sum += d;
    squares += d * d;
  }
  const mean = sum / window;
  const variance = squares / window - mean * mean;
  if (!(variance > 1e-18)) return null;
  const deviation = Math.sqrt(variance);
  return { z: -mean / deviation, deviation };
}

export interface SpreadConfig {
  /** The other leg; the desk must subscribe to it at the same interval. */
  readonly peer: InstrumentId;
  readonly window?: number;
  /** |z| from which on the spread is proposed. */
  readonly entry?: number;
  /** |z| at which it is taken to be closed, and at which it is given up. */
  readonly exit?: number;
  readonly stop?: number;
  /** Value of each leg in quote currency. */
  readonly legValue: number;
  /** Fees and slippage of one order as a fraction of its value; a spread is four orders. */
  readonly costRate: number;
  readonly name?: string;
}

type CompleteSpread = Required<SpreadConfig>;

/** Completes and checks a configuration. */
export function spreadConfig(config: SpreadConfig): CompleteSpread {
  const complete = { window: 100, entry: 2, exit: 0.5, stop: 4, name: 'spread', ...config };
  const { window, entry, exit, stop, legValue, costRate, name } = complete;
  if (!(Number.isSafeInteger(window) && window >= 2)) {
    throw new InputError(`${name}: a window of ${window} bars has no deviation`, 'use 2 bars or more');
  }
  if (!(exit >= 0 && exit < entry && entry < stop && Number.isFinite(stop))) {
    throw new InputError(
      `${name}: exit < entry < stop does not hold`,
      'for example exit 0.5, entry 2, stop 4',
    );
  }
  if (!(legValue > 0 && Number.isFinite(legValue) && costRate >= 0 && costRate < 1)) {
    throw new InputError(`${name}: legValue must be positive and costRate within 0..1`, 'correct them');
  }
  return complete;
}

/**
 * Sells the dear leg and buys the cheap one at equal value. The edge is the way back to `exit`, the worst loss the
 * way on to `stop`, both after four orders' costs. Null inside the entry band, beyond the stop, or without an edge.
 */
export function proposeSpread(
  reading: SpreadReading,
  legs: { readonly instrument: InstrumentId; readonly price: number; readonly peerPrice: number },
  config: CompleteSpread,
): Proposal | null {
  const { entry, exit, stop, legValue, costRate, peer, name } = config;
  const size = Math.abs(reading.z);
  if (!(size >= entry && size < stop && legs.price > 0 && legs.peerPrice > 0)) return null;
  const costs = 4 * costRate * legValue;
  const expectedEdge = (size - exit) * reading.deviation * legValue - costs;
  if (!(expectedEdge > 0 && Number.isFinite(expectedEdge))) return null;
  const dear = reading.z > 0;
  return {
    kind: 'proposal',
    source: name,
    legs: [
      leg(legs.instrument, dear ? 'sell' : 'buy', legValue / legs.price),
      leg(peer, dear ? 'buy' : 'sell', legValue / legs.peerPrice),
    ],
    expectedEdge,
    worstLoss: (stop - size) * reading.deviation * legValue + costs,
    detail: { z: reading.z, deviation: reading.deviation },
  };
}

function leg(instrument: InstrumentId, side: 'buy' | 'sell', quantity: number) {
  return { instrument, side, quantity, limitPrice: null } as const;
}

/** Two-leg mean reversion as a source: proposes on every bar on which the spread is stretched and pays its costs. */
export function spreadSource(config: SpreadConfig): Source {
  const complete = spreadConfig(config);
  return source({
    name: complete.name,
    emits: 'proposal',
    features: {},
    signal: (view) => {
      const other = view.peer(complete.peer, view.intervalMs);
      if (other === null) return null;
      const reading = spreadReading(view.frame.bars, other.bars, complete.window);
      if (reading === null) return null;
      const peerPrice = other.bars.close[other.bars.length - 1]!;
      return proposeSpread(
        reading,
        { instrument: view.instrument.id, price: view.close, peerPrice },
        complete,
      );
    },
  });
}
