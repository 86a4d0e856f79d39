import type { BookId } from '#ledger';
import type { Exit } from '../exit.ts';

type MemoryRecord = Record<string, number>;

/**
 * The memories of a lane's exits, kept in its snapshot: one record per open position and exit, and one per exit
 * that remembers for the whole portfolio. A lane of shadow trades has its own.
 */
export class ExitMemories {
  private readonly ofPortfolio: Record<string, MemoryRecord> = {};
  private readonly ofPositions = new Map<BookId, Record<string, MemoryRecord>>();

  /** The record of `exit` for a position's book; undefined when the exit remembers nothing. */
  of(exit: Exit, book: BookId): MemoryRecord | undefined {
    if (exit.memory === undefined) return undefined;
    let records = this.ofPortfolio;
    if (exit.memory.of === 'position') {
      const known = this.ofPositions.get(book);
      records = known ?? {};
      if (known === undefined) this.ofPositions.set(book, records);
    }
    let record = records[exit.name];
    if (record === undefined) {
      record = exit.memory.make();
      records[exit.name] = record;
    }
    return record;
  }

  /** The record of `exit` as it stands, for whoever only looks; undefined when nothing is remembered yet. */
  peek(exit: Exit, book: BookId): Readonly<MemoryRecord> | undefined {
    if (exit.memory === undefined) return undefined;
    const records = exit.memory.of === 'position' ? this.ofPositions.get(book) : this.ofPortfolio;
    return records?.[exit.name];
  }

  /** Drops what was remembered about a position: call when its book is flat. */
  forget(book: BookId): void {
    this.ofPositions.delete(book);
  }
}
