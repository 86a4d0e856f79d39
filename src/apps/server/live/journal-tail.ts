import { type FSWatcher, statSync, watch } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readJournal } from '#adapters';
import { EMPTY_HEAD, type JournalEntry, type JournalHead } from '#engine';

export interface TailOptions {
  readonly path: string;
  /** A journal begins, or another one lies in the place of the one that was read. `run` names it. */
  readonly onBegin: (run: string) => void;
  readonly onEntry: (entry: JournalEntry) => void;
  /** Everything that stands in the file has been handed over. */
  readonly onCaughtUp: () => void;
  /** Something cannot be read; it is tried again. */
  readonly onTrouble: (error: Error) => void;
}

const POLL_MS = 100;
/** Writes are looked at once for all that happen within so many milliseconds. */
const GATHER_MS = 15;
/** The event loop is let go after so many milliseconds of reading. */
const SLICE_MS = 8;
/** A fault may be a write that is not finished: only one that stays is believed. */
const FAULTS_BELIEVED = 5;
const AFTER_DAMAGE_MS = 5_000;

/**
 * Follows the journal of another process by position: entries of whole, verified blocks only, each once, in order. Notices
 * when the journal was begun anew, cut or replaced, and then reads the new one from its beginning.
 */
export class JournalTail {
  private readonly options: TailOptions;
  private head: JournalHead = EMPTY_HEAD;
  /** Which file is read; null before there is one. */
  private file: string | null = null;
  private begun = false;
  /** Position of the first entry not handed over. Ahead of `head` after a fault. */
  private next = 0;
  private faults = 0;
  /** End of the chain for which everything was read again once already. */
  private readAgainFor: string | null = null;
  private stopped = false;
  private watcher: FSWatcher | null = null;
  private wake: (() => void) | null = null;
  private readonly work: Promise<void>;

  constructor(options: TailOptions) {
    this.options = options;
    this.work = this.run();
  }

  async close(): Promise<void> {
    this.stopped = true;
    this.watcher?.close();
    this.wake?.();
    await this.work;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      let wait = POLL_MS;
      try {
        await this.look();
        this.faults = 0;
      } catch (error) {
        wait = this.fault(error as Error);
      }
      if (!this.stopped) await this.pause(wait);
    }
  }

  /** Reads what is new. */
  private async look(): Promise<void> {
    const { path, onBegin, onEntry, onCaughtUp } = this.options;
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return;
    const file = `${found.dev}:${found.ino}`;
    if (file !== this.file || found.size < this.head.bytes) this.beginAgain(file);
    if (found.size === this.head.bytes) return;
    const entries = readJournal(path, { after: this.head, from: this.next });
    try {
      let until = performance.now() + SLICE_MS;
      for (;;) {
        const step = entries.next();
        if (step.done === true) {
          this.head = step.value;
          break;
        }
        if (!this.begun) {
          this.begun = true;
          onBegin(runOf(step.value));
        }
        this.next = step.value.position + 1;
        onEntry(step.value);
        if (performance.now() < until) continue;
        await nextTurn();
        if (this.stopped) return;
        until = performance.now() + SLICE_MS;
      }
    } finally {
      // the file is closed however this ends
      entries.return?.(EMPTY_HEAD);
    }
    onCaughtUp();
  }

  private beginAgain(file: string): void {
    this.file = file;
    this.head = EMPTY_HEAD;
    this.begun = false;
    this.next = 0;
    this.watcher?.close();
    this.watcher = null;
    try {
      this.watcher = watch(this.options.path, { persistent: false }, () => this.poke());
      // where files cannot be watched they are looked at
      this.watcher.on('error', () => this.watcher?.close());
    } catch {
      this.watcher = null;
    }
  }

  /**
   * A chain that does not hold any more (the file was cut and has grown again) is read from the beginning, once: if it breaks
   * at the same place again, the file itself is damaged there and nothing more comes of it.
   */
  private fault(error: Error): number {
    this.faults += 1;
    if (this.faults < FAULTS_BELIEVED) return POLL_MS;
    this.faults = 0;
    if (this.readAgainFor !== this.head.hash) {
      this.readAgainFor = this.head.hash;
      this.file = null;
    }
    this.options.onTrouble(error);
    return AFTER_DAMAGE_MS;
  }

  private poke(): void {
    const { wake } = this;
    if (wake === null) return;
    this.wake = null;
    setTimeout(wake, GATHER_MS);
  }

  private async pause(ms: number): Promise<void> {
    await new Promise<void>((done) => {
      const timer = setTimeout(done, ms);
      this.wake = () => {
        clearTimeout(timer);
        done();
      };
    });
    this.wake = null;
  }
}

/** The run a journal is of, from its first entry; its position stands for one that does not say. */
function runOf({ kind, text }: JournalEntry): string {
  const run = kind === 'header' ? (JSON.parse(text) as { runId?: unknown }).runId : undefined;
  return typeof run === 'string' ? run : 'unnamed';
}
