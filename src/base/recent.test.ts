import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentMap } from './recent.ts';
import { captureState, restoreState } from './state.ts';

describe('RecentMap', () => {
  it('keeps the newest and forgets the oldest', () => {
    const map = new RecentMap<string, number>(3);
    for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) map.set(key, i);
    expect([...map.values()]).toEqual([1, 2, 3]);
    map.set('b', 9);
    map.set('e', 4);
    expect([map.get('a'), map.get('b'), map.get('c'), map.get('e')]).toEqual([undefined, undefined, 2, 4]);
  });

  it('never forgets one of the last `capacity` keys, never keeps more, and survives a snapshot', () => {
    const step = fc.tuple(fc.boolean(), fc.nat(12));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
        let map = new RecentMap<string, number>(capacity);
        let model: [string, number][] = [];
        for (const [i, [remove, n]] of steps.entries()) {
          const key = `k${n}`;
          const known = model.find(([k]) => k === key);
          if (remove) {
            map.delete(key);
            model = model.map(([k, v]) => (k === key ? ['', v] : [k, v]));
          } else {
            map.set(key, i);
            if (known !== undefined) known[1] = i;
            else model = [...model, [key, i] as [string, number]].slice(-capacity);
          }
          const copy = new RecentMap<string, number>(capacity);
          restoreState(copy, JSON.parse(JSON.stringify(captureState(map))));
          map = copy;
          const kept = model.filter(([k]) => k !== '');
          expect(map.size).toBe(kept.length);
          for (const [k, v] of kept) expect(map.get(k)).toBe(v);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
