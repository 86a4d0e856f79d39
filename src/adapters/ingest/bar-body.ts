import type { Instant } from '#base';
import { barFault } from '#market';
import type { BarRecord, PineValues } from './bar-record.ts';
import type { KnownConfigs, WebhookConfig } from './known-configs.ts';

/** Why a body is no bar that may be queued. `mend` says what its sender has to change. */
export interface BodyFault {
  readonly status: 400 | 422;
  readonly reason: BodyReason;
  readonly message: string;
  readonly mend: string;
}

export const BODY_REASONS = [
  'json',
  'config',
  'bar-time',
  'not-closed',
  'not-a-number',
  'bar',
  'pine',
  'sent-at',
] as const;
export type BodyReason = (typeof BODY_REASONS)[number];

export interface ReadBody {
  readonly kind: 'bar';
  readonly record: BarRecord;
  readonly config: WebhookConfig;
  /** As given; checked by the caller, kept nowhere. */
  readonly token: string | null;
}

/** Pine values one bar may carry, and how long their names and texts may be. */
const PINE_MOST = 64;
const PINE_TEXT_MOST = 64;
const INTERVAL_TEXT_MOST = 8;
/** 2000-01-01: what lies before was given in seconds. */
const OLDEST = 946_684_800_000;
const NUMBER = /^[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?$/;
const WHOLE = /^\d{1,16}$/;
const ISO = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]00:?00)$/;
const NOT_A_NUMBER = /^[+-]?(?:nan|na|inf(?:inity)?)$/i;
/** Names of the short form that are no Pine values. */
const SHORT_NAMES = new Set(
  'v script symbol tf bar_time o h l c vol config_id open high low close volume pine sent_at token interval time'.split(
    ' ',
  ),
);

/**
 * Reads the body of a webhook: the long form `{config_id, bar_time, open, high, low, close, volume, pine?, sent_at?, token?}`
 * or the short one `{script, symbol, tf, bar_time, o, h, l, c, vol, ...}` whose other members are Pine values. `bar_time` is
 * the open of the bar in epoch ms or as ISO text in UTC. A bare `NaN`, as TradingView writes it, does not spoil the text:
 * the bar is refused for it by name, a Pine value becomes null. `aheadMsMost` is how far ahead of `now` a bar may close.
 */
export function readBarRequest(
  text: string,
  configs: KnownConfigs,
  only: readonly string[],
  now: Instant,
  aheadMsMost: number,
): ReadBody | BodyFault {
  const body = parseObject(text);
  if (body === null) {
    return fault(400, 'json', 'the body is no JSON object', 'send one JSON object, {"config_id": ..., ...}');
  }
  const config = configOf(body, configs, only);
  if ('reason' in config) return config;
  const barTime = timeOf(body.bar_time);
  if (barTime === null || barTime < OLDEST) {
    return fault(
      422,
      'bar-time',
      'bar_time is no time',
      'give the open of the bar in UTC: epoch milliseconds or 2025-01-15T14:30:00Z',
    );
  }
  if (barTime % config.intervalMs !== 0) {
    return fault(
      422,
      'bar-time',
      `bar_time is no multiple of the ${config.intervalMs / 60_000} minutes of ${config.id}`,
      'send the open of the bar ({{time}}), not when the alert fired ({{timenow}})',
    );
  }
  if (barTime + config.intervalMs > now + aheadMsMost) {
    return fault(
      422,
      'not-closed',
      'the bar is not closed yet',
      'alert once per bar close, and set the clocks',
    );
  }
  const open = numberOf(body.open ?? body.o);
  const high = numberOf(body.high ?? body.h);
  const low = numberOf(body.low ?? body.l);
  const close = numberOf(body.close ?? body.c);
  const volume = numberOf(body.volume ?? body.vol);
  const bar = { time: barTime, open, high, low, close, volume };
  const wrong = barFault(bar, config.intervalMs);
  if (wrong === 'not-finite') {
    const named = Object.entries(bar).find(([, value]) => !Number.isFinite(value))?.[0] ?? 'a price';
    return fault(
      422,
      'not-a-number',
      `${named} is missing or no finite number`,
      'send open, high, low, close and volume as numbers',
    );
  }
  if (wrong !== null) {
    return fault(
      422,
      'bar',
      `the bar cannot be: ${wrong}`,
      'low <= open, close <= high; prices above 0, volume not below',
    );
  }
  const pine = pineOf(body);
  if (pine === undefined) {
    return fault(
      422,
      'pine',
      'pine is no flat object of values',
      `at most ${PINE_MOST} members: numbers, booleans, short texts or null`,
    );
  }
  const sentAt = body.sent_at === undefined || body.sent_at === null ? null : timeOf(body.sent_at);
  if (sentAt === null && body.sent_at !== undefined && body.sent_at !== null) {
    return fault(
      422,
      'sent-at',
      'sent_at is no time',
      'give epoch milliseconds or ISO text in UTC, or leave it out',
    );
  }
  return {
    kind: 'bar',
    record: { config: config.id, barTime, open, high, low, close, volume, pine, sentAt },
    config,
    token: typeof body.token === 'string' ? body.token : null,
  };
}

