// A second hidden Markov model, written for tests from the definitions: plain lists, every path enumerated where there
// are few, Rabiner's scaled recursions or logarithms where there are many. It shares no code with the first.
import type { HmmParameters } from '#signals';

export type Rows = readonly (readonly number[])[];

/** Density of a row under a state's Gaussian, by elimination: |C| and C^-1 (x-m). */
export function logDensity(
  { means, covariance, covariances }: HmmParameters,
  s: number,
  x: readonly number[],
): number {
  const d = x.length;
  const c = Array.from({ length: d }, (_, i) =>
    Array.from({ length: d }, (_, j) => {
      if (covariance === 'full') return covariances[s]![i * d + j]!;
      return i === j ? covariances[s]![i]! : 0;
    }),
  );
  const away = x.map((v, i) => v - means[s]![i]!);
  const solved = [...away];
  let logDeterminant = 0;
  for (let i = 0; i < d; i++) {
    logDeterminant += Math.log(c[i]![i]!);
    for (let r = i + 1; r < d; r++) {
      const factor = c[r]![i]! / c[i]![i]!;
      for (let j = i; j < d; j++) c[r]![j]! -= factor * c[i]![j]!;
      solved[r]! -= factor * solved[i]!;
    }
  }
  for (let i = d - 1; i >= 0; i--) {
    for (let j = i + 1; j < d; j++) solved[i]! -= c[i]![j]! * solved[j]!;
    solved[i]! /= c[i]![i]!;
  }
  const square = away.reduce((sum, v, i) => sum + v * solved[i]!, 0);
  return -0.5 * (d * Math.log(2 * Math.PI) + logDeterminant + square);
}

export interface OracleReading {
  readonly logLikelihood: number;
  readonly filtered: number[][];
  readonly smoothed: number[][];
}

const sumOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const shares = (values: readonly number[]) => values.map((v) => v / sumOf(values));

/** Every path of states through the rows with its probability; K^T of them. */
function* paths(model: HmmParameters, rows: Rows): Generator<{ states: number[]; probability: number }> {
  const k = model.names.length;
  const total = k ** rows.length;
  for (let code = 0; code < total; code++) {
    const states: number[] = [];
    for (let rest = code, t = 0; t < rows.length; t++, rest = Math.floor(rest / k)) states.push(rest % k);
    let probability = 1;
    states.forEach((s, t) => {
      probability *= t === 0 ? model.initial[s]! : model.transition[states[t - 1]!]![s]!;
      probability *= Math.exp(logDensity(model, s, rows[t]!));
    });
    yield { states, probability };
  }
}

/** By enumeration. */
export function enumerated(
  model: HmmParameters,
  rows: Rows,
): OracleReading & { path: number[]; best: number } {
  const k = model.names.length;
  const smoothed = rows.map(() => new Array<number>(k).fill(0));
  let [total, best, path] = [0, -1, [] as number[]];
  for (const { states, probability } of paths(model, rows)) {
    total += probability;
    states.forEach((s, t) => {
      smoothed[t]![s]! += probability;
    });
    if (probability > best) [best, path] = [probability, states];
  }
  const filtered = rows.map((_, t) => {
    const ends = new Array<number>(k).fill(0);
    for (const { states, probability } of paths(model, rows.slice(0, t + 1)))
      ends[states[t]!]! += probability;
    return shares(ends);
  });
  return {
    logLikelihood: Math.log(total),
    filtered,
    smoothed: smoothed.map(shares),
    path,
    best: Math.log(best),
  };
}

