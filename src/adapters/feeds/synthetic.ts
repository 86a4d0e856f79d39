import { assert, Chance, type Instant, MINUTE } from '#base';
import { appendBar, type Bar, type BarColumns, barColumns, instrumentIdOf } from '#market';
import { type BarSeries, barSeries } from './series.ts';

/** A made-up pair: start price, decimals of its grid, volatility per five minutes, beta to the market, units per bar. */
interface Pair {
  readonly symbol: string;
  readonly price: number;
  readonly decimals: number;
  readonly volatility: number;
  readonly beta: number;
  readonly volume: number;
  readonly volumeDecimals: number;
}

const PAIRS: readonly Pair[] = [
  {
    symbol: 'BTCUSDT',
    price: 30_000,
    decimals: 1,
    volatility: 0.0011,
    beta: 1,
    volume: 900,
    volumeDecimals: 3,
  },
  {
    symbol: 'ETHUSDT',
    price: 1_900,
    decimals: 2,
    volatility: 0.0013,
    beta: 1.1,
    volume: 8_000,
    volumeDecimals: 3,
  },
  {
    symbol: 'SOLUSDT',
    price: 25,
    decimals: 2,
    volatility: 0.0022,
    beta: 1.3,
    volume: 150_000,
    volumeDecimals: 0,
  },
  {
    symbol: 'XRPUSDT',
    price: 0.7,
    decimals: 4,
    volatility: 0.002,
    beta: 1,
    volume: 6_000_000,
    volumeDecimals: 1,
  },
  {
    symbol: 'BNBUSDT',
    price: 240,
    decimals: 2,
    volatility: 0.0012,
    beta: 0.9,
    volume: 4_000,
    volumeDecimals: 2,
  },
  {
    symbol: 'ADAUSDT',
    price: 0.3,
    decimals: 4,
    volatility: 0.0019,
    beta: 1.1,
    volume: 5_000_000,
    volumeDecimals: 0,
  },
  {
    symbol: 'DOGEUSDT',
    price: 0.07,
    decimals: 5,
    volatility: 0.002,
    beta: 1.1,
    volume: 40_000_000,
    volumeDecimals: 0,
  },
  {
    symbol: 'LTCUSDT',
    price: 90,
    decimals: 2,
    volatility: 0.0017,
    beta: 1,
    volume: 20_000,
    volumeDecimals: 3,
  },
];

export const SYNTHETIC_SYMBOLS: readonly string[] = PAIRS.map((pair) => pair.symbol);
export const SYNTHETIC_INTERVAL_MS = 5 * MINUTE;

/** A state of the market: drift and volatility in units of a pair's volatility, and how many bars it lasts on average. */
interface Mood {
  readonly drift: number;
  readonly scale: number;
  readonly bars: number;
}

const MOODS: readonly Mood[] = [
  { drift: 0, scale: 0.6, bars: 400 },
  { drift: 0.07, scale: 1, bars: 250 },
  { drift: -0.08, scale: 1.15, bars: 200 },
  { drift: 0, scale: 2.4, bars: 60 },
];

/** Steps inside a bar from which high and low come. */
const STEPS = 6;

/**
 * Seeded five-minute bars of eight pairs without end. One market factor, four moods that switch (calm, rising, falling,
 * violent), volatility that clusters, volumes that follow the hour and the size of the move. For tests and benchmarks that
 * need length, never as evidence that a rule earns money. The same seed gives the same bars, however they are drawn.
 */
export class SyntheticMarket {
  static readonly configuration = ['pairs', 'trend'];
  readonly pairs: readonly Pair[] = PAIRS;
  readonly trend: number;
  /** Open time of the next bar. */
  time: Instant;
  private readonly chance: Chance;
  private readonly streams: Chance[];
  private readonly price: Float64Array;
  private readonly heat: Float64Array;
  private mood = 0;

