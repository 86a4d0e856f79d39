import { formatInstant, type Instant, unreachable } from '#base';
import { Correlations } from '#features';
import {
  type Bar,
  BarChecker,
  type BarClosed,
  type BarColumns,
  type HistoryMended,
  type Instrument,
  type InstrumentId,
  type MarketEvent,
  priceMax,
} from '#market';
import { tally } from './counts.ts';
import type { DeskRuntime } from './desk-runtime.ts';
import type { Engine } from './engine.ts';
import { FeedsDown } from './feeds-down.ts';
import type { InstrumentChanged } from './listings.ts';
import type { Observations } from './observations.ts';

/** Who listens to an instrument: a desk and the place of the instrument in it. */
interface Listener {
  readonly desk: DeskRuntime;
  readonly index: number;
}

/** Bars of one length of one instrument. */
class Series {
  static readonly configuration = ['listeners'];
  readonly listeners: Listener[] = [];
  readonly checker: BarChecker;

  constructor(intervalMs: number, priceMost: number) {
    this.checker = new BarChecker(intervalMs, 0, priceMost);
  }
}

/** What is known of one instrument's feed. */
class Channel {
  static readonly configuration = ['listeners', 'finestMs', 'traded', 'priceMost'];
  /** Every desk that has it. */
  readonly listeners: Listener[] = [];
  /** By interval; only such as somebody uses, and the finest. */
  readonly series = new Map<number, Series>();
  readonly finestMs: number;
  /** False: desks only look at it, and no book will ever hold it. */
  traded = false;
  priceMost: number;
  managedAt: Instant = -Infinity;
  /** Interval and close of the bar that told the price last. */
  private toldMs = Infinity;
  private toldAt: Instant = -Infinity;

  constructor(finestMs: number, instrument: Instrument) {
    this.finestMs = finestMs;
    this.priceMost = priceMax(instrument);
    this.add(finestMs);
  }

  add(intervalMs: number): Series {
    const known = this.series.get(intervalMs);
    if (known !== undefined) return known;
    const series = new Series(intervalMs, this.priceMost);
    this.series.set(intervalMs, series);
    return series;
  }

  /** Whether a bar tells a price: a longer one is no news while shorter ones come. */
  isNews(intervalMs: number, closedAt: Instant): boolean {
    if (intervalMs > this.toldMs && closedAt <= this.toldAt) return false;
    this.toldMs = intervalMs;
    this.toldAt = Math.max(this.toldAt, closedAt);
    return true;
  }
}

const MANAGE_EVERY_MS = 5_000;
const FUTURE_MS = 60_000;
/** Units of one currency for a unit of another. */
const RATE_MOST = 1e9;
/** A rate so many times the one before, or as small a part of it, is a mistake of the feed. */
const RATE_LEAP = 10;

/** A bar that has not begun, or that claims to have closed later than clocks can differ. */
const isFromTheFuture = (event: BarClosed): boolean =>
  event.bar.time > event.at + FUTURE_MS || event.eventTime > event.at + FUTURE_MS;

/** When the close of a bar was the price. */
export const closeTime = ({ at, bar, intervalMs }: BarClosed): Instant => Math.min(at, bar.time + intervalMs);

/** What comes from the market: judged, told to the books, handed to the desks that listen to it. */
export class MarketIntake {
  static readonly configuration = ['engine', 'observations', 'correlated'];
  private readonly engine: Engine;
  private readonly observations: Observations;
  private readonly channels = new Map<InstrumentId, Channel>();
  readonly feedsDown = new FeedsDown();
  /** Of returns as the bars tell them. */
  readonly correlations = new Correlations();
  /** Only limits ask for correlations; without any nobody keeps them. */
  private readonly correlated: boolean;

  constructor(engine: Engine, observations: Observations) {
    this.engine = engine;
    this.observations = observations;
    const { definition } = engine;
    this.correlated =
      definition.limits !== undefined ||
      definition.desks.some(
        ({ parts: { limits = [], safetyLayers = [] } }) => limits.length + safetyLayers.length > 0,
      );
    for (const desk of engine.desks) desk.instruments.forEach((_, index) => void this.listen(desk, index));
  }

