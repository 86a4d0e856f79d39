/** Shown where there is nothing to show. */
export const NOTHING = '–';
const MINUS = '\u2212';
const GROUP = '\u202f';

type Value = string | number | null | undefined;

/**
 * A decimal string or number with grouped digits, a real minus sign and, when given, exactly `digits` after the point.
 * Decimal strings are cut to digits as text (rounded half up), so that large amounts keep every figure.
 */
export function decimal(value: Value, digits?: number, sign = false): string {
  if (value === null || value === undefined || value === '') return NOTHING;
  if (typeof value === 'number' && !Number.isFinite(value)) return NOTHING;
  const text =
    typeof value === 'number' ? plain(value, digits) : digits === undefined ? value : round(value, digits);
  const negative = text.startsWith('-');
  const [whole = '0', rest] = (negative ? text.slice(1) : text).split('.');
  const zero = /^0*$/.test(whole) && /^0*$/.test(rest ?? '');
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, GROUP) : whole;
  const mark = zero ? '' : negative ? MINUS : sign ? '+' : '';
  return `${mark}${grouped}${rest === undefined || rest === '' ? '' : `.${rest}`}`;
}

function plain(value: number, digits: number | undefined): string {
  if (digits !== undefined) return value.toFixed(digits);
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e15) return value.toExponential(4);
  const after = size >= 1000 ? 2 : size >= 1 ? 4 : Math.min(10, 3 - Math.floor(Math.log10(size)));
  return value
    .toFixed(after)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

/** Rounds decimal text half away from zero. */
function round(text: string, digits: number): string {
  const negative = text.startsWith('-');
  const [whole = '0', rest = ''] = (negative ? text.slice(1) : text).split('.');
  const padded = rest.padEnd(digits + 1, '0');
  let scaled = BigInt(whole + padded.slice(0, digits));
  if (padded.charCodeAt(digits) >= 53) scaled += 1n;
  const all = scaled.toString().padStart(digits + 1, '0');
  const body = digits === 0 ? all : `${all.slice(0, -digits)}.${all.slice(-digits)}`;
  return negative ? `-${body}` : body;
}

/** How many digits stand after the point of a step such as `0.001` or `1`. */
export function digitsOf(step: string | null | undefined): number | undefined {
  if (step === null || step === undefined) return undefined;
  const after = step.split('.')[1] ?? '';
  return after.replace(/0+$/, '').length;
}

export function money(value: Value, currency?: string | null, sign = false): string {
  const text = decimal(value, 2, sign);
  return currency === null || currency === undefined || currency === '' || text === NOTHING
    ? text
    : `${text}\u00a0${currency}`;
}

/** A fraction as per cent. */
export function percent(value: number | null | undefined, digits = 2, sign = false): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const text = decimal(value * 100, digits, sign);
  return `${text}\u202f%`;
}

export function ratio(value: number | null | undefined, digits = 2): string {
  return value === null || value === undefined || !Number.isFinite(value) ? NOTHING : decimal(value, digits);
}

/** -1, 0 or 1 of a decimal string or number. */
export function signOf(value: Value): -1 | 0 | 1 {
  if (value === null || value === undefined) return 0;
  const number = Number(value);
  return number > 0 ? 1 : number < 0 ? -1 : 0;
}

const pad = (value: number, length = 2) => String(value).padStart(length, '0');

export function utcTime(at: number): string {
  const date = new Date(at);
  return `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}`;
}

export function utcDate(at: number): string {
  const date = new Date(at);
  return `${date.getUTCFullYear()}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`;
}

export function localTime(at: number): string {
  const date = new Date(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export function localStamp(at: number): string {
  const date = new Date(at);
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${localTime(at)}`;
}

export function zoneName(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Such as `4 s`, `12 min`, `3 h`, `2 d`. */
export function span(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NOTHING;
  if (ms > 0 && ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** `not-selected` as `Not selected`. */
export function words(name: string): string {
  const text = name.replace(/[-_]+/g, ' ').replace(/:(?=\S)/g, ': ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
