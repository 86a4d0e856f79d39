import { appendFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '#adapters';

const MAX_BYTES = 8 * 1024 * 1024;
const KEEP = 5;

/** A log for people: one line of text each, in files of bounded size. `path.1` is the youngest set aside. */
export class TextLog {
  private readonly path: string;
  private size: number;

  constructor(path: string) {
    this.path = path;
    makeFolder(dirname(path));
    this.size = sizeOf(path);
  }

  line(text: string): void {
    const bytes = Buffer.byteLength(text) + 1;
    if (this.size > 0 && this.size + bytes > MAX_BYTES) this.rotate();
    appendFileSync(this.path, `${text}\n`);
    this.size += bytes;
  }

  private rotate(): void {
    rmSync(`${this.path}.${KEEP}`, { force: true });
    for (let i = KEEP - 1; i >= 0; i--) {
      const from = i === 0 ? this.path : `${this.path}.${i}`;
      if (sizeOf(from) > 0) renameSync(from, `${this.path}.${i + 1}`);
    }
    this.size = 0;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
