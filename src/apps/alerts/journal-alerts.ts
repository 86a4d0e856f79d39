import type { ProjectionEntry } from '#adapters';
import { formatDecimal, stepsToText } from '#base';
import type { Command, Event, HappeningTrace, OperatorActed, Severity } from '#engine';
import { bookKey } from '#ledger';
import { instrumentIn, type Timed } from '../runner/journal-entries.ts';
import type { PaperNote } from '../runner/notes.ts';
import { amount } from '../runner/panel.ts';
import type { Alert } from './alert.ts';

/** The journal an entry stands in. */
export interface JournalOf {
  readonly portfolio: string;
  /** Tells one journal of a portfolio from the next. */
  readonly runId: string;
  /** Its times are those of the wall clock, not of a tape. */
  readonly live: boolean;
}

/** What the keys of alerts of kill switches begin with; the name of the switch follows. */
const KILL_SWITCH = 'kill-switch-';
const LEVELS = ['CLOSED', 'ALERT', 'THROTTLE', 'HALT', 'SHUTDOWN'];

type Told = Pick<Alert, 'verb' | 'severity' | 'kind' | 'subject' | 'title'> &
  Partial<Pick<Alert, 'desk' | 'instrument' | 'body' | 'details' | 'weight'>>;

/** What an entry of a journal has to tell; null for nearly all of them. The same entry always gives the same alert. */
export function alertOf(journal: JournalOf, entry: ProjectionEntry): Alert | null {
  if (entry.value === null) return null;
  const timed = entry.value as Timed;
  const told =
    entry.kind === 'command'
      ? fromCommand(timed.value as Command)
      : entry.kind === 'event'
        ? fromEvent(timed.value as Event)
        : entry.kind === 'note'
          ? fromNote(timed)
          : null;
  if (told === null) return null;
  return {
    id: `${journal.portfolio}-${journal.runId.slice(0, 8)}-${entry.position}`,
    at: timed.at,
    portfolio: journal.portfolio,
    desk: null,
    instrument: null,
    body: '',
    details: {},
    live: journal.live,
    ...told,
  };
}

function fromCommand(command: Command): Told | null {
  if (command.kind !== 'raise-alert') return null;
  const { severity, key, text } = command;
  if (key.startsWith(KILL_SWITCH)) {
    // a group has no desk: its name is told in the words
    const told = { verb: 'trigger', severity, kind: 'kill-switch', subject: key, title: text } as const;
    return { ...told, body: 'No entries until a person resets it.' };
  }
  const kind = /^[a-z]+/.exec(key)?.[0] ?? 'alert';
  const told: Told = { verb: 'trigger', severity, kind, subject: key, title: text };
  // a breaker that has gone from HALT to SHUTDOWN is no repetition
  return kind === 'breaker' ? { ...told, weight: LEVELS.indexOf(text.split(/[ :]+/)[1] ?? '') } : told;
}

function fromEvent(event: Event): Told | null {
  switch (event.kind) {
    case 'operator-acted':
      return fromOperator(event);
    case 'feed-changed': {
      const { feed, status, detail } = event;
      if (status === 'connected') return null;
      const title = `feed ${feed} ${status}`;
      const verb = status === 'resynced' ? 'resolve' : 'trigger';
      return { verb, severity: 'warning', kind: 'feed', subject: `feed-${feed}`, title, body: detail };
    }
    case 'order-rejected': {
      const title = `order rejected: ${event.reason}`;
      return {
        verb: 'trigger',
        severity: 'warning',
        kind: 'order',
        subject: 'order-rejected',
        title,
        body: event.clientId,
      };
    }
    case 'send-failed': {
      const what =
        event.outcome === 'unknown' ? 'nobody knows whether an order was sent' : 'an order could not be sent';
      const title = `${what}: ${event.reason}`;
      return {
        verb: 'trigger',
        severity: 'warning',
        kind: 'order',
        subject: 'send-failed',
        title,
        body: event.clientId,
      };
    }
    default:
      return null;
  }
}

const ACT_SEVERITY: Readonly<Record<string, Severity>> = {
  kill: 'critical',
  flatten: 'warning',
  recover: 'warning',
  override: 'warning',
};

