import { assert, type Instant } from '#base';
import { type ClientOrderId, type OrderRequest, opposite, type Side, type VenueReport } from '#ledger';
import type { Leg, Plan } from '#risk';
import { marketOrder } from './market-order.ts';
import type { VenueCommand } from './venue.ts';

export type LegOutcome =
  /** Every leg is filled whole; of a plan that closes, every leg is closed, by whatever. */
  | 'complete'
  /** It failed and nothing is held of it any more; of a plan that closes, nothing was closed. */
  | 'unwound'
  /** It failed and what had filled is kept. */
  | 'kept'
  /**
   * It failed and what it leaves is neither all nor none: what is to be unwound outlasted the allowed attempts, or of a
   * plan that only closes some is closed and some still held. A person must look.
   */
  | 'stranded';

export interface LegTrackerOptions {
  /** Names of the orders this tracker adds, n from 0. */
  readonly ids: (n: number) => ClientOrderId;
  /** Worth of `lots` of a leg in minor units of the base currency, to measure what is unhedged. */
  readonly worth: (leg: Leg, lots: number) => number;
  /** Whether a reduce-only order of this side and size also reduces the venue's net; default yes. */
  readonly reducesNet?: (leg: Leg) => boolean;
  /**
   * Signed lots in the leg's book: what something else has closed needs no unwinding and no closing. Default: as this
   * plan filled.
   */
  readonly heldLots?: (leg: Leg) => number;
  /** Of these, signed, what no order at work closes: more is not asked for. Default: all. */
  readonly freeLots?: (leg: Leg) => number;
  /** Unwinding orders per leg before the tracker gives up. Default 3. */
  readonly attempts?: number;
}

/** One leg: what it has asked for and got. */
interface LegState {
  /** The orders that were to fill it, the one that works now last: a fill of an earlier one may come late. */
  readonly orders: ClientOrderId[];
  /** What the last order may still fill. */
  left: number;
  working: boolean;
  filled: number;
  /** What it was to close has been seen closed: what its book holds later is not this plan's to close. */
  flat: boolean;
  cancelAsked: boolean;
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

const lastOrder = (leg: LegState): ClientOrderId => leg.orders.at(-1)!;

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
  /** Until when completion at the market may take; 0 before it began. */
  private completeUntil: Instant = 0;

