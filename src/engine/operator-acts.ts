import { type Instant, unreachable } from '#base';
import { type BookId, type ClientOrderId, isEnded, type OrderState } from '#ledger';
import type { DeskRuntime } from './desk-runtime.ts';
import type { Engine } from './engine.ts';
import type { OperatorActed, OperatorAction } from './events.ts';
import type { InstrumentRuntime } from './instrument-runtime.ts';
import { modelRefusal, takeModel } from './model-change.ts';
import { edgeChanged } from './outcomes.ts';
import { limitsRefusal, mergedChanges } from './portfolio-limits.ts';

/** Does what a person or a program with rights has ordered; what cannot be done is traced with the reason. */
export function operate(engine: Engine, { act, at, by, reason }: OperatorActed): void {
  const refused = operatorRefusal(engine, act);
  const words = `${whatOf(act)} by ${by}: ${reason}${refused === null ? '' : ` (refused: ${refused})`}`;
  const desk = 'desk' in act ? (act.desk ?? null) : null;
  engine.happened('operator', desk, null, words, { ...act });
  if (refused === null) obey(engine, act, { by, reason, at });
  engine.breakerWatch.moved(at);
}

/** What is to be done, in words. */
function whatOf(act: OperatorAction): string {
  switch (act.action) {
    case 'cancel':
      return `cancel ${act.clientId}`;
    case 'close':
      return `close ${act.book}`;
    case 'limits': {
      const changes = Object.entries(act.changes).filter(([, value]) => value !== undefined);
      return `limits ${changes.map(([name, value]) => `${name} ${value ?? 'as configured'}`).join(', ')}`;
    }
    case 'model': {
      const { desk, reference, id, fault } = act;
      const meant = `model ${reference} of ${desk}: ${id === null ? 'none' : id.slice(0, 12)}`;
      return fault === undefined ? meant : `${meant} cannot be taken, ${fault};`;
    }
    case 'record':
      return `record ${act.subject} (${act.detail})`;
    case 'start':
    case 'stop':
    case 'kill':
    case 'recover':
      return act.desk == null ? act.action : `${act.action} of ${act.desk}`;
    default:
      return act.action;
  }
}

/** Why an act can do nothing as things stand, or null. The breaker judges recoveries and overrides itself. */
export function operatorRefusal(engine: Engine, act: OperatorAction): string | null {
  switch (act.action) {
    case 'start':
    case 'stop':
    case 'flatten':
    case 'resume-edge':
      return unknownDesk(engine, act.desk ?? null);
    case 'cancel':
      return cancelRefusal(engine, act.clientId);
    case 'close':
      return closeRefusal(engine, act.book);
    case 'limits':
      return limitsRefusal(engine.definition.limits ?? {}, engine.limitChanges, act.changes);
    case 'recover':
      if (act.desk != null) return switchRefusal(engine, act.desk, true);
      return engine.breaker === null ? 'this portfolio has no breaker' : null;
    case 'kill':
      return act.desk == null ? null : switchRefusal(engine, act.desk, false);
    case 'override':
      return engine.breaker === null ? 'this portfolio has no breaker' : null;
    case 'review': {
      const { questionId } = act;
      const waits = engine.plans.open.some((review) => review.questionId === questionId);
      return waits ? null : `no plan waits under ${questionId}`;
    }
    case 'model':
      return modelRefusal(engine, act);
    case 'record':
      return null;
    default:
      return unreachable(act);
  }
}

function switchRefusal({ kills }: Engine, name: string, tripped: boolean): string | null {
  if (!kills.has(name)) {
    const names = kills.states.map((one) => one.name).join(', ');
    return `there is no kill switch ${name}${names === '' ? '' : `: ${names}`}`;
  }
  if (kills.isTripped(name) === tripped) return null;
  return tripped ? `kill switch ${name} has not tripped` : `kill switch ${name} has tripped already`;
}

function unknownDesk({ desks }: Engine, name: string | null): string | null {
  if (name === null || desks.some((desk) => desk.name === name)) return null;
  return `there is no desk ${name}: ${desks.map((desk) => desk.name).join(', ')}`;
}

function cancelRefusal({ real }: Engine, clientId: ClientOrderId): string | null {
  const order = real.ledger.order(clientId);
  if (order === undefined) return `there is no order ${clientId}`;
  if (isEnded(order.status)) return `order ${clientId} has ended: ${order.status}`;
  return order.cancelRequestedAt === null ? null : `order ${clientId} is being canceled already`;
}

function closeRefusal(engine: Engine, book: BookId): string | null {
  if (traderOf(engine, book) === null) return `no desk of this portfolio trades ${book}`;
  const { real } = engine;
  return real.held.has(book) || real.hasWorkingEntry(book) ? null : `${book} holds nothing`;
}

