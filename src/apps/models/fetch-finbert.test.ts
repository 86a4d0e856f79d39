import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checksumText, FinbertScorer, parseChecksums } from '#adapters';
import { sha256 } from '#base';
import { tinyFinbertFiles } from '../../../test/support/tiny-finbert.ts';
import { type FetchFinbert, fetchFinbert } from './fetch-finbert.ts';

/** A file server that knows ranges and tags, and breaks lines when told to. */
class FileServer {
  readonly files: Map<string, Uint8Array>;
  readonly asked: { path: string; range: string | undefined }[] = [];
  /** Bytes after which the line of a file breaks, once each. */
  readonly breaks = new Map<string, number>();
  hasTags = true;
  tag = 'a';
  onRequest: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  private readonly server: Server = createServer((request, response) => this.serve(request, response));

  constructor(files: Map<string, Uint8Array>) {
    this.files = files;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  start = () => new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));

  stop = () => {
    this.server.closeAllConnections();
    return new Promise<void>((done) => this.server.close(() => done()));
  };

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const name = decodeURIComponent(request.url ?? '').replace(/^\/(model\/)?/, '');
    this.asked.push({ path: name, range: request.headers.range });
    if (this.onRequest(request, response)) return;
    const data = this.files.get(name);
    if (data === undefined) {
      response.writeHead(404).end('not here');
      return;
    }
    const tag = `"${this.tag}-${name}"`;
    const wanted = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const from = wanted !== null && request.headers['if-range'] === tag ? Number(wanted[1]) : 0;
    const rest = data.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': rest.length,
      ...(this.hasTags ? { etag: tag } : {}),
      ...(from > 0 ? { 'content-range': `bytes ${from}-${data.length - 1}/${data.length}` } : {}),
    });
    const cut = this.breaks.get(name);
    if (cut === undefined) {
      response.end(rest);
      return;
    }
    this.breaks.delete(name);
    response.write(rest.subarray(0, cut), () => setTimeout(() => request.socket.destroy(), 20));
  }
}

let place: string;
let folder: string;
let server: FileServer;
beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), 'quorum-fetch-'));
  folder = join(place, 'finbert');
  server = new FileServer(tinyFinbertFiles());
  await server.start();
});
afterEach(async () => {
  await server.stop();
  rmSync(place, { recursive: true, force: true });
});

const MODEL = 'onnx/model.onnx';
const fetched = (more: Partial<FetchFinbert> = {}) =>
  fetchFinbert({ to: folder, waits: [], silenceMs: 5_000, ...more, from: more.from ?? server.url });
const sums = () => parseChecksums(readFileSync(join(folder, 'SHA256SUMS'), 'utf8'), 'SHA256SUMS');
const modelData = () => server.files.get(MODEL)!;

