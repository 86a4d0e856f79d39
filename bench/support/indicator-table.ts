import type { BandsResult, IndicatorsSync } from './peers.ts';
import * as ts from './peers.ts';

/** Plain arrays and objects of the same bars, as the peers take them. */
export interface PeerBars {
  readonly open: number[];
  readonly high: number[];
  readonly low: number[];
  readonly close: number[];
  readonly volume: number[];
  readonly candles: readonly ts.Candle[];
}

/** trading-signals: one object fed value by value; its batch call walks the same path. */
export interface Incremental {
  add(input: never): unknown;
  updates(inputs: readonly never[], replace: boolean): unknown[];
}

interface Agreement {
  /** Our column's suffix ('' for the plain one). */
  readonly column?: string;
  /** Puts our value on the peer's scale. */
  readonly ours?: (value: number) => number;
  /** Compare changes against the first compared row, because the series start at different levels. */
  readonly changes?: boolean;
  /** Why the values are not compared: the conventions differ. The time still is. */
  readonly differs?: string;
}

export interface Row {
  readonly request: string;
  readonly signals?: Agreement & {
    readonly make: () => Incremental;
    readonly input: 'close' | 'candle';
    readonly pick?: (result: never) => number;
  };
  readonly arrays?: Agreement & {
    readonly run: (ix: IndicatorsSync, b: PeerBars) => number[] | number[][];
    readonly pick?: (result: never) => number[];
    /** Far slower than one pass: fewer bars are enough. */
    readonly slow?: boolean;
  };
}

const make = (build: () => object) => build as () => Incremental;
const upper = (bands: BandsResult) => bands.upper;
/** TRIX against the new average (both peers) instead of the previous one (TA-Lib). */
const toNew = (percent: number) => percent / (1 + percent / 100);

const tie = 'where high and low move equally far, neither side counts (TA-Lib); there both do';

