import { broken, captureState, DAY, type Instant, restoreState, unreachable } from '#base';
import type { Objection } from '#ensemble';
import { Correlations } from '#features';
import { bookId, type ClientOrderId, deskOfBook, Ledger, type Trade, type VenueReport } from '#ledger';
import {
  BarChecker,
  type BarClosed,
  type Instrument,
  type InstrumentId,
  type MarketEvent,
  priceMax,
} from '#market';
import type { AccountSummary, CircuitBreaker, Plan } from '#risk';
import type { Question } from '#signals';
import { accountOf } from './account.ts';
import { BreakerWatch } from './breaker-watch.ts';
import { Counts, tally } from './counts.ts';
import { DeskRuntime } from './desk-runtime.ts';
import type { Command, Event, OperatorActed, OperatorAction } from './events.ts';
import type { Host, JudgeOutcome } from './host.ts';
import { bindParts, InstrumentRuntime, requestsOf } from './instrument-runtime.ts';
import { type EntryMemory, Lane, type LaneEffect } from './lane.ts';
import { Listings } from './listings.ts';
import { Observations } from './observations.ts';
import { OrderWatch } from './order-watch.ts';
import { PlanDesk } from './plan-desk.ts';
import type { PortfolioDefinition } from './portfolio.ts';
import { ShadowVenue } from './shadow-venue.ts';
import type { HappeningTrace, TraceSink } from './trace.ts';

const NO_COMMANDS: Command[] = [];
Object.freeze(NO_COMMANDS);

/** Who listens to an instrument: a desk and the place of the instrument in it. */
interface Listener {
  readonly desk: DeskRuntime;
  readonly index: number;
}

/** Called for what was booked; observes only. */
export interface Observer {
  filled?(effect: LaneEffect, report: VenueReport): void;
  traded?(trade: Trade, desk: string, shadow: boolean): void;
  safety?(desk: string, layer: string, objection: Objection, at: Instant): void;
}

const MANAGE_EVERY_MS = 5_000;
const FUTURE_MS = 60_000;

/** A bar that has not begun, or that claims to have closed later than clocks can differ. */
const isFromTheFuture = (event: BarClosed): boolean =>
  event.bar.time > event.at + FUTURE_MS || event.eventTime > event.at + FUTURE_MS;

/** When the close of a bar was the price. */
const closeTime = ({ at, bar, intervalMs }: BarClosed): Instant => Math.min(at, bar.time + intervalMs);

/**
 * The fold: `step(event)` changes the state and returns the commands it led to. No clock, no chance, no I/O.
 * Everything of substance happens in the rooms; this class only hands on.
 */
export class Engine implements Host {
  static readonly configuration = [
    'definition',
    'trace',
    'feeRate',
    'observer',
    'listeners',
    'instruments',
    'accounts',
    'out',
  ];
  readonly definition: PortfolioDefinition;
  readonly trace: TraceSink;
  readonly feeRate: number | null;
  observer: Observer = {};
  readonly counts = new Counts();
  readonly real: Lane;
  readonly desks: readonly DeskRuntime[];
  readonly plans: PlanDesk;
  running: boolean;
  at: Instant = 0;
  private readonly instruments = new Map<InstrumentId, Instrument>();
  private readonly listings: Listings;
  private readonly breakerWatch: BreakerWatch;
  private readonly checkers = new Map<InstrumentId, BarChecker>();
  private readonly listeners = new Map<InstrumentId, Listener[]>();
  private readonly managedAt = new Map<InstrumentId, Instant>();
  private readonly correlations = new Correlations();
  /** Only limits ask for correlations; without any nobody keeps them. */
  private readonly correlated: boolean;
  private readonly observations = new Observations();
  private readonly orderWatch = new OrderWatch();
  private readonly feedsDown = new Set<string>();
  private readonly shadows: readonly ShadowVenue[];
  private day = -1;
  private equityAtDayStart = 0;
  private questionCount = 0;
  private readonly accounts = new Map<Lane, AccountSummary>();
  private out: Command[] = NO_COMMANDS;

