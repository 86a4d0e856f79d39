import { F64, I32, V128, type WasmFunction, type WasmMemory, wasmOver } from '#base';
import { constant, double, EMPTY, get, memoryArgument, OP, SIMD, set, simd } from './wasm-builder.ts';

/**
 * Books, in the record at an address, the fills that follow from the signals written at addresses [at, end), 32-bit rows of which every one changes what
 * is held: from `side` (1 long, 0 flat, -1 short) to `sides - side` and back. A fill takes its place, counted from the
 * piece's first bar, in the column of flows at `flow`, the next one in that at `flows - flow`, and so on. Behind the last
 * the position is followed to place `last`, if that is not before.
 *
 * The drawdown of a stretch [drawn, next fill) is told by its extremes, unless both a new peak and a deeper fall may lie in
 * it: then it gives the address of the signal that ends it, `end` for the stretch behind the last. An address behind `end`
 * when all is done.
 */
export type Settle = (
  record: number,
  at: number,
  end: number,
  drawn: number,
  last: number,
  side: number,
  sides: number,
  flow: number,
  flows: number,
) => number;

/** Byte addresses of what {@link Settle} works on, fixed when its code is written. */
export interface SettleRoom {
  /** A range table of marks (`RangeTable`) of so many rows. */
  readonly table: number;
  readonly rows: number;
  /** Places of the bars that end a day, 32 bits, and one beyond all. */
  readonly dayEnds: number;
  /** What to add to a signal's row for the place of its fill. */
  readonly shift: number;
}

/** Doubles of a record that {@link Settle} works on, in order. */
export const RECORD = {
  /** Equity without what is held, and what was paid in fees. */
  money: 0,
  fees: 1,
  peak: 2,
  /** The least equity that makes no deeper fall, with its sign changed; -Infinity where it is not known. */
  floor: 3,
  /** Worth of a tick of the position, twice. */
  perTick: 4,
  perTickAgain: 5,
  /** Largest drawdown. */
  deepest: 6,
} as const;
/** Then its whole numbers of 32 bits; others may follow. */
export const RECORD_DAYS = {
  /** Ends of days met in this piece. */
  days: 14,
  /** Byte address for the equity, a double, at the first of them. */
  daily: 15,
} as const;
/** Powers of two of the bytes of an entry: range table; flows, which are change of money and fee; a double. */
const TABLE_SHIFT = 3;
const FLOW_SHIFT = 4;
const DOUBLE_SHIFT = 3;
const PLACE_SHIFT = 2;

/** More than the share by which two products and a difference of doubles are off. */
const ROUNDING = 1e-15;

const RECORDED = 0;
const AT = 1;
const END = 2;
const DRAWN = 3;
const LAST = 4;
const SIDE = 5;
const SIDES = 6;
const FLOW = 7;
const FLOWS = 8;
const UNTIL = 9;
const LEVEL = 10;
const DAY = 11;
const DAY_END = 12;
const DAILY = 13;
const MONEY = 14;
const LIMITS = 15;
const WORTH = 16;
const EQUITY = 17;
const PER_TICK = 18;
const PEAK = 19;
const DEEPEST = 20;
const TOP = 21;

/** Changes the sign of the second lane. */
const SECOND_SIGN = [...simd(SIMD.constant), ...new Array<number>(15).fill(0), 0x80];
/** Lanes by their bytes. */
const lanes = (first: 0 | 8, second: 0 | 8) => [
  ...simd(SIMD.shuffle),
  ...Array.from({ length: 16 }, (_, i) => (i < 8 ? first + i : second + i - 8)),
];

const minus = (a: number, b: number) => [...get(a), ...get(b), OP.i32Subtract];
const flip = (local: number, sum: number) => [...minus(sum, local), ...set(local)];
const shifted = (by: number) => [...constant(by), OP.i32ShiftLeft];

