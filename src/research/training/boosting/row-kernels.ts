// What is done row by row while trees grow, as WebAssembly. Sums are sums of whole numbers held in doubles, far below 2^53:
// they are exact, so their order, and with it the number of threads, cannot show in a model.
import { F64, I32, V128, type WasmCode, type WasmFunction } from '#base';
import { constant, EMPTY, get, memoryArgument, OP, SIMD, set, simd } from '../../kernel/wasm-builder.ts';

/** Bytes of a histogram's bin: the sums of first and second derivatives, two doubles. */
export const BIN_BYTES = 16;
/** Bytes of a row's derivatives: two whole numbers of 32 bits. */
export const PAIR_BYTES = 8;
/** Columns that are counted in one walk over a block of rows. */
export const COLUMNS_AT_ONCE = 8;
/** The same where the columns are a selection. */
export const CHOSEN_AT_ONCE = 4;

/** Addresses are in bytes; rows are numbers of 32 bits, of which [from, to) is worked on. */
export interface RowKernels {
  /** Copies the bins of rows, and their derivatives as doubles, one behind the other. */
  gather(
    from: number,
    to: number,
    bins: number,
    pairs: number,
    gatheredBins: number,
    gatheredPairs: number,
  ): void;
  /** Adds gathered rows, whose doubles lie in [pairs, pairsEnd), to the histograms of the eight columns at `bins`. */
  countEight(bins: number, pairs: number, pairsEnd: number, histogram: number): void;
  /** The same for the columns that eight do not divide. */
  countRest(bins: number, pairs: number, pairsEnd: number, histogram: number): void;
  /** The same for any four columns. */
  countFour(
    bins: number,
    pairs: number,
    pairsEnd: number,
    histogram: number,
    a: number,
    b: number,
    c: number,
    d: number,
  ): void;
  /** target += source, a histogram that ends at `end`. */
  add(target: number, source: number, end: number): void;
  /** target -= source. */
  subtract(target: number, source: number, end: number): void;
  /**
   * Sorts rows by their bin in a column, keeping their order: those up to `bin`, or equal to `missing`, to `left`, the others to
   * `right`. Gives the address behind the last on the left. `left` may be `from`.
   */
  part(
    from: number,
    to: number,
    column: number,
    bin: number,
    missing: number,
    left: number,
    right: number,
  ): number;
  /** Adds a leaf's value to the margins of its rows. */
  lift(from: number, to: number, margins: number, value: number): void;
  /** Adds to the margins of rows the value of the side that {@link part} would sort them to. */
  liftApart(
    from: number,
    to: number,
    column: number,
    bin: number,
    missing: number,
    margins: number,
    left: number,
    right: number,
  ): void;
  /** Writes so many whole numbers from 0 on. */
  enumerate(at: number, count: number): void;
  /** Copies bytes, whether the stretches overlap or not. */
  move(to: number, from: number, bytes: number): void;
  clear(at: number, bytes: number): void;
}

const BULK = 0xfc;
const COPY = [BULK, 10, 0, 0];
const FILL = [BULK, 11, 0];

const add = (local: number, by: number) => [...get(local), ...constant(by), OP.i32Add, ...set(local)];
const shift = (bits: number) => [...constant(bits), OP.i32ShiftLeft];

/** Repeats the body while a local lies below another; not once when it does not at first. */
export const whileBelow = (local: number, end: number, body: WasmCode): WasmCode => [
  ...[OP.block, EMPTY, OP.loop, EMPTY],
  ...[...get(end), ...get(local), OP.i32LessOrEqualUnsigned, OP.branchIf, 1],
  ...[...body, OP.branch, 0, OP.end, OP.end],
];