  private listen(desk: DeskRuntime, index: number): void {
    const { instrument, feeds, traded } = desk.instruments[index]!;
    let channel = this.channels.get(instrument.id);
    if (channel === undefined) {
      channel = new Channel(this.engine.definition.feedMs(instrument.id), instrument);
      this.channels.set(instrument.id, channel);
    }
    const listener = { desk, index };
    channel.listeners.push(listener);
    channel.traded ||= traded;
    for (const intervalMs of feeds) channel.add(intervalMs).listeners.push(listener);
  }

  /** Says which bars of an instrument will come; see {@link InstrumentRuntime.follow}. Only for one with one series. */
  follow(id: InstrumentId, tape: BarColumns): void {
    const channel = this.channels.get(id);
    if (channel === undefined || channel.series.size !== 1) return;
    for (const { desk, index } of channel.listeners) desk.instruments[index]!.follow(tape);
  }

  /** Hands a definition that was taken over to everyone who reckons with it. */
  redefined(definition: Instrument): void {
    const channel = this.channels.get(definition.id);
    if (channel === undefined) return;
    for (const { desk, index } of channel.listeners) desk.instruments[index]!.instrument = definition;
    channel.priceMost = priceMax(definition);
    for (const { checker } of channel.series.values()) checker.priceMax = channel.priceMost;
  }

  /** Definitions are configuration: after a restore they are those that the listings know. */
  restored(): void {
    for (const id of this.channels.keys()) this.redefined(this.engine.instrumentOf(id));
  }

  /** A feed of a desk that was disconnected or stale and has not made good what it missed; undefined while none is. */
  feedDown(desk: string): string | undefined {
    return this.feedsDown.first((id, intervalMs) => this.listensTo(id, intervalMs, desk));
  }

  /** Whether a desk, any unless one is named, takes bars of this length of an instrument. */
  listensTo(id: InstrumentId, intervalMs: number, desk?: string): boolean {
    const listeners = this.channels.get(id)?.series.get(intervalMs)?.listeners ?? [];
    return listeners.some((one) => desk === undefined || one.desk.name === desk);
  }

  /** Open time of the newest bar of a series that was accepted; -Infinity before the first. */
  lastBar(id: InstrumentId, intervalMs: number): Instant {
    return this.channels.get(id)?.series.get(intervalMs)?.checker.lastTime ?? -Infinity;
  }

  bar(given: BarClosed): void {
    const id = given.instrument;
    const channel = this.channels.get(id);
    const series = channel?.series.get(given.intervalMs);
    if (channel === undefined || series === undefined) return;
    const event = this.judged(series.checker, given);
    if (event === null) return;
    const { listeners } = series;
    const { engine } = this;
    engine.counts.bars += 1;
    if (channel.traded && channel.isNews(event.intervalMs, closeTime(event))) this.told(event);
    for (let i = 0; i < listeners.length; i++) listeners[i]!.desk.onBar(listeners[i]!.index, event);
  }

  /** The price of a bar, told to shadows and books. */
  private told(event: BarClosed): void {
    const { real, shadows } = this.engine;
    for (let i = 0; i < shadows.length; i++) shadows[i]!.onBar(event);
    // a bar told late, after a gap, must not move the books back to its price
    real.ledger.mark(event.instrument, event.bar.close, closeTime(event));
    if (this.correlated) this.correlations.observe(event.instrument, event.at, event.bar.close);
  }

