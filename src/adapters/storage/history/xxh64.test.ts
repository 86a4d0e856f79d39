import { describe, expect, it } from 'vitest';
import { sharedWasmMemory } from '#base';
import { xxh64In, xxh64Of } from './xxh64.ts';

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + 3) & 255);

/** The same bytes behind a page of something else. */
function inMemory(bytes: Uint8Array): bigint {
  const memory = sharedWasmMemory(4096 + bytes.length);
  new Uint8Array(memory.buffer, 0, 4096).fill(0xaa);
  const place = new Uint8Array(memory.buffer, 4096, bytes.length);
  place.set(bytes);
  return xxh64In(memory, place);
}

describe('XXH64', () => {
  // by the reference implementation (xxHash 0.8, as npm's xxhash-wasm 1.1 compiles it)
  it.each([
    [0, 0xef46db3751d8e999n],
    [8, 0xdab99d95c6f90092n],
    [24, 0xc47c71bd4694ff81n],
    [32, 0x23c3c17ef790fd97n],
    [40, 0xb620306b253d76b6n],
    [56, 0xed350c04e51a88e9n],
    [64, 0x0eb64b3ef6eeb01fn],
    [96, 0x3101a958de582e18n],
    [1024, 0xe6816a6e134b7a33n],
    [262_184, 0x5e4d9f907258b3ffn],
    [1_048_584, 0xab11c99fc95f3379n],
  ])('of %d bytes is that of the reference, in place and copied', (length, digest) => {
    expect(xxh64Of(bytesOf(length))).toBe(digest);
    expect(inMemory(bytesOf(length))).toBe(digest);
  });

  it('tells two flipped sign bits, exchanged words and a page of zeros', () => {
    const good = bytesOf(300_000);
    const digest = xxh64Of(good);
    const flipped = good.slice();
    for (const at of [7, 64 + 7, 128 + 7]) flipped[at]! ^= 0x80;
    const exchanged = good.slice();
    exchanged.set(good.subarray(0, 8), 32);
    exchanged.set(good.subarray(32, 40), 0);
    const blank = good.slice().fill(0, 4096, 8192);
    for (const bad of [flipped, exchanged, blank]) expect(xxh64Of(bad)).not.toBe(digest);
  });

  it('takes whole words only, and in place only what lies there', () => {
    expect(() => xxh64Of(bytesOf(12))).toThrow(/whole words/);
    expect(() => xxh64In(sharedWasmMemory(64), bytesOf(8))).toThrow(/not in the memory/);
  });
});
