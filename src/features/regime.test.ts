import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captureState, restoreState } from '#base';
import { RegimeDetector, type RegimeThresholds } from './regime.ts';

const up = [3, 2, 1] as const;
const down = [1, 2, 3] as const;
const mixed = [2, 3, 1] as const;
type Stack = readonly [number, number, number];

/** The regime after the same candle has been seen n times. */
function settled(gk: number, adx: number, stack: Stack, n = 2, thresholds: Partial<RegimeThresholds> = {}) {
  const detector = new RegimeDetector(thresholds);
  let state = detector.update(gk, adx, ...stack);
  for (let i = 1; i < n; i++) state = detector.update(gk, adx, ...stack);
  return state!;
}

describe('RegimeDetector', () => {
  it('classifies as the sheet does', () => {
    expect(settled(0.81, 50, up).regime).toBe('VOLATILE');
    expect(settled(0.8, 50, up).regime).toBe('TREND_UP');
    expect(settled(0.3, 30.1, down).regime).toBe('TREND_DOWN');
    expect(settled(0.51, 40, mixed).regime).toBe('CHOP');
    expect(settled(0.5, 40, mixed).regime).toBe('RANGE');
    expect(settled(0.5, 19.9, up).regime).toBe('RANGE');
    expect(settled(0.51, 19.9, up).regime).toBe('CHOP');
    // 20..30 without a trend before: as below 20
    expect(settled(0.5, 30, up).regime).toBe('RANGE');
    expect(settled(0.51, 25, down).regime).toBe('CHOP');
    // equal averages are no order
    expect(settled(0.3, 50, [2, 2, 1]).regime).toBe('RANGE');
    expect(settled(2.825886, 27.5, mixed).regime).toBe('VOLATILE');
  });

  it('keeps a trend between 20 and 30 while its averages stay in order', () => {
    const detector = new RegimeDetector();
    detector.update(0.3, 35, ...up);
    for (const adx of [30, 25, 20]) expect(detector.update(0.3, adx, ...up)!.regime).toBe('TREND_UP');
    expect(detector.update(0.3, 19.9, ...up)!.regime).toBe('TREND_UP');
    expect(detector.update(0.3, 19.9, ...up)!.regime).toBe('RANGE');
    // once lost, it takes an ADX above 30 to come back
    for (let i = 0; i < 5; i++) expect(detector.update(0.3, 30, ...up)!.regime).toBe('RANGE');
    detector.update(0.3, 31, ...up);
    expect(detector.update(0.3, 31, ...up)!.regime).toBe('TREND_UP');
    // the other order does not keep it
    detector.update(0.6, 25, ...down);
    expect(detector.update(0.6, 25, ...down)!.regime).toBe('CHOP');
  });

  it('changes after two candles in a row, to VOLATILE at once', () => {
    const detector = new RegimeDetector();
    const step = (gk: number, adx: number, stack: Stack) => {
      const { regime, changed } = detector.update(gk, adx, ...stack)!;
      return `${regime}${changed ? ' changed' : ''}`;
    };
    expect(step(0.3, 10, mixed)).toBe('RANGE changed');
    expect(step(0.6, 10, mixed)).toBe('RANGE');
    expect(step(0.3, 10, mixed)).toBe('RANGE');
    expect(step(0.6, 10, mixed)).toBe('RANGE');
    expect(step(0.3, 40, up)).toBe('RANGE');
    expect(step(0.6, 10, mixed)).toBe('RANGE');
    expect(step(0.6, 10, mixed)).toBe('CHOP changed');
    expect(step(0.9, 10, mixed)).toBe('VOLATILE changed');
    expect(step(0.9, 10, mixed)).toBe('VOLATILE');
    expect(step(0.3, 10, mixed)).toBe('VOLATILE');
    expect(step(0.9, 10, mixed)).toBe('VOLATILE');
    expect(step(0.3, 10, mixed)).toBe('VOLATILE');
    expect(step(0.3, 10, mixed)).toBe('RANGE changed');
  });

  it('states the sheet’s confidence and multiplier', () => {
    expect(settled(0.3, 40, up)).toMatchObject({ confidence: 0.75, multiplier: 1.3 });
    expect(settled(0.3, 60, down)).toMatchObject({ confidence: 1, multiplier: 1.3 });
    expect(settled(0.3, 10, mixed)).toMatchObject({ confidence: 1, multiplier: 0.8 });
    expect(settled(0.3, 18, mixed).confidence).toBeCloseTo(0.6, 12);
    expect(settled(0.6, 18, mixed)).toMatchObject({ regime: 'CHOP', multiplier: 0.4 });
    expect(settled(1, 18, mixed).confidence).toBeCloseTo(0.7, 12);
    expect(settled(1, 18, mixed).multiplier).toBe(0.3);
    expect(settled(0.3, 50, mixed).confidence).toBe(0);
  });

  it('clamps configured multipliers and takes other thresholds', () => {
    const multipliers = { TREND_UP: 9, TREND_DOWN: 1, RANGE: 1, CHOP: 0, VOLATILE: 1 };
    expect(settled(0.3, 40, up, 2, { multipliers }).multiplier).toBe(1.5);
    expect(settled(0.6, 10, mixed, 2, { multipliers }).multiplier).toBe(0.3);
    expect(settled(0.6, 10, mixed, 2, { volatileAbove: 0.5 }).regime).toBe('VOLATILE');
    const patient = new RegimeDetector({ holdCandles: 3 });
    patient.update(0.3, 10, ...mixed);
    const seen = [1, 2, 3].map(() => patient.update(0.6, 10, ...mixed)!.regime);
    expect(seen).toEqual(['RANGE', 'RANGE', 'CHOP']);
  });

  it('says nothing before its inputs are defined and stays as it was when they are missing', () => {
    const detector = new RegimeDetector();
    expect(detector.update(0.3, Number.NaN, ...up)).toBeNull();
    const state = detector.update(0.3, 40, ...up)!;
    expect(state.changed).toBe(true);
    expect(detector.update(Number.NaN, 40, ...up)).toEqual({ ...state, changed: false });
  });

  it('goes on after a restore, and is always bounded', () => {
    const candle = fc.tuple(
      fc.double({ min: 0, max: 1.2, noNaN: true }),
      fc.double({ min: 0, max: 60, noNaN: true }),
      fc.constantFrom<Stack>(up, down, mixed),
    );
    fc.assert(
      fc.property(fc.array(candle, { minLength: 1, maxLength: 30 }), fc.nat(30), (candles, cut) => {
        const whole = new RegimeDetector();
        let split = new RegimeDetector();
        candles.forEach(([gk, adx, stack], i) => {
          if (i === cut) {
            const next = new RegimeDetector();
            restoreState(next, JSON.parse(JSON.stringify(captureState(split))));
            split = next;
          }
          const state = whole.update(gk, adx, ...stack)!;
          expect(split.update(gk, adx, ...stack)).toEqual(state);
          expect(state.confidence).toBeGreaterThanOrEqual(0);
          expect(state.confidence).toBeLessThanOrEqual(1);
          if (gk > 0.8) expect(state.regime).toBe('VOLATILE');
        });
      }),
      { numRuns: 1000 },
    );
  });
});
