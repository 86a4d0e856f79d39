import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, MINUTE } from '#base';
import { columnOf, computeFeatures, FeatureFrame, requestOf } from '#features';
import { type BarColumns, columnsOfBars } from '#market';
import {
  fillS1Row,
  S1_FEATURE_NAMES,
  S1_FEATURES,
  S1_INDICATORS,
  S1_WARM_UP_BARS,
  type S1Indicator,
  s1Rows,
} from './s1-row.ts';

/** Bars whose one-bar log returns are these. */
function barsOf(returns: readonly number[]): BarColumns {
  let close = 100;
  const closes = [close];
  for (const r of returns) {
    close *= Math.exp(r);
    closes.push(close);
  }
  return columnsOfBars(
    closes.map((c, i) => {
      const open = closes[i - 1] ?? c;
      return {
        time: i * MINUTE,
        open,
        high: Math.max(open, c) * 1.001,
        low: Math.min(open, c) * 0.999,
        close: c,
        volume: 10 + (i % 5),
      };
    }),
  );
}

const randomBars = (seed: string, n: number): BarColumns => {
  const chance = new Chance(seed);
  return barsOf(Array.from({ length: n - 1 }, () => 0.002 * chance.normal()));
};

describe('examples of the sheet', () => {
  it('z of the last of ten returns', () => {
    const bars = barsOf([0.001, -0.002, 0.0015, 0.0005, -0.001, 0.002, 0, -0.0005, 0.001, 0.003]);
    expect(computeFeatures(bars, ['logret_stats:10']).get('logret_stats_10_z')!.at(-1)).toBeCloseTo(
      1.744446,
      6,
    );
  });

  it('volatility of volatility', () => {
    // two returns a and b deviate by |a-b|/2
    const sigma = [0.003, 0.0032, 0.0028, 0.0035, 0.004];
    const returns = [0];
    for (const [i, s] of sigma.entries()) returns.push(returns.at(-1)! + (i % 2 === 0 ? 2 : -2) * s);
    const [column] = computeFeatures(barsOf(returns), ['vol_of_vol:2:5']).values();
    expect(column!.at(-1)).toBeCloseTo(0.127128, 6);
  });
});

