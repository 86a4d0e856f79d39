import { DAY, formatInstant, formatInterval, type Instant } from '#base';
import { type InstrumentId, parseInstrumentId } from '#market';

/** A series as far as survivorship is concerned. */
export interface SeriesSpan {
  readonly instrument: InstrumentId;
  readonly intervalMs: number;
  readonly first: Instant;
  readonly last: Instant;
}

/** Series of one venue and interval. */
export interface UniverseSigns {
  readonly venue: string;
  readonly interval: string;
  readonly series: number;
  /** Instruments whose bars end long before those of the others: delisted, or no longer fetched. */
  readonly ended: readonly InstrumentId[];
  /** What to beware of; null when the universe is too small or too short to tell, or has ended series. */
  readonly warning: string | null;
}

/** Fewer series, or a shorter common span, tell nothing. */
const SERIES_LEAST = 5;
const SPAN_LEAST = 180 * DAY;
/** So far behind the newest bar a series has ended, and not only missed its last update. */
const BEHIND_LEAST = 30 * DAY;

/**
 * Looks at universes for survivorship: a study over instruments that all still trade knows who survived. A universe of
 * some size and length in which nothing ever ended is suspect.
 */
export function universeSigns(spans: readonly SeriesSpan[]): UniverseSigns[] {
  const groups = Map.groupBy(spans, (one) => `${parseInstrumentId(one.instrument).venue} ${one.intervalMs}`);
  const out: UniverseSigns[] = [];
  for (const group of groups.values()) {
    const { instrument, intervalMs } = group[0]!;
    const { venue } = parseInstrumentId(instrument);
    const last = Math.max(...group.map((one) => one.last));
    const first = Math.min(...group.map((one) => one.first));
    const behind = Math.max(BEHIND_LEAST, 3 * intervalMs);
    const ended = group.filter((one) => last - one.last > behind).map((one) => one.instrument);
    const tells = group.length >= SERIES_LEAST && last - first >= SPAN_LEAST;
    const interval = formatInterval(intervalMs);
    out.push({
      venue,
      interval,
      series: group.length,
      ended: ended.sort(),
      warning:
        tells && ended.length === 0
          ? `all ${group.length} series of ${venue} ${interval} reach the end (${formatInstant(last).slice(0, 10)}): instruments that were delisted seem to be missing, which flatters every study (survivorship)`
          : null,
    });
  }
  return out.sort((a, b) =>
    a.venue < b.venue ? -1 : a.venue > b.venue ? 1 : a.interval < b.interval ? -1 : 1,
  );
}
