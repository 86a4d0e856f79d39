import { formatInstant, type Instant, restoreState, stepsToNumber } from '#base';
import { type Decision, decide, directionOf, type Objection } from '#ensemble';
import { type BarClosed, feesAt, type Instrument, RATE_ONE, type Slice, SliceCollector } from '#market';
import type { Plan, Sized } from '#risk';
import type { LocalSource, Question, RemoteSource, Signal } from '#signals';
import { copyValues } from './binding.ts';
import { tally } from './counts.ts';
import type { DeskParts } from './desk.ts';
import { EntryContext, HeldContext } from './desk-contexts.ts';
import { DeskRecord } from './desk-record.ts';
import { entryPlan, proposalPlan } from './entry-plan.ts';
import type { Host } from './host.ts';
import type { InstrumentRuntime } from './instrument-runtime.ts';
import type { EntryMemory, Held, Lane } from './lane.ts';
import type { ShadowVenue } from './shadow-venue.ts';
import type { DecisionTrace } from './trace.ts';

type AnyLocal = LocalSource<Record<string, string>, unknown>;
type AnyRemote = RemoteSource<Record<string, string>, unknown>;

/** A slice whose remote sources have not all answered. Plain data. */
interface Vote {
  at: Instant;
  deadline: Instant;
  /** Per instrument index: signals so far, and the questions still open (question id -> source index). */
  open: { instrument: number; signals: Signal[]; questions: Record<string, number> }[];
}

const NO_SIGNALS: readonly Signal[] = Object.freeze([]);

interface Candidate {
  readonly index: number;
  readonly decision: Decision;
}

/** One desk at work: bars become slices, slices decisions, decisions plans, plans orders. */
export class DeskRuntime {
  static readonly configuration = ['name', 'parts', 'host', 'hasRemote', 'shadow'];
  readonly name: string;
  readonly parts: DeskParts;
  readonly instruments: readonly InstrumentRuntime[];
  readonly record: DeskRecord;
  private readonly shadow: ShadowVenue;
  private readonly host: Host;
  private readonly slices: SliceCollector;
  private readonly hasRemote: boolean;
  private vote: Vote | null = null;
  private ideaCount = 0;

  constructor(options: {
    name: string;
    parts: DeskParts;
    instruments: readonly InstrumentRuntime[];
    host: Host;
    shadow: ShadowVenue;
    /** Unless the desk itself says: see {@link PortfolioDefinition}. */
    autoResume: boolean;
  }) {
    this.name = options.name;
    this.parts = options.parts;
    this.instruments = options.instruments;
    this.host = options.host;
    this.record = new DeskRecord(options.parts, options.host.toMoney, options.autoResume);
    this.shadow = options.shadow;
    this.hasRemote = options.parts.sources.some((s) => s.kind === 'remote');
    this.slices = new SliceCollector(
      options.instruments.map((i) => ({
        instrument: i.instrument.id,
        intervalMs: i.intervalMs,
        ...(i.instrument.calendar === '24x7' ? {} : { calendar: i.instrument.calendar }),
      })),
      { graceMs: options.parts.graceMs ?? 2_000 },
    );
  }

  /** What another version knew of this desk's outcomes: facts. What it was thinking of is not taken over. */
  takeOver(captured: unknown): void {
    const { record, ideaCount } = captured as { record?: unknown; ideaCount?: unknown };
    if (record !== undefined) restoreState(this.record, record);
    if (typeof ideaCount === 'number') this.ideaCount = ideaCount;
  }

  /** When this desk wants to be woken at the latest. */
  nextDue(): Instant {
    const slice = this.slices.dueAt ?? Infinity;
    return this.vote === null ? slice : Math.min(slice, this.vote.deadline);
  }

