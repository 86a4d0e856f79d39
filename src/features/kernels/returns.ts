import type { BarColumns } from '#market';
import { bars, type Definitions } from '../definition.ts';
import { BLOCK, inBlocks, type Kernel } from '../kernel.ts';
import { Moments } from '../moments.ts';
import { History } from '../windows.ts';
import { Sma } from './averages.ts';
import { Macd } from './momentum.ts';
import { Atr } from './volatility.ts';

/** Mean and population deviation of the last n log returns of one bar, and how many deviations the newest lies off the mean. */
export class LogReturnStats implements Kernel {
  readonly lookback = 1;
  private readonly moments: Moments;
  private readonly returns: History;
  private begun = false;

  constructor(n: number) {
    this.moments = new Moments(n);
    this.returns = new History(n);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const [means, deviations, scores] = out;
    const { moments, returns } = this;
    for (let i = from; i < to; i++) {
      if (!this.begun) {
        this.begun = true;
        means[i] = deviations[i] = scores[i] = Number.NaN;
        continue;
      }
      const r = Math.log(x[i] / x[i - 1]);
      moments.update(returns.values, returns.push(r));
      const deviation = moments.deviation(0);
      means[i] = moments.mean;
      deviations[i] = deviation;
      scores[i] = deviation === 0 ? 0 : (r - moments.mean) / deviation;
    }
  }
}

/**
 * How much volatility itself varies: population deviation over mean, over m bars, of the population deviation of n log
 * returns. 0 where nothing has moved.
 */
export class VolatilityOfVolatility implements Kernel {
  readonly lookback = 1;
  private readonly returnMoments: Moments;
  private readonly returns: History;
  private readonly sigmaMoments: Moments;
  private readonly sigmas: History;
  private begun = false;

  constructor(n: number, m: number) {
    this.returnMoments = new Moments(n);
    this.returns = new History(n);
    this.sigmaMoments = new Moments(m);
    this.sigmas = new History(m);
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const x = bars.close;
    const y = out[0];
    const { returnMoments, returns, sigmaMoments, sigmas } = this;
    for (let i = from; i < to; i++) {
      y[i] = Number.NaN;
      if (!this.begun) {
        this.begun = true;
        continue;
      }
      returnMoments.update(returns.values, returns.push(Math.log(x[i] / x[i - 1])));
      if (returnMoments.seen < returnMoments.n) continue;
      sigmaMoments.update(sigmas.values, sigmas.push(returnMoments.deviation(0)));
      if (sigmaMoments.seen < sigmaMoments.n) continue;
      const { mean } = sigmaMoments;
      y[i] = mean > 0 ? sigmaMoments.deviation(0) / mean : 0;
    }
  }
}

/** Body, wicks and range of a bar as fractions of its close. */
export class Candle implements Kernel {
  readonly lookback = 0;

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    if (to - from > BLOCK) return inBlocks(this, bars, out, from, to);
    const { open, high, low, close } = bars;
    const [bodies, uppers, lowers, ranges] = out;
    for (let i = from; i < to; i++) {
      const o = open[i];
      const h = high[i];
      const l = low[i];
      const c = close[i];
      bodies[i] = (c - o) / c;
      uppers[i] = (h - Math.max(o, c)) / c;
      lowers[i] = (Math.min(o, c) - l) / c;
      ranges[i] = (h - l) / c;
    }
  }
}

/** Volume over the mean of the last n volumes, this one included; 0 where none was traded. */
export class VolumeRatio implements Kernel {
  readonly lookback: number;
  private readonly mean: Sma;

  constructor(n: number) {
    this.mean = new Sma(n, 'volume');
    this.lookback = this.mean.lookback;
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    this.mean.run(bars, out, from, to);
    const v = bars.volume;
    const y = out[0];
    for (let i = from; i < to; i++) y[i] = y[i] === 0 ? 0 : v[i] / y[i];
  }
}

/** Another kernel's outputs over the close. Only for one that does not read what it gave before. */
export class OverClose implements Kernel {
  readonly lookback: number;
  private readonly inner: Kernel;

  constructor(inner: Kernel) {
    this.inner = inner;
    this.lookback = inner.lookback;
  }

  run(bars: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    this.inner.run(bars, out, from, to);
    const c = bars.close;
    for (const y of out) for (let i = from; i < to; i++) y[i] /= c[i];
  }

  rebase(shift: number): void {
    this.inner.rebase?.(shift);
  }
}

export const returns: Definitions = [
  {
    name: 'logret_stats',
    summary:
      'mean and deviation of the last log returns, and the newest in deviations from the mean; z 0 without any',
    parameters: [bars('period', 20, 2)],
    outputs: [
      { suffix: 'mean', unit: 'log ratio' },
      { suffix: 'std', unit: 'log ratio' },
      { suffix: 'z', unit: 'deviations' },
    ],
    source: 'population deviation of ln(c / c[1])',
    firstRow: ([n]) => n,
    create: ([n]) => new LogReturnStats(n),
  },
  {
    name: 'vol_of_vol',
    summary: 'deviation over mean of the deviation of log returns; 0 where nothing moved',
    parameters: [bars('period', 20, 2), bars('span', 20, 2)],
    outputs: [{ suffix: '', unit: 'ratio' }],
    source: 'coefficient of variation of volatility, population deviations',
    firstRow: ([n, m]) => n + m - 1,
    create: ([n, m]) => new VolatilityOfVolatility(n, m),
  },
  {
    name: 'candle',
    summary: 'body, upper and lower wick and range of the bar over its close',
    parameters: [],
    outputs: [
      { suffix: 'body', unit: 'fraction' },
      { suffix: 'upper', unit: 'fraction' },
      { suffix: 'lower', unit: 'fraction' },
      { suffix: 'range', unit: 'fraction' },
    ],
    source: '(c-o)/c, (h-max(o,c))/c, (min(o,c)-l)/c, (h-l)/c',
    firstRow: () => 0,
    create: () => new Candle(),
  },
  {
    name: 'volume_ratio',
    summary: 'volume over its mean of the last bars, this one included; 0 without volume',
    parameters: [bars('period', 20)],
    outputs: [{ suffix: '', unit: 'ratio' }],
    source: 'v / SMA(v)',
    firstRow: ([n]) => n - 1,
    volumeBars: ([n]) => n,
    create: ([n]) => new VolumeRatio(n),
  },
  {
    name: 'atr_rate',
    summary: 'average true range over the close',
    parameters: [bars('period', 14)],
    outputs: [{ suffix: '', unit: 'fraction' }],
    source: 'Wilder 1978: ATR / c',
    firstRow: ([n]) => n,
    create: ([n]) => new OverClose(new Atr(n, false)),
  },
  {
    name: 'macd_rate',
    summary: 'MACD, its signal line and their difference over the close',
    parameters: [bars('fast', 12), bars('slow', 26, 2), bars('signal', 9)],
    outputs: [
      { suffix: '', unit: 'fraction' },
      { suffix: 'signal', unit: 'fraction' },
      { suffix: 'hist', unit: 'fraction' },
    ],
    source: 'Appel; TA-Lib MACD (aligned seeding), over c',
    refuse: ([fast, slow]) => (fast < slow ? null : 'fast must be below slow'),
    firstRow: ([, slow, signal]) => slow + signal - 2,
    create: ([fast, slow, signal]) => new OverClose(new Macd(fast, slow, signal)),
  },
];
