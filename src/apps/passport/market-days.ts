import type { BarSeries, Tape } from '#adapters';
import type { InstrumentId } from '#market';
import { dayOf } from '../setup/registry/tape-days.ts';

/** What an instrument did on one UTC day. */
export interface MarketDay {
  /** Sum of the bars' volumes. */
  readonly volume: number;
  /** Root of the sum of squared log returns from close to close. */
  readonly volatility: number;
}

export type MarketDays = ReadonlyMap<InstrumentId, ReadonlyMap<number, MarketDay>>;

/** Volume and realised volatility of each day of each instrument, from its finest bars. */
export function marketDays(tape: Tape): MarketDays {
  const finest = new Map<InstrumentId, BarSeries>();
  for (const series of tape.series) {
    if (series.kind !== 'bars') continue;
    const known = finest.get(series.instrument);
    if (known === undefined || series.intervalMs < known.intervalMs) finest.set(series.instrument, series);
  }
  return new Map([...finest].map(([instrument, series]) => [instrument, daysOf(series)]));
}

function daysOf({ columns, intervalMs }: BarSeries): ReadonlyMap<number, MarketDay> {
  const sums = new Map<number, { volume: number; squares: number }>();
  const { length, time, close, volume } = columns;
  for (let i = 0; i < length; i++) {
    const day = dayOf(time[i]! + intervalMs);
    const sum = sums.get(day) ?? { volume: 0, squares: 0 };
    sums.set(day, sum);
    sum.volume += volume[i]!;
    if (i > 0) sum.squares += Math.log(close[i]! / close[i - 1]!) ** 2;
  }
  return new Map(
    [...sums].map(([day, { volume: sum, squares }]) => [
      day,
      { volume: sum, volatility: Math.sqrt(squares) },
    ]),
  );
}

/** Mean volatility of all instruments on each of the days; NaN where no bar tells. */
export function meanVolatility(market: MarketDays, days: Int32Array): Float64Array {
  return Float64Array.from(days, (day) => {
    const known = [...market.values()].flatMap((one) => one.get(day)?.volatility ?? []);
    return known.length === 0 ? Number.NaN : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}
