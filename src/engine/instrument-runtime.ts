import { HOUR, type Instant } from '#base';
import { columnOf, FeatureFrame, type FundingState, requestOf, volumeReach } from '#features';
import type { BookId } from '#ledger';
import {
  type Bar,
  type BarClosed,
  type BarColumns,
  type Instrument,
  type InstrumentId,
  Resampler,
} from '#market';
import type { LocalSource, View } from '#signals';
import { type Values, valuesClass } from './binding.ts';
import type { DeskParts, RegimeTracker } from './desk.ts';

/** Every feature request of a desk's parts, sorted, each once. */
export function requestsOf(parts: DeskParts): string[] {
  const needs = [
    ...parts.sources.map((s) => s.features),
    ...(parts.gates ?? []).map((g) => g.features),
    ...(parts.exits ?? []).map((e) => e.features),
    parts.sizer.features,
    parts.regime?.features ?? {},
  ];
  return [...new Set(needs.flatMap((n) => Object.values(n)).map(requestOf))].sort();
}

/** Of perpetuals that state none: eight hours, as most venues have it. */
const FUNDING_INTERVAL_MS = 8 * HOUR;

interface ObservationSource {
  /** Funding of an instrument whose rates fall due every `intervalMs`. */
  funding(instrument: InstrumentId, intervalMs: number, at: Instant): FundingState | null;
  observation(subject: string, at: Instant): { value: number | string; publishedAt: Instant } | null;
}

/** One instrument of one desk: its frames, its parts' states, and the view its sources see. */
export class InstrumentRuntime implements View {
  static readonly configuration = [
    'instrument',
    'book',
    'intervalMs',
    'traded',
    'feedOf',
    'sourceValues',
    'gateValues',
    'exitValues',
    'sizerValues',
    'regimeValues',
    'peers',
    'observations',
    'foretold',
    'warmUpBars',
  ];
  /** The definition in force. */
  instrument: Instrument;
  readonly book: BookId;
  readonly intervalMs: number;
  /** False: its desk only looks at it. */
  readonly traded: boolean;
  frame: FeatureFrame;
  readonly others = new Map<number, FeatureFrame>();
  regime: RegimeTracker | null;
  sourceStates: unknown[];
  sourceValues: readonly Values[];
  gateValues: readonly Values[];
  exitValues: readonly Values[];
  sizerValues: Values;
  at: Instant = 0;
  /** Close time of the newest bar; -1 before the first. */
  lastClose = -1;
  /** Newest price, between bars too, and when it was the price. */
  price = Number.NaN;
  pricedAt: Instant = -1;
  /** Close of the newest bar: what sources see, whatever was paid since. */
  close = Number.NaN;
  /** Whether the newest bar is recent enough to act on. */
  fresh = false;
  /** One interval, as the feed brings it: nothing to resample. */
  private readonly plain: boolean;
  /** Interval of the feed's bars that each of its own is made from. */
  private readonly feedOf = new Map<number, number>();
  private regimeValues: Values | null;
  private warmUpBars: number;
  /** Open time of the newest bar whose volume nobody knows, by interval. */
  private readonly unknownVolumes = new Map<number, Instant>();
  /** The one of them for which a hold was told. */
  heldForVolumeOf: Instant = -1;
  /** Bars whose volumes its features rest on; -1: not asked yet. */
  private volumeReach = -1;
  private readonly resamplers = new Map<number, Resampler>();
  private readonly peers: (instrument: InstrumentId) => InstrumentRuntime | null;
  private readonly observations: ObservationSource;
  /** What sources that can tell when they will speak look at, per source; null: one that cannot. */
  private foretold: (Readonly<Record<string, Float64Array>> | null)[] | null = null;

