import { describe, expect, it } from 'vitest';
import { Chance, type WasmMemory, wasmMemory } from '#base';
import { ROWS_BEHIND, scanOver } from './scan.ts';

const SHARE = 1e-12;
const ROWS = 400;

function column(memory: WasmMemory, at: number) {
  const address = at * 16 * ROWS;
  const shortAddress = address + 8 * ROWS;
  return {
    address,
    shortAddress,
    values: new Float64Array(memory.buffer, address, ROWS),
    shorts: new Int16Array(memory.buffer, shortAddress, ROWS),
  };
}

const isBelow = (a: number, b: number) => b - a > SHARE * Math.max(Math.abs(a), Math.abs(b));

describe('crosses', () => {
  const memory = wasmMemory(1);
  const { crosses, fillShorts } = scanOver(memory, SHARE);
  const a = column(memory, 0);
  const b = column(memory, 1);
  const OUT = 4 * 8 * ROWS;
  const out = new Int32Array(memory.buffer, OUT, ROWS);

  it('finds the rows at which two columns change sides, as a plain loop does', () => {
    const chance = new Chance('scan');
    let found = 0;
    let certainly = 0;
    for (let round = 0; round < 3_000; round++) {
      const from = chance.below(20);
      const to = from + chance.below(ROWS - ROWS_BEHIND - 20);
      const rare = chance.uniform() * 0.05;
      const holes = chance.happens(0.5) ? 2 : 0;
      const level = [0, 100, 1e9, -5][chance.below(4)]!;
      let side = 1;
      for (let i = 0; i < ROWS; i++) {
        const special = chance.below(60);
        const x = level + chance.normal();
        a.values[i] = special < holes ? [Number.NaN, Infinity][special]! : x;
        if (chance.happens(rare)) side = -side;
        const y = special < 9 ? x : x - side * chance.uniform();
        b.values[i] = special === 9 && holes > 0 ? Number.NaN : special === 3 ? x + Math.abs(x) * 1e-13 : y;
      }
      const certain = fillShorts([a, b], 0, ROWS);
      if (certain === 2) certainly += 1;
      let above = chance.below(2);
      const start = above;
      const wanted: number[] = [];
      for (let row = from; row < to; row++) {
        const low = above === 1 ? a : b;
        const high = above === 1 ? b : a;
        if (!isBelow(low.values[row]!, high.values[row]!)) continue;
        wanted.push(row);
        above = 1 - above;
      }
      const addresses = [a.shortAddress, b.shortAddress, a.address, b.address] as const;
      const end = crosses(...addresses, from, to, start, certain, OUT);
      expect([...out.subarray(0, (end - OUT) / 4)]).toEqual(wanted);
      found += wanted.length;
    }
    expect(found).toBeGreaterThan(5_000);
    // both ways of deciding were tried
    expect(certainly).toBeGreaterThan(500);
    expect(certainly).toBeLessThan(2_900);
  });

  it('never puts a row that lies below above in sixteen bits', () => {
    const chance = new Chance('shorts');
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < ROWS; i++) {
        // far outside of what the sample has seen, now and then
        a.values[i] = chance.normal() * (chance.happens(0.02) ? 1e6 : 1);
        b.values[i] = chance.happens(0.5) ? a.values[i]! : chance.normal();
      }
      fillShorts([a, b], 0, ROWS);
      for (let i = 0; i < ROWS; i++) {
        if (a.values[i]! < b.values[i]!) expect(a.shorts[i]!).toBeLessThanOrEqual(b.shorts[i]!);
        if (a.values[i]! > b.values[i]!) expect(a.shorts[i]!).toBeGreaterThanOrEqual(b.shorts[i]!);
      }
    }
  });
});
