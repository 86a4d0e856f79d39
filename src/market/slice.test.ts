import { describe, expect, it } from 'vitest';
import { captureState, DAY, HOUR, MINUTE, restoreState } from '#base';
import type { InstrumentId } from './instrument.ts';
import { SliceCollector } from './slice.ts';

const id = (text: string) => text as InstrumentId;
const two = [
  { instrument: id('A.X'), intervalMs: MINUTE },
  { instrument: id('B.X'), intervalMs: MINUTE },
];

describe('SliceCollector', () => {
  it('closes at once for a single series', () => {
    const collector = new SliceCollector([two[0]!]);
    expect(collector.take(0, MINUTE, MINUTE + 5)).toEqual([
      { close: MINUTE, at: MINUTE + 5, present: [0], missing: [] },
    ]);
    expect(collector.take(0, MINUTE, MINUTE + 6)).toEqual([]);
    expect(collector.late).toBe(1);
    expect(collector.dueAt).toBeNull();
  });

  it('waits for all, in any order', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const collector = new SliceCollector(two);
      expect(collector.take(order[0]!, MINUTE, 60_100)).toEqual([]);
      expect(collector.collecting).toBe(MINUTE);
      expect(collector.take(order[1]!, MINUTE, 60_200)).toEqual([
        { close: MINUTE, at: 60_200, present: [0, 1], missing: [] },
      ]);
      expect(collector.incomplete).toBe(0);
    }
  });

  it('names the missing when the grace time is over', () => {
    const collector = new SliceCollector(two);
    collector.take(1, MINUTE, 60_300);
    expect(collector.dueAt).toBe(62_300);
    expect(collector.advanceTo(62_299)).toBeNull();
    expect(collector.advanceTo(62_300)).toEqual({ close: MINUTE, at: 62_300, present: [1], missing: [0] });
    expect(collector.take(0, MINUTE, 62_400)).toEqual([]);
    expect([collector.late, collector.incomplete, collector.missed[0]]).toEqual([1, 1, 1]);
  });

  it('closes the older slice first when a later close arrives', () => {
    const collector = new SliceCollector(two, { recorded: true });
    collector.take(0, MINUTE, MINUTE);
    expect(collector.dueAt).toBeNull();
    expect(collector.advanceTo(MINUTE)).toBeNull();
    expect(collector.take(1, 2 * MINUTE, 2 * MINUTE)).toEqual([
      { close: MINUTE, at: 2 * MINUTE, present: [0], missing: [1] },
    ]);
    expect(collector.flush(2 * MINUTE)).toMatchObject({ close: 2 * MINUTE, present: [1], missing: [0] });
    expect(collector.flush(2 * MINUTE)).toBeNull();
  });

  it('expects a longer bar only at its own closes', () => {
    const collector = new SliceCollector([two[0]!, { instrument: id('A.X'), intervalMs: HOUR }]);
    expect(collector.take(0, 59 * MINUTE, 59 * MINUTE)).toMatchObject([{ present: [0], missing: [] }]);
    expect(collector.take(0, HOUR, HOUR)).toEqual([]);
    expect(collector.take(1, HOUR, HOUR)).toMatchObject([{ present: [0, 1] }]);
    expect(collector.indexOf(id('A.X'), HOUR)).toBe(1);
    expect(collector.indexOf(id('C.X'), HOUR)).toBe(-1);
  });

  it('learns the phase of a shifted series and obeys calendars', () => {
    const shifted = new SliceCollector([
      { instrument: id('A.X'), intervalMs: HOUR },
      { instrument: id('B.X'), intervalMs: HOUR },
    ]);
    const half = 30 * MINUTE;
    shifted.take(0, HOUR + half, 0);
    shifted.take(1, HOUR + half, 0);
    expect(shifted.take(0, 2 * HOUR + half, 0)).toEqual([]);
    expect(shifted.take(1, 2 * HOUR + half, 0)).toMatchObject([{ missing: [] }]);

    const mixed = new SliceCollector([
      { instrument: id('BTC.X'), intervalMs: DAY },
      { instrument: id('SPY.X'), intervalMs: DAY, calendar: 'NYSE' },
    ]);
    const saturday = Date.parse('2023-07-01T00:00:00Z');
    expect(mixed.take(0, saturday + DAY, 0)).toMatchObject([{ present: [0], missing: [] }]);
    expect(mixed.take(0, saturday + 3 * DAY, 0)).toEqual([]);
  });

  it('continues from a snapshot and refuses double subscriptions', () => {
    const collector = new SliceCollector(two);
    collector.take(0, MINUTE, 60_300);
    const copy = new SliceCollector(two);
    restoreState(copy, JSON.parse(JSON.stringify(captureState(collector))));
    expect(copy.take(1, MINUTE, 60_400)).toEqual([
      { close: MINUTE, at: 60_400, present: [0, 1], missing: [] },
    ]);
    expect(() => new SliceCollector([two[0]!, two[0]!])).toThrow(/twice/);
  });
});
