import { formatInstant, type Instant } from '#base';
import { type Decision, decide } from '#ensemble';
import { type BarClosed, type BarColumns, type Slice, SliceCollector } from '#market';
import type { LocalSource, Signal } from '#signals';
import { tally } from './counts.ts';
import type { DeskParts } from './desk.ts';
import { HeldContext } from './desk-contexts.ts';
import { DeskEntries } from './desk-entries.ts';
import { DeskRecord } from './desk-record.ts';
import type { Held } from './held.ts';
import type { Host } from './host.ts';
import { bindParts, type InstrumentRuntime, requestsOf } from './instrument-runtime.ts';
import type { Lane } from './lane.ts';
import type { ModelsInPlace } from './portfolio.ts';
import { RemoteVote } from './remote-vote.ts';
import type { ShadowVenue } from './shadow-venue.ts';

type AnyLocal = LocalSource<Record<string, string>, unknown>;

const NO_SIGNALS: readonly Signal[] = Object.freeze([]);

interface Candidate {
  readonly index: number;
  readonly decision: Decision;
}

/** One desk at work: bars become slices, slices decisions, decisions plans, plans orders. */
export class DeskRuntime {
  static readonly configuration = ['name', 'parts', 'host', 'shadow'];
  readonly name: string;
  parts: DeskParts;
  readonly instruments: readonly InstrumentRuntime[];
  /** What its references to models mean now; null: it asks for none. */
  models: ModelsInPlace | null;
  /** When that changed last, and the hash of its configuration since; null: it is what it was when the run began. */
  modelsAt: Instant | null = null;
  configurationHash: string | null = null;
  readonly record: DeskRecord;
  private readonly shadow: ShadowVenue;
  private readonly host: Host;
  private readonly slices: SliceCollector;
  private vote: RemoteVote;
  private readonly entries: DeskEntries;

  constructor(options: {
    name: string;
    parts: DeskParts;
    instruments: readonly InstrumentRuntime[];
    host: Host;
    shadow: ShadowVenue;
    models: ModelsInPlace | null;
    /** Unless the desk itself says: see {@link PortfolioDefinition}. */
    autoResume: boolean;
  }) {
    this.name = options.name;
    this.parts = options.parts;
    this.instruments = options.instruments;
    this.models = options.models;
    this.host = options.host;
    this.record = new DeskRecord(options.parts, options.host.toMoney, options.autoResume);
    this.shadow = options.shadow;
    this.entries = new DeskEntries(this, options.host, options.shadow);
    this.vote = new RemoteVote(options.parts, options.instruments, options.host);
    this.slices = new SliceCollector(
      options.instruments.map((i) => ({
        instrument: i.instrument.id,
        intervalMs: i.intervalMs,
        ...(i.instrument.calendar === '24x7' ? {} : { calendar: i.instrument.calendar }),
      })),
      { graceMs: options.parts.graceMs ?? 2_000 },
    );
  }

  /**
   * Goes on with other parts, which trade the same instruments on the same bars: see model-change.ts. A vote that is open is
   * closed with what has been heard, by the parts that asked.
   */
  change(parts: DeskParts): void {
    if (this.vote.isOpen) this.closeVote();
    const requests = requestsOf(parts);
    const bindings = bindParts(parts, requests);
    const { warmUpBars, watchFeatures = requests } = parts;
    for (const one of this.instruments)
      one.change({ parts, bindings, requests: one.traded ? requests : watchFeatures, bars: warmUpBars });
    this.parts = parts;
    this.vote = new RemoteVote(parts, this.instruments, this.host);
  }

