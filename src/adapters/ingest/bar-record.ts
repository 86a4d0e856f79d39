import { hash } from 'node:crypto';
import { InputError, type Instant } from '#base';
import type { BarEntry } from './bar-streams.ts';

/** What Pine sends beside the bar: indicator values by name; null where a value was not a number yet. */
export type PineValues = Readonly<Record<string, number | string | boolean | null>>;

/** One bar as a webhook told it. */
export interface BarRecord {
  readonly config: string;
  readonly barTime: Instant;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly pine: PineValues | null;
  /** When the sender says it was sent. */
  readonly sentAt: Instant | null;
}

const HASH_LENGTH = 32;

/** The queue's entry of a record. The hash covers bar and Pine values, not when they were sent. */
export function barEntry(record: BarRecord, receivedAt: Instant): BarEntry {
  const { config, barTime, open, high, low, close, volume, pine, sentAt } = record;
  // Written by hand: every part but the config is a finite number, and this runs for every request.
  const what = `{"config_id":${JSON.stringify(config)},"bar_time":${barTime},"open":${open},"high":${high},"low":${low},"close":${close},"volume":${volume}`;
  const told = pine === null ? what : `${what},"pine":${JSON.stringify(pine)}`;
  return {
    config,
    barTime,
    receivedAt,
    body: sentAt === null ? `${told}}` : `${told},"sent_at":${sentAt}}`,
    hash: hash('sha256', told, 'hex').slice(0, HASH_LENGTH),
  };
}

/** Reads the body of an entry back. Throws InputError when it is no record: the queue holds what the endpoint did not write. */
export function readBarBody(body: string): BarRecord {
  let read: unknown;
  try {
    read = JSON.parse(body);
  } catch {
    read = null;
  }
  if (typeof read !== 'object' || read === null) throw noRecord();
  const { config_id, bar_time, open, high, low, close, volume, pine, sent_at } = read as Record<
    string,
    unknown
  >;
  const numbers = [bar_time, open, high, low, close, volume];
  if (typeof config_id !== 'string' || !numbers.every((value) => Number.isFinite(value))) throw noRecord();
  return {
    config: config_id,
    barTime: bar_time as number,
    open: open as number,
    high: high as number,
    low: low as number,
    close: close as number,
    volume: volume as number,
    pine: typeof pine === 'object' ? (pine as PineValues | null) : null,
    sentAt: typeof sent_at === 'number' ? sent_at : null,
  };
}

const noRecord = () =>
  new InputError(
    'an entry of the queue is no bar',
    'look at it among the dead letters; only the endpoint should write there',
  );
