import { InvariantError } from './assert.ts';

/**
 * Exact arithmetic on safe integers. Money, prices and sizes are whole numbers of minor units, ticks and lots
 * held in JavaScript numbers; every product that may leave 2^53 goes through {@link mulDiv}.
 */

export type Rounding = 'floor' | 'ceil' | 'trunc' | 'half-away';

const SPLITTER = 134_217_729; // 2^27 + 1, Veltkamp
const LIMIT = Number.MAX_SAFE_INTEGER;

/** `value`, asserted to be a safe integer. */
export function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new InvariantError(`not a safe integer: ${value}`);
  return value;
}

/** Low word of a*b, given the rounded product (Dekker 1971). Exact while no intermediate overflows. */
function productError(a: number, b: number, product: number): number {
  const ca = SPLITTER * a;
  const ah = ca - (ca - a);
  const al = a - ah;
  const cb = SPLITTER * b;
  const bh = cb - (cb - b);
  const bl = b - bh;
  return al * bl - (product - ah * bh - al * bh - ah * bl);
}

/** a*b/c for non-negative safe integers, floored; `exact[0]` tells whether the division left no remainder. */
function mulDivFloor(a: number, b: number, c: number): { q: number; r: number } {
  const product = a * b;
  if (product <= LIMIT) {
    const q = Math.floor(product / c);
    return settle(q, product - q * c, c);
  }
  const estimate = Math.floor(product / c);
  if (estimate > LIMIT) throw new InvariantError(`mulDiv overflows: ${a} * ${b} / ${c}`);
  const back = estimate * c;
  // Both products as unevaluated sums hi + lo; their difference is small, hence exact.
  const r = product - back + (productError(a, b, product) - productError(estimate, c, back));
  return settle(estimate, r, c);
}

const settled = { q: 0, r: 0 };
function settle(q: number, r: number, c: number): { q: number; r: number } {
  while (r < 0) {
    q -= 1;
    r += c;
  }
  while (r >= c) {
    q += 1;
    r -= c;
  }
  settled.q = q;
  settled.r = r;
  return settled;
}

/**
 * a*b/c, exact before one rounding. `c` must be positive; the result must fit a safe integer.
 * `floor` and `ceil` go towards minus and plus infinity, `trunc` towards zero, `half-away` to the nearest.
 */
export function mulDiv(a: number, b: number, c: number, rounding: Rounding): number {
  if (!(c > 0)) throw new InvariantError(`mulDiv needs a positive divisor, got ${c}`);
  const negative = a < 0 !== b < 0 && a !== 0 && b !== 0;
  const { q, r } = mulDivFloor(Math.abs(a), Math.abs(b), c);
  if (r === 0) return safe(negative ? -q : q);
  switch (rounding) {
    case 'floor':
      return safe(negative ? -q - 1 : q);
    case 'ceil':
      return safe(negative ? -q : q + 1);
    case 'trunc':
      return safe(negative ? -q : q);
    case 'half-away': {
      const up = r * 2 >= c ? q + 1 : q;
      return safe(negative ? -up : up);
    }
  }
}

/**
 * Reads a decimal text exactly into units of 10^-scale: `parseDecimal('1.05', 2)` is 105.
 * Returns null for bad text, for more digits than `scale` holds, or beyond 2^53.
 */
export function parseDecimal(text: string, scale: number): number | null {
  const match = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text.trim());
  if (!match) return null;
  const exponent = Number(match[4] ?? 0) + scale;
  const digits = match[2]! + (match[3] ?? '');
  const shift = exponent - (match[3] ?? '').length;
  if (shift > 40 || shift < -400) return Number(digits) === 0 ? 0 : null;
  let units: bigint;
  if (shift >= 0) {
    units = BigInt(digits) * 10n ** BigInt(shift);
  } else {
    const divisor = 10n ** BigInt(-shift);
    units = BigInt(digits);
    if (units % divisor !== 0n) return null;
    units /= divisor;
  }
  if (units > BigInt(LIMIT)) return null;
  const value = Number(units);
  return match[1] === '-' && value !== 0 ? -value : value;
}

/** Units of 10^-scale as plain decimal text without trailing zeros: `formatDecimal(105, 2)` is `1.05`. */
export function formatDecimal(units: number, scale: number): string {
  safe(units);
  if (scale === 0) return String(units === 0 ? 0 : units);
  const digits = String(Math.abs(units)).padStart(scale + 1, '0');
  const whole = digits.slice(0, -scale);
  const fraction = digits.slice(-scale).replace(/0+$/, '');
  return (units < 0 ? '-' : '') + whole + (fraction ? `.${fraction}` : '');
}

/** A positive decimal step: units * 10^-scale. A tick of 0.5 is {units: 5, scale: 1}. */
export interface Step {
  readonly units: number;
  readonly scale: number;
}

const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i);

/** 10^n for 0 <= n <= 22, exact. */
export function power10(n: number): number {
  const value = POWERS[n];
  if (value === undefined) throw new InvariantError(`power10 out of range: ${n}`);
  return value;
}

/** Reads a step such as `0.001`. Returns null unless it is a positive decimal with at most 12 digits after the point. */
export function parseStep(text: string): Step | null {
  const units = parseDecimal(text, 12);
  if (units === null || units <= 0) return null;
  let scale = 12;
  let rest = units;
  while (scale > 0 && rest % 10 === 0) {
    rest /= 10;
    scale -= 1;
  }
  return { units: rest, scale };
}

/** `count` steps as a float. */
export function stepsToNumber(count: number, step: Step): number {
  return (count * step.units) / power10(step.scale);
}

/** `count` steps as exact decimal text. */
export function stepsToText(count: number, step: Step): string {
  const value = BigInt(count) * BigInt(step.units);
  const digits = (value < 0n ? -value : value).toString().padStart(step.scale + 1, '0');
  if (step.scale === 0) return value.toString();
  const whole = digits.slice(0, -step.scale);
  const fraction = digits.slice(-step.scale).replace(/0+$/, '');
  return (value < 0n ? '-' : '') + whole + (fraction ? `.${fraction}` : '');
}

/**
 * The number of steps in a float. A float that is a grid point written in binary (0.1 + 0.2 style noise below
 * 1e-6 of a step, or within the float's own precision) counts as that grid point before `rounding` applies.
 * Throws on NaN, infinity and overflow: such a value must have been refused earlier.
 */
export function numberToSteps(value: number, step: Step, rounding: Rounding): number {
  const exact = (value * power10(step.scale)) / step.units;
  if (!Number.isFinite(exact)) throw new InvariantError(`not a finite number of steps: ${value}`);
  const nearest = Math.round(exact);
  const tolerance = Math.max(1e-6, Math.abs(exact) * 4 * Number.EPSILON);
  if (Math.abs(exact - nearest) <= tolerance) return safe(nearest);
  switch (rounding) {
    case 'floor':
      return safe(Math.floor(exact));
    case 'ceil':
      return safe(Math.ceil(exact));
    case 'trunc':
      return safe(Math.trunc(exact));
    case 'half-away':
      return safe(nearest);
  }
}
