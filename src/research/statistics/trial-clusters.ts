import { Chance, InputError } from '#base';
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
 * at most 0.25 is no structure (Kaufman and Rousseeuw 1990): then every trial counts. So does, by itself, a trial whose own
 * silhouette is no more than that: otherwise many copies of one trial would make a cut look good in which all others, that
 * have nothing to do with each other, are one cluster.
 *
 * Of more than `leadersMax` trials so many that are no near copies of each other are clustered, taken from all over, and the
 * cost stays linear (2 * trials * leadersMax * periods). Where that is an approximation, more trials count, not fewer. A
 * leader weighs as many trials as are near copies of it, with their mean distance to it between them, which is less than
 * that between any two of them: groups of copies stay apart. Any other trial belongs to a cluster when it is as near to its
 * leaders as the loosest of them is to the others; else it is a cluster of its own.
 *
 * Series of one length; fewer than three moving trials count one by one.
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
  const found =
    trials.length > leadersMax
      ? groupTrials(trials, spreadOut(trials.length), sameAbove, Math.max(3, leadersMax))
      : groupTrials(trials, trials.keys(), Infinity, Infinity);
  const { leaderOf, leaders, idle } = found;
  const moving = trials.length - idle;
  const cut = bestCut(leaders, found.weights, found.spreads, structureMin);
  const clusterOf = new Int32Array(trials.length).fill(-1);
  if (cut.silhouette === null) {
    leaderOf.forEach((leader, i) => {
      if (leader !== IDLE) clusterOf[i] = i;
    });
  } else {
    const home = homeFinder(leaders, cut.labels);
    leaderOf.forEach((leader, i) => {
      if (leader >= 0) clusterOf[i] = cut.labels[leader]!;
      // clusters are named by leaders, so these names are free
      else if (leader === STRANGER) clusterOf[i] = home(trials[i]!) ?? leaders.length + i;
    });
  }
  const names = new Map<number, number>();
  const labels = clusterOf.map((cluster) => {
    if (cluster < 0) return -1;
    if (!names.has(cluster)) names.set(cluster, names.size);
    return names.get(cluster)!;
  });
  return {
    effective: Math.max(1, cut.silhouette === null ? moving : names.size),
    labels,
    silhouette: cut.silhouette,
    idle,
  };
}

/** All places in an order that follows no grid; the same for the same number. */
function spreadOut(n: number): Int32Array {
  const chance = new Chance(`leaders of ${n}`);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = chance.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** A trial without a leader: it never moved, or there was no room for it to be one. */
const IDLE = -1;
const STRANGER = -2;

/** Near copies together; without a threshold every moving trial leads itself. Leaders are standardised to length 1. */
function groupTrials(
  trials: readonly ArrayLike<number>[],
  order: Iterable<number>,
  sameAbove: number,
  leadersMax: number,
) {
  const leaders: Float64Array[] = [];
  const weights: number[] = [];
  // sums of distances to the leader, in the end their means
  const spreads: number[] = [];
  const leaderOf = new Int32Array(trials.length).fill(IDLE);
  let idle = 0;
  for (const i of order) {
    const unit = standardised(trials[i]!);
    if (unit === null) {
      idle += 1;
      continue;
    }
    let nearest = STRANGER;
    let correlation = sameAbove;
    if (sameAbove <= 1) {
      for (let k = 0; k < leaders.length; k++) {
        const found = dot(unit, leaders[k]!);
        if (found < correlation) continue;
        nearest = k;
        correlation = found;
      }
    }
    if (nearest >= 0) {
      weights[nearest]! += 1;
      spreads[nearest]! += distanceAt(correlation);
    } else if (leaders.length < leadersMax) {
      nearest = leaders.push(unit) - 1;
      weights.push(1);
      spreads.push(0);
    }
    leaderOf[i] = nearest;
  }
  for (let k = 0; k < spreads.length; k++) spreads[k]! /= Math.max(1, weights[k]! - 1);
  return { leaderOf, leaders, weights, spreads, idle };
}

/** Finds the cluster a stranger fits into; null for none. A cluster of one leader takes near copies only. */
function homeFinder(leaders: readonly Float64Array[], labels: Int32Array) {
  const members = Map.groupBy(leaders.keys(), (k) => labels[k]!);
  const loosest = new Map<number, number>();
  for (const [cluster, own] of members) {
    if (own.length < 2) continue;
    const meanToOthers = (k: number) =>
      own.reduce((sum, j) => sum + (j === k ? 0 : distanceAt(dot(leaders[k]!, leaders[j]!))), 0) /
      (own.length - 1);
    loosest.set(cluster, Math.max(...own.map(meanToOthers)));
  }
  return (trial: ArrayLike<number>): number | null => {
    const unit = standardised(trial)!;
    const distances = leaders.map((leader) => distanceAt(dot(unit, leader)));
    let home: number | null = null;
    let nearest = Infinity;
    for (const [cluster, reach] of loosest) {
      const own = members.get(cluster)!;
      const distance = own.reduce((sum, k) => sum + distances[k]!, 0) / own.length;
      if (distance > reach || distance >= nearest) continue;
      home = cluster;
      nearest = distance;
    }
    return home;
  };
}

const distanceAt = (correlation: number): number => Math.sqrt(Math.max(0, (1 - correlation) / 2));

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
      const distance = distanceAt(dot(units[i]!, units[j]!));
      out[i * n + j] = distance;
      out[j * n + i] = distance;
    }
  }
  return out;
}

