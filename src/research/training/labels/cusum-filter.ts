import { InputError } from '#base';

/**
 * Rows at which a series has run far enough to be looked at: the symmetric CUSUM filter (Lopez de Prado 2018, section
 * 2.5.2.1). Rises and falls add up on sums of their own, which never pass 0 the wrong way; a row at which one of them
 * reaches the threshold is an event, and that sum begins again at 0. Two events are never the same run seen twice, as
 * crossings of a band are. `values` is usually a log price; `threshold` is one size or one per row. A row whose change or
 * threshold is not finite is passed over.
 */
export function cusumEvents(values: ArrayLike<number>, threshold: number | ArrayLike<number>): Int32Array {
  const fixed = typeof threshold === 'number';
  if (fixed ? !(threshold > 0) : threshold.length < values.length) {
    throw new InputError(
      fixed ? `a threshold of ${threshold}` : `${threshold.length} thresholds for ${values.length} values`,
      'give one size above 0, or one per row',
    );
  }
  const events: number[] = [];
  let up = 0;
  let down = 0;
  for (let t = 1; t < values.length; t++) {
    const change = values[t]! - values[t - 1]!;
    const size = fixed ? threshold : threshold[t]!;
    if (!Number.isFinite(change) || !(size > 0)) continue;
    up = Math.max(0, up + change);
    down = Math.min(0, down + change);
    if (down <= -size) down = 0;
    else if (up >= size) up = 0;
    else continue;
    events.push(t);
  }
  return Int32Array.from(events);
}
