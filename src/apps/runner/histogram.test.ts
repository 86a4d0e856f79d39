import { describe, expect, it } from 'vitest';
import { Histogram, LATENCY_BOUNDS_MS } from './histogram.ts';

describe('a histogram of durations', () => {
  it('counts each duration in the first span that holds it', () => {
    const histogram = new Histogram();
    const given = [0, 0.005, 0.0051, 0.1, 0.11, 4_999, 5_000, 5_001, 90_000];
    for (const ms of given) histogram.add(ms);
    const { bounds, counts, count, sum, max } = histogram.answer();
    expect(bounds).toEqual([...LATENCY_BOUNDS_MS].sort((a, b) => a - b));
    expect(counts.length).toBe(bounds.length + 1);
    const at = (bound: number) => counts[bounds.indexOf(bound)];
    expect([at(0.005), at(0.01), at(0.1), at(0.15), at(5_000), counts.at(-1)]).toEqual([2, 1, 1, 1, 2, 2]);
    expect(count).toBe(given.length);
    expect(counts.reduce((all, n) => all + n, 0)).toBe(count);
    expect(sum).toBeCloseTo(
      given.reduce((all, ms) => all + ms, 0),
      9,
    );
    expect(max).toBe(90_000);
  });
});
