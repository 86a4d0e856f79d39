/** A stretch of bars: from `start` up to but without `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Screens of bars kept on each side of what is seen when a stretch is filled anew, and those that must be left. */
const SCREENS_FILLED = 1.6;
const SCREENS_LEFT = 1.05;
const SCREEN_LEAST = 120;

/**
 * Which bars a chart should hold, given what is seen of them (fractional indexes, may lie outside). The stretch in use
 * is kept as long as a drag over a whole screen stays inside it: changing it costs time in proportion to its length.
 */
export function chooseSpan(seen: { from: number; to: number }, total: number, inUse: Span): Span {
  const screen = Math.max(SCREEN_LEAST, seen.to - seen.from);
  const enough =
    inUse.start <= Math.max(0, seen.from - screen * SCREENS_LEFT) &&
    inUse.end >= Math.min(total, seen.to + screen * SCREENS_LEFT);
  const notTooMuch = inUse.end - inUse.start <= screen * (2 * SCREENS_FILLED + 1) * 2;
  if (enough && notTooMuch) return inUse;
  const end = Math.min(total, Math.ceil(Math.max(seen.to, screen) + screen * SCREENS_FILLED));
  const start = Math.max(
    0,
    Math.min(Math.floor(seen.from - screen * SCREENS_FILLED), end - Math.ceil(screen)),
  );
  return { start, end: Math.max(start, end) };
}
