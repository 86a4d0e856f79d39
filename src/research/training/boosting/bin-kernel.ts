import { I32, type WasmFunction } from '#base';
import { constant, get, memoryArgument, OP, set } from '../../kernel/wasm-builder.ts';
import { whileBelow } from './row-kernels.ts';

/** Cuts of a column as {@link BinValues} reads them. */
export const CUTS_ROOM = 255;

const step = (local: number, by: number) => [...get(local), ...constant(by), OP.i32Add, ...set(local)];

/**
 * The bins of values in [from, to), written one after the other to `column`: how many of the `cuts`, 255 rising numbers of 32
 * bits (the last ones infinite where there are fewer), are not above a value; `missing` for one that is missing.
 */
export type BinValues = (from: number, to: number, cuts: number, missing: number, column: number) => void;

function binFunction(): WasmFunction {
  const [FROM, TO, CUTS, MISSING, COLUMN, AT] = [0, 1, 2, 3, 4, 5];
  const value = [...get(FROM), OP.f32Load, ...memoryArgument(2, 0)];
  const steps = [128, 64, 32, 16, 8, 4, 2, 1].map((width) => [
    ...[...get(AT), ...get(AT), OP.f32Load, ...memoryArgument(2, 4 * (width - 1)), ...value],
    ...[OP.f32LessOrEqual, ...constant(Math.log2(width) + 2), OP.i32ShiftLeft, OP.i32Add, ...set(AT)],
  ]);
  const body = [
    // as many steps for every value: a branch would be guessed wrong half of the time
    ...[...get(CUTS), ...set(AT), ...steps.flat(), ...get(COLUMN)],
    ...[...get(MISSING), ...get(AT), ...get(CUTS), OP.i32Subtract, ...constant(2), OP.i32ShiftRight],
    ...[...value, ...value, OP.f32NotEqual, OP.select, OP.i32Store8, ...memoryArgument(0, 0)],
    ...[...step(COLUMN, 1), ...step(FROM, 4)],
  ];
  return {
    name: 'bin',
    parameters: [I32, I32, I32, I32, I32],
    results: [],
    locals: [I32],
    body: whileBelow(FROM, TO, body),
  };
}

/** Copies the bytes in [from, to) to places that lie `stride` bytes apart. */
export type Weave = (from: number, to: number, target: number, stride: number) => void;

function weaveFunction(): WasmFunction {
  const [FROM, TO, TARGET, STRIDE] = [0, 1, 2, 3];
  const body = [
    ...[...get(TARGET), ...get(FROM), OP.i32Load8Unsigned, ...memoryArgument(0, 0)],
    ...[OP.i32Store8, ...memoryArgument(0, 0), ...step(FROM, 1)],
    ...[...get(TARGET), ...get(STRIDE), OP.i32Add, ...set(TARGET)],
  ];
  return {
    name: 'weave',
    parameters: [I32, I32, I32, I32],
    results: [],
    locals: [],
    body: whileBelow(FROM, TO, body),
  };
}

/** The functions `bin` ({@link BinValues}) and `weave` ({@link Weave}). */
export const binFunctions = (): WasmFunction[] => [binFunction(), weaveFunction()];
