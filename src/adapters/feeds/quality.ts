import { formatInstant, formatInterval, type Instant } from '#base';
import { expectsBar, type InstrumentId, instrumentFor } from '#market';
import { type ReadBars, readBars } from './bars-file.ts';
import { openDataFile } from './open-file.ts';
import type { BarSeries } from './series.ts';
import { type TimeSigns, timeReasons, timeSigns } from './session-shift.ts';
import { type SuspectedSplit, suspectedSplits } from './suspected-splits.ts';

/** What is to be known of one series before it is traded on. */
export interface SeriesQuality {
  readonly instrument: InstrumentId;
  readonly interval: string;
  readonly rows: number;
  readonly first: Instant;
  readonly last: Instant;
  /** Holes, and missing bars, that fall into the calendar's sessions. */
  readonly gaps: number;
  readonly missing: number;
  readonly largestGap: { readonly from: Instant; readonly bars: number } | null;
  readonly duplicates: number;
  readonly conflicts: number;
  /** High below low, or not enclosing open and close. */
  readonly ohlcBreaks: number;
  /** Every other refused row: not a number, not above zero, negative volume, misaligned. */
  readonly otherRefused: number;
  /** Closes that jump by more than 20 robust deviations and 5 %. */
  readonly outliers: number;
  readonly zeroVolume: number;
  /** Jumps that look like splits nobody adjusted for; at most 20. */
  readonly suspectedSplits: readonly SuspectedSplit[];
  /** Whether the times seem to be in another zone than UTC. */
  readonly times: TimeSigns;
  readonly hash: string;
  readonly verdict: 'good' | 'usable' | 'poor';
  readonly reasons: readonly string[];
}

export interface FileQuality {
  readonly file: string;
  readonly brokenLines: number;
  readonly brokenSamples: readonly string[];
  /** Symbols whose rows were not in order of time. */
  readonly unsorted: number;
  readonly series: readonly SeriesQuality[];
}

const OUTLIER_DEVIATIONS = 20;
const OUTLIER_LEAST = 0.05;
/** A hole is looked through bar by bar up to this many; a longer one counts as it is. */
const HOLE_MOST = 50_000;

/** Judges a bars file without refusing it for what is wrong in it. Throws InputError when nothing in it can be read. */
export async function checkBarsFile(path: string, instrument: string | null = null): Promise<FileQuality> {
  return qualityOf(path, await readBars(await openDataFile(path), { instrument, lenient: true }));
}

export function qualityOf(path: string, read: ReadBars): FileQuality {
  return {
    file: path,
    brokenLines: read.brokenLines,
    brokenSamples: read.brokenSamples,
    unsorted: read.sorted,
    series: read.series.map((series) => judgeSeries(series, read.brokenLines > 0 || read.sorted > 0)),
  };
}