  constructor(definition: PortfolioDefinition) {
    this.definition = definition;
    this.trace = definition.trace;
    this.feeRate = definition.feeRate;
    this.running = definition.running;
    this.correlated = definition.desks.some((desk) => (desk.parts.limits ?? []).length > 0);
    for (const desk of definition.desks) for (const i of desk.instruments) this.instruments.set(i.id, i);
    this.listings = new Listings(this.instruments, {
      lanes: () => [this.real, ...this.shadows.map(({ lane }) => lane)],
      closed: (trade, { shadow }) => this.closedTrade(trade, shadow),
      refused: (name) => tally(this.counts.barsRefused, name),
      alert: (key, text) => this.emit({ kind: 'raise-alert', severity: 'critical', key, text }),
    });
    this.breakerWatch = new BreakerWatch(definition.breaker, this);
    this.real = new Lane({
      shadow: false,
      ledger: this.newLedger(definition.name),
      idPrefix: definition.name,
      send: (command) => this.emit(command),
      instrumentOf: this.instrumentOf,
      legsEnded: (plan, text) => this.legsEnded(plan, text),
    });
    this.shadows = definition.desks.map((desk) => this.newShadow(desk.name));
    this.desks = definition.desks.map((desk, i) => this.newDesk(desk, this.shadows[i]!));
    this.plans = new PlanDesk(this);
    this.equityAtDayStart = definition.cash;
  }

  private newLedger(tradesAs: string): Ledger {
    const { name: portfolio, base, baseMinorScale, cash, rememberedOrders } = this.definition;
    const ledger = new Ledger({
      portfolio,
      tradesAs,
      base,
      baseMinorScale,
      instrumentOf: this.instrumentOf,
      openingCash: [{ currency: base, minorScale: baseMinorScale, amount: cash }],
      at: 0,
      ...(rememberedOrders === undefined ? {} : { remember: rememberedOrders }),
    });
    for (const instrument of this.instruments.values()) ledger.admit(instrument);
    return ledger;
  }

  private newShadow(desk: string): ShadowVenue {
    return new ShadowVenue({
      name: `${this.definition.name}-${desk}-shadow`,
      venue: this.definition.shadowVenue,
      instrumentOf: this.instrumentOf,
      ledger: this.newLedger(`${this.definition.name}-${desk}-shadow`),
      onEffect: (effect, report) => this.booked(this.deskNamed(desk), effect, report, true),
    });
  }

  private newDesk(setup: PortfolioDefinition['desks'][number], shadow: ShadowVenue): DeskRuntime {
    const requests = requestsOf(setup.parts);
    const bindings = bindParts(setup.parts, requests);
    const byId = new Map<InstrumentId, InstrumentRuntime>();
    const instruments = [...setup.instruments]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((instrument) => {
        const runtime = new InstrumentRuntime({
          instrument,
          book: bookId({
            portfolio: this.definition.name,
            desk: setup.name,
            configuration: setup.configuration,
            instrument: instrument.id,
          }),
          intervalMs: setup.intervalMs,
          feedMs: this.definition.feedMs(instrument.id),
          otherMs: setup.otherMs,
          parts: setup.parts,
          requests,
          bindings,
          peers: (id) => byId.get(id) ?? null,
          observations: this.observations,
        });
        byId.set(instrument.id, runtime);
        return runtime;
      });
    const autoResume = this.definition.autoResume ?? false;
    const desk = new DeskRuntime({
      name: setup.name,
      parts: setup.parts,
      instruments,
      host: this,
      shadow,
      autoResume,
    });
    instruments.forEach((runtime, index) => {
      const id = runtime.instrument.id;
      const known = this.listeners.get(id);
      if (known !== undefined) known.push({ desk, index });
      else {
        this.listeners.set(id, [{ desk, index }]);
        this.checkers.set(id, new BarChecker(this.definition.feedMs(id), 0, priceMax(runtime.instrument)));
      }
    });
    return desk;
  }

  private legsEnded(plan: Plan, text: string): void {
    tally(this.counts.legPlans, text.split(':')[0]!);
    this.happened('order', plan.desk, plan.legs[0]!.instrument, `plan ${plan.id}: ${text}`);
    if (text.startsWith('stranded')) {
      this.emit({
        kind: 'raise-alert',
        severity: 'critical',
        key: `legs-${plan.id}`,
        text: `plan ${plan.id} ${text}`,
      });
    }
  }

  private deskNamed(name: string): DeskRuntime {
    return this.desks.find((d) => d.name === name)!;
  }

