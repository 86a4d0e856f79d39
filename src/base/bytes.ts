/** Whether this machine keeps numbers as the bytes below have them; then they are copied whole. */
const IS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Doubles as bytes, little-endian whatever the machine. */
export function doubleBytes(values: Float64Array): Uint8Array {
  if (IS_LITTLE) return new Uint8Array(values.slice().buffer);
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat64(i * 8, values[i]!, true);
  return bytes;
}

/** The doubles that {@link doubleBytes} wrote. */
export function doublesOf(bytes: Uint8Array): Float64Array {
  if (IS_LITTLE) return new Float64Array(bytes.slice(0, bytes.length & ~7).buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float64Array(bytes.length >> 3);
  for (let i = 0; i < out.length; i++) out[i] = view.getFloat64(i * 8, true);
  return out;
}

/** 32-bit integers as bytes, little-endian. */
export function wholeBytes(values: Int32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setInt32(i * 4, values[i]!, true);
  return bytes;
}

/** The integers that {@link wholeBytes} wrote. */
export function wholesOf(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Int32Array(bytes.length >> 2);
  for (let i = 0; i < out.length; i++) out[i] = view.getInt32(i * 4, true);
  return out;
}
