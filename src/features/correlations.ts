import type { Instant } from '#base';

/** Last sample's hour and price, and a ring of returns keyed by hour. */
interface Series {
  hour: number;
  price: number;
  readonly hours: Float64Array;
  readonly returns: Float64Array;
  n: number;
}

/** What was found between two series as they stood at these hours. */
interface Found {
  readonly x: Series;
  readonly y: Series;
  readonly xHour: number;
  readonly yHour: number;
  readonly value: number;
}

/**
 * Correlation of hourly simple returns over a sliding window (30 days by default), pair by pair on the hours both
 * instruments have. Until `minimum` common returns exist the stated prior holds for two different instruments.
 */
export class Correlations {
  static readonly configuration = ['window', 'minimum', 'prior', 'sampleMs', 'found'];
  private readonly window: number;
  private readonly minimum: number;
  private readonly prior: number;
  private readonly sampleMs: number;
  private readonly series = new Map<string, Series>();
  /** Asked for several times an hour and plan, and different only after a new sample. */
  private readonly found = new Map<string, Map<string, Found>>();

  constructor(options: { window?: number; minimum?: number; prior?: number; sampleMs?: number } = {}) {
    this.window = options.window ?? 720;
    this.minimum = options.minimum ?? 100;
    this.prior = options.prior ?? 0.85;
    this.sampleMs = options.sampleMs ?? 3_600_000;
  }

  /** Takes a close; only the first one of each new hour is sampled. */
  observe(instrument: string, at: Instant, close: number): void {
    const hour = Math.floor(at / this.sampleMs);
    let s = this.series.get(instrument);
    if (s === undefined) {
      s = {
        hour,
        price: close,
        hours: new Float64Array(this.window).fill(-1),
        returns: new Float64Array(this.window),
        n: 0,
      };
      this.series.set(instrument, s);
      return;
    }
    if (hour <= s.hour) return;
    // a return over a hole is not an hourly return
    if (hour === s.hour + 1) {
      const slot = hour % this.window;
      s.hours[slot] = hour;
      s.returns[slot] = close / s.price - 1;
      s.n += 1;
    }
    s.hour = hour;
    s.price = close;
  }

  /** Pearson correlation, the prior when too few common returns exist, 1 for an instrument with itself. */
  between(a: string, b: string): number {
    if (a === b) return 1;
    const x = this.series.get(a);
    const y = this.series.get(b);
    if (x === undefined || y === undefined || Math.min(x.n, y.n) < this.minimum) return this.prior;
    const before = this.found.get(a)?.get(b);
    if (before?.x === x && before.y === y && before.xHour === x.hour && before.yHour === y.hour)
      return before.value;
    const value = this.pearson(x, y);
    const ofA = this.found.get(a) ?? new Map<string, Found>();
    this.found.set(a, ofA.set(b, { x, y, xHour: x.hour, yHour: y.hour, value }));
    return value;
  }

  /** Standard deviation of an instrument's sampled returns within the window; null while there are too few. */
  deviation(instrument: string): number | null {
    const s = this.series.get(instrument);
    if (s === undefined || s.n < this.minimum) return null;
    const oldest = Math.max(-1, s.hour - this.window);
    let n = 0;
    let sum = 0;
    for (let i = 0; i < this.window; i++) {
      if (!(s.hours[i]! > oldest)) continue;
      n += 1;
      sum += s.returns[i]!;
    }
    if (n < this.minimum) return null;
    let squares = 0;
    for (let i = 0; i < this.window; i++) if (s.hours[i]! > oldest) squares += (s.returns[i]! - sum / n) ** 2;
    return Math.sqrt(squares / (n - 1));
  }

  /** The span of one sampled return, ms. */
  get periodMs(): number {
    return this.sampleMs;
  }

  private pearson(x: Series, y: Series): number {
    const oldest = Math.max(-1, Math.max(x.hour, y.hour) - this.window);
    let n = 0;
    let sx = 0;
    let sy = 0;
    for (let i = 0; i < this.window; i++) {
      if (x.hours[i]! > oldest && x.hours[i] === y.hours[i]) {
        n += 1;
        sx += x.returns[i]!;
        sy += y.returns[i]!;
      }
    }
    if (n < this.minimum) return this.prior;
    let xx = 0;
    let yy = 0;
    let xy = 0;
    for (let i = 0; i < this.window; i++) {
      if (x.hours[i]! > oldest && x.hours[i] === y.hours[i]) {
        const dx = x.returns[i]! - sx / n;
        const dy = y.returns[i]! - sy / n;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
      }
    }
    return xx > 0 && yy > 0 ? Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy))) : this.prior;
  }
}