/** Every indicator that we and a peer both have, with parameters that mean the same. */
export const rows: readonly Row[] = [
  {
    request: 'sma:20',
    signals: { make: make(() => new ts.SMA(20)), input: 'close' },
    arrays: { run: (ix, b) => ix.sma(b.close, 20) },
  },
  {
    request: 'ema:20',
    signals: { make: make(() => new ts.EMA(20)), input: 'close' },
    arrays: { run: (ix, b) => ix.ema(b.close, 20) },
  },
  {
    request: 'wma:20',
    signals: { make: make(() => new ts.WMA(20)), input: 'close' },
    arrays: { run: (ix, b) => ix.wma(b.close, 20) },
  },
  {
    request: 'dema:20',
    signals: { make: make(() => new ts.DEMA(20)), input: 'close' },
    arrays: { run: (ix, b) => ix.dema(b.close, 20) },
  },
  {
    request: 'tema:20',
    signals: { make: make(() => new ts.TEMA(20)), input: 'close' },
    arrays: { run: (ix, b) => ix.tema(b.close, 20) },
  },
  {
    request: 'trix:15',
    signals: { make: make(() => new ts.TRIX(15)), input: 'close', ours: toNew },
    arrays: { run: (ix, b) => ix.trix(b.close, 15), ours: toNew },
  },
  {
    request: 'rsi:14',
    signals: { make: make(() => new ts.RSI(14)), input: 'close' },
    arrays: { run: (ix, b) => ix.rsi(b.close, 14) },
  },
  {
    request: 'macd:12:26:9',
    signals: {
      make: make(() => new ts.MACD(new ts.EMA(12), new ts.EMA(26), new ts.EMA(9))),
      input: 'close',
      column: 'signal',
      pick: (r: { signal: number }) => r.signal,
    },
    arrays: { run: (ix, b) => ix.macd(b.close, 12, 26, 9), column: 'signal', pick: (r: number[][]) => r[1]! },
  },
  {
    request: 'roc:10',
    signals: { make: make(() => new ts.ROC(10)), input: 'close', ours: (x) => x / 100 },
    arrays: { run: (ix, b) => ix.roc(b.close, 10), ours: (x) => x / 100 },
  },
  {
    request: 'mom:10',
    signals: { make: make(() => new ts.MOM(10)), input: 'close' },
    arrays: { run: (ix, b) => ix.mom(b.close, 10) },
  },
  {
    request: 'stoch:14:3:3',
    signals: {
      make: make(() => new ts.StochasticOscillator({ kPeriod: 14, kSlowingPeriod: 3, dPeriod: 3 })),
      input: 'candle',
      column: 'd',
      pick: (r: { stochD: number }) => r.stochD,
    },
    arrays: {
      run: (ix, b) => ix.stoch(b.high, b.low, b.close, 14, 3, 3),
      column: 'd',
      pick: (r: number[][]) => r[1]!,
    },
  },
  {
    request: 'stochrsi:14:14:1',
    signals: {
      make: make(() => new ts.StochasticRSI(14)),
      input: 'close',
      column: 'k',
      ours: (x) => x / 100,
    },
    arrays: { run: (ix, b) => ix.stochrsi(b.close, 14), column: 'k', ours: (x) => x / 100 },
  },
  {
    request: 'willr:14',
    signals: { make: make(() => new ts.WilliamsR(14)), input: 'candle' },
    arrays: { run: (ix, b) => ix.willr(b.high, b.low, b.close, 14) },
  },
  {
    request: 'cci:20',
    signals: { make: make(() => new ts.CCI(20)), input: 'candle' },
    arrays: { run: (ix, b) => ix.cci(b.high, b.low, b.close, 20) },
  },
  {
    request: 'ultosc:7:14:28',
    signals: { make: make(() => new ts.UltimateOscillator()), input: 'candle' },
    arrays: { run: (ix, b) => ix.ultosc(b.high, b.low, b.close, 7, 14, 28) },
  },
  {
    request: 'adx:14',
    signals: { make: make(() => new ts.ADX(14)), input: 'candle', differs: tie },
    arrays: { run: (ix, b) => ix.adx(b.high, b.low, 14), differs: tie },
  },
  {
    request: 'aroon:14',
    signals: {
      make: make(() => new ts.Aroon(14)),
      input: 'candle',
      column: 'up',
      pick: (r: { aroonUp: number }) => r.aroonUp,
    },
    arrays: { run: (ix, b) => ix.aroon(b.high, b.low, 14), column: 'up', pick: (r: number[][]) => r[1]! },
  },
  {
    request: 'sar:0.02:0.2',
    signals: {
      make: make(() => new ts.PSAR({ accelerationStep: 0.02, accelerationMax: 0.2 })),
      input: 'candle',
      differs: 'other start and reversal rules than TA-Lib',
    },
    arrays: {
      run: (ix, b) => ix.psar(b.high, b.low, 0.02, 0.2),
      differs: 'other start and reversal rules than TA-Lib',
    },
  },
  {
    request: 'linreg:20',
    signals: {
      make: make(() => new ts.LinearRegression(20)),
      input: 'close',
      column: 'slope',
      pick: (r: { slope: number }) => r.slope,
    },
    arrays: { run: (ix, b) => ix.linreg(b.close, 20) },
  },
  {
    request: 'donchian:20',
    signals: {
      make: make(() => new ts.DonchianChannels(20)),
      input: 'candle',
      column: 'upper',
      pick: upper,
    },
    arrays: {
      run: (ix, b) => ix.dc(b.high, b.low, 20),
      column: 'upper',
      pick: (r: number[][]) => r[0]!,
      slow: true,
    },
  },
  { request: 'max:20', arrays: { run: (ix, b) => ix.max(b.close, 20) } },
  { request: 'min:20', arrays: { run: (ix, b) => ix.min(b.close, 20) } },
  {
    request: 'bbands:20:2',
    signals: { make: make(() => new ts.BollingerBands(20, 2)), input: 'close', column: 'upper', pick: upper },
    arrays: { run: (ix, b) => ix.bbands(b.close, 20, 2), column: 'upper', pick: (r: number[][]) => r[2]! },
  },
  {
    request: 'keltner:20:10:2',
    signals: {
      make: make(() => new ts.KeltnerChannels({ emaInterval: 20, atrInterval: 10, multiplier: 2 })),
      input: 'candle',
      column: 'upper',
      pick: upper,
    },
    arrays: {
      run: (ix, b) => ix.kc(b.high, b.low, b.close, 20, 2),
      differs: 'width from an EMA of the true range, not from the ATR',
    },
  },
  { request: 'stddev:20:1', arrays: { run: (ix, b) => ix.stddev(b.close, 20) } },
  {
    request: 'tr',
    signals: { make: make(() => new ts.TR()), input: 'candle' },
    arrays: { run: (ix, b) => ix.tr(b.high, b.low, b.close) },
  },
  {
    request: 'atr:14',
    signals: { make: make(() => new ts.ATR(14)), input: 'candle' },
    arrays: { run: (ix, b) => ix.atr(b.high, b.low, b.close, 14) },
  },
  {
    request: 'natr:14',
    signals: { make: make(() => new ts.NATR(14)), input: 'candle' },
    arrays: { run: (ix, b) => ix.natr(b.high, b.low, b.close, 14) },
  },
  {
    request: 'rs:20',
    signals: { make: make(() => new ts.RogersSatchellVolatility(20)), input: 'candle', column: 'vol' },
  },
  {
    request: 'obv',
    signals: { make: make(() => new ts.OBV(2)), input: 'candle', changes: true },
    arrays: { run: (ix, b) => ix.obv(b.close, b.volume), changes: true },
  },
  { request: 'vwap_cum', signals: { make: make(() => new ts.VWAP()), input: 'candle' } },
  {
    request: 'mfi:14',
    signals: { make: make(() => new ts.MFI(14)), input: 'candle' },
    arrays: { run: (ix, b) => ix.mfi(b.high, b.low, b.close, b.volume, 14) },
  },
];