  onBar(index: number, event: BarClosed): void {
    const instrument = this.instruments[index]!;
    const regime = instrument.regimeName;
    if (!instrument.push(event)) return;
    const now = instrument.regimeName;
    if (now !== regime && now !== null) tally(this.host.counts.regimes, now);
    const closed = this.slices.take(index, instrument.lastClose, event.at);
    for (let i = 0; i < closed.length; i++) this.decideSlice(closed[i]!);
  }

  onTime(at: Instant): void {
    if (this.vote !== null && at >= this.vote.deadline) this.closeVote();
    const slice = this.slices.advanceTo(at);
    if (slice !== null) this.decideSlice(slice);
  }

  /** A price between bars (live): positions are managed, nothing is entered. */
  onPrice(index: number, at: Instant, price: number): void {
    const instrument = this.instruments[index]!;
    instrument.at = at;
    instrument.price = price;
    this.manage(instrument, price, price);
  }

  onAnswer(questionId: string, answer: unknown): boolean {
    const vote = this.vote;
    if (vote === null) return false;
    for (const open of vote.open) {
      const source = open.questions[questionId];
      if (source === undefined) continue;
      delete open.questions[questionId];
      const part = this.parts.sources[source] as unknown as AnyRemote;
      const instrument = this.instruments[open.instrument]!;
      const signal = answer === null ? null : part.read(instrument, answer, instrument.sourceStates[source]);
      if (signal !== null) {
        tally(this.host.counts.signalsBySource, part.name);
        open.signals.push(signal);
      }
      if (vote.open.every((o) => Object.keys(o.questions).length === 0)) this.closeVote();
      return true;
    }
    return false;
  }

  private decideSlice(slice: Slice): void {
    if (this.vote !== null) this.closeVote();
    const { host } = this;
    host.counts.slices += 1;
    if (slice.missing.length > 0) this.nameMissing(slice);
    host.beforeSlice(slice.at);
    const { present } = slice;
    for (let i = 0; i < present.length; i++) {
      const instrument = this.instruments[present[i]!]!;
      instrument.at = slice.at;
      this.manage(instrument, instrument.high, instrument.low);
    }
    if (this.hasRemote) this.openVote(slice);
    else {
      const candidates: Candidate[] = [];
      for (let i = 0; i < present.length; i++) {
        const index = present[i]!;
        const instrument = this.instruments[index]!;
        if (this.mayDecide(instrument)) this.pool(index, this.localSignals(instrument), candidates);
      }
      if (candidates.length > 0) this.act(candidates);
    }
  }

  private nameMissing(slice: Slice): void {
    const { host } = this;
    const missing = slice.missing.map((i) => this.instruments[i]!.instrument.id);
    for (const id of missing) tally(host.counts.missingBars, id);
    if (host.trace.level === 'all') {
      const text = `decided ${formatInstant(slice.close)} without ${missing.join(', ')}`;
      host.happened('slice', this.name, null, text);
    }
  }

  /** Warmed up, and the newest bar is not an old one that came late. */
  private mayDecide(instrument: InstrumentRuntime): boolean {
    return instrument.fresh && instrument.count >= this.parts.warmUpBars;
  }

  /** Asks remote sources; the whole slice waits, so that ideas with and without them are ranked together. */
  private openVote(slice: Slice): void {
    const open: Vote['open'] = [];
    let asked = false;
    for (const index of slice.present) {
      const instrument = this.instruments[index]!;
      if (!this.mayDecide(instrument)) continue;
      const signals = [...this.localSignals(instrument)];
      const questions = this.ask(instrument);
      if (questions !== null) asked = true;
      open.push({ instrument: index, signals, questions: questions ?? {} });
    }
    if (open.length === 0) return;
    this.vote = { at: slice.at, deadline: slice.at + this.longestTimeout(), open };
    if (!asked) this.closeVote();
  }

