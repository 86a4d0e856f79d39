import { expect, it } from 'vitest';
import { DEATHS, liveThrough } from './lives.ts';

/** Hostile days of the seeds `from` to `from + count - 1`, each with its crashes. A failure names its seed. */
export function simulatedDays(from: number, count: number): void {
  it(`seeds ${from} to ${from + count - 1}, each crashed ${DEATHS} times`, () => {
    let exactRestarts = 0;
    let unsent = 0;
    for (let seed = from; seed < from + count; seed++) {
      try {
        const outcome = liveThrough(seed);
        expect(outcome.deaths).toBe(DEATHS);
        expect(outcome.trades).toBeGreaterThan(5);
        exactRestarts += outcome.exactRestarts;
        unsent += outcome.unsent;
      } catch (cause) {
        throw new Error(`seed ${seed} failed; alone: npm run simulate -- --seed ${seed}`, { cause });
      }
    }
    // crashes of both kinds must have been among them
    expect(exactRestarts).toBeGreaterThan(0);
    expect(unsent).toBeGreaterThan(0);
  }, 120_000);
}