  /** How many of an instrument's bars [from, to) of a tape nobody need be told of but by their price; see quiet-bars.ts. */
  quietBars(id: InstrumentId, intervalMs: number, columns: BarColumns, from: number, to: number): number {
    const channel = this.channels.get(id);
    const { shadows } = this.engine;
    if (channel === undefined || channel.listeners.length !== 1 || this.correlated) return 0;
    const series = channel.series.get(intervalMs);
    if (series === undefined || channel.series.size !== 1 || !channel.traded) return 0;
    for (let i = 0; i < shadows.length; i++) if (!shadows[i]!.isIdle) return 0;
    const { desk, index } = channel.listeners[0]!;
    const quiet = Math.min(to - from, desk.quietBars(index));
    const plain = series.checker.plainAhead(columns, from, from + quiet);
    return plain > 0 && this.canValueAll(id, columns, from, from + plain) ? plain : 0;
  }

  private canValueAll(id: InstrumentId, { low, high }: BarColumns, from: number, to: number): boolean {
    // what is known of the first bar's prices answers for most that follow
    if (!this.canValue(id, low[from]!, high[from]!)) return false;
    let lowest = Infinity;
    let highest = 0;
    for (let row = from; row < to; row++) {
      lowest = Math.min(lowest, low[row]!);
      highest = Math.max(highest, high[row]!);
    }
    return this.canValue(id, lowest, highest);
  }

  /** Takes bars that {@link quietBars} has counted, but for their prices. */
  passBars(id: InstrumentId, columns: BarColumns, from: number, to: number): void {
    const channel = this.channels.get(id)!;
    const { desk, index } = channel.listeners[0]!;
    const { checker } = channel.series.get(channel.finestMs)!;
    checker.took(columns, from, to);
    channel.isNews(channel.finestMs, columns.time[to - 1]! + channel.finestMs);
    this.engine.counts.bars += to - from;
    desk.passBars(index, columns, from, to);
  }

  /** A bar as it can be used, noise mended for everyone; null, counted, when it cannot. */
  private judged(checker: BarChecker, event: BarClosed): BarClosed | null {
    const { engine } = this;
    const { time, open, high, low, close, volume } = event.bar;
    if (isFromTheFuture(event)) return this.refused('from-the-future');
    const verdict = checker.judge(time, open, high, low, close, volume);
    if (verdict !== 'accept') {
      if (engine.trace.level !== 'none')
        engine.happened('bar', null, event.instrument, `bar of ${time} not used: ${verdict}`);
      return this.refused(checker.objection!);
    }
    if (!this.canValue(event.instrument, checker.low, checker.high)) return this.refused('price-unusable');
    if (checker.high === high && checker.low === low) return event;
    return { ...event, bar: { ...event.bar, high: checker.high, low: checker.low } };
  }

  /** Whether money may be reckoned at a rate of exchange: not beyond all rates, and not another currency's by mistake. */
  private isRate({ from, to, rate, at }: Extract<MarketEvent, { kind: 'fx-rate-updated' }>): boolean {
    if (!(rate >= 1 / RATE_MOST && rate <= RATE_MOST)) return false;
    const { ledger } = this.engine.real;
    const { base } = this.engine.definition;
    const known = to === base ? ledger.rate(from, at) : from === base ? ledger.rate(to, at) : null;
    if (known === null) return true;
    const now = to === base ? rate : 1 / rate;
    return now <= known * RATE_LEAP && now >= known / RATE_LEAP;
  }

  private refused(name: string): null {
    tally(this.engine.counts.barsRefused, name);
    return null;
  }

  /** Whether what is held and ordered, shadows included, could be reckoned anywhere between these prices. */
  private canValue(id: InstrumentId, low: number, high: number): boolean {
    const { real, shadows } = this.engine;
    if (!real.ledger.canValue(id, low, high)) return false;
    for (let i = 0; i < shadows.length; i++) if (!shadows[i]!.canValue(id, low, high)) return false;
    return true;
  }

  /** Whether money can be reckoned at this price; one that it cannot is counted and leaves the last one standing. */
  private usable({ priceMost }: Channel, id: InstrumentId, price: number): boolean {
    if (price > 0 && price <= priceMost && this.canValue(id, price, price)) return true;
    tally(this.engine.counts.barsRefused, 'price-unusable');
    return false;
  }

