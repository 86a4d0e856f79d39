/** How often a duration fell in which span, ms. `counts[i]` are those up to `bounds[i]`; the last are beyond all bounds. */
export interface HistogramAnswer {
  readonly unit: 'ms';
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
  readonly max: number;
}

/** Upper ends of the spans, ms: about three to each factor of two where a step usually lies. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30,
  50, 75, 100, 200, 500, 1_000, 5_000,
];

/** Durations of one stage of the loop, counted in fixed spans: nothing is allocated per observation. */
export class Histogram {
  private readonly counts = new Float64Array(LATENCY_BOUNDS_MS.length + 1);
  private count = 0;
  private sum = 0;
  private max = 0;

  /** Takes a duration, ms. */
  add(ms: number): void {
    let low = 0;
    let high = LATENCY_BOUNDS_MS.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ms <= LATENCY_BOUNDS_MS[middle]!) high = middle;
      else low = middle + 1;
    }
    this.counts[low]! += 1;
    this.count += 1;
    this.sum += ms;
    if (ms > this.max) this.max = ms;
  }

  answer(): HistogramAnswer {
    const { count, sum, max } = this;
    return { unit: 'ms', bounds: LATENCY_BOUNDS_MS, counts: [...this.counts], count, sum, max };
  }
}
