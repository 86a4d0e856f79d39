import { z } from 'zod';
import { barSeries, Tape, TapeCursor } from '#adapters';
import { Chance, HOUR, MINUTE } from '#base';
import { type DeskDefinition, type DeskParts, defineDesk, NO_JOURNAL, NO_TRACE } from '#engine';
import { longOnly, single } from '#ensemble';
import { simulatedVenue } from '#execution';
import { type BarColumns, barColumns, type InstrumentId } from '#market';
import { Backtest, EquityCurve, type KernelRecorder, type KernelStudy } from '#research';
import {
  allIn,
  type Exit,
  fixedFraction,
  fixedUnits,
  type Sizer,
  type SizerOptions,
  stopLossExit,
  takeProfitExit,
  timeExit,
  trailingExit,
  volatilityTarget,
} from '#risk';
import { breakoutSource, crossSource, type Source, seriesSource, thresholdSource } from '#signals';
import { buildStudy, type Study } from '../../src/apps/setup/study.ts';

/** One fill or trade as text, so that lists of them can be compared and read. */
export interface Told {
  readonly fills: string[];
  readonly trades: string[];
}

export interface Figures {
  readonly equityEnd: number;
  readonly realised: number;
  readonly unrealised: number;
  readonly fees: number;
  readonly trades: number;
  readonly orders: number;
  readonly fills: number;
  readonly maxDrawdown: number;
  readonly sharpe: number | null;
  readonly daily: number[];
}

const START = Date.UTC(2024, 0, 1);

/** A market with its scale of prices and sizes. Grids, kinds, fees and minima differ. */
const MARKETS = [
  { id: 'BTCUSDT.BINANCE-USDM', price: 40_000, tick: 0.1, units: 0.2, volume: 30 },
  { id: 'DOGEUSDT.BINANCE-USDM', price: 0.08, tick: 0.00001, units: 40_000, volume: 4e6 },
  { id: 'AAPL.NASDAQ', price: 190, tick: 0.01, units: 30.5, volume: 5_000 },
  { id: 'WALK.LOCAL', price: 100, tick: 0.01, units: 10.25, volume: 1_000 },
  { id: 'ODD.LOCAL', price: 7.3, tick: 0.000_001, units: 333.333, volume: 9_000.5 },
  { id: 'BBCA.IDX', price: 9_000, tick: 25, units: 700, volume: 400_000 },
] as const;

const pick = <T>(chance: Chance, list: readonly T[]): T => list[chance.below(list.length)]!;

export interface RandomCase {
  readonly parts: DeskParts;
  readonly instrument: InstrumentId;
  readonly bars: BarColumns;
  readonly intervalMs: number;
  readonly describe: string;
}

/** A random desk within the kernel's language, and bars made to trip it up. */
export function randomCase(seed: string): RandomCase {
  const chance = new Chance(seed);
  const market = pick(chance, MARKETS);
  const intervalMs = pick(chance, [MINUTE, 15 * MINUTE, HOUR, 24 * HOUR]);
  // some longer than the pieces in which the kernel goes through the bars
  const length = chance.happens(0.06) ? 3_000 + chance.below(3_000) : 250 + chance.below(450);
  const bars = randomBars(chance, market, length, intervalMs);
  const sign = pick(chance, [1, 1, 4, 20]);
  // as sweeps are made of most: signals alone, the same size each time
  const plain = chance.happens(0.25);
  const stop =
    !plain && chance.happens(0.5)
      ? {
          atr: `atr:${pick(chance, [2, 5, 14])}`,
          atrMultiple: pick(chance, [0.3, 1, 2.5]),
          costMultiple: pick(chance, [0, 3]),
          targetMultiple: pick(chance, [null, 0.5, 1, 2]),
        }
      : null;
  const perpetual = market.id.endsWith('USDM');
  const leverage = perpetual ? pick(chance, [1, 1, 3, 7.5]) : 1;
  const { source, words } = randomSource(chance, market.price, bars);
  const units = market.units / sign;
  const sizer = plain ? fixedUnits(units, { leverage }) : randomSizer(chance, units, { leverage, stop });
  const exits = plain ? [] : randomExits(chance, intervalMs);
  const opposite = pick(chance, ['ignore', 'close', 'reverse'] as const);
  const shorts = chance.happens(0.6);
  const participation = plain ? null : pick(chance, [null, null, 0.1, 0.5, 0.01]);
  const parts: DeskParts = {
    interval: 'tape',
    warmUpBars: pick(chance, [0, 1, 5, 30]),
    sources: [source],
    pooling: chance.happens(0.15) ? longOnly(single()) : single(),
    sizer,
    exits,
    opposite,
    shorts,
    unlimitedCredit: chance.happens(0.3),
    simulation: {
      cash: pick(chance, [10_000, 100_000, 400_000]) * (market.id === 'BBCA.IDX' ? 1_000 : 1),
      feeBps: pick(chance, [null, 0, 2, 5.5]),
      slippageBps: pick(chance, [0, 0, 1, 12.5]),
      participation,
      latencyMs: pick(chance, [0, 250, 30_000]),
    },
  };
  const describe =
    `${market.id} ${words} ${sizer.name} ${stop === null ? 'no stop' : 'stop'} ` +
    `[${exits.map(({ name }) => name).join(' ')}] ${opposite} ${shorts ? 'both ways' : 'long'} cap ${participation}`;
  return { parts, instrument: market.id as InstrumentId, bars, intervalMs, describe };
}