describe('the frozen features', () => {
  it('are eighteen, in the order of the sheet', () => {
    expect(S1_FEATURE_NAMES).toEqual(
      'r1 r5 r20 ret_z body upper_wick lower_wick range_pct vol_ratio rsi14 atr_pct bb_pctb bb_width macd macd_signal macd_hist vol_of_vol funding_tilt'.split(
        ' ',
      ),
    );
    expect(S1_FEATURES.at(-1)!.expression).toBeNull();
  });

  it('of one bar are what the sheet writes down', () => {
    const bars = randomBars('formulas', 300);
    const { rows, usable } = s1Rows(bars, null);
    const i = 299;
    const at = (name: string) => rows[i * 18 + S1_FEATURE_NAMES.indexOf(name)]!;
    const { open: o, high: h, low: l, close: c, volume: v } = bars;
    const mean = (n: number, x: (j: number) => number) =>
      Array.from({ length: n }, (_, k) => x(i - k)).reduce((a, b) => a + b, 0) / n;
    const r = (j: number) => Math.log(c[j]! / c[j - 1]!);
    const deviation = (n: number, x: (j: number) => number, to = i) => {
      const values = Array.from({ length: n }, (_, k) => x(to - k));
      const m = values.reduce((a, b) => a + b, 0) / n;
      return Math.sqrt(values.reduce((a, b) => a + (b - m) ** 2, 0) / n);
    };
    const sigma = (j: number) => deviation(20, r, j);
    expect(usable[i]).toBe(1);
    const expected: Record<string, number> = {
      r1: r(i),
      r5: Math.log(c[i]! / c[i - 5]!),
      r20: Math.log(c[i]! / c[i - 20]!),
      ret_z: (r(i) - mean(20, r)) / deviation(20, r),
      body: (c[i]! - o[i]!) / c[i]!,
      upper_wick: (h[i]! - Math.max(o[i]!, c[i]!)) / c[i]!,
      lower_wick: (Math.min(o[i]!, c[i]!) - l[i]!) / c[i]!,
      range_pct: (h[i]! - l[i]!) / c[i]!,
      vol_ratio: v[i]! / mean(20, (j) => v[j]!),
      vol_of_vol: deviation(20, sigma) / mean(20, sigma),
      bb_width: (4 * deviation(20, (j) => c[j]!)) / mean(20, (j) => c[j]!),
      funding_tilt: 0,
    };
    for (const [name, value] of Object.entries(expected)) expect(at(name), name).toBeCloseTo(value, 9);
    for (const [name, text] of [
      ['atr_pct', 'atr:14'],
      ['macd', 'macd'],
      ['macd_signal', 'macd/signal'],
      ['macd_hist', 'macd/hist'],
    ]) {
      const plain = computeFeatures(bars, [requestOf(text!)]).get(columnOf(text!))![i]!;
      expect(at(name!), name).toBeCloseTo(plain / c[i]!, 12);
    }
  });

  it('are not to be used before 250 bars', () => {
    const { usable, first } = s1Rows(randomBars('warm', 260), null);
    expect(first).toBe(S1_WARM_UP_BARS - 1);
    expect(usable.subarray(0, 249).every((u) => u === 0)).toBe(true);
    expect(usable.subarray(249).every((u) => u === 1)).toBe(true);
  });

  it('are 0 where nothing deviates, and none where something is not defined', () => {
    const still = barsOf(Array(300).fill(0));
    const { rows, usable } = s1Rows(still, null);
    const row = [...rows.subarray(299 * 18, 300 * 18)];
    expect(usable[299]).toBe(1);
    for (const name of ['ret_z', 'bb_pctb', 'bb_width', 'vol_of_vol', 'funding_tilt'])
      expect(row[S1_FEATURE_NAMES.indexOf(name)], name).toBe(0);
    const values = Object.fromEntries(Object.keys(S1_INDICATORS).map((name) => [name, 1]));
    const out = new Float64Array(18);
    expect(fillS1Row(values as Record<S1Indicator, number>, 0.5, out)).toBe(true);
    expect(out[17]).toBe(0.5);
    expect(fillS1Row({ ...values, rsi14: Number.NaN } as Record<S1Indicator, number>, 0, out)).toBe(false);
  });

  it('stream to the same bits that training sees, and look into no future', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 6 }),
        fc.integer({ min: 260, max: 420 }),
        (seed, n) => {
          const bars = randomBars(seed, n);
          const tilts = Float64Array.from({ length: n }, (_, i) => Math.sin(i));
          const whole = s1Rows(bars, tilts);
          const requests = [...new Set(Object.values(S1_INDICATORS).map(requestOf))];
          const frame = new FeatureFrame(requests, { capacity: 100 });
          const handles = Object.entries(S1_INDICATORS).map(
            ([name, text]) => [name, frame.column(columnOf(text))] as const,
          );
          const out = new Float64Array(18);
          for (let i = 0; i < n; i++) {
            frame.push(
              bars.time[i]!,
              bars.open[i]!,
              bars.high[i]!,
              bars.low[i]!,
              bars.close[i]!,
              bars.volume[i]!,
            );
            const values = Object.fromEntries(handles.map(([name, handle]) => [name, frame.value(handle)]));
            const ok = fillS1Row(values as Record<S1Indicator, number>, tilts[i]!, out);
            if (i < S1_WARM_UP_BARS - 1) continue;
            expect(ok ? 1 : 0).toBe(whole.usable[i]);
            expect([...out]).toEqual([...whole.rows.subarray(i * 18, (i + 1) * 18)]);
          }
          const cut = n - 5;
          const part = s1Rows({ ...bars, length: cut }, tilts);
          expect([...part.rows]).toEqual([...whole.rows.subarray(0, cut * 18)]);
        },
      ),
      { numRuns: 8 },
    );
  });
});
