import { broken, captureState, DAY, type Instant, restoreState, unreachable } from '#base';
import type { Decision, Objection } from '#ensemble';
import type { ClientOrderId, Trade, VenueReport } from '#ledger';
import type { Instrument, InstrumentId } from '#market';
import type { AccountSummary, CircuitBreaker, Plan } from '#risk';
import type { Question, Signal, View } from '#signals';
import { accountOf } from './account.ts';
import { BreakerWatch } from './breaker-watch.ts';
import { Counts, tally } from './counts.ts';
import type { DeskRuntime } from './desk-runtime.ts';
import type { Command, Event } from './events.ts';
import { adoptCommand, takeFact } from './facts.ts';
import type { EntryMemory } from './held.ts';
import type { Host, JudgeOutcome } from './host.ts';
import type { InstrumentRuntime } from './instrument-runtime.ts';
import { KillWatch } from './kill-watch.ts';
import { Lane, type LaneEffect } from './lane.ts';
import { Listings } from './listings.ts';
import { MarketIntake } from './market-intake.ts';
import { restoreModels } from './model-change.ts';
import { newDesk, newLedger, newShadow } from './new-desks.ts';
import { Observations } from './observations.ts';
import { closeAll, operate } from './operator-acts.ts';
import { OrderWatch } from './order-watch.ts';
import { booked, closedTrade, legsEnded } from './outcomes.ts';
import { PlanDesk } from './plan-desk.ts';
import type { PortfolioDefinition } from './portfolio.ts';
import type { PortfolioLimits } from './portfolio-limits.ts';
import type { ShadowVenue } from './shadow-venue.ts';
import type { HappeningTrace, TraceSink } from './trace.ts';
import { reported, resume, sendFailed } from './venue-reports.ts';

const NO_COMMANDS: Command[] = [];
Object.freeze(NO_COMMANDS);

/** Called for what was booked; observes only. */
export interface Observer {
  filled?(effect: LaneEffect, report: VenueReport): void;
  traded?(trade: Trade, desk: string, shadow: boolean): void;
  safety?(desk: string, layer: string, objection: Objection, at: Instant): void;
  /** Every pooled result, those that wanted nothing as well. */
  decided?(desk: DeskRuntime, instrument: InstrumentRuntime, decision: Decision): void;
  /** A desk goes on with other models; `hash` is that of its configuration with them. */
  modelsChanged?(desk: DeskRuntime, hash: string, at: Instant): void;
}

/**
 * The fold: `step(event)` changes the state and returns the commands it led to. No clock, no chance, no I/O.
 * Everything of substance happens in the rooms; this class only hands on.
 */
export class Engine implements Host {
  static readonly configuration = ['definition', 'trace', 'feeRate', 'observer', 'accounts', 'out'];
  readonly definition: PortfolioDefinition;
  readonly trace: TraceSink;
  readonly feeRate: number | null;
  observer: Observer = {};
  readonly counts = new Counts();
  readonly real: Lane;
  readonly shadows: readonly ShadowVenue[];
  readonly desks: readonly DeskRuntime[];
  readonly plans: PlanDesk;
  readonly listings: Listings;
  readonly intake: MarketIntake;
  readonly breakerWatch: BreakerWatch;
  readonly kills: KillWatch;
  running: boolean;
  /** Desks whose entries an operator has stopped, whatever the portfolio does. */
  readonly desksStopped = new Set<string>();
  /** What an operator has put in place of the configured limits of the portfolio. */
  limitChanges: PortfolioLimits = {};
  at: Instant = 0;
  private readonly observations = new Observations();
  readonly orderWatch = new OrderWatch();
  private day = -1;
  private equityAtDayStart = 0;
  private questionCount = 0;
  /** Accounts summed up for this event. */
  private readonly accounts = new Map<Lane, AccountSummary>();
  private out: Command[] = NO_COMMANDS;