  moved(event: Exclude<MarketEvent, BarClosed>): void {
    const { engine } = this;
    if (event.at + FUTURE_MS < event.eventTime) {
      tally(engine.counts.barsRefused, 'from-the-future');
      return;
    }
    if (event.kind === 'instrument-changed') return this.changed(event);
    for (const shadow of engine.shadows) shadow.onMarket(event);
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
        if (!this.isRate(event)) return void this.refused('rate-unusable');
        engine.real.ledger.fxRate(event.from, event.to, event.rate, event.at);
        for (const { lane } of engine.shadows) lane.ledger.fxRate(event.from, event.to, event.rate, event.at);
        return;
      case 'observation-published':
        return this.observations.publish(event);
      case 'feed-changed':
        this.feedsDown.moved(event);
        return engine.happened('bar', null, null, `feed ${event.feed} ${event.status}: ${event.detail}`);
      case 'history-mended':
        return this.mended(event);
      case 'funding-due':
        if (this.channels.has(event.instrument)) this.observations.fundingDue(event);
        return;
      case 'bar-opened':
      case 'book-changed':
      case 'open-interest-updated':
      case 'liquidation-seen':
        return;
      default:
        return unreachable(event);
    }
  }

  /** Puts bars into the frames where they were missing. What was decided without them stands; only the next bar sees them. */
  private mended({ instrument, intervalMs, bars, volumesUnknown = [] }: HistoryMended): void {
    const channel = this.channels.get(instrument);
    const series = channel?.series.get(intervalMs);
    if (channel === undefined || series === undefined) return;
    const checker = new BarChecker(intervalMs, 0, channel.priceMost);
    const used: Bar[] = [];
    for (const bar of bars) {
      const { verdict, objection, bar: mended } = checker.check(bar);
      if (verdict !== 'accept') tally(this.engine.counts.barsRefused, objection!);
      else if (mended.time < series.checker.lastTime) used.push(mended);
      else tally(this.engine.counts.barsRefused, 'from-the-future');
    }
    if (used.length === 0) return;
    for (const { desk, index } of series.listeners)
      desk.instruments[index]!.mend(intervalMs, used, volumesUnknown);
    const text = `${used.length} bars that had been missing since ${formatInstant(used[0]!.time)} are known now`;
    this.engine.happened('bar', null, instrument, text);
  }

  private changed(event: InstrumentChanged): void {
    const { engine } = this;
    if (!engine.listings.accepts(event)) return;
    for (const shadow of engine.shadows) shadow.onChange(event);
    engine.listings.change(event);
    engine.happened('bar', null, event.instrument, `instrument ${event.change.change}`);
  }

  private priced(id: InstrumentId, at: Instant, price: number): void {
    const channel = this.channels.get(id);
    if (channel === undefined || !channel.traded || !this.usable(channel, id, price)) return;
    this.engine.real.ledger.mark(id, price, at);
    if (at - channel.managedAt < MANAGE_EVERY_MS) return;
    channel.managedAt = at;
    this.engine.beforeSlice(at);
    for (const { desk, index } of channel.listeners) desk.onPrice(index, at, price);
  }

  /** A bar that another version saw: the books learn its price, nobody else. */
  barFact(event: BarClosed): void {
    const channel = this.channels.get(event.instrument);
    const series = channel?.series.get(event.intervalMs);
    if (channel === undefined || series === undefined) return;
    const used = this.judged(series.checker, event);
    if (used === null || !channel.traded || !channel.isNews(used.intervalMs, closeTime(used))) return;
    this.engine.real.ledger.mark(used.instrument, used.bar.close, closeTime(used));
  }

  /** The same of a price between bars. */
  priceFact(id: InstrumentId, price: number, at: Instant): void {
    const channel = this.channels.get(id);
    if (channel?.traded && this.usable(channel, id, price)) this.engine.real.ledger.mark(id, price, at);
  }
}
