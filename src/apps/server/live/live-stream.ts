import type { JournalEntry } from '#engine';
import type { LiveMessage } from '../../contract/index.ts';
import { EntryReader } from '../../runner/journal-entries.ts';
import { JournalTail } from './journal-tail.ts';
import { MessageRing, RingMessage, type Standing } from './message-ring.ts';
import { LiveReader } from './messages.ts';

/** Messages a client may be behind before it has to fetch everything anew. */
export const BEHIND_MOST = 5_000;

export interface StreamOptions {
  readonly portfolio: string;
  readonly journal: string;
  /** There are new messages, or the stream began anew. */
  readonly onNews: () => void;
  readonly onTrouble: (what: string, error: Error) => void;
  readonly behindMost?: number;
}

type Snapshot = Extract<LiveMessage, { type: 'status_update' }>['data'];

/** What happens in one portfolio, as messages that are written once for all clients. */
export class LiveStream {
  readonly portfolio: string;
  /** The run whose journal this is; null before it was read up to its end. */
  run: string | null = null;
  ring: MessageRing;
  /** Counts how often the stream began: a client of another one has to begin anew. */
  generation = 0;
  /** The newest snapshot of the account and how many there were. */
  snapshot: { readonly count: number; readonly bytes: Buffer } | null = null;
  private readonly options: StreamOptions;
  private readonly tail: JournalTail;
  private reader: LiveReader;
  private reading: string | null = null;
  private snapshotText = '';
  private told: Snapshot | null = null;

  constructor(options: StreamOptions) {
    this.options = options;
    this.portfolio = options.portfolio;
    this.ring = this.newRing();
    this.reader = this.newReader();
    this.tail = new JournalTail({
      path: options.journal,
      onBegin: (run) => this.begin(run),
      onEntry: (entry) => this.take(entry),
      onCaughtUp: () => this.caughtUp(),
      onTrouble: (error) => options.onTrouble('journal', error),
    });
  }

  /** A message without a place in the order; the newest one of its kind counts. */
  unsequenced(type: LiveMessage['type'], data: unknown): Buffer {
    return this.written(type, data, null, null);
  }

  /** The account as it stands. True when it is not as it was. */
  tell(snapshot: Snapshot): boolean {
    const { at: _, ...rest } = snapshot;
    const text = JSON.stringify(rest);
    if (text === this.snapshotText) return false;
    this.snapshotText = text;
    this.told = snapshot;
    const bytes = this.unsequenced('status_update', snapshot);
    this.snapshot = { count: (this.snapshot?.count ?? 0) + 1, bytes };
    return true;
  }

  /** The account as it was told last, when no loop answers; null when nothing was ever told. */
  withoutLoop(): Snapshot | null {
    return this.told === null ? null : { ...this.told, is_running: false, feed: 'no loop' };
  }

  /** Where a client begins that saw `after` of `run`, or nothing; and why it has to fetch everything, null when it need not. */
  place(
    after: number | null,
    run: string | null,
  ): { readonly standing: Standing; readonly why: string | null } {
    if (after === null) return { standing: this.ring.now(), why: null };
    if (run !== null && run !== this.run) return { standing: this.ring.now(), why: 'another run' };
    const standing = this.ring.behind(after);
    return standing === null ? { standing: this.ring.now(), why: 'too far behind' } : { standing, why: null };
  }

  close(): Promise<void> {
    return this.tail.close();
  }

  private begin(run: string): void {
    this.reading = run;
    this.run = null;
    this.ring = this.newRing();
    this.reader = this.newReader();
  }

  private take(entry: JournalEntry): void {
    const { position, kind, text } = entry;
    try {
      const content = this.reader.read(position, kind, text);
      if (content === null) return;
      const { last: prev } = this.ring;
      const write = () => {
        const { type, data } = typeof content === 'function' ? content() : content;
        return this.written(type, data, position, prev);
      };
      this.ring.push(new RingMessage(position, write));
    } catch (error) {
      // one entry that nobody understands must not end the stream
      this.options.onTrouble(`entry ${position}`, error as Error);
    }
  }

  private caughtUp(): void {
    if (this.run === null && this.reading !== null) {
      this.run = this.reading;
      this.generation += 1;
    }
    this.options.onNews();
  }

  private written(type: string, data: unknown, seq: number | null, prev: number | null): Buffer {
    return Buffer.from(JSON.stringify({ type, data, seq, prev, portfolio: this.portfolio }));
  }

  private newRing(): MessageRing {
    return new MessageRing(this.options.behindMost ?? BEHIND_MOST);
  }

  private newReader(): LiveReader {
    return new LiveReader(this.portfolio, new EntryReader());
  }
}
