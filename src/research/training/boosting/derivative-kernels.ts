// First and second derivatives of the losses for every row, two rows at a time, as WebAssembly.
import { F64, I32, V128, type WasmCode, type WasmFunction } from '#base';
import { constant, get, memoryArgument, OP, SIMD, set, simd } from '../../kernel/wasm-builder.ts';
import { whileBelow } from './row-kernels.ts';
import {
  greater,
  LoopNumbers,
  lesser,
  loadDoubles,
  loadFloats,
  minus,
  nearest,
  over,
  plus,
  step,
  times,
  twice,
} from './vector-code.ts';

/**
 * Derivatives of rows, written as pairs of whole numbers: multiples of 1/`perFirst` and 1/`perSecond`. Addresses are in
 * bytes and stand at the first row; `end` is where the margins of the last row end. Rows come in pairs: an odd one has a
 * neighbour in memory that counts for nothing.
 */
export type Derive = (
  margins: number,
  end: number,
  labels: number,
  weights: number,
  pairs: number,
  perFirst: number,
  perSecond: number,
) => void;

/** {@link Derive} for several outputs, whose margins and pairs lie so many bytes behind each other; `scratch` takes 16 bytes an output. */
export type DeriveClasses = (
  margins: number,
  end: number,
  labels: number,
  weights: number,
  pairs: number,
  perFirst: number,
  perSecond: number,
  scratch: number,
  marginsApart: number,
  outputs: number,
) => void;

const MARGINS = 0;
const END = 1;
const LABELS = 2;
const WEIGHTS = 3;
const PAIRS = 4;
const PER_FIRST = 5;
const PER_SECOND = 6;
const PARAMETERS = [I32, I32, I32, I32, I32, F64, F64];

/** log2(e); ln 2 in two parts, of which the first has zeros at its end (Cody and Waite). */
const LOG2_E = Math.LOG2E;
const LN2_HIGH = 0.693145751953125;
const LN2_LOW = 1.428606820309417e-6;
/** Added to a whole number, it stands in the last bits of the double, and with it the bias of an exponent. */
const TO_EXPONENT = 6_755_399_441_055_744 + 1023;
/** Beyond this e^x is no use to anyone, and 2^n would leave the range of a double. */
const POWER_MOST = 700;
/** Of the series: 0.35^9/9! is below 3e-10, and derivatives are rounded to 1e-9. */
const DEGREE = 8;

/** Locals that {@link exponential} works in. */
interface Scratch {
  readonly x: number;
  readonly n: number;
  readonly square: number;
  readonly fourth: number;
}

/** e to the power of what is in local `x`, which is lost. Leaves it on the stack. */
function exponential({ x, n, square, fourth }: Scratch, numbers: LoopNumbers): WasmCode {
  let factorial = 1;
  const terms = Array.from({ length: DEGREE + 1 }, (_, k) => {
    factorial *= Math.max(1, k);
    return numbers.of(1 / factorial);
  });
  // in twos, squares and fourth powers (Estrin): term after term, each would wait for the one before
  const two = (k: number) => plus(times(terms[k + 1]!, get(x)), terms[k]!);
  const four = (k: number) => plus(two(k), times(two(k + 2), get(square)));
  const upper = plus(four(4), times(get(fourth), terms[DEGREE]!));
  const whole = nearest(times(get(x), numbers.of(LOG2_E)));
  const rest = minus(minus(get(x), times(get(n), numbers.of(LN2_HIGH))), times(get(n), numbers.of(LN2_LOW)));
  return [
    ...[...greater(numbers.of(-POWER_MOST), lesser(numbers.of(POWER_MOST), get(x))), ...set(x)],
    ...[...whole, ...set(n), ...rest, ...set(x)],
    ...[...times(get(x), get(x)), ...set(square), ...times(get(square), get(square)), ...set(fourth)],
    ...plus(four(0), times(upper, get(fourth))),
    ...[...plus(get(n), numbers.of(TO_EXPONENT)), ...constant(52), ...simd(SIMD.i64x2ShiftLeft)],
    ...simd(SIMD.f64x2Multiply),
  ];
}

const whole = (value: WasmCode, per: number): WasmCode => [
  ...nearest(times(value, twice(get(per)))),
  ...simd(SIMD.i32x4OfF64x2),
];

/** Writes two first and two second derivatives as two pairs at the address in a local. */
const writePairs = (at: number, first: WasmCode, second: WasmCode): WasmCode => [
  ...[...get(at), ...whole(first, PER_FIRST), ...whole(second, PER_SECOND)],
  ...[...simd(SIMD.shuffle), 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23],
  ...[...simd(SIMD.store), ...memoryArgument(3, 0)],
];

const weighted = (value: WasmCode, isWeighted: boolean): WasmCode =>
  isWeighted ? times(value, loadFloats(WEIGHTS)) : value;

const onwards = (isWeighted: boolean): WasmCode => [
  ...[...step(MARGINS, 16), ...step(LABELS, 8), ...(isWeighted ? step(WEIGHTS, 8) : []), ...step(PAIRS, 16)],
];

/** A function that goes over the rows; its first locals are of the given types, those of its numbers follow. */
function rowsFunction(
  further: readonly number[],
  locals: readonly number[],
  bodyOf: (numbers: LoopNumbers) => WasmCode,
): WasmFunction {
  const parameters = [...PARAMETERS, ...further];
  const numbers = new LoopNumbers(parameters.length + locals.length);
  const loop = whileBelow(MARGINS, END, bodyOf(numbers));
  return {
    name: 'derive',
    parameters,
    results: [],
    locals: [...locals, ...numbers.locals()],
    body: [...numbers.code(), ...loop],
  };
}

