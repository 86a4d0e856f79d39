import { describe, expect, it } from 'vitest';
import { FeatureFrame } from '#features';
import { barColumns } from '#market';
import { about, ask, NEUTRAL, read, requestsOf } from '../../../test/support/sigma-readings.ts';
import { type SigmaReadings, sigmaFeatures, sigmaGuards } from './sigma-readings.ts';
import { scoreV1, sigmaV1 } from './sigma-v1.ts';
import { sigmaV2, voteV2 } from './sigma-v2.ts';

describe('guard values', () => {
  const requests = requestsOf(sigmaFeatures);

  it('reads a market that never moved as neutral, where the library says 0', () => {
    const frame = new FeatureFrame(requests);
    for (let i = 0; i < 260; i++) frame.push(i * 300_000, 7, 7, 7, 7, 10);
    const raw = read(frame, sigmaFeatures) as unknown as SigmaReadings;
    expect([raw.rsi, raw.stochK, raw.mfi]).toEqual([0, 0, 0]);
    const guarded = sigmaGuards(frame.bars, raw);
    expect([guarded.rsi, guarded.stochK, guarded.mfi]).toEqual([50, 50, 50]);
    expect(scoreV1(7, guarded)).toMatchObject({ raw: 0, action: 'WAIT' });
    expect(voteV2(7, guarded)).toMatchObject({ long: 0, short: 0 });
    expect(ask(sigmaV1(), frame)).toMatchObject({ value: 0, confidence: 0 });
    expect(ask(sigmaV2(), frame)).toMatchObject({ value: 0 });
  });

  it('keeps a true 0 of a market that only fell', () => {
    const frame = new FeatureFrame(requests);
    for (let i = 0; i < 260; i++) {
      const c = 1000 - i;
      frame.push(i * 300_000, c, c, c, c, 10);
    }
    const raw = read(frame, sigmaFeatures) as unknown as SigmaReadings;
    expect([raw.rsi, raw.mfi]).toEqual([0, 0]);
    expect(sigmaGuards(frame.bars, raw)).toBe(raw);
  });

  it('keeps the RSI of a market that fell before it went still, and counts flat windows of the stochastic', () => {
    const still = (bars: number) => {
      const frame = new FeatureFrame(requests);
      for (let i = 0; i < 240 + bars; i++) {
        const c = i < 240 ? 1000 - i : 760;
        const spread = i < 240 ? 1 : 0;
        frame.push(i * 300_000, c, c + spread, c - spread, c, 10);
      }
      const raw = read(frame, sigmaFeatures) as unknown as SigmaReadings;
      return { ...sigmaGuards(frame.bars, raw), added: sigmaGuards(frame.bars, raw).stochK - raw.stochK };
    };
    // 14 flat bars hold one flat window, 15 two, 16 three
    expect(still(13).added).toBe(0);
    about(still(14).added, 50 / 3, 1e-9);
    about(still(15).added, 100 / 3, 1e-9);
    expect(still(16)).toMatchObject({ added: 50, stochK: 50 });
    expect(still(20)).toMatchObject({ rsi: 0, stochK: 50, mfi: 50 });
  });

  it('reads no volume as no flow', () => {
    const frame = new FeatureFrame(requests);
    for (let i = 0; i < 260; i++) frame.push(i * 300_000, 100 - i / 10, 101, 80 - i / 10, 100 - i / 10, 0);
    const raw = read(frame, sigmaFeatures) as unknown as SigmaReadings;
    expect(sigmaGuards(frame.bars, raw).mfi).toBe(50);
  });

  it('finds nothing to guard in too few bars', () => {
    expect(sigmaGuards(barColumns(4), NEUTRAL)).toBe(NEUTRAL);
  });
});
