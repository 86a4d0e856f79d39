import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyScaler,
  CLIP_WINDOW,
  fitScaler,
  newClipWatch,
  scalerFault,
  scalerHash,
  watchClips,
} from './scaler.ts';

const NAMES = ['a', 'b'];
const rows = Float64Array.of(1, 10, 2, 10, 3, 10, 4, 10, 1e9, 1e9);

describe('a scaler', () => {
  it('is fitted on its window and on nothing else', () => {
    const scaler = fitScaler(NAMES, rows, { from: 0, to: 4 });
    expect(scaler.mean).toEqual([2.5, 10]);
    expect(scaler.std[0]).toBeCloseTo(Math.sqrt(1.25), 15);
    expect(scaler.hash).toBe(scalerHash(scaler));
  });

  it('takes 1 for a deviation of nothing, exactly', () => {
    const equal = new Float64Array(300).fill(0.1);
    expect(fitScaler(['x'], equal, { from: 0, to: 300 })).toMatchObject({ mean: [0.1], std: [1] });
  });

  it('never sees the rows outside: another future gives the same bytes', () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 4, maxLength: 60 }),
        fc.array(value, { minLength: 60, maxLength: 60 }),
        (past, other) => {
          const n = Math.floor(past.length / 2);
          const whole = Float64Array.from([...past.slice(0, 2 * n), ...other]);
          const alone = fitScaler(NAMES, past, { from: 0, to: n });
          expect(fitScaler(NAMES, whole, { from: 0, to: n })).toEqual(alone);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('refuses an empty window and values that are no numbers', () => {
    expect(() => fitScaler(NAMES, rows, { from: 2, to: 2 })).toThrow('no rows');
    expect(() => fitScaler(NAMES, Float64Array.of(1, Number.NaN), { from: 0, to: 1 })).toThrow(
      'b is no number',
    );
  });

  it('cuts off beyond eight deviations, and not at eight', () => {
    const fitted = { features: NAMES, mean: [0, 0], std: [1, 2] };
    const scaler = { ...fitted, hash: scalerHash(fitted) };
    const out = new Float64Array(2);
    expect(applyScaler(scaler, [8, -16], out)).toBe(0);
    expect([...out]).toEqual([8, -8]);
    expect(applyScaler(scaler, [8.000001, -16.1], out)).toBe(2);
    expect([...out]).toEqual([8, -8]);
  });

  it('is not used when it was touched or fitted on something else', () => {
    const scaler = fitScaler(NAMES, rows, { from: 0, to: 4 });
    expect(scalerFault(scaler, NAMES)).toBeNull();
    expect(scalerFault({ ...scaler, mean: [2.5, 10.0001] }, NAMES)).toContain('hash');
    expect(scalerFault({ ...scaler, hash: '00' }, NAMES)).toContain('hash');
    expect(scalerFault(scaler, ['b', 'a'])).toContain('other features');
    const wrong = { features: NAMES, mean: [0, 0], std: [1, 0] };
    expect(scalerFault({ ...wrong, hash: scalerHash(wrong) }, NAMES)).toContain('no number');
  });
});

describe('rows that were cut off', () => {
  it('are drift above one in twenty of the last two hundred', () => {
    const watch = newClipWatch();
    for (let i = 0; i < 10; i++) expect(watchClips(watch, true)).toBe(false);
    expect(watchClips(watch, true)).toBe(true);
    // the first leaves the window: ten of two hundred are allowed
    for (let i = 11; i < CLIP_WINDOW; i++) expect(watchClips(watch, false)).toBe(true);
    expect(watchClips(watch, false)).toBe(false);
  });
});
