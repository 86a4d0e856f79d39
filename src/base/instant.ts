/** Milliseconds since 1970-01-01T00:00:00Z, a safe integer. */
export type Instant = number;

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const UNITS: Record<string, number> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY };

/**
 * Length in ms of an interval name such as `1m`, `15m`, `4h`, `1d`.
 * Returns null for anything else.
 */
export function parseInterval(name: string): number | null {
  const match = /^([1-9]\d{0,4})(s|m|h|d|w)$/.exec(name);
  return match ? Number(match[1]) * UNITS[match[2]!]! : null;
}

/** The shortest name of an interval: 300000 -> `5m`. */
export function formatInterval(ms: number): string {
  for (const [unit, size] of [
    ['d', DAY],
    ['h', HOUR],
    ['m', MINUTE],
    ['s', SECOND],
  ] as const) {
    if (ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** Start of the interval that holds `at`, aligned to the UTC epoch (days therefore start at 00:00 UTC). */
export function floorTo(at: Instant, intervalMs: number): Instant {
  return Math.floor(at / intervalMs) * intervalMs;
}

/** ISO text in UTC without a needless `.000`. */
export function formatInstant(at: Instant): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

/** Reads epoch ms, `2023-07-04` or ISO text (UTC when no zone is given). Returns null when it is none of them. */
export function parseInstant(text: string): Instant | null {
  if (/^-?\d{9,15}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?)?(Z|[+-]\d{2}:?\d{2})?$/.test(text))
    return null;
  const zoned = /(Z|[+-]\d{2}:?\d{2})$/.test(text.slice(10)) || text.length === 10 ? text : `${text}Z`;
  const at = Date.parse(zoned.replace(' ', 'T'));
  return Number.isNaN(at) ? null : at;
}

/**
 * `t` modulo `ms` for safe whole numbers, 0 or more, where `%` on floats this large is a slow loop in the machine.
 * Exact: the quotient is rounded by less than one part in 2^53, and two neighbouring quotients differ by one part in t.
 */
export function phaseIn(t: Instant, ms: number): number {
  return t - Math.floor(t / ms) * ms;
}
