import type {
  DecisionTrace,
  Engine,
  HappeningTrace,
  InstrumentRuntime,
  Observer,
  TraceLine,
  TraceSink,
} from '#engine';
import type { Decision } from '#ensemble';
import type { BookId } from '#ledger';
import type { BookWatch } from './book-watch.ts';
import type { LearningWatch } from './learning-watch.ts';
import { ModelsHeard } from './models-heard.ts';
import type { DerivedNote, ModelHeardNote } from './notes.ts';
import { Tallies } from './tallies.ts';

/** Lines kept for the status and for questions about recent decisions. */
const KEPT = 1_000;

/**
 * Listens to an engine and turns what it decided and booked into notes. While `sink` is null they are only collected:
 * a restart folds the journal again and writes no note twice.
 */
export class Recorder implements TraceSink {
  readonly level = 'decisions';
  sink: ((note: DerivedNote | ModelHeardNote) => void) | null = null;
  /** Told of each line as it is made; not while a journal is folded. */
  onLine: (line: TraceLine) => void = () => {};
  /** Recent decisions and happenings, oldest first. */
  readonly recent: TraceLine[] = [];
  /** Told of what desks decide, when somebody keeps it. */
  learning: LearningWatch | null = null;
  books: BookWatch | null = null;
  readonly tallies = new Tallies();
  readonly models = new ModelsHeard();
  private made: DerivedNote[] = [];
  private readonly regimes = new Map<BookId, string | null>();

  line(line: TraceLine): void {
    this.recent.push(line);
    if (this.recent.length > KEPT) this.recent.shift();
    if (line.type === 'decision') this.tallies.decided(line);
    this.put({ note: 'trace', line });
    if (this.sink !== null) this.onLine(line);
  }

  /** Notes made since the last call. */
  taken(): readonly DerivedNote[] {
    const { made } = this;
    this.made = [];
    return made;
  }

  /** Observes this engine, whose positions may be older than this object. */
  watch(engine: Engine): void {
    for (const [book, held] of engine.real.held) this.regimes.set(book, held.entryRegime);
    engine.observer = this.observer(engine);
  }

  private observer(engine: Engine): Observer {
    return {
      filled: ({ booking, opened }, report) => {
        const { order } = booking;
        const id = order?.request.clientId ?? '';
        if (!booking.accepted || id.startsWith('shadow-')) return;
        if (opened !== null) this.regimes.set(opened.book, opened.entryRegime);
        const at = report.eventTime;
        if (report.kind === 'order-filled' && order !== null) {
          const { book, reason } = order.request;
          this.put({ note: 'fill', at, fill: report.fill, book, reason });
        } else if (
          report.kind === 'unasked-fill' &&
          engine.real.ledger.order(report.fill.clientId) === undefined
        ) {
          this.put({ note: 'fill', at, fill: report.fill, book: report.book, reason: report.cause });
        }
        if (order === null) return;
        this.tallies.reported(order, report);
        const { status, filledLots, averagePrice, venueOrderId, endReason, request } = order;
        const { clientId, instrument } = request;
        this.put({
          note: 'order',
          at: report.at,
          clientId,
          instrument,
          status,
          filledLots,
          averagePrice,
          venueOrderId,
          endReason,
        });
      },
      traded: (trade, desk, shadow) => {
        if (shadow) return;
        const regime = this.regimes.get(trade.book) ?? null;
        this.regimes.delete(trade.book);
        this.put({ note: 'trade', trade, desk, regime });
        this.books?.traded(trade);
      },
      decided: (desk, instrument, decision) => {
        this.learning?.decided(desk, instrument, decision);
        this.books?.decided(desk, instrument, decision);
        this.listen(desk.name, instrument, decision);
      },
      modelsChanged: ({ name, models }, hash, at) =>
        this.put({ note: 'models', at, desk: name, models: models ?? {}, hash }),
      safety: (desk, layer, objection, at) => this.put({ note: 'safety', at, desk, layer, objection }),
    };
  }

  /** While a journal is folded its own notes say what was heard. */
  private listen(desk: string, { instrument, at }: InstrumentRuntime, { signals }: Decision): void {
    if (this.sink === null) return;
    const note = this.models.heard(desk, instrument.id, at, signals);
    if (note !== null) this.sink(note);
  }

  private put(note: DerivedNote): void {
    if (this.sink === null) this.made.push(note);
    else this.sink(note);
  }

  /** The newest decisions about an instrument (null: any), newest first. */
  decisions(most: number, instrument: string | null = null): DecisionTrace[] {
    const found: DecisionTrace[] = [];
    for (let i = this.recent.length - 1; i >= 0 && found.length < most; i--) {
      const line = this.recent[i]!;
      if (line.type === 'decision' && (instrument === null || line.instrument === instrument))
        found.push(line);
    }
    return found;
  }

  happenings(most: number): HappeningTrace[] {
    return this.recent.filter((l): l is HappeningTrace => l.type !== 'decision').slice(-most);
  }
}