  constructor(options: {
    instrument: Instrument;
    book: BookId;
    intervalMs: number;
    /** Interval of the feed's bars that make those of another; see {@link PortfolioDefinition.feedMs}. */
    feedMs: (wantedMs: number) => number;
    traded: boolean;
    otherMs: readonly number[];
    parts: DeskParts;
    requests: readonly string[];
    bindings: Bindings;
    /** Bars that its frames must be able to show again; null: nobody will ask. */
    keepBars: number | null;
    peers: (instrument: InstrumentId) => InstrumentRuntime | null;
    observations: ObservationSource;
  }) {
    const { parts, requests, bindings, traded, keepBars } = options;
    this.traded = traded;
    this.instrument = options.instrument;
    this.book = options.book;
    this.intervalMs = options.intervalMs;
    this.peers = options.peers;
    this.observations = options.observations;
    this.frame = frameOf(requests, keepBars);
    for (const ms of [options.intervalMs, ...options.otherMs]) {
      const feedMs = options.feedMs(ms);
      this.feedOf.set(ms, feedMs);
      if (ms !== options.intervalMs) this.others.set(ms, frameOf(requests, keepBars));
      if (ms !== feedMs) this.resamplers.set(ms, new Resampler(feedMs, ms));
    }
    this.warmUpBars = parts.warmUpBars;
    this.plain = this.resamplers.size === 0 && this.others.size === 0;
    const work = partsAtWork(parts, bindings, this.frame, traded);
    this.sourceStates = work.sourceStates;
    this.sourceValues = work.sourceValues;
    this.gateValues = work.gateValues;
    this.exitValues = work.exitValues;
    this.sizerValues = work.sizerValues;
    this.regimeValues = work.regimeValues;
    this.regime = work.regime;
  }

  /**
   * Goes on with other parts. Their features are computed at once from the newest `bars` bars of each interval, or from as
   * many as there are, so that every value is that of a run which began with these bars; prices, times and bars that are still
   * being made stay.
   */
  change({ parts, requests, bindings, bars }: PartsChange): void {
    const { frame, others } = this;
    this.frame = frameOf(requests, bars);
    const work = partsAtWork(parts, bindings, this.frame, this.traded);
    this.sourceStates = work.sourceStates;
    this.sourceValues = work.sourceValues;
    this.gateValues = work.gateValues;
    this.exitValues = work.exitValues;
    this.sizerValues = work.sizerValues;
    this.regimeValues = work.regimeValues;
    this.regime = work.regime;
    this.foretold = null;
    this.warmUpBars = parts.warmUpBars;
    this.volumeReach = -1;
    showAgain(frame, bars, this.frame, () => this.regime?.update(this.regimeValues!));
    for (const [ms, other] of others) {
      const made = frameOf(requests, bars);
      showAgain(other, bars, made);
      others.set(ms, made);
    }
  }

  /** Intervals of the feed's bars that it takes. */
  get feeds(): ReadonlySet<number> {
    return new Set(this.feedOf.values());
  }

  /** Says which bars will come, if they come as the desk wants them: see {@link FeatureFrame.follow}. */
  follow(tape: BarColumns): void {
    if (!this.plain) return;
    this.frame.follow(tape);
    this.foretold = null;
  }

  /** Takes a bar of one of its {@link feeds}; true when a bar of the desk's interval closed with it. */
  push(event: BarClosed): boolean {
    this.at = event.at;
    if (event.volumeUnknown === true) this.noteUnknownVolume(event.intervalMs, event.bar.time);
    if (this.plain) {
      this.accept(event);
      return true;
    }
    let closed = false;
    for (const [ms, feedMs] of this.feedOf) {
      if (feedMs !== event.intervalMs) continue;
      const resampler = this.resamplers.get(ms);
      if (resampler === undefined) closed = this.take(ms, event, event.bar) || closed;
      else for (const { bar } of resampler.add(event.bar)) closed = this.take(ms, event, bar) || closed;
    }
    return closed;
  }

  private noteUnknownVolume(intervalMs: number, time: Instant): void {
    for (const [ms, feedMs] of this.feedOf)
      if (feedMs === intervalMs)
        this.unknownVolumes.set(ms, Math.max(time, this.unknownVolumes.get(ms) ?? time));
  }

  /** Fills holes of the frames that take bars as they come. One that is made of finer bars keeps what it made of them. */
  mend(intervalMs: number, bars: readonly Bar[], volumesUnknown: readonly Instant[]): void {
    for (const [ms, feedMs] of this.feedOf)
      if (ms === feedMs && feedMs === intervalMs)
        (ms === this.intervalMs ? this.frame : this.others.get(ms)!).mend(bars);
    for (const time of volumesUnknown) this.noteUnknownVolume(intervalMs, time);
  }

