import type { BarColumns } from '#market';

/**
 * What Sigma's two signals read of one bar beside its close. Prices in quote currency, `slopePercent` in percent of the close per
 * bar, `gkAnnual` an annualised fraction, RSI, Stochastic and MFI in points 0..100, `pUp` a probability.
 * What is not defined is NaN.
 */
export interface SigmaReadings {
  readonly rsi: number;
  /** Slow %K. */
  readonly stochK: number;
  readonly cci: number;
  readonly macdHist: number;
  readonly atr: number;
  readonly ema9: number;
  readonly ema20: number;
  readonly ema50: number;
  readonly ema200: number;
  readonly bbWidth: number;
  /** Median of the last 100 widths, this bar's included. */
  readonly bbWidthMedian: number;
  /** Undefined while the bands have no width. */
  readonly percentB: number;
  readonly slopePercent: number;
  /** Slope and R2 of the line through the last 20 values of OBV. */
  readonly obvSlope: number;
  readonly obvR2: number;
  readonly mfi: number;
  readonly vwap: number;
  readonly z: number;
  readonly pUp: number;
  readonly gkAnnual: number;
}

/** Bars of RSI and MFI, of one Stochastic window, and of the smoothing of slow %K. */
const PERIOD = 14;
const SMOOTHING = 3;
const NEUTRAL = 50;

/** Whether the `n` bars ending at row `last` never left one price. */
function isFlat(bars: BarColumns, last: number, n: number): boolean {
  if (last - n + 1 < 0) return false;
  const price = bars.close[last];
  for (let i = last; i > last - n; i--) {
    if (bars.high[i] !== price || bars.low[i] !== price) return false;
  }
  return true;
}

/** Share of the raw %K behind a slow %K that had no range and that the library therefore counts as 0. */
function flatShare(bars: BarColumns): number {
  let flat = 0;
  for (let k = 0; k < SMOOTHING; k++) {
    const last = bars.length - 1 - k;
    // the first bar that moved ends the test, so a living market costs three comparisons
    if (bars.high[last] === bars.low[last] && isFlat(bars, last, PERIOD)) flat += 1;
  }
  return flat / SMOOTHING;
}

/** Whether no money flowed over the MFI's bars: no volume, or no change of the typical price. */
function isWithoutFlow(bars: BarColumns): boolean {
  const typical = (i: number) => (bars.high[i]! + bars.low[i]! + bars.close[i]!) / 3;
  for (let i = bars.length - PERIOD; i < bars.length; i++) {
    if (bars.volume[i] !== 0 && typical(i) !== typical(i - 1)) return false;
  }
  return true;
}

/** Whether no close among the bars kept differs from the newest one. */
function isWithoutMove(bars: BarColumns): boolean {
  const price = bars.close[bars.length - 1];
  for (let i = bars.length - 2; i >= 0; i--) if (bars.close[i] !== price) return false;
  return true;
}

/**
 * Sigma's reading of oscillators without a range: 50, where the library follows TA-Lib and gives 0. Returns the
 * readings themselves when nothing has to be replaced. A bare 0 is no proof of calm, so the bars are looked at.
 */
export function sigmaGuards(bars: BarColumns, readings: SigmaReadings): SigmaReadings {
  const share = flatShare(bars);
  const rsiFlat = readings.rsi === 0 && isWithoutMove(bars);
  const mfiFlat = readings.mfi === 0 && isWithoutFlow(bars);
  if (share === 0 && !rsiFlat && !mfiFlat) return readings;
  // Readings may be live views on a frame, so they are copied by name.
  const copy = {} as Record<keyof SigmaReadings, number>;
  for (const name of Object.keys(sigmaFeatures) as (keyof SigmaReadings)[]) copy[name] = readings[name];
  copy.stochK += share * NEUTRAL;
  if (rsiFlat) copy.rsi = NEUTRAL;
  if (mfiFlat) copy.mfi = NEUTRAL;
  return copy;
}

/** Where the readings come from; Sigma's two sources share them, so each is computed once. 105,120 five-minute bars a year. */
export const sigmaFeatures = {
  rsi: 'rsi:14',
  stochK: 'stoch:14:3:3/k',
  cci: 'cci:20',
  macdHist: 'macd:12:26:9/hist',
  atr: 'atr:14',
  ema9: 'ema:9',
  ema20: 'ema:20',
  ema50: 'ema:50',
  ema200: 'ema:200',
  bbWidth: 'bbands:20:2/width',
  bbWidthMedian: 'bbwidth_median:20:2:100',
  percentB: 'bbands:20:2/pctb',
  slopePercent: 'linreg:20/slope_pct',
  obvSlope: 'obv_slope:20',
  obvR2: 'obv_slope:20/r2',
  mfi: 'mfi:14',
  vwap: 'vwap',
  z: 'zscore:20',
  pUp: 'mc:100:12:1000/p_up',
  gkAnnual: 'gk:20:105120/annual',
} as const satisfies Readonly<Record<keyof SigmaReadings, string>>;

/** The same for bars of another length, of which a year has `barsPerYear`. */
export function sigmaFeaturesFor(barsPerYear: number): typeof sigmaFeatures {
  const gkAnnual = `gk:20:${barsPerYear}/annual` as typeof sigmaFeatures.gkAnnual;
  return { ...sigmaFeatures, gkAnnual };
}
