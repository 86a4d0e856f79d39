import { assert, type Instant } from '#base';
import { type ClientOrderId, type OrderRequest, opposite, type VenueReport } from '#ledger';
import type { Leg, Plan } from '#risk';
import type { VenueCommand } from './venue.ts';

export type LegOutcome =
  /** Every leg is filled whole. */
  | 'complete'
  /** It failed and nothing is held of it any more. */
  | 'unwound'
  /** It failed and what had filled is kept. */
  | 'kept'
  /** It failed and could not be unwound within the allowed attempts: a person must look. */
  | 'stranded';

export interface LegTrackerOptions {
  /** Names of the orders this tracker adds, n from 0. */
  readonly ids: (n: number) => ClientOrderId;
  /** Worth of `lots` of a leg in minor units of the base currency, to measure what is unhedged. */
  readonly worth: (leg: Leg, lots: number) => number;
  /** Whether reduce-only orders of the leg also reduce the venue's net; default yes. */
  readonly reducesNet?: (leg: Leg) => boolean;
  /** Signed lots in the leg's book: what something else has closed needs no unwinding. Default: as this plan filled. */
  readonly heldLots?: (leg: Leg) => number;
  /** Unwinding orders per leg before the tracker gives up. Default 3. */
  readonly attempts?: number;
}

/** One leg: what it has asked for and got. */
interface LegState {
  /** The order that works for it now. */
  order: ClientOrderId;
  working: boolean;
  filled: number;
  cancelAsked: boolean;
  completions: number;
  /** The closing order at work, and what is left of it. */
  unwinding: ClientOrderId | null;
  unwindingLots: number;
  /** All closing orders there were: their fills may come late. */
  readonly closers: ClientOrderId[];
  unwound: number;
  /** Unwinding orders that ended without closing what they should. */
  failures: number;
  protectionDropped: boolean;
}

type Phase = 'filling' | 'completing' | 'unwinding' | 'keeping' | 'done';

const NOTHING: readonly VenueCommand[] = Object.freeze([]);
/** A completion at the market is given at least this long. */
const COMPLETION_MS_MIN = 60_000;

/**
 * Holds a plan of several legs to "all or none". Fed with every report about its orders and with the time; returns
 * the commands that follow. A leg fails when its order ends unfilled, when the plan expires, or when more than
 * `plan.unhedgedMax` stays unhedged; then the plan's policy decides: unwind what filled, keep it, or complete what is
 * missing at the market (within the leg's worst price) and unwind if that fails too.
 *
 * Call {@link advance} once the reports of an instant are in: legs that fill together must not look unhedged between.
 */
export class LegTracker {
  static readonly configuration = ['plan', 'requests', 'options'];
  private readonly plan: Plan;
  private readonly requests: readonly OrderRequest[];
  private readonly options: LegTrackerOptions;
  private readonly legs: LegState[];
  private readonly seen = new Set<string>();
  private phase: Phase = 'filling';
  private result: LegOutcome | null = null;
  private issued = 0;
  private why: string | null = null;
  /** Until when completion at the market may take; null before it began. */
  private completeUntil: Instant | null = null;

  /** `requests`: the orders {@link planOrders} made of the plan, protection included. */
  constructor(plan: Plan, requests: readonly OrderRequest[], options: LegTrackerOptions) {
    this.plan = plan;
    this.requests = requests;
    this.options = options;
    const entries = requests.filter((request) => request.parent === null);
    assert(entries.length === plan.legs.length, 'a plan has one order for each leg');
    this.legs = entries.map((request) => ({
      order: request.clientId,
      working: true,
      filled: 0,
      cancelAsked: false,
      completions: 0,
      unwinding: null,
      unwindingLots: 0,
      closers: [],
      unwound: 0,
      failures: 0,
      protectionDropped: false,
    }));
  }

  /** How it ended; null while it goes on. */
  outcome(): LegOutcome | null {
    return this.result;
  }

  /** Why it failed; null as long as it has not. */
  failure(): string | null {
    return this.why;
  }

  /** Filled less unwound lots of each leg. */
  held(): readonly number[] {
    return this.legs.map((leg) => leg.filled - leg.unwound);
  }

  /**
   * What stands alone, in minor units of the base currency: of every leg the part that goes beyond the share that the
   * least filled leg has reached.
   */
  unhedged(): number {
    const shares = this.plan.legs.map((leg, i) => this.legs[i]!.filled / leg.lots);
    const least = Math.min(...shares);
    return this.plan.legs.reduce((sum, leg, i) => {
      const alone = this.legs[i]!.filled - Math.floor(least * leg.lots + 1e-9);
      return alone > 0 ? sum + Math.abs(this.options.worth(leg, alone)) : sum;
    }, 0);
  }

