import { InputError } from '#base';

/** What a swept parameter can be set to. */
export type GridValue = number | string | boolean | null;

/** One swept parameter: its name and its values, each once; numbers in rising order. */
export interface GridAxis {
  readonly name: string;
  readonly values: readonly GridValue[];
  /** Whether all values are numbers, so that one of them lies next to another. */
  readonly ordered: boolean;
}

/** Most combinations of a grid, those that `--where` leaves out included. */
export const GRID_MAX = 1_000_000;

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
const FORMS = 'write NAME=FROM:TO:STEP or NAME=VALUE,VALUE, such as fast=5:60:1 or mode=long-flat,long-short';

/**
 * Reads `fast=5:60:1` (numbers from 5 to at most 60), `mode=long-flat,long-short`, or both mixed: `slow=20:100:20,200`.
 * Numbers, true, false and null are read as such; anything else, and what stands in double quotes, is text. Throws
 * InputError for an impossible range, a value given twice and an axis of more than {@link GRID_MAX} values.
 */
export function readAxis(text: string): GridAxis {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(0, equals)).trim();
  if (name === '') throw new InputError(`--param "${text}" names no parameter`, FORMS);
  const values: GridValue[] = [];
  for (const item of text.slice(equals + 1).split(',')) {
    const word = item.trim();
    if (word === '') throw new InputError(`--param "${text}": a value is missing`, FORMS);
    if (/^[-+]?[\d.]/.test(word) && word.includes(':')) addRange(name, word, values);
    else values.push(readValue(word));
  }
  const ordered = values.every((value) => typeof value === 'number');
  if (ordered) (values as number[]).sort((a, b) => a - b);
  const seen = new Set<GridValue>();
  for (const value of values) {
    if (seen.has(value)) {
      throw new InputError(`--param ${name} has the value ${String(value)} twice`, 'give every value once');
    }
    seen.add(value);
  }
  return { name, values, ordered };
}

function addRange(name: string, word: string, into: GridValue[]): void {
  const parts = word.split(':');
  const wrong = (what: string, mend: string) => new InputError(`--param ${name}=${word}: ${what}`, mend);
  if (parts.length !== 3) throw wrong('a range has three numbers', FORMS);
  const bad = parts.find((part) => !NUMBER.test(part) || !Number.isFinite(Number(part)));
  if (bad !== undefined) throw wrong(`"${bad}" is not a number`, FORMS);
  const [from, to, step] = parts.map(Number) as [number, number, number];
  if (step <= 0)
    throw wrong(`the step is ${step}`, `give a step above 0; a grid of one value is ${name}=${from}`);
  if (from > to) throw wrong(`it goes from ${from} down to ${to}`, `write ${to}:${from}:${step}`);
  // a part of a step is what decimals leave behind
  const count = Math.floor((to - from) / step + 1e-9) + 1;
  if (count + into.length > GRID_MAX) {
    throw wrong(`it has ${count} values`, `take a larger step; a sweep has at most ${GRID_MAX} combinations`);
  }
  // no more decimals than first value and step have, so that 0.1 + 2 * 0.1 is 0.3
  const decimals = Math.min(100, Math.max(decimalsOf(parts[0]!), decimalsOf(parts[2]!)));
  for (let k = 0; k < count; k++) {
    const value = decimals === 0 ? from + k * step : Number((from + k * step).toFixed(decimals));
    into.push(value === 0 ? 0 : value);
  }
}

/** Digits behind the point of a number as it is written: 1 of `0.5`, 3 of `1e-3`. */
function decimalsOf(text: string): number {
  const [, digits = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  return Math.max(0, digits.length - Number(exponent));
}

function readValue(word: string): GridValue {
  if (NUMBER.test(word)) {
    const value = Number(word);
    if (!Number.isFinite(value)) throw new InputError(`${word} is too large for a number`, FORMS);
    return value === 0 ? 0 : value;
  }
  if (word === 'true' || word === 'false') return word === 'true';
  if (word === 'null') return null;
  const quoted = /^"([^"]*)"$/.exec(word);
  if (quoted !== null) return quoted[1]!;
  if (/^[[{"]/.test(word)) {
    throw new InputError(
      `${word} is neither a number nor a word`,
      'sweep numbers, words, true, false and null; lists are set with --set',
    );
  }
  return word;
}

/**
 * All combinations of some axes, numbered from 0: the first axis changes slowest, the last one with every number. Nothing is
 * kept for a combination, so a grid of a million of them costs no memory.
 */
export class Grid {
  readonly axes: readonly GridAxis[];
  /** Combinations. */
  readonly size: number;
  /** By how much a combination's number grows with one step along each axis. */
  private readonly strides: readonly number[];

  /** Throws InputError for no axis, two of one name, and more than {@link GRID_MAX} combinations. */
  constructor(axes: readonly GridAxis[]) {
    if (axes.length === 0)
      throw new InputError('a sweep needs at least one parameter', 'add --param fast=5:60:5');
    const names = axes.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) {
      throw new InputError(`--param ${twice} is given twice`, `join them: ${twice}=VALUES,VALUES`);
    }
    const strides: number[] = [];
    let size = 1;
    for (let a = axes.length - 1; a >= 0; a--) {
      strides[a] = size;
      size *= axes[a]!.values.length;
    }
    if (size > GRID_MAX) {
      throw new InputError(
        `${axes.map(({ values }) => values.length).join(' x ')} are ${size} combinations`,
        `take larger steps; a sweep has at most ${GRID_MAX}`,
      );
    }
    this.axes = axes;
    this.size = size;
    this.strides = strides;
  }

  /** The values of combination `index`, in the order of the axes. */
  valuesAt(index: number): GridValue[] {
    return this.axes.map(({ values }, a) => values[this.levelAt(index, a)]!);
  }

  /** The values of combination `index` by name. */
  pointAt(index: number): Record<string, GridValue> {
    return Object.fromEntries(this.valuesAt(index).map((value, a) => [this.axes[a]!.name, value]));
  }

  /** The combination with these values, or null when it is not on the grid. */
  indexOf(values: readonly GridValue[]): number | null {
    let index = 0;
    for (const [a, axis] of this.axes.entries()) {
      const level = axis.values.indexOf(values[a] as GridValue);
      if (level < 0) return null;
      index += level * this.strides[a]!;
    }
    return index;
  }

  /**
   * Combinations at most one step away along every ordered axis, along several at once too, without `index` itself, in
   * rising order. Along axes without an order nothing lies near: those values stay.
   */
  neighboursOf(index: number): number[] {
    let found = [index];
    for (const [a, { ordered, values }] of this.axes.entries()) {
      if (!ordered) continue;
      const level = this.levelAt(index, a);
      const stride = this.strides[a]!;
      found = found.flatMap((one) => [
        ...(level > 0 ? [one - stride] : []),
        one,
        ...(level + 1 < values.length ? [one + stride] : []),
      ]);
    }
    return found.filter((one) => one !== index).sort((a, b) => a - b);
  }

  private levelAt(index: number, axis: number): number {
    return Math.floor(index / this.strides[axis]!) % this.axes[axis]!.values.length;
  }
}

/** `fast=5 slow=20`, as people read a combination. */
export function pointText(point: Readonly<Record<string, unknown>>): string {
  return Object.entries(point)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
}
