import type { ProjectionRow, RowWriter } from '#adapters';
import { formatDecimal, stepsToText } from '#base';
import type { Command, Event, TraceLine } from '#engine';
import { bookKey, type OrderRequest } from '#ledger';
import type { BarClosed, InstrumentId } from '#market';
import type { Signal } from '#signals';
import { instrumentIn, type Timed } from './journal-entries.ts';
import type { PaperNote } from './notes.ts';
import type { PaperHeader } from './portfolio-setup.ts';

/**
 * The rows of a paper portfolio, as a pure function of its journal. `strategies` says for every desk whether its
 * portfolio runs on live, recorded or made-up prices and whether it counts as evidence.
 */
export function paperRows(portfolio: string): RowWriter {
  return (entry) => {
    if (entry.value === null) return [];
    const timed = entry.value as Timed;
    const { at, value } = timed;
    switch (entry.kind) {
      case 'header':
        return headerRows(portfolio, at, value as PaperHeader);
      case 'command':
        return commandRows(portfolio, timed, entry.position);
      case 'event':
        return eventRows(portfolio, value as Event, entry.position);
      case 'note':
        return noteRows(portfolio, timed, entry.position);
      default:
        return [];
    }
  };
}

function headerRows(portfolio: string, at: number, header: PaperHeader): ProjectionRow[] {
  const { mode, evidence, codeHash } = header;
  return header.desks.map((desk) => ({
    table: 'strategies',
    row: {
      id: `${portfolio}/${desk.name}`,
      at,
      portfolio,
      desk: desk.name,
      name: desk.name,
      state: mode.toLowerCase(),
      version: codeHash,
      configuration: JSON.stringify({ mode, evidence, hash: desk.hash, parameters: desk.parameters }),
    },
  }));
}

function commandRows(portfolio: string, timed: Timed, position: number): ProjectionRow[] {
  const { at } = timed;
  const command = timed.value as Command;
  if (command.kind === 'submit-order') return [orderRow(portfolio, timed, command.order)];
  if (command.kind === 'raise-alert') {
    const { severity, key, text } = command;
    const id = `${portfolio}-${position}`;
    return [
      { table: 'notifications', row: { id, at, portfolio, severity, kind: key, title: text, body: text } },
    ];
  }
  return [];
}

function orderRow(portfolio: string, timed: Timed, order: OrderRequest): ProjectionRow {
  const { at } = timed;
  const instrument = instrumentIn(timed, order.instrument);
  const price = (ticks: number | null) => (ticks === null ? null : stepsToText(ticks, instrument.tick));
  return {
    table: 'orders',
    row: {
      id: order.clientId,
      at,
      updated_at: at,
      portfolio,
      desk: bookKey(order.book).desk,
      book: order.book,
      instrument: order.instrument,
      venue: instrument.venue,
      side: order.side,
      type: order.type,
      time_in_force: order.timeInForce,
      quantity: stepsToText(order.lots, instrument.lot),
      price: price(order.limitTicks),
      stop_price: price(order.triggerTicks),
      filled: '0',
      state: 'pending',
      reason: order.reason,
    },
  };
}

function eventRows(portfolio: string, event: Event, position: number): ProjectionRow[] {
  if (event.kind === 'bar-closed') return barRows(event);
  if (event.kind === 'history-mended') return event.bars.flatMap((bar) => barRows({ ...event, bar }));
  const id = `${portfolio}-${position}`;
  if (event.kind === 'operator-acted') {
    const { at, act, by, reason } = event;
    const { action, ...detail } = act;
    // what was done beside the loop is named by what it was done to
    const title = act.action === 'record' ? `${act.subject} by ${by}` : `${action} by ${by}`;
    return [
      {
        table: 'notifications',
        row: { id, at, portfolio, severity: 'info', kind: 'operator', title, body: reason },
      },
      {
        table: 'operator_acts',
        row: { id, at, portfolio, by, action, reason, detail: JSON.stringify(detail) },
      },
    ];
  }
  if (event.kind === 'feed-changed' && (event.status === 'disconnected' || event.status === 'stale')) {
    const { at, feed, status, detail } = event;
    const title = `feed ${feed} ${status}`;
    return [
      {
        table: 'notifications',
        row: { id, at, portfolio, severity: 'warning', kind: 'feed', title, body: detail },
      },
    ];
  }
  return [];
}

/** A bar as it came; none for one whose numbers are none. */
function barRows({
  instrument,
  intervalMs,
  bar,
}: Pick<BarClosed, 'instrument' | 'intervalMs' | 'bar'>): ProjectionRow[] {
  const { time, open, high, low, close, volume } = bar;
  if (!Number.isSafeInteger(time) || ![open, high, low, close, volume].every(Number.isFinite)) return [];
  const id = `${instrument}/${intervalMs}/${time}`;
  const row = { id, at: time, instrument, interval_ms: intervalMs, open, high, low, close, volume };
  return [{ table: 'bars', row }];
}