  /** Takes a report about any order; those of others change nothing. */
  onReport(report: VenueReport): readonly VenueCommand[] {
    switch (report.kind) {
      case 'order-filled':
        return this.onFill(report.fill.clientId, report.fill.fillId, report.fill.lots);
      case 'order-rejected':
      case 'order-canceled':
      case 'order-expired':
        return this.onEnd(report.clientId, `${report.kind}: ${report.reason}`);
      case 'order-unknown':
        return this.onEnd(report.clientId, report.kind);
      case 'cancel-rejected': {
        const leg = this.legs.find((state) => state.order === report.clientId);
        if (leg) leg.cancelAsked = false;
        return NOTHING;
      }
      default:
        return NOTHING;
    }
  }

  /** When {@link advance} must be called at the latest; Infinity once time alone changes nothing. */
  nextDue(): Instant {
    if (this.phase === 'filling') return this.plan.expiresAt;
    return this.phase === 'completing' ? (this.completeUntil ?? this.plan.expiresAt) : Infinity;
  }

  /** Lets time pass: expiry, and the bound on what is unhedged. */
  advance(at: Instant): readonly VenueCommand[] {
    const { unhedgedMax, expiresAt } = this.plan;
    if (this.phase === 'completing') {
      // a plan that expired half filled is completed after its expiry, for as long again as it was given
      this.completeUntil ??= at + Math.max(COMPLETION_MS_MIN, expiresAt - this.plan.at);
      return at >= this.completeUntil ? this.fail('expired') : NOTHING;
    }
    if (this.phase !== 'filling') return NOTHING;
    if (at >= expiresAt) {
      const commands = this.fail('expired');
      if (this.completes()) this.completeUntil = at + Math.max(COMPLETION_MS_MIN, expiresAt - this.plan.at);
      return commands;
    }
    if (unhedgedMax !== null && this.unhedged() > unhedgedMax) return this.fail('unhedged');
    return NOTHING;
  }

  private completes(): boolean {
    return this.phase === 'completing';
  }

  private onFill(order: ClientOrderId, fillId: string, lots: number): readonly VenueCommand[] {
    const leg = this.legs.find((state) => state.order === order || state.closers.includes(order));
    const protects = leg ? -1 : this.legOfProtection(order);
    if ((!leg && protects < 0) || this.seen.has(fillId)) return NOTHING;
    this.seen.add(fillId);
    const state = leg ?? this.legs[protects]!;
    if (leg?.order === order) state.filled += lots;
    else state.unwound += lots;
    if (state.filled >= this.plan.legs[this.legs.indexOf(state)]!.lots) state.working = false;
    if (state.unwinding === order) {
      state.unwindingLots -= lots;
      if (state.unwindingLots <= 0) state.unwinding = null;
    }
    // a fill that crossed its cancellation reopens what had been closed
    if (this.result === 'unwound' && state.filled > state.unwound) {
      this.phase = 'unwinding';
      this.result = null;
    }
    return this.goOn();
  }

  private legOfProtection(order: ClientOrderId): number {
    const parent = this.requests.find((request) => request.clientId === order)?.parent ?? null;
    if (parent === null) return -1;
    const entries = this.requests.filter((request) => request.parent === null);
    return entries.findIndex((entry) => entry.clientId === parent);
  }

  private onEnd(order: ClientOrderId, reason: string): readonly VenueCommand[] {
    const leg = this.legs.find((state) => state.order === order || state.unwinding === order);
    if (!leg) return NOTHING;
    if (leg.unwinding === order) {
      leg.unwinding = null;
      leg.failures += 1;
      return this.goOn();
    }
    if (!leg.working) return NOTHING;
    leg.working = false;
    // a first order that we canceled ourselves makes room for its completion; a completion that ends has failed
    const failed = this.phase === 'filling' || (this.phase === 'completing' && leg.completions > 0);
    if (failed) return this.fail(reason);
    return this.goOn();
  }

  private isWhole(): boolean {
    return this.plan.legs.every((leg, i) => this.legs[i]!.filled >= leg.lots);
  }

  /** A leg has failed: the policy takes over. */
  private fail(reason: string): readonly VenueCommand[] {
    if (this.isWhole()) return this.goOn();
    this.why ??= reason;
    const policy = this.plan.legFailure;
    const nothingYet = this.legs.every((leg) => leg.filled === 0);
    if (policy === 'keep') this.phase = 'keeping';
    else if (policy === 'complete-at-market' && this.phase === 'filling' && !nothingYet)
      this.phase = 'completing';
    else this.phase = 'unwinding';
    return [...this.cancelRest(), ...this.goOn()];
  }

