import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, InputError, sha256 } from '#base';
import { isSystemError, namesIn, replaceFile } from '../../storage/durable-file.ts';
import { makeFolder } from '../../storage/make-folder.ts';

const HASH = /^[0-9a-f]{64}$/;

/** Plain data as canonical JSON in files named by their SHA-256: what is read is what was written, or it is refused. */
export class ObjectStore {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Keeps a value durably before it returns its hash. One that is there already, and whole, is left as it is. */
  put(value: unknown): string {
    const text = canonicalJson(value);
    const hash = sha256(text);
    if (this.isWhole(hash)) return hash;
    makeFolder(join(this.folder, hash.slice(0, 2)));
    replaceFile(this.pathOf(hash), Buffer.from(text));
    return hash;
  }

  has(hash: string): boolean {
    return existsSync(this.pathOf(hash));
  }

  /** Throws {@link InputError} for an object that is missing or was changed. */
  read(hash: string): unknown {
    const text = this.textOf(hash);
    if (text === null)
      throw new InputError(
        `${this.pathOf(hash)} is missing`,
        'put back a copy of the registry, or import the exported model again',
      );
    if (sha256(text) !== hash)
      throw new InputError(
        `${this.pathOf(hash)} was changed: its contents have another hash`,
        'put back a copy of the registry, or import the exported model again, which mends it',
      );
    return JSON.parse(text.toString('utf8'));
  }

  /** Bytes on disk; 0 where it is missing. */
  sizeOf(hash: string): number {
    return this.textOf(hash)?.length ?? 0;
  }

  isWhole(hash: string): boolean {
    const text = this.textOf(hash);
    return text !== null && sha256(text) === hash;
  }

  /** Hashes of everything that lies there, and files that are none: left over from a crash. */
  listing(): { readonly hashes: string[]; readonly strange: string[] } {
    const hashes: string[] = [];
    const strange: string[] = [];
    for (const part of namesIn(this.folder)) {
      if (!/^[0-9a-f]{2}$/.test(part)) {
        strange.push(join(this.folder, part));
        continue;
      }
      for (const name of namesIn(join(this.folder, part))) {
        const hash = name.replace(/\.json$/, '');
        if (name.endsWith('.json') && HASH.test(hash) && hash.startsWith(part)) hashes.push(hash);
        else strange.push(join(this.folder, part, name));
      }
    }
    return { hashes, strange };
  }

  remove(hash: string): void {
    rmSync(this.pathOf(hash), { force: true });
  }

  private pathOf(hash: string): string {
    return join(this.folder, hash.slice(0, 2), `${hash}.json`);
  }

  private textOf(hash: string): Buffer | null {
    try {
      return readFileSync(this.pathOf(hash));
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return null;
      throw error;
    }
  }
}