  /** `trend`: how many times stronger than usual rising and falling markets drift; from about 5 on a model finds it. */
  constructor(seed: number | string, from: Instant, trend = 1) {
    assert(from % SYNTHETIC_INTERVAL_MS === 0, 'the first bar must open on a multiple of five minutes');
    this.trend = trend;
    this.time = from;
    this.chance = new Chance(`synthetic/${seed}`);
    this.streams = PAIRS.map((pair) => new Chance(`synthetic/${seed}/${pair.symbol}`));
    this.price = Float64Array.from(PAIRS, (pair) => pair.price);
    this.heat = new Float64Array(PAIRS.length).fill(1);
  }

  /** One bar of every pair, in the order of {@link SYNTHETIC_SYMBOLS}. */
  next(): Bar[] {
    const { chance } = this;
    if (chance.happens(1 / MOODS[this.mood]!.bars)) this.mood = chance.below(MOODS.length);
    const mood = MOODS[this.mood]!;
    const market = Array.from({ length: STEPS }, () => chance.normal());
    const bars = PAIRS.map((pair, i) => this.bar(i, pair, mood, market));
    this.time += SYNTHETIC_INTERVAL_MS;
    return bars;
  }

  private bar(i: number, pair: Pair, mood: Mood, market: readonly number[]): Bar {
    const chance = this.streams[i]!;
    const unit = 10 ** pair.decimals;
    const snap = (x: number) => Math.max(1, Math.round(x * unit)) / unit;
    const step = (pair.volatility * mood.scale * this.heat[i]!) / Math.sqrt(STEPS);
    let x = this.price[i]!;
    const open = snap(x);
    let high = open;
    let low = open;
    for (const common of market) {
      const own = chance.normal();
      // correlation of about 0.65 with the market factor
      const shock = 0.65 * pair.beta * common + 0.76 * own;
      x *= Math.exp(step * shock + (pair.volatility * mood.drift * this.trend) / STEPS);
      high = Math.max(high, snap(x));
      low = Math.min(low, snap(x));
    }
    // prices that run away would leave the grid: pull gently towards where they began
    x *= (pair.price / x) ** 0.00002;
    const close = snap(x);
    const move = Math.abs(Math.log(x / this.price[i]!)) / pair.volatility;
    this.heat[i] = Math.min(4, 0.94 * this.heat[i]! + 0.06 * (0.55 + 0.57 * move));
    this.price[i] = x;
    const hour = ((this.time / (60 * MINUTE)) % 24) / 24;
    const daily = 1 + 0.45 * Math.sin(2 * Math.PI * (hour - 0.35));
    const size = pair.volume * daily * (0.4 + 0.75 * move) * Math.exp(0.45 * chance.normal());
    const scale = 10 ** pair.volumeDecimals;
    return {
      time: this.time,
      open,
      high: Math.max(high, close),
      low: Math.min(low, close),
      close,
      volume: Math.max(1, Math.round(size * scale)) / scale,
    };
  }
}

/** The first `bars` bars of the wanted pairs (all eight by default) as series, of a venue that is `SYNTHETIC` by default. */
export function syntheticSeries(
  seed: number | string,
  bars: number,
  from: Instant,
  symbols: readonly string[] = SYNTHETIC_SYMBOLS,
  venue = 'SYNTHETIC',
  trend = 1,
): BarSeries[] {
  const market = new SyntheticMarket(seed, from, trend);
  const columns = new Map<string, BarColumns>(symbols.map((symbol) => [symbol, barColumns(bars)]));
  for (let n = 0; n < bars; n++) {
    const drawn = market.next();
    drawn.forEach((bar, i) => {
      const target = columns.get(PAIRS[i]!.symbol);
      if (target !== undefined) appendBar(target, bar);
    });
  }
  return [...columns].map(([symbol, own]) =>
    barSeries(instrumentIdOf(`${symbol}.${venue}`), SYNTHETIC_INTERVAL_MS, own),
  );
}
