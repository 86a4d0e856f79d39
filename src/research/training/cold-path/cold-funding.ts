import type { Instant } from '#base';
import type { ColdFunding } from './cold-data.ts';

/** Asked with times that ascend: the sum of the rates that fell due since the time before, the first one since `from`. */
export function fundingAfter({ times, rates }: ColdFunding, from: Instant): (until: Instant) => number {
  let next = 0;
  while (next < times.length && times[next]! <= from) next += 1;
  return (until) => {
    let sum = 0;
    for (; next < times.length && times[next]! <= until; next++)
      if (Number.isFinite(rates[next])) sum += rates[next]!;
    return sum;
  };
}

/** Whether funding is known but older than two intervals at an instant: the desk enters nothing then. */
export function isFundingOld({ times, rates }: ColdFunding, intervalMs: number): (at: Instant) => boolean {
  let next = 0;
  let newest = Number.NaN;
  return (at) => {
    for (; next < times.length && times[next]! <= at; next++)
      if (Number.isFinite(rates[next])) newest = times[next]!;
    return at - newest > 2 * intervalMs;
  };
}
