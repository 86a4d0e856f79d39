import { Chance, type Instant, MINUTE, SECOND } from '#base';
import type { Bar, InstrumentId, MarketEvent } from '#market';
import { BAR_MS, INSTRUMENTS } from './desks.ts';

/** One instrument's bar with what is true about it. */
export interface TrueBar {
  readonly instrument: InstrumentId;
  readonly bar: Bar;
}

const START: Readonly<Record<string, number>> = { BTCUSDT: 30_000, ETHUSDT: 2_000, SOLUSDT: 25 };

/** Seeded prices: `bars[k]` holds one bar per instrument. Volatile enough for stops to be reached. */
export function trueBars(seed: string, from: Instant, count: number): TrueBar[][] {
  const chance = new Chance(`${seed}/market`);
  const prices = INSTRUMENTS.map((i) => START[i.id.split('.')[0]!]!);
  const out: TrueBar[][] = [];
  let drift = 0;
  for (let k = 0; k < count; k++) {
    if (chance.happens(0.05)) drift = (chance.uniform() - 0.5) * 0.002;
    const common = chance.normal();
    out.push(
      INSTRUMENTS.map(({ id, tick }, i) => {
        const grid = 10 ** tick.scale / tick.units;
        const snap = (x: number) => Math.max(1, Math.round(x * grid)) / grid;
        const open = snap(prices[i]!);
        let x = open;
        let high = open;
        let low = open;
        for (let step = 0; step < 5; step++) {
          x *= Math.exp(drift / 5 + 0.0012 * (0.6 * common + 0.8 * chance.normal()));
          high = Math.max(high, snap(x));
          low = Math.min(low, snap(x));
        }
        prices[i] = x;
        const volume = Math.round((3_000_000 / x) * (0.2 + chance.uniform()));
        const bar = { time: from + k * BAR_MS, open, high, low, close: snap(x), volume };
        return { instrument: id, bar };
      }),
    );
  }
  return out;
}

/** How the feed spoils what it delivers: chances per bar. */
export interface FeedFaults {
  readonly late: number;
  readonly duplicate: number;
  readonly lost: number;
  readonly malformed: number;
}

export const NO_FEED_FAULTS: FeedFaults = { late: 0, duplicate: 0, lost: 0, malformed: 0 };

/** What reaches the loop, and when, in true time. */
export interface Delivery {
  readonly time: Instant;
  readonly event: MarketEvent;
}

function spoiled(bar: Bar, chance: Chance): Bar {
  switch (chance.below(5)) {
    case 0:
      return { ...bar, close: Number.NaN };
    case 1:
      return { ...bar, high: Number.POSITIVE_INFINITY };
    case 2:
      return { ...bar, high: bar.low * 0.9 };
    case 3:
      return { ...bar, volume: -1 };
    default:
      return { ...bar, open: 0 };
  }
}

/** Bars as the loop gets them: in time, or late, twice, never, or broken. */
export function deliveries(seed: string, bars: readonly TrueBar[][], faults: FeedFaults): Delivery[] {
  const chance = new Chance(`${seed}/feed`);
  const out: Delivery[] = [];
  for (const row of bars) {
    for (const { instrument, bar } of row) {
      const close = bar.time + BAR_MS;
      const event = (given: Bar): MarketEvent => ({
        kind: 'bar-closed',
        at: close,
        eventTime: close,
        instrument,
        intervalMs: BAR_MS,
        bar: given,
      });
      if (chance.happens(faults.lost)) continue;
      const late = chance.happens(faults.late);
      const delay = late ? 1 + chance.below(7 * MINUTE) : 0;
      if (chance.happens(faults.malformed))
        out.push({ time: close + delay, event: event(spoiled(bar, chance)) });
      out.push({ time: close + delay, event: event(bar) });
      if (chance.happens(faults.duplicate)) {
        out.push({ time: close + delay + chance.below(20 * SECOND), event: event(bar) });
      }
    }
  }
  return out;
}