function settleFunction({ table, rows, dayEnds, shift }: SettleRoom): WasmFunction {
  const loadTwo = (k: number) => [...get(RECORDED), ...simd(SIMD.load), ...memoryArgument(3, 8 * k)];
  const storeTwo = (k: number, local: number) => [
    ...[...get(RECORDED), ...get(local), ...simd(SIMD.store), ...memoryArgument(3, 8 * k)],
  ];
  const loadWhole = (k: number) => [...get(RECORDED), OP.i32Load, ...memoryArgument(2, 4 * k)];
  const lane = (local: number, k: 0 | 1) => [...get(local), ...simd(SIMD.f64x2Lane), k];
  const loadDayEnd = [
    ...[...get(DAY), ...shifted(PLACE_SHIFT), OP.i32Load, ...memoryArgument(2, dayEnds), ...set(DAY_END)],
  ];
  const giveBack = (address: readonly number[]) => [
    ...[...storeTwo(RECORD.money, MONEY), ...storeTwo(RECORD.peak, LIMITS)],
    ...[...get(RECORDED), ...get(DEEPEST), OP.f64Store, ...memoryArgument(3, 8 * RECORD.deepest)],
    ...[...get(RECORDED), ...get(DAY), OP.i32Store, ...memoryArgument(2, 4 * RECORD_DAYS.days)],
    ...[...address, OP.return],
  ];
  /** Of the stretch of 2^LEVEL marks that begins at the place on the stack: the greatest, and the least with its sign changed. */
  const extremes = [
    ...[...get(LEVEL), ...constant(Math.log2(rows)), OP.i32ShiftLeft, OP.i32Add, ...shifted(TABLE_SHIFT)],
    ...[...simd(SIMD.loadHalf), ...memoryArgument(3, table)],
  ];
  // equity at its greatest, and at its least with its sign changed
  const equity = [
    ...[...get(MONEY), ...get(MONEY), ...lanes(0, 0), ...SECOND_SIGN, ...simd(SIMD.xor), ...set(EQUITY)],
    ...[...get(SIDE), OP.if, EMPTY],
    ...[...constant(31), ...minus(UNTIL, DRAWN), OP.i32LeadingZeros, OP.i32Subtract, ...set(LEVEL)],
    ...[...get(DRAWN), ...extremes],
    ...[...get(UNTIL), ...constant(1), ...get(LEVEL), OP.i32ShiftLeft, OP.i32Subtract, ...extremes],
    ...[...simd(SIMD.i32x4Greatest), ...simd(SIMD.f64x2OfI32x4)],
    ...[...get(PER_TICK), ...simd(SIMD.f64x2Multiply), ...set(WORTH)],
    ...[...get(SIDE), ...constant(0), OP.i32LessSigned, OP.if, EMPTY],
    ...[...get(WORTH), ...get(WORTH), ...lanes(8, 0), ...set(WORTH), OP.end],
    ...[...get(EQUITY), ...get(WORTH), ...simd(SIMD.f64x2Add), ...set(EQUITY), OP.end],
  ];
  /** Share of TOP or PEAK that the least equity lies below. */
  const fallFrom = (local: number) => [
    ...[...get(local), ...lane(EQUITY, 1), OP.f64Add, ...get(local), OP.f64Divide],
  ];
  const walk = giveBack(get(AT));
  // a peak that is not positive has no drawdown
  const drawdown = [
    ...[...lane(LIMITS, 0), ...set(PEAK), ...lane(EQUITY, 0), ...set(TOP)],
    ...[...get(TOP), ...get(PEAK), OP.f64Greater, OP.if, EMPTY],
    ...[...get(TOP), ...double(0), OP.f64Greater, ...fallFrom(TOP), ...get(DEEPEST), OP.f64LessOrEqual],
    ...[OP.i32And, OP.i32IsZero, OP.if, EMPTY, ...walk, OP.end],
    ...[...get(TOP), ...set(PEAK), OP.else],
    ...[...get(PEAK), ...double(0), OP.f64Greater, OP.i32IsZero, OP.if, EMPTY, ...walk, OP.end],
    ...[...get(DEEPEST), ...fallFrom(PEAK), OP.f64Max, ...set(DEEPEST), OP.end],
    // the floor, a whole unit too high
    ...[...get(PEAK), ...simd(SIMD.f64x2Splat), ...get(PEAK)],
    ...[...get(PEAK), ...get(DEEPEST), OP.f64Multiply, ...double(1 - ROUNDING), OP.f64Multiply],
    ...[OP.f64Subtract, OP.f64Ceil, ...double(1), OP.f64Add, OP.f64Negate],
    ...[...simd(SIMD.f64x2WithLane), 1, ...set(LIMITS)],
  ];
  const endDays = [
    ...[OP.loop, EMPTY, ...get(DAILY), ...get(DAY), ...shifted(DOUBLE_SHIFT), OP.i32Add, ...lane(MONEY, 0)],
    ...[...get(DAY_END), ...shifted(TABLE_SHIFT), OP.i32Load, ...memoryArgument(2, table), OP.f64OfI32],
    ...[...lane(PER_TICK, 0), OP.f64Multiply, ...get(SIDE), OP.f64OfI32, OP.f64Multiply],
    ...[OP.f64Add, OP.f64Store, ...memoryArgument(3, 0)],
    ...[...get(DAY), ...constant(1), OP.i32Add, ...set(DAY), ...loadDayEnd],
    ...[...get(DAY_END), ...get(UNTIL), OP.i32LessSigned, OP.branchIf, 0, OP.end],
  ];
  const isLast = [...get(AT), ...get(END), OP.i32Equal];
  return {
    name: 'settle',
    parameters: [I32, I32, I32, I32, I32, I32, I32, I32, I32],
    results: [I32],
    locals: [I32, I32, I32, I32, I32, V128, V128, V128, V128, V128, F64, F64, F64],
    body: [
      ...[...loadTwo(RECORD.money), ...set(MONEY), ...loadTwo(RECORD.peak), ...set(LIMITS)],
      ...[...get(RECORDED), OP.f64Load, ...memoryArgument(3, 8 * RECORD.deepest), ...set(DEEPEST)],
      ...[...loadTwo(RECORD.perTick), ...set(PER_TICK), ...loadWhole(RECORD_DAYS.daily), ...set(DAILY)],
      ...[...loadWhole(RECORD_DAYS.days), ...set(DAY), ...loadDayEnd],
      ...[OP.loop, EMPTY],
      ...[...get(LAST), ...get(AT), OP.i32Load, ...memoryArgument(2, 0), ...constant(shift), OP.i32Add],
      ...[...isLast, OP.select, ...set(UNTIL)],
      ...[...get(UNTIL), ...get(DRAWN), OP.i32GreaterSigned, OP.if, EMPTY],
      // first: who walks over a stretch has its days behind him
      ...[...get(DAY_END), ...get(UNTIL), OP.i32LessSigned, OP.if, EMPTY, ...endDays, OP.end],
      ...[...equity, ...get(EQUITY), ...get(LIMITS), ...simd(SIMD.f64x2Greater), ...simd(SIMD.anyTrue)],
      ...[OP.if, EMPTY, ...drawdown, OP.end],
      OP.end,
      ...[...isLast, OP.if, EMPTY, ...giveBack([...get(END), ...constant(4), OP.i32Add]), OP.end],
      ...[...get(UNTIL), ...set(DRAWN)],
      ...[...get(FLOW), ...get(UNTIL), ...shifted(FLOW_SHIFT), OP.i32Add],
      ...[...simd(SIMD.load), ...memoryArgument(3, 0), ...get(MONEY), ...simd(SIMD.f64x2Add), ...set(MONEY)],
      ...[...flip(FLOW, FLOWS), ...flip(SIDE, SIDES)],
      ...[...get(AT), ...constant(4), OP.i32Add, ...set(AT)],
      ...[OP.branch, 0, OP.end],
      // never come to, but the types want a result
      ...get(AT),
    ],
  };
}

/** The function over a memory. `rows` of the room is a power of two. */
export function settleIn(memory: WasmMemory, room: SettleRoom): Settle {
  return wasmOver(memory, [settleFunction(room)]).settle as Settle;
}
