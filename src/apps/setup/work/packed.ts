import { z } from 'zod';
import { assert } from '#base';

/** Doubles, little-endian, in base64: bit for bit, and shorter than decimals. */
export function packDoubles(values: ArrayLike<number>): string {
  return Buffer.from(Float64Array.from(values).buffer).toString('base64');
}

/** Null when it is not that, or one of them is no finite number. */
export function unpackDoubles(text: string): Float64Array<ArrayBuffer> | null {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % 8 !== 0) return null;
  const values = new Float64Array(bytes.length / 8);
  new Uint8Array(values.buffer).set(bytes);
  return values.every(Number.isFinite) ? values : null;
}

/** Medians of trials before, as they stand in a job. JSON knows no infinity, and here it is not the same as none. */
export const mediansSchema = z.array(z.union([z.number(), z.literal('Infinity')]).nullable()).max(10_000);
type PackedMedians = z.output<typeof mediansSchema>;

export const packMedians = (medians: readonly (number | null)[]): PackedMedians =>
  medians.map((median) => {
    if (median === Number.POSITIVE_INFINITY) return 'Infinity';
    assert(median === null || Number.isFinite(median), 'a median of losses is a number');
    return median;
  });

export const unpackMedians = (medians: PackedMedians): (number | null)[] =>
  medians.map((median) => (median === 'Infinity' ? Number.POSITIVE_INFINITY : median));
