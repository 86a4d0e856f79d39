import { assert } from '#base';
import { type Kernel, parseFeature } from '#features';
import { type BarColumns, barColumns } from '#market';
import { CROSS_TOLERANCE } from '#signals';
import { type Crosses, crossesOver, fillShorts, ROWS_BEHIND, type ScanColumn } from './scan.ts';

/** Rows computed at a time: long enough to spread what a piece costs, short enough for two hundred columns to stay near. */
export const TILE = 2_048;

const PAGE = 65_536;

/** One distinct request at work: the same kernel that the loop runs, over a window of the bars. */
interface Slot {
  readonly kernel: Kernel;
  readonly out: Float64Array[];
}

/** A line that crosses others: its column, and where both forms of it lie for the scan. */
export interface TileLine extends ScanColumn {
  /** Byte addresses of row 0. */
  readonly address: number;
  readonly shortAddress: number;
}

/**
 * Features piece by piece, in memory that WebAssembly sees: each distinct request once, whoever asks for it, by the kernels
 * of features/. Memory grows with the number of requests and not with that of the bars.
 */
export class FeatureTiles {
  /** Row of the window at which each piece begins; before it stands the history that kernels may read. */
  readonly first: number;
  /** See {@link crossesOver}. */
  readonly crosses: Crosses;
  /** Steps in 16 bits that decide without the doubles, in the piece at work. */
  certain = 0;
  /** Where rows found are written, and its byte address. */
  readonly found: Int32Array;
  readonly foundAddress: number;
  private readonly window: BarColumns;
  private readonly slots: Slot[] = [];
  private readonly columns = new Map<string, Float64Array>();
  private readonly lines = new Map<string, TileLine>();
  private filled = false;

  /** `requests` are canonical texts, `lines` the expressions of columns that cross others. */
  constructor(requests: readonly string[], lines: readonly string[]) {
    const parsed = [...new Set(requests)].map(parseFeature);
    const kernels = parsed.map(({ definition, parameters }) => definition.create(parameters));
    this.first = Math.max(1, ...kernels.map(({ lookback }) => lookback)) + 1;
    const rows = this.first + TILE;
    const width = parsed.reduce((sum, { columns }) => sum + columns.length, 0);
    const lineNames = [...new Set(lines.map(columnOf))];
    const shortBytes = 2 * (rows + ROWS_BEHIND);
    const bytes = width * rows * 8 + lineNames.length * shortBytes + 4 * TILE;
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
    this.crosses = crossesOver(memory, CROSS_TOLERANCE);
    this.window = barColumns(rows);
    const addresses = new Map<string, number>();
    let next = 0;
    parsed.forEach(({ columns }, i) => {
      const out = columns.map((name) => {
        const values = new Float64Array(memory.buffer, next, rows);
        addresses.set(name, next);
        this.columns.set(name, values);
        next += rows * 8;
        return values;
      });
      this.slots.push({ kernel: kernels[i]!, out });
    });
    // what is wider comes first, so that every column lies where its kind may begin
    this.found = new Int32Array(memory.buffer, next, TILE);
    this.foundAddress = next;
    next += 4 * TILE;
    for (const name of lineNames) {
      const shorts = new Int16Array(memory.buffer, next, rows + ROWS_BEHIND);
      const address = addresses.get(name)!;
      this.lines.set(name, { values: this.columns.get(name)!, shorts, address, shortAddress: next });
      next += shortBytes;
    }
  }

  /** The column of an expression such as `macd:12:26:9/hist`. */
  column(expression: string): Float64Array {
    const found = this.columns.get(columnOf(expression));
    assert(found !== undefined, 'a column was requested');
    return found;
  }

  /** The column of an expression that was named among the lines. */
  line(expression: string): TileLine {
    const found = this.lines.get(columnOf(expression));
    assert(found !== undefined, 'a line was named');
    return found;
  }

  /** Closes of the bars of the window. */
  get closes(): Float64Array {
    return this.window.close;
  }

  /** Computes rows [from, to) of `bars`, at most {@link TILE}; pieces come in order, from the first row on. */
  load(bars: BarColumns, from: number, to: number): void {
    const { window, first } = this;
    const n = to - from;
    if (this.filled) this.shift();
    this.filled = true;
    window.time.set(bars.time.subarray(from, to), first);
    window.open.set(bars.open.subarray(from, to), first);
    window.high.set(bars.high.subarray(from, to), first);
    window.low.set(bars.low.subarray(from, to), first);
    window.close.set(bars.close.subarray(from, to), first);
    window.volume.set(bars.volume.subarray(from, to), first);
    window.length = first + n;
    for (const { kernel, out } of this.slots) kernel.run(window, out, first, first + n);
    this.certain = fillShorts([...this.lines.values()], first, first + n, CROSS_TOLERANCE);
  }

  /** A full piece becomes history: only its last rows are kept. */
  private shift(): void {
    const { window } = this;
    assert(window.length === this.first + TILE, 'only the last piece is short');
    const { time, open, high, low, close, volume } = window;
    for (const column of [time, open, high, low, close, volume]) column.copyWithin(0, TILE);
    for (const { kernel, out } of this.slots) {
      for (const column of out) column.copyWithin(0, TILE);
      kernel.rebase?.(TILE);
    }
  }
}

/** Columns by the expressions that name them: sweeps ask for the same ones thousands of times. */
const known = new Map<string, string>();

/** The column that `request` or `request/output` names. */
function columnOf(expression: string): string {
  const before = known.get(expression);
  if (before !== undefined) return before;
  const [request, output = ''] = expression.split('/');
  const { definition, columns } = parseFeature(request!);
  const i = definition.outputs.findIndex(({ suffix }) => suffix === output);
  assert(i >= 0, 'the desk was built with this feature');
  known.set(expression, columns[i]!);
  return columns[i]!;
}
