import { Chance } from '#base';
import { SMALL } from './desks.ts';
import { friendly, hostile, type WorldOptions } from './script.ts';
import { type Outcome, World } from './world.ts';

/** Crashes of one simulated day. */
export const DEATHS = 5;
/** Fewest boundaries of any simulated day: a death drawn below it always comes. */
const BOUNDARIES_MIN = 7_500;

/** Where the process of this seed dies: boundaries of writes, commits and sends. */
export function deathsOf(seed: number, deaths = DEATHS): number[] {
  const chance = new Chance(`${seed}/deaths`);
  return Array.from({ length: deaths }, () => chance.below(BOUNDARIES_MIN)).sort((a, b) => a - b);
}

/** One hostile day of one seed with its crashes. Throws what went wrong. */
export function liveThrough(seed: number, deaths: readonly number[] = deathsOf(seed)): Outcome {
  return new World(hostile(`day-${seed}`, deaths)).run();
}

/** A short scenario that trades at once: hostile or, for comparisons, friendly. */
export function shortScenario(kind: 'hostile' | 'friendly', deaths: readonly number[]): WorldOptions {
  const base = kind === 'hostile' ? hostile('short', deaths) : friendly('short', deaths);
  return { ...base, bars: 26, portfolio: SMALL, snapshotEvery: 60 };
}

/** What was asked of the venue, without the questions of a restart. */
export function actsOf(outcome: Outcome): string[] {
  return outcome.commands.filter(
    (text) => /^\{"kind":"(submit|cancel|amend)-order"/.test(text) && !text.includes('"reason":"repeated'),
  );
}
