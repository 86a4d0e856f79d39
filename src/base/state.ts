import { assert, InvariantError } from './assert.ts';

/**
 * Snapshots of running objects without hand-written save and load.
 *
 * A stateful class keeps all its mutable state in fields. Fields hold primitives, typed arrays, plain data
 * (objects, arrays, Maps, Sets of plain data) or further stateful objects that its constructor made; a collection
 * that grows at run time holds plain data only. What a class was configured with is named in
 * `static readonly configuration` and left out: the restored object is constructed from the same configuration.
 * Every mutable object has one owner; whoever else holds a reference to it names that field in `configuration`.
 */
export type Captured = unknown;

/**
 * For an owner of stateful objects that come and go: it says itself what to keep (plain data or anything that
 * {@link captureState} takes) and makes its objects again from it.
 */
export interface OwnState {
  captureOwn(): unknown;
  restoreOwn(state: unknown): void;
}

/** For an object that works ahead of its state: called before the state is captured. */
export interface Settles {
  settleState(): void;
}

function settles(value: object): value is Settles {
  return typeof (value as Partial<Settles>).settleState === 'function';
}

function hasOwnState(value: object): value is OwnState {
  return typeof (value as Partial<OwnState>).captureOwn === 'function';
}

interface Tagged {
  $: 'f64' | 'i32' | 'u32' | 'u8' | 'map' | 'set' | 'nan' | '+inf' | '-inf' | 'undef' | '-0' | 'big';
  v?: unknown;
}

const ARRAYS = { f64: Float64Array, i32: Int32Array, u32: Uint32Array, u8: Uint8Array } as const;

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function configurationOf(value: object): readonly string[] {
  return (value.constructor as { configuration?: readonly string[] }).configuration ?? [];
}

/** The mutable state of `value` as plain JSON data. */
export function captureState(value: unknown): Captured {
  switch (typeof value) {
    case 'number':
      if (Number.isNaN(value)) return { $: 'nan' } satisfies Tagged;
      if (value === Infinity) return { $: '+inf' } satisfies Tagged;
      if (value === -Infinity) return { $: '-inf' } satisfies Tagged;
      return Object.is(value, -0) ? ({ $: '-0' } satisfies Tagged) : value;
    case 'string':
    case 'boolean':
      return value;
    case 'undefined':
      return { $: 'undef' } satisfies Tagged;
    case 'bigint':
      return { $: 'big', v: value.toString() } satisfies Tagged;
    case 'object':
      return value === null ? null : captureObject(value);
    default:
      throw new InvariantError(`state holds a ${typeof value}: name its field in static configuration`);
  }
}

function captureObject(value: object): Captured {
  if (Array.isArray(value)) return value.map(captureState);
  for (const [tag, type] of Object.entries(ARRAYS)) {
    if (value instanceof type) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      return { $: tag as Tagged['$'], v: bytes.toString('base64') } satisfies Tagged;
    }
  }
  if (value instanceof Map) {
    return { $: 'map', v: [...value].map(([k, v]) => [captureState(k), captureState(v)]) } satisfies Tagged;
  }
  if (value instanceof Set) return { $: 'set', v: [...value].map(captureState) } satisfies Tagged;
  if (hasOwnState(value)) return captureState(value.captureOwn());
  if (settles(value)) value.settleState();
  const skip = isPlain(value) ? [] : configurationOf(value);
  const out: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (!skip.includes(key) && typeof member !== 'function') out[key] = captureState(member);
  }
  return out;
}

/** Plain data back from its captured form. */
export function reviveState(captured: Captured): unknown {
  if (captured === null || typeof captured !== 'object') return captured;
  if (Array.isArray(captured)) return captured.map(reviveState);
  if ('$' in captured) return reviveTagged(captured as Tagged);
  return Object.fromEntries(Object.entries(captured).map(([k, v]) => [k, reviveState(v)]));
}

function reviveTagged(tagged: Tagged): unknown {
  switch (tagged.$) {
    case 'nan':
      return Number.NaN;
    case '+inf':
      return Infinity;
    case '-inf':
      return -Infinity;
    case '-0':
      return -0;
    case 'undef':
      return undefined;
    case 'big':
      return BigInt(tagged.v as string);
    case 'map':
      return new Map((tagged.v as [unknown, unknown][]).map(([k, v]) => [reviveState(k), reviveState(v)]));
    case 'set':
      return new Set((tagged.v as unknown[]).map(reviveState));
    default: {
      const bytes = Buffer.from(tagged.v as string, 'base64');
      return new ARRAYS[tagged.$](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    }
  }
}

function isStateful(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Map) &&
    !(value instanceof Set) &&
    !isPlain(value)
  );
}

/** Puts a captured state back into `target`, an object newly constructed from the same configuration. */
export function restoreState(target: object, captured: Captured): void {
  assert(typeof captured === 'object' && captured !== null, 'captured state is not an object');
  const fields = target as Record<string, unknown>;
  for (const [key, value] of Object.entries(captured)) {
    const current = fields[key];
    if (isStateful(current) && hasOwnState(current)) current.restoreOwn(reviveState(value));
    else if (isStateful(current)) restoreState(current, value);
    else if (Array.isArray(current) && current.length > 0 && current.some(isStateful)) {
      const list = value as unknown[];
      assert(list.length === current.length, `captured list ${key} has another length`);
      current.forEach((item, i) => {
        if (isStateful(item)) restoreState(item, list[i]);
        else current[i] = reviveState(list[i]);
      });
    } else if (current instanceof Map && [...current.values()].some(isStateful)) {
      const revived = new Map((value as { v: [unknown, unknown][] }).v.map(([k, v]) => [reviveState(k), v]));
      for (const [k, item] of current) restoreState(item as object, revived.get(k));
    } else fields[key] = reviveState(value);
  }
}
