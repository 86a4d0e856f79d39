import { formatDecimal, stepsToText } from '#base';
import type { Command, EntryKind, Event, TraceLine } from '#engine';
import type { InstrumentId } from '#market';
import type { LiveMessage, LiveType } from '../../contract/index.ts';
import { type EntryReader, instrumentIn, type Timed } from '../../runner/journal-entries.ts';
import type { PaperNote } from '../../runner/notes.ts';

type Sequenced = Exclude<LiveType, 'hello' | 'reset' | 'status_update' | 'job'>;
type DataOf<T extends LiveType> = Extract<LiveMessage, { type: T }>['data'];

/** What an entry of the journal is to a live client. One entry is at most one message, so that a position names it. */
export type LiveContent = { [T in Sequenced]: { readonly type: T; readonly data: DataOf<T> } }[Sequenced];

const BAR = '{"kind":"bar-closed"';

/**
 * Reads a journal's entries in order and says what of them live clients see. Remembers what later entries are read with: the
 * grids in force, how much each book holds, and the regime an instrument was last judged in.
 */
export class LiveReader {
  private readonly portfolio: string;
  private readonly reader: EntryReader;
  private readonly held = new Map<string, number>();
  private readonly regimes = new Map<InstrumentId, string | null>();

  constructor(portfolio: string, reader: EntryReader) {
    this.portfolio = portfolio;
    this.reader = reader;
  }

  /** Null for an entry that live clients do not see. Most are bars: they are only read when somebody wants them. */
  read(position: number, kind: EntryKind, text: string): LiveContent | (() => LiveContent) | null {
    const { value } = this.reader.read(position, kind, text);
    if (value === null) return kind === 'event' && text.startsWith(BAR) ? () => barOf(text) : null;
    const timed = value as Timed;
    if (kind === 'event') return ofEvent(timed.value as Event);
    if (kind === 'command') return ofCommand(timed);
    return kind === 'note' ? this.ofNote(timed, position) : null;
  }

  private ofNote(timed: Timed, position: number): LiveContent | null {
    const note = timed.value as PaperNote;
    switch (note.note) {
      case 'trace':
        return this.ofLine(note.line, position);
      case 'order': {
        const { clientId: id, at, instrument, status, endReason } = note;
        const state = endReason === null ? status : `${status}: ${endReason}`;
        return { type: 'order', data: { id, at, instrument, state } };
      }
      case 'fill':
        return this.ofFill(note, timed);
      case 'trade': {
        const { trade } = note;
        const { id, closedAt: at, instrument, currency } = trade;
        const side = trade.direction === 1 ? 'long' : 'short';
        const realised = minorText(trade.realised, timed, instrument);
        return { type: 'trade', data: { id, at, instrument, side, realised, currency } };
      }
      case 'performance': {
        const { at, equity, trades } = note;
        return { type: 'performance', data: { at, equity, trades } };
      }
      default:
        return null;
    }
  }

  /** A fill that opens or adds is an entry, any other an exit. */
  private ofFill(note: Extract<PaperNote, { note: 'fill' }>, timed: Timed): LiveContent {
    const { fill, book } = note;
    const before = this.held.get(book) ?? 0;
    const signed = fill.side === 'buy' ? fill.lots : -fill.lots;
    const after = before + signed;
    if (after === 0) this.held.delete(book);
    else this.held.set(book, after);
    const action =
      before !== 0 && Math.sign(before) !== Math.sign(signed)
        ? 'EXIT'
        : signed > 0
          ? 'ENTER_LONG'
          : 'ENTER_SHORT';
    const instrument = instrumentIn(timed, fill.instrument);
    return {
      type: 'new_trade',
      data: {
        symbol: fill.instrument,
        action,
        price: stepsToText(fill.ticks, instrument.tick),
        size: stepsToText(fill.lots, instrument.lot),
        regime: this.regimes.get(fill.instrument) ?? null,
      },
    };
  }

  private ofLine(line: TraceLine, position: number): LiveContent | null {
    if (line.type === 'decision') {
      if (line.regime !== null) this.regimes.set(line.instrument, line.regime);
      const { at, desk, instrument, action, confidence, outcome, objections } = line;
      const reason = objections.map((o) => `${o.by}: ${o.reason}`).join('; ');
      return {
        type: 'decision',
        // the id its row in the projections has
        data: {
          id: `${this.portfolio}-${position}`,
          at,
          desk,
          instrument,
          action,
          confidence,
          outcome,
          reason: reason === '' ? null : reason,
        },
      };
    }
    if (line.type !== 'breaker') return null;
    const move = /^(\w+) -> (\w+)(?:: (.*))?$/.exec(line.text);
    if (move === null) return null;
    const [, , to, why = ''] = move;
    const severity = to === 'HALT' || to === 'SHUTDOWN' ? 'critical' : to === 'CLOSED' ? 'info' : 'warning';
    const state = to as DataOf<'circuit_breaker_alert'>['state'];
    return { type: 'circuit_breaker_alert', data: { state, issue_type: why, severity } };
  }
}

function barOf(text: string): LiveContent {
  const { instrument, intervalMs, bar } = JSON.parse(text) as Extract<Event, { kind: 'bar-closed' }>;
  const { time, open, high, low, close, volume } = bar;
  return { type: 'bar', data: { instrument, intervalMs, time, open, high, low, close, volume } };
}

function ofEvent(event: Event): LiveContent | null {
  if (event.kind === 'operator-acted') {
    const { at, by, act, reason } = event;
    return { type: 'operator', data: { at, by, action: act.action, reason } };
  }
  if (event.kind === 'feed-changed') {
    const { at, feed, status, detail } = event;
    return { type: 'feed', data: { at, feed, status, detail } };
  }
  return null;
}

function ofCommand(timed: Timed): LiveContent | null {
  const { at } = timed;
  const command = timed.value as Command;
  if (command.kind === 'submit-order') {
    const { clientId: id, instrument } = command.order;
    return { type: 'order', data: { id, at, instrument, state: 'pending' } };
  }
  if (command.kind === 'raise-alert') {
    const { severity, key, text } = command;
    return { type: 'alert', data: { at, severity, key, text } };
  }
  return null;
}

function minorText(minor: number, timed: Timed, id: InstrumentId): string {
  return formatDecimal(minor, instrumentIn(timed, id).minorScale);
}
