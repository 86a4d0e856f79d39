import type { Engine } from './engine.ts';
import type { Command, Event, OperatorAction } from './events.ts';

/** Acts of operators of which nothing is left to take over. */
const DONE_BY_COMMANDS = new Set<OperatorAction['action']>(['kill', 'flatten', 'close', 'cancel', 'review']);

/**
 * Takes what is a fact in an event that another version recorded, as far as it must be taken otherwise than an own
 * event: prices without decisions, operators' words without what they made the other version ask for. True when the
 * event is done with; false when it is booked as any other.
 */
export function takeFact(engine: Engine, event: Event): boolean {
  switch (event.kind) {
    case 'bar-closed':
      engine.intake.barFact(event);
      return true;
    case 'mark-updated':
      engine.intake.priceFact(event.instrument, event.mark, event.at);
      return true;
    case 'quote-updated':
      if (event.bid > 0 && event.ask > 0)
        engine.intake.priceFact(event.instrument, (event.bid + event.ask) / 2, event.at);
      return true;
    case 'print-seen':
      engine.intake.priceFact(event.instrument, event.price, event.at);
      return true;
    case 'operator-acted': {
      const { action } = event.act;
      // a kill switch trips as it did then; what it asked for are commands of their own
      if ('desk' in event.act && event.act.desk != null && (action === 'kill' || action === 'recover'))
        return false;
      if (action === 'kill') {
        engine.running = false;
        engine.breaker?.critical('kill-command', event.at);
      }
      // closing and canceling was done by orders and cancellations, which are facts of their own
      return DONE_BY_COMMANDS.has(action);
    }
    case 'timer-fired':
      engine.breaker?.tick(event.at);
      return true;
    case 'answer-received':
    case 'run-resumed':
      return true;
    default:
      return false;
  }
}

/** Makes an order or a cancellation that another version sent an own one, without sending it. */
export function adoptCommand({ real, orderWatch, at }: Engine, command: Command): void {
  if (command.kind === 'submit-order') real.adopt(command.order, at);
  else if (command.kind === 'cancel-order') real.ledger.cancelRequested(command.clientId, at);
  else return;
  orderWatch.sent(command, at);
}
