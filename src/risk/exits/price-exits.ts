import { assert } from '#base';
import { columnarExits } from '../columnar.ts';
import type { Exit, ExitAhead } from '../exit.ts';

/** Closes at or beyond the stop. Rests at the venue. */
export function stopLossExit(): Exit {
  const exit = 'stop-loss';
  const made: Exit = {
    name: exit,
    features: {},
    restsAtVenue: true,
    check: ({ position, price }) => {
      const { stopPrice, direction } = position;
      if (stopPrice === null || !(direction * (price - stopPrice) <= 0)) return null;
      return { exit, reason: `price ${price} has reached the stop ${stopPrice}` };
    },
    ahead: ({ position, price }) => atPrice(position.stopPrice, price, position.entryPrice, 'stop'),
  };
  return columnarExits.describe(made, { kind: exit });
}

/** Closes at or beyond the target. Rests at the venue. */
export function takeProfitExit(): Exit {
  const exit = 'take-profit';
  const made: Exit = {
    name: exit,
    features: {},
    restsAtVenue: true,
    check: ({ position, price }) => {
      const { targetPrice, direction } = position;
      if (targetPrice === null || !(direction * (price - targetPrice) >= 0)) return null;
      return { exit, reason: `price ${price} has reached the target ${targetPrice}` };
    },
    ahead: ({ position, price }) => atPrice(position.targetPrice, price, position.entryPrice, 'target'),
  };
  return columnarExits.describe(made, { kind: exit });
}

function atPrice(level: number | null, now: number, from: number, what: string): ExitAhead | null {
  return level === null ? null : { on: 'price', level, now, from, armed: true, text: `${what} ${level}` };
}

/** Distance per regime as a fraction of the best price; `otherwise` for a regime without one or none at all. */
export interface TrailingConfig {
  readonly distances: Readonly<Record<string, number>>;
  readonly otherwise: number;
}

/** sigma.md 10. An unknown regime trails closest. */
export const SIGMA_TRAILING: TrailingConfig = {
  distances: { TREND_UP: 0.025, TREND_DOWN: 0.025, VOLATILE: 0.02, RANGE: 0.015, CHOP: 0.01 },
  otherwise: 0.01,
};

/** Level that trails the best price by `distance` once the best profit has reached `distance`, else null. */
export function trailLevel(
  direction: 1 | -1,
  entryPrice: number,
  bestPrice: number,
  distance: number,
): number | null {
  const profit = (direction * (bestPrice - entryPrice)) / entryPrice;
  // a profit that equals the distance but for the last bits of a float arms it
  return profit >= distance * (1 - 1e-12) ? bestPrice * (1 - direction * distance) : null;
}

/**
 * Trails the best price by the current regime's distance. The level is kept in the position's memory and only ever
 * moves in our favour, also when a new regime asks for a wider distance.
 */
export function trailingExit(changes: Partial<TrailingConfig> = {}): Exit {
  const config = { ...SIGMA_TRAILING, ...changes };
  const exit = 'trailing';
  const made: Exit = {
    name: exit,
    features: {},
    restsAtVenue: false,
    memory: { of: 'position', make: () => ({ level: Number.NaN }) },
    check: ({ position, price, regime }, _values, memory) => {
      assert(memory !== undefined, 'the trailing exit needs its memory: pass ExitMemories.of(exit, book)');
      const { direction, entryPrice, bestPrice } = position;
      const distance = (regime === null ? undefined : config.distances[regime]) ?? config.otherwise;
      const level = trailLevel(direction, entryPrice, bestPrice, distance);
      if (level !== null && !(direction * (level - memory.level!) <= 0)) memory.level = level;
      if (!(direction * (price - memory.level!) <= 0)) return null;
      return { exit, reason: `price ${price} has fallen back to the trailing stop ${memory.level}` };
    },
    ahead: ({ position, price, regime }, _values, memory) => {
      const { direction, entryPrice, bestPrice } = position;
      const level = memory?.level ?? Number.NaN;
      if (Number.isFinite(level)) {
        const text = `trailing stop ${level}`;
        return { on: 'price', level, now: price, from: bestPrice, armed: true, text };
      }
      const distance = (regime === null ? undefined : config.distances[regime]) ?? config.otherwise;
      const arms = entryPrice * (1 + direction * distance);
      const text = `trails by ${distance} of the price once that has reached ${arms}`;
      return { on: 'price', level: arms, now: price, from: entryPrice, armed: false, text };
    },
  };
  return columnarExits.describe(made, { kind: exit, distance: config.otherwise });
}
