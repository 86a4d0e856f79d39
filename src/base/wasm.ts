// WebAssembly modules written as bytes: https://webassembly.github.io/spec/core/binary/. Indicators and the sweep's kernel
// are made with it at run time, so that no binary lies in the repository.

import { doubleBytes } from './bytes.ts';

export type WasmCode = readonly number[];

/** Value types. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
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

/** One that several threads work on at once. */
export interface SharedWasmMemory {
  readonly buffer: SharedArrayBuffer;
}

/** What is used of the global of this name; the language's own libraries do not declare it. */
declare const WebAssembly: {
  readonly Memory: new (options: {
    initial: number;
    maximum?: number;
    shared?: boolean;
  }) => WasmMemory & SharedWasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
};

const PAGE = 65_536;
const PAGES_MOST = 65_536;
/** Most bytes that a memory can have. */
export const WASM_BYTES_MOST = PAGE * PAGES_MOST;
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
function moduleBytes(functions: readonly WasmFunction[], shared: boolean): Uint8Array {
  const signatures = functions.map((f) => [FUNCTION, ...types(f.parameters), ...types(f.results)]);
  const bodies = functions.map(({ locals, body }) =>
    sized([...list(locals.map((type) => [1, type])), ...body, END]),
  );
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d],
    ...[1, 0, 0, 0],
    ...section(1, list(signatures)),
    // memory: at least one page, and at most all where it is shared, which must be told
    ...section(2, list([[...text('env'), ...text('memory'), 0x02, ...limits(shared)]])),
    ...section(3, list(functions.map((_, i) => unsigned(i)))),
    ...section(7, list(functions.map(({ name }, i) => [...text(name), 0x00, ...unsigned(i)]))),
    ...section(10, list(bodies)),
  ]);
}

const limits = (shared: boolean): WasmCode => (shared ? [0x03, 1, ...unsigned(PAGES_MOST)] : [0x00, 1]);
const pagesOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / PAGE));

/** A memory of at least so many bytes. */
export const wasmMemory = (bytes: number): WasmMemory => new WebAssembly.Memory({ initial: pagesOf(bytes) });

/** The same for several threads: it is handed to each as it is. */
export const sharedWasmMemory = (bytes: number): SharedWasmMemory =>
  new WebAssembly.Memory({ initial: pagesOf(bytes), maximum: pagesOf(bytes), shared: true });

/** Compiled modules by their bytes: what was made fast once need not be made so again by the next sweep. */
const compiled = new Map<string, object>();
const COMPILED_MOST = 16;

/** The functions over a memory, by their names. */
export function wasmOver(
  memory: WasmMemory | SharedWasmMemory,
  functions: readonly WasmFunction[],
): Readonly<Record<string, unknown>> {
  const bytes = moduleBytes(functions, memory.buffer instanceof SharedArrayBuffer);
  const key = bytes.join();
  let module = compiled.get(key);
  if (module === undefined) {
    module = new WebAssembly.Module(bytes);
    if (compiled.size === COMPILED_MOST) compiled.clear();
    compiled.set(key, module);
  }
  return new WebAssembly.Instance(module, { env: { memory } }).exports;
}
