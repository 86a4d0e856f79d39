import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OnnxConstant, onnxModel } from './onnx-writer.ts';

/** Pieces of the tiny model, and how good or bad it finds each. */
const PIECES: readonly (readonly [piece: string, feeling: number])[] = [
  ['[PAD]', 0],
  ['[UNK]', 0],
  ['[CLS]', 0],
  ['[SEP]', 0],
  ['bitcoin', 0],
  ['market', 0],
  ['the', 0],
  ['.', 0],
  ['surge', 1],
  ['##s', 0],
  ['gain', 1],
  ['crash', -1],
  ['##es', 0],
  ['hack', -1],
  ['fraud', -1],
  ['flat', 0],
];

export const TINY_PIECES = PIECES.map(([piece]) => piece);

/** Weight of a feeling in the logits. */
export const TINY_WEIGHT = 20;
/** Logit of "neutral". */
export const TINY_NEUTRAL = 0.5;

export interface TinyFinbertOptions {
  /** Order of the outputs. */
  readonly labels?: readonly ('positive' | 'negative' | 'neutral')[];
  /** `vocab.txt` with `tokenizer_config.json`, or `tokenizer.json`. */
  readonly vocabulary?: 'txt' | 'json';
}

/**
 * A classifier of the shape of FinBERT's in a few hundred bytes: the mean embedding of the tokens under the attention mask, one
 * linear layer to three logits. A text of n tokens (marks included) with feelings f has the logits
 * {@link TINY_WEIGHT} x sum(f)/n for positive, the same negated for negative, {@link TINY_NEUTRAL} for neutral.
 */
export function tinyFinbertModel(labels: readonly string[]): Uint8Array {
  const embedding = new Float32Array(PIECES.length * 2);
  for (const [i, [, feeling]] of PIECES.entries()) embedding.set([feeling, 0.25], i * 2);
  const weights = new Float32Array(2 * labels.length);
  const bias = new Float32Array(labels.length);
  for (const [i, label] of labels.entries()) {
    weights[i] = label === 'positive' ? TINY_WEIGHT : label === 'negative' ? -TINY_WEIGHT : 0;
    bias[i] = label === 'neutral' ? TINY_NEUTRAL : 0;
  }
  const constants: OnnxConstant[] = [
    { name: 'embedding', dims: [PIECES.length, 2], data: embedding },
    { name: 'weights', dims: [2, labels.length], data: weights },
    { name: 'bias', dims: [labels.length], data: bias },
    { name: 'last', dims: [1], data: BigInt64Array.of(2n) },
    { name: 'tokens', dims: [1], data: BigInt64Array.of(1n) },
  ];
  return onnxModel({
    nodes: [
      { op: 'Gather', inputs: ['embedding', 'input_ids'], outputs: ['embedded'], attributes: { axis: 0 } },
      { op: 'Cast', inputs: ['attention_mask'], outputs: ['mask'], attributes: { to: 1 } },
      { op: 'Unsqueeze', inputs: ['mask', 'last'], outputs: ['mask3'] },
      { op: 'Mul', inputs: ['embedded', 'mask3'], outputs: ['masked'] },
      { op: 'ReduceSum', inputs: ['masked', 'tokens'], outputs: ['sum'], attributes: { keepdims: 0 } },
      { op: 'ReduceSum', inputs: ['mask', 'tokens'], outputs: ['count'], attributes: { keepdims: 1 } },
      { op: 'Div', inputs: ['sum', 'count'], outputs: ['mean'] },
      { op: 'MatMul', inputs: ['mean', 'weights'], outputs: ['linear'] },
      { op: 'Add', inputs: ['linear', 'bias'], outputs: ['logits'] },
    ],
    constants,
    inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => ({
      name,
      type: 'int64' as const,
      dims: ['batch', 'sequence'],
    })),
    outputs: [{ name: 'logits', type: 'float', dims: ['batch', labels.length] }],
  });
}

/** Files of a model folder as Hugging Face lays one out, by name. */
export function tinyFinbertFiles(options: TinyFinbertOptions = {}): Map<string, Uint8Array> {
  const { labels = ['positive', 'negative', 'neutral'], vocabulary = 'json' } = options;
  const config = {
    model_type: 'bert',
    max_position_embeddings: 512,
    id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])),
  };
  const tokenizer = {
    normalizer: { type: 'BertNormalizer', lowercase: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      vocab: Object.fromEntries(TINY_PIECES.map((p, i) => [p, i])),
    },
  };
  const files = new Map<string, string | Uint8Array>([
    ['config.json', JSON.stringify(config)],
    ['tokenizer_config.json', JSON.stringify({ do_lower_case: true })],
    ['onnx/model.onnx', tinyFinbertModel(labels)],
  ]);
  if (vocabulary === 'json') files.set('tokenizer.json', JSON.stringify(tokenizer));
  else files.set('vocab.txt', `${TINY_PIECES.join('\n')}\n`);
  return new Map([...files].map(([name, data]) => [name, Buffer.from(data)]));
}

/** Writes a model folder. */
export function writeTinyFinbert(folder: string, options: TinyFinbertOptions = {}): void {
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  for (const [name, data] of tinyFinbertFiles(options)) writeFileSync(join(folder, name), data);
}
