// WebAssembly modules written as bytes: https://webassembly.github.io/spec/core/binary/. Indicators and the sweep's kernel
// are made with it at run time, so that no binary lies in the repository.

import { doubleBytes } from './bytes.ts';

export type WasmCode = readonly number[];

/** Value types. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;
export const V128 = 0x7b;

export interface WasmFunction {
  /** What it is exported as. */
  readonly name: string;
  readonly parameters: readonly number[];
  readonly results: readonly number[];
  /** Types of further locals. */
  readonly locals: readonly number[];
  /** Instructions without the last `end`. */
  readonly body: WasmCode;
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** What is used of the global of this name; the language's own libraries do not declare it. */
declare const WebAssembly: {
  readonly Memory: new (options: { initial: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
};

const PAGE = 65_536;
const END = 0x0b;
const FUNCTION = 0x60;

/** A whole number from 0 on, seven bits a byte, the lowest first (LEB128). */
export function unsigned(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...out, rest];
}

/** A whole number of 32 bits with its sign (signed LEB128). */
export function signed(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x40 || rest < -0x40) {
    out.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  return [...out, rest & 0x7f];
}

/** The eight bytes of a double. */
export const bytesOfDouble = (value: number): number[] => [...doubleBytes(Float64Array.of(value))];

const sized = (code: WasmCode): WasmCode => [...unsigned(code.length), ...code];
const list = (items: readonly WasmCode[]): WasmCode => [...unsigned(items.length), ...items.flat()];
const types = (of: readonly number[]): WasmCode => sized(of);
const text = (name: string): WasmCode => sized([...name].map((letter) => letter.charCodeAt(0)));
const section = (id: number, content: WasmCode): WasmCode => [id, ...sized(content)];

/** The bytes of a module that imports a memory and exports the functions. */
function moduleBytes(functions: readonly WasmFunction[]): Uint8Array {
  const signatures = functions.map((f) => [FUNCTION, ...types(f.parameters), ...types(f.results)]);
  const bodies = functions.map(({ locals, body }) =>
    sized([...list(locals.map((type) => [1, type])), ...body, END]),
  );
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d],
    ...[1, 0, 0, 0],
    ...section(1, list(signatures)),
    // memory: at least one page
    ...section(2, list([[...text('env'), ...text('memory'), 0x02, 0x00, 1]])),
    ...section(3, list(functions.map((_, i) => unsigned(i)))),
    ...section(7, list(functions.map(({ name }, i) => [...text(name), 0x00, ...unsigned(i)]))),
    ...section(10, list(bodies)),
  ]);
}

/** A memory of at least so many bytes. */
export const wasmMemory = (bytes: number): WasmMemory =>
  new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(bytes / PAGE)) });

/** Compiled modules by their bytes: what was made fast once need not be made so again by the next sweep. */
const compiled = new Map<string, object>();
const COMPILED_MOST = 16;

/** The functions over a memory, by their names. */
export function wasmOver(
  memory: WasmMemory,
  functions: readonly WasmFunction[],
): Readonly<Record<string, unknown>> {
  const bytes = moduleBytes(functions);
  const key = bytes.join();
  let module = compiled.get(key);
  if (module === undefined) {
    module = new WebAssembly.Module(bytes);
    if (compiled.size === COMPILED_MOST) compiled.clear();
    compiled.set(key, module);
  }
  return new WebAssembly.Instance(module, { env: { memory } }).exports;
}
