import { type Calibration, logistic, logit } from '#ensemble';

/** What a source stated (a score's value, or a probability) and what came of it, 1 or 0. */
export interface Outcomes {
  readonly stated: readonly number[];
  readonly happened: readonly number[];
}

/** Outcomes of which some say less than a whole one: labels that overlap each other. */
export interface WeightedOutcomes extends Outcomes {
  /** How much of an outcome each is, above 0; all are whole ones when left out. */
  readonly weights?: readonly number[];
}

/** Whole outcomes that weighted ones come to. */
export const effectiveCount = ({ stated, weights }: WeightedOutcomes): number =>
  weights === undefined ? stated.length : sumOf(weights);

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

export interface CalibrationOptions {
  /** Fewer outcomes than this, weights counted, calibrate nothing. */
  readonly sampleMin: number;
  readonly bins: number;
}

export const CALIBRATION: CalibrationOptions = { sampleMin: 100, bins: 10 };

const usable = (data: WeightedOutcomes, { sampleMin }: CalibrationOptions): boolean => {
  const { stated, happened, weights } = data;
  return (
    effectiveCount(data) >= sampleMin &&
    stated.length === happened.length &&
    (weights === undefined || (weights.length === stated.length && weights.every(isWeight))) &&
    areOutcomes(data)
  );
};

const isWeight = (weight: number): boolean => weight > 0 && Number.isFinite(weight);

const areOutcomes = ({ stated, happened }: Outcomes): boolean =>
  stated.every(Number.isFinite) && happened.every((o) => o >= 0 && o <= 1);

/**
 * Isotonic regression by pooling adjacent violators (Ayer et al. 1955), as knots: each pooled block is a step from
 * its lowest to its highest stated value. Null below the minimum sample. The result never falls.
 */
export function fitIsotonic(
  data: WeightedOutcomes,
  changes: Partial<CalibrationOptions> = {},
): Calibration | null {
  if (!usable(data, { ...CALIBRATION, ...changes })) return null;
  const { stated, happened, weights } = data;
  const rows = stated.map((x, i) => ({ x, y: happened[i]!, w: weights?.[i] ?? 1 })).sort((a, b) => a.x - b.x);
  const blocks: Block[] = [];
  for (const { x, y, w } of rows) {
    const last = blocks.at(-1);
    // equal stated values get one probability
    if (last !== undefined && last.to === x && last.from === x) {
      last.sum += w * y;
      last.n += w;
    } else blocks.push({ from: x, to: x, sum: w * y, n: w });
  }
  return stepsOf(poolViolators(blocks));
}

/**
 * Equal-count bins with their observed frequencies at their mean stated value, pooled where they would fall.
 * Null below the minimum sample.
 */
export function fitBins(data: Outcomes, changes: Partial<CalibrationOptions> = {}): Calibration | null {
  const options = { ...CALIBRATION, ...changes };
  if (!usable(data, options)) return null;
  const rows = data.stated.map((x, i) => ({ x, y: data.happened[i]! })).sort((a, b) => a.x - b.x);
  const blocks: Block[] = [];
  let from = 0;
  for (let bin = 0; bin < options.bins; bin++) {
    let to = Math.round(((bin + 1) * rows.length) / options.bins);
    // equal stated values stay in one bin
    while (to > from && to < rows.length && rows[to]!.x === rows[to - 1]!.x) to++;
    if (to <= from) continue;
    const part = rows.slice(from, to);
    const middle = part.reduce((sum, { x }) => sum + x, 0) / part.length;
    blocks.push({ from: middle, to: middle, sum: part.reduce((sum, { y }) => sum + y, 0), n: part.length });
    from = to;
  }
  return stepsOf(poolViolators(blocks));
}

/**
 * Platt scaling (Platt 1999): P = 1/(1+exp(-(a x + b))) by Newton's method on the log likelihood, with Platt's
 * smoothed targets so that separable data stay finite. `kind` says what x is: a score's value, or a probability's
 * log-odds. Where outcomes are weighted so are the loss and the targets. A falling fit is replaced by the flat one: a source may be useless, never upside down. Null below the
 * minimum sample.
 */
