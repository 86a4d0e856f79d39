import { describe, expect, it } from 'vitest';
import { look, type Sight, type Vigil } from './vigil.ts';

const LIMITS = { staleMs: 15_000, startMs: 120_000 };
const T = 1_000_000_000;
const answers = (pid: number, stepAt: number): Sight => ({ locked: true, pid, stepAt });
const mute = (pid: number | null): Sight => ({ locked: true, pid, stepAt: null });
const unlocked: Sight = { locked: false, pid: null, stepAt: null };

function states(script: readonly (readonly [number, Sight])[]): string[] {
  let vigil: Vigil | null = null;
  return script.map(([after, sight]) => {
    vigil = look(vigil, sight, T + after, LIMITS);
    return vigil.state;
  });
}

describe('the watchdog’s judgement', () => {
  it('calls silence what has lasted, and well what steps again', () => {
    expect(
      states([
        [0, answers(7, T)],
        [3_000, mute(7)],
        [14_999, mute(7)],
        [15_000, mute(7)],
        [60_000, mute(7)],
        [61_000, answers(7, T + 61_000)],
      ]),
    ).toEqual(['well', 'well', 'well', 'silent', 'silent', 'well']);
  });

  it('is not content with an answer: the loop must step', () => {
    expect(
      states([
        [0, answers(7, T)],
        [14_999, answers(7, T)],
        [15_000, answers(7, T)],
      ]),
    ).toEqual(['well', 'well', 'silent']);
  });

  it('lets a start take its time, and a restart as well', () => {
    expect(
      states([
        [0, mute(7)],
        [119_999, mute(7)],
        [120_000, mute(7)],
        [121_000, mute(8)],
        [240_999, mute(8)],
        [241_000, mute(8)],
      ]),
    ).toEqual(['starting', 'starting', 'silent', 'starting', 'starting', 'silent']);
  });

  it('knows a clean end from a death', () => {
    expect(
      states([
        [0, unlocked],
        [1_000, answers(7, T + 1_000)],
        [2_000, unlocked],
        [90_000, unlocked],
        [91_000, answers(8, T + 91_000)],
        [92_000, mute(null)],
        [106_000, mute(null)],
        [107_000, unlocked],
      ]),
    ).toEqual(['ended', 'well', 'ended', 'ended', 'well', 'starting', 'gone', 'ended']);
  });

  it('finds one that died before it looked', () => {
    expect(
      states([
        [0, mute(null)],
        [15_000, mute(null)],
      ]),
    ).toEqual(['starting', 'gone']);
  });
});