  constructor(definition: PortfolioDefinition) {
    this.definition = definition;
    this.trace = definition.trace;
    this.feeRate = definition.feeRate;
    this.running = definition.running;
    this.listings = new Listings(
      definition.desks.flatMap(({ instruments, watched = [] }) => [...instruments, ...watched]),
      {
        lanes: () => [this.real, ...this.shadows.map(({ lane }) => lane)],
        closed: (trade, { shadow }) => closedTrade(this, trade, shadow),
        redefined: (instrument) => this.intake.redefined(instrument),
        refused: (name) => tally(this.counts.barsRefused, name),
        alert: (key, text) => this.emit({ kind: 'raise-alert', severity: 'critical', key, text }),
      },
    );
    this.breakerWatch = new BreakerWatch(definition.breaker, this);
    const { instrumentOf } = this;
    this.real = new Lane({
      shadow: false,
      ledger: newLedger(definition, definition.name, instrumentOf),
      idPrefix: definition.name,
      send: (command) => this.emit(command),
      instrumentOf,
      legsEnded: (plan, text) => legsEnded(this, plan, text),
    });
    this.shadows = definition.desks.map((desk) =>
      newShadow(definition, desk, instrumentOf, (effect, report) =>
        booked(this, this.deskNamed(desk.name), effect, report, true),
      ),
    );
    const { observations } = this;
    this.desks = definition.desks.map((desk, i) =>
      newDesk(definition, desk, { host: this, shadow: this.shadows[i]!, observations }),
    );
    this.kills = new KillWatch(this);
    this.intake = new MarketIntake(this, observations);
    this.plans = new PlanDesk(this);
    this.equityAtDayStart = definition.cash;
  }

  deskNamed(name: string): DeskRuntime {
    return this.desks.find((d) => d.name === name)!;
  }

  readonly toMoney = (minor: number): number => minor / 10 ** this.definition.baseMinorScale;

  readonly instrumentOf = (id: InstrumentId): Instrument => this.listings.of(id);

  /** When the day of the newest slice ends; -Infinity before the first. */
  get dayEnd(): Instant {
    return this.day < 0 ? -Infinity : (this.day + 1) * DAY;
  }

  get breaker(): CircuitBreaker | null {
    return this.breakerWatch.breaker;
  }

  /** Commands waiting to be returned; 0 between steps. */
  get outgoing(): number {
    return this.out.length;
  }

  /** Takes one event and returns the commands it led to, in order. */
  step(event: Event): readonly Command[] {
    this.turnTo(event);
    this.take(event);
    const out = this.out;
    this.out = NO_COMMANDS;
    return out;
  }

  /** Time passes without an event. */
  turnOver(at: Instant): void {
    this.at = at;
    this.staleAccounts();
  }

  private turnTo({ at, kind }: Event): void {
    if (!(at >= this.at)) broken(`time went back: ${at} after ${this.at} (${kind})`);
    this.turnOver(at);
  }

  /**
   * Takes over a fact that another version recorded: money, orders, prices, what operators did, and what they tell the
   * breaker. Nothing is decided and nothing sent, by plans of several legs either: what the other version asked for
   * comes as commands of its own. The breaker sees the equity once per instant and not at that version's slices, so a
   * loss between two instants may be missed or a lesser one be seen. See fold-facts.ts.
   */
  fact(event: Event): void {
    const turned = event.at > this.at;
    this.turnTo(event);
    this.breakerWatch.muted = true;
    this.kills.muted = true;
    this.real.muted = true;
    if (turned) this.beforeSlice(event.at);
    if (!takeFact(this, event)) this.take(event);
    this.breakerWatch.muted = false;
    this.kills.muted = false;
    this.real.muted = false;
    this.out = NO_COMMANDS;
  }

  /** Takes over a command that another version recorded, so that its orders are known and no name is given twice. */
  adopt(command: Command): void {
    if (command.kind === 'ask-question') this.questionCount += 1;
    else adoptCommand(this, command);
  }

