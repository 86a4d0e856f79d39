import type { DeskTraits, RegisteredTrial, TrialDays } from './trial.ts';

/** What the family of a run is looked up by. */
export interface FamilyAnchor {
  readonly desk: DeskTraits;
  readonly days: Pick<TrialDays, 'first' | 'last'>;
}

/** A trial as far as the rule needs it. */
export type Kin = Pick<RegisteredTrial, 'desk' | 'file' | 'days'>;

export interface Family<T> {
  /** Trials of the desk's family whose days overlap the run's, in the order of their registration. */
  readonly trials: readonly T[];
  /** Names the family goes by, sorted. */
  readonly names: readonly string[];
  /** Trials of the family that share no day with the run: they are no part of its luck. */
  readonly elsewhere: number;
  /** Trials of other desks whose days overlap. Told, not counted. */
  readonly others: number;
}

/**
 * The trials behind a run. A trial counts when
 * 1. its desk belongs to the run's family: two desks are kin when they have the same name, or the same file (path), or the
 *    same contents of the file, and so are the kin of their kin; and
 * 2. the span of its days overlaps the span of the run's days by at least one day, on whatever instrument and interval:
 *    who picks the instrument picks as much as who picks a parameter.
 * Kind, parameters, costs, seed and version do not matter: whatever was looked at counts.
 */
export function familyOf<T extends Kin>(all: readonly T[], anchor: FamilyAnchor): Family<T> {
  const known = kinKeys(all, anchor.desk);
  const trials: T[] = [];
  let elsewhere = 0;
  let others = 0;
  for (const trial of all) {
    const overlaps = trial.days.first <= anchor.days.last && trial.days.last >= anchor.days.first;
    const isKin = keysOf({ ...trial.desk, file: trial.file }).some((key) => known.has(key));
    if (isKin && overlaps) trials.push(trial);
    else if (isKin) elsewhere += 1;
    else if (overlaps) others += 1;
  }
  const names = new Set(trials.map(({ desk }) => desk.name).concat(anchor.desk.name));
  return { trials, names: [...names].sort(), elsewhere, others };
}

const keysOf = ({ name, source, file }: DeskTraits): string[] => [
  `name ${name}`,
  `source ${source}`,
  ...(file === null ? [] : [`file ${file}`]),
];

/** Keys of everything that is kin, near or far. */
function kinKeys(all: readonly Kin[], desk: DeskTraits): ReadonlySet<string> {
  // few different desks among many trials
  const different = new Map<string, string[]>();
  for (const trial of all) {
    const keys = keysOf({ ...trial.desk, file: trial.file });
    different.set(keys.join('\n'), keys);
  }
  const known = new Set(keysOf(desk));
  let waiting = [...different.values()];
  for (;;) {
    const kin = waiting.filter((keys) => keys.some((key) => known.has(key)));
    if (kin.length === 0) return known;
    for (const key of kin.flat()) known.add(key);
    waiting = waiting.filter((keys) => !kin.includes(keys));
  }
}
