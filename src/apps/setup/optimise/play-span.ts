import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Tape, TapeCursor } from '#adapters';
import { canonicalJson, formatDecimal, type Instant, sha256 } from '#base';
import { type Engine, NO_JOURNAL, NO_TRACE } from '#engine';
import { simulatedVenue } from '#execution';
import { feesAt, notional, RATE_ONE } from '#market';
import {
  Backtest,
  EquityCurve,
  isWorseThanMedian,
  type Objective,
  type Point,
  type StepReport,
  type SweepFigures,
} from '#research';
import { type KnownAnswers, oracleOf } from '../answers-file.ts';
import { codeHash } from '../code-hash.ts';
import { deskHash, deskWith, type FoundDesk, type LoadedDesk } from '../load-desk.ts';
import { type BacktestRequest, type RecordedData, shapesOf } from '../run-backtest.ts';
import { bpsRate, buildStudy, type Study } from '../study.ts';
import { type Span, silentBefore, tapeOfSpan } from './span-tape.ts';

/** Costs and chance of the runs of a study, as `quorum backtest` takes them. */
export type SpanSettings = Pick<BacktestRequest, 'cash' | 'feeBps' | 'slippageBps' | 'seed'>;

/** What all runs of a study have in common. */
export interface SpanSetting {
  readonly found: FoundDesk;
  /** Parameters given that do not vary. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly settings: SpanSettings;
  readonly data: RecordedData;
  readonly answers: KnownAnswers | null;
  readonly answersHash: string | null;
  /** Of the program that plays. */
  readonly programHash: string;
}

/** One run: plain data. */
export interface SpanJob {
  readonly point: Point;
  /** Null: the whole tape, exactly as `quorum backtest` plays it. */
  readonly span: Span | null;
  /** Opening cash in minor units instead of the setting's. */
  readonly cashMinor: number | null;
  /** Into how many windows of equal time the run is cut for reports, and when it is to stop; null: it plays to its end. */
  readonly pruning: { readonly medians: readonly (number | null)[] } | null;
  /** Whether equity and trades over time are wanted. */
  readonly detail: boolean;
}

/** A closed trade with what a study looks at. Money in minor units. */
export interface SpanTrade {
  readonly instrument: string;
  readonly direction: 1 | -1;
  readonly openedAt: Instant;
  readonly closedAt: Instant;
  readonly net: number;
}

/** What a run came to: plain data. */
export interface PlayedSpan {
  readonly point: Point;
  readonly figures: SweepFigures;
  /** Minor units of the currency at the start, and of equity at the end of each day. */
  readonly cash: number;
  readonly minorScale: number;
  readonly daily: readonly number[];
  /** Net results of closed trades, minor units. */
  readonly nets: readonly number[];
  /** Values of the objective at the ends of windows, as far as they are defined. */
  readonly reports: readonly StepReport[];
  /** Stopped before its end by the medians it was given. */
  readonly pruned: boolean;
  /** Positions that were open at the end of a span, and what closing them there was reckoned to cost, minor units. */
  readonly closedAtEnd: number;
  readonly closingCost: number;
  /** SHA-256 over everything that decides the result. */
  readonly variantHash: string;
  readonly notes: readonly string[];
  readonly stamps: readonly string[];
  /** First and last instant. */
  readonly from: Instant;
  readonly to: Instant;
  readonly detail: {
    readonly times: readonly Instant[];
    readonly equities: readonly number[];
    readonly trades: readonly SpanTrade[];
  } | null;
}

/** Leaves the history before a span out of the curve. */
class SpanCurve extends EquityCurve {
  private readonly from: Instant;

  constructor(from: Instant) {
    super();
    this.from = from;
  }

  override sample(at: Instant, engine: Engine): void {
    if (at > this.from) super.sample(at, engine);
  }

  override sampleAlong(
    time: Float64Array,
    intervalMs: number,
    from: number,
    equities: Float64Array,
    bars: number,
  ): void {
    let skipped = 0;
    while (skipped < bars && time[from + skipped]! + intervalMs <= this.from) skipped += 1;
    super.sampleAlong(time, intervalMs, from + skipped, equities.subarray(skipped), bars - skipped);
  }
}

/** Tells when the walk leaves a window, and ends there when it is told to. */
class WindowedCursor extends TapeCursor {
  private readonly ends: readonly Instant[];
  private readonly leaves: (window: number) => boolean;
  private window = 0;
  stopped = false;