  private localSignals(instrument: InstrumentRuntime): readonly Signal[] {
    let signals: Signal[] | null = null;
    const { sources } = this.parts;
    for (let i = 0; i < sources.length; i++) {
      const part = sources[i] as unknown as AnyLocal;
      if (part.kind !== 'local') continue;
      const signal = part.signal(instrument, instrument.sourceValues[i] as never, instrument.sourceStates[i]);
      if (signal === null) continue;
      tally(this.host.counts.signalsBySource, part.name);
      if (signals === null) signals = [signal];
      else signals.push(signal);
    }
    return signals ?? NO_SIGNALS;
  }

  private ask(instrument: InstrumentRuntime): Record<string, number> | null {
    const questions: Record<string, number> = {};
    this.parts.sources.forEach((source, i) => {
      const part = source as unknown as AnyRemote;
      if (part.kind !== 'remote') return;
      const values = instrument.sourceValues[i] as never;
      const question: Question | null = part.ask(instrument, values, instrument.sourceStates[i]);
      if (question === null) return;
      const id = this.host.ask(question, instrument.at + part.timeoutMs);
      questions[id] = i;
    });
    return Object.keys(questions).length > 0 ? questions : null;
  }

  private longestTimeout(): number {
    return Math.max(...this.parts.sources.map((s) => (s.kind === 'remote' ? s.timeoutMs : 0)));
  }

  /** Answers that did not come are silence. */
  private closeVote(): void {
    const vote = this.vote!;
    this.vote = null;
    const candidates: Candidate[] = [];
    for (const open of vote.open.sort((a, b) => a.instrument - b.instrument)) {
      this.pool(open.instrument, open.signals, candidates);
    }
    this.act(candidates);
  }

  private pool(index: number, signals: readonly Signal[], candidates: Candidate[]): void {
    const { parts, host } = this;
    // nobody spoke: there is nothing to decide, and only the fullest trace says so
    if (signals.length === 0 && host.trace.level !== 'all') return;
    const instrument = this.instruments[index]!;
    const decision = decide({
      view: instrument,
      signals,
      pooling: parts.pooling,
      gates: parts.gates ?? [],
      gateValues: instrument.gateValues,
      weights: parts.weights ?? {},
    });
    if (decision.signals.length < signals.length) this.countMalformed(signals, decision);
    if (decision.wanted) {
      host.counts.entriesConsidered += 1;
      for (const objection of decision.objections) tally(host.counts.objectionsByGate, objection.by);
    }
    if (decision.action === 'wait') {
      if (host.trace.level === 'all' || (host.trace.level === 'decisions' && decision.wanted)) {
        host.trace.line(this.traceOf(instrument, decision, 'wait', decision.objections));
      }
    } else candidates.push({ index, decision });
  }

  private countMalformed(signals: readonly Signal[], decision: Decision): void {
    for (const signal of signals) {
      if (!decision.signals.includes(signal)) tally(this.host.counts.malformedBySource, signal.source);
    }
  }

  private act(candidates: Candidate[]): void {
    candidates.sort((a, b) => b.decision.confidence - a.decision.confidence || a.index - b.index);
    const most = this.parts.entriesPerSlice ?? Infinity;
    let entered = 0;
    for (const { index, decision } of candidates) {
      const instrument = this.instruments[index]!;
      if (decision.action === 'exit') {
        this.close(this.host.real, instrument, 'exit:signal');
        this.close(this.shadow.lane, instrument, 'exit:signal');
        continue;
      }
      if (entered >= most) {
        const objection = { by: 'selection', reason: `only ${most} new position per slice, by confidence` };
        this.refuse(instrument, decision, [objection], 'not-selected');
        continue;
      }
      if (decision.action === 'propose') this.propose(instrument, decision);
      else if (this.enter(instrument, decision)) entered += 1;
    }
  }

