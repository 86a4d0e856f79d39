import type { Instant } from '#base';

/** Our values of a bar's features beside those that a chart's script sent. Plain data. */
export interface ParityMemory {
  /** Bars of ours that the script may still speak of, oldest first. */
  readonly waiting: { readonly time: Instant; readonly close: number; readonly values: readonly number[] }[];
  /** Mean difference of each compared bar, basis points, newest last. */
  readonly drifts: number[];
  /** Open times of those bars. */
  readonly times: Instant[];
  /** What each feature made of it; a newer block is begun when the newest holds {@link BLOCK_BARS} bars. */
  readonly blocks: FeatureBlock[];
  /** Open time of the newest bar that was compared. */
  comparedTo: Instant;
}

/** Differences of some bars, by the place of the feature. Plain data. */
interface FeatureBlock {
  bars: number;
  readonly n: number[];
  readonly sum: number[];
  readonly most: number[];
}

/** Bars the mean is taken over. */
export const PARITY_BARS = 500;
/** Features are added up in blocks, not kept one by one: what stands for the newest bars is the newest blocks. */
const BLOCK_BARS = 50;
/** Bars the script's word may lag behind. */
const WAITING_MOST = 8;

export const newParity = (): ParityMemory => ({
  waiting: [],
  drifts: [],
  times: [],
  blocks: [],
  comparedTo: -1,
});

/** In which unit a feature is compared: in the price's own, in 0..100 points, or as a fraction as it is. */
export type ParityUnit = 'price' | 'points' | 'fraction';

/**
 * Difference of one feature in basis points: price units over the close, bounded indicators over 100 points, fractions as
 * they are (sheet S1 RX68, section 8).
 */
export function featureDrift(theirs: number, ours: number, unit: ParityUnit, close: number): number {
  const difference = Math.abs(theirs - ours);
  return 1e4 * (unit === 'price' ? difference / close : unit === 'points' ? difference / 100 : difference);
}

export interface ReturnDrift {
  /** Mean and largest |theirs - ours| * 1e4 of the newest bars. */
  readonly meanBp: number;
  readonly maxBp: number;
}

/** Drift of per-bar strategy returns over the newest {@link PARITY_BARS} bars; null without any. */
export function returnDrift(theirs: ArrayLike<number>, ours: ArrayLike<number>): ReturnDrift | null {
  const n = Math.min(theirs.length, ours.length);
  if (n === 0) return null;
  const from = Math.max(0, n - PARITY_BARS);
  let sum = 0;
  let most = 0;
  for (let i = from; i < n; i++) {
    const drift = Math.abs(theirs[i]! - ours[i]!) * 1e4;
    sum += drift;
    most = Math.max(most, drift);
  }
  return { meanBp: sum / (n - from), maxBp: most };
}

/**
 * Reads what a script sent of one bar: `{"time":..., "values":{...}}`; null for anything else. Untrusted. Of the values those
 * count that are numbers under a name a feature may have: texts, booleans and names with blanks may stand beside them, as
 * the endpoint takes them.
 */
export function readPine(text: unknown): { time: Instant; values: ReadonlyMap<string, number> } | null {
  if (typeof text !== 'string' || text.length > TEXT_MOST || !PINE.test(text)) return null;
  const { time, values } = JSON.parse(text) as { time: number; values: Record<string, unknown> };
  const numbers = new Map<string, number>();
  for (const [name, value] of Object.entries(values))
    if (typeof value === 'number' && Number.isFinite(value) && FEATURE.test(name)) numbers.set(name, value);
  return { time, values: numbers };
}

/** As many names and texts as the endpoint lets pass, every sign of them escaped. */
const TEXT_MOST = 65_536;
const FEATURE = /^[A-Za-z0-9_]{1,40}$/;
const NUMBER = String.raw`-?(?:0|[1-9]\d{0,20})(?:\.\d{1,24})?(?:[eE][-+]?\d{1,3})?`;
const TEXT = String.raw`"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"`;
const VALUE = `${TEXT}:(?:${NUMBER}|${TEXT}|true|false|null)`;
/** Everything that passes is JSON, so that reading it cannot fail. */
const PINE = new RegExp(
  String.raw`^\{"time":(?:0|[1-9]\d{0,15}),"values":\{(?:${VALUE}(?:,${VALUE})*)?\}\}$`,
);

