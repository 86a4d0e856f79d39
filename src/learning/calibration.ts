import { type Calibration, logistic, logit } from '#ensemble';

/** What a source stated (a score's value, or a probability) and what came of it, 1 or 0. */
export interface Outcomes {
  readonly stated: readonly number[];
  readonly happened: readonly number[];
}

export interface CalibrationOptions {
  /** Fewer outcomes than this calibrate nothing. */
  readonly sampleMin: number;
  readonly bins: number;
}

export const CALIBRATION: CalibrationOptions = { sampleMin: 100, bins: 10 };

const usable = ({ stated, happened }: Outcomes, { sampleMin }: CalibrationOptions): boolean =>
  stated.length >= sampleMin &&
  stated.length === happened.length &&
  stated.every(Number.isFinite) &&
  happened.every((o) => o >= 0 && o <= 1);

/**
 * Isotonic regression by pooling adjacent violators (Ayer et al. 1955), as knots: each pooled block is a step from
 * its lowest to its highest stated value. Null below the minimum sample. The result never falls.
 */
export function fitIsotonic(data: Outcomes, changes: Partial<CalibrationOptions> = {}): Calibration | null {
  if (!usable(data, { ...CALIBRATION, ...changes })) return null;
  const rows = data.stated.map((x, i) => ({ x, y: data.happened[i]! })).sort((a, b) => a.x - b.x);
  const blocks: Block[] = [];
  for (const { x, y } of rows) {
    const last = blocks.at(-1);
    // equal stated values get one probability
    if (last !== undefined && last.to === x && last.from === x) {
      last.sum += y;
      last.n += 1;
    } else blocks.push({ from: x, to: x, sum: y, n: 1 });
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
 * log-odds. A falling fit is replaced by the flat one: a source may be useless, never upside down. Null below the
 * minimum sample.
 */
export function fitPlatt(
  data: Outcomes,
  kind: 'score' | 'forecast',
  changes: Partial<CalibrationOptions> = {},
): Calibration | null {
  if (!usable(data, { ...CALIBRATION, ...changes })) return null;
  const x =
    kind === 'score' ? data.stated : data.stated.map((p) => logit(Math.min(1 - 1e-9, Math.max(1e-9, p))));
  if (!x.every(Number.isFinite)) return null;
  const positive = data.happened.reduce((sum, o) => sum + o, 0);
  const negative = data.happened.length - positive;
  const high = (positive + 1) / (positive + 2);
  const low = 1 / (negative + 2);
  const target = data.happened.map((o) => low + o * (high - low));
  const base = target.reduce((sum, t) => sum + t, 0) / target.length;
  const flat: Calibration = { kind: 'platt', a: 0, b: logit(base) };
  const fitted = newton(x, target, flat.b);
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
function newton(x: readonly number[], target: readonly number[], b0: number): { a: number; b: number } {
  let a = 0;
  let b = b0;
  let loss = crossEntropy(x, target, a, b);
  for (let round = 0; round < ROUNDS; round++) {
    let [ga, gb, haa, hab, hbb] = [0, 0, 1e-12, 0, 1e-12];
    for (let i = 0; i < x.length; i++) {
      const p = logistic(a * x[i]! + b);
      const w = p * (1 - p);
      ga += (p - target[i]!) * x[i]!;
      gb += p - target[i]!;
      haa += w * x[i]! * x[i]!;
      hab += w * x[i]!;
      hbb += w;
    }
    const determinant = haa * hbb - hab * hab;
    if (!(determinant > 0)) break;
    const da = -(hbb * ga - hab * gb) / determinant;
    const db = -(haa * gb - hab * ga) / determinant;
    let step = 1;
    let next = crossEntropy(x, target, a + da, b + db);
    while (step > 1e-6 && !(next <= loss)) {
      step /= 2;
      next = crossEntropy(x, target, a + step * da, b + step * db);
    }
    if (!(next <= loss)) break;
    a += step * da;
    b += step * db;
    if (loss - next < 1e-14 * Math.max(1, loss)) break;
    loss = next;
  }
  return { a, b };
}

function crossEntropy(x: readonly number[], target: readonly number[], a: number, b: number): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const z = a * x[i]! + b;
    // ln(1 + e^z) - t z without overflow
    sum += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - target[i]! * z;
  }
  return sum;
}
