import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { familyOf, type Kin } from './family.ts';

const kin = (name: string, source: string, file: string | null, first = 10, last = 20): Kin => ({
  desk: { name, source },
  file,
  days: { first, last, count: last - first + 1, hash: '' },
});
const anchor = {
  desk: { name: 'mine', source: 's1', file: '/a/mine.ts' },
  days: { first: 10, last: 20 },
};

describe('the family of a run', () => {
  it('is what has its name, its file or its contents, and the kin of that', () => {
    const all = [
      kin('mine', 's0', '/b/other-place.ts'),
      kin('renamed', 's2', '/a/mine.ts'),
      kin('copied', 's1', '/c/copy.ts'),
      // kin of the renamed by its name only
      kin('renamed', 's3', '/d/far.ts'),
      kin('stranger', 's9', '/e/stranger.ts'),
      kin('built-in', 's8', null),
    ];
    const family = familyOf(all, anchor);
    expect(family.trials).toEqual(all.slice(0, 4));
    expect(family.names).toEqual(['copied', 'mine', 'renamed']);
    expect(family).toMatchObject({ elsewhere: 0, others: 2 });
  });

  it('does not take built-in desks for each other because they have no file', () => {
    const family = familyOf([kin('sigma', 'a', null)], {
      ...anchor,
      desk: { name: 'x', source: 'b', file: null },
    });
    expect(family).toMatchObject({ trials: [], others: 1 });
  });

  it('counts what shares a day, on whatever data', () => {
    const at = (first: number, last: number) => kin('mine', 's', null, first, last);
    const all = [at(0, 9), at(0, 10), at(12, 14), at(20, 40), at(21, 40), at(0, 99)];
    const family = familyOf(all, anchor);
    expect(family.trials).toEqual([all[1], all[2], all[3], all[5]]);
    expect(family.elsewhere).toBe(2);
  });

  it('law: no trial is counted twice, and a further trial never makes the family smaller', () => {
    const trial = fc
      .record({
        name: fc.integer({ min: 0, max: 4 }),
        source: fc.integer({ min: 0, max: 6 }),
        day: fc.nat(30),
      })
      .map(({ name, source, day }) =>
        kin(name === 0 ? 'mine' : `n${name}`, `s${source}`, null, day, day + 5),
      );
    fc.assert(
      fc.property(fc.array(trial, { maxLength: 20 }), trial, (all, more) => {
        const before = familyOf(all, anchor);
        expect(before.trials.length + before.elsewhere + before.others).toBeLessThanOrEqual(all.length);
        expect(familyOf([...all, more], anchor).trials.length).toBeGreaterThanOrEqual(before.trials.length);
      }),
    );
  });
});