function fromOperator({ act, by, reason, eventTime }: OperatorActed): Told | null {
  // a record of something that happened beside the loop is no alert of its own
  if (act.action === 'record') return null;
  // what could not be taken the loop tells itself
  if (act.action === 'model' && act.fault !== undefined) return null;
  const desk = 'desk' in act ? (act.desk ?? null) : null;
  // the incident of the switch ends, and whoever was told of it hears who ended it
  if (act.action === 'recover' && desk !== null)
    return {
      verb: 'resolve',
      severity: 'info',
      kind: 'kill-switch',
      subject: `${KILL_SWITCH}${desk}`,
      title: `kill switch ${desk} reset by ${by}`,
      body: reason,
    };
  return {
    verb: 'trigger',
    severity: ACT_SEVERITY[act.action] ?? 'info',
    kind: 'operator',
    // every act of a person is told, however soon after the last one
    subject: `operator-${act.action}-${eventTime}`,
    title: `${act.action}${desk === null ? '' : ` of ${desk}`}${modelOf(act)} by ${by}`,
    body: reason,
  };
}

const modelOf = (act: OperatorActed['act']): string =>
  act.action === 'model' ? `: ${act.reference} is ${act.id?.slice(0, 12) ?? 'none'}` : '';

function fromNote(timed: Timed): Told | null {
  const note = timed.value as PaperNote;
  if (note.note === 'trace')
    return note.line.type === 'breaker' && !note.line.shadow ? fromBreaker(note.line) : null;
  if (note.note === 'trade') {
    const { trade, desk, regime } = note;
    const { minorScale } = instrumentIn(timed, trade.instrument);
    const net = formatDecimal(trade.net, minorScale);
    const side = trade.direction === 1 ? 'long' : 'short';
    const [symbol] = trade.instrument.split('.');
    return {
      verb: 'trigger',
      severity: 'info',
      kind: 'trade',
      subject: `trade-${trade.id}`,
      desk,
      instrument: trade.instrument,
      title: `${symbol} ${side} closed: ${signed(net)} ${trade.currency}`,
      body: `${trade.exitReason}; in ${number(trade.entryPrice)}, out ${number(trade.exitPrice)}${regime === null ? '' : `, ${regime}`}`,
      details: {
        net,
        entry: number(trade.entryPrice),
        exit: number(trade.exitPrice),
        reason: trade.exitReason,
      },
    };
  }
  if (note.note !== 'fill') return null;
  const { fill, book, reason } = note;
  const instrument = instrumentIn(timed, fill.instrument);
  const quantity = stepsToText(fill.lots, instrument.lot);
  const price = stepsToText(fill.ticks, instrument.tick);
  const [symbol] = fill.instrument.split('.');
  return {
    verb: 'trigger',
    severity: 'info',
    kind: 'fill',
    subject: `fill-${fill.fillId}`,
    desk: bookKey(book).desk,
    instrument: fill.instrument,
    title: `${symbol} ${fill.side} ${quantity} @ ${price}`,
    body: reason,
    details: { side: fill.side, quantity, price, fee: formatDecimal(fill.fee, instrument.minorScale) },
  };
}

/** HALT and SHUTDOWN are alerts of the loop itself; here are the steps below them, and the way back. */
function fromBreaker({ text }: HappeningTrace): Told | null {
  const [, from = '', to = '', why = ''] = /^(\w+) -> (\w+)(?:: (.*))?$/.exec(text) ?? [];
  const [before, after] = [LEVELS.indexOf(from), LEVELS.indexOf(to)];
  if (after < 0 || to === 'HALT' || to === 'SHUTDOWN') return null;
  if (to === 'CLOSED')
    return {
      verb: 'resolve',
      severity: 'info',
      kind: 'breaker',
      subject: 'breaker',
      title: 'breaker CLOSED',
    };
  // on its way down the incident stays open until it is CLOSED
  if (after < before) return null;
  return {
    verb: 'trigger',
    severity: 'warning',
    kind: 'breaker',
    subject: 'breaker',
    title: `breaker ${to}${why === '' ? '' : `: ${why}`}`,
    weight: after,
  };
}

const signed = (decimal: string): string =>
  decimal.startsWith('-') ? amount(decimal) : `+${amount(decimal)}`;
const number = (value: number): string => String(Number(value.toPrecision(8)));
