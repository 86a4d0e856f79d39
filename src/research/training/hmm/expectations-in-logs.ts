/**
 * Forward recursion over rows `from..to-1` in logarithms, for models with transitions that (almost) never happen.
 * `logDensities` is N x K; log filtered probabilities go to `logFiltered` (N x K). Gives the log likelihood; -Infinity,
 * with the rest undone, when the model cannot have made the rows. `scratch` holds K.
 */
export function forwardInLogs(
  initial: Float64Array,
  logTransition: Float64Array,
  logDensities: Float64Array,
  logFiltered: Float64Array,
  from: number,
  to: number,
  scratch: Float64Array,
): number {
  const k = initial.length;
  let total = 0;
  for (let t = from, at = from * k; t < to; t++, at += k) {
    for (let j = 0; j < k; j++) {
      if (t === from) scratch[j] = Math.log(initial[j]!);
      else {
        let best = -Infinity;
        for (let i = 0; i < k; i++)
          best = Math.max(best, logFiltered[at - k + i]! + logTransition[i * k + j]!);
        let sum = 0;
        if (best > -Infinity) {
          for (let i = 0; i < k; i++)
            sum += Math.exp(logFiltered[at - k + i]! + logTransition[i * k + j]! - best);
        }
        scratch[j] = best > -Infinity ? best + Math.log(sum) : best;
      }
      scratch[j]! += logDensities[at + j]!;
    }
    const scale = logSum(scratch, 0, k);
    if (scale === -Infinity) return scale;
    for (let j = 0; j < k; j++) logFiltered[at + j] = scratch[j]! - scale;
    total += scale;
  }
  return total;
}

/**
 * Backward recursion over the same rows: turns log filtered probabilities into smoothed ones (no longer logarithms) and
 * adds the expected moves to `moves` (K x K). `behind` is scratch for K.
 */
export function backwardInLogs(
  logTransition: Float64Array,
  logDensities: Float64Array,
  posteriors: Float64Array,
  moves: Float64Array,
  from: number,
  to: number,
  behind: Float64Array,
): void {
  const k = behind.length;
  behind.fill(0);
  const ahead = new Float64Array(k);
  const now = new Float64Array(k);
  const last = (to - 1) * k;
  for (let j = 0; j < k; j++) posteriors[last + j] = Math.exp(posteriors[last + j]!);
  for (let at = (to - 2) * k; at >= from * k; at -= k) {
    for (let j = 0; j < k; j++) ahead[j] = logDensities[at + k + j]! + behind[j]!;
    for (let i = 0; i < k; i++) {
      let best = -Infinity;
      for (let j = 0; j < k; j++) best = Math.max(best, logTransition[i * k + j]! + ahead[j]!);
      let sum = 0;
      if (best > -Infinity) {
        for (let j = 0; j < k; j++) sum += Math.exp(logTransition[i * k + j]! + ahead[j]! - best);
      }
      behind[i] = best > -Infinity ? best + Math.log(sum) : best;
      now[i] = posteriors[at + i]! + behind[i]!;
    }
    const scale = logSum(now, 0, k);
    for (let i = 0; i < k; i++) {
      const filtered = posteriors[at + i]!;
      if (filtered > -Infinity) {
        for (let j = 0; j < k; j++) {
          moves[i * k + j]! += Math.exp(filtered + logTransition[i * k + j]! + ahead[j]! - scale);
        }
      }
      behind[i]! -= scale;
      posteriors[at + i] = Math.exp(now[i]! - scale);
    }
  }
}

/** ln of the sum of exponentials of `values[from..from+count-1]`; -Infinity where all are. */
export function logSum(values: Float64Array, from: number, count: number): number {
  let best = -Infinity;
  for (let i = from; i < from + count; i++) best = Math.max(best, values[i]!);
  if (best === -Infinity) return best;
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += Math.exp(values[i]! - best);
  return best + Math.log(sum);
}
