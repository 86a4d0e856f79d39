import { describe, expect, it } from 'vitest';
import { MINUTE } from '#base';
import { barColumns } from '#market';
import { computeFeatures, FeatureFrame } from './feature-frame.ts';
import { normalCdf } from './statistics.ts';

/** The 250 bars whose indicator values the Sigma sheet prints. */
function sheetBars() {
  const bars = barColumns(250);
  bars.length = 250;
  for (let i = 0; i < 250; i++) {
    const close = 100 + 0.05 * i + 5 * Math.sin(i / 7) + 2 * Math.cos(i / 3);
    const open = i === 0 ? close : bars.close[i - 1];
    bars.time[i] = i * 5 * MINUTE;
    bars.open[i] = open;
    bars.high[i] = Math.max(open, close) + 0.5;
    bars.low[i] = Math.min(open, close) - 0.5;
    bars.close[i] = close;
    bars.volume[i] = 1000 + 100 * Math.sin(i / 4);
  }
  return bars;
}

/** Request, column and the number exactly as printed. */
const printed: readonly (readonly [request: string, column: string, text: string])[] = [
  ['rsi:14', 'rsi_14', '23.663182'],
  ['macd:12:26:9', 'macd_12_26_9', '-0.637414'],
  ['macd:12:26:9', 'macd_12_26_9_signal', '0.060085'],
  ['macd:12:26:9', 'macd_12_26_9_hist', '-0.697499'],
  ['stoch:14:3:3', 'stoch_14_3_3_rawk', '7.990667'],
  ['stoch:14:3:3', 'stoch_14_3_3_k', '8.538557'],
  ['stoch:14:3:3', 'stoch_14_3_3_d', '8.903389'],
  ['ema:9', 'ema_9', '111.162584'],
  ['ema:20', 'ema_20', '112.184429'],
  ['ema:50', 'ema_50', '111.749755'],
  ['ema:200', 'ema_200', '107.696149'],
  ['sma:20', 'sma_20', '113.173412'],
  ['sma:50', 'sma_50', '111.049779'],
  ['bbands:20:2', 'bbands_20_2_lower', '109.104238'],
  ['bbands:20:2', 'bbands_20_2_middle', '113.173412'],
  ['bbands:20:2', 'bbands_20_2_upper', '117.242586'],
  ['bbands:20:2', 'bbands_20_2_pctb', '-0.049111'],
  ['bbands:20:2', 'bbands_20_2_width', '0.071910'],
  ['bbwidth_median:20:2:100', 'bbwidth_median_20_2_100', '0.098376'],
  ['atr:14', 'atr_14', '1.517810'],
  ['adx:14', 'adx_14', '27.501843'],
  ['adx:14', 'adx_14_plus_di', '7.987892'],
  ['adx:14', 'adx_14_minus_di', '25.887050'],
  ['cci:20', 'cci_20', '-195.263920'],
  ['mfi:14', 'mfi_14', '7.134889'],
  ['obv', 'obv', '10374.248755'],
  ['vwap_cum', 'vwap_cum', '106.434582'],
  ['gk:20:105120', 'gk_20_105120_vol', '0.00871589'],
  ['gk:20:105120', 'gk_20_105120_annual', '2.825886'],
  ['zscore:20', 'zscore_20', '-2.196443'],
  ['linreg:20', 'linreg_20_slope', '-0.334356'],
  ['linreg:20', 'linreg_20_slope_pct', '-0.307582'],
  ['linreg:20', 'linreg_20_r2', '0.897961'],
  // -sign(slope) R2 is the sheet's OBV member -.947622
  ['obv_slope:20', 'obv_slope_20_r2', '0.947622'],
  ['mc:100:12:1000', 'mc_100_12_1000_price', '108.302358'],
];

/** 1e-6 relative or the last printed digit, whichever is larger. */
function tolerance(text: string): number {
  const digits = text.length - text.indexOf('.') - 1;
  return Math.max(10 ** -digits, Math.abs(Number(text)) * 1e-6);
}

describe('the test vector of the Sigma sheet', () => {
  const bars = sheetBars();
  const batch = computeFeatures(bars, [...new Set(printed.map(([request]) => request))]);

  it('begins with the printed close', () => {
    expect(Math.abs(bars.close[249] - 108.704557)).toBeLessThan(1e-6);
  });

  it.each(printed)('%s %s = %s', (_request, column, text) => {
    expect(Math.abs(batch.get(column)![249] - Number(text))).toBeLessThanOrEqual(tolerance(text));
  });

  it('has a falling line through on-balance volume', () => {
    expect(computeFeatures(bars, ['obv_slope:20']).get('obv_slope_20')![249]).toBeLessThan(0);
  });

  it('simulates a probability within 0.05 of the analytic one', () => {
    const returns = Array.from({ length: 100 }, (_, k) =>
      Math.log(bars.close[150 + k] / bars.close[149 + k]),
    );
    const mu = returns.reduce((a, b) => a + b, 0) / 100;
    const sigma = Math.sqrt(returns.reduce((a, b) => a + (b - mu) ** 2, 0) / 99);
    expect(mu).toBeCloseTo(-0.000329304, 9);
    expect(sigma).toBeCloseTo(0.006388175, 9);
    const analytic = normalCdf((mu * Math.sqrt(12)) / sigma);
    expect(analytic).toBeCloseTo(0.429137, 6);
    expect(Math.abs(batch.get('mc_100_12_1000_p_up')![249] - analytic)).toBeLessThan(0.05);
  });

  it('is the same when the bars come one by one', () => {
    const frame = new FeatureFrame(printed.map(([request]) => request));
    for (let i = 0; i < 250; i++) {
      frame.push(bars.time[i], bars.open[i], bars.high[i], bars.low[i], bars.close[i], bars.volume[i]);
    }
    for (const [, column] of printed) expect(frame.value(frame.column(column))).toBe(batch.get(column)![249]);
  });
});
