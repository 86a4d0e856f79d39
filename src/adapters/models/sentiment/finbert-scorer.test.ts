import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError, sha256 } from '#base';
import {
  TINY_NEUTRAL,
  TINY_WEIGHT,
  tinyFinbertFiles,
  writeTinyFinbert,
} from '../../../../test/support/tiny-finbert.ts';
import { FinbertScorer, softmax } from './finbert-scorer.ts';
import { loadOnnxRuntime } from './onnx-runtime.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorum-finbert-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function modelFolder(options: Parameters<typeof writeTinyFinbert>[1] = {}): string {
  const path = join(folder, String(made++));
  writeTinyFinbert(path, options);
  return path;
}

/** What the tiny model must give for a text of `tokens` pieces, marks included, with feelings that sum to `feeling`. */
function expected(feeling: number, tokens: number): number {
  const logit = (TINY_WEIGHT * feeling) / tokens;
  const [up, down, flat] = [Math.exp(logit), Math.exp(-logit), Math.exp(TINY_NEUTRAL)];
  return (up - down) / (up + down + flat);
}

async function withScorer<T>(path: string, use: (scorer: FinbertScorer) => Promise<T>): Promise<T> {
  const scorer = await FinbertScorer.open(path);
  try {
    return await use(scorer);
  } finally {
    await scorer.close();
  }
}

describe('FinBERT by the real runtime on a tiny model', () => {
  it('scores texts as the model and softmax do by hand', async () => {
    const texts = [
      'Bitcoin surges.',
      'the market crashes',
      'bitcoin flat',
      '',
      'fraud hack crash',
      'nobody knows',
    ];
    const scores = await withScorer(modelFolder(), (scorer) => scorer.score(texts));
    const byHand = [
      expected(1, 6),
      expected(-1, 6),
      expected(0, 4),
      expected(0, 2),
      expected(-3, 5),
      expected(0, 4),
    ];
    for (const [i, score] of scores.entries()) expect(score).toBeCloseTo(byHand[i]!, 5);
    expect(scores[0]).toBeGreaterThan(0.5);
    expect(scores[4]).toBeLessThan(-0.9);
    expect(scores[2]).toBe(0);
  });

  it('reads the order of the labels from config.json', async () => {
    const texts = ['bitcoin surges', 'hack'];
    const usual = await withScorer(modelFolder(), (scorer) => scorer.score(texts));
    for (const labels of [
      ['neutral', 'negative', 'positive'],
      ['negative', 'neutral', 'positive'],
    ] as const) {
      const other = await withScorer(modelFolder({ labels }), (scorer) => scorer.score(texts));
      expect(other).toEqual(usual);
    }
  });

  it('gives a text the same score alone, in any batch and in any order', async () => {
    const path = modelFolder({ vocabulary: 'txt' });
    const texts = Array.from(
      { length: 21 },
      (_, i) => `${'bitcoin '.repeat(i)}${i % 3 === 0 ? 'surge' : 'crash'}`,
    );
    await withScorer(path, async (scorer) => {
      const together = await scorer.score(texts);
      expect(await scorer.score([...texts].reverse())).toEqual([...together].reverse());
      for (const [i, text] of texts.entries()) expect(await scorer.score([text])).toEqual([together[i]]);
    });
  });

  it('takes a text of any length', async () => {
    const [score] = await withScorer(modelFolder(), (scorer) => scorer.score(['crash '.repeat(5_000)]));
    expect(score).toBeLessThan(-0.99);
  });

  it('names itself by the hash of the model', async () => {
    const hash = sha256(tinyFinbertFiles().get('onnx/model.onnx')!);
    await withScorer(modelFolder(), async (scorer) => {
      expect(scorer).toMatchObject({ name: 'finbert', version: hash, isVerified: false });
    });
  });

  it('refuses files that are not those of the list of checksums', async () => {
    const path = modelFolder();
    const sums = [...tinyFinbertFiles()].map(([name, data]) => `${sha256(data)}  ${name}\n`).join('');
    writeFileSync(join(path, 'SHA256SUMS'), sums);
    await withScorer(path, async (scorer) => expect(scorer.isVerified).toBe(true));
    writeFileSync(
      join(path, 'config.json'),
      JSON.stringify({ id2label: { 0: 'negative', 1: 'positive', 2: 'neutral' } }),
    );
    await expect(FinbertScorer.open(path)).rejects.toThrow('is not the file that was fetched');
  });

  it.each([
    ['no folder', () => join(folder, 'nowhere'), 'there is no FinBERT model'],
    [
      'labels without a meaning',
      () => broken('config.json', JSON.stringify({ id2label: { 0: 'LABEL_0', 1: 'LABEL_1', 2: 'LABEL_2' } })),
      'does not say which outputs',
    ],
    ['a config that is not JSON', () => broken('config.json', '<html>'), 'is not JSON'],
    ['a config without labels', () => broken('config.json', 'null'), 'does not say which outputs'],
    ['a model that is none', () => broken('onnx/model.onnx', 'version https://git-lfs'), 'cannot be loaded'],
    ['a tokenizer that is none', () => broken('tokenizer.json', '[]'), 'not one of word pieces'],
  ])('refuses %s', async (_, path, message) => {
    await expect(FinbertScorer.open(path())).rejects.toThrow(message);
    await expect(FinbertScorer.open(path())).rejects.toBeInstanceOf(InputError);
  });

  it('refuses a model whose outputs are not those of its config', async () => {
    const path = broken(
      'config.json',
      JSON.stringify({ id2label: { 0: 'positive', 1: 'negative', 2: 'neutral', 3: 'mixed' } }),
    );
    await withScorer(path, async (scorer) => {
      await expect(scorer.score(['hack'])).rejects.toThrow('not one row of 4 classes');
    });
  });

  it('says how to install a runtime that is missing', async () => {
    const missing = loadOnnxRuntime(folder, 'onnxruntime-that-nobody-has');
    await expect(missing).rejects.toThrow(
      'needs the package onnxruntime-that-nobody-has, which is not installed',
    );
    await expect(missing).rejects.toMatchObject({ mend: expect.stringContaining('npm install') });
  });

  function broken(name: string, text: string): string {
    const path = modelFolder();
    writeFileSync(join(path, name), text);
    return path;
  }
});

describe('softmax', () => {
  it('adds up to one, and does not overflow', () => {
    expect([...softmax([0, 0])]).toEqual([0.5, 0.5]);
    const far = softmax([1_000, 0, -1_000]);
    expect([...far]).toEqual([1, 0, 0]);
    expect([...softmax([1, 2, 3])].reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12);
  });
});