  readonly toMoney = (minor: number): number => minor / 10 ** this.definition.baseMinorScale;

  readonly instrumentOf = (id: InstrumentId): Instrument => this.listings.of(id);

  get breaker(): CircuitBreaker | null {
    return this.breakerWatch.breaker;
  }

  /** Commands waiting to be returned; 0 between steps. */
  get outgoing(): number {
    return this.out.length;
  }

  /** Takes one event and returns the commands it led to, in order. */
  step(event: Event): readonly Command[] {
    if (!(event.at >= this.at)) broken(`time went back: ${event.at} after ${this.at} (${event.kind})`);
    this.at = event.at;
    this.take(event);
    const out = this.out;
    this.out = NO_COMMANDS;
    return out;
  }

  /**
   * Takes over a fact that another version recorded: money, orders, prices, what operators did and what it all does to
   * the breaker. Nothing is decided; what this version would ask for because of it is dropped, for the other version
   * has asked for its own. See fold-facts.ts.
   */
  fact(event: Event): void {
    if (!(event.at >= this.at)) broken(`time went back: ${event.at} after ${this.at} (${event.kind})`);
    const turned = event.at > this.at;
    this.at = event.at;
    this.breakerWatch.muted = true;
    if (turned) this.beforeSlice(event.at);
    switch (event.kind) {
      case 'bar-closed': {
        const { time, open, high, low, close, volume } = event.bar;
        const checker = this.checkers.get(event.instrument);
        if (isFromTheFuture(event)) break;
        if (checker?.judge(time, open, high, low, close, volume) === 'accept') {
          this.real.ledger.mark(event.instrument, close, closeTime(event));
        }
        break;
      }
      case 'mark-updated':
        this.factPrice(event.instrument, event.mark, event.at);
        break;
      case 'quote-updated':
        if (event.bid > 0 && event.ask > 0) {
          this.factPrice(event.instrument, (event.bid + event.ask) / 2, event.at);
        }
        break;
      case 'print-seen':
        this.factPrice(event.instrument, event.price, event.at);
        break;
      case 'operator-acted':
        // closing everything was done by orders, which are facts of their own
        if (event.act.action === 'kill') {
          this.running = false;
          this.breaker?.critical('kill-command', event.at);
        } else if (event.act.action !== 'flatten' && event.act.action !== 'review') this.operate(event);
        break;
      case 'timer-fired':
        this.breaker?.tick(event.at);
        break;
      case 'answer-received':
      case 'run-resumed':
        break;
      default:
        this.take(event);
    }
    this.breakerWatch.muted = false;
    this.out = NO_COMMANDS;
  }

  private factPrice(id: InstrumentId, price: number, at: Instant): void {
    if (this.listeners.has(id) && this.usable(id, price)) this.real.ledger.mark(id, price, at);
  }

  /** Whether money can be reckoned at this price; one that it cannot is counted and leaves the last one standing. */
  private usable(id: InstrumentId, price: number): boolean {
    if (price > 0 && price <= priceMax(this.real.instrument(id))) return true;
    tally(this.counts.barsRefused, 'price-unusable');
    return false;
  }

  /** Takes over a command that another version recorded, so that its orders are known and no name is given twice. */
  adopt(command: Command): void {
    if (command.kind === 'submit-order') this.real.adopt(command.order, this.at);
    else if (command.kind === 'cancel-order') this.real.ledger.cancelRequested(command.clientId, this.at);
    else if (command.kind === 'ask-question') this.questionCount += 1;
    if (command.kind === 'submit-order' || command.kind === 'cancel-order')
      this.orderWatch.sent(command, this.at);
  }

  /** The part of another version's snapshot that is made of facts: books, held positions, breaker, stop state. */
  takeOver(captured: unknown): void {
    const from = captured as Record<string, unknown>;
    const facts = [
      'at',
      'real',
      'breakerWatch',
      'day',
      'equityAtDayStart',
      'running',
      'questionCount',
      'listings',
      'orderWatch',
    ];
    restoreState(this, Object.fromEntries(facts.filter((key) => key in from).map((key) => [key, from[key]])));
    const desks = from.desks;
    if (Array.isArray(desks) && desks.length === this.desks.length)
      this.desks.forEach((desk, i) => void desk.takeOver(desks[i]));
    this.accounts.clear();
  }

