import type { Instant } from '#base';
import type { VenueReport } from '#ledger';
import type { Engine } from './engine.ts';
import type { SendFailed } from './events.ts';
import { booked } from './outcomes.ts';

/** Books what the venue says, and asks where it leaves a doubt. */
export function reported(engine: Engine, report: VenueReport): void {
  const { real, orderWatch } = engine;
  const effect = real.report(report);
  engine.staleAccounts();
  booked(engine, null, effect, report, false);
  const question = orderWatch.heard(effect.booking.order, report);
  if (question !== null) engine.emit(question);
  for (const command of orderWatch.differences(effect.booking, report, real.ledger)) engine.emit(command);
  if (report.kind === 'order-unknown' && orderWatch.isGone(effect.booking, report)) {
    const { at, eventTime, clientId } = report;
    reported(engine, { kind: 'order-canceled', at, eventTime, clientId, reason: 'gone from the venue' });
    const text = `order ${clientId} worked for us and the venue knows it no more`;
    engine.emit({ kind: 'raise-alert', severity: 'critical', key: `gone-${clientId}`, text });
  }
  engine.breakerWatch.moved(report.at);
}

/** A command did not reach the venue, or nobody knows whether it did. */
export function sendFailed(engine: Engine, event: SendFailed): void {
  const { at, eventTime, clientId, reason } = event;
  if (event.outcome === 'unknown') {
    engine.breaker?.orderFailed(at);
    engine.emit({ kind: 'query-order', clientId });
    // otherwise it is counted as a failure where the rejection is booked
  } else reported(engine, { kind: 'order-rejected', at, eventTime, clientId, reason });
  engine.breakerWatch.moved(at);
}

/** After a restart nobody knows what became of orders without an answer: ask. */
export function resume(engine: Engine, at: Instant): void {
  for (const command of engine.orderWatch.resume(at, engine.real.ledger)) engine.emit(command);
}
