import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, DAY, MINUTE } from '#base';
import type { Engine } from '#engine';
import { EquityCurve } from './equity-curve.ts';
import { drawdownOf } from './statistics/drawdown.ts';

const timeAt = (i: number, stepMs: number, atOnce = 1): number =>
  1_700_006_400_000 + (Math.floor(i / atOnce) + 1) * stepMs;

/** Samples of an account, so many at once every `stepMs` from a midnight on, the last one by `finish`. */
function curveOf(equities: readonly number[], stepMs: number, atOnce = 1): EquityCurve {
  const curve = new EquityCurve();
  const at = (i: number) => timeAt(i, stepMs, atOnce);
  equities.forEach((equity, i) => {
    const engine = { equity: () => equity } as Engine;
    if (i === equities.length - 1) curve.finish(at(i), engine);
    else curve.sample(at(i), engine);
  });
  return curve;
}

/** The same rows, put together as plainly as can be. */
function rowsOf(equities: readonly number[], times: readonly number[]): [number, number][] {
  const spans = [0, ...[1, 2, 3, 5, 10, 15, 30, 60, 120, 240, 360, 720].map((n) => n * MINUTE), DAY];
  let rows: [number, number][] = [];
  let spanMs = 0;
  let inSpan = 0;
  let end = -Infinity;
  const keep = (at: number, equity: number) => {
    if (rows.at(-1)?.[0] === at) rows.pop();
    else if (at > end) {
      end = spanMs === 0 ? -Infinity : Math.ceil(at / spanMs) * spanMs;
      inSpan = 1;
    } else if (inSpan < 3) inSpan += 1;
    else {
      const three = rows.slice(-3).map(([, value]) => value);
      const out = [0, 1, 2].find(
        (i) => i !== three.indexOf(Math.min(...three)) && i !== three.indexOf(Math.max(...three)),
      );
      rows.splice(rows.length - 3 + out!, 1);
    }
    rows.push([at, equity]);
    if (rows.length <= 20_000) return;
    const all = rows;
    rows = [];
    spanMs = spans[spans.indexOf(spanMs) + 1]!;
    end = -Infinity;
    for (const row of all) keep(...row);
  };
  equities.slice(0, -1).forEach((equity, i) => {
    keep(times[i]!, equity);
  });
  if (rows.at(-1)?.[0] === times.at(-1)) rows.pop();
  return [...rows, [times.at(-1)!, equities.at(-1)!]];
}

describe('the equity curve', () => {
  it('keeps every sample of a short run, and the drawdown to the last equity', () => {
    const curve = curveOf([100, 120, 90, 110, 60], MINUTE);
    expect(curve.equities).toEqual([100, 120, 90, 110, 60]);
    expect(curve.maxDrawdown).toBe(0.5);
    expect(curve.daily).toEqual([60]);
  });

  it('lets the last of two samples of one instant stand', () => {
    const curve = curveOf([100, 120], 0);
    expect([curve.times.length, curve.equities]).toEqual([1, [120]]);
  });

  it('thins a long run without losing a trough, a peak or a close', () => {
    const n = 130_000;
    const equities = Array.from({ length: n }, (_, i) => 1000 + Math.round(300 * Math.sin(i / 900)));
    equities[77_777] = 3;
    equities[40_001] = 9_000;
    const curve = curveOf(equities, MINUTE);
    expect(curve.times.length).toBeLessThanOrEqual(20_001);
    expect(curve.times.length).toBeGreaterThan(5_000);
    expect(curve.equities).toContain(3);
    expect(curve.equities).toContain(9_000);
    expect(drawdownOf(curve.equities).max).toBe(curve.maxDrawdown);
    const closes = curve.daily.slice(0, -1).map((_, day) => 1_700_006_400_000 + (day + 1) * DAY);
    const rows = new Map(curve.times.map((time, i) => [time, curve.equities[i]]));
    expect(closes.map((time) => rows.get(time))).toEqual(curve.daily.slice(0, -1));
    expect([...curve.times].sort((a, b) => a - b)).toEqual(curve.times);
  });

  it.each([MINUTE, 7_000, 0.4 * MINUTE])(
    'keeps of spans what is lowest, highest and last: %d ms',
    (stepMs) => {
      const chance = new Chance(`curve/${stepMs}`);
      // equal equities, and several samples of one instant, are the rule where nothing is held
      const equities = Array.from({ length: 64_000 }, (_, i) =>
        i % 5_000 < 2_000 ? 7 : 1 + chance.below(9),
      );
      const curve = curveOf(equities, stepMs, 3);
      const times = equities.map((_, i) => timeAt(i, stepMs, 3));
      expect(curve.times.map((time, i) => [time, curve.equities[i]])).toEqual(rowsOf(equities, times));
    },
  );

  it('has the same drawdown as the statistics', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 1000 }), { minLength: 1, maxLength: 60 }),
        (equities) => {
          expect(curveOf(equities, MINUTE).maxDrawdown).toBe(drawdownOf(equities).max);
        },
      ),
    );
  });
});
