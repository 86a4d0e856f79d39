import type { Instant } from '#base';
import { deskOfBook, type Trade, type VenueReport } from '#ledger';
import type { Plan } from '#risk';
import { tally } from './counts.ts';
import type { DeskRuntime } from './desk-runtime.ts';
import type { Engine } from './engine.ts';
import type { LaneEffect } from './lane.ts';
import type { LateOutcome } from './late-fills.ts';

/** What a booked report means to those who watch: counters, the breaker, the desk's record. `desk`: of a shadow. */
export function booked(
  engine: Engine,
  desk: DeskRuntime | null,
  effect: LaneEffect,
  report: VenueReport,
  shadow: boolean,
): void {
  const { fault } = effect.booking;
  if (fault !== null) {
    tally(engine.counts.ledgerFaults, fault);
    if (engine.trace.level !== 'none') engine.happened('order', null, null, `${report.kind}: ${fault}`);
    if (fault === 'account-differs') {
      const text = 'the venue account differs from the books';
      engine.emit({ kind: 'raise-alert', severity: 'critical', key: 'account-differs', text });
    }
  }
  if (!shadow) engine.breakerWatch.reported(report, effect, engine.real.ledger);
  if (!shadow) engine.observer.filled?.(effect, report);
  if (effect.late !== null && !shadow) cameLate(engine, effect);
  if (effect.closed !== null) closedTrade(engine, effect.closed, shadow, desk);
}

const LATE_WORDS: Readonly<Record<LateOutcome, string>> = {
  leaves: 'it is closed at the next bar',
  protected: 'its protective orders were sent again',
  stands: 'it is held as it was planned',
};

/** A fill that nobody expected any more: whoever is on watch hears what becomes of it. */
function cameLate(engine: Engine, { booking, late }: LaneEffect): void {
  const { clientId, book, instrument } = booking.order!.request;
  const text = `${book}: order ${clientId} filled when nobody expected it any more; ${LATE_WORDS[late!]}`;
  engine.happened('order', deskOfBook(book), instrument, text, { late });
  engine.emit({ kind: 'raise-alert', severity: 'warning', key: `late-${clientId}`, text });
}

/** A trade has ended. `of`: its desk, where the caller knows it. */
export function closedTrade(
  engine: Engine,
  trade: Trade,
  shadow: boolean,
  of: DeskRuntime | null = null,
): void {
  const { counts } = engine;
  const desk = of ?? engine.deskNamed(deskOfBook(trade.book));
  if (shadow) counts.shadowTrades += 1;
  else counts.trades += 1;
  if (!shadow) tally(counts.exitsByKind, trade.exitReason);
  const { ledger } = engine.real;
  const net = ledger.inBase(trade.currency, trade.net, false);
  const word = desk.record.closed(net, trade.closedAt, shadow, ledger.equity(trade.closedAt));
  if (word !== 'nothing') edgeChanged(engine, desk, word);
  if (!shadow) {
    judgeRecord(engine, desk, trade.closedAt);
    engine.kills.closed(desk.name, net, trade.closedAt);
  }
  engine.observer.traded?.(trade, desk.name, shadow);
  if (engine.trace.level === 'none') return;
  const text = `closed by ${trade.exitReason}`;
  engine.happened('trade', desk.name, trade.instrument, text, { net: trade.net }, shadow);
}

/** A desk's shadow trades show an edge again, or it was allowed to act on one. */
export function edgeChanged(engine: Engine, desk: DeskRuntime, word: 'edge-returned' | 'resumed'): void {
  const text =
    word === 'resumed'
      ? 'the shadow window shows an edge: entries resume at exploration risk'
      : 'the shadow window shows an edge: entries resume when an operator allows it';
  tally(engine.counts.edges, word);
  engine.happened('edge', desk.name, null, text);
  engine.emit({ kind: 'raise-alert', severity: 'info', key: `edge-${desk.name}`, text });
}

function judgeRecord({ breaker, breakerWatch }: Engine, desk: DeskRuntime, at: Instant): void {
  if (breaker === null) return;
  const { severity, collapsed } = desk.record.health();
  breaker.monitor(severity, at);
  if (collapsed) breaker.expectancyCollapse(at);
  breakerWatch.moved(at);
}

/** A plan of several legs has ended, in the words of its tracker. */
export function legsEnded(engine: Engine, { id, desk, legs }: Plan, text: string): void {
  tally(engine.counts.legPlans, text.split(':')[0]!);
  engine.happened('order', desk, legs[0]!.instrument, `plan ${id}: ${text}`);
  if (!text.startsWith('stranded')) return;
  engine.emit({ kind: 'raise-alert', severity: 'critical', key: `legs-${id}`, text: `plan ${id} ${text}` });
}
