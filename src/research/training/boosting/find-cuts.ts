/** Passes and bits of a radix sort of 32-bit keys. */
const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const SIGN = 0x80000000;

/**
 * Rising keys of numbers of 32 bits: those of `values` that are not missing and weigh something. Their number; the keys,
 * sorted, are in `keys`. `spare` is as long. -0 has the key of 0.
 */
export function sortedKeys(
  values: Float32Array,
  weights: Float32Array | null,
  keys: Uint32Array,
  spare: Uint32Array,
): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const counts = new Int32Array(3 * DIGITS);
  let n = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value) || (weights !== null && weights[i] === 0)) continue;
    const raw = value === 0 ? 0 : bits[i]!;
    const key = (raw & SIGN) !== 0 ? ~raw >>> 0 : (raw | SIGN) >>> 0;
    keys[n++] = key;
    counts[key & (DIGITS - 1)]!++;
    counts[DIGITS + ((key >>> DIGIT_BITS) & (DIGITS - 1))]!++;
    counts[2 * DIGITS + (key >>> (2 * DIGIT_BITS))]!++;
  }
  let from = keys;
  let to = spare;
  for (let pass = 0; pass < 3; pass++) {
    const base = pass * DIGITS;
    let sum = 0;
    for (let digit = base; digit < base + DIGITS; digit++) {
      const count = counts[digit]!;
      counts[digit] = sum;
      sum += count;
    }
    const shift = pass * DIGIT_BITS;
    for (let i = 0; i < n; i++) {
      const key = from[i]!;
      to[counts[base + ((key >>> shift) & (DIGITS - 1))]!++] = key;
    }
    [from, to] = [to, from];
  }
  // after three passes the sorted keys lie in the spare
  keys.set(spare.subarray(0, n));
  return n;
}

const KEY = new Uint32Array(1);
const VALUE = new Float32Array(KEY.buffer);

function numberOf(key: number): number {
  KEY[0] = (key & SIGN) !== 0 ? key ^ SIGN : ~key;
  return VALUE[0]!;
}

/** First place in [from, n) whose key is above `key`; steps double, because runs of one key are short or very long. */
function endOfRun(keys: Uint32Array, key: number, from: number, n: number): number {
  let low = from;
  let width = 1;
  while (low + width < n && keys[low + width]! <= key) {
    low += width;
    width *= 2;
  }
  let high = Math.min(n, low + width);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First place in [from, to) with the key at `to`. */
function startOfRun(keys: Uint32Array, to: number, from: number): number {
  const key = keys[to]!;
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Run {
  readonly start: number;
  readonly end: number;
}

/** Runs of one value that fill a bin by themselves: each holds one of as many places as there are bins. */
function heavyRuns(keys: Uint32Array, n: number, bins: number): Run[] {
  const runs: Run[] = [];
  const fill = n / bins;
  let from = 0;
  for (let k = 1; k <= bins; k++) {
    const place = Math.ceil(k * fill) - 1;
    if (place < from) continue;
    const start = startOfRun(keys, place, from);
    from = endOfRun(keys, keys[place]!, place, n);
    if (from - start >= fill) runs.push({ start, end: from });
  }
  return runs;
}

/** The end of a run that lies nearest to `aim`, behind `at`. */
function nearestEnd(keys: Uint32Array, at: number, aim: number, n: number): number {
  const start = startOfRun(keys, aim - 1, at);
  const end = endOfRun(keys, keys[aim - 1]!, aim - 1, n);
  return start > at && aim - start < end - aim ? start : end;
}

/** Cuts for more different values than bins. */
function findQuantiles(keys: Uint32Array, n: number, bins: number, cuts: Float32Array): number {
  const heavy = heavyRuns(keys, n, bins);
  let rows = heavy.reduce((rest, { start, end }) => rest - (end - start), n);
  let room = bins - heavy.length;
  let count = 0;
  for (let at = 0; at < n && count < bins - 1; ) {
    const next = heavy[0] ?? { start: n, end: n };
    if (next.start === at) {
      heavy.shift();
      at = next.end;
    } else {
      const fill = Math.max(1, Math.round(rows / Math.max(1, room)));
      const between = next.start - at;
      // what is too little for a bin goes with the value behind it
      const joins = between < fill / 2 && heavy.length > 0;
      const end = between <= fill ? next.start : nearestEnd(keys, at, at + fill, next.start);
      rows -= end - at;
      if (joins) heavy.shift();
      else room--;
      at = joins ? next.end : end;
    }
    if (at < n) cuts[count++] = numberOf(keys[at]!);
  }
  return count;
}

/**
 * Cuts that put sorted values into at most `bins` bins, into `cuts`; their number, one less than there are bins. Bin i holds
 * values from cut i - 1 on and below cut i. Cuts are values of the data, as XGBoost's are. Few different values get a bin
 * each; otherwise bins are about equally full, but for values that fill one by themselves.
 */
export function findCuts(keys: Uint32Array, n: number, bins: number, cuts: Float32Array): number {
  let count = 0;
  let at = n === 0 ? 0 : endOfRun(keys, keys[0]!, 0, n);
  while (at < n && count < bins - 1) {
    cuts[count++] = numberOf(keys[at]!);
    at = endOfRun(keys, keys[at]!, at, n);
  }
  return at === n ? count : findQuantiles(keys, n, bins, cuts);
}
