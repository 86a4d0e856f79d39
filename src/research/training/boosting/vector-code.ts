// Pieces of WebAssembly on pairs of doubles.
import { V128, type WasmCode } from '#base';
import { constant, double, get, memoryArgument, OP, SIMD, set, simd } from '../../kernel/wasm-builder.ts';

const operation =
  (op: number) =>
  (...operands: readonly WasmCode[]): WasmCode => [...operands.flat(), ...simd(op)];

export const plus = operation(SIMD.f64x2Add);
export const minus = operation(SIMD.f64x2Subtract);
export const times = operation(SIMD.f64x2Multiply);
export const over = operation(SIMD.f64x2Divide);
export const nearest = operation(SIMD.f64x2Nearest);
/** The one of two that is less or greater, for what is never NaN: one instruction where the careful kind has seven. */
export const lesser = operation(SIMD.f64x2Lesser);
export const greater = operation(SIMD.f64x2GreaterOf);
export const both = operation(SIMD.and);

/** Adds to an address. */
export const step = (local: number, by: number): WasmCode => [
  ...get(local),
  ...constant(by),
  OP.i32Add,
  ...set(local),
];

export const loadDoubles = (address: number, offset = 0): WasmCode => [
  ...[...get(address), ...simd(SIMD.load), ...memoryArgument(3, offset)],
];

/** Two floats of 32 bits as doubles. */
export const loadFloats = (address: number): WasmCode => [
  ...[...get(address), ...simd(SIMD.loadHalf), ...memoryArgument(2, 0), ...simd(SIMD.f64x2OfF32x4)],
];

/** A number on the stack, twice. */
export const twice = (value: WasmCode): WasmCode => [...value, ...simd(SIMD.f64x2Splat)];

/**
 * Numbers that a loop needs, each twice in a local of its own from `first` on: inside the loop they would be made again and
 * again.
 */
export class LoopNumbers {
  private readonly first: number;
  private readonly values: number[] = [];

  constructor(first: number) {
    this.first = first;
  }

  of(value: number): WasmCode {
    if (!this.values.includes(value)) this.values.push(value);
    return get(this.first + this.values.indexOf(value));
  }

  /** What stands before the loop, once its code is written. */
  code(): WasmCode {
    return this.values.flatMap((value, i) => [...twice(double(value)), ...set(this.first + i)]);
  }

  locals(): number[] {
    return this.values.map(() => V128);
  }
}
