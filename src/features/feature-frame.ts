import { broken, InputError, type Settles } from '#base';
import { type Bar, type BarColumns, barAt, barColumns } from '#market';
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
/** Rows of a tape computed in one go: enough to spread a kernel's entry, few enough to stay in the cache. */
const ROWS_AHEAD = 256;

/**
 * Bars in, feature columns out, one bar at a time. The newest row is `last`. When the window is full it drops its
 * older half, and row indices go down by as many; hold handles, not rows. `push` allocates nothing.
 *
 * Values are those of {@link computeFeatures} over the same bars, bit for bit. All state lies in fields, so a
 * captured frame continues exactly where it stopped; the arrays of `bars` are new ones after a restore.
 *
 * A frame that {@link follow}s a tape computes its rows in pieces and shows each when its bar is pushed: the same
 * values in a third of the time.
 */
export class FeatureFrame implements Settles {
  static readonly configuration = [
    'requests',
    'capacity',
    'lookback',
    'names',
    'slotOf',
    'outputOf',
    'foretold',
  ];
  /** Canonical texts of the distinct requests. */
  readonly requests: readonly string[];
  readonly capacity: number;
  /** Largest lookback of all kernels. */
  readonly lookback: number;
  readonly bars: BarColumns;
  /** Bars ever pushed. */
  count = 0;
  /** Times that bars were put in between others; see {@link mend}. */
  mended = 0;
  /** The newest value of every column by handle; NaN before the first bar. Read only. */
  readonly latest: Float64Array;
  private slots: Slot[] = [];
  private foretold: Foretold | null = null;
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
    const { foretold } = this;
    if (foretold !== null) {
      if (foretold.isNext(bars, row)) {
        bars.length = row + 1;
        this.count++;
        return foretold.show(this.latest);
      }
      this.settleState();
    }
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

  /**
   * Says which bars will be pushed, from the first one on: those of a tape. Rows are then computed ahead and shown when
   * their bar comes; nothing of them can be read before. A bar that comes otherwise ends it, without a difference in
   * any value. Only for a frame without bars.
   */
  follow(tape: BarColumns): void {
    if (this.count > 0) broken('a frame follows a tape from its first bar');
    this.foretold = new Foretold(tape, this.requests, this.capacity);
  }

  /** How many of the tape's next rows are computed already, at least one while there are any; 0 when it follows none. */
  get ahead(): number {
    return this.follows ? this.foretold!.ahead() : 0;
  }

  /** Row of the tape's next bar in the columns of {@link foretoldColumn}. */
  get foretoldRow(): number {
    return this.foretold!.row;
  }

  /** The column that rows computed ahead stand in, always the same array. Only for a frame that follows a tape. */
  foretoldColumn(handle: number): Float64Array {
    const { foretold } = this;
    if (foretold === null) broken('a frame that follows no tape foretells nothing');
    return foretold.column(handle);
  }

  /** Takes in the tape's next `rows` bars, which are computed already, as pushing them one by one would. */
  passOver(rows: number): void {
    const { bars } = this;
    const { tape, shown } = this.foretold!;
    for (let row = shown; row < shown + rows; row++) {
      if (bars.length === this.capacity) this.drop();
      const i = bars.length++;
      bars.time[i] = tape.time[row];
      bars.open[i] = tape.open[row];
      bars.high[i] = tape.high[row];
      bars.low[i] = tape.low[row];
      bars.close[i] = tape.close[row];
      bars.volume[i] = tape.volume[row];
    }
    // `drop` asks whether the frame follows, and that is told by these
    this.count += rows;
    this.foretold!.pass(rows, this.latest);
  }

  /** A frame restored from a snapshot does not: its own kernels know what they need. */
  private get follows(): boolean {
    return this.foretold !== null && this.foretold.shown === this.count;
  }

  /** Computes what the kernels must know to go on from here by themselves, and follows no longer. */
  settleState(): void {
    const { follows, foretold, count, bars } = this;
    this.foretold = null;
    if (foretold === null || !follows) return;
    const same = new FeatureFrame(this.requests, { capacity: this.capacity });
    same.extend(foretold.tape, 0, count);
    // the bar that comes now has already made room for itself
    if (same.bars.length > bars.length) same.drop();
    this.slots = same.slots;
  }

  /** Takes in rows [from, to) of a tape. The window drops rows where pushing them one by one would. */
  extend(tape: BarColumns, from: number, to: number): void {
    const { bars } = this;
    for (let next = from; next < to; ) {
      if (bars.length === this.capacity) this.drop();
      const row = bars.length;
      const end = Math.min(to, next + this.capacity - row);
      bars.time.set(tape.time.subarray(next, end), row);
      bars.open.set(tape.open.subarray(next, end), row);
      bars.high.set(tape.high.subarray(next, end), row);
      bars.low.set(tape.low.subarray(next, end), row);
      bars.close.set(tape.close.subarray(next, end), row);
      bars.volume.set(tape.volume.subarray(next, end), row);
      bars.length = row + end - next;
      this.count += end - next;
      for (const { run, kernel, out } of this.slots) run.call(kernel, bars, out, row, bars.length);
      next = end;
    }
    if (this.last < 0) return;
    for (let handle = 0; handle < this.latest.length; handle++) this.latest[handle] = this.value(handle);
  }

