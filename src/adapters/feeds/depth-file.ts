import { basename } from 'node:path';
import { InputError } from '#base';
import type { InstrumentId } from '#market';
import { clip } from './csv.ts';
import type { OpenedFile } from './open-file.ts';
import { type BookChange, type DepthSeries, depthSeries } from './series.ts';

interface Message {
  readonly time: number;
  readonly change: BookChange;
  /** Update ids, where the venue has them: first, last, last of the message before; null elsewhere. */
  readonly first: number | null;
  readonly last: number | null;
  readonly before: number | null;
}

/**
 * Reads the changes of one order book from JSON lines: Binance style (`type` diff or snapshot, `time`, `b`, `a`, update ids
 * `U`, `u`, `pu`, `lastUpdateId`) and Bybit style (`topic` orderbook, `type` snapshot or delta, `ts`, `data.b`, `data.a`).
 * After a snapshot, changes it already holds (`u` below its id) are left out; breaks in the ids are counted.
 */
export function readDepth(file: OpenedFile, instrument: InstrumentId): DepthSeries {
  const lines = Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.bytes.length)
    .toString('utf8')
    .split('\n');
  const times: number[] = [];
  const changes: BookChange[] = [];
  let breaks = 0;
  let lastId: number | null = null;
  let covered = -1;
  lines.forEach((text, i) => {
    if (text.trim() === '') return;
    const message = parseMessage(file.path, i + 1, text);
    if (message.change.snapshot) {
      covered = message.last ?? -1;
      lastId = null;
    } else {
      if (message.last !== null && message.last < covered) return;
      if (lastId !== null && message.before !== null && message.before !== lastId) breaks += 1;
      lastId = message.last;
    }
    times.push(message.time);
    changes.push(message.change);
  });
  if (changes.length === 0)
    throw new InputError(`${file.path} has no rows`, 'give a file with order-book messages');
  const time = Float64Array.from(times);
  const at = time.slice();
  for (let i = 1; i < at.length; i++) if (at[i]! < at[i - 1]!) at[i] = at[i - 1]!;
  return depthSeries({ instrument, at, time, changes, breaks, files: [basename(file.path)] });
}

function parseMessage(path: string, line: number, text: string): Message {
  const fail = (what: string): never => {
    throw new InputError(
      `${path}:${line}: ${what}: ${clip(text)}`,
      'each line is one order-book message as JSON',
    );
  };
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return fail('not JSON');
  }
  if (typeof raw !== 'object' || raw === null) return fail('not an order-book message');
  const message = raw as Record<string, unknown>;
  const bybit = typeof message.topic === 'string' && message.topic.startsWith('orderbook');
  const body = (bybit ? message.data : message) as Record<string, unknown> | undefined;
  const time = bybit ? message.ts : (message.time ?? message.T ?? message.E);
  if (body === undefined || typeof time !== 'number' || !('b' in body || 'bids' in body))
    return fail('not an order-book message');
  const snapshot = message.type === 'snapshot';
  const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  return {
    time,
    change: { snapshot, bids: levels(body.b ?? body.bids, fail), asks: levels(body.a ?? body.asks, fail) },
    first: number(message.U),
    last: snapshot ? number(message.lastUpdateId) : number(message.u),
    before: number(message.pu),
  };
}

function levels(raw: unknown, fail: (what: string) => never): readonly (readonly [number, number])[] {
  if (!Array.isArray(raw)) return fail('levels are not a list');
  return raw.map((level: unknown) => {
    const price = Array.isArray(level) ? Number(level[0]) : Number.NaN;
    const size = Array.isArray(level) ? Number(level[1]) : Number.NaN;
    if (!(price > 0) || !(size >= 0)) return fail('a level is not [price, size]');
    return [price, size] as const;
  });
}
