import { formatInterval, InputError, parseInterval } from '#base';
import { type InstrumentId, parseInstrumentId } from '#market';

/** Dated entries that are no bars: each says what it is about and when it became known. */
export type DatedKind = 'funding' | 'dividends' | 'splits' | 'facts';

/** What a stored series is: bars of an interval, or dated entries; facts have a field (`eps`, `rate`). */
export type SeriesName =
  | { readonly kind: 'bars'; readonly instrument: InstrumentId; readonly intervalMs: number }
  | {
      readonly kind: Exclude<DatedKind, 'facts'>;
      readonly instrument: InstrumentId;
      readonly field: null;
    }
  | { readonly kind: 'facts'; readonly instrument: InstrumentId; readonly field: string };

const BAR_COLUMNS = ['time', 'open', 'high', 'low', 'close', 'volume'] as const;

/** Value columns of each kind of dated entries, after `time` and `published_at`. */
export const DATED_VALUES: Readonly<Record<DatedKind, readonly string[]>> = {
  funding: ['rate', 'mark'],
  dividends: ['amount'],
  splits: ['ratio'],
  facts: ['value'],
};

/** Columns of a series in the order in which they are stored. */
export function columnsOf(kind: SeriesName['kind']): readonly string[] {
  return kind === 'bars' ? BAR_COLUMNS : ['time', 'published_at', ...DATED_VALUES[kind]];
}

/** `BTCUSDT.BINANCE-USDM@5m`, `...@funding`, `AAPL.NASDAQ@facts:eps`. */
export function formatSeriesName(name: SeriesName): string {
  if (name.kind === 'bars') return `${name.instrument}@${formatInterval(name.intervalMs)}`;
  return `${name.instrument}@${name.kind}${name.kind === 'facts' ? `:${name.field}` : ''}`;
}

const FIELD = /^[A-Za-z0-9_.-]{1,60}$/;

/** Reads the name of a series; null when the text is none. */
export function parseSeriesName(text: string): SeriesName | null {
  const at = text.lastIndexOf('@');
  if (at <= 0 || text.length > 300) return null;
  const what = text.slice(at + 1);
  const instrument = instrumentOr(text.slice(0, at));
  if (instrument === null) return null;
  if (what === 'funding' || what === 'dividends' || what === 'splits')
    return { kind: what, instrument, field: null };
  if (what.startsWith('facts:')) {
    const field = what.slice('facts:'.length);
    return FIELD.test(field) ? { kind: 'facts', instrument, field } : null;
  }
  const intervalMs = parseInterval(what) ?? millisOf(what);
  return intervalMs === null ? null : { kind: 'bars', instrument, intervalMs };
}

/** Intervals that have no shorter name are written in milliseconds. */
function millisOf(text: string): number | null {
  const match = /^([1-9]\d{0,9})ms$/.exec(text);
  return match === null ? null : Number(match[1]);
}

function instrumentOr(text: string): InstrumentId | null {
  try {
    return parseInstrumentId(text).id;
  } catch {
    return null;
  }
}

/** A field of facts as it is stored. Throws InputError naming the file. */
export function factField(path: string, text: string): string {
  const field = text.trim().replaceAll(' ', '_');
  if (FIELD.test(field)) return field;
  throw new InputError(
    `${path}: "${text.slice(0, 80)}" cannot name a field`,
    'use letters, digits, dot, dash and underscore, at most 60',
  );
}
