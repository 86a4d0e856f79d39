import { describe, expect, it } from 'vitest';
import { Chance, MINUTE } from '#base';
import { FeatureFrame } from '#features';
import {
  type Dominance,
  followDominance,
  momentumState,
  momentumStrength,
  momentumT,
  newDominance,
  underDominance,
} from './momentum-regime.ts';

describe('momentum', () => {
  it('of the sheet: mean .0004, deviation .003 of twenty returns is bull', () => {
    const t = momentumT(0.0004, 0.003, 20);
    expect(t).toBeCloseTo(0.596285, 6);
    expect(momentumState(t, 0.5)).toBe('bull');
    expect(momentumT(0.0004, 0, 20)).toBe(0);
  });

  it.each([
    [0.5, 'flat'],
    [0.5000001, 'bull'],
    [-0.5, 'flat'],
    [-0.5000001, 'bear'],
    [0, 'flat'],
  ])('at t %d is %s', (t, state) => {
    expect(momentumState(t, 0.5)).toBe(state);
  });

  it('is as strong as half of t, at most 1', () => {
    expect([0.6, -1.4, 2, 9].map(momentumStrength)).toEqual([0.3, 0.7, 1, 1]);
  });
});

describe('what the lead of the leader leaves', () => {
  const at = (value: number): Dominance => ({ value, deviation: 0.001 });
  it.each([
    ['bull', at(0.001), 'bull'],
    ['bull', at(0.001_000_1), 'flat'],
    ['bull', at(-1), 'bull'],
    ['bear', at(-0.001), 'bear'],
    ['bear', at(-0.001_000_1), 'flat'],
    ['bear', at(1), 'bear'],
    ['flat', at(0), 'flat'],
    ['bull', null, 'flat'],
    ['bear', null, 'flat'],
  ] as const)('of %s at %j is %s', (state, dominance, expected) => {
    expect(underDominance(state, dominance)).toBe(expected);
  });
});

const RULES = { bars: 3, dominanceBars: 5 };

/** Four frames that move at random, the first one leads. */
function world(seed: string, n: number) {
  const closes = [0, 1, 2, 3].map((k) => {
    const chance = new Chance(`${seed}/${k}`);
    let close = 100;
    return Array.from({ length: n }, () => {
      close *= Math.exp(0.01 * chance.normal());
      return close;
    });
  });
  const frames = closes.map(() => new FeatureFrame([]));
  const push = (k: number, i: number) => {
    const c = closes[k]![i]!;
    frames[k]!.push(i * MINUTE, c, c, c, c, 1);
  };
  return { closes, frames, push };
}

/** As the sheet writes it, from the beginning. */
function oracle(closes: readonly (readonly number[])[], i: number): Dominance | null {
  const r = (k: number, j: number) => Math.log(closes[k]![j]! / closes[k]![j - 1]!);
  const x = (j: number) => r(0, j) - (r(1, j) + r(2, j) + r(3, j)) / 3;
  const values: number[] = [];
  for (let j = RULES.bars; j <= i; j++) values.push((x(j) + x(j - 1) + x(j - 2)) / 3);
  if (values.length < RULES.dominanceBars) return null;
  const last = values.slice(-RULES.dominanceBars);
  const mean = last.reduce((a, b) => a + b, 0) / last.length;
  return {
    value: last.at(-1)!,
    deviation: Math.sqrt(last.reduce((a, b) => a + (b - mean) ** 2, 0) / last.length),
  };
}

describe('the lead of the leader', () => {
  const follow = (memory: ReturnType<typeof newDominance>, frames: readonly FeatureFrame[]) =>
    followDominance(memory, frames[1]!, frames[0]!, frames.slice(1), RULES);

  it('is that of the sheet, bar by bar', () => {
    const { closes, frames, push } = world('bars', 30);
    const memory = newDominance();
    for (let i = 0; i < 30; i++) {
      for (let k = 0; k < 4; k++) push(k, i);
      const found = follow(memory, frames);
      const expected = oracle(closes, i);
      expect(found === null).toBe(expected === null);
      if (found === null) continue;
      expect(found.value).toBeCloseTo(expected!.value, 12);
      expect(found.deviation).toBeCloseTo(expected!.deviation, 12);
    }
    expect(memory.values).toHaveLength(RULES.dominanceBars);
  });

  it('is the same when nobody looked until now', () => {
    const { frames, push } = world('late', 30);
    const early = newDominance();
    for (let i = 0; i < 30; i++) {
      for (let k = 0; k < 4; k++) push(k, i);
      follow(early, frames);
    }
    const late = newDominance();
    expect(follow(late, frames)).toEqual(follow(early, frames));
    expect(late).toEqual(early);
  });

  it('is not known while a peer lacks the bar, nor until its means are whole again', () => {
    const { frames, push } = world('hole', 40);
    const memory = newDominance();
    const known: boolean[] = [];
    for (let i = 0; i < 20; i++) {
      for (let k = 0; k < 4; k++) if (!(k === 2 && i === 10)) push(k, i);
      known.push(follow(memory, frames) !== null);
    }
    expect(known.slice(7, 16)).toEqual([true, true, true, false, false, false, true, true, true]);
  });

  it('is not known without a peer at all', () => {
    const { frames, push } = world('none', 20);
    for (let i = 0; i < 20; i++) for (let k = 0; k < 4; k++) push(k, i);
    expect(followDominance(newDominance(), frames[1]!, null, frames.slice(1), RULES)).toBeNull();
  });

  it('reads all again when a hole of one of the frames was filled', () => {
    const n = 30;
    const { closes, frames, push } = world('mended', n);
    const memory = newDominance();
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < 4; k++) if (k !== 2 || i < 20 || i > 23) push(k, i);
      follow(memory, frames);
    }
    const bar = (i: number) => {
      const c = closes[2]![i]!;
      return { time: i * MINUTE, open: c, high: c, low: c, close: c, volume: 1 };
    };
    frames[2]!.mend([20, 21, 22, 23].map(bar));
    const found = follow(memory, frames)!;
    const wanted = oracle(closes, n - 1)!;
    expect(found.value).toBeCloseTo(wanted.value, 14);
    expect(found.deviation).toBeCloseTo(wanted.deviation, 14);
    expect(memory).toEqual({ ...newDominance(), ...memory, mended: 1 });
  });
});
