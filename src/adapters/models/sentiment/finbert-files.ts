import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '#base';
import { CHECKSUM_FILE, parseChecksums, sha256OfFile } from '../checksums.ts';
import { TOKENS_MOST, type WordPiece, wordPieceOfTokenizer, wordPieceOfVocabulary } from './word-piece.ts';

/** A model folder as it was read. */
export interface FinbertFiles {
  readonly modelPath: string;
  /** SHA-256 of the model file. */
  readonly modelHash: string;
  /** Whether a list of checksums vouches for the files. */
  readonly isVerified: boolean;
  readonly tokenizer: WordPiece;
  /** Places of the two classes among the model's outputs. */
  readonly positive: number;
  readonly negative: number;
  /** Number of classes. */
  readonly classes: number;
  readonly tokensMost: number;
}

const MODELS = ['onnx/model.onnx', 'model.onnx', 'onnx/model_quantized.onnx', 'model_quantized.onnx'];
/** Settings and vocabularies are small; more is something else. */
const TEXT_MOST = 64 * 1024 * 1024;

const FETCH = 'fetch it: quorum models fetch finbert';

/**
 * Reads a folder as Hugging Face lays one out: `config.json` with the order of the labels, `tokenizer.json` or `vocab.txt`, and
 * the model in ONNX. With a `SHA256SUMS` every file it names must match. Throws {@link InputError}.
 */
export async function readFinbertFiles(folder: string): Promise<FinbertFiles> {
  const model = MODELS.find((name) => existsSync(join(folder, name)));
  if (model === undefined || !existsSync(join(folder, 'config.json')))
    throw new InputError(`there is no FinBERT model in ${folder}`, FETCH);
  const sums = await verified(folder);
  const config = readJson(folder, 'config.json');
  const { positive, negative, classes } = labelsOf(config, join(folder, 'config.json'));
  const modelPath = join(folder, model);
  const most = (config as { max_position_embeddings?: unknown }).max_position_embeddings;
  return {
    modelPath,
    modelHash: sums?.get(model) ?? (await sha256OfFile(modelPath)),
    isVerified: sums?.has(model) ?? false,
    tokenizer: tokenizerIn(folder),
    positive,
    negative,
    classes,
    tokensMost: Number.isSafeInteger(most) ? Math.min(TOKENS_MOST, most as number) : TOKENS_MOST,
  };
}

/** Checks a folder against its own list of checksums; null when it has none. Throws {@link InputError} at the first difference. */
async function verified(folder: string): Promise<Map<string, string> | null> {
  const path = join(folder, CHECKSUM_FILE);
  if (!existsSync(path)) return null;
  const sums = parseChecksums(readFileSync(path, 'utf8'), path);
  for (const [name, sum] of sums) {
    const file = join(folder, name);
    if (!existsSync(file) || (await sha256OfFile(file)) !== sum)
      throw new InputError(`${file} is not the file that was fetched`, FETCH);
  }
  return sums;
}

function labelsOf(config: unknown, where: string) {
  const { id2label } = (config ?? {}) as { id2label?: unknown };
  const labels = Object.entries((id2label ?? {}) as Record<string, unknown>).map(
    ([id, label]) => [Number(id), String(label).toLowerCase()] as const,
  );
  const place = (wanted: string) => labels.find(([, label]) => label === wanted)?.[0];
  const positive = place('positive');
  const negative = place('negative');
  const inOrder = labels.every(([id]) => Number.isSafeInteger(id) && id >= 0 && id < labels.length);
  if (positive === undefined || negative === undefined || !inOrder)
    throw new InputError(
      `${where} does not say which outputs are "positive" and "negative" (id2label)`,
      'use a model that was made to tell sentiment, with its own config.json',
    );
  return { positive, negative, classes: labels.length };
}

function tokenizerIn(folder: string): WordPiece {
  if (existsSync(join(folder, 'tokenizer.json')))
    return wordPieceOfTokenizer(readJson(folder, 'tokenizer.json'));
  const path = join(folder, 'vocab.txt');
  if (!existsSync(path)) throw new InputError(`${folder} has neither tokenizer.json nor vocab.txt`, FETCH);
  const settings = existsSync(join(folder, 'tokenizer_config.json'))
    ? (readJson(folder, 'tokenizer_config.json') as { do_lower_case?: unknown } | null)
    : null;
  return wordPieceOfVocabulary(readText(path), { uncased: settings?.do_lower_case !== false });
}

function readJson(folder: string, name: string): unknown {
  const path = join(folder, name);
  const text = readText(path);
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(`${path} is not JSON`, FETCH);
  }
}

function readText(path: string): string {
  if (statSync(path).size > TEXT_MOST) throw new InputError(`${path} is too large`, FETCH);
  return readFileSync(path, 'utf8');
}
