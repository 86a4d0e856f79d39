import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder, messageUrl, networkReason, UnreachableError, withPath } from '#adapters';
import { InputError, SECOND } from '#base';

/** What one file is fetched from and to. */
export interface FileToFetch {
  readonly url: string;
  readonly path: string;
  /** SHA-256 that the file must have, in hex; null: what the server says of it, or nothing. */
  readonly sha256: string | null;
  readonly onProgress: (done: number, total: number) => void;
  /** Longest silence of the server. */
  readonly silenceMs?: number;
  /** Waits between attempts; as many attempts more are made. */
  readonly waits?: readonly number[];
  readonly signal?: AbortSignal;
}

export interface FetchedFile {
  readonly bytes: number;
  readonly sha256: string;
  /** Somebody else than the line it came over says that these are the bytes. */
  readonly isVouched: boolean;
  /** Bytes that an earlier attempt had left. */
  readonly resumedFrom: number;
}

const SILENCE_MS = 60 * SECOND;
const WAITS = [SECOND, 3 * SECOND, 10 * SECOND];
const REDIRECTS_MOST = 5;
/** Larger than any model of this kind. */
const BYTES_MOST = 8 * 1024 ** 3;

/** A break that another attempt may mend; one soon after will not when there is no way to the server at all. */
class Interrupted extends Error {
  readonly isSoonMended: boolean;
  constructor(message: string) {
    super(message);
    this.isSoonMended = !/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH/.test(message);
  }
}

/**
 * Fetches one file: goes on where an earlier attempt stopped when the server still has the same file, checks the hash, and gives
 * the file its name only when it is whole. Null when the server does not have it. Throws UnreachableError when the line stays
 * broken (what came is kept), {@link InputError} when the bytes are not what they should be.
 */
export async function fetchFile(file: FileToFetch): Promise<FetchedFile | null> {
  makeFolder(dirname(file.path));
  const waits = file.waits ?? WAITS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await attemptToFetch(file);
    } catch (cause) {
      if (!(cause instanceof Interrupted)) throw cause;
      file.signal?.throwIfAborted();
      const wait = cause.isSoonMended ? waits[attempt] : undefined;
      const { host } = new URL(file.url);
      if (wait === undefined)
        throw new UnreachableError(
          `${host} cannot be reached: ${cause.message}`,
          'try again: what has come so far is kept. Without a network: --from names another address, such as a mirror, or copy the folder from a machine that has fetched it',
        );
      await new Promise((done) => setTimeout(done, wait));
    }
  }
}

const partOf = (path: string) => `${path}.part`;
/** Beside the part: how the server names this state of the file. */
const tagOf = (path: string) => `${path}.part.tag`;

async function attemptToFetch(file: FileToFetch): Promise<FetchedFile | null> {
  const part = partOf(file.path);
  const have = existsSync(part) ? statSync(part).size : 0;
  const tag = existsSync(tagOf(file.path)) ? readFileSync(tagOf(file.path), 'utf8') : '';
  // bytes of two states of a file must never be put together: the tag or the hash must be known
  const from = have > 0 && tag !== '' ? have : 0;
  const { response, stop, alive, vouchedHash } = await open(file, from, tag);
  try {
    if (response.status === 404) return null;
    if (response.status === 416) {
      discard(file.path);
      throw new Interrupted('the file has changed');
    }
    if (response.status !== 200 && response.status !== 206) throw statusError(file.url, response.status);
    const start = response.status === 206 ? from : 0;
    if (start > 0 && !(response.headers.get('content-range') ?? '').startsWith(`bytes ${start}-`))
      throw new InputError(
        `${new URL(file.url).host} sent another part of the file than was asked for`,
        'try again',
      );
    const expected = file.sha256 ?? vouchedHash;
    const sha256 = await receive(file, response, start, alive);
    const bytes = statSync(part).size;
    if (expected !== null && sha256 !== expected) {
      discard(file.path);
      throw new InputError(
        `${file.url} is not the file it should be: SHA-256 ${sha256}, expected ${expected}`,
        'try again; if it stays so, fetch it from elsewhere with --from',
      );
    }
    renameSync(part, file.path);
    rmSync(tagOf(file.path), { force: true });
    return { bytes, sha256, isVouched: expected !== null, resumedFrom: start };
  } finally {
    stop();
  }
}