  /** Open time of the bar whose volume nobody knows, where its features rest on one; else null. */
  get volumeUnknownAt(): Instant | null {
    if (this.unknownVolumes.size === 0) return null;
    if (this.volumeReach < 0) this.volumeReach = volumeReach(this.frame.requests, this.warmUpBars);
    if (this.volumeReach === 0) return null;
    for (const [ms, unknownAt] of this.unknownVolumes) {
      const { time, length } = (ms === this.intervalMs ? this.frame : this.others.get(ms)!).bars;
      if (length > 0 && unknownAt >= time[Math.max(0, length - this.volumeReach)]!) return unknownAt;
    }
    return null;
  }

  /** A bar of one of its own intervals; true when it is the desk's. */
  private take(ms: number, event: BarClosed, bar: BarClosed['bar']): boolean {
    if (ms !== this.intervalMs) {
      pushBar(this.others.get(ms)!, bar);
      return false;
    }
    this.accept(bar === event.bar ? event : { ...event, bar, intervalMs: ms });
    return true;
  }

  /** How many of the bars that the tape brings next say nothing to the sources; 0 where that cannot be known. */
  quietBars(sources: DeskParts['sources']): number {
    const { frame } = this;
    if (!this.plain || this.regime !== null || frame.ahead === 0) return 0;
    const from = frame.foretoldRow;
    let to = from + frame.ahead;
    this.foretold ??= sources.map((part) => foretoldColumns(part, frame));
    for (let i = 0; i < sources.length && to > from; i++) {
      const part = sources[i] as unknown as LocalSource;
      const columns = this.foretold[i]!;
      if (columns === null) return 0;
      to = part.speaksAt!(columns, from, to, this.sourceStates[i] as object);
    }
    return to - from;
  }

  /** Takes the tape's next bars, rows [from, to), which {@link quietBars} has counted. */
  passBars(columns: BarColumns, from: number, to: number): void {
    const last = to - 1;
    this.frame.passOver(to - from);
    this.at = this.lastClose = columns.time[last]! + this.intervalMs;
    this.close = columns.close[last]!;
    if (this.lastClose >= this.pricedAt) {
      this.price = this.close;
      this.pricedAt = this.lastClose;
    }
    this.fresh = true;
  }

  private accept(event: BarClosed): void {
    pushBar(this.frame, event.bar);
    this.lastClose = event.bar.time + this.intervalMs;
    // a bar told late must not bring back a price that has passed
    if (this.lastClose >= this.pricedAt) {
      this.price = event.bar.close;
      this.pricedAt = this.lastClose;
    }
    this.close = event.bar.close;
    this.fresh = event.at - this.lastClose <= this.intervalMs;
    if (this.regime !== null) this.regime.update(this.regimeValues!);
  }

  get regimeName(): string | null {
    return this.regime === null ? null : this.regime.name;
  }

  get count(): number {
    return this.frame.count;
  }
  get open(): number {
    return this.frame.bars.open[this.frame.bars.length - 1]!;
  }
  get high(): number {
    return this.frame.bars.high[this.frame.bars.length - 1]!;
  }
  get low(): number {
    return this.frame.bars.low[this.frame.bars.length - 1]!;
  }
  get volume(): number {
    return this.frame.bars.volume[this.frame.bars.length - 1]!;
  }

  peer(instrument: InstrumentId, intervalMs: number = this.intervalMs): FeatureFrame | null {
    const other = instrument === this.instrument.id ? this : this.peers(instrument);
    if (other === null) return null;
    return intervalMs === other.intervalMs ? other.frame : (other.others.get(intervalMs) ?? null);
  }

  funding(instrument: InstrumentId = this.instrument.id): FundingState | null {
    const { fundingIntervalMs } =
      instrument === this.instrument.id
        ? this.instrument
        : (this.peers(instrument)?.instrument ?? this.instrument);
    return this.observations.funding(instrument, fundingIntervalMs ?? FUNDING_INTERVAL_MS, this.at);
  }

  observation(subject: string): { value: number | string; publishedAt: Instant } | null {
    return this.observations.observation(subject, this.at);
  }
}

