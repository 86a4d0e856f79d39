import { Chance } from '#base';
import type { BarColumns } from '#market';

/**
 * Every indicator once more, as slowly and as near to its printed definition as possible: each row from its window,
 * no running sums. Shares no code with src/features. Answers are one array per output, in the registry's order.
 */

type Row = number[];
const NAN = Number.NaN;

interface Bars {
  n: number;
  t: Row;
  o: Row;
  h: Row;
  l: Row;
  c: Row;
  v: Row;
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const mean = (x: Row) => {
  // Two passes, so that the mean of a window at 1e6 keeps its digits.
  const rough = x.reduce((a, b) => a + b, 0) / x.length;
  return rough + x.reduce((a, b) => a + (b - rough), 0) / x.length;
};
const level = (x: Row) => x.every((value) => value === x[0]);
const squares = (x: Row) => (level(x) ? 0 : x.reduce((a, b) => a + (b - mean(x)) ** 2, 0));
const deviation = (x: Row, ddof: number) => Math.sqrt(squares(x) / (x.length - ddof));
const sum = (x: Row) => x.reduce((a, b) => a + b, 0);

/** f of the n values ending at each row; NaN where the window is not there or holds NaN. */
const rolling = (x: Row, n: number, f: (window: Row, i: number) => number): Row =>
  x.map((_, i) => {
    const window = i + 1 >= n ? x.slice(i + 1 - n, i + 1) : [NAN];
    return window.some(Number.isNaN) ? NAN : f(window, i);
  });

const sma = (x: Row, n: number) => rolling(x, n, (w) => (level(w) ? w[0] : mean(w)));

function ema(x: Row, n: number): Row {
  const out = x.map(() => NAN);
  const first = x.findIndex((value) => !Number.isNaN(value));
  if (first < 0 || first + n > x.length) return out;
  out[first + n - 1] = mean(x.slice(first, first + n));
  const alpha = 2 / (n + 1);
  for (let i = first + n; i < x.length; i++) out[i] = alpha * x[i] + (1 - alpha) * out[i - 1];
  return out;
}

/** Wilder: mean of x[1..n] at row n, then (previous * (n-1) + x) / n. */
function wilder(x: Row, n: number): Row {
  const out = x.map(() => NAN);
  if (x.length <= n) return out;
  out[n] = sum(x.slice(1, n + 1)) / n;
  for (let i = n + 1; i < x.length; i++) out[i] = (out[i - 1] * (n - 1) + x[i]) / n;
  return out;
}

const zip = (a: Row, b: Row, f: (x: number, y: number) => number) => a.map((x, i) => f(x, b[i]));
const changes = (x: Row) => x.map((value, i) => (i === 0 ? NAN : value - x[i - 1]));

function rsi(x: Row, n: number): Row {
  const d = changes(x);
  const up = wilder(
    d.map((z) => Math.max(z, 0)),
    n,
  );
  const down = wilder(
    d.map((z) => Math.max(-z, 0)),
    n,
  );
  return zip(up, down, (a, b) => (Number.isNaN(a) ? NAN : a + b === 0 ? 0 : (100 * a) / (a + b)));
}

const trueRanges = ({ h, l, c }: Bars) =>
  h.map((high, i) =>
    i === 0 ? NAN : Math.max(high - l[i], Math.abs(high - c[i - 1]), Math.abs(l[i] - c[i - 1])),
  );

const typicals = ({ h, l, c }: Bars) => c.map((close, i) => (h[i] + l[i] + close) / 3);

function regression(w: Row): { slope: number; end: number; r2: number } {
  const n = w.length;
  if (level(w)) return { slope: 0, end: w[0], r2: 0 };
  const my = mean(w);
  const mx = (n - 1) / 2;
  let sxy = 0;
  let sxx = 0;
  for (let k = 0; k < n; k++) {
    sxy += (k - mx) * (w[k] - my);
    sxx += (k - mx) ** 2;
  }
  return { slope: sxy / sxx, end: my + (sxy / sxx) * (n - 1 - mx), r2: sxy ** 2 / (sxx * squares(w)) };
}

function stochastic(x: Row, high: Row, low: Row, n: number): Row {
  return x.map((value, i) => {
    if (i + 1 < n) return NAN;
    const top = Math.max(...high.slice(i + 1 - n, i + 1));
    const bottom = Math.min(...low.slice(i + 1 - n, i + 1));
    if (Number.isNaN(top + bottom)) return NAN;
    return top === bottom ? 0 : (100 * (value - bottom)) / (top - bottom);
  });
}

const hideBefore = (x: Row, guide: Row) => zip(x, guide, (a, b) => (Number.isNaN(b) ? NAN : a));

function adx(b: Bars, n: number): Row[] {
  const plus = b.h.map((high, i) => {
    const up = high - b.h[i - 1];
    const down = b.l[i - 1] - b.l[i];
    return up > 0 && up > down ? up : 0;
  });
  const minus = b.h.map((high, i) => {
    const up = high - b.h[i - 1];
    const down = b.l[i - 1] - b.l[i];
    return down > 0 && down > up ? down : 0;
  });
  // TA-Lib: sum of bars 1..n-1, then S - S/n + x from bar n on.
  const smooth = (x: Row) => {
    const out = x.map(() => NAN);
    let s = sum(x.slice(1, n));
    for (let i = n; i < x.length; i++) {
      s = s - s / n + x[i];
      out[i] = s;
    }
    return out;
  };
  const tr = smooth(trueRanges(b));
  const di = (x: Row) => zip(smooth(x), tr, (a, r) => (r === 0 ? 0 : (100 * a) / r));
  const [p, m] = [di(plus), di(minus)];
  const dx = zip(p, m, (a, c) => (a + c === 0 ? 0 : (100 * Math.abs(a - c)) / (a + c)));
  const out = dx.map(() => NAN);
  for (let i = 2 * n - 1; i < dx.length; i++) {
    out[i] = i === 2 * n - 1 ? sum(dx.slice(n, 2 * n)) / n : (out[i - 1] * (n - 1) + dx[i]) / n;
  }
  return [out, p, m, dx];
}

/** Wilder's parabolic system, written as the book's table: position, extreme point, factor, stop of each day. */
function sar(b: Bars, acceleration: number, maximum: number): Row {
  const out = b.c.map(() => NAN);
  if (b.n < 2) return out;
  const step = Math.min(acceleration, maximum);
  const down = b.l[0] - b.l[1];
  let position: 'long' | 'short' = down > 0 && down > b.h[1] - b.h[0] ? 'short' : 'long';
  let extreme = position === 'long' ? b.h[1] : b.l[1];
  let factor = step;
  let stop = position === 'long' ? b.l[0] : b.h[0];
  for (let i = 1; i < b.n; i++) {
    const before = Math.max(1, i - 1);
    const ceiling = Math.max(b.h[before], b.h[i]);
    const floor = Math.min(b.l[before], b.l[i]);
    if (position === 'long' && b.l[i] <= stop) {
      position = 'short';
      out[i] = Math.max(extreme, ceiling);
      extreme = b.l[i];
      factor = step;
      stop = Math.max(out[i] + factor * (extreme - out[i]), ceiling);
    } else if (position === 'short' && b.h[i] >= stop) {
      position = 'long';
      out[i] = Math.min(extreme, floor);
      extreme = b.h[i];
      factor = step;
      stop = Math.min(out[i] + factor * (extreme - out[i]), floor);
    } else {
      out[i] = stop;
      const further = position === 'long' ? b.h[i] > extreme : b.l[i] < extreme;
      if (further) {
        extreme = position === 'long' ? b.h[i] : b.l[i];
        factor = Math.min(maximum, factor + step);
      }
      const next = stop + factor * (extreme - stop);
      stop = position === 'long' ? Math.min(next, floor) : Math.max(next, ceiling);
    }
  }
  return out;
}

function obv({ c, v }: Bars): Row {
  const out: Row = [];
  for (let i = 0; i < c.length; i++) {
    out.push(
      i === 0 ? v[0] : c[i] > c[i - 1] ? out[i - 1] + v[i] : c[i] < c[i - 1] ? out[i - 1] - v[i] : out[i - 1],
    );
  }
  return out;
}

function vwap(b: Bars, from: (i: number) => number): Row {
  const typical = typicals(b);
  return b.c.map((close, i) => {
    const rows = range(i + 1).filter((j) => from(j) === from(i));
    const volume = sum(rows.map((j) => b.v[j]));
    return volume === 0 ? close : sum(rows.map((j) => typical[j] * b.v[j])) / volume;
  });
}

function bands(x: Row, n: number, factor: number): Row[] {
  const middle = sma(x, n);
  const half = rolling(x, n, (w) => factor * deviation(w, 0));
  const percent = x.map((value, i) => (half[i] > 0 ? (value - (middle[i] - half[i])) / (2 * half[i]) : NAN));
  return [
    zip(middle, half, (m, d) => m + d),
    middle,
    zip(middle, half, (m, d) => m - d),
    percent,
    zip(middle, half, (m, d) => (2 * d) / m),
  ];
}

function median(x: Row): number {
  const sorted = [...x].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return Number.isInteger(half) ? (sorted[half - 1] + sorted[half]) / 2 : sorted[Math.floor(half)];
}

function rangeVolatility(b: Bars, n: number, perYear: number, term: (i: number) => number): Row[] {
  const per = rolling(range(b.n).map(term), n, (w) => Math.sqrt(Math.max(0, mean(w))));
  return [per, per.map((x) => x * Math.sqrt(perYear))];
}

const ln = Math.log;
const satchell = (b: Bars) => (i: number) =>
  ln(b.h[i] / b.c[i]) * ln(b.h[i] / b.o[i]) + ln(b.l[i] / b.c[i]) * ln(b.l[i] / b.o[i]);

function yangZhang(b: Bars, n: number, perYear: number): Row[] {
  const gaps = b.o.map((open, i) => (i === 0 ? NAN : ln(open / b.c[i - 1])));
  const bodies = b.c.map((close, i) => ln(close / b.o[i]));
  const k = 0.34 / (1.34 + (n + 1) / (n - 1));
  const per = rolling(gaps, n, (w, i) => {
    const rows = range(n).map((j) => i - n + 1 + j);
    const body = squares(rows.map((j) => bodies[j])) / (n - 1);
    const inside = mean(rows.map(satchell(b)));
    return Math.sqrt(squares(w) / (n - 1) + k * body + (1 - k) * Math.max(0, inside));
  });
  return [per, per.map((x) => x * Math.sqrt(perYear))];
}

function monteCarlo(x: Row, n: number, horizon: number, paths: number): Row[] {
  const chance = new Chance('monte-carlo');
  const noise = range(paths).map(() => sum(range(horizon).map(() => chance.normal())));
  const returns = x.map((value, i) => (i === 0 ? NAN : ln(value / x[i - 1])));
  const up = rolling(returns, n, (w) => {
    const sigma = deviation(w, 1);
    if (sigma === 0) return 0.5;
    const drift = mean(w) * horizon;
    return noise.filter((z) => drift + sigma * z > 0).length / paths;
  });
  const price = rolling(
    returns,
    n,
    (w, i) => x[i] * Math.exp(horizon * (mean(w) + squares(w) / (n - 1) / 2)),
  );
  return [up, price];
}

function moneyFlow(b: Bars, n: number): Row {
  const typical = typicals(b);
  const flow = typical.map((x, i) =>
    i === 0 ? NAN : x === typical[i - 1] ? 0 : Math.sign(x - typical[i - 1]) * x * b.v[i],
  );
  return rolling(flow, n, (w) => {
    const positive = sum(w.filter((f) => f > 0));
    const negative = -sum(w.filter((f) => f < 0));
    return positive + negative === 0 ? 0 : (100 * positive) / (positive + negative);
  });
}

function ultimate(b: Bars, periods: Row): Row {
  const [p, q, r] = [...periods].sort((x, y) => x - y);
  const pressure = b.c.map((close, i) => (i === 0 ? NAN : close - Math.min(b.l[i], b.c[i - 1])));
  const tr = trueRanges(b);
  const part = (n: number) =>
    zip(rolling(pressure, n, sum), rolling(tr, n, sum), (a, s) => (s === 0 ? 0 : a / s));
  const [x, y, z] = [part(p), part(q), part(r)];
  return x.map((_, i) => (100 * (4 * x[i] + 2 * y[i] + z[i])) / 7);
}

function aroon(b: Bars, n: number): Row[] {
  const recency = (x: Row, better: (a: number, c: number) => boolean) =>
    rolling(x, n + 1, (w) => {
      let at = 0;
      for (let k = 1; k < w.length; k++) if (better(w[k], w[at])) at = k;
      return (100 * at) / n;
    });
  const up = recency(b.h, (a, c) => a >= c);
  const down = recency(b.l, (a, c) => a <= c);
  return [up, down, zip(up, down, (a, c) => a - c)];
}

const trix = (x: Row, n: number) => {
  const e = ema(ema(ema(x, n), n), n);
  return e.map((value, i) => (i === 0 ? NAN : (100 * (value - e[i - 1])) / e[i - 1]));
};

function macd(x: Row, fast: number, slow: number, signal: number): Row[] {
  // The fast average begins so late that both have their first value at row slow-1.
  const late = x.map((value, i) => (i < slow - fast ? NAN : value));
  const line = zip(ema(late, fast), ema(x, slow), (a, c) => a - c);
  const average = ema(line, signal);
  return [line, average, zip(line, average, (a, c) => a - c)];
}

const lag = (x: Row, n: number, f: (now: number, before: number) => number) =>
  x.map((value, i) => (i < n ? NAN : f(value, x[i - n])));

type Definition = (b: Bars, p: Row) => Row[];

const definitions: Record<string, Definition> = {
  sma: (b, [n]) => [sma(b.c, n)],
  volume_mean: (b, [n]) => [sma(b.v, n)],
  ema: (b, [n]) => [ema(b.c, n)],
  wma: (b, [n]) => [rolling(b.c, n, (w) => sum(w.map((x, k) => (k + 1) * x)) / ((n * (n + 1)) / 2))],
  dema: (b, [n]) => [zip(ema(b.c, n), ema(ema(b.c, n), n), (x, y) => 2 * x - y)],
  tema: (b, [n]) => {
    const [x, y] = [ema(b.c, n), ema(ema(b.c, n), n)];
    const z = ema(y, n);
    return [x.map((_, i) => 3 * x[i] - 3 * y[i] + z[i])];
  },
  trix: (b, [n]) => [trix(b.c, n)],
  rsi: (b, [n]) => [rsi(b.c, n)],
  macd: (b, [fast, slow, signal]) => macd(b.c, fast, slow, signal),
  stoch: (b, [n, slowK, slowD]) => {
    const raw = stochastic(b.c, b.h, b.l, n);
    const k = sma(raw, slowK);
    const d = sma(k, slowD);
    return [hideBefore(k, d), d, raw];
  },
  stochrsi: (b, [n, fastK, fastD]) => {
    const line = rsi(b.c, n);
    // A movement of the RSI below 1e-9 points is rounding and counts as none.
    const k = rolling(line, fastK, (w) => {
      const spread = Math.max(...w) - Math.min(...w);
      return spread <= 1e-9 ? 0 : (100 * (w[fastK - 1] - Math.min(...w))) / spread;
    });
    const d = sma(k, fastD);
    return [hideBefore(k, d), d];
  },
  willr: (b, [n]) => {
    return [
      b.c.map((close, i) => {
        if (i + 1 < n) return NAN;
        const top = Math.max(...b.h.slice(i + 1 - n, i + 1));
        const bottom = Math.min(...b.l.slice(i + 1 - n, i + 1));
        return top === bottom ? 0 : (-100 * (top - close)) / (top - bottom);
      }),
    ];
  },
  cci: (b, [n]) => [
    rolling(typicals(b), n, (w) => {
      if (level(w)) return 0;
      // Relative to the first price: a mean near 1e6 is itself rounded by 1e-10.
      const d = w.map((x) => x - w[0]);
      const m = mean(d);
      return (d[n - 1] - m) / (0.015 * mean(d.map((x) => Math.abs(x - m))));
    }),
  ],
  roc: (b, [n]) => [lag(b.c, n, (x, y) => (100 * (x - y)) / y)],
  mom: (b, [n]) => [lag(b.c, n, (x, y) => x - y)],
  logret: (b, [n]) => [lag(b.c, n, (x, y) => ln(x) - ln(y))],
  logret_stats: (b, [n]) => {
    const r = lag(b.c, 1, (x, y) => ln(x / y));
    return [
      rolling(r, n, mean),
      rolling(r, n, (w) => deviation(w, 0)),
      rolling(r, n, (w) => (level(w) ? 0 : (w[n - 1] - mean(w)) / deviation(w, 0))),
    ];
  },
  vol_of_vol: (b, [n, m]) => {
    const r = lag(b.c, 1, (x, y) => ln(x / y));
    const sigma = rolling(r, n, (w) => deviation(w, 0));
    return [rolling(sigma, m, (w) => (sum(w) === 0 ? 0 : deviation(w, 0) / mean(w)))];
  },
  candle: (b) => [
    b.c.map((c, i) => 1 - b.o[i] / c),
    b.c.map((c, i) => (b.h[i] - Math.max(b.o[i], c)) / c),
    b.c.map((c, i) => (Math.min(b.o[i], c) - b.l[i]) / c),
    b.c.map((c, i) => (b.h[i] - b.l[i]) / c),
  ],
  volume_ratio: (b, [n]) => [rolling(b.v, n, (w) => (sum(w) === 0 ? 0 : w[n - 1] / mean(w)))],
  atr_rate: (b, [n]) => [zip(wilder(trueRanges(b), n), b.c, (x, c) => x / c)],
  macd_rate: (b, [fast, slow, signal]) =>
    macd(b.c, fast, slow, signal).map((row) => zip(row, b.c, (x, c) => x / c)),
  ultosc: (b, periods) => [ultimate(b, periods)],
  adx: (b, [n]) => adx(b, n),
  aroon: (b, [n]) => aroon(b, n),
  sar: (b, [acceleration, maximum]) => [sar(b, acceleration, maximum)],
  linreg: (b, [n]) => {
    const of = (f: (w: Row) => number) => rolling(b.c, n, f);
    return [
      of((w) => regression(w).end),
      of((w) => regression(w).slope),
      of((w) => (100 * regression(w).slope) / w[n - 1]),
      of((w) => regression(w).r2),
    ];
  },
  donchian: (b, [n]) => {
    const upper = rolling(b.h, n, (w) => Math.max(...w));
    const lower = rolling(b.l, n, (w) => Math.min(...w));
    return [upper, zip(upper, lower, (x, y) => (x + y) / 2), lower];
  },
  max: (b, [n]) => [rolling(b.c, n, (w) => Math.max(...w))],
  min: (b, [n]) => [rolling(b.c, n, (w) => Math.min(...w))],
  bbands: (b, [n, factor]) => bands(b.c, n, factor),
  bbwidth_median: (b, [n, factor, span]) => [rolling(bands(b.c, n, factor)[4], span, median)],
  stddev: (b, [n, factor]) => [rolling(b.c, n, (w) => factor * deviation(w, 0))],
  zscore: (b, [n]) => [rolling(b.c, n, (w) => (level(w) ? 0 : (w[n - 1] - mean(w)) / deviation(w, 0)))],
  keltner: (b, [n, atr, factor]) => {
    const middle = ema(b.c, n);
    const width = wilder(trueRanges(b), atr);
    return [
      zip(middle, width, (m, d) => m + factor * d),
      middle,
      zip(middle, width, (m, d) => m - factor * d),
    ];
  },
  tr: (b) => [trueRanges(b)],
  atr: (b, [n]) => [wilder(trueRanges(b), n)],
  natr: (b, [n]) => [zip(wilder(trueRanges(b), n), b.c, (x, c) => (100 * x) / c)],
  gk: (b, [n, perYear]) =>
    rangeVolatility(
      b,
      n,
      perYear,
      (i) => 0.5 * ln(b.h[i] / b.l[i]) ** 2 - (2 * ln(2) - 1) * ln(b.c[i] / b.o[i]) ** 2,
    ),
  parkinson: (b, [n, perYear]) =>
    rangeVolatility(b, n, perYear, (i) => ln(b.h[i] / b.l[i]) ** 2 / (4 * ln(2))),
  rs: (b, [n, perYear]) => rangeVolatility(b, n, perYear, satchell(b)),
  yz: (b, [n, perYear]) => yangZhang(b, n, perYear),
  obv: (b) => [obv(b)],
  obv_slope: (b, [n]) => [
    rolling(obv(b), n, (w) => regression(w).slope),
    rolling(obv(b), n, (w) => regression(w).r2),
  ],
  vwap: (b) => [vwap(b, (i) => Math.floor(b.t[i] / 86_400_000))],
  vwap_cum: (b) => [vwap(b, () => 0)],
  mfi: (b, [n]) => [moneyFlow(b, n)],
  mc: (b, [n, horizon, paths]) => monteCarlo(b.c, n, horizon, paths),
};

/** The outputs of one feature over the bars; null when this file does not define it. */
export function oracle(name: string, parameters: readonly number[], bars: BarColumns): number[][] | null {
  const take = (x: Float64Array) => [...x.subarray(0, bars.length)];
  const b: Bars = {
    n: bars.length,
    t: take(bars.time),
    o: take(bars.open),
    h: take(bars.high),
    l: take(bars.low),
    c: take(bars.close),
    v: take(bars.volume),
  };
  return definitions[name]?.(b, [...parameters]) ?? null;
}
