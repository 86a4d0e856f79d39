import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder, withPath } from '#adapters';

/** Writes a file that appears whole or not at all: pieces go to `path.part`, which takes the name when all are synced. */
export function writeWholeFile(path: string, pieces: Iterable<string | Uint8Array>): void {
  makeFolder(dirname(path));
  const part = `${path}.part`;
  const fd = openSync(part, 'w');
  try {
    try {
      for (const piece of pieces) {
        const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
        for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw withPath(path, error);
  }
}
