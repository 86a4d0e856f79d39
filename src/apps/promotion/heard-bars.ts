import { type BarClosed, type InstrumentId, seriesFor } from '#market';

/** Bars of one length that came while they were news. */
export interface Span {
  readonly first: number;
  readonly last: number;
  readonly bars: number;
}

/** With which models a bar counts: ids, none for a desk that asks for none. Null: it does not count. */
export type CountsWith = readonly string[] | null;

/** Bars of the wanted length out of one series of a feed: itself, or made of the shorter ones that it brings. */
interface Series {
  readonly intervalMs: number;
  /** Close of the newest bar of the series. */
  newest: number;
  /** Close of the wanted bar that is filled now, and of how many it is made so far. */
  open: number;
  parts: number;
  span: Span | null;
  /** The newest whole bar, what had counted before it, and with which models it counts. */
  whole: number;
  before: Span | null;
  with: CountsWith;
  /** Bars that counted, by model. */
  readonly byModel: Map<string, number>;
}

/** The bars that a desk decides on, out of all that a portfolio hears. */
export class HeardBars {
  private readonly intervalMs: number;
  private readonly byInstrument = new Map<InstrumentId, Map<number, Series>>();

  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  /** A bar closed. `counts`: whether it does and with whom, until {@link HeardBars.told} says otherwise. */
  hear({ instrument, intervalMs, at, eventTime }: BarClosed, counts: CountsWith): void {
    if (this.intervalMs % intervalMs !== 0) return;
    const found = this.byInstrument.get(instrument) ?? new Map<number, Series>();
    this.byInstrument.set(instrument, found);
    const series = found.get(intervalMs) ?? fresh(intervalMs);
    found.set(intervalMs, series);
    if (at - eventTime > intervalMs) return;
    // a bar that came twice is one
    if (eventTime <= series.newest) return;
    series.newest = eventTime;
    const close = Math.ceil(eventTime / this.intervalMs) * this.intervalMs;
    const wanted = intervalMs === this.intervalMs ? eventTime : close;
    series.parts = series.open === wanted ? series.parts + 1 : 1;
    series.open = wanted;
    if (series.parts < this.intervalMs / intervalMs) return;
    series.whole = wanted;
    series.before = series.span;
    series.with = null;
    count(series, counts);
  }

  /** It was said at this moment whether an instrument's newest bar counts, and with whom. */
  told(instrument: InstrumentId, at: number, counts: CountsWith): void {
    for (const series of this.byInstrument.get(instrument)?.values() ?? [])
      if (at - series.whole < this.intervalMs) count(series, counts);
  }

  /** What counted of an instrument, by the series that the loop takes for the wanted length; null for nothing. */
  spanOf(instrument: string): Span | null {
    return this.seriesOf(instrument)?.span ?? null;
  }

  /** How many of an instrument's bars counted with each model. */
  byModelOf(instrument: string): ReadonlyMap<string, number> {
    return this.seriesOf(instrument)?.byModel ?? new Map();
  }

  private seriesOf(instrument: string): Series | null {
    const found = this.byInstrument.get(instrument as InstrumentId);
    if (found === undefined) return null;
    const ms = seriesFor(found.keys(), this.intervalMs);
    return ms === null ? null : found.get(ms)!;
  }

  /** Whether any bar of an instrument came while it was news. */
  came(instrument: string): boolean {
    const found = this.byInstrument.get(instrument as InstrumentId);
    return found !== undefined && [...found.values()].some(({ newest }) => newest > 0);
  }
}

const fresh = (intervalMs: number): Series => ({
  intervalMs,
  newest: Number.NEGATIVE_INFINITY,
  open: Number.NEGATIVE_INFINITY,
  parts: 0,
  span: null,
  whole: Number.NEGATIVE_INFINITY,
  before: null,
  with: null,
  byModel: new Map(),
});

/** The newest whole bar counts so, and no longer as it did. */
function count(series: Series, counts: CountsWith): void {
  const { byModel, before, whole } = series;
  for (const id of series.with ?? []) byModel.set(id, byModel.get(id)! - 1);
  for (const id of counts ?? []) byModel.set(id, (byModel.get(id) ?? 0) + 1);
  series.with = counts;
  series.span = counts === null ? before : longer(before, whole);
}

const longer = (span: Span | null, close: number): Span =>
  span === null
    ? { first: close, last: close, bars: 1 }
    : { first: span.first, last: close, bars: span.bars + 1 };
