import type { InstrumentId } from '#market';

export interface Node {
  readonly instrument: InstrumentId;
  readonly underlying: string;
}

/** rho of two instruments, asked in one order only so that it cannot depend on it; 1 for an instrument and itself. */
export function correlationOf(
  correlation: (a: InstrumentId, b: InstrumentId) => number,
  a: InstrumentId,
  b: InstrumentId,
): number {
  if (a === b) return 1;
  return a < b ? correlation(a, b) : correlation(b, a);
}

/** A correlation that can be used: finite and within -1..1, float noise apart. */
export const isCorrelation = (rho: number): boolean => Math.abs(rho) <= 1 + 1e-9;

/**
 * Connected components: two instruments belong together when they follow one underlying or their correlation is
 * at least `threshold`, and so does whatever either of them is connected to. Returns the group number of each
 * node, numbered by first appearance; null when a correlation is not a number within -1..1.
 */
export function correlatedGroups(
  nodes: readonly Node[],
  correlation: (a: InstrumentId, b: InstrumentId) => number,
  threshold: number,
): readonly number[] | null {
  const group = nodes.map((_, i) => i);
  for (let i = 0; i < nodes.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [nodes[i]!, nodes[j]!];
      let together = a.underlying === b.underlying;
      if (!together) {
        const rho = correlationOf(correlation, a.instrument, b.instrument);
        if (!isCorrelation(rho)) return null;
        together = rho >= threshold;
      }
      if (!together || group[i] === group[j]) continue;
      const [from, to] = [group[i]!, group[j]!];
      for (let k = 0; k < group.length; k++) if (group[k] === from) group[k] = to;
    }
  }
  const numbers = new Map<number, number>();
  return group.map((g) => {
    if (!numbers.has(g)) numbers.set(g, numbers.size);
    return numbers.get(g)!;
  });
}
