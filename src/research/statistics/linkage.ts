/** A joining of two clusters; clusters are named by their smallest point. */
export interface Merge {
  /** Kept. */
  readonly into: number;
  /** Ends, into < from. */
  readonly from: number;
  readonly height: number;
}

/**
 * Average-linkage clustering (Sokal and Michener 1958) of `n` points with distances in a full n x n matrix: n-1
 * merges, heights upward. Nearest-neighbour chains (Murtagh 1983), O(n^2); at ties the smaller number is nearer.
 * `sizes`: how many points of one place each point stands for; 1 when left out.
 */
export function averageLinkage(
  distances: ArrayLike<number>,
  n: number,
  sizes: ArrayLike<number> | null = null,
): Merge[] {
  const d = Float64Array.from(distances);
  const size = sizes === null ? new Int32Array(n).fill(1) : Int32Array.from(sizes);
  const alive = new Uint8Array(n).fill(1);
  const merges: Merge[] = [];
  const chain: number[] = [];
  while (merges.length < n - 1) {
    if (chain.length === 0) chain.push(alive.indexOf(1));
    const a = chain.at(-1)!;
    const b = nearest(d, alive, n, a, chain.at(-2) ?? -1);
    if (b !== chain.at(-2)) {
      chain.push(b);
      continue;
    }
    chain.length -= 2;
    const into = Math.min(a, b);
    const from = Math.max(a, b);
    merges.push({ into, from, height: d[a * n + b]! });
    const total = size[into]! + size[from]!;
    for (let k = 0; k < n; k++) {
      if (alive[k] === 0 || k === into || k === from) continue;
      const joined = (size[into]! * d[into * n + k]! + size[from]! * d[from * n + k]!) / total;
      d[into * n + k] = joined;
      d[k * n + into] = joined;
    }
    size[into] = total;
    alive[from] = 0;
  }
  return namedAgain(
    merges.sort((x, y) => x.height - y.height || x.into - y.into || x.from - y.from),
    n,
  );
}

/** The nearest cluster that lives; at a tie the chain's previous one, so that chains end. */
function nearest(d: Float64Array, alive: Uint8Array, n: number, of: number, previous: number): number {
  let best = previous;
  let distance = previous < 0 ? Infinity : d[of * n + previous]!;
  for (let k = 0; k < n; k++) {
    if (alive[k] === 0 || k === of || !(d[of * n + k]! < distance)) continue;
    best = k;
    distance = d[of * n + k]!;
  }
  return best;
}

/** Chains find merges out of order; once sorted, each side is the cluster that its point is in by then. */
function namedAgain(merges: readonly Merge[], n: number): Merge[] {
  const parent = Int32Array.from({ length: n }, (_, i) => i);
  const root = (point: number): number => {
    let at = point;
    while (parent[at] !== at) at = parent[at]!;
    return at;
  };
  return merges.map(({ into, from, height }) => {
    const a = root(into);
    const b = root(from);
    parent[Math.max(a, b)] = Math.min(a, b);
    return { into: Math.min(a, b), from: Math.max(a, b), height };
  });
}