  /**
   * Puts bars in where they are missing between those it has, and computes all rows it keeps anew, as if they had come in
   * time. What is older than its first row, newer than its last or there already is left out.
   */
  mend(found: readonly Bar[]): void {
    this.settleState();
    const { bars } = this;
    const rows = Array.from({ length: bars.length }, (_, i) => barAt(bars, i));
    const known = new Set(rows.map(({ time }) => time));
    const [first = Infinity, last = -Infinity] = [rows[0]?.time, rows.at(-1)?.time];
    const fitting = found.filter(({ time }) => time > first && time < last && !known.has(time));
    if (fitting.length === 0) return;
    const same = new FeatureFrame(this.requests, { capacity: this.capacity });
    for (const { time, open, high, low, close, volume } of [...rows, ...fitting].sort(
      (a, b) => a.time - b.time,
    ))
      same.push(time, open, high, low, close, volume);
    bars.time.set(same.bars.time);
    bars.open.set(same.bars.open);
    bars.high.set(same.bars.high);
    bars.low.set(same.bars.low);
    bars.close.set(same.bars.close);
    bars.volume.set(same.bars.volume);
    bars.length = same.bars.length;
    this.slots = same.slots;
    this.latest.set(same.latest);
    this.count += fitting.length;
    this.mended += 1;
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
    if (ago === 0) return this.latest[handle];
    if (this.follows) return this.foretold!.value(handle, ago);
    return this.columnOf(handle)[row];
  }

  /** The array a column is computed into. */
  columnOf(handle: number): Float64Array {
    return this.slots[this.slotOf[handle]].out[this.outputOf[handle]];
  }

  /** Copies the newest `rows` values of a column into `out` at `at`, `at + step`, and so on. */
  copyLast(handle: number, rows: number, out: Float64Array, at: number, step: number): void {
    const column = this.columnOf(handle);
    const from = this.bars.length - rows;
    for (let i = 0; i < rows; i++) out[at + i * step] = column[from + i];
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
    // what was computed ahead stands elsewhere, and its kernels are not used
    if (this.follows) return;
    for (const slot of this.slots) {
      for (const column of slot.out) column.copyWithin(0, shift);
      slot.kernel.rebase?.(shift);
    }
  }
}

/** The bars that a tape will bring, and their rows computed a piece ahead. */
class Foretold {
  readonly tape: BarColumns;
  /** Rows of the tape that were shown. */
  shown = 0;
  /** Stands at the end of the piece computed last; keeps what the frame keeps behind its beginning. */
  private readonly scout: FeatureFrame;
  private computed = 0;
  /** The piece, row by row: what is shown together lies together. */
  private readonly piece: Float64Array;
  private readonly width: number;
  private place = 0;

  constructor(tape: BarColumns, requests: readonly string[], capacity: number) {
    this.tape = tape;
    this.scout = new FeatureFrame(requests, { capacity: 2 * (capacity + ROWS_AHEAD) });
    this.width = this.scout.latest.length;
    this.piece = new Float64Array(ROWS_AHEAD * this.width);
  }

  /** Whether row `row` of `bars` is the tape's next bar. */
  isNext(bars: BarColumns, row: number): boolean {
    const { tape, shown } = this;
    return (
      shown < tape.length &&
      bars.time[row] === tape.time[shown] &&
      bars.close[row] === tape.close[shown] &&
      bars.open[row] === tape.open[shown] &&
      bars.high[row] === tape.high[shown] &&
      bars.low[row] === tape.low[shown] &&
      bars.volume[row] === tape.volume[shown]
    );
  }

  /** Puts the next row into `latest`. */
  show(latest: Float64Array): void {
    if (this.shown === this.computed) this.compute();
    const { piece, place, width } = this;
    for (let i = 0; i < width; i++) latest[i] = piece[place + i];
    this.place = place + width;
    this.shown += 1;
  }

  /** Rows computed and not shown; computes the next piece when there are none and the tape goes on. */
  ahead(): number {
    if (this.shown === this.computed && this.shown < this.tape.length) this.compute();
    return this.computed - this.shown;
  }

  /** Row of the next bar in the scout's columns. */
  get row(): number {
    return this.scout.bars.length - (this.computed - this.shown);
  }

  column(handle: number): Float64Array {
    return this.scout.columnOf(handle);
  }

  /** Shows the last of the next `rows` rows. */
  pass(rows: number, latest: Float64Array): void {
    this.place += (rows - 1) * this.width;
    this.shown += rows - 1;
    this.show(latest);
  }

  /** A column's value `ago` rows before the one shown last. */
  value(handle: number, ago: number): number {
    return this.scout.value(handle, this.computed - this.shown + ago);
  }

  private compute(): void {
    const { scout, piece, width } = this;
    const rows = Math.min(ROWS_AHEAD, this.tape.length - this.computed);
    scout.extend(this.tape, this.computed, this.computed + rows);
    this.computed += rows;
    this.place = 0;
    for (let handle = 0; handle < width; handle++) scout.copyLast(handle, rows, piece, handle, width);
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
