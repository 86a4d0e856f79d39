import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { sha256 } from '#base';
import { replaceFile } from '../storage/durable-file.ts';
import { makeFolder } from '../storage/make-folder.ts';

/** Bytes named by their contents. Data goes to workers in such pieces: large enough to be few, small enough for Redis. */
export interface Piece {
  /** SHA-256 of the bytes. */
  readonly hash: string;
  readonly bytes: number;
}

const PIECE_BYTES = 4 * 1024 * 1024;

export const pieceSchema = z.strictObject({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(1).max(PIECE_BYTES),
});

/** What a work needs to have shipped. The bytes are those of the caller: nothing is copied until a piece is sent. */
export class Shipment {
  private readonly bytesOf = new Map<string, Uint8Array>();

  /** Names the pieces of some bytes. */
  add(bytes: Uint8Array): Piece[] {
    const pieces: Piece[] = [];
    for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
      const part = bytes.subarray(from, from + PIECE_BYTES);
      const hash = sha256(part);
      this.bytesOf.set(hash, part);
      pieces.push({ hash, bytes: part.length });
    }
    return pieces;
  }

  /** Puts into Redis what is not there, one piece after the other, and keeps all of it there for a while. */
  async send(client: Redis, seconds: number, signal?: AbortSignal): Promise<void> {
    for (const [hash, bytes] of this.bytesOf) {
      if (signal?.aborted) return;
      if ((await client.expire(keyOf(hash), seconds)) === 1) continue;
      // a copy: memory that threads share is not for everyone
      await client.set(keyOf(hash), zstdCompressSync(Buffer.from(bytes)), 'EX', seconds);
    }
  }

  /** Takes the pieces out of Redis. */
  async remove(client: Redis): Promise<void> {
    for (const hash of this.bytesOf.keys()) await client.del(keyOf(hash));
  }
}

/** Most that a worker keeps on its disk between works. */
const CACHE_BYTES = 8 * 1024 ** 3;

/** Pieces that a worker has fetched, in a folder that several workers may share. */
export class PieceCache {
  private readonly folder: string;
  /** Pieces that came from Redis. */
  fetched = 0;

  constructor(folder: string) {
    this.folder = join(folder, 'pieces');
    makeFolder(this.folder);
    trim(this.folder);
  }

  /** Null when Redis does not hold it either, or holds something else under its name, which is then taken away. */
  async get(client: Redis, { hash, bytes }: Piece): Promise<Uint8Array | null> {
    const path = join(this.folder, hash);
    if (existsSync(path)) {
      const kept = readFileSync(path);
      if (sha256(kept) === hash) {
        touch(path);
        return kept;
      }
    }
    const packed = await client.getBuffer(keyOf(hash));
    if (packed === null) return null;
    const piece = unpacked(packed, bytes);
    if (piece === null || sha256(piece) !== hash) {
      await client.del(keyOf(hash));
      return null;
    }
    this.fetched += 1;
    replaceFile(path, piece);
    return piece;
  }
}

const keyOf = (hash: string): string => `quorum:piece:${hash}`;

function unpacked(packed: Buffer, bytes: number): Buffer | null {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: bytes });
  } catch {
    return null;
  }
}

function touch(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // another worker's trim may have taken it; what was read is whole
  }
}

/** Takes away what was used longest ago, so that the folder does not grow for ever. */
function trim(folder: string): void {
  const files = readdirSync(folder).flatMap((name) => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ name, bytes: stat.size, usedAt: stat.mtimeMs }];
  });
  let kept = 0;
  for (const { name, bytes } of files.sort((a, b) => b.usedAt - a.usedAt)) {
    kept += bytes;
    if (kept > CACHE_BYTES) rmSync(join(folder, name), { force: true });
  }
}