type Members = Readonly<Record<string, unknown>>;

const fault = (status: 400 | 422, reason: BodyReason, message: string, mend: string): BodyFault => ({
  status,
  reason,
  message,
  mend,
});

/** Null unless the text is a JSON object, bare NaN and Infinity allowed for. */
function parseObject(text: string): Members | null {
  const read = parsed(text) ?? parsed(withoutBareNumbers(text));
  return typeof read === 'object' && read !== null && !Array.isArray(read) ? (read as Members) : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * `NaN`, `na` and `Infinity` outside of texts become null. A text that does not end counts to the end: the search must never
 * begin again inside of one, or its cost would grow with the square of the length.
 */
function withoutBareNumbers(text: string): string {
  return text.replace(/"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)|[-+]?\b(?:NaN|nan|na|Infinity)\b/g, (found) =>
    found.startsWith('"') ? found : 'null',
  );
}

function configOf(body: Members, configs: KnownConfigs, only: readonly string[]): WebhookConfig | BodyFault {
  const { config_id: id } = body;
  let config: WebhookConfig | null;
  if (typeof id === 'string') config = configs.byId(id);
  else if (id !== undefined) config = null;
  else if (typeof body.symbol === 'string') config = configs.byTicker(body.symbol, intervalText(body.tf));
  else config = only.length === 1 ? configs.byId(only[0]!) : null;
  if (config !== null && only.includes(config.id)) return config;
  return fault(
    422,
    'config',
    'the config is not one of this address',
    'send config_id as `quorum` lists it, or symbol and tf ({{ticker}}, {{interval}}) of one',
  );
}

/** `{{interval}}` as a chart writes it, `15` or `15M`; empty for anything else. Never converts an object: that runs its members. */
function intervalText(tf: unknown): string {
  if (typeof tf === 'string') return tf.length <= INTERVAL_TEXT_MOST ? tf : '';
  return typeof tf === 'number' && Number.isFinite(tf) ? String(tf) : '';
}

/** Epoch ms of a number, of digits or of ISO text in UTC; null otherwise. */
function timeOf(value: unknown): Instant | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null;
  if (typeof value !== 'string' || value.length > 32) return null;
  if (WHOLE.test(value)) return Number.isSafeInteger(Number(value)) ? Number(value) : null;
  if (!ISO.test(value)) return null;
  const time = Date.parse(value.replace(' ', 'T'));
  return Number.isSafeInteger(time) ? time : null;
}

/** NaN where it is no number. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.length <= 64 && NUMBER.test(value) ? Number(value) : Number.NaN;
}

/** Null where there are none; undefined where they cannot be taken. */
function pineOf(body: Members): PineValues | null | undefined {
  const { pine } = body;
  if (pine === null || (pine === undefined && body.o === undefined)) return null;
  if (pine === undefined) {
    const others = Object.entries(body).filter(([name]) => !SHORT_NAMES.has(name));
    return others.length === 0 ? null : checkedPine(Object.fromEntries(others));
  }
  return typeof pine === 'object' && !Array.isArray(pine) ? checkedPine(pine as Members) : undefined;
}

/** The object itself where every value may stay, which is nearly always. */
function checkedPine(given: Members): PineValues | undefined {
  let members = 0;
  let isChanged = false;
  for (const name in given) {
    const taken = pineValue(given[name]);
    if (taken === undefined || name.length > PINE_TEXT_MOST || ++members > PINE_MOST) return undefined;
    isChanged ||= taken !== given[name];
  }
  if (!isChanged) return given as PineValues;
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, pineValue(value)!]));
}

function pineValue(value: unknown): number | string | boolean | null | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'string' || value.length > PINE_TEXT_MOST) return undefined;
  return NOT_A_NUMBER.test(value) ? null : value;
}