function bestCut(
  units: readonly Float64Array[],
  weights: readonly number[],
  spreads: readonly number[],
  structureMin: number,
) {
  const n = units.length;
  const single = Int32Array.from({ length: n }, (_, i) => i);
  const hasCopies = weights.some((weight) => weight > 1);
  if (n < 3) return { labels: single, silhouette: hasCopies ? 1 : null };
  const distances = distancesOf(units);
  const labels = Int32Array.from(single);
  let best = { labels: single, silhouette: null as number | null };
  const judge = () => {
    const silhouette = meanSilhouette(distances, labels, weights, spreads);
    if (silhouette > (best.silhouette ?? structureMin))
      best = { labels: Int32Array.from(labels), silhouette };
  };
  // groups of near copies are clusters of several trials before any two of them are joined
  if (hasCopies) judge();
  const merges = averageLinkage(distances, n, weights);
  // the last merge would leave one cluster, which has no silhouette
  for (let k = 0; k < n - 2; k++) {
    const { into, from } = merges[k]!;
    for (let i = 0; i < n; i++) if (labels[i] === from) labels[i] = into;
    judge();
  }
  if (best.silhouette === null) return best;
  return { ...best, labels: withoutLoose(distances, best.labels, weights, spreads, structureMin) };
}

/** Leaders that fit no better into their cluster than into the next one stand alone. */
function withoutLoose(
  distances: Float64Array,
  labels: Int32Array,
  weights: readonly number[],
  spreads: readonly number[],
  structureMin: number,
): Int32Array {
  const each = silhouettes(distances, labels, weights, spreads);
  const out = new Int32Array(labels.length);
  // a cluster is named by the first of its leaders that stay
  const names = new Map<number, number>();
  labels.forEach((label, k) => {
    const stays = each[k]! > structureMin;
    if (stays && !names.has(label)) names.set(label, k);
    out[k] = stays ? names.get(label)! : k;
  });
  return out;
}

/**
 * Mean over all points of (b - a) / max(a, b): a the mean distance to the own cluster's other points, b to the
 * nearest other cluster's points; 0 for a point alone. Labels are numbers below the number of points. A point may stand
 * for several (`weights`) with a mean distance between them (`spreads`).
 */
export function meanSilhouette(
  distances: ArrayLike<number>,
  labels: ArrayLike<number>,
  weights: ArrayLike<number> | null = null,
  spreads: ArrayLike<number> | null = null,
): number {
  const each = silhouettes(distances, labels, weights, spreads);
  let total = 0;
  let points = 0;
  for (let i = 0; i < each.length; i++) {
    total += (weights?.[i] ?? 1) * each[i]!;
    points += weights?.[i] ?? 1;
  }
  return total / points;
}

function silhouettes(
  distances: ArrayLike<number>,
  labels: ArrayLike<number>,
  weights: ArrayLike<number> | null,
  spreads: ArrayLike<number> | null,
): Float64Array {
  const n = labels.length;
  const weightOf = Float64Array.from({ length: n }, (_, i) => weights?.[i] ?? 1);
  const sizes = new Float64Array(n);
  for (let i = 0; i < n; i++) sizes[labels[i]!]! += weightOf[i]!;
  const used: number[] = [];
  for (let c = 0; c < n; c++) if (sizes[c]! > 0) used.push(c);
  const sums = new Float64Array(n);
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const own = labels[i]!;
    if (sizes[own] === 1) continue;
    for (const c of used) sums[c] = 0;
    for (let j = 0; j < n; j++) sums[labels[j]!]! += weightOf[j]! * distances[i * n + j]!;
    let other = Infinity;
    for (const c of used) if (c !== own) other = Math.min(other, sums[c]! / sizes[c]!);
    const inner = (sums[own]! + (weightOf[i]! - 1) * (spreads?.[i] ?? 0)) / (sizes[own]! - 1);
    const larger = Math.max(inner, other);
    if (larger > 0 && Number.isFinite(other)) out[i] = (other - inner) / larger;
  }
  return out;
}