  /** True when the idea used up its place in the slice: entered, in review, or followed as a shadow. */
  private enter(instrument: InstrumentRuntime, decision: Decision): boolean {
    const { host, parts } = this;
    const direction = directionOf(decision.action) as 1 | -1;
    const held = host.real.held.get(instrument.book) ?? null;
    if (held !== null) {
      const turned = this.opposite(instrument, held, direction);
      if (turned !== 'reverse') return this.refuseHeld(instrument, decision, turned);
    } else if (direction === -1 && parts.shorts === false) {
      return this.refuse(instrument, decision, [{ by: 'long-only', reason: 'the desk does not go short' }]);
    }
    const stopped =
      host.entryObjection(decision.confidence) ?? host.rateObjection(instrument.instrument, instrument.at);
    if (stopped !== null) return this.refuse(instrument, decision, [stopped]);
    if (host.real.hasWorkingEntry(instrument.book)) {
      return this.refuse(instrument, decision, [
        { by: 'working-order', reason: 'an entry order is still working' },
      ]);
    }
    const sized = parts.sizer.size(
      new EntryContext(
        this.record,
        host,
        instrument,
        decision,
        direction,
        this.costRate(instrument.instrument, instrument.at),
      ),
      instrument.sizerValues,
    );
    if (sized.kind === 'not-sized') {
      if (sized.shadow !== null) this.shadowEnter(instrument, decision, direction, sized.shadow);
      this.refuse(instrument, decision, [sized.objection], sized.shadow === null ? 'refused' : 'shadow');
      return sized.shadow !== null;
    }
    for (const cut of sized.cuts) if (cut.factor !== 1) tally(host.counts.sizeCuts, cut.by);
    const plan = this.planOf(instrument, decision, direction, sized, held);
    if (!('legs' in plan)) return this.refuse(instrument, decision, [plan]);
    return this.approve(instrument, decision, plan, sized);
  }

  private planOf(
    instrument: InstrumentRuntime,
    decision: Decision,
    direction: 1 | -1,
    sized: Sized,
    held: Held | null,
  ): Plan | Objection {
    this.ideaCount += 1;
    const position = held === null ? undefined : this.host.real.ledger.position(instrument.book);
    return entryPlan({
      id: `${this.name}-${this.ideaCount}`,
      desk: this.name,
      at: instrument.at,
      instrument: instrument.instrument,
      book: instrument.book,
      decision,
      direction,
      price: instrument.price,
      sized,
      style: this.parts.entry ?? { type: 'market' },
      intervalMs: instrument.intervalMs,
      legFailure: this.parts.legFailure ?? 'unwind',
      reverseLots: position === undefined ? 0 : Math.abs(position.lots),
    });
  }

  private approve(
    instrument: InstrumentRuntime,
    decision: Decision,
    plan: Plan,
    sized: Sized | null,
  ): boolean {
    const { host } = this;
    const memory = this.memoryOf(instrument, plan);
    const outcome = host.judge(this, plan, memory);
    if (outcome.kind === 'refused') {
      // what was not sized, a proposal, is counted by refuse
      if (sized !== null) for (const { by } of outcome.objections) tally(host.counts.refusalsByLimit, by);
      this.refuse(instrument, decision, outcome.objections, 'refused', sized);
      return false;
    }
    for (const reduction of outcome.reductions) tally(host.counts.reductionsByLimit, reduction.by);
    if (host.trace.level !== 'none') {
      const state = outcome.kind === 'in-review' ? 'in-review' : 'entered';
      host.trace.line(this.traceOf(instrument, decision, state, outcome.reductions, sized, outcome.orders));
    }
    return true;
  }

  private memoryOf(instrument: InstrumentRuntime, plan: Plan): EntryMemory {
    const protection = plan.legs[0]!.protection;
    const { tick } = instrument.instrument;
    const atEntry: Record<string, number> = {};
    (this.parts.exits ?? []).forEach((exit, i) => {
      Object.assign(atEntry, copyValues(exit.features, instrument.exitValues[i]!));
    });
    return {
      planId: plan.id,
      stopPrice: protection?.stopTicks == null ? null : stepsToNumber(protection.stopTicks, tick),
      targetPrice: protection?.targetTicks == null ? null : stepsToNumber(protection.targetTicks, tick),
      regime: instrument.regimeName,
      atEntry,
      riskToStop: plan.worstLoss,
    };
  }