  /** When the engine wants a `timer-fired` event at the latest; Infinity for never. */
  nextDue(): Instant {
    let due = Math.min(this.plans.nextDue(), this.real.nextDue(), this.orderWatch.nextDue());
    if (this.breaker !== null) due = Math.min(due, this.breaker.nextDue);
    for (const desk of this.desks) due = Math.min(due, desk.nextDue());
    return due;
  }

  private take(event: Event): void {
    switch (event.kind) {
      case 'bar-closed':
        return this.barClosed(event);
      case 'run-started':
        return;
      case 'run-resumed':
        return this.resume(event.at);
      case 'bar-opened':
      case 'quote-updated':
      case 'print-seen':
      case 'book-changed':
      case 'mark-updated':
      case 'funding-due':
      case 'open-interest-updated':
      case 'liquidation-seen':
      case 'instrument-changed':
      case 'fx-rate-updated':
      case 'observation-published':
      case 'feed-changed':
        return this.marketMoved(event);
      case 'order-accepted':
      case 'order-rejected':
      case 'order-triggered':
      case 'order-filled':
      case 'order-canceled':
      case 'order-expired':
      case 'order-amended':
      case 'cancel-rejected':
      case 'amend-rejected':
      case 'order-unknown':
      case 'funding-charged':
      case 'unasked-fill':
      case 'account-reported':
        return this.reported(event);
      case 'answer-received':
        return this.answered(event.questionId, event.answer);
      case 'timer-fired':
        return this.timer(event.at);
      case 'call-measured':
        this.breaker?.latency(event.latencyMs, event.at);
        return this.breakerWatch.moved(event.at);
      case 'send-failed':
        return this.sendFailed(event);
      case 'operator-acted':
        return this.operate(event);
      default:
        return unreachable(event);
    }
  }

  private barClosed(event: BarClosed): void {
    const id = event.instrument;
    const listeners = this.listeners.get(id);
    if (listeners === undefined) return;
    const checker = this.checkers.get(id)!;
    const { counts, shadows } = this;
    const { time, open, high, low, close, volume } = event.bar;
    if (isFromTheFuture(event)) {
      tally(counts.barsRefused, 'from-the-future');
      return;
    }
    const verdict = checker.judge(time, open, high, low, close, volume);
    if (verdict !== 'accept') {
      tally(this.counts.barsRefused, checker.objection!);
      if (this.trace.level !== 'none') this.happened('bar', null, id, `bar of ${time} not used: ${verdict}`);
      return;
    }
    counts.bars += 1;
    // noise that the checker mended is mended for everyone
    if (checker.high !== high || checker.low !== low) {
      event = { ...event, bar: { ...event.bar, high: checker.high, low: checker.low } };
    }
    for (let i = 0; i < shadows.length; i++) shadows[i]!.onBar(event);
    // a bar told late, after a gap, must not move the books back to its price
    this.real.ledger.mark(id, close, closeTime(event));
    if (this.correlated) this.correlations.observe(id, event.at, close);
    for (let i = 0; i < listeners.length; i++) listeners[i]!.desk.onBar(listeners[i]!.index, event);
  }

  private marketMoved(event: Exclude<MarketEvent, BarClosed>): void {
    if (event.at + FUTURE_MS < event.eventTime) {
      tally(this.counts.barsRefused, 'from-the-future');
      return;
    }
    for (const shadow of this.shadows) shadow.onMarket(event);
    switch (event.kind) {
      case 'mark-updated':
        return this.priced(event.instrument, event.at, event.mark);
      case 'quote-updated':
        // one side alone is no price: half of the other would pass for one
        if (!(event.bid > 0 && event.ask > 0)) return;
        return this.priced(event.instrument, event.at, (event.bid + event.ask) / 2);
      case 'print-seen':
        return this.priced(event.instrument, event.at, event.price);
      case 'fx-rate-updated':
        if (event.rate > 0 && Number.isFinite(event.rate)) {
          this.real.ledger.fxRate(event.from, event.to, event.rate, event.at);
          for (const shadow of this.shadows)
            shadow.lane.ledger.fxRate(event.from, event.to, event.rate, event.at);
        }
        return;
      case 'observation-published':
        return this.observations.publish(event);
      case 'instrument-changed':
        if (this.listings.change(event)) {
          this.happened('bar', null, event.instrument, `instrument ${event.change.change}`);
        }
        return;
      case 'feed-changed':
        if (event.status === 'disconnected' || event.status === 'stale') this.feedsDown.add(event.feed);
        else this.feedsDown.delete(event.feed);
        return this.happened('bar', null, null, `feed ${event.feed} ${event.status}: ${event.detail}`);
      case 'bar-opened':
      case 'book-changed':
      case 'funding-due':
      case 'open-interest-updated':
      case 'liquidation-seen':
        return;
      default:
        return unreachable(event);
    }
  }

