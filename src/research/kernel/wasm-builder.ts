// Instructions of WebAssembly as bytes, for functions that base/wasm.ts makes a module of.
import { bytesOfDouble, signed, unsigned, type WasmCode } from '#base';

/** Opcodes as far as they are used here. */
export const OP = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  branch: 0x0c,
  branchIf: 0x0d,
  return: 0x0f,
  select: 0x1b,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  i32Load: 0x28,
  i64Load: 0x29,
  f32Load: 0x2a,
  f64Load: 0x2b,
  i32Load8Unsigned: 0x2d,
  i32Load16Signed: 0x2e,
  i32Store: 0x36,
  i64Store: 0x37,
  f64Store: 0x39,
  i32Store8: 0x3a,
  i32Const: 0x41,
  i64Const: 0x42,
  f64Const: 0x44,
  i32IsZero: 0x45,
  i32Equal: 0x46,
  i32LessSigned: 0x48,
  i32LessUnsigned: 0x49,
  i32GreaterSigned: 0x4a,
  i32LessOrEqualSigned: 0x4c,
  i32LessOrEqualUnsigned: 0x4d,
  i32GreaterOrEqualSigned: 0x4e,
  i64IsZero: 0x50,
  i64NotEqual: 0x52,
  f32NotEqual: 0x5c,
  f32LessOrEqual: 0x5f,
  f64Greater: 0x64,
  f64LessOrEqual: 0x65,
  f64GreaterOrEqual: 0x66,
  i32LeadingZeros: 0x67,
  i32Add: 0x6a,
  i32Subtract: 0x6b,
  i32Multiply: 0x6c,
  i32And: 0x71,
  i32Or: 0x72,
  i32ShiftLeft: 0x74,
  i32ShiftRight: 0x76,
  i64TrailingZeros: 0x7a,
  i64Subtract: 0x7d,
  i64And: 0x83,
  i64Or: 0x84,
  i64Xor: 0x85,
  i64ShiftLeft: 0x86,
  i64ShiftRight: 0x88,
  f64Abs: 0x99,
  f64Negate: 0x9a,
  f64Ceil: 0x9b,
  f64Add: 0xa0,
  f64Subtract: 0xa1,
  f64Multiply: 0xa2,
  f64Divide: 0xa3,
  f64Max: 0xa5,
  i32OfI64: 0xa7,
  i64OfI32: 0xad,
  f64OfI32: 0xb7,
} as const;

/** Opcodes behind the vector prefix. */
export const SIMD = {
  load: 0,
  store: 11,
  constant: 12,
  shuffle: 13,
  i8x16Splat: 15,
  f64x2Splat: 20,
  f64x2Lane: 33,
  f64x2WithLane: 34,
  i8x16LessUnsigned: 38,
  i16x8LessOrEqual: 51,
  i16x8GreaterOrEqual: 53,
  f64x2Equal: 71,
  f64x2Greater: 74,
  f64x2GreaterOrEqual: 76,
  and: 78,
  xor: 81,
  anyTrue: 83,
  loadHalf: 93,
  f64x2OfF32x4: 95,
  i8x16Abs: 96,
  i8x16AllTrue: 99,
  i8x16Bitmask: 100,
  i8x16Narrow: 101,
  i8x16LeastUnsigned: 119,
  f64x2Nearest: 148,
  i16x8Narrow: 133,
  i16x8SubtractSaturated: 146,
  i32x4Greatest: 184,
  i64x2ShiftLeft: 203,
  f64x2Absolute: 236,
  f64x2Negate: 237,
  f64x2Add: 240,
  f64x2Subtract: 241,
  f64x2Multiply: 242,
  f64x2Divide: 243,
  f64x2Greatest: 245,
  f64x2Lesser: 246,
  f64x2GreaterOf: 247,
  i32x4OfF64x2: 252,
  f64x2OfI32x4: 254,
} as const;

/** A block without parameters or results. */
export const EMPTY = 0x40;
const VECTOR = 0xfd;

/** A whole number of 32 bits as a constant. */
export const constant = (value: number): WasmCode => [OP.i32Const, ...signed(value)];

/** A double as a constant. */
export const double = (value: number): WasmCode => [OP.f64Const, ...bytesOfDouble(value)];

export const get = (local: number): number[] => [OP.get, local];
export const set = (local: number): number[] => [OP.set, local];

export const simd = (op: number): number[] => [VECTOR, ...unsigned(op)];

/** A load from the address on the stack plus `offset`; `align` is the power of two it is aligned to at least. */
export const memoryArgument = (align: number, offset: number): number[] => [align, ...unsigned(offset)];