  private opposite(
    instrument: InstrumentRuntime,
    held: Held,
    direction: 1 | -1,
  ): 'same' | 'ignored' | 'closed' | 'reverse' {
    if (held.direction === direction) return 'same';
    const rule = this.parts.opposite ?? 'ignore';
    if (rule === 'ignore') return 'ignored';
    if (rule === 'reverse' && !(direction === -1 && this.parts.shorts === false)) return 'reverse';
    this.close(this.host.real, instrument, 'exit:opposite-signal');
    return 'closed';
  }

  private refuseHeld(
    instrument: InstrumentRuntime,
    decision: Decision,
    why: 'same' | 'ignored' | 'closed',
  ): boolean {
    const reason =
      why === 'closed'
        ? 'the opposite position is closed first'
        : 'a position is already held in this instrument';
    this.refuse(
      instrument,
      decision,
      [{ by: 'held-position', reason }],
      why === 'closed' ? 'exited' : 'held',
    );
    return false;
  }

  private refuse(
    instrument: InstrumentRuntime,
    decision: Decision,
    objections: readonly Objection[],
    outcome: DecisionTrace['outcome'] = 'refused',
    sized: Sized | null = null,
  ): false {
    const { host } = this;
    if (outcome === 'refused' && sized === null) {
      for (const objection of objections) tally(host.counts.refusalsByLimit, objection.by);
    }
    if (host.trace.level !== 'none') {
      host.trace.line(this.traceOf(instrument, decision, outcome, objections, sized));
    }
    return false;
  }

  /** Plans of several legs from a proposal, judged and sent like any other. */
  private propose(instrument: InstrumentRuntime, decision: Decision): boolean {
    const { host } = this;
    const stopped = host.entryObjection(decision.confidence);
    if (stopped !== null) return this.refuse(instrument, decision, [stopped]);
    const { proposal } = decision;
    if (proposal === undefined) {
      return this.refuse(instrument, decision, [
        { by: 'proposal', reason: 'the decision carries no proposal' },
      ]);
    }
    this.ideaCount += 1;
    const plan = proposalPlan({
      id: `${this.name}-${this.ideaCount}`,
      desk: this.name,
      at: instrument.at,
      proposal,
      confidence: decision.confidence,
      intervalMs: instrument.intervalMs,
      legFailure: this.parts.legFailure ?? 'unwind',
      leverage: this.parts.leverage ?? 1,
      find: (id) => this.instruments.find((i) => i.instrument.id === id) ?? null,
      heldLots: (book) => host.real.ledger.position(book)?.lots ?? 0,
    });
    if (!('legs' in plan)) return this.refuse(instrument, decision, [plan]);
    for (const leg of plan.legs) {
      if (host.real.hasWorkingEntry(leg.book)) {
        return this.refuse(instrument, decision, [{ by: 'working-order', reason: 'a leg is still working' }]);
      }
    }
    return this.approve(instrument, decision, plan, null);
  }

  private shadowEnter(
    instrument: InstrumentRuntime,
    decision: Decision,
    direction: 1 | -1,
    sized: Sized,
  ): void {
    const { lane } = this.shadow;
    const held = lane.held.get(instrument.book);
    if (held !== undefined) {
      // as with a real position: what would turn it round ends it
      const turns = held.direction !== direction && (this.parts.opposite ?? 'ignore') !== 'ignore';
      if (turns) this.close(lane, instrument, 'exit:opposite-signal');
      return;
    }
    if (lane.hasWorkingEntry(instrument.book)) return;
    const plan = this.planOf(instrument, decision, direction, sized, null);
    if ('legs' in plan) this.host.approveShadow(lane, plan, this.memoryOf(instrument, plan));
  }

