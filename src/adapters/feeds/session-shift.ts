import { DAY, HOUR, type Instant, MINUTE } from '#base';
import { type BarColumns, expectsBar } from '#market';

/** What the times of a series say about the zone they were stamped in. */
export interface TimeSigns {
  /** Share of the bars that open while the instrument's calendar is closed; 0 around the clock. */
  readonly outsideSession: number;
  /** Hours that the times seem to be ahead of UTC, and from when on; null when nothing speaks for it. */
  readonly shift: { readonly hours: number; readonly from: Instant } | null;
  /** Daily bars: the time of day in UTC at which they begin, in minutes, and how many begin at another. */
  readonly dayBegins: number | null;
  readonly otherBegins: number;
}

/** Parts of a series that are judged by themselves, and bars looked at in each. */
const PARTS = 12;
const SAMPLES = 400;
/** Below this share outside the session nothing is said. */
const OUTSIDE_LEAST = 0.02;
/** A shift must bring at least this share of the stray bars back into the session. */
const EXPLAINS = 0.6;

/** Looks for times that were stamped in another zone than UTC. Around the clock only daily bars can show it. */
export function timeSigns(columns: BarColumns, intervalMs: number, calendar: string): TimeSigns {
  const days = intervalMs >= DAY ? dayBegins(columns) : { dayBegins: null, otherBegins: 0 };
  if (calendar === '24x7' || intervalMs >= DAY || columns.length === 0)
    return { outsideSession: 0, shift: null, ...days };
  let outside = 0;
  let looked = 0;
  let shift: TimeSigns['shift'] = null;
  for (let part = 0; part < PARTS; part++) {
    const from = Math.floor((columns.length * part) / PARTS);
    const to = Math.floor((columns.length * (part + 1)) / PARTS);
    const times = sampled(columns.time, from, to);
    const stray = strayShare(times, intervalMs, calendar, 0);
    outside += stray * times.length;
    looked += times.length;
    if (stray < OUTSIDE_LEAST || shift !== null) continue;
    const hours = bestShift(times, intervalMs, calendar, stray);
    if (hours !== 0) shift = { hours, from: columns.time[from]! };
  }
  return { outsideSession: looked === 0 ? 0 : outside / looked, shift, ...days };
}

function sampled(time: Float64Array, from: number, to: number): number[] {
  const stride = Math.max(1, Math.ceil((to - from) / SAMPLES));
  const out: number[] = [];
  for (let i = from; i < to; i += stride) out.push(time[i]!);
  return out;
}

/** Share of the times that lie outside the session when `ahead` is taken off them. */
function strayShare(times: readonly number[], intervalMs: number, calendar: string, ahead: number): number {
  let stray = 0;
  for (const time of times) if (!expectsBar(calendar, time - ahead, intervalMs)) stray += 1;
  return times.length === 0 ? 0 : stray / times.length;
}

/** Hours in steps of a half that leave the fewest bars outside; 0 unless they explain most of them. */
function bestShift(times: readonly number[], intervalMs: number, calendar: string, stray: number): number {
  let best = 0;
  let least = stray;
  for (let half = 1; half <= 28; half++) {
    for (const hours of [half / 2, -half / 2]) {
      const share = strayShare(times, intervalMs, calendar, hours * HOUR);
      if (share < least) [best, least] = [hours, share];
    }
  }
  return least <= stray * (1 - EXPLAINS) ? best : 0;
}

function dayBegins({ time, length }: BarColumns): Pick<TimeSigns, 'dayBegins' | 'otherBegins'> {
  const counts = new Map<number, number>();
  for (let i = 0; i < length; i++) {
    const phase = Math.floor((time[i]! - Math.floor(time[i]! / DAY) * DAY) / MINUTE);
    counts.set(phase, (counts.get(phase) ?? 0) + 1);
  }
  const [usual] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  if (usual === undefined) return { dayBegins: null, otherBegins: 0 };
  return { dayBegins: usual[0], otherBegins: length - usual[1] };
}

/** What the signs say in words, worst first; none when all is well. */
export function timeReasons({ outsideSession, shift, dayBegins, otherBegins }: TimeSigns): string[] {
  const out: string[] = [];
  if (shift !== null) {
    const side = shift.hours > 0 ? 'ahead of' : 'behind';
    const from = new Date(shift.from).toISOString().slice(0, 10);
    out.push(`times seem to be ${Math.abs(shift.hours)} h ${side} UTC from ${from} on`);
  } else if (outsideSession >= OUTSIDE_LEAST) {
    out.push(`${(outsideSession * 100).toFixed(0)} % of the bars lie outside the trading session`);
  }
  if (dayBegins !== null && dayBegins !== 0) {
    const at = `${String(Math.floor(dayBegins / 60)).padStart(2, '0')}:${String(dayBegins % 60).padStart(2, '0')}`;
    out.push(`days begin at ${at} UTC, not at 00:00`);
  }
  if (otherBegins > 0) out.push(`${otherBegins} days begin at another time of day than the rest`);
  return out;
}
