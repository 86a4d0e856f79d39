import { DAY, type Instant } from '#base';
import type { DeskRuntime, Engine, InstrumentRuntime } from '#engine';
import type { Decision } from '#ensemble';
import type { BookId, Trade } from '#ledger';
import type { InstrumentId } from '#market';

/** What one desk made of one instrument so far. Minor units of the base currency; plain data. */
export interface BookFigures {
  /** Net of closed trades. */
  closed: number;
  /** With the open position, at the newest look. */
  made: number;
  /** The running UTC day, and what had been made when it began. */
  day: number;
  dayStart: number;
  highest: number;
  /** Fall from the highest, over the opening cash and that height: now and the largest. */
  fall: number;
  fallMost: number;
  won: number;
  lost: number;
  even: number;
  profit: number;
  loss: number;
}

const nothing = (): BookFigures => ({
  closed: 0,
  made: 0,
  day: -1,
  dayStart: 0,
  highest: 0,
  fall: 0,
  fallMost: 0,
  won: 0,
  lost: 0,
  even: 0,
  profit: 0,
  loss: 0,
});

/**
 * Results of every desk's instruments and the newest decision about each. It only watches. Kept in the snapshots beside
 * the engine; folding the journal makes it again.
 */
export class BookWatch {
  static readonly configuration = ['engine', 'byInstrument'];
  readonly figures = new Map<BookId, BookFigures>();
  readonly decisions = new Map<BookId, Decision>();
  private readonly engine: Engine;
  private readonly byInstrument = new Map<InstrumentId, BookId[]>();

  constructor(engine: Engine) {
    this.engine = engine;
    for (const { instruments } of engine.desks)
      for (const { traded, book, instrument } of instruments) {
        if (!traded) continue;
        this.figures.set(book, nothing());
        const books = this.byInstrument.get(instrument.id);
        if (books === undefined) this.byInstrument.set(instrument.id, [book]);
        else books.push(book);
      }
  }

  decided(_desk: DeskRuntime, { book }: InstrumentRuntime, decision: Decision): void {
    this.decisions.set(book, decision);
  }

  /** A real trade has closed. One that made nothing is counted by itself. */
  traded({ book, currency, net, closedAt }: Trade): void {
    const figures = this.figures.get(book);
    if (figures === undefined) return;
    const amount = this.engine.real.ledger.inBase(currency, net, false);
    figures.closed += amount;
    if (amount > 0) {
      figures.won += 1;
      figures.profit += amount;
    } else if (amount < 0) {
      figures.lost += 1;
      figures.loss -= amount;
    } else figures.even += 1;
    this.measure(book, closedAt);
  }

  /** A bar of an instrument was taken: what is held of it is worth something else now. */
  look(instrument: InstrumentId, at: Instant): void {
    for (const book of this.byInstrument.get(instrument) ?? []) this.measure(book, at);
  }

  private measure(book: BookId, at: Instant): void {
    const { engine } = this;
    const figures = this.figures.get(book)!;
    const made = figures.closed + engine.real.ledger.resultOf(book);
    const day = Math.floor(at / DAY);
    if (day > figures.day) {
      figures.day = day;
      // the first look is at the bar that ended at midnight
      figures.dayStart = made;
    }
    figures.made = made;
    figures.highest = Math.max(figures.highest, made);
    const height = engine.definition.cash + figures.highest;
    figures.fall = height > 0 ? (figures.highest - made) / height : 0;
    figures.fallMost = Math.max(figures.fallMost, figures.fall);
  }
}
