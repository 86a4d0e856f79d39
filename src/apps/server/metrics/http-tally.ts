import type { Sample } from './metric-table.ts';
import type { HistogramSample } from './portfolio-samples.ts';

/** Seconds; an answer usually takes milliseconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What the server has answered since it began. */
export class HttpTally {
  private readonly requests = new Map<string, { labels: Record<string, string>; count: number }>();
  private readonly times = new Map<string, { counts: number[]; sum: number }>();

  /** `route` is its name in the contract, never a path that somebody made up. */
  add(route: string, method: string, status: number, seconds: number): void {
    const key = `${route} ${method} ${status}`;
    const known = this.requests.get(key);
    if (known !== undefined) known.count += 1;
    else this.requests.set(key, { labels: { route, method, status: String(status) }, count: 1 });
    let time = this.times.get(method);
    if (time === undefined) {
      time = { counts: new Array<number>(BOUNDS.length + 1).fill(0), sum: 0 };
      this.times.set(method, time);
    }
    const bucket = BOUNDS.findIndex((bound) => seconds <= bound);
    time.counts[bucket < 0 ? BOUNDS.length : bucket]! += 1;
    time.sum += seconds;
  }

  samples(): Sample[] {
    return [...this.requests.values()].map(({ labels, count }) => ({
      name: 'quorum_http_requests_total',
      labels,
      value: count,
    }));
  }

  histograms(): HistogramSample[] {
    return [...this.times].map(([method, { counts, sum }]) => ({
      name: 'quorum_http_request_duration_seconds',
      labels: { method },
      bounds: BOUNDS,
      counts,
      sum,
    }));
  }
}