/** Who trades a book; null for one that is nobody's. */
function traderOf(
  { desks }: Engine,
  book: BookId,
): { readonly desk: DeskRuntime; readonly instrument: InstrumentRuntime } | null {
  for (const desk of desks) {
    const instrument = desk.instruments.find((one) => one.book === book);
    if (instrument !== undefined) return { desk, instrument };
  }
  return null;
}

function obey(
  engine: Engine,
  act: OperatorAction,
  { by, reason, at }: Pick<OperatorActed, 'by' | 'reason' | 'at'>,
): void {
  const { breaker } = engine;
  switch (act.action) {
    case 'start':
      if (act.desk == null) engine.running = true;
      else engine.desksStopped.delete(act.desk);
      return;
    case 'stop':
      if (act.desk == null) engine.running = false;
      else engine.desksStopped.add(act.desk);
      return;
    case 'cancel': {
      const order = engine.real.ledger.order(act.clientId)!;
      engine.real.cancel(order, 'operator', at);
      return tellUnprotected(engine, order, by);
    }
    case 'close': {
      const { desk, instrument } = traderOf(engine, act.book)!;
      return leave(engine, desk, instrument, 'exit:close', 'an operator closes it', at);
    }
    case 'limits':
      engine.limitChanges = mergedChanges(engine.limitChanges, act.changes);
      return engine.plans.limitsChanged();
    case 'model':
      return takeModel(engine, act, at);
    case 'record':
      return;
    case 'flatten':
      return flatten(engine, act.desk, at);
    case 'recover':
      if (act.desk != null) return engine.kills.reset(act.desk, at);
      breaker?.recover({ reason, ...(act.confirm === null ? {} : { confirm: act.confirm }) }, at);
      return;
    case 'override':
      breaker?.override({ enabled: act.enabled, reason }, at);
      return;
    case 'kill':
      if (act.desk != null) return engine.kills.byHand(act.desk, `${by}: ${reason}`, at);
      engine.running = false;
      breaker?.critical('kill-command', at);
      return flatten(engine, null, at);
    case 'resume-edge':
      for (const desk of engine.desks) {
        if (desk.name !== act.desk) continue;
        const word = desk.record.allowResume();
        if (word !== 'nothing') edgeChanged(engine, desk, word);
      }
      return;
    case 'review':
      engine.plans.onAnswer(act.questionId, { verdict: act.verdict, share: act.share, reason });
      return;
    default:
      return unreachable(act);
  }
}

const isStop = ({ request }: OrderState): boolean =>
  request.reduceOnly && (request.type === 'stop' || request.type === 'trailing-stop');

/** A canceled stop leaves its position to the desk's own exits, or to nobody: whoever is on watch must hear of it. */
function tellUnprotected(engine: Engine, order: OrderState, by: string): void {
  const { book, reason } = order.request;
  const { real } = engine;
  if (!isStop(order) || !(real.held.has(book) || real.hasWorkingEntry(book))) return;
  if (real.ledger.workingOrders(book).some((one) => isStop(one) && one.cancelRequestedAt === null)) return;
  const exits = traderOf(engine, book)?.desk.parts.exits ?? [];
  const isWatched = exits.some(({ name }) => name === reason);
  const then = isWatched
    ? 'the desk itself closes it there'
    : 'no exit of its desk takes the place of that stop';
  engine.emit({
    kind: 'raise-alert',
    severity: isWatched ? 'warning' : 'critical',
    key: `unprotected-${book}`,
    text: `${book} has no stop at the venue any more, canceled by ${by}: ${then}`,
  });
}

function flatten(engine: Engine, deskName: string | null, at: Instant): void {
  for (const desk of engine.desks) {
    if (deskName !== null && desk.name !== deskName) continue;
    for (const instrument of desk.instruments)
      leave(engine, desk, instrument, 'exit:flatten', 'an operator closes all', at);
  }
}

function leave(
  { real }: Engine,
  desk: DeskRuntime,
  instrument: InstrumentRuntime,
  reason: `exit:${string}`,
  text: string,
  at: Instant,
): void {
  const { book } = instrument;
  instrument.at = at;
  real.cancelEntries(book, reason.slice('exit:'.length), at, { reason, manual: true });
  desk.close(real, instrument, reason, text, true);
  // a fill that crosses a cancellation, an exit that is refused: asked again until nothing is left
  if (real.held.has(book) || real.hasWorkingEntry(book)) real.leave(book, reason, true);
}

/** The breaker's word: every entry is canceled, every position closed. */
export function closeAll({ desks, real }: Engine, at: Instant): void {
  for (const desk of desks) {
    for (const instrument of desk.instruments) {
      instrument.at = at;
      real.cancelEntries(instrument.book, 'breaker', at, { reason: 'exit:breaker', manual: false });
      desk.close(real, instrument, 'exit:breaker');
    }
  }
}