  /** `requests`: the orders {@link planOrders} made of the plan, protection included. */
  constructor(plan: Plan, requests: readonly OrderRequest[], options: LegTrackerOptions) {
    this.plan = plan;
    this.requests = requests;
    this.options = options;
    const entries = requests.filter((request) => request.parent === null);
    assert(entries.length === plan.legs.length, 'a plan has one order for each leg');
    this.legs = entries.map((request) => ({
      orders: [request.clientId],
      left: request.lots,
      working: true,
      filled: 0,
      flat: false,
      cancelAsked: false,
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
    const shares = this.plan.legs.map((leg, i) => this.reached(i) / leg.lots);
    const least = Math.min(...shares);
    return this.plan.legs.reduce((sum, leg, i) => {
      const alone = this.reached(i) - Math.floor(least * leg.lots + 1e-9);
      return alone > 0 ? sum + Math.abs(this.options.worth(leg, alone)) : sum;
    }, 0);
  }

  /** Takes a report about any order; those of others change nothing. */
  onReport(report: VenueReport): readonly VenueCommand[] {
    this.noteFlat();
    const commands = this.heed(report);
    // it may be about an order of others, whose end makes room
    return commands.length === 0 && this.waits() ? this.goOn() : commands;
  }

  private heed(report: VenueReport): readonly VenueCommand[] {
    switch (report.kind) {
      case 'order-filled':
        return this.onFill(report.fill.clientId, report.fill.fillId, report.fill.lots);
      case 'order-rejected':
      case 'order-canceled':
      case 'order-expired':
        return this.onEnd(report.clientId, `${report.kind}: ${report.reason}`, report.at);
      case 'order-unknown':
        return this.onEnd(report.clientId, report.kind, report.at);
      case 'cancel-rejected': {
        const leg = this.legs.find((state) => lastOrder(state) === report.clientId);
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
    return this.phase === 'completing' && !this.isWhole() ? this.completeUntil : Infinity;
  }

  /** Lets time pass: expiry, and the bound on what is unhedged. */
  advance(at: Instant): readonly VenueCommand[] {
    this.noteFlat();
    const { unhedgedMax, expiresAt } = this.plan;
    if (this.phase === 'completing') return at >= this.completeUntil ? this.fail('expired', at) : NOTHING;
    if (this.phase !== 'filling') return NOTHING;
    if (at >= expiresAt) return this.fail('expired', at);
    if (unhedgedMax !== null && this.unhedged() > unhedgedMax) return this.fail('unhedged', at);
    return NOTHING;
  }

  private onFill(order: ClientOrderId, fillId: string, lots: number): readonly VenueCommand[] {
    const leg = this.legs.find((state) => state.orders.includes(order) || state.closers.includes(order));
    const protects = leg ? -1 : this.legOfProtection(order);
    if ((!leg && protects < 0) || this.seen.has(fillId)) return NOTHING;
    this.seen.add(fillId);
    const state = leg ?? this.legs[protects]!;
    if (leg?.orders.includes(order)) state.filled += lots;
    else state.unwound += lots;
    if (lastOrder(state) === order) {
      state.left -= lots;
      if (state.left <= 0) state.working = false;
    }
    if (state.unwinding === order) {
      state.unwindingLots -= lots;
      if (state.unwindingLots <= 0) state.unwinding = null;
    }
    this.reopen();
    return this.goOn();
  }

  /** A fill that crossed its cancellation reopens what had ended. */
  private reopen(): void {
    const overfilled = () => this.plan.legs.some((leg, i) => this.excess(i, leg.lots) > 0);
    if (this.result === 'unwound') this.phase = 'unwinding';
    else if (this.result === 'complete' && overfilled()) this.phase = 'completing';
    else return;
    this.result = null;
  }

  private legOfProtection(order: ClientOrderId): number {
    const parent = this.requests.find((request) => request.clientId === order)?.parent ?? null;
    if (parent === null) return -1;
    const entries = this.requests.filter((request) => request.parent === null);
    return entries.findIndex((entry) => entry.clientId === parent);
  }

  private onEnd(order: ClientOrderId, reason: string, at: Instant): readonly VenueCommand[] {
    const i = this.legs.findIndex((state) => lastOrder(state) === order || state.unwinding === order);
    const leg = this.legs[i];
    if (leg === undefined) return NOTHING;
    if (leg.unwinding === order) {
      leg.unwinding = null;
      leg.failures += 1;
      return this.goOn();
    }
    if (!leg.working) return NOTHING;
    leg.working = false;
    if (this.isDone(i)) return this.goOn();
    // a first order that we canceled ourselves makes room for its completion; a completion that ends has failed
    const failed = this.phase === 'filling' || (this.phase === 'completing' && leg.orders.length > 1);
    return failed ? this.fail(reason, at) : this.goOn();
  }

  /** Looks which legs that close have nothing left to close. */
  private noteFlat(): void {
    if (this.options.heldLots === undefined) return;
    this.plan.legs.forEach((leg, i) => {
      if (leg.reduceOnly && this.open(leg) >= 0) this.legs[i]!.flat = true;
    });
  }

  /** Lots that a leg has got: all of them once its book is flat, whatever closed it. */
  private reached(i: number): number {
    const { flat, filled } = this.legs[i]!;
    return flat ? this.plan.legs[i]!.lots : filled;
  }

  private isDone(i: number): boolean {
    return this.reached(i) >= this.plan.legs[i]!.lots;
  }

  private isWhole(): boolean {
    return this.plan.legs.every((_, i) => this.isDone(i));
  }

  /** No order is under way, and none is put off. */
  private isSettled(): boolean {
    return this.legs.every((leg) => !leg.working && leg.unwinding === null) && !this.waits();
  }

  /** Whether something is still to be closed that others are closing just now: what they leave is asked for then. */
  private waits(): boolean {
    if (this.options.freeLots === undefined) return false;
    const { phase } = this;
    if (phase !== 'completing' && phase !== 'unwinding') return false;
    return this.legs.some((leg, i) => {
      if (leg.unwinding === null && !this.hasGivenUp(leg) && this.excess(i) > 0) return true;
      return phase === 'completing' && !leg.working && !this.isDone(i);
    });
  }

  /** The lots, up to `wanted`, that an order of this side may ask to close without going beyond what is held. */
  private closable(leg: Leg, side: Side, wanted: number): number {
    const free = this.options.freeLots?.(leg);
    if (free === undefined) return wanted;
    return Math.max(0, Math.min(wanted, side === 'sell' ? free : -free));
  }

  /** A leg has failed: the policy takes over. */
  private fail(reason: string, at: Instant): readonly VenueCommand[] {
    if (this.isWhole()) return this.goOn();
    this.why ??= reason;
    const { legFailure: policy, expiresAt } = this.plan;
    const nothingYet = this.legs.every((_, i) => this.reached(i) === 0);
    if (policy === 'keep') this.phase = 'keeping';
    else if (policy === 'complete-at-market' && this.phase === 'filling' && !nothingYet) {
      this.phase = 'completing';
      // a plan that expired half filled is completed after its expiry, for as long again as it was given
      this.completeUntil = at + Math.max(COMPLETION_MS_MIN, expiresAt - this.plan.at);
    } else this.phase = 'unwinding';
    return [...this.cancelRest(), ...this.goOn()];
  }

  private cancelRest(): VenueCommand[] {
    return this.legs.flatMap((leg) => this.cancel(leg));
  }

  private cancel(leg: LegState): VenueCommand[] {
    if (!leg.working || leg.cancelAsked) return [];
    leg.cancelAsked = true;
    return [{ kind: 'cancel-order', clientId: lastOrder(leg), reason: `leg-failure:${this.why}` }];
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
    // a late fill of the first order comes on top of what its completion fills
    const commands = this.closeExcess();
    if (this.isWhole()) {
      if (this.isSettled()) this.end(this.isStuck() ? 'stranded' : 'complete');
      return [...commands, ...this.cancelRest()];
    }
    this.plan.legs.forEach((leg, i) => {
      const state = this.legs[i]!;
      if (this.isDone(i)) commands.push(...this.cancel(state));
      else if (!state.working) commands.push(...this.completion(leg, state));
    });
    return commands;
  }

  private completion(leg: Leg, state: LegState): VenueCommand[] {
    const missing = leg.lots - state.filled;
    const left = leg.reduceOnly ? this.closable(leg, leg.side, missing) : missing;
    if (left === 0) return [];
    const id = this.nextId();
    state.left = left;
    state.orders.push(id);
    state.working = true;
    state.cancelAsked = false;
    const order = this.order(leg, leg.side, state.left, id, leg.reduceOnly, 'leg-completion');
    if (leg.worstTicks === null) return [{ kind: 'submit-order', order }];
    return [
      {
        kind: 'submit-order',
        order: { ...order, type: 'limit', limitTicks: leg.worstTicks, timeInForce: 'IOC' },
      },
    ];
  }

  /** Closes what has filled, leg by leg; fills that overtake a cancellation are closed when they are told. */
  private unwind(): readonly VenueCommand[] {
    const commands = this.closeExcess();
    if (this.isSettled()) this.end(this.outcomeOfFailure());
    return commands;
  }

  private outcomeOfFailure(): LegOutcome {
    if (!this.plan.legs.every((leg) => leg.reduceOnly)) return this.isStuck() ? 'stranded' : 'unwound';
    if (this.isWhole()) return 'complete';
    return this.legs.every((_, i) => this.reached(i) === 0) ? 'unwound' : 'stranded';
  }

  /** Lots of a leg beyond the `kept` ones, which are to be closed: none stay but while the plan is completed. */
  private excess(i: number, kept = this.phase === 'completing' ? this.plan.legs[i]!.lots : 0): number {
    const leg = this.plan.legs[i]!;
    const { filled, unwound } = this.legs[i]!;
    return leg.reduceOnly ? 0 : Math.min(filled - unwound - kept, this.open(leg));
  }

  private hasGivenUp({ failures }: LegState): boolean {
    return failures >= (this.options.attempts ?? 3);
  }

  private isStuck(): boolean {
    return this.legs.some((state, i) => this.hasGivenUp(state) && this.excess(i) > 0);
  }

  private closeExcess(): VenueCommand[] {
    const commands: VenueCommand[] = [];
    this.plan.legs.forEach((leg, i) => {
      const state = this.legs[i]!;
      const excess = this.excess(i);
      if (excess <= 0 || state.unwinding !== null || this.hasGivenUp(state)) return;
      const side = opposite(leg.side);
      const lots = this.closable(leg, side, excess);
      if (lots === 0) return;
      if (this.phase === 'unwinding' && !state.protectionDropped) {
        commands.push(...this.dropProtection(i));
        state.protectionDropped = true;
      }
      state.unwinding = this.nextId();
      state.unwindingLots = lots;
      state.closers.push(state.unwinding);
      const order = this.order(leg, side, lots, state.unwinding, true, 'leg-unwind');
      commands.push({ kind: 'submit-order', order });
    });
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

  private order(
    leg: Leg,
    side: Side,
    lots: number,
    clientId: ClientOrderId,
    reduceOnly: boolean,
    reason: string,
  ): OrderRequest {
    // an order that unwinds goes against its leg
    const reduceOnlyAtVenue = reduceOnly && (this.options.reducesNet?.({ ...leg, side, lots }) ?? true);
    return marketOrder(leg, { side, lots, clientId, reduceOnly, reduceOnlyAtVenue, reason });
  }
}