/** What is compared: a feature's name, its place in our rows, and its unit. */
export interface ParityFeature {
  readonly name: string;
  readonly at: number;
  readonly unit: ParityUnit;
}

/**
 * Takes in our row of a bar and the newest word of the script, which may be of this bar or of an earlier one. Gives the mean
 * drift of the last {@link PARITY_BARS} compared bars; null while none was compared: parity is then not known.
 */
export function followParity(
  memory: ParityMemory,
  own: { readonly time: Instant; readonly close: number; readonly values: readonly number[] },
  pine: ReturnType<typeof readPine>,
  features: readonly ParityFeature[],
): number | null {
  const { waiting, drifts, times } = memory;
  waiting.push(own);
  if (waiting.length > WAITING_MOST) waiting.shift();
  const ours = pine === null ? undefined : waiting.find(({ time }) => time === pine.time);
  if (pine !== null && ours !== undefined && pine.time > memory.comparedTo) {
    memory.comparedTo = pine.time;
    const drift = compareBar(memory, ours, pine.values, features);
    if (drift !== null) {
      drifts.push(drift);
      times.push(pine.time);
    }
    if (drifts.length > PARITY_BARS) {
      drifts.shift();
      times.shift();
    }
  }
  if (drifts.length === 0) return null;
  let sum = 0;
  for (const drift of drifts) sum += drift;
  return sum / drifts.length;
}

/** Mean difference of the features of one bar that the script sent; null for none of them. */
function compareBar(
  { blocks }: ParityMemory,
  ours: ParityMemory['waiting'][number],
  theirs: ReadonlyMap<string, number>,
  features: readonly ParityFeature[],
): number | null {
  const differences = features.map(({ name, at, unit }) => {
    const value = theirs.get(name);
    return value === undefined ? null : featureDrift(value, ours.values[at]!, unit, ours.close);
  });
  const known = differences.filter((one) => one !== null);
  if (known.length === 0) return null;
  let block = blocks.at(-1);
  if (block === undefined || block.bars >= BLOCK_BARS) {
    const zeros = () => features.map(() => 0);
    block = { bars: 0, n: zeros(), sum: zeros(), most: zeros() };
    blocks.push(block);
    if (blocks.length > PARITY_BARS / BLOCK_BARS) blocks.shift();
  }
  block.bars += 1;
  for (const [k, difference] of differences.entries()) {
    if (difference === null) continue;
    block.n[k]! += 1;
    block.sum[k]! += difference;
    block.most[k] = Math.max(block.most[k]!, difference);
  }
  return known.reduce((sum, one) => sum + one, 0) / known.length;
}

/** How far one feature lies from the script's, basis points. */
export interface FeatureParity {
  readonly name: string;
  /** Bars it was compared in; at most {@link PARITY_BARS}, counted in steps of {@link BLOCK_BARS}. */
  readonly bars: number;
  /** Null where the script never sent it. */
  readonly meanBp: number | null;
  readonly maxBp: number | null;
}

/** What was seen of the script so far; basis points a bar over the newest {@link PARITY_BARS} compared bars. */
export interface ParityReport {
  readonly bars: number;
  /** Null while nothing was compared: parity is then not known. */
  readonly meanBp: number | null;
  readonly maxBp: number | null;
  /** Open times of the bars and the mean difference of each, oldest first. */
  readonly times: readonly Instant[];
  readonly drifts: readonly number[];
  readonly features: readonly FeatureParity[];
}

export function parityReport(
  { drifts, times, blocks }: ParityMemory,
  features: readonly ParityFeature[],
): ParityReport {
  const bars = drifts.length;
  const total = (pick: (block: FeatureBlock) => number) => blocks.reduce((sum, one) => sum + pick(one), 0);
  return {
    bars,
    meanBp: bars === 0 ? null : drifts.reduce((sum, one) => sum + one, 0) / bars,
    maxBp: bars === 0 ? null : Math.max(...drifts),
    times: [...times],
    drifts: [...drifts],
    features: features.map(({ name }, k) => {
      const n = total((block) => block.n[k]!);
      if (n === 0) return { name, bars: 0, meanBp: null, maxBp: null };
      const maxBp = Math.max(...blocks.map((block) => block.most[k]!));
      return { name, bars: n, meanBp: total((block) => block.sum[k]!) / n, maxBp };
    }),
  };
}
