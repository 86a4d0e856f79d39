import { F64, I32, I64, V128, type WasmMemory, wasmOver } from '#base';
import { constant, double, EMPTY, get, memoryArgument, OP, SIMD, set, simd } from './wasm-builder.ts';

/**
 * Writes the rows from `from` on, before `to`, at which column `a` crosses column `b` to `out`, as 32-bit numbers, and gives
 * the address behind the last. `above` is 1 where `a` was above before. A cross is a change of side by more than the share
 * of {@link crossesOver} of the larger value. `aShort` and `bShort` are the byte addresses of the columns in 16 bits, `a` and
 * `b` those of the doubles; a difference of `certain` steps in 16 bits needs no doubles. Rows up to 63 behind `to` may be
 * read, and decide nothing.
 */
export type Crosses = (
  aShort: number,
  bShort: number,
  a: number,
  b: number,
  from: number,
  to: number,
  above: number,
  certain: number,
  out: number,
) => number;

/** Rows compared at once; so many must exist behind a column's last. */
export const ROWS_BEHIND = 64;

const A_SHORT = 0;
const B_SHORT = 1;
const A = 2;
const B = 3;
const ROW = 4;
const TO = 5;
const ABOVE = 6;
const CERTAIN = 7;
const OUT = 8;
const PLACE = 9;
const STEPS = 10;
const NOT_ABOVE = 11;
const NOT_BELOW = 12;
const LIVE = 13;
const BITS = 14;
const LOW = 15;
const HIGH = 16;
const EIGHTS = 17;
const NEAREST = 18;
/** Rows in two vectors, whose comparisons make one mask of as many bits. */
const MASK_ROWS = 16;

const long = (value: 0 | -1) => [OP.i64Const, value === 0 ? 0 : 0x7f];

/** Address of a row of a column on the stack: `shift` is the power of two of its width. */
const place = (base: number, row: number, shift: number) => [
  ...get(base),
  ...[...get(row), ...constant(shift), OP.i32ShiftLeft, OP.i32Add],
];

/** Eight rows of a column, `offset` bytes behind ROW. */
const eight = (base: number, offset: number) => [
  ...place(base, ROW, 1),
  ...[...simd(SIMD.load), ...memoryArgument(1, offset)],
];

/** 64 bits, the first row's lowest, of what `sixteen` leaves for the rows `offset` bytes behind ROW: a sign a row. */
function mask(sixteen: (offset: number) => number[]): number[] {
  const out: number[] = [];
  for (let k = 0; k < ROWS_BEHIND / MASK_ROWS; k++) {
    out.push(...sixteen(2 * MASK_ROWS * k), ...simd(SIMD.i8x16Bitmask), OP.i64OfI32);
    if (k > 0) out.push(OP.i64Const, MASK_ROWS * k, OP.i64ShiftLeft, OP.i64Or);
  }
  return out;
}

/** Sixteen rows of an operation on both columns, in eight bits each. */
const narrowed = (operation: number) => (offset: number) => [
  ...[...eight(A_SHORT, offset), ...eight(B_SHORT, offset), ...simd(operation)],
  ...[...eight(A_SHORT, offset + MASK_ROWS), ...eight(B_SHORT, offset + MASK_ROWS), ...simd(operation)],
  ...simd(SIMD.i8x16Narrow),
];

/** Rows at which `a` lies below, by the signs of differences; the smallest of those is kept. */
const below = mask((offset) => [
  ...narrowed(SIMD.i16x8SubtractSaturated)(offset),
  ...[OP.tee, EIGHTS, ...simd(SIMD.i8x16Abs)],
  ...(offset === 0 ? [] : [...get(NEAREST), ...simd(SIMD.i8x16LeastUnsigned)]),
  ...[...set(NEAREST), ...get(EIGHTS)],
]);

/** Steps by which PLACE lies on the other side in 16 bits. */
function stepsAcross(): number[] {
  const load = (base: number) => [...place(base, PLACE, 1), OP.i32Load16Signed, ...memoryArgument(1, 0)];
  return [
    ...[...load(B_SHORT), ...load(A_SHORT), OP.i32Subtract],
    ...[...load(A_SHORT), ...load(B_SHORT), OP.i32Subtract],
    ...[...get(ABOVE), OP.select, ...set(STEPS)],
  ];
}

/** Whether the doubles at PLACE lie on the other side by more than the share of the larger. */
function isAcross(share: number): number[] {
  const load = (base: number, local: number) => [
    ...place(base, PLACE, 3),
    ...[OP.f64Load, ...memoryArgument(3, 0), ...set(local)],
  ];
  const difference = [...get(HIGH), ...get(LOW), OP.f64Subtract];
  return [
    ...[...load(B, HIGH), ...load(A, LOW)],
    ...[...difference, ...difference, OP.f64Negate, ...get(ABOVE), OP.select],
    ...[...get(HIGH), OP.f64Abs, ...get(LOW), OP.f64Abs, OP.f64Max],
    ...[...double(share), OP.f64Multiply, OP.f64Greater],
  ];
}