  /** When the engine wants a `timer-fired` event at the latest; Infinity for never. */
  nextDue(): Instant {
    let due = Math.min(this.plans.nextDue(), this.real.nextDue(), this.orderWatch.nextDue());
    if (this.kills.any) due = Math.min(due, this.kills.nextDue());
    if (this.breaker !== null) due = Math.min(due, this.breaker.nextDue);
    for (let i = 0; i < this.desks.length; i++) due = Math.min(due, this.desks[i]!.nextDue());
    return due;
  }

  private take(event: Event): void {
    switch (event.kind) {
      case 'bar-closed':
        return this.intake.bar(event);
      case 'run-started':
        return this.kills.began(event.at);
      case 'run-resumed':
        this.kills.began(event.at);
        return resume(this, event.at);
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
      case 'history-mended':
      case 'feed-changed':
        return this.intake.moved(event);
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
        return reported(this, event);
      case 'answer-received':
        return this.answered(event.questionId, event.answer);
      case 'timer-fired':
        return this.timer(event.at);
      case 'call-measured':
        this.breaker?.latency(event.latencyMs, event.at);
        return this.breakerWatch.moved(event.at);
      case 'send-failed':
        return sendFailed(this, event);
      case 'operator-acted':
        return operate(this, event);
      default:
        return unreachable(event);
    }
  }

  private answered(questionId: string, answer: unknown): void {
    if (this.plans.onAnswer(questionId, answer)) return;
    for (const desk of this.desks) if (desk.onAnswer(questionId, answer)) return;
  }

  private timer(at: Instant): void {
    for (const desk of this.desks) desk.onTime(at);
    this.plans.onTime(at);
    this.real.onTime(at);
    for (const command of this.orderWatch.onTime(at, this.real.ledger)) this.emit(command);
    this.breaker?.tick(at);
    this.breakerWatch.moved(at);
    this.kills.look(at, this.equityAtDayStart);
  }

  // ---- what desks ask of the portfolio (Host) ----

  account(lane: Lane): AccountSummary {
    let account = this.accounts.get(lane);
    if (account === undefined) {
      account = accountOf(lane, this.at, this.equityAtDayStart, this.intake.correlations);
      this.accounts.set(lane, account);
    }
    return account;
  }

  beforeSlice(at: Instant): void {
    this.staleAccounts();
    this.listings.takeWaiting();
    const day = Math.floor(at / DAY);
    const { breaker } = this;
    if (breaker !== null || day !== this.day) this.measure(day, at);
    this.kills.look(at, this.equityAtDayStart);
  }

  private measure(day: number, at: Instant): void {
    const { breaker } = this;
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

  /** What was summed up is not true any more. */
  staleAccounts(): void {
    if (this.accounts.size > 0) this.accounts.clear();
  }

  closeAll(at: Instant): void {
    closeAll(this, at);
  }

  entryObjection(desk: string, confidence: number): Objection | null {
    if (!this.running)
      return { by: 'stopped', reason: 'the portfolio is stopped: an operator must start it' };
    if (this.desksStopped.has(desk))
      return { by: 'desk-stopped', reason: `desk ${desk} is stopped: an operator must start it` };
    const killed = this.kills.objection(desk);
    if (killed !== null) return killed;
    const feed = this.intake.feedDown(desk);
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

  heard(desk: DeskRuntime, signals: readonly Signal[], view: View): void {
    this.kills.heard(desk, signals, view);
  }

  decided(desk: DeskRuntime, instrument: InstrumentRuntime, decision: Decision): void {
    this.observer.decided?.(desk, instrument, decision);
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
    // features, and what sources keep, are those of the models in place then
    restoreModels(this, captured);
    restoreState(this, captured);
    this.accounts.clear();
    this.plans.limitsChanged();
    this.intake.restored();
  }
}