  private cancelRest(): VenueCommand[] {
    const commands: VenueCommand[] = [];
    for (const leg of this.legs) {
      if (!leg.working || leg.cancelAsked) continue;
      leg.cancelAsked = true;
      commands.push({ kind: 'cancel-order', clientId: leg.order, reason: `leg-failure:${this.why}` });
    }
    return commands;
  }

  private goOn(): readonly VenueCommand[] {
    switch (this.phase) {
      case 'filling':
        if (this.isWhole()) this.end('complete');
        return NOTHING;
      case 'completing':
        return this.complete();
      case 'keeping':
        if (this.legs.every((leg) => !leg.working)) this.end(this.isWhole() ? 'complete' : 'kept');
        return NOTHING;
      case 'unwinding':
        return this.unwind();
      case 'done':
        return NOTHING;
    }
  }

  private end(outcome: LegOutcome): void {
    this.phase = 'done';
    this.result = outcome;
  }

  /** Asks for what is missing at the market, once per leg, as soon as the leg's first order is out of the way. */
  private complete(): readonly VenueCommand[] {
    if (this.isWhole()) {
      this.end('complete');
      return NOTHING;
    }
    const commands: VenueCommand[] = [];
    this.plan.legs.forEach((leg, i) => {
      const state = this.legs[i]!;
      if (state.working || state.filled >= leg.lots) return;
      if (state.completions > 0) this.phase = 'unwinding';
      else commands.push(this.completion(leg, state));
    });
    return this.phase === 'completing' ? commands : [...this.cancelRest(), ...this.unwind()];
  }

  private completion(leg: Leg, state: LegState): VenueCommand {
    state.completions += 1;
    state.order = this.nextId();
    state.working = true;
    state.cancelAsked = false;
    const order = this.market(
      leg,
      leg.side,
      leg.lots - state.filled,
      state.order,
      leg.reduceOnly,
      'leg-completion',
    );
    if (leg.worstTicks === null) return { kind: 'submit-order', order };
    return {
      kind: 'submit-order',
      order: { ...order, type: 'limit', limitTicks: leg.worstTicks, timeInForce: 'IOC' },
    };
  }

  /** Closes what has filled, leg by leg; fills that overtake a cancellation are closed when they are told. */
  private unwind(): readonly VenueCommand[] {
    const commands: VenueCommand[] = [];
    let stuck = false;
    this.plan.legs.forEach((leg, i) => {
      const state = this.legs[i]!;
      const held = Math.min(state.filled - state.unwound, this.open(leg));
      if (held <= 0 || state.unwinding !== null) return;
      if (state.failures >= (this.options.attempts ?? 3)) {
        stuck = true;
        return;
      }
      if (!state.protectionDropped) commands.push(...this.dropProtection(i));
      state.protectionDropped = true;
      state.unwinding = this.nextId();
      state.unwindingLots = held;
      state.closers.push(state.unwinding);
      const order = this.market(leg, opposite(leg.side), held, state.unwinding, true, 'leg-unwind');
      commands.push({ kind: 'submit-order', order });
    });
    // what only closes cannot be unwound: a leg that is still held is for a person to close
    const onlyCloses = this.plan.legs.every((leg) => leg.reduceOnly);
    if (this.legs.every((leg) => !leg.working && leg.unwinding === null))
      this.end(stuck || onlyCloses ? 'stranded' : 'unwound');
    return commands;
  }

  /** Lots of the leg's side that its book still holds. */
  private open(leg: Leg): number {
    const { heldLots } = this.options;
    if (heldLots === undefined) return Infinity;
    return leg.side === 'buy' ? heldLots(leg) : -heldLots(leg);
  }

  private dropProtection(leg: number): VenueCommand[] {
    const entries = this.requests.filter((request) => request.parent === null);
    const children = this.requests.filter((request) => request.parent === entries[leg]!.clientId);
    return children.map(({ clientId }) => ({ kind: 'cancel-order', clientId, reason: 'leg-unwind' }));
  }

  private nextId(): ClientOrderId {
    return this.options.ids(this.issued++);
  }

  private market(
    leg: Leg,
    side: 'buy' | 'sell',
    lots: number,
    clientId: ClientOrderId,
    reduceOnly: boolean,
    reason: string,
  ): OrderRequest {
    const { book, instrument, leverage, expectedTicks } = leg;
    return {
      clientId,
      book,
      instrument,
      side,
      lots,
      type: 'market',
      limitTicks: null,
      triggerTicks: null,
      trailRate: null,
      timeInForce: 'GTC',
      expiresAt: null,
      postOnly: false,
      reduceOnly,
      reduceOnlyAtVenue: reduceOnly && (this.options.reducesNet?.(leg) ?? true),
      ocoGroup: null,
      parent: null,
      leverage,
      expectedTicks,
      reason,
    };
  }
}
