import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantError } from '#base';
import { calibrateProbabilities, calibrateProbability } from './calibrate-probability.ts';
import type { ProbabilityCalibration } from './probability-calibration.ts';

const steps: ProbabilityCalibration = { kind: 'isotonic', x: [0.2, 0.4, 0.8], p: [0.1, 0.5, 0.9] };
const probability = fc.double({ min: 0, max: 1, noNaN: true });

describe('calibrating a probability', () => {
  it.each<[ProbabilityCalibration, number, number]>([
    [{ kind: 'platt', a: 1, b: 0 }, 0.3, 0.3],
    [{ kind: 'platt', a: 2, b: 0 }, 0.75, 0.9],
    [{ kind: 'platt', a: 0, b: Math.log(3) }, 0.1, 0.75],
    [{ kind: 'beta', a: 1, b: 1, c: 0 }, 0.3, 0.3],
    [{ kind: 'beta', a: 1, b: 0, c: 0 }, 0.25, 0.2],
    [{ kind: 'beta', a: 0, b: 1, c: 0 }, 0.75, 0.8],
    [steps, 0, 0.1],
    [steps, 0.2, 0.1],
    [steps, 0.3, 0.3],
    [steps, 0.4, 0.5],
    [steps, 0.7, 0.8],
    [steps, 0.8, 0.9],
    [steps, 1, 0.9],
    [{ kind: 'isotonic', x: [0.5], p: [0.7] }, 0.1, 0.7],
  ])('%j turns %d into %d', (calibration, stated, observed) => {
    expect(calibrateProbability(calibration, stated)).toBeCloseTo(observed, 9);
  });

  it('stays a probability at the ends', () => {
    for (const calibration of [
      { kind: 'platt', a: 50, b: 0 },
      { kind: 'beta', a: 50, b: 50, c: 0 },
    ] as const) {
      expect(calibrateProbability(calibration, 0)).toBeCloseTo(0, 9);
      expect(calibrateProbability(calibration, 1)).toBeCloseTo(1, 9);
    }
  });

  it('never falls, and never leaves 0 to 1', () => {
    const slope = fc.double({ min: 0, max: 20, noNaN: true });
    const shift = fc.double({ min: -20, max: 20, noNaN: true });
    const any: fc.Arbitrary<ProbabilityCalibration> = fc.oneof(
      fc.record({ kind: fc.constant('platt' as const), a: slope, b: shift }),
      fc.record({ kind: fc.constant('beta' as const), a: slope, b: slope, c: shift }),
      fc.constant(steps),
    );
    fc.assert(
      fc.property(any, probability, probability, (calibration, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const [a, b] = [calibrateProbability(calibration, low), calibrateProbability(calibration, high)];
        expect(a).toBeLessThanOrEqual(b + 1e-12);
        expect(a).toBeGreaterThanOrEqual(0);
        expect(b).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('passes on that a probability is none', () => {
    expect(calibrateProbability(steps, Number.NaN)).toBeNaN();
    expect(calibrateProbability({ kind: 'platt', a: 1, b: 0 }, Number.NaN)).toBeNaN();
  });

  it('takes an isotonic calibration without knots for a bug', () => {
    expect(() => calibrateProbability({ kind: 'isotonic', x: [], p: [] }, 0.5)).toThrow(InvariantError);
  });
});

describe('calibrating the probabilities of classes', () => {
  const identity: ProbabilityCalibration = { kind: 'platt', a: 1, b: 0 };

  it('scales them down to sum to one', () => {
    const out = new Float64Array(3);
    calibrateProbabilities([identity, { kind: 'platt', a: 0, b: 0 }, identity], [0.2, 0.3, 0.5], out);
    [0.2, 0.5, 0.5].forEach((p, i) => {
      expect(out[i]).toBeCloseTo(p / 1.2, 9);
    });
  });

  it('never states a class as more likely than its calibration does, nor as more than its share', () => {
    const row = fc.tuple(probability, probability, probability);
    const slope = fc.double({ min: 0, max: 3, noNaN: true });
    const shift = fc.double({ min: -3, max: 3, noNaN: true });
    const platt = fc.record({ kind: fc.constant('platt' as const), a: slope, b: shift });
    fc.assert(
      fc.property(row, fc.tuple(platt, platt, platt), (stated, calibrations) => {
        const out = new Float64Array(3);
        calibrateProbabilities(calibrations, stated, out);
        const own = stated.map((p, i) => calibrateProbability(calibrations[i]!, p));
        const sum = own.reduce((all, p) => all + p, 0);
        own.forEach((p, i) => {
          expect(out[i]).toBeCloseTo(Math.min(p, p / sum), 12);
        });
      }),
    );
    // a gate at 0.55 that 0.41 alone does not reach is not passed because the others are small
    const out = new Float64Array(3);
    calibrateProbabilities([identity, identity, identity], [0.1, 0.15, 0.41], out);
    expect(out[2]).toBeCloseTo(0.41, 9);
  });

  it('may write where it reads', () => {
    const row = Float64Array.of(0.2, 0.3, 0.5);
    calibrateProbabilities([identity, { kind: 'platt', a: 0, b: 0 }, identity], row, row);
    expect(row.reduce((sum, p) => sum + p)).toBeCloseTo(1, 12);
    expect(row[0]).toBeCloseTo(0.2 / 1.2, 9);
  });

  it('states nothing where all calibrate to nothing', () => {
    const never: ProbabilityCalibration = { kind: 'isotonic', x: [0, 1], p: [0, 0] };
    const out = new Float64Array(2);
    calibrateProbabilities([never, never], [0.4, 0.6], out);
    expect([...out]).toEqual([0, 0]);
  });

  it('takes another number of classes for a bug', () => {
    expect(() => calibrateProbabilities([identity], [0.5, 0.5], new Float64Array(2))).toThrow(
      '1 calibrations for 2 probabilities',
    );
  });
});