  /** Asks the exits of every lane that holds this instrument; the first that fires closes. */
  private manage(instrument: InstrumentRuntime, high: number, low: number): void {
    const { real } = this.host;
    const { lane } = this.shadow;
    if (real.held.size > 0) this.manageLane(real, instrument, high, low);
    if (lane.held.size > 0) this.manageLane(lane, instrument, high, low);
  }

  private manageLane(lane: Lane, instrument: InstrumentRuntime, high: number, low: number): void {
    const held = lane.held.get(instrument.book);
    if (held === undefined) return;
    const { exits = [] } = this.parts;
    const leaving = held.exitAsked === null ? lane.leaving.get(instrument.book) : undefined;
    if (leaving !== undefined) {
      this.close(lane, instrument, leaving.reason, 'the exit asked for has not closed it', leaving.manual);
    } else if (held.exitAsked === null && !lane.shadow && this.host.closesAll) {
      this.close(lane, instrument, 'exit:breaker');
    } else if (held.exitAsked === null && exits.length > 0) {
      const context = new HeldContext(instrument, held, lane, this.host);
      for (let i = 0; i < exits.length; i++) {
        const exit = exits[i]!;
        // the venue tests a resting stop inside the bar, in order; the desk only steps in when none rests there
        if (exit.restsAtVenue && lane.rests(instrument.book, exit.name)) continue;
        const signal = exit.check(context, instrument.exitValues[i]!, lane.exitMemories.of(exit, held.book));
        if (signal === null) continue;
        this.close(lane, instrument, `exit:${signal.exit}`, signal.reason);
        break;
      }
    }
    held.bestPrice = held.direction === 1 ? Math.max(held.bestPrice, high) : Math.min(held.bestPrice, low);
  }

  /** Sends a reduce-only market order for all that is held. */
  close(
    lane: Lane,
    instrument: InstrumentRuntime,
    reason: string,
    text: string = reason,
    manual = false,
  ): void {
    const held = lane.held.get(instrument.book);
    const position = lane.ledger.position(instrument.book);
    if (held === undefined || position === undefined || held.exitAsked !== null) return;
    const ids = this.host.exitNow(lane, this, instrument, position.lots, reason, manual);
    const asked = ids[0] ?? null;
    // a simulated venue may have answered already
    held.exitAsked = asked !== null && lane.isAlive(asked) ? asked : null;
    if (asked !== null && lane.held.has(instrument.book)) lane.leave(instrument.book, reason, manual);
    lane.cancelBook(instrument.book, 'exit', instrument.at, true);
    if (this.host.trace.level !== 'none') {
      this.host.happened(
        'exit',
        this.name,
        instrument.instrument.id,
        text,
        { reason, orders: ids },
        lane.shadow,
      );
    }
  }

  /** One side's cost as a fraction of price: taker fee and the slippage the desk expects. */
  private costRate(instrument: Instrument, at: Instant): number {
    const { simulation = {} } = this.parts;
    const fee = this.host.feeRate ?? feesAt(instrument, at).takerRate / RATE_ONE;
    return fee + (simulation.slippageBps ?? 0) / 10_000;
  }

  private traceOf(
    instrument: InstrumentRuntime,
    decision: Decision,
    outcome: DecisionTrace['outcome'],
    objections: readonly Objection[],
    sized: Sized | null = null,
    orders: readonly string[] = [],
  ): DecisionTrace {
    return {
      type: 'decision',
      at: instrument.at,
      desk: this.name,
      instrument: instrument.instrument.id,
      shadow: outcome === 'shadow',
      regime: instrument.regimeName,
      signals: decision.signals,
      action: decision.wanted ?? decision.action,
      confidence: decision.confidence,
      rule: decision.rule,
      size:
        sized === null
          ? null
          : { quantity: String(sized.quantity), riskFraction: sized.riskFraction, cuts: sized.cuts },
      objections,
      outcome,
      orders,
    };
  }
}
