import { InputError } from '#base';
import { deviation, mean } from '#learning';
import { averageLinkage } from './linkage.ts';
import { moves } from './moments.ts';

export interface ClusterOptions {
  /** A trial this much correlated with a leader joins it before anything is clustered. Only beyond leadersMax trials. */
  readonly sameAbove?: number;
  /** Most trials that are clustered; a further one that is like none of them counts as a cluster of its own. */
  readonly leadersMax?: number;
  /** Mean silhouette below which the trials count one by one. */
  readonly structureMin?: number;
}

export interface TrialClusters {
  /** Effective number of trials: clusters, at least 1. */
  readonly effective: number;
  /** Cluster of each trial, from 0 in order of appearance; -1 for a trial that never moved. */
  readonly labels: Int32Array;
  /** Mean silhouette of the cut that was taken; null where the trials count one by one. */
  readonly silhouette: number | null;
  /** Trials that never moved: they have no Sharpe ratio and are no trials of skill. */
  readonly idle: number;
}

const DEFAULTS = { sameAbove: 0.95, leadersMax: 400, structureMin: 0.25 };

/**
 * How many independent trials stand behind correlated ones. Distance sqrt((1 - correlation) / 2) of the trials'
 * returns, average linkage, cut where the mean silhouette (Rousseeuw 1987) is largest: the idea of Lopez de Prado
 * and Lewis 2019, "Detection of False Investment Strategies Using Unsupervised Learning Methods", with a hierarchical
 * clustering in place of k-means, because it needs no chance. At equal silhouettes more clusters win. A silhouette of
 * at most 0.25 is no structure (Kaufman and Rousseeuw 1990): then every trial counts.
 *
 * Beyond `leadersMax` trials near copies are put together first, in the order given: the cost stays linear in the
 * number of trials (trials * leadersMax * periods). Series of one length; fewer than three moving trials count one
 * by one.
 */
export function clusterTrials(
  trials: readonly ArrayLike<number>[],
  options: ClusterOptions = {},
): TrialClusters {
  const { sameAbove, leadersMax, structureMin } = { ...DEFAULTS, ...options };
  const periods = trials[0]?.length ?? 0;
  for (const trial of trials)
    if (trial.length !== periods)
      throw new InputError(`trials of ${periods} and ${trial.length} returns`, 'give series of one length');
  const { groupOf, leaders, groups, idle } = groupTrials(
    trials,
    trials.length > leadersMax ? sameAbove : Infinity,
    Math.max(3, leadersMax),
  );
  const cut = bestCut(leaders, structureMin);
  const labels = new Int32Array(trials.length).fill(-1);
  const names = new Map<number, number>();
  groupOf.forEach((group, i) => {
    if (group < 0) return;
    // groups beyond the leaders were not clustered: each is a cluster of its own
    const cluster = group < leaders.length ? cut.labels[group]! : leaders.length + group;
    if (!names.has(cluster)) names.set(cluster, names.size);
    labels[i] = names.get(cluster)!;
  });
  return {
    effective: Math.max(1, cut.clusters + groups - leaders.length),
    labels,
    silhouette: cut.silhouette,
    idle,
  };
}

/** Near copies together; without a threshold every moving trial is a group. Leaders are standardised to length 1. */
function groupTrials(trials: readonly ArrayLike<number>[], sameAbove: number, leadersMax: number) {
  const leaders: Float64Array[] = [];
  const groupOf = new Int32Array(trials.length).fill(-1);
  let groups = 0;
  let idle = 0;
  trials.forEach((trial, i) => {
    const unit = standardised(trial);
    if (unit === null) {
      idle += 1;
      return;
    }
    let nearest = -1;
    let correlation = sameAbove;
    if (sameAbove <= 1) {
      for (let k = 0; k < leaders.length; k++) {
        const found = dot(unit, leaders[k]!);
        if (found < correlation) continue;
        nearest = k;
        correlation = found;
      }
    }
    if (nearest < 0 && leaders.length < leadersMax) {
      // leaders are the first groups, so a leader's place is its group
      leaders.push(unit);
      nearest = groups++;
    } else if (nearest < 0) nearest = groups++;
    groupOf[i] = nearest;
  });
  return { groupOf, leaders, groups, idle };
}

/** Less its mean and divided by its length as a vector; null without movement. */
function standardised(values: ArrayLike<number>): Float64Array | null {
  const m = mean(values);
  const sd = deviation(values);
  if (!moves(m, sd)) return null;
  const length = sd * Math.sqrt(values.length - 1);
  return Float64Array.from(values, (value) => (value - m) / length);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Distances of standardised series, full matrix. */
function distancesOf(units: readonly Float64Array[]): Float64Array {
  const n = units.length;
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const distance = Math.sqrt(Math.max(0, (1 - dot(units[i]!, units[j]!)) / 2));
      out[i * n + j] = distance;
      out[j * n + i] = distance;
    }
  }
  return out;
}

function bestCut(units: readonly Float64Array[], structureMin: number) {
  const n = units.length;
  const single = Int32Array.from({ length: n }, (_, i) => i);
  if (n < 3) return { clusters: n, labels: single, silhouette: null };
  const distances = distancesOf(units);
  const labels = Int32Array.from(single);
  let best = { clusters: n, labels: single, silhouette: null as number | null };
  const merges = averageLinkage(distances, n);
  // the last merge would leave one cluster, which has no silhouette
  for (let k = 0; k < n - 2; k++) {
    const { into, from } = merges[k]!;
    for (let i = 0; i < n; i++) if (labels[i] === from) labels[i] = into;
    const silhouette = meanSilhouette(distances, labels);
    if (silhouette > (best.silhouette ?? structureMin))
      best = { clusters: n - 1 - k, labels: Int32Array.from(labels), silhouette };
  }
  return best;
}

/**
 * Mean over all points of (b - a) / max(a, b): a the mean distance to the own cluster's other points, b to the
 * nearest other cluster's points; 0 for a point alone. Labels are numbers below the number of points.
 */
export function meanSilhouette(distances: ArrayLike<number>, labels: ArrayLike<number>): number {
  const n = labels.length;
  const sizes = new Int32Array(n);
  for (let i = 0; i < n; i++) sizes[labels[i]!]! += 1;
  const used: number[] = [];
  for (let c = 0; c < n; c++) if (sizes[c]! > 0) used.push(c);
  const sums = new Float64Array(n);
  let total = 0;
  for (let i = 0; i < n; i++) {
    const own = labels[i]!;
    if (sizes[own] === 1) continue;
    for (const c of used) sums[c] = 0;
    for (let j = 0; j < n; j++) sums[labels[j]!]! += distances[i * n + j]!;
    let other = Infinity;
    for (const c of used) if (c !== own) other = Math.min(other, sums[c]! / sizes[c]!);
    const inner = sums[own]! / (sizes[own]! - 1);
    const larger = Math.max(inner, other);
    if (larger > 0 && Number.isFinite(other)) total += (other - inner) / larger;
  }
  return total / n;
}