  constructor(tape: Tape, ends: readonly Instant[], leaves: (window: number) => boolean) {
    super(tape);
    this.ends = ends;
    this.leaves = leaves;
  }

  override next(): boolean {
    if (this.stopped || !super.next()) return false;
    while (this.window < this.ends.length && this.at > this.ends[this.window]!) {
      if (!this.leaves(this.window++)) continue;
      this.stopped = true;
      return false;
    }
    return true;
  }
}

/** Tapes of spans cut lately: the trials of one window come one after the other. */
const CUTS_KEPT = 4;

/** Plays spans of one setting, one after the other. */
export class SpanPlays {
  private readonly setting: SpanSetting;
  private readonly objective: Objective;
  private readonly cuts = new Map<string, Tape>();

  constructor(setting: SpanSetting, objective: Objective) {
    this.setting = setting;
    this.objective = objective;
  }

  /**
   * Plays one run. A span begins flat on `warmUpBars` of history, on which nothing is traded; what is open at its end
   * is closed at the last price, with a taker's fee and the slippage of the run. Null when `keepsOn` said no on the way.
   */
  async play(job: SpanJob, keepsOn: () => boolean): Promise<PlayedSpan | null> {
    const { found, set, settings, data, answers } = this.setting;
    const whole = deskWith(found, { ...set, ...job.point });
    const shapes = shapesOf(data.tape);
    const first = buildStudy(whole, shapes, settings, NO_TRACE);
    const { span } = job;
    const tape = span === null ? data.tape : this.cut(span, first.intervalMs, whole.parts.warmUpBars);
    const desk = span === null ? whole : { ...whole, parts: silentBefore(whole.parts, span.from) };
    const built = span === null ? first : buildStudy(desk, shapesOf(tape), settings, NO_TRACE);
    const cash = job.cashMinor ?? built.definition.cash;
    const definition = { ...built.definition, cash };
    const curve = span === null ? new EquityCurve() : new SpanCurve(span.from);
    const reports: StepReport[] = [];
    const nets: number[] = [];
    const trades: SpanTrade[] = [];
    const begun = span?.from ?? tape.from ?? 0;
    const ended = span?.to ?? tape.to ?? 0;
    const medians = job.pruning?.medians ?? [];
    const sign = this.objective.direction === 'minimise' ? 1 : -1;
    const walk = new WindowedCursor(tape, windowEnds(begun, ended, medians.length), (window) => {
      const daily = [...curve.daily, backtest.engine.equity()];
      const value = this.objective.of({ cash, daily, maxDrawdown: curve.maxDrawdown, nets });
      if (value !== null && Number.isFinite(value)) reports.push([window, value]);
      const own: readonly StepReport[] =
        reports.at(-1)?.[0] === window ? reports : [...reports, [window, Number.NaN]];
      return isWorseThanMedian(
        own.map(([at, v]): StepReport => [at, sign * v]),
        medians[window] ?? null,
      );
    });
    const backtest = new Backtest({
      definition,
      tape: walk,
      venue: simulatedVenue(built.venue),
      journal: NO_JOURNAL,
      seed: settings.seed,
      codeHash: codeHash(),
      configurationHash: sha256(canonicalJson({ parameters: desk.parameters, span })),
      curve,
      // a window ends at a bar of its own
      stepwise: medians.length > 0,
      ...(answers === null ? {} : { oracle: oracleOf(answers) }),
    });
    backtest.engine.observer = {
      traded: ({ instrument, direction, openedAt, closedAt, net }, _desk, shadow) => {
        if (shadow) return;
        nets.push(net);
        if (job.detail) trades.push({ instrument, direction, openedAt, closedAt, net });
      },
    };
    backtest.start();
    for (;;) {
      // so that Ctrl-C is heard: signals come between turns of the event loop
      await nextTurn();
      if (!keepsOn()) return null;
      if (!backtest.advance()) break;
    }
    const result = backtest.finish();
    const closing = span === null ? NOTHING_OPEN : closingOf(result.engine, built, result.to);
    const { daily } = curve;
    if (closing.cost > 0 && daily.length > 0) daily[daily.length - 1]! -= closing.cost;
    return {
      point: job.point,
      figures: figuresOf(result, definition.baseMinorScale, curve, closing.cost),
      cash,
      minorScale: definition.baseMinorScale,
      daily,
      nets,
      reports,
      pruned: walk.stopped,
      closedAtEnd: closing.positions,
      closingCost: closing.cost,
      variantHash: spanHash(this.setting, whole, job),
      notes: notesOf(result.engine),
      stamps: desk.parts.stamps ?? [],
      from: begun,
      to: result.to,
      detail: job.detail ? detailOf(curve, closing.cost, trades) : null,
    };
  }

