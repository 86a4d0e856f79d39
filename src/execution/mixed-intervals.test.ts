import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance } from '#base';
import type { VenueReport } from '#ledger';
import type { Bar, MarketEvent } from '#market';
import { barOf, closed, MIN, opened, submit, venue } from '../../test/support/venue-kit.ts';

const T = 60 * MIN;

function minutes(seed: string, n: number): Bar[] {
  const chance = new Chance(seed);
  let price = 100;
  return Array.from({ length: n }, (_, k) => {
    const open = price;
    price = Math.max(50, Math.round((price + chance.normal()) * 10) / 10);
    const wick = Math.round(10 * chance.uniform()) / 10;
    return barOf(T + k * MIN, [open, Math.max(open, price) + wick, Math.min(open, price) - wick, price]);
  });
}

function fives(bars: readonly Bar[]): Bar[] {
  const out: Bar[] = [];
  for (let i = 0; i + 5 <= bars.length; i += 5) {
    const part = bars.slice(i, i + 5);
    out.push(
      barOf(part[0]!.time, [
        part[0]!.open,
        Math.max(...part.map(({ high }) => high)),
        Math.min(...part.map(({ low }) => low)),
        part[4]!.close,
      ]),
    );
  }
  return out;
}

/** Minutes as they come, with or without bars of five minutes beside them: in a tape's order, or the longer one first. */
function market(bars: readonly Bar[], longer: 'none' | 'after' | 'before', opens: boolean): MarketEvent[] {
  const long = fives(bars);
  return bars.flatMap((bar): MarketEvent[] => {
    const starts = long.find(({ time }) => time === bar.time);
    const ends = long.find(({ time }) => time + 5 * MIN === bar.time + MIN);
    const own = closed(bar);
    const other = ends === undefined || longer === 'none' ? [] : [closed(ends, 5 * MIN)];
    return [
      ...(opens ? [opened(bar.time, bar.open)] : []),
      ...(opens && starts !== undefined && longer !== 'none' ? [opened(bar.time, bar.open, 5 * MIN)] : []),
      ...(longer === 'before' ? [...other, own] : [own, ...other]),
    ];
  });
}

/** Entries with a stop and a target now and then; what the venue reports of them. */
function run(seed: string, events: readonly MarketEvent[]): VenueReport[] {
  const sim = venue();
  const chance = new Chance(`orders ${seed}`);
  const out: VenueReport[] = [];
  let id = 0;
  for (const event of events) {
    out.push(...sim.onMarket(event));
    if (event.kind !== 'bar-closed' || event.intervalMs !== MIN || !chance.happens(0.3)) continue;
    id += 1;
    const ticks = Math.round(event.bar.close * 10);
    const side = chance.happens(0.5) ? 'buy' : 'sell';
    const kind = chance.happens(0.5)
      ? ({ type: 'market' } as const)
      : ({ type: 'limit', limitTicks: ticks + (side === 'buy' ? -5 : 5) } as const);
    out.push(...submit(sim, event.at, { id: `m${id}`, side, ...kind }));
  }
  return out;
}

describe('longer bars beside the shorter ones', () => {
  it('change no fill of the venue, whichever of one close comes first', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 5 }), fc.boolean(), (seed, opens) => {
        const bars = minutes(seed, 60);
        const alone = run(seed, market(bars, 'none', opens));
        expect(alone.some(({ kind }) => kind === 'order-filled')).toBe(true);
        expect(run(seed, market(bars, 'after', opens))).toEqual(alone);
        expect(run(seed, market(bars, 'before', opens))).toEqual(alone);
      }),
      { numRuns: 25 },
    );
  });
});
