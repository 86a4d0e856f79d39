import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NEUTRAL } from '../../../test/support/sigma-readings.ts';
import type { SigmaReadings } from './sigma-readings.ts';
import { scoreV1 } from './sigma-v1.ts';
import { voteV2 } from './sigma-v2.ts';

/** Readings on a grid on which mirroring is exact enough. */
const reading = (min: number, max: number) => fc.integer({ min: min * 64, max: max * 64 }).map((n) => n / 64);
const readings: fc.Arbitrary<SigmaReadings> = fc.record({
  rsi: reading(0, 100),
  stochK: reading(0, 100),
  cci: reading(-400, 400),
  macdHist: reading(-4, 4),
  atr: reading(0, 4),
  ema9: reading(90, 110),
  ema20: reading(90, 110),
  ema50: reading(90, 110),
  ema200: reading(90, 110),
  bbWidth: reading(1, 3),
  bbWidthMedian: reading(1, 3),
  percentB: reading(-1, 2),
  slopePercent: reading(-1, 1),
  obvSlope: reading(-5, 5),
  obvR2: reading(0, 1),
  mfi: reading(0, 100),
  vwap: reading(90, 110),
  z: reading(-4, 4),
  pUp: reading(0, 1),
  gkAnnual: reading(0, 3),
});
const close = reading(90, 110);

/** The same market upside down around a price of 100. */
const mirrored = (r: SigmaReadings): SigmaReadings => ({
  ...r,
  rsi: 100 - r.rsi,
  stochK: 100 - r.stochK,
  cci: -r.cci,
  macdHist: -r.macdHist,
  ema9: 200 - r.ema9,
  ema20: 200 - r.ema20,
  ema50: 200 - r.ema50,
  ema200: 200 - r.ema200,
  percentB: 1 - r.percentB,
  slopePercent: -r.slopePercent,
  obvSlope: -r.obvSlope,
  mfi: 100 - r.mfi,
  vwap: 200 - r.vwap,
  z: -r.z,
  pUp: 1 - r.pUp,
});

describe('laws of Sigma', () => {
  const runs = { numRuns: 1500 };

  it('the market upside down gives the opposite score and the opposite votes', () => {
    fc.assert(
      fc.property(close, readings, (c, r) => {
        const up = scoreV1(c, r)!;
        const down = scoreV1(200 - c, mirrored(r))!;
        expect(down.raw).toBeCloseTo(-up.raw, 12);
        expect(down.factor).toBe(up.factor);
        expect(down.confidence).toBeCloseTo(up.confidence, 12);
        const a = voteV2(c, r);
        const b = voteV2(200 - c, mirrored(r));
        // P(up) of 0.4 and 0.6 are not on the grid, so no threshold can be missed by rounding
        expect([b.longRules, b.shortRules]).toEqual([a.shortRules, a.longRules]);
      }),
      runs,
    );
  });

  it('every member, category and score stays in its range, and an action fits its score', () => {
    fc.assert(
      fc.property(close, readings, (c, r) => {
        const score = scoreV1(c, r)!;
        for (const x of [...Object.values(score.members), ...Object.values(score.categories), score.raw]) {
          expect(Math.abs(x)).toBeLessThanOrEqual(1);
        }
        expect(score.factor).toBeGreaterThanOrEqual(0.5);
        expect(score.factor).toBeLessThanOrEqual(1);
        expect(Math.abs(score.adjusted)).toBeLessThanOrEqual(Math.abs(score.raw));
        expect(score.confidence >= 0 && score.confidence <= 1).toBe(true);
        const wanted = score.adjusted >= 0.2 ? 'ENTER_LONG' : score.adjusted <= -0.2 ? 'ENTER_SHORT' : 'WAIT';
        expect(score.action).toBe(wanted);
        const votes = voteV2(c, r);
        expect(votes.longRules & votes.shortRules).toBe(0);
        expect(votes.long + votes.short).toBeLessThanOrEqual(10);
      }),
      runs,
    );
  });

  it('one undefined or infinite reading makes V1 silent', () => {
    const names = fc.constantFrom(...(Object.keys(NEUTRAL) as (keyof SigmaReadings)[]));
    const bad = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    fc.assert(
      fc.property(close, readings, names, bad, (c, r, name, value) => {
        expect(scoreV1(c, { ...r, [name]: value })).toBeNull();
        expect(scoreV1(value, r)).toBeNull();
      }),
      runs,
    );
  });

  it('more volatility never strengthens a score', () => {
    fc.assert(
      fc.property(close, readings, reading(0, 3), (c, r, more) => {
        const calm = scoreV1(c, r)!;
        const wild = scoreV1(c, { ...r, gkAnnual: r.gkAnnual + more })!;
        expect(Math.abs(wild.adjusted)).toBeLessThanOrEqual(Math.abs(calm.adjusted));
      }),
      runs,
    );
  });
});