function noteRows(portfolio: string, timed: Timed, position: number): ProjectionRow[] {
  const note = timed.value as PaperNote;
  switch (note.note) {
    case 'bar-opened':
    case 'venue-first':
    case 'safety':
    case 'feed-position':
    // the act stands among the operators' own, the header says what the desk began with
    case 'models':
    case 'model-heard':
      return [];
    case 'trace':
      return traceRows(portfolio, note.line, position);
    case 'order': {
      const instrument = instrumentIn(timed, note.instrument);
      return [
        {
          table: 'orders',
          row: {
            id: note.clientId,
            updated_at: note.at,
            venue_order_id: note.venueOrderId,
            filled: stepsToText(note.filledLots, instrument.lot),
            average_price: note.filledLots === 0 ? null : decimal(note.averagePrice),
            state: note.endReason === null ? note.status : `${note.status}: ${note.endReason}`,
          },
        },
      ];
    }
    case 'fill': {
      const { fill, book, at, reason } = note;
      const instrument = instrumentIn(timed, fill.instrument);
      return [
        {
          table: 'fills',
          row: {
            id: fill.fillId,
            at,
            order_id: fill.clientId,
            portfolio,
            desk: bookKey(book).desk,
            book,
            instrument: fill.instrument,
            side: fill.side,
            quantity: stepsToText(fill.lots, instrument.lot),
            price: stepsToText(fill.ticks, instrument.tick),
            fee: formatDecimal(fill.fee, instrument.minorScale),
            currency: instrument.settle,
            liquidity: fill.liquidity,
            reason,
          },
        },
      ];
    }
    case 'trade': {
      const { trade, desk, regime } = note;
      const instrument = instrumentIn(timed, trade.instrument);
      const money = (minor: number) => formatDecimal(minor, instrument.minorScale);
      return [
        {
          table: 'trades',
          row: {
            id: trade.id,
            at: trade.closedAt,
            opened_at: trade.openedAt,
            portfolio,
            desk,
            book: trade.book,
            instrument: trade.instrument,
            side: trade.direction === 1 ? 'long' : 'short',
            quantity: stepsToText(trade.lots, instrument.lot),
            entry_price: decimal(trade.entryPrice),
            exit_price: decimal(trade.exitPrice),
            realised: money(trade.realised),
            fees: money(trade.fees),
            funding: money(trade.funding),
            currency: trade.currency,
            regime,
            reason: trade.exitReason,
          },
        },
      ];
    }
    case 'equity': {
      const { at, equity, drawdown } = note;
      return [{ table: 'equity', row: { id: `${portfolio}-${position}`, at, portfolio, equity, drawdown } }];
    }
    case 'performance': {
      const { note: _, winRate, maxDrawdown, ...figures } = note;
      return [
        {
          table: 'performance_snapshots',
          row: {
            id: `${portfolio}-${note.at}-${position}`,
            portfolio,
            ...figures,
            win_rate: winRate,
            max_drawdown: maxDrawdown,
          },
        },
      ];
    }
  }
}

function traceRows(portfolio: string, line: TraceLine, position: number): ProjectionRow[] {
  const id = `${portfolio}-${position}`;
  const { at, instrument } = line;
  if (line.type === 'decision') {
    const { desk, action, confidence, outcome, objections } = line;
    const reason = objections.map((o) => `${o.by}: ${o.reason}`).join('; ');
    const trace = JSON.stringify(line);
    return [
      {
        table: 'decisions',
        row: { id, at, portfolio, desk, instrument, action, confidence, outcome, reason, trace },
      },
      ...line.signals.map((signal, i) => signalRow(`${id}-${i}`, portfolio, line, signal)),
    ];
  }
  if (line.type !== 'breaker') return [];
  const move = /^(\w+) -> (\w+)(?:: (.*))?$/.exec(line.text);
  if (move === null) return [];
  const [, from, to, why = ''] = move;
  const severity = to === 'HALT' || to === 'SHUTDOWN' ? 'critical' : to === 'CLOSED' ? 'info' : 'warning';
  return [
    {
      table: 'breaker_events',
      row: {
        id,
        at,
        portfolio,
        desk: line.desk,
        from_level: from!,
        to_level: to!,
        issue: why,
        severity,
        reason: line.text,
      },
    },
  ];
}

function signalRow(
  id: string,
  portfolio: string,
  line: {
    readonly at: number;
    readonly desk: string;
    readonly instrument: InstrumentId;
    readonly outcome: string;
  },
  signal: Signal,
): ProjectionRow {
  const { at, desk, instrument, outcome } = line;
  const score = signal.kind === 'score' ? signal.value : null;
  const probability = signal.kind === 'forecast' ? signal.probability : null;
  const horizon = 'horizonMs' in signal ? signal.horizonMs : null;
  return {
    table: 'signals',
    row: {
      id,
      at,
      portfolio,
      desk,
      instrument,
      source: signal.source,
      kind: signal.kind,
      direction: score === null ? null : score > 0 ? 'long' : score < 0 ? 'short' : 'flat',
      score,
      probability,
      horizon_ms: horizon === null ? null : Math.round(horizon),
      outcome,
    },
  };
}

/** A float average as plain decimal text. */
function decimal(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(10).replace(/0+$/, '').replace(/\.$/, '');
}
