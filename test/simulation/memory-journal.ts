import type { EntryKind, JournalEntry, JournalSink } from '#engine';

/** Thrown where the process dies. */
export class Crash extends Error {
  override name = 'Crash';
}

/** Counts the places where a process can die and dies at the chosen one. */
export class Boundaries {
  passed = 0;
  /** Number of the boundary to die at; -1 never. */
  dieAt = -1;

  pass(what: string): void {
    const number = this.passed;
    this.passed += 1;
    if (number === this.dieAt) throw new Crash(what);
  }
}

interface Entry {
  readonly kind: EntryKind;
  readonly text: string;
}

/**
 * A journal in memory with the promises of the file: what was committed survives, what was only appended may be lost
 * from some point on, and a command that only reduces is kept with everything before it (the side file).
 */
export class MemoryJournal implements JournalSink {
  readonly durable: Entry[];
  readonly pending: Entry[] = [];
  private readonly boundaries: Boundaries;

  constructor(boundaries: Boundaries, durable: readonly Entry[] = []) {
    this.boundaries = boundaries;
    this.durable = [...durable];
  }

  get length(): number {
    return this.durable.length + this.pending.length;
  }

  append(kind: EntryKind, text: string): void {
    this.boundaries.pass('before a write');
    this.pending.push({ kind, text });
    this.boundaries.pass('after a write');
  }

  commit(): void {
    this.boundaries.pass('before a commit');
    this.keep();
    this.boundaries.pass('after a commit');
  }

  urgent(text: string): void {
    this.boundaries.pass('before an urgent write');
    this.pending.push({ kind: 'command', text });
    this.keep();
    this.boundaries.pass('after an urgent write');
  }

  private keep(): void {
    this.durable.push(...this.pending);
    this.pending.length = 0;
  }

  /** What the next process finds: everything durable and the first `kept` of the entries that were only appended. */
  afterCrash(kept: number): MemoryJournal {
    return new MemoryJournal(this.boundaries, [...this.durable, ...this.pending.slice(0, kept)]);
  }

  /** Entries as a reader of the file gives them. */
  entries(from = 0): JournalEntry[] {
    return this.durable.slice(from).map(({ kind, text }, i) => ({ position: from + i, kind, text }));
  }
}
