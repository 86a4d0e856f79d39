import { join } from 'node:path';
import { WriterLock } from '#adapters';
import { canonicalJson } from '#base';
import { KeptLines } from '../setup/kept-lines.ts';
import type { PlayedDesk } from './play-desk.ts';

/** Plays that are done, kept while others are not. */
export const UNFINISHED_FILE = 'worth.unfinished';
export const WORTH_LOCK = 'worth.lock';

interface Play {
  readonly id: string;
  readonly played: PlayedDesk;
}

/**
 * Finished plays of a study, so that one which was stopped goes on where it was. Plays that belong to anything else are
 * thrown away. One study writes a folder at a time.
 */
export class UnfinishedPlays {
  private readonly lock: WriterLock;
  private readonly kept: KeptLines<Play>;
  private readonly plays: Map<string, PlayedDesk>;

  /** Throws InputError for a folder that another process writes. */
  constructor(folder: string, key: object) {
    this.lock = WriterLock.acquire(join(folder, WORTH_LOCK));
    try {
      const belongs = (there: unknown) => canonicalJson(there) === canonicalJson(key);
      this.kept = new KeptLines(join(folder, UNFINISHED_FILE), key, belongs);
    } catch (error) {
      this.lock.release();
      throw error;
    }
    this.plays = new Map(this.kept.there.map(({ id, played }) => [id, played]));
  }

  get(id: string): PlayedDesk | undefined {
    return this.plays.get(id);
  }

  keep(id: string, played: PlayedDesk): void {
    this.plays.set(id, played);
    this.kept.append({ id, played });
  }

  /** Leaves the plays for the next start. */
  close(): void {
    this.kept.close();
    this.lock.release();
  }

  /** The study is written: nothing of it is unfinished any more. */
  remove(): void {
    this.kept.remove();
    this.lock.release();
  }
}
