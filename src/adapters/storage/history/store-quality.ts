import { DAY, formatInstant } from '#base';
import { type BarCounts, noBarCounts } from '#market';
import { judgeSeries, type SeriesQuality } from '../../feeds/quality.ts';
import { type UniverseSigns, universeSigns } from '../../feeds/survivorship.ts';
import type { DatedSeries, HistoryStore } from './history-store.ts';
import type { StoredSeries } from './manifest.ts';
import { parseSeriesName } from './series-name.ts';

/** The quality of one stored series of bars. */
export interface StoredQuality extends SeriesQuality {
  readonly id: string;
  /** Lines that could not be read when it was imported. */
  readonly brokenLines: number;
  /** What is to be known and is no fault of the bars. */
  readonly notes: readonly string[];
}

export interface StoreQuality {
  readonly store: string;
  readonly series: readonly StoredQuality[];
  /** Each venue and interval of the whole store, with warnings about survivorship. */
  readonly universes: readonly UniverseSigns[];
}

/**
 * Judges series of bars of a store, all of them without `ids`. Rows that were refused at import count: they are not in the
 * store any more, but they were in its sources. Throws InputError for an unknown id and for a damaged series.
 */
export async function storeQuality(
  store: HistoryStore,
  ids: readonly string[] = [],
  onProgress?: (done: number, total: number) => void,
): Promise<StoreQuality> {
  const chosen = ids.length > 0 ? ids.map((id) => store.find(id)) : store.series;
  const bars = chosen.filter((one) => isBars(one));
  const universes = universeSigns(store.series.flatMap((one) => spanOf(one) ?? []));
  const series: StoredQuality[] = [];
  for (const [i, stored] of bars.entries()) {
    onProgress?.(i, bars.length);
    series.push(await judgeStored(store, stored, universes));
  }
  onProgress?.(bars.length, bars.length);
  return { store: store.dir, series, universes };
}

const isBars = (stored: StoredSeries) => parseSeriesName(stored.id)?.kind === 'bars';

function spanOf({ id, first, last }: StoredSeries) {
  const name = parseSeriesName(id);
  return name?.kind === 'bars'
    ? { instrument: name.instrument, intervalMs: name.intervalMs, first, last }
    : null;
}

async function judgeStored(
  store: HistoryStore,
  stored: StoredSeries,
  universes: readonly UniverseSigns[],
): Promise<StoredQuality> {
  const series = await store.bars(stored.id);
  const brokenLines = stored.imports.reduce((sum, one) => sum + one.brokenLines, 0);
  const judged = judgeSeries({ ...series, faults: faultsOf(stored) }, brokenLines > 0);
  const notes: string[] = [];
  const splitsId = `${series.instrument}@splits`;
  if (store.get(splitsId) !== null) notes.push(...splitNotes(judged, await store.dated(splitsId)));
  if (universes.some((one) => one.interval === judged.interval && one.ended.includes(series.instrument)))
    notes.push(`ends ${formatInstant(stored.last).slice(0, 10)}, long before others of its venue: delisted?`);
  return { id: stored.id, ...judged, brokenLines, notes };
}

/** A jump that a recorded split explains tells that the prices are not adjusted for it. */
function splitNotes({ suspectedSplits }: SeriesQuality, recorded: DatedSeries): string[] {
  const ratios = recorded.values[0]!;
  const notes: string[] = [];
  for (let i = 0; i < recorded.length; i++) {
    const seen = suspectedSplits.some(
      (one) =>
        Math.abs(one.at - recorded.time[i]!) <= 4 * DAY && Math.abs(Math.log(one.ratio / ratios[i]!)) < 0.05,
    );
    const on = formatInstant(recorded.time[i]!).slice(0, 10);
    if (seen) notes.push(`prices are not adjusted for the recorded split of ${on}`);
  }
  return notes;
}

/** Faults of all imports together. */
function faultsOf(stored: StoredSeries): BarCounts {
  const counts = noBarCounts();
  for (const { faults } of stored.imports) {
    for (const key of Object.keys(counts) as (keyof BarCounts)[]) counts[key] += faults[key] ?? 0;
  }
  return counts;
}
