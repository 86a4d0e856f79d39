import { type Delivered, type NewBar, type ProvidedBar, readBarBody } from '#adapters';
import { InputError, type Instant } from '#base';
import { type Bar, barFault } from '#market';
import type { Series } from './series.ts';

/** An entry of the queue that holds a bar. */
export interface QueuedBar {
  readonly delivered: Delivered;
  readonly series: Series;
  readonly bar: Bar;
  readonly receivedAt: Instant;
  /** JSON text. */
  readonly pine: string | null;
}

/** Reads an entry; text says why nobody can use it. */
export function readDelivered(delivered: Delivered, known: ReadonlyMap<string, Series>): QueuedBar | string {
  const { entry } = delivered;
  const series = known.get(entry.config);
  if (series === undefined) return `there is no config ${entry.config.slice(0, 64)}`;
  try {
    const { config, barTime, open, high, low, close, volume, pine } = readBarBody(entry.body);
    if (config !== entry.config || barTime !== entry.barTime) return 'its body speaks of another bar';
    const bar = { time: barTime, open, high, low, close, volume };
    const fault = barFault(bar, series.intervalMs);
    if (fault !== null) return `the bar cannot be: ${fault}`;
    const text = pine === null ? null : JSON.stringify(pine);
    return { delivered, series, bar, receivedAt: entry.receivedAt, pine: text };
  } catch (cause) {
    if (cause instanceof InputError) return cause.message;
    throw cause;
  }
}

/** What a bar has of its series. */
export const withoutFigures = ({
  id,
  symbol,
  intervalMs,
}: Series): Pick<NewBar, 'config' | 'symbol' | 'intervalMs'> => ({
  config: id,
  symbol,
  intervalMs,
});

/** The volume of a bar that was looked up: one that nobody told is marked as such. */
export const knownVolume = ({ volume }: ProvidedBar): Pick<NewBar, 'volume' | 'volumeUnknown'> =>
  volume === null ? { volume: 0, volumeUnknown: true } : { volume };

/** SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_RANGE. */
const SQLITE_DATA = [18, 19, 20, 25];

/** Whether a database refuses the data itself, which another attempt would not change. */
export function isDataFault(cause: unknown): boolean {
  const { code, errcode } = cause as { code?: unknown; errcode?: unknown };
  if (code === 'ERR_SQLITE_ERROR') return SQLITE_DATA.includes(((errcode as number) ?? 0) & 0xff);
  // classes 22 and 23: data exceptions and violated constraints
  return typeof code === 'string' && /^2[23][0-9A-Z]{3}$/.test(code);
}