/** The columns that a source's features will come from, by their local names; null when it cannot look ahead. */
function foretoldColumns(
  part: DeskParts['sources'][number],
  frame: FeatureFrame,
): Readonly<Record<string, Float64Array>> | null {
  if (part.kind !== 'local' || part.speaksAt === undefined) return null;
  const columns: Record<string, Float64Array> = {};
  for (const [name, expression] of Object.entries(part.features as Readonly<Record<string, string>>))
    columns[name] = frame.foretoldColumn(frame.column(columnOf(expression)));
  return columns;
}

function pushBar(frame: FeatureFrame, bar: BarClosed['bar']): void {
  frame.push(bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume);
}

/** Rows that a frame is told to keep: it drops the older half of them at a time. */
const rowsFor = (bars: number): number => 2 * bars + 2;

/** A frame that can show its newest `keepBars` bars again at any time; null: as a frame is by itself. */
function frameOf(requests: readonly string[], keepBars: number | null): FeatureFrame {
  const plain = new FeatureFrame(requests);
  if (keepBars === null || plain.capacity >= rowsFor(keepBars)) return plain;
  return new FeatureFrame(requests, { capacity: rowsFor(keepBars) });
}

/** Pushes the newest `most` bars of one frame into another. */
function showAgain({ bars }: FeatureFrame, most: number, into: FeatureFrame, each?: () => void): void {
  const { time, open, high, low, close, volume, length } = bars;
  for (let i = Math.max(0, length - most); i < length; i++) {
    into.push(time[i]!, open[i]!, high[i]!, low[i]!, close[i]!, volume[i]!);
    each?.();
  }
}

/** What a desk's parts keep and read of one instrument. */
interface PartsAtWork {
  readonly sourceStates: unknown[];
  readonly sourceValues: readonly Values[];
  readonly gateValues: readonly Values[];
  readonly exitValues: readonly Values[];
  readonly sizerValues: Values;
  readonly regimeValues: Values | null;
  readonly regime: RegimeTracker | null;
}

function partsAtWork(
  parts: DeskParts,
  bindings: Bindings,
  frame: FeatureFrame,
  traded: boolean,
): PartsAtWork {
  // what is only looked at has no parts at work, and its frame may lack their features
  const bound = traded ? bindings : null;
  return {
    sourceStates: traded ? parts.sources.map((s) => (s.state as () => unknown)()) : [],
    sourceValues: bound?.sources.map((make) => new make(frame)) ?? [],
    gateValues: bound?.gates.map((make) => new make(frame)) ?? [],
    exitValues: bound?.exits.map((make) => new make(frame)) ?? [],
    sizerValues: bound === null ? {} : new bound.sizer(frame),
    regimeValues: bound == null || bound.regime === null ? null : new bound.regime(frame),
    regime: traded ? (parts.regime?.create() ?? null) : null,
  };
}

/** Parts that take the place of others; see {@link InstrumentRuntime.change}. */
export interface PartsChange {
  readonly parts: DeskParts;
  readonly requests: readonly string[];
  readonly bindings: Bindings;
  readonly bars: number;
}

type ValuesClass = ReturnType<typeof valuesClass>;

/** The value classes of a desk's parts, shared by all its instruments. */
export interface Bindings {
  readonly sources: readonly ValuesClass[];
  readonly gates: readonly ValuesClass[];
  readonly exits: readonly ValuesClass[];
  readonly sizer: ValuesClass;
  readonly regime: ValuesClass | null;
}

/** Resolves every feature expression of a desk against the columns its frames will have. */
export function bindParts(parts: DeskParts, requests: readonly string[]): Bindings {
  const shape = new FeatureFrame(requests);
  const handleOf = (column: string) => shape.column(column);
  return {
    sources: parts.sources.map((s) => valuesClass(s.features, handleOf)),
    gates: (parts.gates ?? []).map((g) => valuesClass(g.features, handleOf)),
    exits: (parts.exits ?? []).map((e) => valuesClass(e.features, handleOf)),
    sizer: valuesClass(parts.sizer.features, handleOf),
    regime: parts.regime === undefined ? null : valuesClass(parts.regime.features, handleOf),
  };
}
