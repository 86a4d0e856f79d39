import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readHeadFile } from '#adapters';
import { InputError } from '#base';
import { type LastFigures, lastFigures } from '../../runner/last-figures.ts';
import type { PaperHeader } from '../../runner/portfolio-setup.ts';
import { headerOf } from '../../runner/session.ts';

/** What a portfolio's journal says without a loop and without projections. Read once per journal, or per length of it. */
export class JournalFacts {
  private readonly headers = new Map<
    string,
    { readonly file: string; readonly header: PaperHeader | null }
  >();
  private readonly figures = new Map<string, { readonly file: string; readonly last: LastFigures | null }>();

  /** Its first entry; null while it has none, or when it is no portfolio's. */
  header(folder: string): PaperHeader | null {
    const path = join(folder, 'journal');
    const stat = statOf(path);
    if (stat === null) return null;
    // a fresh start begins another file; one that is still empty is looked at again
    const file = `${stat.ino}:${stat.birthtimeMs}`;
    const known = this.headers.get(path);
    if (known !== undefined && known.file === file && known.header !== null) return known.header;
    const header = readable(() => headerOf(path));
    this.headers.set(path, { file, header });
    return header;
  }

  /** What it says about how the portfolio ended; null when it cannot be read. */
  last(folder: string): LastFigures | null {
    const path = join(folder, 'journal');
    const stat = statOf(path);
    if (stat === null) return null;
    const file = `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
    const known = this.figures.get(path);
    if (known?.file === file) return known.last;
    const last = readable(() => lastFigures(path));
    this.figures.set(path, { file, last });
    return last;
  }

  /** How long it is and the hash of its end, as its writer last noted. */
  end(folder: string): { readonly entries: number; readonly bytes: number; readonly hash: string } {
    const head = readHeadFile(join(folder, 'journal.head'));
    return head === null
      ? { entries: 0, bytes: 0, hash: '' }
      : { entries: head.entries, bytes: head.bytes, hash: head.hash };
  }
}

function statOf(path: string) {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

/** A journal that is damaged or somebody else's says nothing here; `verify` tells what is wrong with it. */
function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
