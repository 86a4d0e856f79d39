import type { Instant } from '#base';
import { type Bar, barAt, columnsOfBars, resampleColumns, windowStart } from '#market';

/** A closed bar as a provider states it; null: it states no volume. */
export type ProvidedBar = Omit<Bar, 'volume'> & { readonly volume: number | null };

export interface ProviderRequest {
  /** What the provider calls it: `BTC/USD`, `BTCUSDT`. */
  readonly symbol: string;
  readonly intervalMs: number;
  /** Bars that open in [from, to). */
  readonly from: Instant;
  readonly to: Instant;
}

/** Somebody who can be asked for closed bars of the past. */
export interface BarProvider {
  readonly name: string;
  /**
   * The closed bars of a span that exist, ascending; the running bar never. Rejects with UnreachableError when nobody answers
   * in time or the budget is spent, with VenueRefusal when the answer is no.
   */
  bars(request: ProviderRequest, signal?: AbortSignal): Promise<readonly ProvidedBar[]>;
}

/** Longer bars of those whose parts are all there; where a part states no volume, the whole does not. */
export function resampleProvided(
  rows: readonly ProvidedBar[],
  fromMs: number,
  toMs: number,
): readonly ProvidedBar[] {
  if (fromMs === toMs) return rows;
  const silent = new Set(
    rows.filter(({ volume }) => volume === null).map(({ time }) => windowStart(time, toMs)),
  );
  const bars: Bar[] = rows.map((row) => ({ ...row, volume: row.volume ?? 0 }));
  const { columns } = resampleColumns(columnsOfBars(bars), fromMs, toMs);
  const counts = new Map<Instant, number>();
  for (const { time } of bars) {
    const start = windowStart(time, toMs);
    counts.set(start, (counts.get(start) ?? 0) + 1);
  }
  const out: ProvidedBar[] = [];
  for (let i = 0; i < columns.length; i++) {
    const bar = barAt(columns, i);
    if (counts.get(bar.time) === toMs / fromMs)
      out.push({ ...bar, volume: silent.has(bar.time) ? null : bar.volume });
  }
  return out;
}
