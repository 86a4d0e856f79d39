import {
  type BarProvider,
  type BarStore,
  type FeedClock,
  gapsBetween,
  type ProvidedBar,
  resampleProvided,
} from '#adapters';
import type { Instant } from '#base';
import type { Series } from './series.ts';

/** A provider and what it calls the symbols. */
export interface Source {
  readonly provider: BarProvider;
  readonly symbolOf: (series: Series) => string;
}

export interface Found {
  /** Ascending, of the span asked for. */
  readonly bars: readonly ProvidedBar[];
  readonly missing: number;
  /** Why something is missing, when somebody said so. */
  readonly why: string | null;
}

/**
 * Finds bars that no webhook told: first made of the finer bars that the store has of the same instrument, then asked for
 * from one provider after the other. Who tells a bar without its volume is lent the volume by the next. It puts nothing into the store.
 */
export class GapFiller {
  private readonly store: BarStore;
  private readonly series: readonly Series[];
  private readonly sources: readonly Source[];
  private readonly clock: FeedClock;

  constructor(options: {
    store: BarStore;
    series: readonly Series[];
    sources: readonly Source[];
    clock: FeedClock;
  }) {
    this.store = options.store;
    this.series = options.series;
    this.sources = options.sources;
    this.clock = options.clock;
  }

  /** Whether anybody could know a bar of this series that the webhook did not tell. */
  canFind(series: Series): boolean {
    return this.sources.length > 0 || this.finerThan(series).length > 0;
  }

  /** The bars of a series that open in [from, to); providers are given `waitMs` each. */
  async find(series: Series, from: Instant, to: Instant, waitMs: number): Promise<Found> {
    const { intervalMs } = series;
    const found = new Map<Instant, ProvidedBar>();
    const missing = () =>
      gapsBetween(
        [...found.keys()].sort((a, b) => a - b),
        intervalMs,
        from,
        to,
      );
    /** The span of what has to be asked for yet: bars, and the volume of bars that lack it. */
    const wanted = () => {
      const gaps = missing();
      const silent = [...found.values()].filter(({ volume }) => volume === null).map(({ time }) => time);
      return {
        from: Math.min(
          gaps[0]?.from ?? to,
          silent.reduce((a, b) => Math.min(a, b), to),
        ),
        to: Math.max(
          gaps.at(-1)?.to ?? from,
          silent.reduce((a, b) => Math.max(a, b + intervalMs), from),
        ),
      };
    };
    const take = (bars: readonly ProvidedBar[]) => {
      for (const bar of bars) {
        if (bar.time < from || bar.time >= to || bar.time % intervalMs !== 0) continue;
        const known = found.get(bar.time);
        if (known === undefined) found.set(bar.time, bar);
        else if (known.volume === null) found.set(bar.time, { ...known, volume: bar.volume });
      }
    };
    let why: string | null = null;
    for (const finer of this.finerThan(series)) {
      if (missing().length === 0) break;
      const stored = await this.store.readRange(finer.id, from, to);
      const rows = stored.map((bar) => (bar.volumeUnknown === true ? { ...bar, volume: null } : bar));
      take(resampleProvided(rows, finer.intervalMs, intervalMs));
    }
    for (const { provider, symbolOf } of this.sources) {
      const span = wanted();
      if (span.from >= span.to) break;
      try {
        const request = { symbol: symbolOf(series), intervalMs, ...span };
        take(await within(this.clock, waitMs, (signal) => provider.bars(request, signal)));
      } catch (cause) {
        why = `${provider.name}: ${(cause as Error).message}`;
      }
    }
    const bars = [...found.values()].sort((a, b) => a.time - b.time);
    return { bars, missing: (to - from) / intervalMs - bars.length, why };
  }

  /** Series of the same instrument whose bars make those of this one, the longest first. */
  private finerThan({ instrument, intervalMs }: Series): Series[] {
    return this.series
      .filter(
        (other) =>
          other.instrument === instrument &&
          other.intervalMs < intervalMs &&
          intervalMs % other.intervalMs === 0,
      )
      .sort((a, b) => b.intervalMs - a.intervalMs);
  }
}

/** Runs a task that must end by itself within `waitMs`. */
export async function within<T>(
  clock: FeedClock,
  waitMs: number,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const cancel = clock.later(waitMs, () => end.abort(new Error(`no answer in ${waitMs} ms`)));
  try {
    return await task(end.signal);
  } finally {
    cancel();
  }
}
