import type { Instant } from '#base';
import { isEnded, type Ledger, type VenueReport } from '#ledger';
import { adverseSlippage, type BreakerConfig, CircuitBreaker } from '#risk';
import { type Counts, tally } from './counts.ts';
import type { Command } from './events.ts';
import type { LaneEffect } from './lane.ts';

/** What the breaker's moves do to the portfolio. */
export interface BreakerPort {
  readonly counts: Counts;
  emit(command: Command): void;
  happened(type: 'breaker', desk: null, instrument: null, text: string): void;
  /** Cancels every entry and closes every position. */
  closeAll(at: Instant): void;
}

/** Feeds the circuit breaker with what the portfolio sees, and carries out what it asks for. */
export class BreakerWatch {
  static readonly configuration = ['port', 'muted'];
  readonly breaker: CircuitBreaker | null;
  /** While facts of another version are folded the breaker moves without anything being done about it. */
  muted = false;
  private readonly port: BreakerPort;
  private last: string = 'CLOSED';
  /** Everything was told to close; told again once the breaker has stopped asking for it. */
  private closedAll = false;

  constructor(config: BreakerConfig | null, port: BreakerPort) {
    this.breaker = config === null ? null : new CircuitBreaker(config);
    this.port = port;
  }

  /** To be called after whatever may have moved the breaker. */
  moved(at: Instant): void {
    const { breaker } = this;
    if (breaker === null) return;
    if (breaker.state !== this.last) this.tell(breaker);
    // the state alone does not say it: a loss may come while it halts already for another reason
    if (!breaker.closesAll) {
      this.closedAll = false;
      return;
    }
    if (this.closedAll || this.muted) return;
    this.closedAll = true;
    this.port.closeAll(at);
  }

  private tell(breaker: CircuitBreaker): void {
    const from = this.last;
    this.last = breaker.state;
    if (this.muted) return;
    tally(this.port.counts.breakerStates, breaker.state);
    const causes = breaker.causes.map((c) => c.trigger).join(', ');
    this.port.happened('breaker', null, null, `${from} -> ${breaker.state}${causes ? `: ${causes}` : ''}`);
    if (breaker.state !== 'HALT' && breaker.state !== 'SHUTDOWN') return;
    const text = `breaker ${breaker.state}: ${causes}`;
    this.port.emit({ kind: 'raise-alert', severity: 'critical', key: 'breaker', text });
  }

  /** What a report about an own order says of the venue's health. */
  reported(report: VenueReport, effect: LaneEffect, ledger: Ledger): void {
    const { accepted, order } = effect.booking;
    switch (report.kind) {
      case 'order-rejected':
        tally(this.port.counts.ordersRejected, report.reason);
        if (accepted && !followsItsParent(effect, ledger)) this.breaker?.orderFailed(report.at);
        return;
      case 'order-accepted':
        if (accepted) this.breaker?.orderSucceeded(report.at);
        return;
      case 'order-filled': {
        if (!accepted) return;
        this.port.counts.fills += 1;
        const request = order?.request;
        if (request === undefined || request.type !== 'market' || request.expectedTicks === null) return;
        const adverse = adverseSlippage(request.side, request.expectedTicks, report.fill.ticks);
        this.breaker?.slippage(Math.max(0, adverse), report.at);
        return;
      }
      default:
        return;
    }
  }
}

/** Protection of an entry that came to nothing is rejected with it: one failure, not three. */
function followsItsParent({ booking }: LaneEffect, ledger: Ledger): boolean {
  const parent = booking.order?.request.parent ?? null;
  const entry = parent === null ? undefined : ledger.order(parent);
  return entry !== undefined && isEnded(entry.status) && entry.filledLots === 0;
}
