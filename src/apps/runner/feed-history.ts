import type { BarStore, FeedClock, NewBar, StoredBar } from '#adapters';
import { floorTo, SECOND } from '#base';
import type { GapFiller } from '../ingest/gap-filler.ts';
import { knownVolume, withoutFigures } from '../ingest/queued-bar.ts';
import type { Series } from '../ingest/series.ts';
import type { Session } from './session.ts';

const BARS_MOST = 20_000;
const FIND_MS = 90 * SECOND;

/** Bars that a session lacks before it can go on behind the end of a store: of a first start, or of another store. */
export class FeedHistory {
  private readonly options: {
    readonly session: Session;
    readonly store: BarStore;
    readonly series: readonly Series[];
    readonly filler: GapFiller;
    readonly clock: FeedClock;
  };

  constructor(options: FeedHistory['options']) {
    this.options = options;
  }

  /** Bars of each series that the desks need before they decide; where they have had some, those that came since. */
  wanted(): Map<Series, number> {
    const wanted = new Map<Series, number>();
    const { session, series: all } = this.options;
    for (const desk of session.engine.desks) {
      for (const { instrument, intervalMs, feeds } of desk.instruments) {
        for (const series of all) {
          if (series.instrument !== instrument.id || !feeds.has(series.intervalMs)) continue;
          const bars = Math.ceil(desk.parts.warmUpBars * Math.max(1, intervalMs / series.intervalMs));
          wanted.set(
            series,
            Math.min(BARS_MOST, this.since(series) ?? Math.max(bars, wanted.get(series) ?? 0)),
          );
        }
      }
    }
    return wanted;
  }

  /** Bars that closed since the newest one taken; null before the first. */
  private since({ instrument, intervalMs }: Series): number | null {
    const { session, clock } = this.options;
    const last = session.engine.intake.lastBar(instrument, intervalMs);
    if (!Number.isFinite(last)) return null;
    return Math.max(0, (floorTo(clock.now(), intervalMs) - last) / intervalMs - 1);
  }

  /** Looks up what the store lacks of the last bars; why something could not be had, or null. */
  async lookUp(series: Series, bars: number): Promise<string | null> {
    const { store, filler, clock } = this.options;
    const { intervalMs } = series;
    const to = floorTo(clock.now(), intervalMs);
    const gaps = await store.gaps(series.id, intervalMs, to - bars * intervalMs, to);
    if (gaps.length === 0) return null;
    const found = await filler.find(series, gaps[0]!.from, gaps.at(-1)!.to, FIND_MS);
    const receivedAt = clock.now();
    const lacking = found.bars.filter(({ time }) => gaps.some((gap) => time >= gap.from && time < gap.to));
    const news = lacking.map((bar): NewBar => {
      const late = receivedAt - (bar.time + intervalMs) > intervalMs;
      const rest = { receivedAt, late, missingBefore: 0, pine: null };
      return { ...withoutFigures(series), ...bar, ...rest, ...knownVolume(bar), source: 'backfill' };
    });
    await store.insert(news, receivedAt);
    return found.missing > 0 ? found.why : null;
  }

  /** The newest bars of each series up to the end of the store, in the order in which they closed, and that end. */
  async read(
    wanted: ReadonlyMap<Series, number>,
  ): Promise<{ readonly bars: readonly StoredBar[]; readonly seq: number }> {
    const { session, store, clock } = this.options;
    const seq = await store.lastSeq();
    const all: StoredBar[] = [];
    for (const [series, bars] of wanted) {
      if (bars === 0) continue;
      const last = session.engine.intake.lastBar(series.instrument, series.intervalMs);
      const found = await store.newest(series.id, bars, clock.now());
      all.push(...found.filter((bar) => bar.seq <= seq && bar.time > last));
    }
    const closeOf = ({ time, intervalMs }: StoredBar) => time + intervalMs;
    all.sort(
      (a, b) => closeOf(a) - closeOf(b) || a.intervalMs - b.intervalMs || (a.config < b.config ? -1 : 1),
    );
    return { bars: all, seq };
  }
}