/** For rows of so many bytes. */
function gatherFunction(stride: number): WasmFunction {
  const [FROM, TO, BINS, PAIRS, GATHERED, GATHERED_PAIRS, SOURCE] = [0, 1, 2, 3, 4, 5, 6];
  const wide = Array.from({ length: stride >> 4 }, (_, i) => [
    ...[...get(GATHERED), ...get(SOURCE), ...simd(SIMD.load), ...memoryArgument(3, 16 * i)],
    ...[...simd(SIMD.store), ...memoryArgument(3, 16 * i)],
  ]).flat();
  const last = stride & ~15;
  const half = [
    ...[...get(GATHERED), ...get(SOURCE), OP.i64Load, ...memoryArgument(3, last)],
    ...[OP.i64Store, ...memoryArgument(3, last)],
  ];
  const body = [
    ...[...get(FROM), OP.i32Load, ...memoryArgument(2, 0), ...set(SOURCE)],
    ...[...get(GATHERED_PAIRS), ...get(SOURCE), ...shift(3), ...get(PAIRS), OP.i32Add],
    ...[...simd(SIMD.loadHalf), ...memoryArgument(3, 0), ...simd(SIMD.f64x2OfI32x4)],
    ...[...simd(SIMD.store), ...memoryArgument(3, 0)],
    ...[...get(SOURCE), ...constant(stride), OP.i32Multiply, ...get(BINS), OP.i32Add, ...set(SOURCE)],
    ...[...wide, ...(stride === last ? [] : half)],
    ...[...add(FROM, 4), ...add(GATHERED, stride), ...add(GATHERED_PAIRS, BIN_BYTES)],
  ];
  return {
    name: 'gather',
    parameters: [I32, I32, I32, I32, I32, I32],
    results: [],
    locals: [I32],
    body: whileBelow(FROM, TO, body),
  };
}

/** Counts so many columns, next to each other or at offsets that are handed in; a histogram holds `slots` bins a column. */
function countFunction(
  name: string,
  columns: number,
  stride: number,
  slots: number,
  chosen: boolean,
): WasmFunction {
  const [BINS, PAIRS, END, HISTOGRAM, OFFSET] = [0, 1, 2, 3, 4];
  const BIN = OFFSET + (chosen ? columns : 0);
  const PAIR = BIN + 1;
  const column = (k: number) => [
    ...[...get(BINS), ...(chosen ? [...get(OFFSET + k), OP.i32Add] : [])],
    ...[OP.i32Load8Unsigned, ...memoryArgument(0, chosen ? 0 : k)],
    ...[...shift(Math.log2(BIN_BYTES)), ...get(HISTOGRAM), OP.i32Add, OP.tee, BIN],
    ...[...get(BIN), ...simd(SIMD.load), ...memoryArgument(4, k * slots * BIN_BYTES)],
    ...[...get(PAIR), ...simd(SIMD.f64x2Add)],
    ...[...simd(SIMD.store), ...memoryArgument(4, k * slots * BIN_BYTES)],
  ];
  const body = [
    ...[...get(PAIRS), ...simd(SIMD.load), ...memoryArgument(3, 0), ...set(PAIR)],
    ...Array.from({ length: columns }, (_, k) => column(k)).flat(),
    ...[...add(BINS, stride), ...add(PAIRS, BIN_BYTES)],
  ];
  return {
    name,
    parameters: [I32, I32, I32, I32, ...(chosen ? new Array<number>(columns).fill(I32) : [])],
    results: [],
    locals: [I32, V128],
    body: whileBelow(PAIRS, END, body),
  };
}

function combineFunction(name: string, op: number): WasmFunction {
  const [TARGET, SOURCE, END] = [0, 1, 2];
  const load = (local: number) => [...get(local), ...simd(SIMD.load), ...memoryArgument(4, 0)];
  const body = [
    ...[...get(TARGET), ...load(TARGET), ...load(SOURCE), ...simd(op)],
    ...[...simd(SIMD.store), ...memoryArgument(4, 0)],
    ...[...add(TARGET, BIN_BYTES), ...add(SOURCE, BIN_BYTES)],
  ];
  return {
    name,
    parameters: [I32, I32, I32],
    results: [],
    locals: [],
    body: whileBelow(TARGET, END, body),
  };
}

/** 1 if the row in a local goes left: its bin is at most `bin`, or is `missing`. */
const goesLeft = (row: number, column: number, bin: number, missing: number, found: number): WasmCode => [
  ...[...get(row), ...get(column), OP.i32Add, OP.i32Load8Unsigned, ...memoryArgument(0, 0), OP.tee, found],
  ...[...get(bin), OP.i32LessOrEqualSigned],
  ...[...get(found), ...get(missing), OP.i32Equal, OP.i32Or],
];