/** Follows redirects by hand: the first answer names the hash of the file, and every address must be encrypted. */
async function open(file: FileToFetch, from: number, tag: string) {
  const quiet = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => quiet.abort(), file.silenceMs ?? SILENCE_MS);
  };
  const stop = () => {
    clearTimeout(timer);
    quiet.abort();
  };
  const signal = file.signal === undefined ? quiet.signal : AbortSignal.any([quiet.signal, file.signal]);
  const headers: Record<string, string> = { 'user-agent': 'quorum', 'accept-encoding': 'identity' };
  if (from > 0) Object.assign(headers, { range: `bytes=${from}-`, 'if-range': tag });
  let url = messageUrl(file.url, 'a model');
  let vouchedHash: string | null = null;
  try {
    for (let hops = 0; hops <= REDIRECTS_MOST; hops++) {
      alive();
      const response = await fetch(url, { redirect: 'manual', headers, signal });
      const linked = /^"?([0-9a-f]{64})"?$/.exec(response.headers.get('x-linked-etag') ?? '');
      vouchedHash ??= linked?.[1] ?? null;
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || location === null)
        return { response, stop, alive, vouchedHash };
      await response.body?.cancel();
      url = messageUrl(new URL(location, url).href, 'a model');
    }
    throw new InputError(
      `${file.url} leads from one address to another without end`,
      'name the address itself with --from',
    );
  } catch (cause) {
    const isSilent = quiet.signal.aborted;
    stop();
    if (cause instanceof InputError) throw cause;
    throw new Interrupted(isSilent ? 'no answer' : networkReason(cause));
  }
}

async function receive(
  file: FileToFetch,
  response: Response,
  start: number,
  alive: () => void,
): Promise<string> {
  const part = partOf(file.path);
  const hash = createHash('sha256');
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  const total = Number.isFinite(length) ? start + length : 0;
  if (total > BYTES_MOST) throw new InputError(`${file.url} is too large for a model`, 'check the address');
  if (start === 0) discard(file.path);
  else for await (const piece of createReadStream(part, { end: start - 1 })) hash.update(piece as Buffer);
  const tag = response.headers.get('etag') ?? '';
  let done = start;
  let fd: number | null = null;
  try {
    fd = openSync(part, 'a');
    // a weak tag does not promise the same bytes
    if (start === 0 && tag !== '' && !tag.startsWith('W/')) writeTag(file.path, tag);
    for await (const piece of pieces(response)) {
      alive();
      for (let written = 0; written < piece.length; ) written += writeSync(fd, piece, written);
      hash.update(piece);
      done += piece.length;
      if (done > BYTES_MOST)
        throw new InputError(`${file.url} is too large for a model`, 'check the address');
      file.onProgress(done, Math.max(total, done));
    }
    fsyncSync(fd);
  } catch (error) {
    throw withPath(part, error);
  } finally {
    if (fd !== null) closeSync(fd);
  }
  if (total > 0 && done !== total) throw new Interrupted(`the line broke at ${done} of ${total} bytes`);
  return hash.digest('hex');
}

async function* pieces(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const next = await reader.read().catch((cause: unknown) => {
        throw new Interrupted(networkReason(cause));
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function writeTag(path: string, tag: string): void {
  const fd = openSync(tagOf(path), 'w');
  try {
    writeSync(fd, tag);
  } finally {
    closeSync(fd);
  }
}

function discard(path: string): void {
  rmSync(partOf(path), { force: true });
  rmSync(tagOf(path), { force: true });
}

function statusError(url: string, status: number): Error {
  const { host } = new URL(url);
  if (status >= 500 || status === 429 || status === 408) return new Interrupted(`HTTP ${status}`);
  const mend = 'check the address after --from; some need an account';
  return new InputError(`${host} does not give the file: HTTP ${status}`, mend);
}
