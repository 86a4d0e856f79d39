import { DAY, HOUR, type Instant, MINUTE, parseInstant } from '#base';
import { barFault } from '#market';
import type { ProvidedBar } from './bar-provider.ts';

/** What they offer, longest first. There are no bars of three minutes. */
const INTERVALS: readonly (readonly [name: string, ms: number])[] = [
  ['1day', DAY],
  ['8h', 8 * HOUR],
  ['4h', 4 * HOUR],
  ['2h', 2 * HOUR],
  ['1h', HOUR],
  ['45min', 45 * MINUTE],
  ['30min', 30 * MINUTE],
  ['15min', 15 * MINUTE],
  ['5min', 5 * MINUTE],
  ['1min', MINUTE],
];

/** The longest interval offered of which `ms` is a multiple; null when there is none. */
export function offeredInterval(ms: number): { readonly name: string; readonly ms: number } | null {
  const found = INTERVALS.find(([, offered]) => ms % offered === 0);
  return found === undefined ? null : { name: found[0], ms: found[1] };
}

/** Epoch ms as their `start_date` and `end_date` with timezone=UTC. */
export const dateText = (at: Instant): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ');

/** What was answered for one symbol. */
export type SymbolAnswer =
  | { readonly kind: 'bars'; readonly bars: readonly ProvidedBar[] }
  | { readonly kind: 'error'; readonly code: number; readonly message: string };

interface Answer {
  readonly status?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly values?: unknown;
}

const isAnswer = (value: unknown): value is Answer =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The answer for each symbol asked for, or one error for all, or null when it is neither. A single symbol is answered bare,
 * several by name. Rows that are no bars spoil the answer: half of it must not pass for the whole.
 */
export function readTimeSeries(
  body: unknown,
  symbols: readonly string[],
): ReadonlyMap<string, SymbolAnswer> | Extract<SymbolAnswer, { kind: 'error' }> | null {
  if (!isAnswer(body)) return null;
  if (body.status === 'error' || typeof body.code === 'number') return errorOf(body);
  const answers = new Map<string, SymbolAnswer>();
  for (const symbol of symbols) {
    const one = symbols.length === 1 ? body : (body as Record<string, unknown>)[symbol];
    if (!isAnswer(one)) return null;
    const read = one.status === 'error' || typeof one.code === 'number' ? errorOf(one) : barsOf(one.values);
    if (read === null) return null;
    answers.set(symbol, read);
  }
  return answers;
}

function errorOf({ code, message }: Answer): Extract<SymbolAnswer, { kind: 'error' }> {
  return {
    kind: 'error',
    code: typeof code === 'number' ? code : 500,
    message: typeof message === 'string' ? message.slice(0, 300) : 'no reason given',
  };
}

function barsOf(values: unknown): SymbolAnswer | null {
  if (!Array.isArray(values)) return null;
  const bars: ProvidedBar[] = [];
  for (const row of values) {
    const bar = barOf(row);
    if (bar === null) return null;
    bars.push(bar);
  }
  return { kind: 'bars', bars };
}

/** Numbers come as texts; crypto and forex rows have no volume. */
function barOf(row: unknown): ProvidedBar | null {
  if (!isAnswer(row)) return null;
  const { datetime, open, high, low, close, volume } = row as Record<string, unknown>;
  const time = typeof datetime === 'string' ? parseInstant(datetime) : null;
  if (time === null) return null;
  const stated = volume === undefined || volume === null || volume === '' ? null : numberOf(volume);
  const bar = {
    time,
    open: numberOf(open),
    high: numberOf(high),
    low: numberOf(low),
    close: numberOf(close),
  };
  return barFault({ ...bar, volume: stated ?? 0 }, null) === null ? { ...bar, volume: stated } : null;
}

const numberOf = (value: unknown): number =>
  (typeof value === 'string' && value.trim() !== '') || typeof value === 'number'
    ? Number(value)
    : Number.NaN;
