import { F32, I32, unsigned, type WasmCode, type WasmMemory, wasmOver } from '#base';

// Memory, in bytes. A node of 16: where its value is read, where its children lie (side by side), its threshold, unused.
// A leaf reads a slot that holds NaN and leads to itself: further steps stay there. Its value stands as its threshold.
// A group: the roots of eight trees and the steps that the deepest of them needs.

export const NODE_BYTES = 16;
/** Trees walked at once. Each waits for memory and comparison at every step; eight fill the waits of one. */
export const LANES = 8;
export const GROUP_BYTES = 4 * (LANES + 1);

/** Adds the leaves of the trees in the groups from one address to another to a sum, in their order, as float32. */
export type ForestWalk = (from: number, to: number, sum: number) => number;

const FROM = 0;
const TO = 1;
const SUM = 2;
const STEPS = 3;
const lane = (i: number) => 4 + i;

const VOID = 0x40;
const get = (local: number): WasmCode => [0x20, local];
const set = (local: number): WasmCode => [0x21, local];
const whole = (value: number): WasmCode => [0x41, value];
const i32Load = (offset: number): WasmCode => [0x28, 2, ...unsigned(offset)];
const f32Load = (offset: number): WasmCode => [0x2a, 2, ...unsigned(offset)];
const I32_EQZ = 0x45;
const I32_GE_UNSIGNED = 0x4f;
const F32_GE = 0x60;
const I32_ADD = 0x6a;
const I32_SUBTRACT = 0x6b;
const I32_SHIFT_LEFT = 0x74;
const F32_ADD = 0x92;

/** Repeats a body until the condition before it holds; no value is left. */
const until = (condition: WasmCode, body: WasmCode): WasmCode => [
  ...[0x02, VOID, 0x03, VOID],
  ...condition,
  ...[0x0d, 1],
  ...body,
  ...[0x0c, 0, 0x0b, 0x0b],
];

const LANE_NUMBERS = Array.from({ length: LANES }, (_, i) => i);

/** 16 bytes on, to the right child, where the value is not below the threshold, else to the left; without a branch. */
const step = (i: number): WasmCode => [
  ...get(lane(i)),
  ...i32Load(4),
  ...get(lane(i)),
  ...i32Load(0),
  ...f32Load(0),
  ...get(lane(i)),
  ...f32Load(8),
  F32_GE,
  ...whole(4),
  I32_SHIFT_LEFT,
  I32_ADD,
  ...set(lane(i)),
];

const body: WasmCode = until(
  [...get(FROM), ...get(TO), I32_GE_UNSIGNED],
  [
    ...LANE_NUMBERS.flatMap((i) => [...get(FROM), ...i32Load(4 * i), ...set(lane(i))]),
    ...get(FROM),
    ...i32Load(4 * LANES),
    ...set(STEPS),
    ...until(
      [...get(STEPS), I32_EQZ],
      [...LANE_NUMBERS.flatMap(step), ...get(STEPS), ...whole(1), I32_SUBTRACT, ...set(STEPS)],
    ),
    ...LANE_NUMBERS.flatMap((i) => [...get(SUM), ...get(lane(i)), ...f32Load(8), F32_ADD, ...set(SUM)]),
    ...get(FROM),
    ...whole(GROUP_BYTES),
    I32_ADD,
    ...set(FROM),
  ],
);

/** The walk over a memory laid out as above. */
export function forestWalk(memory: WasmMemory): ForestWalk {
  const { walk } = wasmOver(memory, [
    {
      name: 'walk',
      parameters: [I32, I32, F32],
      results: [F32],
      locals: [I32, ...LANE_NUMBERS.map(() => I32)],
      body: [...body, ...get(SUM)],
    },
  ]);
  return walk as ForestWalk;
}
