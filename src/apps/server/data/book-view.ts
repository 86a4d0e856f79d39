import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readHeadFile, readJournal } from '#adapters';
import { InputError } from '#base';
import type { JournalHead } from '#engine';
import type { MarketEvent } from '#market';

type Levels = Map<number, number>;

interface OneBook {
  at: number;
  finest: 'depth' | 'quote';
  bids: Levels;
  asks: Levels;
}

/** The finest view of a book that the data gave, best prices first. Prices and sizes as recorded. */
export interface BookView {
  readonly at: number;
  readonly finest: 'depth' | 'quote';
  readonly bids: readonly (readonly [price: number, size: number])[];
  readonly asks: readonly (readonly [price: number, size: number])[];
}

const QUOTE = '{"kind":"quote-updated"';
const BOOK = '{"kind":"book-changed"';
/** Entries read at one look, so that a loop that writes fast does not hold up the server. */
const ENTRIES_MOST = 20_000;

/**
 * Order books as the journal of a running portfolio brings them. It reads on from where it was, beginning at the end the
 * journal had when somebody first looked: a book is known from its next quote or snapshot on.
 */
export class BookViews {
  private readonly tails = new Map<string, JournalHead>();
  private readonly books = new Map<string, OneBook>();

  /** The book of an instrument; null while nothing was seen of it. */
  look(folder: string, instrument: string): BookView | null {
    this.readOn(folder);
    const book = this.books.get(`${folder}\n${instrument}`);
    if (book === undefined) return null;
    const { at, finest, bids, asks } = book;
    return {
      at,
      finest,
      bids: [...bids].sort(([a], [b]) => b - a),
      asks: [...asks].sort(([a], [b]) => a - b),
    };
  }

  private readOn(folder: string): void {
    const path = join(folder, 'journal');
    const end = readHeadFile(`${path}.head`);
    if (end === null) return;
    const before = this.tails.get(folder);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    // what is skipped may hold changes, and only a snapshot makes a book whole again
    if (before === undefined || before.bytes > size || end.entries - before.entries > ENTRIES_MOST)
      return this.begin(folder, end);
    try {
      this.read(folder, path, before);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      // another journal lies there since a fresh start
      this.begin(folder, end);
    }
  }

  private begin(folder: string, end: JournalHead): void {
    this.tails.set(folder, end);
    for (const key of this.books.keys()) if (key.startsWith(`${folder}\n`)) this.books.delete(key);
  }

  private read(folder: string, path: string, after: JournalHead): void {
    const entries = readJournal(path, { after });
    for (;;) {
      const next = entries.next();
      if (next.done === true) {
        this.tails.set(folder, next.value);
        return;
      }
      const { kind, text } = next.value;
      if (kind === 'event' && (text.startsWith(QUOTE) || text.startsWith(BOOK)))
        this.hear(folder, JSON.parse(text) as MarketEvent);
    }
  }

  private hear(folder: string, event: MarketEvent): void {
    if (event.kind === 'quote-updated') {
      const { at, bid, bidSize, ask, askSize } = event;
      const key = `${folder}\n${event.instrument}`;
      if (this.books.get(key)?.finest === 'depth') return;
      const one = (price: number, size: number): Levels => new Map([[price, size]]);
      this.books.set(key, { at, finest: 'quote', bids: one(bid, bidSize), asks: one(ask, askSize) });
    } else if (event.kind === 'book-changed') {
      const key = `${folder}\n${event.instrument}`;
      const book = this.books.get(key);
      if (event.snapshot) {
        const { at, bids, asks } = event;
        this.books.set(key, { at, finest: 'depth', bids: new Map(bids), asks: new Map(asks) });
      } else if (book?.finest === 'depth') {
        book.at = event.at;
        change(book.bids, event.bids);
        change(book.asks, event.asks);
      }
    }
  }
}

function change(levels: Levels, changes: readonly (readonly [number, number])[]): void {
  for (const [price, size] of changes) {
    if (size === 0) levels.delete(price);
    else levels.set(price, size);
  }
}

/** A recorded float as a plain decimal. */
export const floatText = (value: number): string => {
  const text = String(value);
  return text.includes('e') ? value.toFixed(12).replace(/\.?0+$/, '') : text;
};
