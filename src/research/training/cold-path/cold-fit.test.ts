import { describe, expect, it } from 'vitest';
import { DAY } from '#base';
import { type BarColumns, barColumns } from '#market';
import { COLD_POINT, COLD_RULES, coldDataOf } from '../../../../test/support/cold-path.ts';
import { QUARTER, trendingBars } from '../../../../test/support/trending-market.ts';
import { coldSamples, fitOn, fitWindow, predictBars } from './cold-fit.ts';
import { barsBetween } from './cold-play.ts';
import { coldWindows } from './cold-windows.ts';

const BARS = trendingBars({ days: 9, seed: 'fit' });
const samplesOf = (bars: BarColumns) => coldSamples(coldDataOf(bars), COLD_RULES, COLD_POINT);
const SAMPLES = samplesOf(BARS);

/** The same bars without some. */
function without(bars: BarColumns, skip: (i: number) => boolean): BarColumns {
  const kept = Array.from({ length: bars.length }, (_, i) => i).filter((i) => !skip(i));
  const out = barColumns(kept.length);
  out.length = kept.length;
  for (const name of ['time', 'open', 'high', 'low', 'close', 'volume'] as const)
    kept.forEach((i, k) => {
      out[name][k] = bars[name][i]!;
    });
  return out;
}

describe('rows and labels', () => {
  it('begin after 250 bars, and end where the last labels are not known yet', () => {
    expect(SAMPLES.whole.indexOf(1)).toBe(249);
    expect(SAMPLES.usable.lastIndexOf(1)).toBe(BARS.length - 1 - COLD_RULES.verticalBars);
    expect(SAMPLES.whole.lastIndexOf(1)).toBe(BARS.length - 1);
    expect(SAMPLES.rows.subarray(249 * 18).every(Number.isFinite)).toBe(true);
  });

  it('say nothing of the future: a series that ends earlier has the same, as far as it knows', () => {
    const cut = 700;
    const early = samplesOf(barsBetween(BARS, { from: 0, to: cut }));
    expect([...early.whole]).toEqual([...SAMPLES.whole.subarray(0, cut)]);
    expect([...early.rows.subarray(249 * 18)]).toEqual([...SAMPLES.rows.subarray(249 * 18, cut * 18)]);
    for (let i = 0; i < cut; i++) {
      if (early.usable[i] !== 1) continue;
      expect([early.labels[i], early.spanEnds[i]]).toEqual([SAMPLES.labels[i], SAMPLES.spanEnds[i]]);
      expect(early.spanEnds[i]).toBeLessThan(cut);
    }
  });

  it('hold for 250 bars behind a hole, and know no label whose span has one in it', () => {
    const hole = 400;
    const samples = samplesOf(without(BARS, (i) => i === hole));
    expect(samples.whole[hole - 1]).toBe(1);
    expect([...samples.whole.subarray(hole, hole + 249)].every((one) => one === 0)).toBe(true);
    expect(samples.whole[hole + 249]).toBe(1);
    for (let i = 0; i < hole; i++)
      if (samples.usable[i] === 1) expect(samples.spanEnds[i]).toBeLessThan(hole);
    expect(samples.usable[hole - 1]).toBe(0);
  });
});

describe('a window', () => {
  const [window] = coldWindows(BARS.time, BARS.length, QUARTER, {
    trainMs: 6 * DAY,
    testMs: DAY,
    stepMs: DAY,
  });

  it('is trained behind a scaler of its own rows, and says 1 in all of every whole row', () => {
    const fitted = fitWindow(SAMPLES, window!, COLD_RULES.verticalBars, COLD_POINT, 'a')!;
    expect(fitted.learnedFrom.at(-1)).toBeLessThan(window!.test.from - COLD_RULES.verticalBars);
    const column = [...fitted.learnedFrom].map((bar) => SAMPLES.rows[bar * 18]!);
    expect(fitted.scaler.mean[0]).toBeCloseTo(column.reduce((a, b) => a + b) / column.length, 12);
    const { probabilities } = predictBars(fitted, SAMPLES, window!.test);
    for (let k = 0; k < probabilities.length; k += 3)
      expect(probabilities[k]! + probabilities[k + 1]! + probabilities[k + 2]!).toBeCloseTo(1, 6);
  });

  it('is the same for the same seed, and another for another', () => {
    const said = (seed: string) => [
      ...predictBars(fitWindow(SAMPLES, window!, 12, COLD_POINT, seed)!, SAMPLES, window!.test).probabilities,
    ];
    expect(said('a')).toEqual(said('a'));
    expect(said('a')).not.toEqual(said('b'));
  });

  it('learns nothing from one kind of label, or from none', () => {
    const alike = { ...SAMPLES, labels: new Int8Array(BARS.length).fill(1) };
    expect(fitWindow(alike, window!, 12, COLD_POINT, 'a')).toBeNull();
    const none = { ...SAMPLES, usable: new Uint8Array(BARS.length) };
    expect(fitWindow(none, window!, 12, COLD_POINT, 'a')).toBeNull();
  });

  it('knows of two kinds alone, and still speaks of three', () => {
    const labels = SAMPLES.labels.map((label) => (label === 0 ? 1 : label));
    const fitted = fitWindow({ ...SAMPLES, labels }, window!, 12, COLD_POINT, 'a')!;
    const { probabilities } = predictBars(fitted, SAMPLES, window!.test);
    expect(probabilities.every((p) => p >= 0 && p <= 1)).toBe(true);
    expect(Math.max(...probabilities.filter((_, k) => k % 3 === 0))).toBeLessThan(0.2);
  });

  it('says no number of a row that is not whole, and tells how many lie far away', () => {
    const fitted = fitOn(
      SAMPLES,
      Int32Array.from({ length: 200 }, (_, i) => 300 + i),
      COLD_POINT,
      'a',
    );
    const rows = SAMPLES.rows.slice();
    rows[600 * 18 + 8] = 1e9;
    const whole = SAMPLES.whole.slice();
    whole[601] = 0;
    const { probabilities, clippedShare } = predictBars(
      fitted,
      { ...SAMPLES, rows, whole },
      { from: 600, to: 611 },
    );
    expect([...probabilities.subarray(3, 6)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(clippedShare).toBeCloseTo(0.1, 12);
    expect(predictBars(fitted, SAMPLES, { from: 10, to: 20 }).clippedShare).toBe(0);
  });
});
