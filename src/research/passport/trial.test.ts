import { describe, expect, it } from 'vitest';
import { type Deciding, dailyReturns, decidingKey } from './trial.ts';

describe('daily returns', () => {
  it('are those of the equity, and nothing after it was lost', () => {
    expect([...dailyReturns(100, [110, 99, 0, 5, -5, 10])]).toEqual([
      110 / 100 - 1,
      99 / 110 - 1,
      -1,
      0,
      -5 / 5 - 1,
      0,
    ]);
  });
});

describe('the key of what decides a run', () => {
  const run: Deciding = {
    deskHash: 'd',
    tapeHash: 't',
    answersHash: null,
    codeHash: 'c',
    seed: '1',
    feeBps: null,
    cash: 100,
    slippageBps: 0,
  };

  it('is equal for the same, and another for whatever differs', () => {
    expect(decidingKey({ ...run })).toBe(decidingKey(run));
    const others = [
      { deskHash: 'x' },
      { tapeHash: 'x' },
      { answersHash: 'x' },
      { codeHash: 'x' },
      { seed: '2' },
    ];
    const costs = [{ feeBps: 0 }, { cash: 101 }, { slippageBps: 1 }];
    for (const other of [...others, ...costs])
      expect(decidingKey({ ...run, ...other })).not.toBe(decidingKey(run));
  });
});
