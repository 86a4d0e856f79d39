import { F64, I32, V128, type WasmCode, type WasmFunction } from '#base';
import { constant, EMPTY, get, memoryArgument, OP, SIMD, set, simd } from '../../kernel/wasm-builder.ts';
import { BIN_BYTES, whileBelow } from './row-kernels.ts';
import { both, loadDoubles, minus, over, plus, step, times, twice } from './vector-code.ts';

/**
 * The best place to part a column's bins in [from, end) in two, where a side of sums G and H is worth G^2/(H + lambda) and
 * needs an H of `least`, above 0. `first` and `second` are the sums of the node, `leftFirst` and `leftSecond` those of what goes
 * left anyway. Gives the address of the last bin on the left, 0 where no place is worth more than `best`, and writes to `out`
 * the worth of both sides and the left sums G and H. Looks at bins in twos: one at `end` must be there, and takes part.
 */
export type Scan = (
  from: number,
  end: number,
  first: number,
  second: number,
  leftFirst: number,
  leftSecond: number,
  lambda: number,
  least: number,
  best: number,
  out: number,
) => number;

/** Bytes that {@link Scan} writes, with room to align them. */
export const SCANNED_BYTES = 32;
/** Of its doubles. */
export const SCANNED = { worth: 0, first: 1, second: 2 } as const;

const [FROM, END, FIRST, SECOND, LEFT_FIRST, LEFT_SECOND, LAMBDA, LEAST, BEST, OUT] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
] as const;
const FOUND = 10;
const [BEFORE, BEHIND, LEFT_G, LEFT_H, RIGHT_G, RIGHT_H, WORTH, TOP] = [
  11, 12, 13, 14, 15, 16, 17, 18,
] as const;
const NODE_G = 19;
const NODE_H = 20;
const SHRINK = 21;
const NEEDED = 22;
const LOCALS_END = 23;

/** The lanes of two vectors, by their first bytes: 0 and 8 in the first, 16 and 24 in the second. */
const lanes = (a: number, b: number, first: number, second: number): WasmCode => [
  ...[...get(a), ...get(b), ...simd(SIMD.shuffle)],
  ...Array.from({ length: 16 }, (_, i) => (i < 8 ? first + i : second + i - 8)),
];

const lane = (local: number, k: 0 | 1): WasmCode => [...get(local), ...simd(SIMD.f64x2Lane), k];

/** Keeps the bin of a lane, whose left sums are in a local, if it is the better one. */
const keep = (k: 0 | 1, sums: number, better: number): WasmCode => [
  ...[...lane(WORTH, k), ...get(BEST), better, OP.if, EMPTY],
  ...[...lane(WORTH, k), ...set(BEST), ...get(FROM), ...constant(k * BIN_BYTES), OP.i32Add, ...set(FOUND)],
  ...[...get(OUT), ...get(BEST), OP.f64Store, ...memoryArgument(3, 8 * SCANNED.worth)],
  ...[...get(OUT), ...get(sums), ...simd(SIMD.store), ...memoryArgument(3, 8 * SCANNED.first), OP.end],
];

/** `equals`: of places worth the same the last is kept, not the first. */
function scanFunction(name: string, equals: boolean): WasmFunction {
  const worthOf = (g: number, h: number): WasmCode => times(times(get(g), get(g)), get(h));
  const better = simd(equals ? SIMD.f64x2GreaterOrEqual : SIMD.f64x2Greater);
  const body = [
    // running sums up to either bin, then those of both by kind
    ...[...plus(get(BEHIND), loadDoubles(FROM)), ...set(BEFORE)],
    ...[...plus(get(BEFORE), loadDoubles(FROM, BIN_BYTES)), ...set(BEHIND)],
    ...[...lanes(BEFORE, BEHIND, 0, 16), ...set(LEFT_G), ...lanes(BEFORE, BEHIND, 8, 24), ...set(LEFT_H)],
    ...[
      ...minus(get(NODE_G), get(LEFT_G)),
      ...set(RIGHT_G),
      ...minus(get(NODE_H), get(LEFT_H)),
      ...set(RIGHT_H),
    ],
    // a side that weighs too little makes the place worth nothing
    ...[...get(LEFT_H), ...get(NEEDED), ...simd(SIMD.f64x2GreaterOrEqual)],
    ...[...get(RIGHT_H), ...get(NEEDED), ...simd(SIMD.f64x2GreaterOrEqual), ...simd(SIMD.and), ...set(WORTH)],
    ...[
      ...plus(get(LEFT_H), get(SHRINK)),
      ...set(LEFT_H),
      ...plus(get(RIGHT_H), get(SHRINK)),
      ...set(RIGHT_H),
    ],
    // one division for both sides of both bins
    ...both(
      over(plus(worthOf(LEFT_G, RIGHT_H), worthOf(RIGHT_G, LEFT_H)), times(get(LEFT_H), get(RIGHT_H))),
      get(WORTH),
    ),
    ...[...set(WORTH), ...get(WORTH), ...get(TOP), ...better, ...simd(SIMD.anyTrue), OP.if, EMPTY],
    ...keep(0, BEFORE, equals ? OP.f64GreaterOrEqual : OP.f64Greater),
    ...keep(1, BEHIND, equals ? OP.f64GreaterOrEqual : OP.f64Greater),
    ...[...twice(get(BEST)), ...set(TOP), OP.end, ...step(FROM, 2 * BIN_BYTES)],
  ];
  return {
    name,
    parameters: [I32, I32, F64, F64, F64, F64, F64, F64, F64, I32],
    results: [I32],
    locals: [I32, ...new Array<number>(LOCALS_END - BEFORE).fill(V128)],
    body: [
      ...[...twice(get(FIRST)), ...set(NODE_G), ...twice(get(SECOND)), ...set(NODE_H)],
      ...[...twice(get(LAMBDA)), ...set(SHRINK), ...twice(get(LEAST)), ...set(NEEDED)],
      ...[...twice(get(BEST)), ...set(TOP)],
      ...[...twice(get(LEFT_FIRST)), ...get(LEFT_SECOND), ...simd(SIMD.f64x2WithLane), 1, ...set(BEHIND)],
      ...whileBelow(FROM, END, body),
      ...get(FOUND),
    ],
  };
}

/** The functions `scan` and `scanLast` ({@link Scan}): of equal places the first, or the last. */
export const scanFunctions = (): WasmFunction[] => [
  scanFunction('scan', false),
  scanFunction('scanLast', true),
];