  private cut(span: Span, intervalMs: number, warmUpBars: number): Tape {
    const key = `${span.from} ${span.to} ${intervalMs} ${warmUpBars}`;
    let tape = this.cuts.get(key);
    if (tape === undefined) {
      tape = tapeOfSpan(this.setting.data.tape, span, intervalMs, warmUpBars);
      if (this.cuts.size === CUTS_KEPT) this.cuts.delete(this.cuts.keys().next().value!);
      this.cuts.set(key, tape);
    }
    return tape;
  }
}

/** The same text as a sweep's for a run over the whole tape: one variant has one hash, whoever plays it. */
export function spanHash(setting: SpanSetting, desk: LoadedDesk, { span, cashMinor }: SpanJob): string {
  const { settings, data, answersHash, programHash } = setting;
  const { cash, feeBps, slippageBps, seed } = settings;
  const common = { answersHash, cash, feeBps, slippageBps, seed, codeHash: programHash };
  return sha256(
    canonicalJson({
      ...common,
      tapeHash: data.tape.hash,
      deskHash: deskHash(desk),
      ...(span === null ? {} : { span: { from: span.from, to: span.to } }),
      ...(cashMinor === null ? {} : { cashMinor }),
    }),
  );
}

/** Ends of windows of equal time; the last one ends with the run and is not reported. */
function windowEnds(from: Instant, to: Instant, windows: number): Instant[] {
  return Array.from(
    { length: Math.max(0, windows) },
    (_, k) => from + ((to - from) * (k + 1)) / (windows + 1),
  );
}

const NOTHING_OPEN = { positions: 0, cost: 0 };

/** Minor units that a taker would have paid to close everything at the last prices. */
function closingOf(engine: Engine, study: Study, at: Instant): { positions: number; cost: number } {
  let positions = 0;
  let cost = 0;
  for (const { instrument: id, lots } of engine.real.ledger.positions()) {
    const instrument = engine.instrumentOf(id);
    const runtime = engine.desks[0]!.instruments.find((one) => one.instrument.id === id);
    const price = runtime?.close ?? Number.NaN;
    const ticks = Math.round((price * 10 ** instrument.tick.scale) / instrument.tick.units);
    if (lots === 0 || !Number.isSafeInteger(ticks) || ticks <= 0) continue;
    const taker = study.feeBps === null ? feesAt(instrument, at).takerRate : bpsRate(study.feeBps);
    const rate = taker + bpsRate(study.slippageBps);
    positions += 1;
    cost += Math.ceil((notional(instrument, ticks, Math.abs(lots), 'ceil') * rate) / RATE_ONE);
  }
  return { positions, cost };
}

function figuresOf(
  { engine, commands, commandsHash, to }: ReturnType<Backtest['finish']>,
  scale: number,
  curve: EquityCurve,
  closingCost: number,
): SweepFigures {
  const books = engine.real.ledger.summary(to);
  const money = (minor: number) => formatDecimal(minor, scale);
  const { orders, fills, trades } = engine.counts;
  const equity = books.equity - closingCost;
  return {
    trades,
    return: books.cashStart > 0 ? equity / books.cashStart - 1 : null,
    sharpe: curve.sharpe(books.cashStart, 365),
    maxDrawdown: curve.maxDrawdown,
    equityEnd: money(equity),
    realised: money(books.realised),
    unrealised: money(books.unrealised),
    fees: money(books.fees + closingCost),
    funding: money(books.funding),
    orders,
    fills,
    commands,
    commandsHash,
  };
}

function notesOf({ counts }: Engine): string[] {
  return [
    ...[...counts.malformedBySource].map(([source, n]) => `source ${source} gave ${n} malformed signals`),
    ...[...counts.ordersRejected].map(([reason, n]) => `the venue rejected ${n} orders: ${reason}`),
  ];
}

function detailOf(curve: EquityCurve, closingCost: number, trades: readonly SpanTrade[]) {
  const equities = [...curve.equities];
  if (equities.length > 0) equities[equities.length - 1]! -= closingCost;
  return { times: [...curve.times], equities, trades };
}
