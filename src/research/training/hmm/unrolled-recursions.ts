/**
 * The scaled recursions of Expectations for two and three states with every loop over states written out. They do what
 * the general ones do, operation for operation, in a third of the time: numbers stay in registers.
 */

/** Filtered probabilities and densities over scale from row `from` on, whose own are there; gives the log likelihood's part of the rows behind it. */
export function forwardOfTwo(
  transition: Float64Array,
  densities: Float64Array,
  posteriors: Float64Array,
  from: number,
  to: number,
): number {
  const [a, b, c, d] = [transition[0]!, transition[1]!, transition[2]!, transition[3]!];
  let p = posteriors[2 * from]!;
  let q = posteriors[2 * from + 1]!;
  let product = 1;
  let logs = 0;
  let lost = 0;
  for (let at = 2 * from + 2; at < 2 * to; at += 2) {
    const logX = densities[at]!;
    const logY = densities[at + 1]!;
    let best = Math.max(logX, logY);
    const x = Math.exp(logX - best);
    const y = Math.exp(logY - best);
    const jointX = (p * a + q * c) * x;
    const jointY = (p * b + q * d) * y;
    const scale = jointX + jointY;
    const inverse = 1 / scale;
    p = jointX * inverse;
    q = jointY * inverse;
    posteriors[at] = p;
    posteriors[at + 1] = q;
    densities[at] = x * inverse;
    densities[at + 1] = y * inverse;
    product *= scale;
    if (product < PRODUCT_MIN) {
      best += Math.log(product);
      product = 1;
    }
    const term = best - lost;
    const next = logs + term;
    lost = next - logs - term;
    logs = next;
  }
  return logs + Math.log(product);
}

/** As {@link forwardOfTwo}. */
export function forwardOfThree(
  transition: Float64Array,
  densities: Float64Array,
  posteriors: Float64Array,
  from: number,
  to: number,
): number {
  const [a, b, c] = [transition[0]!, transition[1]!, transition[2]!];
  const [d, e, f] = [transition[3]!, transition[4]!, transition[5]!];
  const [g, h, i] = [transition[6]!, transition[7]!, transition[8]!];
  let p = posteriors[3 * from]!;
  let q = posteriors[3 * from + 1]!;
  let r = posteriors[3 * from + 2]!;
  let product = 1;
  let logs = 0;
  let lost = 0;
  for (let at = 3 * from + 3; at < 3 * to; at += 3) {
    const logX = densities[at]!;
    const logY = densities[at + 1]!;
    const logZ = densities[at + 2]!;
    let best = Math.max(logX, logY);
    if (logZ > best) best = logZ;
    const x = Math.exp(logX - best);
    const y = Math.exp(logY - best);
    const z = Math.exp(logZ - best);
    const jointX = (p * a + q * d + r * g) * x;
    const jointY = (p * b + q * e + r * h) * y;
    const jointZ = (p * c + q * f + r * i) * z;
    const scale = jointX + jointY + jointZ;
    const inverse = 1 / scale;
    p = jointX * inverse;
    q = jointY * inverse;
    r = jointZ * inverse;
    posteriors[at] = p;
    posteriors[at + 1] = q;
    posteriors[at + 2] = r;
    densities[at] = x * inverse;
    densities[at + 1] = y * inverse;
    densities[at + 2] = z * inverse;
    product *= scale;
    if (product < PRODUCT_MIN) {
      best += Math.log(product);
      product = 1;
    }
    const term = best - lost;
    const next = logs + term;
    lost = next - logs - term;
    logs = next;
  }
  return logs + Math.log(product);
}

/** Products of scale factors are turned into a logarithm when they get this small; one more factor cannot underflow. */
export const PRODUCT_MIN = 1e-150;

/** Smoothed probabilities in place of filtered ones; adds moves, still without their transition probabilities. */
export function backwardOfTwo(
  transition: Float64Array,
  densities: Float64Array,
  posteriors: Float64Array,
  moves: Float64Array,
  from: number,
  to: number,
): void {
  const [a, b, c, d] = [transition[0]!, transition[1]!, transition[2]!, transition[3]!];
  let [aa, bb, cc, dd] = [0, 0, 0, 0];
  let behindX = 1;
  let behindY = 1;
  for (let at = 2 * (to - 2); at >= 2 * from; at -= 2) {
    const x = densities[at + 2]! * behindX;
    const y = densities[at + 3]! * behindY;
    const p = posteriors[at]!;
    const q = posteriors[at + 1]!;
    aa += p * x;
    bb += p * y;
    cc += q * x;
    dd += q * y;
    behindX = a * x + b * y;
    behindY = c * x + d * y;
    posteriors[at] = p * behindX;
    posteriors[at + 1] = q * behindY;
  }
  moves[0]! += aa;
  moves[1]! += bb;
  moves[2]! += cc;
  moves[3]! += dd;
}

/** As {@link backwardOfTwo}. */
export function backwardOfThree(
  transition: Float64Array,
  densities: Float64Array,
  posteriors: Float64Array,
  moves: Float64Array,
  from: number,
  to: number,
): void {
  const [a, b, c] = [transition[0]!, transition[1]!, transition[2]!];
  const [d, e, f] = [transition[3]!, transition[4]!, transition[5]!];
  const [g, h, i] = [transition[6]!, transition[7]!, transition[8]!];
  let [aa, bb, cc, dd, ee, ff, gg, hh, ii] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  let behindX = 1;
  let behindY = 1;
  let behindZ = 1;
  for (let at = 3 * (to - 2); at >= 3 * from; at -= 3) {
    const x = densities[at + 3]! * behindX;
    const y = densities[at + 4]! * behindY;
    const z = densities[at + 5]! * behindZ;
    const p = posteriors[at]!;
    const q = posteriors[at + 1]!;
    const r = posteriors[at + 2]!;
    aa += p * x;
    bb += p * y;
    cc += p * z;
    dd += q * x;
    ee += q * y;
    ff += q * z;
    gg += r * x;
    hh += r * y;
    ii += r * z;
    behindX = a * x + b * y + c * z;
    behindY = d * x + e * y + f * z;
    behindZ = g * x + h * y + i * z;
    posteriors[at] = p * behindX;
    posteriors[at + 1] = q * behindY;
    posteriors[at + 2] = r * behindZ;
  }
  const sums = [aa, bb, cc, dd, ee, ff, gg, hh, ii];
  for (let m = 0; m < 9; m++) moves[m]! += sums[m]!;
}