  private priced(id: InstrumentId, at: Instant, price: number): void {
    const listeners = this.listeners.get(id);
    if (listeners === undefined || !this.usable(id, price)) return;
    this.real.ledger.mark(id, price, at);
    if (at - (this.managedAt.get(id) ?? -Infinity) < MANAGE_EVERY_MS) return;
    this.managedAt.set(id, at);
    this.beforeSlice(at);
    for (const { desk, index } of listeners) desk.onPrice(index, at, price);
  }

  private reported(report: VenueReport): void {
    const effect = this.real.report(report);
    this.staleAccounts();
    this.booked(null, effect, report, false);
    const question = this.orderWatch.heard(effect.booking.order, report);
    if (question !== null) this.emit(question);
    for (const command of this.orderWatch.differences(effect.booking, report, this.real.ledger))
      this.emit(command);
    if (report.kind === 'order-unknown' && this.orderWatch.isGone(effect.booking, report)) {
      const { at, eventTime, clientId } = report;
      this.reported({ kind: 'order-canceled', at, eventTime, clientId, reason: 'gone from the venue' });
      const text = `order ${clientId} worked for us and the venue knows it no more`;
      this.emit({ kind: 'raise-alert', severity: 'critical', key: `gone-${clientId}`, text });
    }
    this.breakerWatch.moved(report.at);
  }

  private booked(desk: DeskRuntime | null, effect: LaneEffect, report: VenueReport, shadow: boolean): void {
    const { booking } = effect;
    if (booking.fault !== null) {
      tally(this.counts.ledgerFaults, booking.fault);
      if (this.trace.level !== 'none') this.happened('order', null, null, `${report.kind}: ${booking.fault}`);
      if (booking.fault === 'account-differs') {
        this.emit({
          kind: 'raise-alert',
          severity: 'critical',
          key: 'account-differs',
          text: 'the venue account differs from the books',
        });
      }
    }
    if (!shadow) this.breakerWatch.reported(report, effect, this.real.ledger);
    if (!shadow) this.observer.filled?.(effect, report);
    if (effect.closed !== null) this.closedTrade(effect.closed, shadow, desk);
  }

  private closedTrade(trade: Trade, shadow: boolean, of: DeskRuntime | null = null): void {
    const desk = of ?? this.deskNamed(deskOfBook(trade.book));
    if (shadow) this.counts.shadowTrades += 1;
    else this.counts.trades += 1;
    if (!shadow) tally(this.counts.exitsByKind, trade.exitReason);
    const { ledger } = this.real;
    const net = ledger.inBase(trade.currency, trade.net, false);
    const word = desk.record.closed(net, trade.closedAt, shadow, ledger.equity(trade.closedAt));
    if (word !== 'nothing') this.edgeChanged(desk, word);
    if (!shadow) this.judgeRecord(desk, trade.closedAt);
    this.observer.traded?.(trade, desk.name, shadow);
    if (this.trace.level !== 'none') {
      this.happened(
        'trade',
        desk.name,
        trade.instrument,
        `closed by ${trade.exitReason}`,
        { net: trade.net },
        shadow,
      );
    }
  }

  private edgeChanged(desk: DeskRuntime, word: 'edge-returned' | 'resumed'): void {
    const text =
      word === 'resumed'
        ? 'the shadow window shows an edge: entries resume at exploration risk'
        : 'the shadow window shows an edge: entries resume when an operator allows it';
    tally(this.counts.edges, word);
    this.happened('edge', desk.name, null, text);
    this.emit({ kind: 'raise-alert', severity: 'info', key: `edge-${desk.name}`, text });
  }