/** p = 1/(1 + e^-m); first p - y, second p(1 - p). */
function logisticFunction(isWeighted: boolean): WasmFunction {
  const P = 7;
  const scratch = { x: P, n: 8, square: 9, fourth: 10 };
  return rowsFunction([], [V128, V128, V128, V128], (numbers) => {
    const one = numbers.of(1);
    return [
      ...[...minus(numbers.of(0), loadDoubles(MARGINS)), ...set(P)],
      ...[...over(one, plus(one, exponential(scratch, numbers))), ...set(P)],
      ...writePairs(
        PAIRS,
        weighted(minus(get(P), loadFloats(LABELS)), isWeighted),
        weighted(times(get(P), minus(one, get(P))), isWeighted),
      ),
      ...onwards(isWeighted),
    ];
  });
}

/** First m - y, second 1. */
const squaredFunction = (isWeighted: boolean): WasmFunction =>
  rowsFunction([], [], (numbers) => [
    ...writePairs(
      PAIRS,
      weighted(minus(loadDoubles(MARGINS), loadFloats(LABELS)), isWeighted),
      weighted(numbers.of(1), isWeighted),
    ),
    ...onwards(isWeighted),
  ]);

/** p = softmax of the margins; first p - 1 of the row's own class, p of the others, second 2p(1 - p) as XGBoost has it. */
function softmaxFunction(isWeighted: boolean): WasmFunction {
  const [SCRATCH, APART, OUTPUTS, CLASS, AT, KEPT] = [7, 8, 9, 10, 11, 12];
  const [TOP, SUM, P, ID] = [13, 14, 15, 16];
  const scratch = { x: 17, n: 18, square: 19, fourth: 20 };
  const classes = (body: WasmCode): WasmCode => [
    ...[...constant(0), ...set(CLASS), ...get(SCRATCH), ...set(KEPT)],
    ...whileBelow(CLASS, OUTPUTS, [...body, ...step(CLASS, 1), ...step(KEPT, 16)]),
  ];
  const ofClass = (base: number) => [...get(CLASS), ...get(APART), OP.i32Multiply, ...get(base), OP.i32Add];
  const margin = [...ofClass(MARGINS), ...set(AT), ...loadDoubles(AT)];
  const locals = [I32, I32, I32, V128, V128, V128, V128, V128, V128, V128, V128];
  return rowsFunction([I32, I32, I32], locals, (numbers) => {
    const isOwn = [...loadFloats(LABELS), ...get(ID), ...simd(SIMD.f64x2Equal)];
    return [
      ...[...loadDoubles(MARGINS), ...set(TOP), ...numbers.of(0), ...set(SUM), ...numbers.of(0), ...set(ID)],
      ...classes([...greater(get(TOP), margin), ...set(TOP)]),
      ...classes([
        ...[...minus(margin, get(TOP)), ...set(scratch.x), ...get(KEPT), ...exponential(scratch, numbers)],
        ...[OP.tee, P, ...simd(SIMD.store), ...memoryArgument(3, 0), ...plus(get(SUM), get(P)), ...set(SUM)],
      ]),
      ...classes([
        ...[...over(loadDoubles(KEPT), get(SUM)), ...set(P)],
        // the pairs of an output lie as far apart as its margins: both take eight bytes a row
        ...[...ofClass(PAIRS), ...set(AT)],
        ...writePairs(
          AT,
          weighted(minus(get(P), [...isOwn, ...numbers.of(1), ...simd(SIMD.and)]), isWeighted),
          weighted(times(times(numbers.of(2), get(P)), minus(numbers.of(1), get(P))), isWeighted),
        ),
        ...[...plus(get(ID), numbers.of(1)), ...set(ID)],
      ]),
      ...onwards(isWeighted),
    ];
  });
}

/**
 * The largest first derivative by size among the rows whose margins lie in [margins, end): it decides how finely they can be
 * written.
 */
export type Residual = (margins: number, end: number, labels: number, weights: number) => number;

function residualFunction(isWeighted: boolean): WasmFunction {
  const [TOP] = [4];
  const body = [
    ...weighted(minus(loadDoubles(MARGINS), loadFloats(LABELS)), isWeighted),
    ...[...simd(SIMD.f64x2Absolute), ...get(TOP), ...simd(SIMD.f64x2Greatest), ...set(TOP)],
    ...[...step(MARGINS, 16), ...step(LABELS, 8), ...(isWeighted ? step(WEIGHTS, 8) : [])],
  ];
  const lane = (k: number) => [...get(TOP), ...simd(SIMD.f64x2Lane), k];
  return {
    name: 'residual',
    parameters: [I32, I32, I32, I32],
    results: [F64],
    locals: [V128],
    body: [...whileBelow(MARGINS, END, body), ...lane(0), ...lane(1), OP.f64Max],
  };
}

/** The functions `derive` ({@link Derive} or {@link DeriveClasses}) and `residual`. */
export function derivativeFunctions(
  objective: 'binary:logistic' | 'multi:softprob' | 'reg:squarederror',
  isWeighted: boolean,
): WasmFunction[] {
  const derive = {
    'binary:logistic': logisticFunction,
    'multi:softprob': softmaxFunction,
    'reg:squarederror': squaredFunction,
  }[objective];
  return [derive(isWeighted), residualFunction(isWeighted)];
}
