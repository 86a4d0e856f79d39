/** Enough of ONNX's protocol buffers (onnx.proto, IR version 8) to write small models without any package. */

type Bytes = Uint8Array;

const concat = (parts: readonly Bytes[]): Bytes => Buffer.concat(parts);

function varint(value: number | bigint): Bytes {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    out.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(out);
}

const VARINT = 0;
const LENGTH = 2;
const key = (field: number, wire: number) => varint((field << 3) | wire);
const number = (field: number, value: number | bigint) => concat([key(field, VARINT), varint(value)]);
const bytes = (field: number, value: Bytes) => concat([key(field, LENGTH), varint(value.length), value]);
const text = (field: number, value: string) => bytes(field, Buffer.from(value, 'utf8'));

const FLOAT = 1;
const INT64 = 7;

export type OnnxAttribute = number | readonly number[];

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxConstant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export interface OnnxPlace {
  readonly name: string;
  readonly type: 'float' | 'int64';
  /** A name where the length is free. */
  readonly dims: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly inputs: readonly OnnxPlace[];
  readonly outputs: readonly OnnxPlace[];
}

const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

function attribute(name: string, value: OnnxAttribute): Bytes {
  return typeof value === 'number'
    ? concat([text(1, name), number(3, value), number(20, ATTRIBUTE_INT)])
    : concat([text(1, name), ...value.map((one) => number(8, one)), number(20, ATTRIBUTE_INTS)]);
}

function nodeOf({ op, inputs, outputs, attributes = {} }: OnnxNode): Bytes {
  return concat([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value))),
  ]);
}

function constantOf({ name, dims, data }: OnnxConstant): Bytes {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return concat([
    ...dims.map((dim) => number(1, dim)),
    number(2, data instanceof Float32Array ? FLOAT : INT64),
    text(8, name),
    bytes(9, raw),
  ]);
}

function placeOf({ name, type, dims }: OnnxPlace): Bytes {
  const shape = concat(dims.map((dim) => bytes(1, typeof dim === 'number' ? number(1, dim) : text(2, dim))));
  const tensor = concat([number(1, type === 'float' ? FLOAT : INT64), bytes(2, shape)]);
  return concat([text(1, name), bytes(2, bytes(1, tensor))]);
}

const IR_VERSION = 8;
const OPSET = 13;

/** The bytes of a model file. */
export function onnxModel({ nodes, constants, inputs, outputs }: OnnxGraph): Uint8Array {
  const graph = concat([
    ...nodes.map((node) => bytes(1, nodeOf(node))),
    text(2, 'graph'),
    ...constants.map((constant) => bytes(5, constantOf(constant))),
    ...inputs.map((place) => bytes(11, placeOf(place))),
    ...outputs.map((place) => bytes(12, placeOf(place))),
  ]);
  return concat([number(1, IR_VERSION), text(2, 'quorum-test'), bytes(7, graph), bytes(8, number(2, OPSET))]);
}
