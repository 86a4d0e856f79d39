import { DAY, formatInstant } from '#base';
import { sharpeOf } from '../statistics/moments.ts';
import { tradingYear } from './trading-year.ts';

/** A closed trade as far as its month and regime go. */
export interface LivedTrade {
  readonly openedAt: number;
  readonly closedAt: number;
  /** After costs, in units of the account's currency. */
  readonly net: number;
  /** The desk's own regime at the entry; null without a detector. */
  readonly regime: string | null;
}

/** Where a part of the result was made. */
export interface Habitat {
  readonly name: string;
  readonly days: number;
  /** Compound return over its days; null where they are not told apart. */
  readonly return: number | null;
  /** Annualised by the run's year; null below three days or without movement. */
  readonly sharpe: number | null;
  readonly trades: number;
  readonly winRate: number | null;
  /** Sum of the trades' results. */
  readonly net: number;
}

export interface HabitatInput {
  readonly returns: Float64Array;
  /** UTC day of each return. */
  readonly days: Int32Array;
  readonly trades: readonly LivedTrade[];
  /** Realised volatility of the market on each of the days; NaN where it is not known. */
  readonly volatility: Float64Array;
}

/** In days. */
const LONGEST_BREAK = 10;

/** What is known of a day, or of the last one before it: a Monday's open is told by Friday. Nothing after a longer break. */
export function lastDayUpTo<T>(byDay: ReadonlyMap<number, T>, day: number): T | undefined {
  for (let back = 0; back < LONGEST_BREAK; back++) {
    const known = byDay.get(day - back);
    if (known !== undefined) return known;
  }
  return undefined;
}

/** Calendar months, UTC, in order: returns of their days, and trades that closed in them. */
export function monthsOf(input: HabitatInput): Habitat[] {
  const { days, trades } = input;
  const monthOf = (day: number) => formatInstant(day * DAY).slice(0, 7);
  const names = Array.from(days, monthOf);
  const traded = trades.map((trade) => monthOf(closingDay(trade.closedAt)));
  return habitats([...new Set(names)].sort(), names, input, traded);
}

/** The day a moment belongs to: what happens at 00:00 belongs to the day that ends there, as the equity does. */
const closingDay = (at: number): number => Math.ceil(at / DAY) - 1;

/** Terciles of the market's volatility over the run's days; trades by the day of their entry. */
export function volatilityTerciles(input: HabitatInput): Habitat[] {
  const { days, trades, volatility } = input;
  const sorted = Array.from(volatility)
    .filter((value) => !Number.isNaN(value))
    .sort((a, b) => a - b);
  if (sorted.length < 3) return [];
  const low = sorted[Math.floor(sorted.length / 3)]!;
  const high = sorted[Math.floor((2 * sorted.length) / 3)]!;
  const nameOf = (value: number | undefined) =>
    value === undefined || Number.isNaN(value)
      ? 'unknown'
      : value < low
        ? 'calm'
        : value < high
          ? 'usual'
          : 'wild';
  const names = Array.from(volatility, nameOf);
  const byDay = new Map(Array.from(days, (day, i) => [day, names[i]!]));
  const traded = trades.map((trade) => lastDayUpTo(byDay, closingDay(trade.openedAt)) ?? 'unknown');
  const all: readonly string[] = [...names, ...traded];
  const order = ['calm', 'usual', 'wild', 'unknown'].filter((name) => all.includes(name));
  return habitats(order, names, input, traded);
}

/** By the regime the desk itself saw at the entry. Days have no regime of their own: one may see several. */
export function regimesOf({ trades }: Pick<HabitatInput, 'trades'>): Habitat[] {
  const traded = trades.map(({ regime }) => regime ?? 'none');
  const names = [...new Set(traded)].sort();
  const noDays = { returns: new Float64Array(0), days: new Int32Array(0) };
  return habitats(names, [], { trades, ...noDays }, traded).map((one) => ({ ...one, return: null }));
}

function habitats(
  order: readonly string[],
  nameOfDay: readonly string[],
  { returns, days, trades }: Pick<HabitatInput, 'returns' | 'days' | 'trades'>,
  nameOfTrade: readonly string[],
): Habitat[] {
  const year = tradingYear(days);
  return order.map((name) => {
    const own = returns.filter((_, i) => nameOfDay[i] === name);
    const nets = trades.filter((_, i) => nameOfTrade[i] === name).map(({ net }) => net);
    const wins = nets.filter((net) => net > 0).length;
    return {
      name,
      days: own.length,
      return: own.reduce((grown, r) => grown * (1 + r), 1) - 1,
      sharpe: own.length < 3 ? null : sharpeOf(own, year),
      trades: nets.length,
      winRate: nets.length === 0 ? null : wins / nets.length,
      net: nets.reduce((sum, net) => sum + net, 0),
    };
  });
}
