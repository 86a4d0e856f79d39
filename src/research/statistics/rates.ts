import { InputError } from '#base';

export interface RateInterval {
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

/** Exact interval of a probability from `hits` in `n` independent tries (Clopper and Pearson 1934). Throws InputError for impossible counts or confidence. */
export function rateInterval(hits: number, n: number, confidence = 0.95): RateInterval {
  if (!(Number.isInteger(hits) && Number.isInteger(n) && hits >= 0 && hits <= n && n >= 1))
    throw new InputError(`${hits} of ${n}`, 'give whole numbers, 0 <= hits <= n, n at least 1');
  if (!(confidence > 0 && confidence < 1))
    throw new InputError(`a confidence of ${confidence}`, 'give a share between 0 and 1, such as 0.95');
  const tail = (1 - confidence) / 2;
  return {
    rate: hits / n,
    low: hits === 0 ? 0 : rootOf((p) => 1 - atMost(hits - 1, n, p) - tail),
    high: hits === n ? 1 : rootOf((p) => tail - atMost(hits, n, p)),
  };
}

/** P(X <= k) for X binomial. Terms in logarithms, so that large n do not underflow. */
function atMost(k: number, n: number, p: number): number {
  let term = n * Math.log1p(-p);
  let sum = Math.exp(term);
  const odds = Math.log(p) - Math.log1p(-p);
  for (let i = 1; i <= k; i++) {
    term += Math.log((n - i + 1) / i) + odds;
    sum += Math.exp(term);
  }
  return Math.min(1, sum);
}

/** Where a rising function of a probability crosses 0. */
function rootOf(rising: (p: number) => number): number {
  let low = 0;
  let high = 1;
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (rising(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