function partFunction(): WasmFunction {
  const [FROM, TO, COLUMN, BIN, MISSING, LEFT, RIGHT, ROW, FOUND] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  // written to both sides, of which only one moves on: rows are too irregular for branches
  const write = (local: number) => [...get(local), ...get(ROW), OP.i32Store, ...memoryArgument(2, 0)];
  const body = [
    ...[...get(FROM), OP.i32Load, ...memoryArgument(2, 0), ...set(ROW)],
    ...[...write(LEFT), ...write(RIGHT)],
    ...[...goesLeft(ROW, COLUMN, BIN, MISSING, FOUND), ...shift(2), OP.tee, FOUND],
    ...[...get(LEFT), OP.i32Add, ...set(LEFT)],
    ...[...get(RIGHT), ...constant(4), OP.i32Add, ...get(FOUND), OP.i32Subtract, ...set(RIGHT)],
    ...add(FROM, 4),
  ];
  return {
    name: 'part',
    parameters: [I32, I32, I32, I32, I32, I32, I32],
    results: [I32],
    locals: [I32, I32],
    body: [...whileBelow(FROM, TO, body), ...get(LEFT)],
  };
}

/** margin(row in a local) += what `value` leaves on the stack. */
const raise = (row: number, margins: number, value: WasmCode): WasmCode => [
  ...[...get(row), ...shift(3), ...get(margins), OP.i32Add, OP.tee, row],
  ...[...get(row), OP.f64Load, ...memoryArgument(3, 0), ...value, OP.f64Add],
  ...[OP.f64Store, ...memoryArgument(3, 0)],
];

function liftFunction(): WasmFunction {
  const [FROM, TO, MARGINS, VALUE, ROW] = [0, 1, 2, 3, 4];
  const body = [
    ...[...get(FROM), OP.i32Load, ...memoryArgument(2, 0), ...set(ROW)],
    ...[...raise(ROW, MARGINS, get(VALUE)), ...add(FROM, 4)],
  ];
  return {
    name: 'lift',
    parameters: [I32, I32, I32, F64],
    results: [],
    locals: [I32],
    body: whileBelow(FROM, TO, body),
  };
}

function liftApartFunction(): WasmFunction {
  const [FROM, TO, COLUMN, BIN, MISSING, MARGINS, LEFT, RIGHT, ROW, FOUND] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const body = [
    ...[...get(FROM), OP.i32Load, ...memoryArgument(2, 0), ...set(ROW)],
    ...[...goesLeft(ROW, COLUMN, BIN, MISSING, FOUND), ...set(FOUND)],
    ...raise(ROW, MARGINS, [...get(LEFT), ...get(RIGHT), ...get(FOUND), OP.select]),
    ...add(FROM, 4),
  ];
  return {
    name: 'liftApart',
    parameters: [I32, I32, I32, I32, I32, I32, F64, F64],
    results: [],
    locals: [I32, I32],
    body: whileBelow(FROM, TO, body),
  };
}

function enumerateFunction(): WasmFunction {
  const [AT, COUNT, ROW] = [0, 1, 2];
  const body = [
    ...[...get(AT), ...get(ROW), OP.i32Store, ...memoryArgument(2, 0)],
    ...[...add(AT, 4), ...add(ROW, 1)],
  ];
  return {
    name: 'enumerate',
    parameters: [I32, I32],
    results: [],
    locals: [I32],
    body: whileBelow(ROW, COUNT, body),
  };
}

const bulkFunction = (name: string, parameters: readonly number[], body: WasmCode): WasmFunction => ({
  name,
  parameters,
  results: [],
  locals: [],
  body,
});

/** Functions of {@link RowKernels} for rows of `stride` bytes, of which `features` are used, and histograms of `slots` bins. */
export function rowKernelFunctions(stride: number, features: number, slots: number): WasmFunction[] {
  return [
    gatherFunction(stride),
    countFunction('countEight', COLUMNS_AT_ONCE, stride, slots, false),
    countFunction('countRest', features % COLUMNS_AT_ONCE, stride, slots, false),
    countFunction('countFour', CHOSEN_AT_ONCE, stride, slots, true),
    combineFunction('add', SIMD.f64x2Add),
    combineFunction('subtract', SIMD.f64x2Subtract),
    partFunction(),
    liftFunction(),
    liftApartFunction(),
    enumerateFunction(),
    bulkFunction('move', [I32, I32, I32], [...get(0), ...get(1), ...get(2), ...COPY]),
    bulkFunction('clear', [I32, I32], [...get(0), ...constant(0), ...get(1), ...FILL]),
  ];
}
