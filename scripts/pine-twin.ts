import type { Bar } from '#market';

/** Values that a chart computes of one bar; NaN where Pine has `na`. */
export type PineFigures = Readonly<Record<string, number>>;

/** The script's inputs. */
export interface PineLengths {
  readonly rsi: number;
  readonly atr: number;
  readonly momentum: number;
}

const USUAL: PineLengths = { rsi: 14, atr: 14, momentum: 20 };
const SETTLED_BARS = 250;

/**
 * What `docs/pine/s1-rx68.pine` makes of bars, written line by line as the script is: plain loops over windows, averages that
 * remember from the chart's first bar on. Knows nothing of the features of the program.
 */
export function pineFigures(bars: readonly Bar[], lengths: PineLengths = USUAL): PineFigures[] {
  const close = bars.map((bar) => bar.close);
  const volume = bars.map((bar) => bar.volume);
  const points: number[] = [];
  const sigmas: number[] = [];
  const directions: number[] = [];
  const macds: number[] = [];
  const gain = remembering(1 / lengths.rsi, lengths.rsi);
  const loss = remembering(1 / lengths.rsi, lengths.rsi);
  const atr = remembering(1 / lengths.atr, lengths.atr);
  const fast = remembering(2 / 13, 12);
  const slow = remembering(2 / 27, 26);
  const signalLine = remembering(2 / 10, 9);
  return bars.map(({ open: o, high: h, low: l, close: c, volume: v }, i) => {
    const before = i === 0 ? Number.NaN : close[i - 1]!;
    const back = (n: number) => (i < n ? Number.NaN : Math.log(c / close[i - n]!));
    points.push(1e4 * back(1));
    const mean = average(points, i, 20);
    const sigma = deviation(points, i, 20);
    sigmas.push(sigma);
    const volumeMean = average(volume, i, 20);
    const up = gain(Math.max(i === 0 ? 0 : c - before, 0));
    const down = loss(Math.max(i === 0 ? 0 : before - c, 0));
    const range = atr(i === 0 ? h - l : Math.max(h - l, Math.abs(h - before), Math.abs(l - before)));
    const middle = average(close, i, 20);
    const half = 2 * deviation(close, i, 20);
    macds.push(fast(c) - slow(c));
    const line = macds[i]!;
    const signal = Number.isNaN(line) ? Number.NaN : signalLine(line);
    const sigmaMean = average(sigmas, i, 20);
    const t = sigma === 0 ? 0 : mean / (sigma / Math.sqrt(20));
    directions.push(t > 0.5 ? 1 : t < -0.5 ? -1 : 0);
    return {
      r1: back(1),
      r5: back(5),
      r20: back(lengths.momentum),
      ret_z: sigma === 0 ? 0 : (points[i]! - mean) / sigma,
      body: (c - o) / c,
      upper_wick: (h - Math.max(o, c)) / c,
      lower_wick: (Math.min(o, c) - l) / c,
      range_pct: (h - l) / c,
      vol_ratio: volumeMean === 0 ? 0 : v / volumeMean,
      rsi14: up + down === 0 ? 0 : (100 * up) / (up + down),
      atr_pct: range / c,
      bb_pctb: half === 0 ? 0 : 0.5 + (c - middle) / (2 * half),
      bb_width: (2 * half) / middle,
      macd: line / c,
      macd_signal: signal / c,
      macd_hist: (line - signal) / c,
      vol_of_vol: sigmaMean > 0 ? deviation(sigmas, i, 20) / sigmaMean : 0,
      regime_return: i === 0 ? Number.NaN : directions[i - 1]! * back(1),
    };
  });
}

/** `ta.rma` and `ta.ema`: the simple mean of the first n values, then alpha of each new one. */
function remembering(alpha: number, n: number): (x: number) => number {
  const first: number[] = [];
  let value = Number.NaN;
  return (x) => {
    if (Number.isNaN(x)) return value;
    if (first.length < n) {
      first.push(x);
      if (first.length === n) value = first.reduce((sum, one) => sum + one, 0) / n;
    } else value = alpha * x + (1 - alpha) * value;
    return value;
  };
}

function average(values: readonly number[], at: number, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += values[at - i] ?? Number.NaN;
  return sum / n;
}

function deviation(values: readonly number[], at: number, n: number): number {
  const middle = average(values, at, n);
  let squares = 0;
  for (let i = 0; i < n; i++) squares += ((values[at - i] ?? Number.NaN) - middle) ** 2;
  return Math.sqrt(squares / n);
}

/** `str.tostring` without a format, "#.##########": ten decimals at most, never an exponent; `null` for `na`. */
export function pineNumber(value: number): string {
  if (Number.isNaN(value)) return 'null';
  const text = value.toFixed(10);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

export interface PinePayload {
  readonly configId: string;
  readonly bar: Bar;
  readonly figures: PineFigures;
  /** `bar_index`. */
  readonly index: number;
  readonly sentAt: number;
  readonly token?: string;
}

/** The message of the script's alert. */
export function pinePayload({ configId, bar, figures, index, sentAt, token }: PinePayload): string {
  const settled = index >= SETTLED_BARS;
  const field = (name: string) => `"${name}":${pineNumber(settled ? figures[name]! : Number.NaN)}`;
  const figure = (name: 'open' | 'high' | 'low' | 'close' | 'volume') => `"${name}":${pineNumber(bar[name])}`;
  const prices = (['open', 'high', 'low', 'close', 'volume'] as const).map(figure).join(',');
  const pine = Object.keys(figures).map(field).join(',');
  const end = token === undefined ? '' : `,"token":"${token}"`;
  return `{"config_id":"${configId}","bar_time":${bar.time},${prices},"pine":{${pine}},"sent_at":${sentAt}${end}}`;
}
