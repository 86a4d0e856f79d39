import { type Instant, MINUTE, SECOND } from '#base';
import type { VenueCommand } from '#execution';
import {
  type Booking,
  type ClientOrderId,
  isEnded,
  type Ledger,
  type OrderState,
  type VenueReport,
} from '#ledger';

/** How long an order or a cancellation may stay without an answer before the venue is asked. */
const FIRST_ASK_MS = 15 * SECOND;
/** The wait doubles with every question up to this. */
const ASK_EVERY_MS_MAX = 5 * MINUTE;
/** Ended orders this young are asked about when the venue's net differs from the books. */
const RECENT_MS = 60 * MINUTE;

const NOTHING: readonly VenueCommand[] = Object.freeze([]);

interface Unsure {
  askAt: Instant;
  waitMs: number;
}

/**
 * Messages get lost: an order whose acknowledgement is missing, a cancellation nobody answered, a fill that never
 * came. This part remembers what is unanswered and says what to ask again. It never submits: a lost order stays
 * lost, because only the desk knows whether it is still wanted. While every answer comes it costs one map entry.
 */
export class OrderWatch {
  private readonly unsure = new Map<ClientOrderId, Unsure>();
  /** Acknowledged orders that the venue's last account report did not list. */
  private readonly missing = new Set<ClientOrderId>();

  /**
   * Whether an acknowledged order is gone: the account did not list it, and asked about it the venue knows nothing.
   * One of the two alone may be a slip of the venue's.
   */
  isGone(booking: Booking, report: VenueReport): boolean {
    return (
      report.kind === 'order-unknown' &&
      booking.fault === 'bad-transition' &&
      this.missing.has(report.clientId)
    );
  }

  /** A command left. */
  sent(command: VenueCommand, at: Instant): void {
    if (command.kind === 'submit-order') this.expect(command.order.clientId, at);
    else if (command.kind === 'cancel-order' && !this.unsure.has(command.clientId))
      this.expect(command.clientId, at);
  }

  private expect(id: ClientOrderId, at: Instant): void {
    this.unsure.set(id, { askAt: at + FIRST_ASK_MS, waitMs: FIRST_ASK_MS });
  }

  /** A report was booked to this order. A cancellation refused for an order that we hold for alive raises a question. */
  heard(order: OrderState | null, report: VenueReport): VenueCommand | null {
    if (order === null) return null;
    const { clientId } = order.request;
    if (!isUnsure(order)) this.unsure.delete(clientId);
    if (report.kind !== 'order-unknown' || isEnded(order.status)) this.missing.delete(clientId);
    return report.kind === 'cancel-rejected' && !isEnded(order.status)
      ? { kind: 'query-order', clientId }
      : null;
  }

  nextDue(): Instant {
    let due = Infinity;
    if (this.unsure.size === 0) return due;
    for (const { askAt } of this.unsure.values()) due = Math.min(due, askAt);
    return due;
  }

  /** What to ask at `at`. */
  onTime(at: Instant, ledger: Ledger): VenueCommand[] {
    const out: VenueCommand[] = [];
    for (const [id, unsure] of this.unsure) {
      if (at < unsure.askAt) continue;
      const order = ledger.order(id);
      if (order === undefined || !isUnsure(order)) {
        this.unsure.delete(id);
        continue;
      }
      out.push(...questionsAbout(order));
      unsure.waitMs = Math.min(ASK_EVERY_MS_MAX, unsure.waitMs * 2);
      unsure.askAt = at + unsure.waitMs;
    }
    return out;
  }

  /** After a restart nobody knows what became of any order that was alive: ask about all of them. */
  resume(at: Instant, ledger: Ledger): VenueCommand[] {
    const out: VenueCommand[] = [];
    for (const order of ledger.workingOrders()) {
      out.push(...questionsAbout(order));
      if (isUnsure(order)) this.expect(order.request.clientId, at);
    }
    return out;
  }

  /** The venue's account differs from the books: the truth is in the orders that could explain it. */
  differences(booking: Booking, report: VenueReport, ledger: Ledger): readonly VenueCommand[] {
    if (report.kind === 'account-reported') for (const id of report.openOrders) this.missing.delete(id);
    if (booking.differences.length === 0) return NOTHING;
    const ask = new Set<ClientOrderId>();
    const out: VenueCommand[] = [];
    for (const difference of booking.differences) {
      if (difference.kind === 'net') {
        for (const order of ledger.recentOrders(difference.instrument, report.at - RECENT_MS)) {
          ask.add(order.request.clientId);
        }
      } else if (difference.kind === 'order-missing') {
        this.missing.add(difference.clientId);
        ask.add(difference.clientId);
      } else if (ledger.order(difference.clientId) !== undefined) {
        ask.add(difference.clientId);
      } else out.push({ kind: 'cancel-order', clientId: difference.clientId, reason: 'not in the books' });
    }
    for (const clientId of ask) out.push({ kind: 'query-order', clientId });
    return out;
  }
}

function isUnsure(order: OrderState): boolean {
  return !isEnded(order.status) && (order.status === 'pending' || order.cancelRequestedAt !== null);
}

/** A cancellation nobody answered is repeated: it does no harm twice. */
function questionsAbout(order: OrderState): VenueCommand[] {
  const { clientId } = order.request;
  const query: VenueCommand = { kind: 'query-order', clientId };
  if (order.cancelRequestedAt === null) return [query];
  return [{ kind: 'cancel-order', clientId, reason: 'repeated: no answer yet' }, query];
}
