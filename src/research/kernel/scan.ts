import {
  constant,
  double,
  EMPTY,
  F64,
  I32,
  I64,
  memoryArgument,
  OP,
  SIMD,
  simd,
  wasmModule,
} from './wasm-builder.ts';

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
/** Rows in two vectors, whose comparisons make one mask of as many bits. */
const MASK_ROWS = 16;

const get = (local: number) => [OP.get, local];
const set = (local: number) => [OP.set, local];
const long = (value: 0 | -1) => [OP.i64Const, value === 0 ? 0 : 0x7f];

/** Address of a row of a column on the stack: `shift` is the power of two of its width. */
const place = (base: number, row: number, shift: number) => [
  ...get(base),
  ...[...get(row), ...constant(shift), OP.i32ShiftLeft, OP.i32Add],
];

/** 64 bits of a comparison of rows ROW and behind, the first row's lowest. */
function mask(comparison: number): number[] {
  const load = (base: number, offset: number) => [
    ...place(base, ROW, 1),
    ...[...simd(SIMD.load), ...memoryArgument(1, offset)],
  ];
  const eight = (offset: number) => [...load(A_SHORT, offset), ...load(B_SHORT, offset), ...simd(comparison)];
  const out: number[] = [];
  for (let k = 0; k < ROWS_BEHIND / MASK_ROWS; k++) {
    const at = 2 * MASK_ROWS * k;
    out.push(...eight(at), ...eight(at + MASK_ROWS), ...simd(SIMD.i8x16Narrow), ...simd(SIMD.i8x16Bitmask));
    out.push(OP.i64OfI32);
    if (k > 0) out.push(OP.i64Const, MASK_ROWS * k, OP.i64ShiftLeft, OP.i64Or);
  }
  return out;
}

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

/** Sixty-four rows at a time: a mask for each side of those that might lie across, then only their bits. */
function crossesBody(share: number): number[] {
  const isOver = (local: number) => [...get(local), ...get(TO), OP.i32GreaterOrEqualSigned];
  const giveBack = [OP.if, EMPTY, ...get(OUT), OP.return, OP.end];
  return [
    ...[OP.loop, EMPTY],
    ...[...isOver(ROW), ...giveBack],
    ...[...mask(SIMD.i16x8LessOrEqual), ...set(NOT_ABOVE)],
    ...[...mask(SIMD.i16x8GreaterOrEqual), ...set(NOT_BELOW)],
    ...[...long(-1), ...set(LIVE)],
    ...[OP.block, EMPTY, OP.loop, EMPTY],
    ...[...get(NOT_ABOVE), ...get(NOT_BELOW), ...get(ABOVE), OP.select, ...get(LIVE), OP.i64And],
    ...[OP.tee, BITS, OP.i64IsZero, OP.branchIf, 1],
    ...[...get(BITS), OP.i64TrailingZeros, OP.i32OfI64, ...get(ROW), OP.i32Add, ...set(PLACE)],
    ...[...isOver(PLACE), ...giveBack],
    // the rows behind this one
    ...[...long(-1), ...get(BITS), OP.i64TrailingZeros, OP.i64ShiftLeft],
    ...[OP.i64Const, 1, OP.i64ShiftLeft, ...set(LIVE)],
    ...stepsAcross(),
    ...[...get(STEPS), ...get(CERTAIN), OP.i32LessSigned, OP.if, EMPTY],
    ...[...isAcross(share), OP.i32IsZero, OP.branchIf, 1],
    OP.end,
    ...[...get(OUT), ...get(PLACE), OP.i32Store, ...memoryArgument(2, 0)],
    ...[...get(OUT), ...constant(4), OP.i32Add, ...set(OUT)],
    ...[...get(ABOVE), OP.i32IsZero, ...set(ABOVE)],
    ...[OP.branch, 0, OP.end, OP.end],
    ...[...get(ROW), ...constant(ROWS_BEHIND), OP.i32Add, ...set(ROW)],
    ...[OP.branch, 0, OP.end],
    // never come to, but the types want a result
    ...get(OUT),
  ];
}

/** The search over a memory. `share` is that of the larger value by which a cross must go. NaN crosses nothing. */
export function crossesOver(memory: WebAssembly.Memory, share: number): Crosses {
  const bytes = wasmModule({
    name: 'crosses',
    parameters: [I32, I32, I32, I32, I32, I32, I32, I32, I32],
    results: [I32],
    locals: [I32, I32, I64, I64, I64, I64, F64, F64],
    body: crossesBody(share),
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return exports.crosses as Crosses;
}

const SHORT_LEAST = -32_768;
const SHORT_STEPS = 65_535;
/** More steps than there are. */
const NEVER_CERTAIN = 100_000;
/** Of the rows that are looked at for the range of the columns, one in so many. */
const SAMPLE = 16;

/** A column in doubles and in 16 bits. */
export interface ScanColumn {
  readonly values: Float64Array;
  readonly shorts: Int16Array;
}

/**
 * Fills in the 16 bits of columns that may be compared with one another: steps of one scale, never rising where the doubles
 * fall. The scale follows a sample; what lies outside it is put at its ends, which costs time but decides nothing. Gives
 * the steps that differ by more than `share` of any value within the scale.
 */
export function fillShorts(columns: readonly ScanColumn[], from: number, to: number, share: number): number {
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
  const scale = high + margin > low ? SHORT_STEPS / (high + margin - low) : 0;
  let hasHoles = false;
  for (const { values, shorts } of columns) {
    for (let row = from; row < to; row++) {
      const step = (values[row]! - low) * scale;
      // NaN lies nowhere, and sixteen bits cannot say so
      if (Number.isNaN(step)) hasHoles = true;
      shorts[row] = Math.min(Math.max(step, 0), SHORT_STEPS) + SHORT_LEAST;
    }
  }
  // two steps apart means more than one step; the ends hold whatever lies beyond, and are never certain
  const largest = Math.max(Math.abs(low), Math.abs(high + margin));
  return !hasHoles && scale > 0 && 1 / scale > 4 * share * largest ? 2 : NEVER_CERTAIN;
}