/** Rabiner 1989, section V.A: scaled forward and backward variables, and the moves expected between states. */
export function scaled(model: HmmParameters, rows: Rows): OracleReading & { moves: number[][] } {
  const states = model.names.map((_, s) => s);
  const densities = rows.map((x) => states.map((s) => Math.exp(logDensity(model, s, x))));
  const scales: number[] = [];
  const filtered: number[][] = [];
  densities.forEach((b, t) => {
    const joint = states.map((j) => {
      const before = filtered[t - 1];
      const entered =
        before === undefined
          ? model.initial[j]!
          : sumOf(states.map((i) => before[i]! * model.transition[i]![j]!));
      return entered * b[j]!;
    });
    scales.push(sumOf(joint));
    filtered.push(shares(joint));
  });
  const behind: number[][] = rows.map(() => states.map(() => 1));
  for (let t = rows.length - 2; t >= 0; t--) {
    behind[t] = states.map((i) =>
      sumOf(
        states.map(
          (j) => (model.transition[i]![j]! * densities[t + 1]![j]! * behind[t + 1]![j]!) / scales[t + 1]!,
        ),
      ),
    );
  }
  const moves = states.map((i) =>
    states.map((j) =>
      sumOf(
        rows
          .slice(1)
          .map(
            (_, t) =>
              (filtered[t]![i]! * model.transition[i]![j]! * densities[t + 1]![j]! * behind[t + 1]![j]!) /
              scales[t + 1]!,
          ),
      ),
    ),
  );
  const smoothed = rows.map((_, t) => shares(states.map((s) => filtered[t]![s]! * behind[t]![s]!)));
  return { logLikelihood: sumOf(scales.map(Math.log)), filtered, smoothed, moves };
}

function logSumExp(values: readonly number[]): number {
  const best = Math.max(...values);
  return best === -Infinity ? best : best + Math.log(sumOf(values.map((v) => Math.exp(v - best))));
}

/** Forward and backward in logarithms throughout, nothing scaled. */
export function inLogs(model: HmmParameters, rows: Rows): OracleReading {
  const states = model.names.map((_, s) => s);
  const logs = model.transition.map((row) => row.map(Math.log));
  const densities = rows.map((x) => states.map((s) => logDensity(model, s, x)));
  const ahead: number[][] = [];
  densities.forEach((b, t) => {
    const before = ahead[t - 1];
    ahead.push(
      states.map(
        (j) =>
          b[j]! +
          (before === undefined
            ? Math.log(model.initial[j]!)
            : logSumExp(states.map((i) => before[i]! + logs[i]![j]!))),
      ),
    );
  });
  const behind: number[][] = rows.map(() => states.map(() => 0));
  for (let t = rows.length - 2; t >= 0; t--) {
    behind[t] = states.map((i) =>
      logSumExp(states.map((j) => logs[i]![j]! + densities[t + 1]![j]! + behind[t + 1]![j]!)),
    );
  }
  const normal = (row: number[]) => {
    const total = logSumExp(row);
    return row.map((v) => Math.exp(v - total));
  };
  return {
    logLikelihood: logSumExp(ahead.at(-1)!),
    filtered: ahead.map(normal),
    smoothed: rows.map((_, t) => normal(states.map((s) => ahead[t]![s]! + behind[t]![s]!))),
  };
}

/** One step of Baum and Welch by its formulas, with full or diagonal covariances and no floor. */
export function baumWelchStep(model: HmmParameters, rows: Rows): HmmParameters {
  const { smoothed, moves } = scaled(model, rows);
  const weights = model.names.map((_, s) => sumOf(smoothed.map((row) => row[s]!)));
  const dimensions = model.features.map((_, i) => i);
  const means = weights.map((w, s) =>
    dimensions.map((i) => sumOf(rows.map((x, t) => smoothed[t]![s]! * x[i]!)) / w),
  );
  const spread = (s: number, i: number, j: number) =>
    sumOf(rows.map((x, t) => smoothed[t]![s]! * (x[i]! - means[s]![i]!) * (x[j]! - means[s]![j]!))) /
    weights[s]!;
  const covariances = weights.map((_, s) =>
    model.covariance === 'full'
      ? dimensions.flatMap((i) => dimensions.map((j) => spread(s, i, j)))
      : dimensions.map((i) => spread(s, i, i)),
  );
  return { ...model, initial: smoothed[0]!, transition: moves.map(shares), means, covariances };
}
