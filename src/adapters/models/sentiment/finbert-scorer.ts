import { InputError } from '#base';
import { type FinbertFiles, readFinbertFiles } from './finbert-files.ts';
import { loadOnnxRuntime, type OnnxRuntime, type OnnxSession, type OnnxTensor } from './onnx-runtime.ts';
import { roundedScore, type SentimentScorer } from './sentiment-scorer.ts';

export interface FinbertOptions {
  /** Threads of one calculation. Two leave the loop its processor on a small machine. */
  readonly threads?: number;
  /** Texts that are scored at once. */
  readonly batch?: number;
  /** Finds the runtime; for tests. */
  readonly runtime?: () => Promise<OnnxRuntime>;
}

const THREADS = 2;
const BATCH = 8;
/** Warnings about the graph help nobody here. */
const ERRORS_ONLY = 3;

/** FinBERT, or any BERT model with outputs "positive" and "negative", on this machine's processor. */
export class FinbertScorer implements SentimentScorer {
  readonly name = 'finbert';
  readonly version: string;
  readonly isVerified: boolean;
  private readonly files: FinbertFiles;
  private readonly session: OnnxSession;
  private readonly runtime: OnnxRuntime;
  private readonly batch: number;

  private constructor(files: FinbertFiles, runtime: OnnxRuntime, session: OnnxSession, batch: number) {
    this.files = files;
    this.runtime = runtime;
    this.session = session;
    this.batch = batch;
    this.version = files.modelHash;
    this.isVerified = files.isVerified;
  }

  /** Loads the model of a folder. Throws {@link InputError} when it, or the runtime, is missing or not usable. */
  static async open(folder: string, options: FinbertOptions = {}): Promise<FinbertScorer> {
    const { threads = THREADS, batch = BATCH, runtime = () => loadOnnxRuntime() } = options;
    const files = await readFinbertFiles(folder);
    const onnx = await runtime();
    let session: OnnxSession;
    try {
      session = await onnx.InferenceSession.create(files.modelPath, {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        logSeverityLevel: ERRORS_ONLY,
      });
    } catch (cause) {
      throw new InputError(
        `${files.modelPath} cannot be loaded: ${firstLine(cause)}`,
        'fetch it again: quorum models fetch finbert',
      );
    }
    const unknown = session.inputNames.find((name) => !INPUTS.has(name));
    if (unknown !== undefined || !session.inputNames.includes('input_ids'))
      throw new InputError(
        `${files.modelPath} wants ${session.inputNames.join(', ')}`,
        'use a BERT model for the classification of sequences',
      );
    return new FinbertScorer(files, onnx, session, batch);
  }

  async score(texts: readonly string[]): Promise<number[]> {
    const { tokenizer, tokensMost } = this.files;
    const tokens = texts.map((text) => tokenizer.encode(text, tokensMost));
    // texts of like length together: a batch is as wide as its longest
    const order = tokens.map((_, i) => i).sort((a, b) => tokens[a]!.length - tokens[b]!.length || a - b);
    const scores = new Array<number>(texts.length).fill(0);
    for (let from = 0; from < order.length; from += this.batch) {
      const some = order.slice(from, from + this.batch);
      const found = await this.scoreBatch(some.map((i) => tokens[i]!));
      for (const [row, i] of some.entries()) scores[i] = found[row]!;
    }
    return scores;
  }

  close(): Promise<void> {
    return this.session.release();
  }

  private async scoreBatch(rows: readonly (readonly number[])[]): Promise<number[]> {
    const width = Math.max(...rows.map((row) => row.length));
    const dims = [rows.length, width];
    const { padId } = this.files.tokenizer;
    const ids = new BigInt64Array(rows.length * width).fill(BigInt(padId));
    const mask = new BigInt64Array(rows.length * width);
    for (const [r, row] of rows.entries()) {
      for (const [i, id] of row.entries()) {
        ids[r * width + i] = BigInt(id);
        mask[r * width + i] = 1n;
      }
    }
    const data: Readonly<Record<string, BigInt64Array>> = {
      input_ids: ids,
      attention_mask: mask,
      token_type_ids: new BigInt64Array(rows.length * width),
    };
    const feeds: Record<string, OnnxTensor> = {};
    for (const name of this.session.inputNames)
      feeds[name] = new this.runtime.Tensor('int64', data[name]!, dims);
    const answer = await this.session.run(feeds);
    return this.scoresOf(answer[this.session.outputNames[0]!]!, rows.length);
  }

  private scoresOf({ dims, data }: OnnxTensor, rows: number): number[] {
    const { classes, positive, negative, modelPath } = this.files;
    if (dims.length !== 2 || dims[0] !== rows || dims[1] !== classes || !(data instanceof Float32Array))
      throw new InputError(
        `${modelPath} gives outputs of the shape ${dims.join(' x ')}, not one row of ${classes} classes per text`,
        'use the config.json that came with the model',
      );
    return Array.from({ length: rows }, (_, row) => {
      const chances = softmax(data.subarray(row * classes, (row + 1) * classes));
      const score = chances[positive]! - chances[negative]!;
      if (Number.isFinite(score)) return roundedScore(score);
      throw new InputError(`${modelPath} gives outputs that are no numbers`, 'fetch the model again');
    });
  }
}

const INPUTS = new Set(['input_ids', 'attention_mask', 'token_type_ids']);

const firstLine = (cause: unknown): string => String((cause as Error).message).split('\n')[0]!;

/** Probabilities of logits. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const out = Float64Array.from(logits);
  const most = Math.max(...out);
  let sum = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.exp(out[i]! - most);
    sum += out[i]!;
  }
  for (let i = 0; i < out.length; i++) out[i] = out[i]! / sum;
  return out;
}