export function fitPlatt(
  data: WeightedOutcomes,
  kind: 'score' | 'forecast',
  changes: Partial<CalibrationOptions> = {},
): Calibration | null {
  if (!usable(data, { ...CALIBRATION, ...changes })) return null;
  const x =
    kind === 'score' ? data.stated : data.stated.map((p) => logit(Math.min(1 - 1e-9, Math.max(1e-9, p))));
  if (!x.every(Number.isFinite)) return null;
  const weights = data.weights ?? x.map(() => 1);
  const positive = data.happened.reduce((sum, o, i) => sum + weights[i]! * o, 0);
  const negative = effectiveCount(data) - positive;
  const high = (positive + 1) / (positive + 2);
  const low = 1 / (negative + 2);
  const target = data.happened.map((o) => low + o * (high - low));
  const base = target.reduce((sum, t, i) => sum + weights[i]! * t, 0) / effectiveCount(data);
  const flat: Calibration = { kind: 'platt', a: 0, b: logit(base) };
  const fitted = newton(x, target, weights, flat.b);
  return fitted.a > 0 && Number.isFinite(fitted.a + fitted.b) ? { kind: 'platt', ...fitted } : flat;
}

interface Block {
  from: number;
  to: number;
  sum: number;
  n: number;
}

function poolViolators(blocks: readonly Block[]): readonly Block[] {
  const pooled: Block[] = [];
  for (const block of blocks) {
    let last = { ...block };
    for (
      let before = pooled.at(-1);
      before !== undefined && before.sum / before.n >= last.sum / last.n;
      before = pooled.at(-1)
    ) {
      last = { from: before.from, to: last.to, sum: before.sum + last.sum, n: before.n + last.n };
      pooled.pop();
    }
    pooled.push(last);
  }
  return pooled;
}

/** Knots of a step function: both ends of every block. */
function stepsOf(blocks: readonly Block[]): Calibration {
  const x: number[] = [];
  const p: number[] = [];
  for (const { from, to, sum, n } of blocks) {
    x.push(from);
    p.push(sum / n);
    if (to === from) continue;
    x.push(to);
    p.push(sum / n);
  }
  return { kind: 'steps', x, p };
}

const ROUNDS = 50;

/** Newton steps with halving, from the flat fit. */
function newton(
  x: readonly number[],
  target: readonly number[],
  weights: readonly number[],
  b0: number,
): { a: number; b: number } {
  let a = 0;
  let b = b0;
  let loss = crossEntropy(x, target, weights, a, b);
  for (let round = 0; round < ROUNDS; round++) {
    let [ga, gb, haa, hab, hbb] = [0, 0, 1e-12, 0, 1e-12];
    for (let i = 0; i < x.length; i++) {
      const p = logistic(a * x[i]! + b);
      const share = weights[i]!;
      const w = share * p * (1 - p);
      ga += share * (p - target[i]!) * x[i]!;
      gb += share * (p - target[i]!);
      haa += w * x[i]! * x[i]!;
      hab += w * x[i]!;
      hbb += w;
    }
    const determinant = haa * hbb - hab * hab;
    if (!(determinant > 0)) break;
    const da = -(hbb * ga - hab * gb) / determinant;
    const db = -(haa * gb - hab * ga) / determinant;
    let step = 1;
    let next = crossEntropy(x, target, weights, a + da, b + db);
    while (step > 1e-6 && !(next <= loss)) {
      step /= 2;
      next = crossEntropy(x, target, weights, a + step * da, b + step * db);
    }
    if (!(next <= loss)) break;
    a += step * da;
    b += step * db;
    if (loss - next < 1e-14 * Math.max(1, loss)) break;
    loss = next;
  }
  return { a, b };
}

function crossEntropy(
  x: readonly number[],
  target: readonly number[],
  weights: readonly number[],
  a: number,
  b: number,
): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const z = a * x[i]! + b;
    // ln(1 + e^z) - t z without overflow
    sum += weights[i]! * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - target[i]! * z);
  }
  return sum;
}