  /** When this desk wants to be woken at the latest. */
  nextDue(): Instant {
    return Math.min(this.slices.dueAt ?? Infinity, this.vote.deadline);
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

  /** How many of the tape's next bars of an instrument leave this desk with nothing to do; see quiet-bars.ts. */
  quietBars(index: number): number {
    const instrument = this.instruments[index]!;
    const { parts, host } = this;
    if (this.vote.hasRemote || this.vote.isOpen || host.trace.level === 'all') return 0;
    if (!this.slices.mayPass(instrument.lastClose + instrument.intervalMs)) return 0;
    if (instrument.count + 1 < parts.warmUpBars) return 0;
    if (!this.isLeftAlone(host.real, instrument) || !this.isLeftAlone(this.shadow.lane, instrument)) return 0;
    return instrument.quietBars(parts.sources);
  }

  /** Whether no bar can make the desk close what a lane holds of an instrument. */
  private isLeftAlone(lane: Lane, { book }: InstrumentRuntime): boolean {
    const held = lane.held.get(book);
    if (held === undefined) return true;
    const { exits = [] } = this.parts;
    return held.exitAsked === null && exits.length === 0 && !lane.leaving.has(book) && !this.host.closesAll;
  }

  /** Takes the tape's next bars of an instrument, rows [from, to), which {@link quietBars} has counted. */
  passBars(index: number, columns: BarColumns, from: number, to: number): void {
    const instrument = this.instruments[index]!;
    instrument.passBars(columns, from, to);
    this.slices.pass(to - from, instrument.lastClose);
    this.host.counts.slices += to - from;
    for (const lane of [this.host.real, this.shadow.lane]) {
      const held = lane.held.get(instrument.book);
      if (held === undefined) continue;
      for (let row = from; row < to; row++) noteBest(held, columns.high[row]!, columns.low[row]!);
    }
  }

  onTime(at: Instant): void {
    if (at >= this.vote.deadline) this.closeVote();
    const slice = this.slices.advanceTo(at);
    if (slice !== null) this.decideSlice(slice);
  }

  /** A price between bars (live): positions are managed, nothing is entered. */
  onPrice(index: number, at: Instant, price: number): void {
    const instrument = this.instruments[index]!;
    instrument.at = at;
    instrument.price = price;
    instrument.pricedAt = at;
    this.manage(instrument, price, price);
  }

  /** True when the answer belonged to this desk's vote. */
  onAnswer(questionId: string, answer: unknown): boolean {
    const complete = this.vote.answer(questionId, answer);
    if (complete === true) this.closeVote();
    return complete !== null;
  }

  private decideSlice(slice: Slice): void {
    if (this.vote.isOpen) this.closeVote();
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
    if (this.vote.hasRemote) this.openVote(slice);
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

  /** Traded, warmed up, the newest bar not an old one that came late, and no volume made up. */
  private mayDecide(instrument: InstrumentRuntime): boolean {
    if (!instrument.traded || !instrument.fresh || instrument.count < this.parts.warmUpBars) return false;
    const unknownAt = instrument.volumeUnknownAt;
    if (unknownAt === null) return true;
    this.holdForVolume(instrument, unknownAt);
    return false;
  }

  /** Counted at every bar, told once. */
  private holdForVolume(instrument: InstrumentRuntime, unknownAt: Instant): void {
    const { counts, trace } = this.host;
    tally(counts.objectionsByGate, 'volume-unknown');
    if (instrument.heldForVolumeOf >= unknownAt) return;
    instrument.heldForVolumeOf = unknownAt;
    if (trace.level === 'none') return;
    const text = `held while features rest on the bar of ${formatInstant(unknownAt)}, whose volume nobody knows`;
    this.host.happened('bar', this.name, instrument.instrument.id, text);
  }

  private openVote(slice: Slice): void {
    const heard = slice.present.flatMap((index) => {
      const instrument = this.instruments[index]!;
      return this.mayDecide(instrument)
        ? [{ instrument: index, signals: [...this.localSignals(instrument)] }]
        : [];
    });
    if (heard.length > 0 && this.vote.open(slice.at, heard)) this.closeVote();
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

  private closeVote(): void {
    const candidates: Candidate[] = [];
    for (const { instrument, signals } of this.vote.close()) this.pool(instrument, signals, candidates);
    this.act(candidates);
  }

  private pool(index: number, signals: readonly Signal[], candidates: Candidate[]): void {
    const { parts, host } = this;
    // nobody spoke: there is nothing to decide, and only the fullest trace says so
    if (signals.length === 0 && host.trace.level !== 'all') return;
    const instrument = this.instruments[index]!;
    if (parts.killSwitch?.watch !== undefined) host.heard(this, signals, instrument);
    if (parts.stopShare !== undefined) this.drawStops(instrument, parts.stopShare(signals) ?? 1);
    const decision = decide({
      view: instrument,
      signals,
      pooling: parts.pooling,
      gates: parts.gates ?? [],
      gateValues: instrument.gateValues,
      weights: parts.weights ?? {},
    });
    if (decision.signals.length < signals.length) this.countMalformed(signals, decision);
    host.decided(this, instrument, decision);
    if (decision.wanted) {
      host.counts.entriesConsidered += 1;
      for (const objection of decision.objections) tally(host.counts.objectionsByGate, objection.by);
    }
    if (decision.action === 'wait') {
      if (host.trace.level === 'all' || (host.trace.level === 'decisions' && decision.wanted)) {
        host.trace.line(this.entries.traceOf(instrument, decision, 'wait', decision.objections));
      }
    } else candidates.push({ index, decision });
  }

  /** Draws stops in where the sources ask for it; what has passed its new stop is closed. */
  private drawStops(instrument: InstrumentRuntime, share: number): void {
    if (!(share > 0 && share < 1)) return;
    for (const lane of [this.host.real, this.shadow.lane]) {
      if (lane.drawStop(instrument.book, share, instrument.price, instrument.at)) continue;
      this.close(lane, instrument, 'exit:stop-drawn-in');
    }
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
        this.entries.refuse(instrument, decision, [objection], 'not-selected');
        continue;
      }
      if (decision.action === 'propose') this.entries.propose(instrument, decision);
      else if (this.entries.enter(instrument, decision)) entered += 1;
    }
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
    noteBest(held, high, low);
  }

  /** Sends a reduce-only market order for all that is held and nothing else closes; what that leaves is asked for later. */
  close(
    lane: Lane,
    instrument: InstrumentRuntime,
    reason: string,
    text: string = reason,
    manual = false,
  ): void {
    const held = lane.held.get(instrument.book);
    const { book, at } = instrument;
    const position = lane.ledger.position(book);
    if (held === undefined || position === undefined || held.exitAsked !== null) return;
    const free = lane.freeLots(book);
    if (free === 0 && lane.leaving.has(book)) return lane.leave(book, reason, manual);
    const ids = free === 0 ? [] : this.host.exitNow(lane, this, instrument, free, reason, manual);
    const asked = ids[0] ?? null;
    // a simulated venue may have answered already
    held.exitAsked = asked !== null && lane.isAlive(asked) ? asked : null;
    if ((asked !== null || free === 0) && lane.held.has(book)) lane.leave(book, reason, manual);
    if (free !== position.lots) lane.cancelPatientClosers(book, 'exit', at);
    lane.cancelEntries(book, 'exit', at, { reason, manual });
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
}

function noteBest(held: Held, high: number, low: number): void {
  held.bestPrice = held.direction === 1 ? Math.max(held.bestPrice, high) : Math.min(held.bestPrice, low);
}