function randomSource(chance: Chance, price: number, bars: BarColumns): { source: Source; words: string } {
  switch (chance.below(6)) {
    case 0:
    case 1: {
      const [fast, slow] = pick(chance, [
        ['sma:2', 'sma:5'],
        ['sma:7', 'sma:31'],
        ['ema:3', 'sma:12'],
        ['macd:5:9:4', 'macd:5:9:4/signal'],
        ['sma:1', 'ema:20'],
      ] as const);
      return { source: crossSource({ fast, slow }), words: `cross ${fast} ${slow}` };
    }
    case 2: {
      const when = pick(chance, ['entering', 'inside'] as const);
      const low = pick(chance, [20, 30, 45]);
      const long = { below: low };
      const short = chance.happens(0.7) ? { above: 100 - low } : undefined;
      return {
        source: thresholdSource({ feature: 'rsi:5', long, when, ...(short === undefined ? {} : { short }) }),
        words: `rsi ${when}`,
      };
    }
    case 3: {
      const at = price * pick(chance, [0.98, 1, 1.03]);
      // a band: inside, nothing is said
      return {
        source: thresholdSource({
          feature: 'sma:3',
          long: { above: at, below: at * 1.2 },
          short: { below: at * 0.99 },
        }),
        words: 'band',
      };
    }
    case 4: {
      const bars = pick(chance, [3, 10, 20]);
      return { source: breakoutSource({ bars }), words: `breakout ${bars}` };
    }
    default:
      return { source: randomSeries(chance, bars), words: 'series' };
  }
}

/** Directions for some bars, for some times between them, and for none of the first or the last. */
function randomSeries(chance: Chance, { time, length }: BarColumns): Source {
  const times: number[] = [];
  const from = chance.below(length);
  for (let i = from; i < length - chance.below(20); i++) {
    if (chance.happens(0.7)) times.push(time[i]!);
    if (chance.happens(0.05)) times.push(time[i]! + 1);
  }
  const speaks = pick(chance, [0.02, 0.1, 0.3]);
  const directions = times.map(() => (chance.happens(speaks) ? pick(chance, [1, -1]) : 0));
  return seriesSource({ times: Float64Array.from(times), directions: Int8Array.from(directions) });
}

function randomSizer(chance: Chance, units: number, options: SizerOptions): Sizer {
  const { stop } = options;
  switch (chance.below(4)) {
    case 0:
      return fixedUnits(units, options);
    case 1:
      return allIn(pick(chance, [1, 0.5, 0.95]), options);
    case 2:
      return volatilityTarget(pick(chance, [0.1, 0.4, 2]), 'yz:10/annual', options);
    default:
      if (!stop) return allIn(1, options);
      return fixedFraction(0.01, { ...options, stop, ...pick(chance, [{}, { notionalMax: 0.8 }]) });
  }
}

function randomExits(chance: Chance, intervalMs: number): Exit[] {
  const exits: Exit[] = [];
  if (chance.happens(0.5)) exits.push(stopLossExit(), takeProfitExit());
  if (chance.happens(0.3)) exits.push(trailingExit({ otherwise: pick(chance, [0.002, 0.01, 0.05]) }));
  if (chance.happens(0.3)) exits.push(timeExit({ otherwiseMs: pick(chance, [1, 3, 12.5, 40]) * intervalMs }));
  return chance.happens(0.5) ? exits : exits.reverse();
}

