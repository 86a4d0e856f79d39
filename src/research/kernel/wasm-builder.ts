/** A WebAssembly module of one function over an imported memory, written as bytes (WebAssembly 2.0, section 5). */

/** Value types. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;

/** Opcodes as far as they are used here. */
export const OP = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  branch: 0x0c,
  branchIf: 0x0d,
  return: 0x0f,
  select: 0x1b,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  i32Load16Signed: 0x2e,
  f64Load: 0x2b,
  i32Store: 0x36,
  i32Const: 0x41,
  i64Const: 0x42,
  f64Const: 0x44,
  i32IsZero: 0x45,
  i32LessSigned: 0x48,
  i32GreaterOrEqualSigned: 0x4e,
  i64IsZero: 0x50,
  f64Greater: 0x64,
  i32Add: 0x6a,
  i32Subtract: 0x6b,
  i32ShiftLeft: 0x74,
  i64TrailingZeros: 0x7a,
  i64And: 0x83,
  i64Or: 0x84,
  i64ShiftLeft: 0x86,
  f64Abs: 0x99,
  f64Negate: 0x9a,
  f64Subtract: 0xa1,
  f64Multiply: 0xa2,
  f64Max: 0xa5,
  i32OfI64: 0xa7,
  i64OfI32: 0xad,
} as const;

/** Opcodes behind the vector prefix. */
export const SIMD = {
  load: 0,
  i16x8LessOrEqual: 51,
  i16x8GreaterOrEqual: 53,
  i8x16Bitmask: 100,
  i8x16Narrow: 101,
} as const;

/** A block without parameters or results. */
export const EMPTY = 0x40;
const VECTOR = 0xfd;
const FUNCTION = 0x60;

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...out, rest];
}

/** Signed LEB128 of a small number that is not negative. */
export function constant(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x40) {
    out.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [OP.i32Const, ...out, rest];
}

/** A double as a constant. */
export const double = (value: number): number[] => [
  OP.f64Const,
  ...new Uint8Array(new Float64Array([value]).buffer),
];

export const simd = (op: number): number[] => [VECTOR, ...unsigned(op)];

/** A load from the address on the stack plus `offset`; `align` is the power of two it is aligned to at least. */
export const memoryArgument = (align: number, offset: number): number[] => [align, ...unsigned(offset)];

interface WasmFunction {
  /** What it is exported as. */
  readonly name: string;
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  /** Types of further locals. */
  readonly locals: readonly number[];
  /** Instructions without the last `end`. */
  readonly body: readonly number[];
}

const text = (name: string): number[] => [...unsigned(name.length), ...[...name].map((c) => c.charCodeAt(0))];
const vector = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];
const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];

/** The bytes of a module that imports `env.memory` and exports the function. */
export function wasmModule({ name, parameters, results, locals, body }: WasmFunction): Uint8Array {
  const types = (list: readonly number[]) => [...unsigned(list.length), ...list];
  const signature = [FUNCTION, ...types(parameters), ...types(results)];
  const code = [...vector(locals.map((type) => [1, type])), ...body, OP.end];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d],
    ...[1, 0, 0, 0],
    ...section(1, vector([signature])),
    // memory: at least one page
    ...section(2, vector([[...text('env'), ...text('memory'), 0x02, 0x00, 1]])),
    ...section(3, vector([[0]])),
    ...section(7, vector([[...text(name), 0x00, 0]])),
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ]);
}