describe('fetching FinBERT', () => {
  it('fetches what is needed, notes the hashes, and what came works', async () => {
    const progress: [string, number, number][] = [];
    const model = await fetched({ onProgress: (...one) => void progress.push(one) });
    expect(model.files.map((file) => file.name)).toEqual(['config.json', 'tokenizer.json', MODEL]);
    expect(model.isVouched).toBe(false);
    expect(sums().get(MODEL)).toBe(sha256(modelData()));
    expect(progress.at(-1)).toEqual([MODEL, modelData().length, modelData().length]);
    const scorer = await FinbertScorer.open(folder);
    expect(scorer.isVerified).toBe(true);
    expect((await scorer.score(['bitcoin surge']))[0]).toBeGreaterThan(0.5);
    await scorer.close();
  });

  it('takes vocab.txt where there is no tokenizer.json', async () => {
    server = Object.assign(server, { files: tinyFinbertFiles({ vocabulary: 'txt' }) });
    const model = await fetched();
    expect(model.files.map((file) => file.name)).toEqual([
      'config.json',
      'vocab.txt',
      'tokenizer_config.json',
      MODEL,
    ]);
  });

  it('fetches nothing twice, and again what was damaged', async () => {
    await fetched();
    server.asked.length = 0;
    expect((await fetched()).files.every((file) => file.fetched === null)).toBe(true);
    expect(server.asked.map((one) => one.path)).toEqual(['SHA256SUMS']);
    writeFileSync(join(folder, MODEL), 'damaged');
    expect((await fetched()).files.filter((file) => file.fetched !== null).map((file) => file.name)).toEqual([
      MODEL,
    ]);
    server.asked.length = 0;
    await fetched({ again: true });
    expect(server.asked).toHaveLength(4);
  });

  it('goes on where a broken line stopped, in the same run and in the next', async () => {
    server.breaks.set(MODEL, 300);
    expect((await fetched({ waits: [1] })).files.at(-1)!.fetched).toMatchObject({ resumedFrom: 300 });
    expect(server.asked.filter((one) => one.path === MODEL).map((one) => one.range)).toEqual([
      undefined,
      'bytes=300-',
    ]);
    rmSync(folder, { recursive: true });
    server.breaks.set(MODEL, 200);
    await expect(fetched()).rejects.toThrow('cannot be reached');
    expect(existsSync(join(folder, MODEL))).toBe(false);
    const { files } = await fetched();
    expect(files.at(-1)!.fetched).toMatchObject({ resumedFrom: 200, bytes: modelData().length });
    expect(files[0]!.fetched).toBeNull();
    expect(readFileSync(join(folder, MODEL)).equals(modelData())).toBe(true);
    expect(existsSync(join(folder, `${MODEL}.part.tag`))).toBe(false);
  });

  it('never puts two states of a file together', async () => {
    server.breaks.set(MODEL, 200);
    await expect(fetched()).rejects.toThrow('cannot be reached');
    const other = new Uint8Array(modelData()).map((byte, i) => (i < 200 ? byte ^ 1 : byte));
    server.files.set(MODEL, other);
    server.tag = 'b';
    await fetched().catch(() => undefined);
    expect(readFileSync(join(folder, MODEL)).equals(other)).toBe(true);
    // without tags it begins anew
    rmSync(folder, { recursive: true });
    server.hasTags = false;
    server.breaks.set(MODEL, 200);
    await expect(fetched()).rejects.toThrow('cannot be reached');
    expect((await fetched()).files.at(-1)!.fetched).toMatchObject({ resumedFrom: 0 });
  });

  it('holds the source to its own list of checksums', async () => {
    const list = new Map([...server.files].map(([name, data]) => [name, sha256(data)]));
    server.files.set('SHA256SUMS', Buffer.from(checksumText(list)));
    expect((await fetched()).isVouched).toBe(true);
    const forged = new Uint8Array(modelData());
    forged[100] = forged[100]! ^ 1;
    server.files.set(MODEL, forged);
    await expect(fetched({ again: true })).rejects.toThrow('is not the file it should be');
    expect(existsSync(join(folder, `${MODEL}.part`))).toBe(false);
    // what was good before still is
    expect(sha256(readFileSync(join(folder, MODEL)))).toBe(list.get(MODEL));
  });

  it('holds a redirected file to the hash in the header of the first answer', async () => {
    const redirect = (hash: string) => {
      server.onRequest = (request, response) => {
        if (request.url !== `/${MODEL}`) return false;
        response.writeHead(302, { location: `/model/${MODEL}`, 'x-linked-etag': `"${hash}"` }).end();
        return true;
      };
    };
    redirect(sha256(modelData()));
    expect(await fetched()).toMatchObject({ isVouched: true });
    redirect(sha256('something else'));
    await expect(fetched({ again: true })).rejects.toThrow('is not the file it should be');
  });

  it('follows no redirect to a line that is not encrypted, and none without end', async () => {
    let location = 'http://models.example/';
    server.onRequest = (_, response) => {
      response.writeHead(302, { location }).end();
      return true;
    };
    await expect(fetched()).rejects.toThrow('not encrypted');
    location = '/round';
    await expect(fetched()).rejects.toThrow('without end');
    await expect(fetched({ from: 'http://models.example' })).rejects.toThrow('not encrypted');
  });

  it('says what to do without a network', async () => {
    const from = server.url;
    await server.stop();
    await expect(fetched({ from })).rejects.toMatchObject({
      name: 'UnreachableError',
      message: expect.stringContaining('ECONNREFUSED'),
      mend: expect.stringContaining('--from'),
    });
    await server.start();
  });

  it('tells of a source that has no model, or does not give it', async () => {
    server.files.delete(MODEL);
    await expect(fetched()).rejects.toThrow(`has no ${MODEL}`);
    server.onRequest = (_, response) => {
      response.writeHead(401).end();
      return true;
    };
    await expect(fetched({ again: true })).rejects.toThrow('HTTP 401');
  });

  it('gives up on a server that falls silent, and keeps what came', async () => {
    server.onRequest = (request, response) => {
      if (request.url !== `/${MODEL}`) return false;
      response.writeHead(200, { 'content-length': 1_000, etag: '"x"' });
      response.write(Buffer.alloc(100));
      return true;
    };
    await expect(fetched({ silenceMs: 150 })).rejects.toThrow('cannot be reached');
    expect(readFileSync(join(folder, `${MODEL}.part`))).toHaveLength(100);
  });
});
