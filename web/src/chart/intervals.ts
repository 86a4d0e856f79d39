const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const USUAL = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR, DAY, 7 * DAY];

/** The intervals that can be made from bars of `base` ms; none while no bar is known (0). */
export function intervalsFrom(base: number): readonly number[] {
  if (base <= 0) return [];
  const longer = USUAL.filter((interval) => interval > base && interval % base === 0);
  return [base, ...longer];
}

/** `15m`, `4h`, `1d`. */
export function intervalName(ms: number): string {
  if (ms <= 0) return 'any';
  if (ms % DAY === 0) return `${ms / DAY}d`;
  if (ms % HOUR === 0) return `${ms / HOUR}h`;
  if (ms % MINUTE === 0) return `${ms / MINUTE}m`;
  return `${ms / 1_000}s`;
}
