/**
 * Standard normal distribution function, Hart (1968) in double precision as given by West (2005),
 * "Better approximations to cumulative normal functions". Absolute error below 1e-14.
 */
export function normalCdf(x: number): number {
  const z = Math.abs(x);
  let tail: number;
  if (z > 38.6) tail = 0;
  else if (z < 7.07106781186547) {
    let p = 3.52624965998911e-2 * z + 0.700383064443688;
    p = p * z + 6.37396220353165;
    p = p * z + 33.912866078383;
    p = p * z + 112.079291497871;
    p = p * z + 221.213596169931;
    p = p * z + 220.206867912376;
    let q = 8.83883476483184e-2 * z + 1.75566716318264;
    q = q * z + 16.064177579207;
    q = q * z + 86.7807322029461;
    q = q * z + 296.564248779674;
    q = q * z + 637.333633378831;
    q = q * z + 793.826512519948;
    q = q * z + 440.413735824752;
    tail = (Math.exp((-z * z) / 2) * p) / q;
  } else {
    const fraction = z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65))));
    tail = Math.exp((-z * z) / 2) / fraction / 2.5066282746310002;
  }
  return x > 0 ? 1 - tail : tail;
}

/** Standard normal density. */
export function normalPdf(x: number): number {
  return Math.exp((-x * x) / 2) / 2.5066282746310002;
}

/**
 * Inverse of {@link normalCdf} for 0 < p < 1: Acklam's rational start, then two Newton steps in the nearer tail.
 * -Infinity at 0, Infinity at 1, NaN outside.
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1))
    return p === 0 ? Number.NEGATIVE_INFINITY : p === 1 ? Number.POSITIVE_INFINITY : Number.NaN;
  const lower = Math.min(p, 1 - p);
  let x: number;
  if (lower < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(lower));
    const top =
      ((((-7.784894002430293e-3 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) *
        q +
        4.374664141464968) *
        q +
      2.938163982698783;
    const bottom =
      (((7.784695709041462e-3 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) *
        q +
      1;
    x = top / bottom;
  } else {
    const q = lower - 0.5;
    const r = q * q;
    const top =
      (((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r -
        30.66479806614716) *
        r +
        2.506628277459239) *
      q;
    const bottom =
      ((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r -
        13.28068155288572) *
        r +
      1;
    x = top / bottom;
  }
  for (let k = 0; k < 2; k++) x -= (normalCdf(x) - lower) / normalPdf(x);
  return p <= 0.5 ? x : -x;
}
