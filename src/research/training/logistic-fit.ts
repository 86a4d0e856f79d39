/** Newton steps at most; a convex loss of few columns needs about ten. */
const ROUNDS = 100;

/**
 * Logistic regression by Newton's method with halving: the coefficients of `columns` and, last, the intercept, and the
 * log loss they leave (a sum, each row times its weight). `targets` are probabilities from 0 to 1; those strictly within keep separable data finite.
 */
export function fitLogistic(
  columns: readonly (readonly number[])[],
  targets: readonly number[],
  weights: readonly number[] = targets.map(() => 1),
): { readonly coefficients: readonly number[]; readonly loss: number } {
  const all = [...columns, targets.map(() => 1)];
  let coefficients: readonly number[] = all.map(() => 0);
  let loss = crossEntropy(all, targets, weights, coefficients);
  for (let round = 0; round < ROUNDS; round++) {
    const step = newtonStep(all, targets, weights, coefficients);
    if (step === null) break;
    let share = 1;
    let next = coefficients.map((c, k) => c - step[k]!);
    let nextLoss = crossEntropy(all, targets, weights, next);
    while (share > 1e-8 && !(nextLoss <= loss)) {
      share /= 2;
      next = coefficients.map((c, k) => c - share * step[k]!);
      nextLoss = crossEntropy(all, targets, weights, next);
    }
    if (!(nextLoss <= loss)) break;
    const gained = loss - nextLoss;
    coefficients = next;
    loss = nextLoss;
    if (gained < 1e-14 * Math.max(1, loss)) break;
  }
  return { coefficients, loss };
}

/** Inverse Hessian times gradient; null where the Hessian is singular. */
function newtonStep(
  columns: readonly (readonly number[])[],
  targets: readonly number[],
  weights: readonly number[],
  coefficients: readonly number[],
): readonly number[] | null {
  const size = columns.length;
  const rows = Array.from({ length: size }, () => new Float64Array(size + 1));
  for (let i = 0; i < targets.length; i++) {
    const p = 1 / (1 + Math.exp(-linear(columns, coefficients, i)));
    for (let j = 0; j < size; j++) {
      const x = weights[i]! * columns[j]![i]!;
      rows[j]![size]! += (p - targets[i]!) * x;
      for (let k = 0; k < size; k++) rows[j]![k]! += p * (1 - p) * x * columns[k]![i]!;
    }
  }
  // a touch of ridge: columns that are multiples of each other still give a step
  for (let j = 0; j < size; j++) rows[j]![j]! += 1e-10 * targets.length;
  return solve(rows);
}

/** Gauss with partial pivoting on rows of `size + 1`, the right side last. */
function solve(rows: readonly Float64Array[]): readonly number[] | null {
  const size = rows.length;
  const order = [...rows];
  for (let j = 0; j < size; j++) {
    let pivot = j;
    for (let k = j + 1; k < size; k++) if (Math.abs(order[k]![j]!) > Math.abs(order[pivot]![j]!)) pivot = k;
    [order[j], order[pivot]] = [order[pivot]!, order[j]!];
    const head = order[j]!;
    if (!(Math.abs(head[j]!) > 0)) return null;
    for (let k = j + 1; k < size; k++) {
      const factor = order[k]![j]! / head[j]!;
      for (let m = j; m <= size; m++) order[k]![m]! -= factor * head[m]!;
    }
  }
  const out = new Array<number>(size).fill(0);
  for (let j = size - 1; j >= 0; j--) {
    let rest = order[j]![size]!;
    for (let m = j + 1; m < size; m++) rest -= order[j]![m]! * out[m]!;
    out[j] = rest / order[j]![j]!;
  }
  return out.every(Number.isFinite) ? out : null;
}

function linear(
  columns: readonly (readonly number[])[],
  coefficients: readonly number[],
  row: number,
): number {
  let z = 0;
  for (let k = 0; k < columns.length; k++) z += coefficients[k]! * columns[k]![row]!;
  return z;
}

function crossEntropy(
  columns: readonly (readonly number[])[],
  targets: readonly number[],
  weights: readonly number[],
  coefficients: readonly number[],
): number {
  let sum = 0;
  for (let i = 0; i < targets.length; i++) {
    const z = linear(columns, coefficients, i);
    // ln(1 + e^z) - t z without overflow
    sum += weights[i]! * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - targets[i]! * z);
  }
  return sum;
}
