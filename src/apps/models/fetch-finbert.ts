import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKSUM_FILE, checksumText, parseChecksums, readFinbertFiles, sha256OfFile } from '#adapters';
import { InputError } from '#base';
import { writeWholeFile } from '../whole-file.ts';
import { type FetchedFile, fetchFile } from './fetch-file.ts';

/**
 * FinBERT by Prosus AI (Apache 2.0) as its ONNX conversion is published on Hugging Face, at one fixed state: what is fetched today
 * is what was fetched yesterday.
 */
export const FINBERT_ADDRESS =
  'https://huggingface.co/Xenova/finbert/resolve/cd48a1669a8bee89178c53d4dbd934899d0fa281';

export interface FetchFinbert {
  /** Address of a folder that is laid out as on Hugging Face; default {@link FINBERT_ADDRESS}. */
  readonly from?: string;
  readonly to: string;
  /** The model in 8-bit weights, a quarter of the size. */
  readonly isQuantized?: boolean;
  /** Fetch again what is here already. */
  readonly again?: boolean;
  /** Bytes of the file that comes now. */
  readonly onProgress?: (name: string, done: number, total: number) => void;
  readonly silenceMs?: number;
  readonly waits?: readonly number[];
  readonly signal?: AbortSignal;
}

export interface FetchedModel {
  readonly folder: string;
  readonly files: readonly {
    readonly name: string;
    readonly sha256: string;
    /** Null: it was here already. */
    readonly fetched: FetchedFile | null;
  }[];
  /** A list or header of the source vouched for the model file; else its hash was only noted. */
  readonly isVouched: boolean;
}

/**
 * Fetches what {@link readFinbertFiles} needs, file by file, and writes `SHA256SUMS` beside them, by which the files are checked at
 * every start. When the source has a `SHA256SUMS` of its own, its word is final. Throws UnreachableError, {@link InputError}.
 */
export async function fetchFinbert(options: FetchFinbert): Promise<FetchedModel> {
  const { to, isQuantized = false, again = false } = options;
  const base = (options.from ?? FINBERT_ADDRESS).replace(/\/+$/, '');
  const theirs = await sourceSums(options, base);
  const ours = ownSums(to);
  const kept = ownSums(to);
  const files: { name: string; sha256: string; fetched: FetchedFile | null }[] = [];
  const get = async (name: string): Promise<boolean> => {
    const wanted = theirs.get(name) ?? null;
    const path = join(to, name);
    const known = wanted ?? ours.get(name) ?? null;
    const isHere = !again && known !== null && existsSync(path) && (await sha256OfFile(path)) === known;
    const fetched = isHere
      ? null
      : await fetchFile({
          ...lineOf(options),
          url: `${base}/${name}`,
          path,
          sha256: wanted,
          onProgress: (done, total) => options.onProgress?.(name, done, total),
        });
    if (!isHere && fetched === null) return false;
    const sha256 = fetched?.sha256 ?? known!;
    files.push({ name, sha256, fetched });
    kept.set(name, sha256);
    // after each file: what has come is not fetched again if the rest does not come
    writeWholeFile(join(to, CHECKSUM_FILE), [checksumText(kept)]);
    return true;
  };
  const need = async (name: string) => {
    if (await get(name)) return;
    throw new InputError(
      `${base} has no ${name}`,
      'check the address after --from: it names the folder with config.json',
    );
  };
  await need('config.json');
  if (!(await get('tokenizer.json'))) {
    await need('vocab.txt');
    await get('tokenizer_config.json');
  }
  const model = isQuantized ? 'onnx/model_quantized.onnx' : 'onnx/model.onnx';
  await need(model);
  await readFinbertFiles(to);
  const last = files.at(-1)!;
  return { folder: to, files, isVouched: theirs.has(model) || last.fetched?.isVouched === true };
}

function lineOf({ silenceMs, waits, signal }: FetchFinbert) {
  return {
    ...(silenceMs === undefined ? {} : { silenceMs }),
    ...(waits === undefined ? {} : { waits }),
    ...(signal === undefined ? {} : { signal }),
  };
}

async function sourceSums(options: FetchFinbert, base: string): Promise<Map<string, string>> {
  const path = join(options.to, `${CHECKSUM_FILE}.source`);
  const url = `${base}/${CHECKSUM_FILE}`;
  const found = await fetchFile({ ...lineOf(options), url, path, sha256: null, onProgress: () => {} });
  return found === null ? new Map() : parseChecksums(readFileSync(path, 'utf8'), url);
}

function ownSums(folder: string): Map<string, string> {
  const path = join(folder, CHECKSUM_FILE);
  return existsSync(path) ? parseChecksums(readFileSync(path, 'utf8'), path) : new Map();
}
