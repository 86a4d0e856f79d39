import type { JournalFile, ProjectionEntry } from '#adapters';
import type { EntryKind, JournalSink } from '#engine';
import { EntryReader } from './journal-entries.ts';
import type { PaperNote } from './notes.ts';
import { StageTimes } from './stage-times.ts';

/**
 * The journal of a paper run. Everything that came in one turn of the event loop becomes durable in one commit; what is
 * durable is then handed to its readers.
 */
export class PaperJournal implements JournalSink {
  readonly file: JournalFile;
  /** Takes entries once they are durable, in order and without holes. */
  onDurable: (entries: readonly ProjectionEntry[]) => void = () => {};
  private readonly reader: EntryReader;
  private readonly times: StageTimes;
  private waiting: { position: number; kind: EntryKind; text: string }[] = [];

  /** `reader` stands where the journal ends. */
  constructor(file: JournalFile, reader = new EntryReader(), times = new StageTimes()) {
    this.file = file;
    this.reader = reader;
    this.times = times;
  }

  append(kind: EntryKind, text: string): void {
    this.waiting.push({ position: this.file.append(kind, text), kind, text });
  }

  urgent(text: string): void {
    this.waiting.push({ position: this.file.urgent(text), kind: 'command', text });
  }

  note(note: PaperNote): void {
    this.append('note', JSON.stringify(note));
  }

  /** Everything appended survives a crash from here on. */
  commit(): void {
    if (this.waiting.length === 0) return;
    const from = performance.now();
    this.file.commit({ durable: true });
    const to = performance.now();
    this.times.commit.add(to - from);
    this.times.trace?.committed(this.waiting.length, from, to);
    const entries = this.waiting.map(({ position, kind, text }) => this.reader.read(position, kind, text));
    this.waiting = [];
    this.onDurable(entries);
  }
}
