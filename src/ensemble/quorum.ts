import type { Signal } from '#signals';

/** Which sources share what they know. */
export interface Independence {
  /** Group per source; sources of one group count once. A source not named is a group of its own. */
  readonly groups?: Readonly<Record<string, string>>;
  /** Two groups that count as two only while they say nearly the same, at most `within` apart, else as one. */
  readonly linked?: readonly { readonly a: string; readonly b: string; readonly within: number }[];
}

function saying(signal: Signal): number {
  return signal.kind === 'score'
    ? signal.value
    : signal.kind === 'forecast'
      ? signal.probability
      : Number.NaN;
}

/**
 * Number of independent sources among the signals. Linked groups that are too far apart count as one: what they
 * disagree about, they did not learn independently.
 */
export function countIndependent(signals: readonly Signal[], independence: Independence = {}): number {
  const { groups = {}, linked = [] } = independence;
  const said = new Map<string, [low: number, high: number]>();
  for (const signal of signals) {
    const group = Object.hasOwn(groups, signal.source) ? groups[signal.source]! : `source ${signal.source}`;
    const value = saying(signal);
    const range = said.get(group);
    said.set(
      group,
      range === undefined ? [value, value] : [Math.min(range[0], value), Math.max(range[1], value)],
    );
  }
  // linked groups that disagree are merged, so that a chain of them still counts as one
  const root = new Map([...said.keys()].map((group) => [group, group]));
  const rootOf = (group: string): string => (root.get(group) === group ? group : rootOf(root.get(group)!));
  for (const { a, b, within } of linked) {
    const x = said.get(a);
    const y = said.get(b);
    if (x === undefined || y === undefined) continue;
    const apart = Math.max(x[1], y[1]) - Math.min(x[0], y[0]);
    // to 1e-12, so that 0.70 and 0.50 are 0.20 apart
    if (!(apart <= within + 1e-12)) root.set(rootOf(a), rootOf(b));
  }
  return new Set([...root.keys()].map(rootOf)).size;
}
