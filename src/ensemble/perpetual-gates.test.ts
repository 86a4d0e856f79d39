import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '#base';
import type { View } from '#signals';
import { expectedFunding, fundingCost, noGap } from './perpetual-gates.ts';
import type { Gate, Pooled } from './pooling.ts';

const AT = Date.UTC(2024, 0, 1, 1);
const EIGHT = 8 * HOUR;

const entering = (action: Pooled['action']): Pooled => ({
  action,
  confidence: 1,
  probability: null,
  rule: '',
  objections: [],
});
const ask = (
  gate: Gate<never>,
  view: Partial<View>,
  values: Record<string, number> = {},
  action: Pooled['action'] = 'enter-long',
) => gate.check(entering(action), view as View, values as never);

describe('expected funding', () => {
  it('counts the intervals touched: the example of the sheet', () => {
    const funding = { rate: 0.0001, time: AT, intervalMs: EIGHT };
    expect(expectedFunding(funding, 1, AT, 3 * EIGHT)).toBeCloseTo(0.0003, 15);
    expect(expectedFunding(funding, -1, AT, 3 * EIGHT)).toBeCloseTo(-0.0003, 15);
    expect(expectedFunding(funding, 1, AT, 3 * EIGHT - 1)).toBeCloseTo(0.0002, 15);
    expect(expectedFunding(funding, 1, AT + EIGHT - 1, 1)).toBeCloseTo(0.0001, 15);
    expect(expectedFunding(funding, 1, AT + 1, EIGHT - 2)).toBe(0);
  });
});

describe('the funding gate', () => {
  // the target is 2.25 % away, a fifth of it is 0.0045
  const gate = fundingCost({ shareMax: 0.2, holdMs: EIGHT, atr: 'atr:14', targetAtr: 2.25 });
  const view = (rate: number, ageMs = 0, fresh = true): Partial<View> => ({
    at: AT,
    close: 100,
    funding: () => ({ rate, time: AT - ageMs, intervalMs: EIGHT, mean: 0, deviation: 0, count: 1, fresh }),
  });
  const values = { atr: 1 };

  it.each([
    ['at a fifth of the target', 0.0045, null],
    ['above a fifth of the target', 0.004501, 'funding-cost'],
    ['received', -0.01, null],
  ])('lets a long pass %s', (_, rate, by) => {
    expect(ask(gate, view(rate), values)?.by ?? null).toBe(by);
    expect(ask(gate, view(-rate), values, 'enter-short')?.by ?? null).toBe(by);
  });

  it('lets nothing pass on old funding, and everything where there is none', () => {
    expect(ask(gate, view(0, 2 * EIGHT + 1, false), values)?.reason).toBe('funding is old');
    expect(ask(gate, { ...view(0), funding: () => null }, values)).toBeNull();
  });

  it('lets nothing pass where the range is not known', () => {
    expect(ask(gate, view(0.0001), { atr: Number.NaN })?.by).toBe('funding-cost');
  });
});

describe('the gap gate', () => {
  const gate = noGap(5);
  const view = (minutes: readonly number[]): Partial<View> => ({
    intervalMs: MINUTE,
    frame: {
      bars: { time: Float64Array.from(minutes, (m) => m * MINUTE), length: minutes.length },
    } as unknown as View['frame'],
  });

  it.each([
    ['no bar is missing', [0, 1, 2, 3, 4, 5], null],
    ['one is missing among the last five', [0, 1, 2, 4, 5], 1],
    ['the hole lies before them', [0, 2, 3, 4, 5, 6], null],
    ['the hole is the oldest step among them', [0, 2, 4, 5, 6, 7], 1],
    ['there are fewer', [7, 8], null],
  ])('%s', (_, minutes, missing) => {
    expect(ask(gate, view(minutes))?.measured ?? null).toBe(missing);
  });
});
