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
  /** Mean of the windows' scores less half their deviation; null where there are too few windows. */
  readonly newer: number | null;
  readonly older: number | null;
  /** Null where it cannot be told. */
  readonly isBetter: boolean | null;
}

/**
 * Is the new model better than the old one on the last windows (S1 9)? Only windows that both were tested on count, the newest of
 * them. A window without a score is one in which nothing was gained: 0. Equal is not better, and fewer windows than asked for
 * tell nothing.
 */
export function contestOf(
  newer: readonly WindowScore[],
  older: readonly WindowScore[],
  windows = CONTEST_WINDOWS,
): Contest {
  const old = new Map(older.map((one) => [keyOf(one), one.score]));
  const shared = newer
    .filter((one) => old.has(keyOf(one)))
    .toSorted((a, b) => a.from - b.from || a.to - b.to)
    .slice(-windows);
  if (shared.length < windows) return { windows: shared.length, newer: null, older: null, isBetter: null };
  const ours = worthOf(shared.map(({ score }) => score));
  const theirs = worthOf(shared.map((one) => old.get(keyOf(one)) ?? null));
  return { windows, newer: ours, older: theirs, isBetter: ours > theirs };
}

const keyOf = ({ from, to }: WindowScore): string => `${from} ${to}`;

/** Mean less half the deviation (ddof 1) of the windows' scores. */
function worthOf(scores: readonly (number | null)[]): number {
  const values = scores.map((score) => (score === null || !Number.isFinite(score) ? 0 : score));
  return mean(values) - (values.length < 2 ? 0 : SPREAD_PRICE * deviation(values));
}
