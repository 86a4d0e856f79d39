import { deviation, mean } from '#learning';
import type { WindowScore } from './model-evidence.ts';

/** A new model must be better than the old one on so many of the newest windows (S1 9). */
export const CONTEST_WINDOWS = 10;

/** What the spread between windows costs (S1 9: mean - 0.5 * std). */
const SPREAD_PRICE = 0.5;

/** Two models over the same windows. */
export interface Contest {
  /** Windows that both were tested on and that count. */
  readonly windows: number;
  /** Windows in common that do not count, as the new model was chosen on them. */
  readonly chosenOn: number;
  /** Mean of the windows' scores less half their deviation; null where there are too few windows. */
  readonly newer: number | null;
  readonly older: number | null;
  /** Null where it cannot be told. */
  readonly isBetter: boolean | null;
}

/**
 * Is the new model better than the old one on the last windows (S1 9)? Only windows that both were tested on count, the newest of
 * them, and none that the new model was chosen on: the best of many on windows of its own looks better than it is. A window without a score is one in which nothing was gained: 0. Equal is not better, and fewer windows than asked for
 * tell nothing.
 */
export function contestOf(
  newer: readonly WindowScore[],
  older: readonly WindowScore[],
  windows = CONTEST_WINDOWS,
): Contest {
  const old = new Map(older.map((one) => [keyOf(one), one.score]));
  const common = newer.filter((one) => old.has(keyOf(one)));
  const shared = common
    .filter((one) => one.chosenOn !== true)
    .toSorted((a, b) => a.from - b.from || a.to - b.to)
    .slice(-windows);
  const chosenOn = common.filter((one) => one.chosenOn === true).length;
  if (shared.length < windows)
    return { windows: shared.length, chosenOn, newer: null, older: null, isBetter: null };
  const ours = worthOf(shared.map(({ score }) => score));
  const theirs = worthOf(shared.map((one) => old.get(keyOf(one)) ?? null));
  return { windows, chosenOn, newer: ours, older: theirs, isBetter: ours > theirs };
}

/** One line about a contest, for a criterion. */
export function contestNote({ windows, chosenOn, newer, older }: Contest, holder: string): string {
  const left = chosenOn === 0 ? '' : `; ${chosenOn} more chose the new one and do not count`;
  return newer === null || older === null
    ? `${windows} windows in common, ${CONTEST_WINDOWS} needed${left}`
    : `${newer.toFixed(3)} against ${older.toFixed(3)} of ${holder.slice(0, 12)} on the last ${windows} windows${left}`;
}

const keyOf = ({ from, to }: WindowScore): string => `${from} ${to}`;

/** Mean less half the deviation (ddof 1) of the windows' scores. */
function worthOf(scores: readonly (number | null)[]): number {
  const values = scores.map((score) => (score === null || !Number.isFinite(score) ? 0 : score));
  return mean(values) - (values.length < 2 ? 0 : SPREAD_PRICE * deviation(values));
}
