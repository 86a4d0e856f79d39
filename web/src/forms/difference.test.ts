import { describe, expect, it } from 'vitest';
import { differencesOf } from './difference.ts';

describe('differencesOf', () => {
  it('names every changed value by its path', () => {
    expect(differencesOf({ a: 1, b: { c: [1, 2] }, d: 4 }, { a: 1, b: { c: [1, 3] }, e: 5 })).toEqual([
      { path: 'b.c.1', before: 2, after: 3 },
      { path: 'd', before: 4, after: undefined },
      { path: 'e', before: undefined, after: 5 },
    ]);
  });

  it('is silent about what is the same', () => {
    expect(differencesOf({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toEqual([]);
  });

  it('shows a value that became one of another kind as a whole', () => {
    expect(differencesOf({ a: [1] }, { a: 'x' })).toEqual([{ path: 'a', before: [1], after: 'x' }]);
  });
});
