import { assert, wasmMemory } from '#base';
import { type Kernel, parseFeature } from '#features';
import { type BarColumns, barColumns } from '#market';
import { CROSS_TOLERANCE } from '#signals';
import { FlowColumns } from './flow-columns.ts';
import { RangeTable } from './range-table.ts';
import { type Crosses, ROWS_BEHIND, type Scan, type ScanColumn, scanOver } from './scan.ts';
import { type Settle, settleIn } from './settle.ts';

/** Rows computed at a time: long enough to spread what a piece costs, short enough for two hundred columns to stay near. */
export const TILE = 2_048;

/** Signals, or ends of days, in a piece at most, and one behind them. */
const FOUND = TILE + 1;

/** One distinct request at work: the same kernel that the loop runs, over a window of the bars. */
interface Slot {
  readonly kernel: Kernel;
  readonly out: Float64Array[];
}

/**
 * Features piece by piece, in memory that WebAssembly sees: each distinct request once, whoever asks for it, by the kernels
 * of features/. Memory grows with the number of requests and not with that of the bars.
 */
export class FeatureTiles {
  /** Row of the window at which each piece begins; before it stands the history that kernels may read. */
  readonly first: number;
  /** See {@link scanOver}. */
  readonly crosses: Crosses;
  /** See {@link settleIn}; its table of marks, its days and its flows. */
  readonly settle: Settle;
  readonly dayEnds: Int32Array;
  readonly marks: Int32Array;
  readonly flows: FlowColumns;
  /** The doubles that were asked for beside the features. */
  readonly beside: { readonly buffer: ArrayBuffer; readonly address: number };
  /** Steps in 16 bits that decide without the doubles, in the piece at work. */
  certain = 0;
  /** Where rows found are written, and its byte address. */
  readonly found: Int32Array;
  readonly foundAddress: number;
  private readonly scan: Scan;
  private readonly window: BarColumns;
  private readonly slots: Slot[] = [];
  private readonly columns = new Map<string, Float64Array>();
  private readonly lines = new Map<string, ScanColumn>();
  private filled = false;

  /** `requests` are canonical texts, `lines` the expressions of columns that cross others. */
  constructor(requests: readonly string[], lines: readonly string[], doublesBeside: number) {
    const parsed = [...new Set(requests)].map(parseFeature);
    const kernels = parsed.map(({ definition, parameters }) => definition.create(parameters));
    this.first = Math.max(1, ...kernels.map(({ lookback }) => lookback)) + 1;
    const rows = this.first + TILE;
    const width = parsed.reduce((sum, { columns }) => sum + columns.length, 0);
    const lineNames = [...new Set(lines.map(columnOf))];
    const shortBytes = 2 * (rows + ROWS_BEHIND);
    const doubles = width * rows + FlowColumns.doubles(TILE) + doublesBeside;
    const bytes = 8 * doubles + 4 * (RangeTable.size(TILE) + FOUND + FOUND) + lineNames.length * shortBytes;
    const memory = wasmMemory(bytes);
    this.scan = scanOver(memory, CROSS_TOLERANCE);
    this.crosses = this.scan.crosses;
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
    this.beside = { buffer: memory.buffer, address: next };
    next += 8 * doublesBeside;
    const flows = new Float64Array(memory.buffer, next, FlowColumns.doubles(TILE));
    this.flows = new FlowColumns(flows, next, TILE);
    next += flows.byteLength;
    this.marks = new Int32Array(memory.buffer, next, RangeTable.size(TILE));
    next += this.marks.byteLength;
    this.dayEnds = new Int32Array(memory.buffer, next, FOUND);
    next += this.dayEnds.byteLength;
    this.settle = settleIn(memory, {
      table: this.marks.byteOffset,
      rows: TILE,
      dayEnds: this.dayEnds.byteOffset,
      shift: 1 - this.first,
    });
    this.found = new Int32Array(memory.buffer, next, FOUND);
    this.foundAddress = next;
    next += this.found.byteLength;
    for (const name of lineNames) {
      const address = addresses.get(name)!;
      this.lines.set(name, { values: this.columns.get(name)!, address, shortAddress: next });
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
  line(expression: string): ScanColumn {
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
    this.certain = this.scan.fillShorts([...this.lines.values()], first, first + n);
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
