import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, decimal, digitsOf, money, NOTHING, percent, signOf, span, words } from './format.ts';
import { niceSteps, timeSteps } from './scale.ts';

const ungrouped = (text: string) => text.replaceAll('\u202f', '').replace('\u2212', '-');

describe('decimal', () => {
  it('groups by three and shows a real minus', () => {
    expect(decimal('-1234567.8900')).toBe('\u22121\u202f234\u202f567.8900');
    expect(decimal('1234.5')).toBe('1234.5');
  });

  it('rounds text half away from zero without losing a figure', () => {
    expect(decimal('9007199254740993.125', 2)).toBe('9\u202f007\u202f199\u202f254\u202f740\u202f993.13');
    expect(decimal('0.995', 2)).toBe('1.00');
    expect(decimal('-2.5', 0)).toBe('\u22123');
  });

  it('gives zero no sign', () => {
    expect(decimal('-0.001', 2, true)).toBe('0.00');
    expect(decimal(0, 1, true)).toBe('0.0');
    expect(decimal(3, 1, true)).toBe('+3.0');
  });

  it('shows nothing where there is nothing', () => {
    for (const value of [null, undefined, '', Number.NaN, Number.POSITIVE_INFINITY])
      expect(decimal(value)).toBe(NOTHING);
  });

  it('is within half a unit of the last digit for every amount', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
        fc.integer({ min: 0, max: 4 }),
        (units, digits) => {
          const negative = units < 0n;
          const all = (negative ? -units : units).toString().padStart(7, '0');
          const text = `${negative ? '-' : ''}${all.slice(0, -6)}.${all.slice(-6)}`;
          const shown = ungrouped(decimal(text, digits)).replace('.', '');
          const scale = 10n ** BigInt(6 - digits);
          const off = BigInt(shown) * scale - units;
          expect(off <= scale / 2n && -off <= scale / 2n).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('other figures', () => {
  it('reads the digits of a step', () => {
    expect(digitsOf('0.0010')).toBe(3);
    expect(digitsOf('1')).toBe(0);
    expect(digitsOf(null)).toBeUndefined();
  });

  it('writes money, shares, spans, sizes and names', () => {
    expect(money('12.345', 'USDT', true)).toBe('+12.35\u00a0USDT');
    expect(percent(-0.01234, 1, true)).toBe('\u22121.2\u202f%');
    expect([500, 5_000, 600_000, 7_200_000, 5 * 86_400_000].map(span)).toEqual([
      '500 ms',
      '5 s',
      '10 min',
      '2 h',
      '5 d',
    ]);
    expect(bytes(1536)).toBe('1.5 KiB');
    expect(words('exit:regime-change')).toBe('Exit: regime change');
    expect([signOf('-0.1'), signOf('0'), signOf(2), signOf(null)]).toEqual([-1, 0, 1, 0]);
  });
});

describe('steps of a scale', () => {
  it('are round and inside', () => {
    expect(niceSteps(9_480, 10_020, 5)).toEqual([9_600, 9_800, 10_000]);
    expect(niceSteps(1, 1, 5)).toEqual([]);
  });

  it('of time say the day where a day begins', () => {
    const day = Date.UTC(2024, 0, 2);
    expect(timeSteps(day - 43_200_000, day + 43_200_000, 4).map((step) => step.text)).toEqual([
      '12:00',
      '18:00',
      '01-02',
      '06:00',
      '12:00',
    ]);
  });
});
