import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Chance, InputError } from '#base';
import { computeFeatures, defineFeature, FeatureFrame } from '#features';
import { barColumns } from '#market';
import { crossed } from '#signals';
import { readAnswers } from '../../src/apps/setup/answers-file.ts';
import '../../examples/04-custom-indicator.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorum-parts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function randomCloses(n: number): number[] {
  const chance = new Chance('closes');
  let price = 100;
  return Array.from({ length: n }, () => {
    price *= Math.exp(0.01 * chance.normal());
    return price;
  });
}

describe('a feature of one’s own', () => {
  const closes = randomCloses(5000);
  const columns = barColumns(closes.length);
  closes.forEach((close, i) => {
    columns.time[i] = i;
    for (const name of ['open', 'high', 'low', 'close'] as const) columns[name][i] = close;
  });
  columns.length = closes.length;

  it('equals its formula and is not defined before its first row', () => {
    const column = computeFeatures(columns, ['efficiency:20']).get('efficiency_20')!;
    for (let i = 0; i < 20; i++) expect(column[i]).toBeNaN();
    for (let i = 20; i < closes.length; i += 97) {
      let path = 0;
      for (let j = i - 19; j <= i; j++) path += Math.abs(closes[j]! - closes[j - 1]!);
      expect(column[i]).toBeCloseTo(Math.abs(closes[i]! - closes[i - 20]!) / path, 12);
    }
  });

  it('gives the same bits bar by bar, also after old bars were dropped', () => {
    const column = computeFeatures(columns, ['efficiency:20']).get('efficiency_20')!;
    const frame = new FeatureFrame(['efficiency:20']);
    const handle = frame.column('efficiency_20');
    closes.forEach((close, i) => {
      frame.push(i, close, close, close, close, 0);
      expect(Object.is(frame.value(handle), column[i]), `row ${i}`).toBe(true);
    });
  });

  it('may not take the name of a built-in one, nor one that an expression cannot hold', () => {
    const mine = {
      name: 'rsi',
      summary: '',
      parameters: [],
      outputs: [{ suffix: '', unit: '' }],
      source: '',
      firstRow: () => 0,
      create: () => ({ lookback: 0, run: () => {} }),
    };
    expect(() => defineFeature(mine)).toThrow(InputError);
    expect(() => defineFeature({ ...mine, name: 'My:Feature' })).toThrow(InputError);
    expect(() => defineFeature({ ...mine, name: 'nothing_at_all', outputs: [] })).toThrow(InputError);
  });
});

describe('recorded answers', () => {
  const file = (text: string) => {
    const path = join(folder, 'answers.jsonl');
    writeFileSync(path, text);
    return path;
  };

  it('belong to a topic and exactly one prompt, whatever the order of its keys', () => {
    const oracle = readAnswers(
      file('{"topic":"t","prompt":{"a":1,"b":[2]},"answer":{"up":0.7},"delayMs":5}\n\n'),
    );
    expect(oracle.answer('t', { b: [2], a: 1 })).toEqual({ answer: { up: 0.7 }, delayMs: 5 });
    expect(oracle.answer('t', { a: 1 })).toBeNull();
    expect(oracle.answer('u', { a: 1, b: [2] })).toBeNull();
  });

  it('name the line that cannot be read', () => {
    const good = '{"topic":"t","prompt":1,"answer":1}\n';
    expect(() => readAnswers(file(`${good}{"topic":`))).toThrow(/answers\.jsonl:2: this line is not JSON/);
    expect(() => readAnswers(file(`${good}{"topic":"t","prompt":1}`))).toThrow(/:2: answer/);
    expect(() => readAnswers(file(`${good}{"topic":"t","prompt":1,"answer":1,"delayMs":-1}`))).toThrow(
      /delayMs/,
    );
    expect(() => readAnswers(join(folder, 'nowhere'))).toThrow(InputError);
  });
});

describe('a cross', () => {
  it('is none where two sums of the same prices differ by rounding only', () => {
    const state = { side: 0 as 1 | 0 | -1 };
    expect(crossed(state, 101, 100)).toBe(0);
    expect(crossed(state, 100, 100 + 1.5e-14)).toBe(0);
    expect(crossed(state, 101, 100)).toBe(0);
    expect(crossed(state, 99.999, 100)).toBe(-1);
    expect(crossed(state, Number.NaN, 100)).toBe(0);
    expect(crossed(state, 101, 100)).toBe(1);
  });
});
