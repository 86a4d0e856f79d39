import { InputError } from '#base';
import { type BarColumns, barColumns } from '#market';
import type { Kernel } from './kernel.ts';
import { type FeatureRequest, nearest, parseFeature } from './registry.ts';

/** One request at work: its kernel and the columns it fills. */
class Slot {
  readonly kernel: Kernel;
  readonly out: Float64Array[];
  /** `kernel.run`, looked up once: looking it up among some twenty classes on every bar costs as much as a kernel. */
  readonly run: Kernel['run'];

  constructor(request: FeatureRequest, capacity: number) {
    this.kernel = request.definition.create(request.parameters);
    this.run = this.kernel.run;
    this.out = request.columns.map(() => new Float64Array(capacity));
  }
}

export interface FeatureFrameOptions {
  /** Rows kept. By default 2048, and always enough for every kernel's lookback. */
  readonly capacity?: number;
}

const ROWS = 2048;
const ROWS_BEYOND_LOOKBACK = 512;

/**
 * Bars in, feature columns out, one bar at a time. The newest row is `last`. When the window is full it drops its
 * older half, and row indices go down by as many; hold handles, not rows. `push` allocates nothing.
 *
 * Values are those of {@link computeFeatures} over the same bars, bit for bit. All state lies in fields, so a
 * captured frame continues exactly where it stopped; the arrays of `bars` are new ones after a restore.
 */
export class FeatureFrame {
  static readonly configuration = ['requests', 'capacity', 'lookback', 'names', 'slotOf', 'outputOf'];
  /** Canonical texts of the distinct requests. */
  readonly requests: readonly string[];
  readonly capacity: number;
  /** Largest lookback of all kernels. */
  readonly lookback: number;
  readonly bars: BarColumns;
  /** Bars ever pushed. */
  count = 0;
  /** The newest value of every column by handle; NaN before the first bar. Read only. */
  readonly latest: Float64Array;
  private readonly slots: Slot[] = [];
  private readonly names = new Map<string, number>();
  private readonly slotOf: number[] = [];
  private readonly outputOf: number[] = [];

  /** Throws InputError for a request that {@link parseFeature} refuses. */
  constructor(requests: readonly string[], options: FeatureFrameOptions = {}) {
    const distinct = distinctRequests(requests);
    this.requests = distinct.map((request) => request.text);
    this.lookback = Math.max(0, ...distinct.map((r) => r.definition.create(r.parameters).lookback));
    const wanted = options.capacity ?? Math.max(ROWS, this.lookback + ROWS_BEYOND_LOOKBACK);
    this.capacity = Math.max(Math.floor(wanted), this.lookback + 2);
    this.bars = barColumns(this.capacity);
    for (const request of distinct) {
      const slot = this.slots.length;
      this.slots.push(new Slot(request, this.capacity));
      request.columns.forEach((column, output) => {
        this.names.set(column, this.slotOf.length);
        this.slotOf.push(slot);
        this.outputOf.push(output);
      });
    }
    this.latest = new Float64Array(this.slotOf.length).fill(Number.NaN);
  }

  /** Names of all columns, in the order of the requests. */
  get columns(): readonly string[] {
    return [...this.names.keys()];
  }

  /** Row of the newest bar, -1 before the first. */
  get last(): number {
    return this.bars.length - 1;
  }

  /** Takes in a closed bar and computes its row. `time` is the bar's open time. */
  push(time: number, open: number, high: number, low: number, close: number, volume: number): void {
    const bars = this.bars;
    if (bars.length === this.capacity) this.drop();
    const row = bars.length;
    bars.time[row] = time;
    bars.open[row] = open;
    bars.high[row] = high;
    bars.low[row] = low;
    bars.close[row] = close;
    bars.volume[row] = volume;
    bars.length = row + 1;
    this.count++;
    const { slots, latest } = this;
    let handle = 0;
    for (let k = 0; k < slots.length; k++) {
      const { run, kernel, out } = slots[k];
      run.call(kernel, bars, out, row, row + 1);
      // Side by side: parts read a value several times a bar, through two look-ups instead of five.
      for (let j = 0; j < out.length; j++) latest[handle++] = out[j][row];
    }
  }

  /** A handle for {@link value}. Throws InputError when no request fills a column of this name. */
  column(name: string): number {
    const handle = this.names.get(name);
    if (handle !== undefined) return handle;
    const near = nearest(name, this.names.keys());
    throw new InputError(
      `no column '${name}' among the requested features`,
      near === '' ? 'request the feature that fills it' : `the nearest one is '${near}'`,
    );
  }

  /** The column's value `ago` bars before the newest one; NaN when undefined or no longer kept. */
  value(handle: number, ago = 0): number {
    const row = this.bars.length - 1 - ago;
    if (row < 0 || ago < 0) return Number.NaN;
    return this.slots[this.slotOf[handle]].out[this.outputOf[handle]][row];
  }

  /** Drops the older half of the rows, or fewer where a kernel still needs them. */
  private drop(): void {
    const bars = this.bars;
    const shift = Math.min(this.capacity - Math.floor(this.capacity / 2), this.capacity - this.lookback);
    bars.time.copyWithin(0, shift);
    bars.open.copyWithin(0, shift);
    bars.high.copyWithin(0, shift);
    bars.low.copyWithin(0, shift);
    bars.close.copyWithin(0, shift);
    bars.volume.copyWithin(0, shift);
    bars.length -= shift;
    for (const slot of this.slots) {
      for (const column of slot.out) column.copyWithin(0, shift);
      slot.kernel.rebase?.(shift);
    }
  }
}

function distinctRequests(requests: readonly string[]): FeatureRequest[] {
  const distinct = new Map<string, FeatureRequest>();
  for (const text of requests) {
    const request = parseFeature(text);
    if (!distinct.has(request.text)) distinct.set(request.text, request);
  }
  return [...distinct.values()];
}

/**
 * All requested features over `bars`, by column name; every array is `bars.length` long, NaN where undefined.
 * Throws InputError for a request that {@link parseFeature} refuses.
 */
export function computeFeatures(bars: BarColumns, requests: readonly string[]): Map<string, Float64Array> {
  const columns = new Map<string, Float64Array>();
  for (const request of distinctRequests(requests)) {
    const out = request.columns.map(() => new Float64Array(bars.length));
    request.definition.create(request.parameters).run(bars, out, 0, bars.length);
    for (const [k, column] of request.columns.entries()) columns.set(column, out[k]);
  }
  return columns;
}