  private judgeRecord(desk: DeskRuntime, at: Instant): void {
    if (this.breaker === null) return;
    const { severity, collapsed } = desk.record.health();
    this.breaker.monitor(severity, at);
    if (collapsed) this.breaker.expectancyCollapse(at);
    this.breakerWatch.moved(at);
  }

  private answered(questionId: string, answer: unknown): void {
    this.staleAccounts();
    if (this.plans.onAnswer(questionId, answer)) return;
    for (const desk of this.desks) if (desk.onAnswer(questionId, answer)) return;
  }

  private timer(at: Instant): void {
    this.staleAccounts();
    for (const desk of this.desks) desk.onTime(at);
    this.plans.onTime(at);
    this.real.onTime(at);
    for (const command of this.orderWatch.onTime(at, this.real.ledger)) this.emit(command);
    this.breaker?.tick(at);
    this.breakerWatch.moved(at);
  }

  private sendFailed(event: Extract<Event, { kind: 'send-failed' }>): void {
    if (event.outcome === 'unknown') {
      this.breaker?.orderFailed(event.at);
      this.emit({ kind: 'query-order', clientId: event.clientId });
    } else {
      // counted as a failure where the rejection is booked
      this.reported({
        kind: 'order-rejected',
        at: event.at,
        eventTime: event.eventTime,
        clientId: event.clientId,
        reason: event.reason,
      });
    }
    this.breakerWatch.moved(event.at);
  }

  /** After a restart nobody knows what became of orders without an answer: ask. */
  private resume(at: Instant): void {
    for (const command of this.orderWatch.resume(at, this.real.ledger)) this.emit(command);
  }

  private operate(event: OperatorActed): void {
    const { act, at, by, reason } = event;
    this.happened('operator', null, null, `${act.action} by ${by}: ${reason}`, { ...act });
    this.obey(act, reason, at);
    this.breakerWatch.moved(at);
  }

  private obey(act: OperatorAction, reason: string, at: Instant): void {
    switch (act.action) {
      case 'start':
        this.running = true;
        return;
      case 'stop':
        this.running = false;
        return;
      case 'flatten':
        return this.flatten(act.desk);
      case 'recover':
        this.breaker?.recover({ reason, ...(act.confirm === null ? {} : { confirm: act.confirm }) }, at);
        return;
      case 'override':
        this.breaker?.override({ enabled: act.enabled, reason }, at);
        return;
      case 'kill':
        this.running = false;
        this.breaker?.critical('kill-command', at);
        return this.flatten(null);
      case 'resume-edge':
        for (const desk of this.desks) {
          if (desk.name !== act.desk) continue;
          const word = desk.record.allowResume();
          if (word !== 'nothing') this.edgeChanged(desk, word);
        }
        return;
      case 'review':
        this.plans.onAnswer(act.questionId, { verdict: act.verdict, share: act.share, reason });
        return;
      default:
        return unreachable(act);
    }
  }

  private flatten(deskName: string | null): void {
    for (const desk of this.desks) {
      if (deskName !== null && desk.name !== deskName) continue;
      for (const instrument of desk.instruments) {
        const { book } = instrument;
        instrument.at = this.at;
        this.real.cancelBook(book, 'flatten', this.at, true);
        desk.close(this.real, instrument, 'exit:flatten', 'an operator closes all', true);
        // a fill that crosses a cancellation, an exit that is refused: asked again until nothing is left
        if (this.real.held.has(book) || this.real.hasWorkingEntry(book))
          this.real.leave(book, 'exit:flatten', true);
      }
    }
  }

  // ---- what desks ask of the portfolio (Host) ----

  account(lane: Lane): AccountSummary {
    let account = this.accounts.get(lane);
    if (account === undefined) {
      account = accountOf(lane, this.at, this.equityAtDayStart, this.correlations);
      this.accounts.set(lane, account);
    }
    return account;
  }

  beforeSlice(at: Instant): void {
    this.staleAccounts();
    this.listings.takeWaiting();
    const day = Math.floor(at / DAY);
    const { breaker } = this;
    if (breaker === null && day === this.day) return;
    const equity = this.real.ledger.equity(at);
    if (day > this.day) {
      this.day = day;
      this.equityAtDayStart = equity;
    }
    if (breaker === null) return;
    breaker.equity(equity, at);
    breaker.tick(at);
    this.breakerWatch.moved(at);
  }

