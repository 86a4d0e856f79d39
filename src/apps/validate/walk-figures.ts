import { DAY } from '#base';
import { parameterStability, performanceOf, walkForwardEfficiency } from '#research';
import type { PlayedSpan } from '../setup/optimise/play-span.ts';
import type { StudySetting } from '../setup/optimise/study-setting.ts';
import { tapeDays } from '../setup/registry/tape-days.ts';
import type { WalkWindow } from './walk-forward-run.ts';

const YEAR = 365 * DAY;

/**
 * Equity at the end of each UTC day that was tested, minor units. A window that stayed flat has its days as well; of a day in
 * which one test ends and the next begins the later equity stands.
 */
export function joinedDays(
  { setting }: Pick<StudySetting, 'setting'>,
  windows: readonly Pick<WalkWindow, 'test' | 'tested'>[],
): { readonly cash: number; readonly days: Int32Array; readonly daily: readonly number[] } {
  const cash = windows.find(({ tested }) => tested !== null)?.tested?.cash ?? 1;
  const closes = new Map<number, number>();
  let before = cash;
  for (const { test, tested } of windows) {
    const days = tapeDays(setting.data.tape, test);
    days.forEach((day, i) => {
      closes.set(day, tested === null ? before : (tested.daily[i] ?? tested.daily.at(-1) ?? before));
    });
    before = tested?.daily.at(-1) ?? before;
  }
  return { cash, days: Int32Array.from(closes.keys()), daily: [...closes.values()] };
}

/** Figures of the joined tests beside those of the training stretches. */
export function joined(study: StudySetting, windows: readonly WalkWindow[]) {
  const held = windows.filter(({ tested }) => tested !== null);
  const { cash, daily } = joinedDays(study, windows);
  const { sharpe, maxDrawdown } = performanceOf({ equity: [cash, ...daily], periodsPerYear: 365 });
  const trained = windows.flatMap(({ chosen, train }) =>
    chosen === null ? [] : [{ growth: growthOf(chosen.played), ms: train.to - train.from }],
  );
  const tested = windows.map(({ tested: played, test }) => ({
    growth: played === null ? 1 : growthOf(played),
    ms: test.to - test.from,
  }));
  const inSampleAnnual = annual(trained);
  const outOfSampleAnnual = annual(tested);
  return {
    inSampleAnnual,
    outOfSampleAnnual,
    efficiency:
      inSampleAnnual === null || outOfSampleAnnual === null
        ? null
        : walkForwardEfficiency(inSampleAnnual, outOfSampleAnnual),
    sharpe,
    maxDrawdown: Math.max(maxDrawdown, ...held.map(({ tested: played }) => played!.figures.maxDrawdown), 0),
    totalReturn:
      windows.length === 0 ? null : tested.reduce((product, { growth }) => product * growth, 1) - 1,
    stability: parameterStability(
      study.space,
      windows.flatMap(({ chosen }) => (chosen === null ? [] : [chosen.point])),
    ),
  };
}

const growthOf = ({ daily, cash }: PlayedSpan): number => (daily.at(-1) ?? cash) / cash;

/** Compound growth per year over stretches that follow one another or not; -1 when everything was lost. */
function annual(stretches: readonly { readonly growth: number; readonly ms: number }[]): number | null {
  const ms = stretches.reduce((sum, stretch) => sum + stretch.ms, 0);
  if (ms === 0) return null;
  if (stretches.some(({ growth }) => !(growth > 0))) return -1;
  const log = stretches.reduce((sum, { growth }) => sum + Math.log(growth), 0);
  const yearly = Math.expm1((log * YEAR) / ms);
  return Number.isFinite(yearly) ? yearly : null;
}
