import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { barSeries, rowSeries, Tape, TapeCursor, type TapeSeries } from '#adapters';
import { Chance, captureState, MINUTE } from '#base';
import type { DeskParts } from '#engine';
import { majority, single } from '#ensemble';
import { simulatedVenue, venueOptions } from '#execution';
import { columnsOfBars, type InstrumentId } from '#market';
import { Backtest, EquityCurve } from '#research';
import { allIn, fixedUnits, stopLossExit, timeExit } from '#risk';
import { crossSource, thresholdSource } from '#signals';
import { INTERVAL, instrumentOf, lawPortfolio, PAIR, START } from './engine-kit.ts';

/** What makes a tape and a desk. Faults are bars that are not as a feed should bring them. */
interface World {
  readonly seed: number;
  readonly bars: number;
  readonly faults: number;
  readonly moves: number;
  readonly source: 'cross' | 'entering' | 'inside' | 'both';
  readonly exits: 'none' | 'desk' | 'venue';
  readonly sizer: 'fixed' | 'all';
  readonly shorts: boolean;
  readonly funding: boolean;
  readonly second: boolean;
  readonly liquidates: boolean;
  readonly impact: boolean;
}

const worlds: fc.Arbitrary<World> = fc.record({
  seed: fc.nat(),
  bars: fc.integer({ min: 1, max: 1_200 }),
  faults: fc.constantFrom(0, 0, 0.01, 0.05),
  moves: fc.constantFrom(0.0005, 0.004, 0.03),
  source: fc.constantFrom('cross' as const, 'entering' as const, 'inside' as const, 'both' as const),
  exits: fc.constantFrom('none' as const, 'none' as const, 'desk' as const, 'venue' as const),
  sizer: fc.constantFrom('fixed' as const, 'all' as const),
  shorts: fc.boolean(),
  funding: fc.boolean(),
  second: fc.constantFrom(false, false, true),
  liquidates: fc.boolean(),
  impact: fc.boolean(),
});

function seriesOf(world: World, id: InstrumentId, salt: string): TapeSeries {
  const chance = new Chance(`${world.seed}/${salt}`);
  const rows = [];
  let price = 100;
  let time = START;
  for (let i = 0; i < world.bars; i++) {
    const open = price;
    price = Math.max(1, price * (1 + world.moves * chance.normal()));
    const row = {
      time,
      open,
      high: Math.max(open, price) * (1 + world.moves * chance.uniform()),
      low: Math.min(open, price) * (1 - world.moves * chance.uniform()),
      close: price,
      volume: 1_000 * chance.uniform(),
    };
    time += INTERVAL;
    if (chance.uniform() < world.faults) {
      const fault = chance.below(5);
      if (fault === 0) row.high = row.close * (1 - 1e-12);
      else if (fault === 1) row.low = row.open * 1.5;
      else if (fault === 2) row.volume = Number.NaN;
      else if (fault === 3) time += INTERVAL * (1 + chance.below(20));
      else row.time -= MINUTE;
    }
    rows.push(row);
  }
  return barSeries(id, INTERVAL, columnsOfBars(rows));
}

function tapeOf(world: World): TapeSeries[] {
  const series = [seriesOf(world, PAIR[0].id, 'a')];
  if (world.second) series.push(seriesOf(world, PAIR[1].id, 'b'));
  if (world.funding) {
    const at = Float64Array.from({ length: 12 }, (_, i) => START + i * 8 * 60 * MINUTE);
    const rate = at.map(() => 0.0001);
    const mark = at.map(() => Number.NaN);
    series.push(
      rowSeries({ kind: 'funding', instrument: PAIR[0].id, length: 12, at, time: at, columns: [rate, mark] }),
    );
  }
  return series;
}

function partsOf({ source, exits, sizer, shorts }: World): DeskParts {
  const cross = crossSource({ fast: 'sma:3', slow: 'ema:9' });
  const threshold = thresholdSource({
    feature: 'rsi:7',
    long: { below: 30 },
    short: { above: 75 },
    when: source === 'inside' ? 'inside' : 'entering',
  });
  const stop = { atr: 'atr:5', atrMultiple: 2, costMultiple: 0, targetMultiple: 2 };
  const own = exits === 'none' ? {} : { stop };
  return {
    interval: '5m',
    warmUpBars: 12,
    sources: source === 'both' ? [cross, threshold] : source === 'cross' ? [cross] : [threshold],
    pooling: source === 'both' ? majority() : single(),
    sizer: sizer === 'fixed' ? fixedUnits(2, { leverage: 2, ...own }) : allIn(0.9),
    exits:
      exits === 'none' ? [] : exits === 'desk' ? [timeExit({ otherwiseMs: 7 * INTERVAL })] : [stopLossExit()],
    opposite: shorts ? 'reverse' : 'close',
    shorts,
  };
}

/** Everything a run leaves behind, and how many bars it passed over. */
function play(world: World, stepwise: boolean) {
  const entries: string[] = [];
  const slippage = world.impact
    ? { kind: 'impact' as const, k: 0.5, halfSpreadRate: 1_000, windowBars: 20 }
    : { kind: 'none' as const };
  const venue = simulatedVenue(
    venueOptions({ instrumentOf, seed: 'quiet', latencyMs: 250, slippage, liquidation: world.liquidates }),
  );
  let passed = 0;
  const passBars = venue.passBars!.bind(venue);
  venue.passBars = (id, columns, intervalMs, from, to) => {
    passed += to - from;
    passBars(id, columns, intervalMs, from, to);
  };
  const curve = new EquityCurve();
  const instruments = world.second ? PAIR : [PAIR[0]];
  const result = new Backtest({
    definition: lawPortfolio(partsOf(world), instruments),
    tape: new TapeCursor(new Tape(tapeOf(world))),
    venue,
    journal: {
      append: (kind, text) => void entries.push(`${kind} ${text}`),
      commit: () => {},
      urgent: (text) => void entries.push(`urgent ${text}`),
    },
    seed: 'quiet',
    codeHash: '',
    configurationHash: '',
    curve,
    stepwise,
  }).run();
  delete (venue as { passBars?: unknown }).passBars;
  const { engine, ...outcome } = result;
  const left = { entries, outcome, curve, engine: engine.capture(), venue: captureState(venue) };
  return { left: JSON.parse(JSON.stringify(left)), passed, orders: engine.counts.orders };
}

describe('bars that are passed over', () => {
  it('leave everything as taking them one by one does', () => {
    let passed = 0;
    let orders = 0;
    fc.assert(
      fc.property(worlds, (world) => {
        const quick = play(world, false);
        const slow = play(world, true);
        expect(slow.passed).toBe(0);
        expect(quick.left).toEqual(slow.left);
        passed += quick.passed;
        orders += quick.orders;
      }),
      { numRuns: 300, seed: 20_261_121 },
    );
    // or nothing was tried
    expect(passed).toBeGreaterThan(10_000);
    expect(orders).toBeGreaterThan(1_000);
  });
});
