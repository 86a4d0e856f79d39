import { DAY, formatInstant, HOUR, MINUTE } from '#base';

/** Thousands separated; two decimals below 10,000, none above; more where two would say nothing. */
export function money(value: number): string {
  const size = Math.abs(value);
  if (size > 0 && size < 0.005) return signed(value, String(Number(size.toPrecision(2))));
  const digits = size >= 10_000 ? 0 : 2;
  return signed(
    value,
    size.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
}

/** With a true minus sign. */
const signed = (value: number, text: string): string =>
  value < 0 && /[1-9]/.test(text) ? `\u2212${text}` : text;

/** A share of one in per cent; the space does not break. */
export function percent(share: number | null, digits = 2): string {
  if (share === null || !Number.isFinite(share)) return '\u2013';
  const text = (Math.abs(share) * 100).toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${signed(share, text)}\u00a0%`;
}

/** A plain number; a dash where there is none. */
export function number(value: number | null, digits = 2): string {
  if (value === null || !Number.isFinite(value)) return '\u2013';
  return signed(value, Math.abs(value).toFixed(digits));
}

export const count = (value: number): string => value.toLocaleString('en-US');

/** `2h 35m`, `3d 4h`, `45m`. */
export function duration(ms: number): string {
  if (ms < HOUR - MINUTE / 2) return `${Math.round(ms / MINUTE)}m`;
  if (ms < DAY) {
    const minutes = Math.round((ms % HOUR) / MINUTE);
    return minutes === 0 || minutes === 60
      ? `${Math.round(ms / HOUR)}h`
      : `${Math.floor(ms / HOUR)}h ${minutes}m`;
  }
  const hours = Math.round((ms % DAY) / HOUR);
  return hours === 0 || hours === 24 ? `${Math.round(ms / DAY)}d` : `${Math.floor(ms / DAY)}d ${hours}h`;
}

export const dayOf = (at: number): string => formatInstant(at).slice(0, 10);
/** Minute, UTC. */
export const minuteOf = (at: number): string => formatInstant(at).slice(0, 16).replace('T', ' ');

/** One of a thing, or several. */
export const counted = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;
