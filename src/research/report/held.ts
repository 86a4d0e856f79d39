import type { Series } from './series.ts';
import type { FillFact, TradeFact } from './trade-facts.ts';

/** What was held after each time at which that changed. */
export interface Held {
  readonly times: readonly number[];
  /** All positions' sizes summed, and long less short; at the prices of their last fills. */
  readonly gross: readonly number[];
  readonly net: readonly number[];
}

/** Follows fills in order of time; positions are valued at the price of the instrument's last fill. */
export function heldOverTime(fills: readonly FillFact[]): Held {
  const positions = new Map<string, { instrument: string; quantity: number; multiplier: number }>();
  const prices = new Map<string, number>();
  const times: number[] = [];
  const gross: number[] = [];
  const net: number[] = [];
  for (const { time, book, instrument, side, quantity, price, multiplier } of fills) {
    const key = `${book} ${instrument}`;
    const sum = (positions.get(key)?.quantity ?? 0) + (side === 'buy' ? quantity : -quantity);
    if (Math.abs(sum) <= 1e-9 * quantity) positions.delete(key);
    else positions.set(key, { instrument, quantity: sum, multiplier });
    prices.set(instrument, price);
    let [all, side_] = [0, 0];
    for (const one of positions.values()) {
      const value = one.quantity * one.multiplier * prices.get(one.instrument)!;
      all += Math.abs(value);
      side_ += value;
    }
    if (times.at(-1) !== time) {
      times.push(time);
      gross.push(all);
      net.push(side_);
    } else {
      gross[gross.length - 1] = all;
      net[net.length - 1] = side_;
    }
  }
  return { times, gross, net };
}

/** Share of the time from `from` to `to` in which something was held; null for no time. */
export function shareOfTimeHeld({ times, gross }: Held, from: number, to: number): number | null {
  if (!(to > from)) return null;
  let ms = 0;
  for (let i = 0; i < times.length; i++) {
    if (gross[i] === 0) continue;
    const begin = Math.max(from, times[i]!);
    const end = Math.min(to, times[i + 1] ?? to);
    ms += Math.max(0, end - begin);
  }
  return ms / (to - from);
}

/** Costs summed up to each time at which one was paid. */
export interface CostsOverTime {
  readonly fees: Series;
  /** Booked when a trade closes. */
  readonly funding: Series;
  /** What taker fills lost at a fixed rate of their price; null where the run had none. */
  readonly slippage: Series | null;
}

/** `slippageRate` is the fixed rate that the venue took off the price of taker fills; 0 for none. */
export function costsOverTime(
  fills: readonly FillFact[],
  trades: readonly TradeFact[],
  slippageRate: number,
): CostsOverTime {
  const closed = [...trades].sort((a, b) => a.closedAt - b.closedAt);
  const slipped = fills.filter(({ liquidity }) => liquidity === 'taker');
  return {
    fees: summed(fills.map(({ time, fee }) => [time, fee])),
    funding: summed(closed.map(({ closedAt, funding }) => [closedAt, funding])),
    slippage:
      slippageRate > 0
        ? summed(
            slipped.map(({ time, quantity, price, multiplier, side }) => {
              // price = reference * (1 + rate) for a buyer, * (1 - rate) for a seller
              const reference = price / (side === 'buy' ? 1 + slippageRate : 1 - slippageRate);
              return [time, quantity * multiplier * reference * slippageRate];
            }),
          )
        : null,
  };
}

function summed(entries: readonly (readonly [number, number])[]): Series {
  const times: number[] = [];
  const values: number[] = [];
  let sum = 0;
  for (const [time, amount] of entries) {
    sum += amount;
    if (times.at(-1) === time) values[values.length - 1] = sum;
    else {
      times.push(time);
      values.push(sum);
    }
  }
  return { times, values };
}

/** Equal money in every instrument at its first close, held to the end without costs; cash until then. */
export function buyAndHold(
  cash: number,
  closes: readonly Series[],
  from: number,
): { times: number[]; values: number[] } {
  const share = cash / closes.length;
  const times = [...new Set(closes.flatMap(({ times: own }) => Array.from(own)))]
    .filter((time) => time >= from)
    .sort((a, b) => a - b);
  const values = new Array<number>(times.length).fill(0);
  for (const { times: own, values: prices } of closes) {
    let at = -1;
    let first = -1;
    for (let i = 0; i < times.length; i++) {
      while (at + 1 < own.length && own[at + 1]! <= times[i]!) {
        at += 1;
        if (first < 0 && own[at]! >= from) first = at;
      }
      values[i]! += first < 0 ? share : (share * prices[at]!) / prices[first]!;
    }
  }
  return { times, values };
}
