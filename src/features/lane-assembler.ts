/**
 * WebAssembly with 128-bit lanes, put together from expressions in the manner of its text format.
 * https://webassembly.github.io/spec/core/binary/
 */
import { bytesOfDouble, signed, unsigned, type WasmCode, type WasmFunction } from '#base';

export type Code = WasmCode;

export const LANES = 0xfd;

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const constant = (value: number): Code => [0x41, ...signed(value)];
export const plus = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const below = (a: Code, b: Code): Code => [...a, ...b, 0x49];
export const step = (local: number, bytes: number): Code => set(local, plus(get(local), constant(bytes)));

/** Two doubles from an address on, which need not be a multiple of anything but 8. */
export const load = (address: Code, offset = 0): Code => [...address, LANES, 0, 3, ...unsigned(offset)];
export const store = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  LANES,
  11,
  3,
  ...unsigned(offset),
];
export const lanes = (operation: number, a: Code, b: Code): Code => [
  ...a,
  ...b,
  LANES,
  ...unsigned(operation),
];
export const add = (a: Code, b: Code): Code => lanes(0xf0, a, b);
export const minus = (a: Code, b: Code): Code => lanes(0xf1, a, b);
export const min = (a: Code, b: Code): Code => lanes(0xf4, a, b);
export const max = (a: Code, b: Code): Code => lanes(0xf5, a, b);
/** b < a ? b : a */
export const lesser = (a: Code, b: Code): Code => lanes(0xf6, a, b);
/** a < b ? b : a */
export const greater = (a: Code, b: Code): Code => lanes(0xf7, a, b);
export const times = (a: Code, b: Code): Code => lanes(0xf2, a, b);
export const over = (a: Code, b: Code): Code => lanes(0xf3, a, b);
export const root = (a: Code): Code => [...a, LANES, ...unsigned(0xef)];
export const exceeds = (a: Code, b: Code): Code => lanes(0x4a, a, b);
export const select = (mask: Code, a: Code, b: Code): Code => [...a, ...b, ...mask, LANES, ...unsigned(0x52)];
/** The first lanes of two, or the second. */
export const firsts = (a: Code, b: Code): Code => [...a, ...b, LANES, 13, ...bytes(0, 16)];
export const seconds = (a: Code, b: Code): Code => [...a, ...b, LANES, 13, ...bytes(8, 24)];
export const bytes = (a: number, b: number) =>
  [a, b].flatMap((k) => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => k + i));
export const equals = (a: Code, b: Code): Code => lanes(0x47, a, b);
/** a where no bit of the mask is set, else 0. */
export const except = (a: Code, mask: Code): Code => lanes(0x4f, a, mask);
/** Both lanes a double. */
export const both = (a: Code): Code => [...a, LANES, ...unsigned(20)];
export const double = (value: number): Code => [0x44, ...bytesOfDouble(value)];
export const zero: Code = [LANES, 12, ...Array<number>(16).fill(0)];

/** Repeats `body` while `condition` holds after it. */
export const repeat = (body: Code, condition: Code): Code => [
  0x03,
  0x40,
  ...body,
  ...condition,
  0x0d,
  0,
  0x0b,
];

export const alone = {
  load: (address: Code, offset = 0): Code => [...address, 0x2b, 3, ...unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    0x39,
    3,
    ...unsigned(offset),
  ],
  add: (a: Code, b: Code): Code => [...a, ...b, 0xa0],
  minus: (a: Code, b: Code): Code => [...a, ...b, 0xa1],
  times: (a: Code, b: Code): Code => [...a, ...b, 0xa2],
  over: (a: Code, b: Code): Code => [...a, ...b, 0xa3],
  exceeds: (a: Code, b: Code): Code => [...a, ...b, 0x64],
  atMost: (a: Code, b: Code): Code => [...a, ...b, 0x65],
  reaches: (a: Code, b: Code): Code => [...a, ...b, 0x66],
};
export const when = (condition: Code, body: Code): Code => [...condition, 0x04, 0x40, ...body, 0x0b];
export const whether = (condition: Code, yes: Code, no: Code): Code => [
  ...condition,
  ...[0x04, 0x40],
  ...yes,
  0x05,
  ...no,
  0x0b,
];
/** Leaves the block around a loop unless the condition holds. */
export const unless = (condition: Code): Code => [...condition, 0x45, 0x0d, 1];
export const block = (body: Code): Code => [0x02, 0x40, ...body, 0x0b];

export interface Routine {
  readonly name: string;
  readonly parameters: readonly number[];
  readonly locals?: readonly number[];
  readonly code: Code;
}

/** As a function of a module; it gives nothing back. */
export const asFunction = ({ name, parameters, locals = [], code }: Routine): WasmFunction => ({
  name,
  parameters,
  results: [],
  locals,
  body: code,
});