/** Bars with trends, flat stretches, gaps in price and in time, prices that come back to the tick, and thin volume. */
function randomBars(
  chance: Chance,
  market: { readonly price: number; readonly tick: number; readonly volume: number },
  n: number,
  intervalMs: number,
): BarColumns {
  const bars = barColumns(n);
  // a coarse grid makes ties
  const step = market.tick * pick(chance, [1, 1, 10]);
  const decimals = Math.max(0, Math.ceil(-Math.log10(step)) + 1);
  const onGrid = (price: number) => Number((Math.max(2, Math.round(price / step)) * step).toFixed(decimals));
  const size = pick(chance, [0.0005, 0.003, 0.02]);
  const thin = pick(chance, [0, 0, 0.1, 0.6]);
  let price = market.price;
  let time = START;
  let drift = 0;
  let quiet = 0;
  for (let i = 0; i < n; i++) {
    if (chance.happens(0.02)) drift = pick(chance, [-1, 0, 0, 1]) * size * 0.5;
    if (chance.happens(0.01)) quiet = 5 + chance.below(30);
    if (chance.happens(0.02)) time += intervalMs * (1 + chance.below(20));
    if (chance.happens(0.03)) price *= 1 + 8 * size * chance.normal();
    price = Math.min(Math.max(price, market.price / 5), market.price * 5);
    const open = onGrid(price);
    if (quiet > 0) quiet -= 1;
    else price *= 1 + drift + size * chance.normal();
    price = Math.min(Math.max(price, market.price / 5), market.price * 5);
    const close = quiet > 0 ? open : onGrid(price);
    const wick = quiet > 0 ? 0 : size * pick(chance, [0, 0.5, 3]);
    bars.time[i] = time;
    bars.open[i] = open;
    bars.close[i] = close;
    bars.high[i] = Math.max(open, close, onGrid(Math.max(open, close) * (1 + wick * chance.uniform())));
    bars.low[i] = Math.min(open, close, onGrid(Math.min(open, close) * (1 - wick * chance.uniform())));
    bars.volume[i] = chance.happens(thin)
      ? pick(chance, [0, market.volume / 1_000])
      : market.volume * chance.uniform();
    time += intervalMs;
  }
  bars.length = n;
  return bars;
}

/** The run of a case as both engines get it. */
export function studyOf({ parts, instrument, intervalMs }: RandomCase): Study {
  const definition = defineDesk({ name: 'law', parameters: z.object({}), build: () => parts });
  return buildStudy(
    {
      definition: definition as DeskDefinition<unknown>,
      parameters: {},
      parts,
      sourceHash: '',
      named: 'law',
    },
    [{ instrument, intervalMs }],
    { cash: null, feeBps: null, slippageBps: null, seed: 'law' },
    NO_TRACE,
  );
}

export function kernelStudyOf({ instrument, intervalMs }: RandomCase, study: Study): KernelStudy {
  return {
    definition: study.definition,
    venue: study.venue,
    series: [{ kind: 'bars', instrument, intervalMs }],
  };
}

/** Plays a case through the whole loop. */
export function playLoop(one: RandomCase, study: Study): { told: Told; figures: Figures } {
  const told: Told = { fills: [], trades: [] };
  const curve = new EquityCurve();
  const backtest = new Backtest({
    definition: study.definition,
    tape: new TapeCursor(new Tape([barSeries(one.instrument, one.intervalMs, one.bars)])),
    venue: simulatedVenue(study.venue),
    journal: NO_JOURNAL,
    seed: 'law',
    codeHash: '',
    configurationHash: '',
    curve,
  });
  backtest.engine.observer = {
    filled: ({ booking }, report) => {
      if (!booking.accepted || (report.kind !== 'order-filled' && report.kind !== 'unasked-fill')) return;
      const reason = report.kind === 'unasked-fill' ? report.cause : booking.order!.request.reason;
      const { side, lots, ticks, fee } = report.fill;
      told.fills.push(`${report.eventTime} ${side} ${lots} at ${ticks} fee ${fee} ${reason}`);
    },
    traded: ({ openedAt, closedAt, direction, lots, realised, fees, exitReason }, _desk, shadow) => {
      if (shadow) return;
      told.trades.push(`${openedAt} ${closedAt} ${direction} ${lots} ${realised} ${fees} ${exitReason}`);
    },
  };
  const { engine, to } = backtest.run();
  const books = engine.real.ledger.summary(to);
  const { counts } = engine;
  return {
    told,
    figures: {
      equityEnd: books.equity,
      realised: books.realised,
      unrealised: books.unrealised,
      fees: books.fees,
      trades: counts.trades,
      orders: counts.orders,
      fills: counts.fills,
      maxDrawdown: curve.maxDrawdown,
      sharpe: curve.sharpe(study.definition.cash, 365),
      daily: [...curve.daily],
    },
  };
}

export function recorderInto(told: Told): KernelRecorder {
  return {
    fill: ({ eventTime, side, lots, ticks, fee, reason }) =>
      void told.fills.push(`${eventTime} ${side} ${lots} at ${ticks} fee ${fee} ${reason}`),
    trade: ({ openedAt, closedAt, direction, lots, realised, fees, exitReason }) =>
      void told.trades.push(`${openedAt} ${closedAt} ${direction} ${lots} ${realised} ${fees} ${exitReason}`),
  };
}