export function judgeSeries(series: BarSeries, fileHasFaults = false): SeriesQuality {
  const { columns, faults, intervalMs, instrument } = series;
  const { length, time } = columns;
  const holes = holesOf(series, instrumentFor(instrument).calendar);
  const spread = closeSpread(columns.close, length);
  const outliers = spread === null ? 0 : countOutliers(columns.close, length, spread.limit);
  const splits = spread === null ? [] : suspectedSplits(columns, spread.deviation, spread.limit);
  const times = timeSigns(columns, intervalMs, instrumentFor(instrument).calendar);
  let zeroVolume = 0;
  for (let i = 0; i < length; i++) if (columns.volume[i] === 0) zeroVolume += 1;
  const ohlcBreaks = faults['high-below-low'] + faults['not-enclosing'];
  const otherRefused =
    faults['not-finite'] +
    faults['not-positive'] +
    faults['negative-volume'] +
    faults['beyond-grid'] +
    faults.misaligned +
    faults.late;
  const reasons: string[] = [];
  const share = (n: number, of: number) => (of === 0 ? 0 : n / of);
  const bad = ohlcBreaks + otherRefused + faults.conflict;
  if (faults.conflict > 0) reasons.push(`${faults.conflict} bars given twice with different figures`);
  if (ohlcBreaks > 0) reasons.push(`${ohlcBreaks} bars whose high and low do not enclose open and close`);
  if (otherRefused > 0) reasons.push(`${otherRefused} unusable bars`);
  if (holes.missing > 0) reasons.push(`${holes.missing} missing bars in ${holes.gaps} holes`);
  if (outliers > 0) reasons.push(`${outliers} outliers`);
  if (splits.length > 0) reasons.push(splitsText(splits));
  reasons.push(...timeReasons(times));
  if (share(zeroVolume, length) > 0.5) reasons.push('more than half of the bars have no volume');
  if (fileHasFaults) reasons.push('lines that could not be read, or rows out of order');
  const poor =
    share(bad, length) > 0.01 ||
    share(holes.missing, length + holes.missing) > 0.2 ||
    times.shift !== null ||
    length < 2;
  const verdict = poor ? 'poor' : reasons.length > 0 ? 'usable' : 'good';
  return {
    instrument,
    interval: formatInterval(intervalMs),
    rows: length,
    first: time[0]!,
    last: time[length - 1]!,
    ...holes,
    duplicates: faults.duplicate,
    conflicts: faults.conflict,
    ohlcBreaks,
    otherRefused,
    outliers,
    zeroVolume,
    suspectedSplits: splits,
    times,
    hash: series.hash,
    verdict,
    reasons,
  };
}

function holesOf(
  series: BarSeries,
  calendar: string,
): Pick<SeriesQuality, 'gaps' | 'missing' | 'largestGap'> {
  const { columns, intervalMs } = series;
  let gaps = 0;
  let missing = 0;
  let largest: { from: Instant; bars: number } | null = null;
  for (let i = 1; i < columns.length; i++) {
    const steps = Math.round((columns.time[i]! - columns.time[i - 1]!) / intervalMs) - 1;
    if (steps < 1) continue;
    const from = columns.time[i - 1]! + intervalMs;
    let bars = steps;
    if (calendar !== '24x7' && steps <= HOLE_MOST) {
      bars = 0;
      for (let k = 0; k < steps; k++) if (expectsBar(calendar, from + k * intervalMs, intervalMs)) bars += 1;
    }
    if (bars === 0) continue;
    gaps += 1;
    missing += bars;
    if (largest === null || bars > largest.bars) largest = { from, bars };
  }
  return { gaps, missing, largestGap: largest };
}

function splitsText(splits: readonly SuspectedSplit[]): string {
  const [{ at, ratio }] = splits as [SuspectedSplit, ...SuspectedSplit[]];
  const words = ratio >= 1 ? `${+ratio.toFixed(3)}:1` : `1:${+(1 / ratio).toFixed(3)}`;
  const more = splits.length > 1 ? ` and ${splits.length - 1} more` : '';
  return `suspected split ${words} on ${formatInstant(at).slice(0, 10)}${more}`;
}

/** Returns looked at to judge the spread of many bars. */
const SPREAD_SAMPLES = 200_000;

/** Robust deviation of one bar's logarithmic return, and the size from which on one is an outlier; null for few bars. */
function closeSpread(close: Float64Array, length: number): { deviation: number; limit: number } | null {
  if (length < 20) return null;
  const stride = Math.ceil((length - 1) / SPREAD_SAMPLES);
  const sizes = new Float64Array(Math.floor((length - 2) / stride) + 1);
  for (let i = 0; i < sizes.length; i++)
    sizes[i] = Math.abs(Math.log(close[i * stride + 1]! / close[i * stride]!));
  const median = sizes.sort()[sizes.length >> 1]!;
  // 1.4826 x median absolute value estimates the deviation of a centred normal
  const deviation = 1.4826 * median;
  return { deviation, limit: Math.max(OUTLIER_LEAST, OUTLIER_DEVIATIONS * deviation) };
}

function countOutliers(close: Float64Array, length: number, limit: number): number {
  let count = 0;
  for (let i = 1; i < length; i++) if (Math.abs(Math.log(close[i]! / close[i - 1]!)) > limit) count += 1;
  return count;
}
