import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryRest } from './memory-rest.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('memory after a rush', () => {
  const watch = () => {
    let collected = 0;
    const rest = new MemoryRest(() => {
      collected += 1;
    });
    const pass = (answered: number) => {
      for (let i = 0; i < answered; i++) rest.note();
      vi.advanceTimersByTime(5_000);
      return collected;
    };
    return { rest, pass };
  };

  it('is given back once, in the quiet after it', () => {
    const { rest, pass } = watch();
    expect([pass(0), pass(200), pass(5_000), pass(20), pass(19), pass(0), pass(0)]).toEqual([
      0, 0, 0, 0, 1, 1, 1,
    ]);
    expect([pass(200), pass(0)]).toEqual([1, 2]);
    rest.close();
  });

  it('is left alone where there was none', () => {
    const { rest, pass } = watch();
    expect([pass(199), pass(0), pass(50), pass(0)]).toEqual([0, 0, 0, 0]);
    rest.close();
  });

  it('can really be asked for', () => {
    const rest = new MemoryRest();
    for (let i = 0; i < 200; i++) rest.note();
    expect(() => vi.advanceTimersByTime(10_000)).not.toThrow();
    rest.close();
  });
});
