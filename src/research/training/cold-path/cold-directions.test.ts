import { describe, expect, it } from 'vitest';
import { COLD_RULES } from '../../../../test/support/cold-path.ts';
import { coldDirection } from './cold-directions.ts';

/** What is let through with these probabilities of down and up. */
const says = (regime: number, strength: number, down: number, up: number, rules = COLD_RULES) =>
  coldDirection(rules, regime, strength, [down, 1 - down - up, up], 0);

describe('the gates and the score, at their bounds', () => {
  it.each<[string, number, number, number, number, 1 | 0 | -1]>([
    ['bull, sure', 1, 0.9, 0.1, 0.8, 1],
    ['bear, sure', -1, 0.9, 0.8, 0.1, -1],
    ['flat, whatever the model says', 0, 0.9, 0.05, 0.9, 0],
    ['against the regime', 1, 0.9, 0.8, 0.1, 0],
    ['P at 0.55', 1, 1, 0.2, 0.55, 1],
    ['P below 0.55', 1, 1, 0.2, 0.5499, 0],
    ['lead of 0.10 exactly', 1, 1, 0.45, 0.55, 1],
    ['lead below 0.10', 1, 1, 0.4501, 0.55, 0],
    ['bear at 0.55', -1, 1, 0.55, 0.2, -1],
    ['bear below', -1, 1, 0.5499, 0.2, 0],
    // (0.25 R + 0.6 X) / 0.85 = 0.58 with X 0.6 at R = 0.532
    ['score at 0.58', 1, 0.532, 0.1, 0.6, 1],
    ['score below 0.58', 1, 0.5319, 0.1, 0.6, 0],
    ['no number', 1, 1, 0.2, Number.NaN, 0],
  ])('%s', (_, regime, strength, down, up, expected) => {
    expect(says(regime, strength, down, up)).toBe(expected);
  });

  it("the sheet's score without news", () => {
    // R 0.70, X 0.66: (0.175 + 0.396) / 0.85
    const score = (0.25 * 0.7 + 0.6 * 0.66) / 0.85;
    expect(says(1, 0.7, 0.1, 0.66, { ...COLD_RULES, scoreMin: score })).toBe(1);
    expect(says(1, 0.7, 0.1, 0.66, { ...COLD_RULES, scoreMin: score + 1e-9 })).toBe(0);
  });

  it("the sheet's score with news, and what they stop", () => {
    const told = (news: { score: number; stops: number }, scoreMin = 0, regime = 1) =>
      coldDirection(
        { ...COLD_RULES, scoreMin },
        regime,
        0.7,
        regime === 1 ? [0.1, 0.24, 0.66] : [0.66, 0.24, 0.1],
        0,
        news,
      );
    // R .70, X .66, F .55: 0.6535
    expect(told({ score: 0.1, stops: 0 }, 0.6535)).toBe(1);
    expect(told({ score: 0.1, stops: 0 }, 0.6536)).toBe(0);
    // good news speak against shorts: F .45
    expect(told({ score: 0.1, stops: 0 }, 0.6385, -1)).toBe(-1);
    expect(told({ score: 0.1, stops: 0 }, 0.6386, -1)).toBe(0);
    expect([1, 2, 3].map((stops) => told({ score: 0, stops }))).toEqual([0, 1, 0]);
    expect([1, 2, 3].map((stops) => told({ score: 0, stops }, 0, -1))).toEqual([-1, 0, 0]);
  });

  it('reads the row it is asked about', () => {
    const rows = [0.8, 0.1, 0.1, 0.1, 0.1, 0.8];
    expect(coldDirection(COLD_RULES, 1, 1, rows, 3)).toBe(1);
    expect(coldDirection(COLD_RULES, 1, 1, rows, 0)).toBe(0);
  });
});