const isOver = (local: number) => [...get(local), ...get(TO), OP.i32GreaterOrEqualSigned];
const giveBack = [OP.if, EMPTY, ...get(OUT), OP.return, OP.end];
const step = (local: number, by: number) => [...get(local), ...constant(by), OP.i32Add, ...set(local)];
const firstOf = (bits: number) => [...get(bits), OP.i64TrailingZeros, OP.i32OfI64, ...get(ROW), OP.i32Add];

/** Rows ROW and behind, one after the other where they might lie across: a mask for each side, then only their bits. */
const carefully = (share: number) => [
  ...[...mask(narrowed(SIMD.i16x8LessOrEqual)), ...set(NOT_ABOVE)],
  ...[...mask(narrowed(SIMD.i16x8GreaterOrEqual)), ...set(NOT_BELOW)],
  ...[...long(-1), ...set(LIVE)],
  ...[OP.block, EMPTY, OP.loop, EMPTY],
  ...[...get(NOT_ABOVE), ...get(NOT_BELOW), ...get(ABOVE), OP.select, ...get(LIVE), OP.i64And],
  ...[OP.tee, BITS, OP.i64IsZero, OP.branchIf, 1],
  ...[...firstOf(BITS), ...set(PLACE)],
  ...[...isOver(PLACE), ...giveBack],
  // the rows behind this one
  ...[...long(-1), ...get(BITS), OP.i64TrailingZeros, OP.i64ShiftLeft],
  ...[OP.i64Const, 1, OP.i64ShiftLeft, ...set(LIVE)],
  ...stepsAcross(),
  ...[...get(STEPS), ...get(CERTAIN), OP.i32LessSigned, OP.if, EMPTY],
  ...[...isAcross(share), OP.i32IsZero, OP.branchIf, 1],
  OP.end,
  ...[...get(OUT), ...get(PLACE), OP.i32Store, ...memoryArgument(2, 0)],
  ...step(OUT, 4),
  ...[...get(ABOVE), OP.i32IsZero, ...set(ABOVE)],
  ...[OP.branch, 0, OP.end, OP.end],
];

/** Writes the first of BITS, counts it if there is one, and takes it away. */
const emit = [
  ...[...get(OUT), ...firstOf(BITS), OP.i32Store, ...memoryArgument(2, 0)],
  ...[...get(OUT), ...get(BITS), ...long(0), OP.i64NotEqual, ...constant(2), OP.i32ShiftLeft, OP.i32Add],
  ...[...set(OUT), ...get(BITS), ...get(BITS), OP.i64Const, 1, OP.i64Subtract, OP.i64And, ...set(BITS)],
];

/** All 64 rows lie certainly on one side: crosses are where BITS, those below, change. Few need no branch to be written. */
const atOnce = [
  ...[...get(BITS), ...get(BITS), OP.i64Const, 1, OP.i64ShiftLeft],
  ...[...get(ABOVE), OP.i32IsZero, OP.i64OfI32, OP.i64Or, OP.i64Xor],
  ...[...get(BITS), OP.i64Const, 63, OP.i64ShiftRight, OP.i64IsZero, ...set(ABOVE), ...set(BITS)],
  ...[...emit, ...emit],
  ...[OP.block, EMPTY, OP.loop, EMPTY],
  ...[...get(BITS), OP.i64IsZero, OP.branchIf, 1, ...emit, OP.branch, 0, OP.end, OP.end],
];

/** Sixty-four rows at a time. */
const crossesBody = (share: number) => [
  ...[OP.loop, EMPTY],
  ...[...isOver(ROW), ...giveBack],
  ...[...below, ...set(BITS)],
  ...[...get(NEAREST), ...get(CERTAIN), ...simd(SIMD.i8x16Splat), ...simd(SIMD.i8x16LessUnsigned)],
  ...simd(SIMD.anyTrue),
  ...[...get(TO), ...get(ROW), OP.i32Subtract, ...constant(ROWS_BEHIND), OP.i32LessSigned, OP.i32Or],
  ...[OP.if, EMPTY, ...carefully(share), OP.else, ...atOnce, OP.end],
  ...step(ROW, ROWS_BEHIND),
  ...[OP.branch, 0, OP.end],
  // never come to, but the types want a result
  ...get(OUT),
];

const VALUES = 0;
const SHORTS = 1;
const VALUES_END = 2;
const MIDDLE = 3;
const SCALE = 4;
const NUMBERS = 5;
const TWO = 6;