  private staleAccounts(): void {
    if (this.accounts.size > 0) this.accounts.clear();
  }

  closeAll(at: Instant): void {
    for (const desk of this.desks) {
      for (const instrument of desk.instruments) {
        instrument.at = at;
        this.real.cancelBook(instrument.book, 'breaker', at, true);
        desk.close(this.real, instrument, 'exit:breaker');
      }
    }
  }

  entryObjection(confidence: number): Objection | null {
    if (!this.running)
      return { by: 'stopped', reason: 'the portfolio is stopped: an operator must start it' };
    const feed = this.feedsDown.values().next().value;
    if (feed !== undefined) return { by: 'feed', reason: `feed ${feed} is down` };
    if (!this.account(this.real).ratesFresh) return { by: 'fx-rate', reason: 'a currency rate is stale' };
    return this.breaker === null ? null : this.breaker.entryObjection(confidence);
  }

  rateObjection(instrument: Instrument, at: Instant): Objection | null {
    const { settle } = instrument;
    if (this.real.ledger.rate(settle, at) !== null) return null;
    return { by: 'fx-rate', reason: `no fresh rate of ${settle} into ${this.definition.base}` };
  }

  quotePerMinor(instrument: Instrument, price: number): number | undefined {
    const { settle, kind } = instrument;
    const { base, baseMinorScale } = this.definition;
    if (settle === base) return undefined;
    const settled = 1 / (this.real.ledger.rate(settle, this.at) ?? Number.NaN) / 10 ** baseMinorScale;
    return kind === 'inverse-perpetual' ? settled * price : settled;
  }

  get closesAll(): boolean {
    return this.breaker?.closesAll ?? false;
  }

  isHalted(id: InstrumentId): boolean {
    return this.listings.isHalted(id);
  }

  breakerMultiplier(): number {
    return this.breaker === null ? 1 : this.breaker.sizeMultiplier;
  }

  approveShadow(lane: Lane, plan: Plan, memory: EntryMemory): void {
    this.plans.shadow(lane, plan, memory);
  }

  /** One safety layer's objection: counted, traced and told to whoever keeps the safety log. */
  safetyViolated(desk: string, layer: string, objection: Objection): void {
    tally(this.counts.safetyByLayer, layer);
    this.observer.safety?.(desk, layer, objection, this.at);
  }

  ask(question: Question, expiresAt: Instant): string {
    this.questionCount += 1;
    this.counts.questions += 1;
    const questionId = `${this.definition.name}-q${this.questionCount}`;
    this.emit({
      kind: 'ask-question',
      questionId,
      topic: question.topic,
      prompt: question.prompt,
      expiresAt,
    });
    return questionId;
  }

  judge(desk: DeskRuntime, plan: Plan, memory: EntryMemory): JudgeOutcome {
    return this.plans.judge(desk, plan, memory);
  }

  exitNow(
    lane: Lane,
    desk: DeskRuntime,
    instrument: InstrumentRuntime,
    lots: number,
    reason: string,
    manual: boolean,
  ): readonly ClientOrderId[] {
    return this.plans.exit(lane, desk, instrument, lots, reason, manual);
  }

  happened(
    type: HappeningTrace['type'],
    desk: string | null,
    instrument: InstrumentId | null,
    text: string,
    data?: Readonly<Record<string, unknown>>,
    shadow = false,
  ): void {
    if (this.trace.level === 'none') return;
    this.trace.line({
      type,
      at: this.at,
      desk,
      instrument,
      shadow,
      text,
      ...(data === undefined ? {} : { data }),
    });
  }

  emit(command: Command): void {
    if (this.out === NO_COMMANDS) this.out = [];
    if (command.kind === 'submit-order') {
      this.counts.orders += 1;
      // what it sets aside is not free for the next plan of the same slice
      this.staleAccounts();
    }
    if (command.kind === 'submit-order' || command.kind === 'cancel-order')
      this.orderWatch.sent(command, this.at);
    this.out.push(command);
  }

  /** Equity in minor units of the base currency. */
  equity(): number {
    return this.real.ledger.equity(this.at);
  }

  capture(): unknown {
    return captureState(this);
  }

  restore(captured: unknown): void {
    restoreState(this, captured);
    this.accounts.clear();
  }
}