/** Two doubles of a column as 32-bit steps, in the lower half; NUMBERS keeps whether all so far were numbers. */
const twoSteps = (k: number) => [
  ...[...get(VALUES), ...simd(SIMD.load), ...memoryArgument(3, 16 * k), OP.tee, TWO],
  ...[...get(TWO), ...simd(SIMD.f64x2Equal), ...get(NUMBERS), ...simd(SIMD.and), ...set(NUMBERS)],
  ...[...get(TWO), ...get(MIDDLE), ...simd(SIMD.f64x2Splat), ...simd(SIMD.f64x2Subtract)],
  ...[...get(SCALE), ...simd(SIMD.f64x2Splat), ...simd(SIMD.f64x2Multiply), ...simd(SIMD.i32x4OfF64x2)],
];
const LOWER_HALVES = Array.from({ length: 16 }, (_, i) => (i < 8 ? i : i + 8));
const fourSteps = (k: number) => [
  ...[...twoSteps(k), ...twoSteps(k + 1), ...simd(SIMD.shuffle), ...LOWER_HALVES],
];

/** Eight rows at a time; conversions stop at the ends of their types. */
const shortsBody = [
  ...[...simd(SIMD.constant), ...new Array<number>(16).fill(0xff), ...set(NUMBERS)],
  ...[OP.block, EMPTY, OP.loop, EMPTY],
  ...[...get(VALUES), ...get(VALUES_END), OP.i32GreaterOrEqualSigned, OP.branchIf, 1],
  ...[...get(SHORTS), ...fourSteps(0), ...fourSteps(2), ...simd(SIMD.i16x8Narrow)],
  ...[...simd(SIMD.store), ...memoryArgument(1, 0)],
  ...[...step(VALUES, 64), ...step(SHORTS, 16)],
  ...[OP.branch, 0, OP.end, OP.end],
  ...[...get(NUMBERS), ...simd(SIMD.i8x16AllTrue)],
];

const SHORT_STEPS = 65_534;
/** More steps than there are, in its lowest eight bits too. */
const NEVER_CERTAIN = 0x1_00ff;
/** Of the rows that are looked at for the range of the columns, one in so many. */
const SAMPLE = 16;

/** A column in doubles and in 16 bits, and the byte addresses of its row 0 in both. */
export interface ScanColumn {
  readonly values: Float64Array;
  readonly address: number;
  readonly shortAddress: number;
}

export interface Scan {
  readonly crosses: Crosses;
  /**
   * Fills in the 16 bits of columns that may be compared with one another: steps of one scale, never rising where the
   * doubles fall. The scale follows a sample; what lies outside it is put at its ends, which costs time but decides
   * nothing. Gives the steps that differ by more than the share of any value within the scale. Up to seven rows behind
   * `to` are read and written, and mean nothing.
   */
  fillShorts(columns: readonly ScanColumn[], from: number, to: number): number;
}

/** The search over a memory. `share` is that of the larger value by which a cross must go. NaN crosses nothing. */
export function scanOver(memory: WasmMemory, share: number): Scan {
  const exports = wasmOver(memory, [
    {
      name: 'crosses',
      parameters: [I32, I32, I32, I32, I32, I32, I32, I32, I32],
      results: [I32],
      locals: [I32, I32, I64, I64, I64, I64, F64, F64, V128, V128],
      body: crossesBody(share),
    },
    {
      name: 'shorts',
      parameters: [I32, I32, I32, F64, F64],
      results: [I32],
      locals: [V128, V128],
      body: shortsBody,
    },
  ]);
  const shorts = exports.shorts as (
    values: number,
    shorts: number,
    valuesEnd: number,
    middle: number,
    scale: number,
  ) => number;
  const fillShorts = (columns: readonly ScanColumn[], from: number, to: number): number => {
    let low = Infinity;
    let high = -Infinity;
    for (const { values } of columns) {
      for (let row = from; row < to; row += SAMPLE) {
        const value = values[row]!;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    const margin = (high - low) / SAMPLE;
    low -= margin;
    high += margin;
    const scale = high > low ? SHORT_STEPS / (high - low) : 0;
    let numbers = true;
    for (const { address, shortAddress } of columns) {
      const end = address + 8 * to;
      if (shorts(address + 8 * from, shortAddress + 2 * from, end, (low + high) / 2, scale) === 0)
        numbers = false;
    }
    // two steps apart means more than one step; the ends hold whatever lies beyond, and are never certain
    const largest = Math.max(Math.abs(low), Math.abs(high));
    return numbers && scale > 0 && 1 / scale > 4 * share * largest ? 2 : NEVER_CERTAIN;
  };
  return { crosses: exports.crosses as Crosses, fillShorts };
}
