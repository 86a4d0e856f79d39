import { join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  DEFAULT_STORE,
  isSeriesArgument,
  JournalFile,
  parseFileArgument,
  type RunRegistry,
  readSeries,
  Tape,
  TapeCursor,
  type TapeSeries,
} from '#adapters';
import { canonicalJson, InputError, type Instant, sha256 } from '#base';
import { type JournalSink, NO_JOURNAL, NO_TRACE, type TraceLevel } from '#engine';
import { simulatedVenue } from '#execution';
import type { MarketEvent } from '#market';
import { Backtest, type BacktestResult, EquityCurve, type Oracle, type TrialFigures } from '#research';
import { RunDirectory } from '../run-directory.ts';
import { readAnswers } from './answers-file.ts';
import { codeHash } from './code-hash.ts';
import { deskHash, type LoadedDesk } from './load-desk.ts';
import type { FoundModels } from './noting-models.ts';
import { registerRun, trialFigures } from './registry/trial-writer.ts';
import { summaryOf } from './run-summary.ts';
import { buildStudy, type SeriesShape, type Study } from './study.ts';

export interface BacktestRequest {
  readonly desk: LoadedDesk;
  readonly bars: readonly string[];
  readonly funding: readonly string[];
  readonly tapes: readonly string[];
  /** History store whose series the three may name; null is the usual one. */
  readonly store?: string | null;
  readonly from: Instant | null;
  readonly to: Instant | null;
  readonly cash: number | null;
  readonly feeBps: number | null;
  readonly slippageBps: number | null;
  readonly seed: string;
  readonly trace: TraceLevel;
  /** Recorded answers to the questions of remote sources and reviews; without it they stay unanswered. */
  readonly answers?: string | null;
  /** The answers, already read, for many runs with the same; the file named is then not opened. */
  readonly oracle?: Oracle | null;
  readonly out: string | null;
  /** The data, already read, for many runs over the same; the files named are then not opened. */
  readonly recorded?: RecordedData;
  readonly onProgress?: (position: number, total: number) => boolean;
  /** Puts the run on record before its directory is whole. Null: registration is switched off, and the run says so. */
  readonly registry?: RunRegistry | null;
}

/** A tape with the rows of bars files that were refused or repaired on the way, by reason. */
export interface RecordedData {
  readonly tape: Tape;
  readonly faults: ReadonlyMap<string, number>;
}

export interface BacktestOutcome {
  readonly summary: Record<string, unknown>;
  readonly result: BacktestResult;
  readonly study: Study;
  readonly seconds: number;
  readonly bars: number;
  readonly curve: EquityCurve;
}

/**
 * Reads the files of a run and puts them in one order, whatever order they were named in. Rows of bars files that were
 * refused or repaired are added to `faults`, by reason.
 */
export async function readTape(
  request: Pick<BacktestRequest, 'bars' | 'funding' | 'tapes' | 'store' | 'from' | 'to'>,
  faults: Map<string, number> = new Map(),
): Promise<Tape> {
  const series: TapeSeries[] = [];
  const read = (argument: string) => readSeries(argument, request.store);
  for (const file of request.bars) series.push(...only(await read(file), 'bars', file, '--bars'));
  const traded = new Set(series.map((s) => s.instrument));
  for (const file of request.funding) {
    // a universe of funding rates may hold instruments this run does not trade
    series.push(
      ...only(await read(file), 'funding', file, '--funding').filter((s) => traded.has(s.instrument)),
    );
  }
  for (const file of request.tapes) series.push(...(await read(file)));
  for (const one of series) if (one.kind === 'bars') addFaults(faults, one);
  const tape = new Tape(series);
  if (request.from === null && request.to === null) return tape;
  return tape.cut(request.from ?? tape.from ?? 0, request.to ?? (tape.to ?? 0) + 1);
}

/** Reads a tape together with what was wrong with its rows. */
export async function readRecorded(request: Parameters<typeof readTape>[0]): Promise<RecordedData> {
  const faults = new Map<string, number>();
  return { tape: await readTape(request, faults), faults };
}

/** Instrument and interval of every series of bars. */
export function shapesOf(tape: Tape): SeriesShape[] {
  return tape.series.flatMap((s) =>
    s.kind === 'bars' ? [{ instrument: s.instrument, intervalMs: s.intervalMs }] : [],
  );
}

/** What is no fault of a row: it was taken, or it is not there. */
const NO_FAULT: readonly string[] = ['accepted', 'gaps', 'gapBars'];

function addFaults(faults: Map<string, number>, series: Extract<TapeSeries, { kind: 'bars' }>): void {
  for (const [reason, n] of Object.entries(series.faults)) {
    if (n > 0 && !NO_FAULT.includes(reason)) faults.set(reason, (faults.get(reason) ?? 0) + n);
  }
}

function only(
  series: readonly TapeSeries[],
  kind: TapeSeries['kind'],
  file: string,
  option: string,
): readonly TapeSeries[] {
  const other = series.find((s) => s.kind !== kind);
  if (other !== undefined) {
    throw new InputError(
      `${file} holds ${other.kind}, not ${kind}`,
      `give it with --tape instead of ${option}`,
    );
  }
  return series;
}

/** Runs one desk over recorded data and writes the run's directory when `out` is given. */
export async function runBacktest(request: BacktestRequest): Promise<BacktestOutcome> {
  const { desk } = request;
  const { answers = null } = request;
  const read = request.oracle === undefined && answers !== null ? readAnswers(answers) : null;
  const oracle = read ?? request.oracle;
  const { tape, faults } = request.recorded ?? (await readRecorded(request));
  const shapes = shapesOf(tape);
  const first = buildStudy(desk, shapes, request, NO_TRACE);
  const directory =
    request.out === null ? null : new RunDirectory(request.out, request.trace, first.venue.instrumentOf);
  const study = directory === null ? first : buildStudy(desk, shapes, request, directory);
  const file =
    directory === null
      ? null
      : JournalFile.create(join(directory.path, 'journal'), {
          headFile: 'while-running',
          syncBytes: Infinity,
        });
  const configuration = configurationOf(request, study, tape);
  file?.append('header', canonicalJson(configuration));
  const curve = new EquityCurve();
  const total = tape.length;
  const tapeWalk = new TapeCursor(tape);
  const backtest = new Backtest({
    definition: study.definition,
    tape: tapeWalk,
    venue: simulatedVenue(study.venue),
    journal: file === null ? NO_JOURNAL : tapeJournal(file),
    seed: request.seed,
    codeHash: codeHash(),
    configurationHash: sha256(canonicalJson(configuration)),
    curve,
    ...(oracle == null ? {} : { oracle }),
  });
  if (directory !== null) observe(backtest, directory);
  const started = process.hrtime.bigint();
  let result: BacktestResult;
  try {
    result = await play(backtest, request.onProgress, () => [tapeWalk.position, total]);
  } catch (error) {
    file?.abandon();
    directory?.abandon();
    throw error;
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const head = file?.close() ?? null;
  const summary = summaryOf(request, study, tape, faults, result, curve, head?.hash ?? null);
  const { registry = null } = request;
  try {
    if (registry !== null) register(registry, request, study, tape, summary, curve, read?.hash ?? null);
  } catch (error) {
    directory?.abandon();
    throw error;
  }
  directory?.finish(curve, study.definition.baseMinorScale, summary, inputsOf(request, tape));
  return { summary, result, study, seconds, bars: result.engine.counts.bars, curve };
}

function register(
  registry: RunRegistry,
  { desk, cash, feeBps, slippageBps, seed, out }: BacktestRequest,
  study: Study,
  tape: Tape,
  summary: Record<string, unknown>,
  curve: EquityCurve,
  answersHash: string | null,
): void {
  const { intervalMs, definition } = study;
  registerRun(
    registry,
    { tape, intervalMs, answersHash, kind: 'backtest', study: null },
    {
      desk,
      settings: { cash, feeBps, slippageBps, seed },
      figures: figuresOf(summary),
      stamps: desk.parts.stamps ?? [],
      daily: { start: definition.cash, closes: Float64Array.from(curve.daily) },
    },
    out,
  );
}

/** What a summary says of a run, as the record has it. */
function figuresOf(summary: Record<string, unknown>): TrialFigures {
  const cash = Number(summary.cashStart);
  return trialFigures({
    trades: summary.trades as number,
    return: cash > 0 ? Number(summary.equityEnd) / cash - 1 : null,
    sharpe: summary.sharpe as number | null,
    maxDrawdown: summary.maxDrawdown as number,
  });
}

/** Plays a run to its end, or to where `onProgress` says stop. */
async function play(
  backtest: Backtest,
  onProgress: BacktestRequest['onProgress'],
  progress: () => [position: number, total: number],
): Promise<BacktestResult> {
  backtest.start();
  while (backtest.advance()) {
    if (onProgress === undefined) continue;
    // so that Ctrl-C is heard: signals come between turns of the event loop
    await nextTurn();
    if (!onProgress(...progress())) break;
  }
  return backtest.finish();
}

/** On a tape nothing has to survive a crash: blocks are written as they fill and synced at the end. */
export function tapeJournal(file: JournalFile): JournalSink {
  return {
    append: (kind, text) => void file.append(kind, text),
    commit: () => {},
    urgent: (text) => void file.append('command', text),
  };
}

function observe(backtest: Backtest, directory: RunDirectory): void {
  backtest.engine.observer = {
    filled: ({ booking }, report) => {
      if (!booking.accepted || (report.kind !== 'order-filled' && report.kind !== 'unasked-fill')) return;
      const book = report.kind === 'unasked-fill' ? report.book : booking.order!.request.book;
      const reason = report.kind === 'unasked-fill' ? report.cause : booking.order!.request.reason;
      directory.fill(report.fill, booking.order, book, reason, report.eventTime);
    },
    traded: (trade, _desk, shadow) => directory.trade(trade, shadow),
  };
}

/** What the journal's first entry says: everything a replay needs but the data. */
export interface RunConfiguration {
  readonly kind: 'backtest';
  readonly desk: string;
  readonly deskHash: string;
  readonly parameters: unknown;
  /** What its references to models meant. */
  readonly models?: FoundModels;
  readonly cash: number | null;
  readonly feeBps: number | null;
  readonly slippageBps: number | null;
  readonly seed: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly tapeHash: string;
  readonly series: readonly {
    readonly kind: string;
    readonly instrument: string;
    readonly intervalMs: number;
    readonly rows: number;
    readonly hash: string;
  }[];
  readonly codeHash: string;
}

function configurationOf(request: BacktestRequest, study: Study, tape: Tape): RunConfiguration {
  return {
    kind: 'backtest',
    desk: request.desk.named,
    deskHash: deskHash(request.desk),
    parameters: request.desk.parameters,
    ...(request.desk.models === undefined ? {} : { models: request.desk.models }),
    cash: study.cash,
    feeBps: study.feeBps,
    slippageBps: study.slippageBps,
    seed: request.seed,
    from: request.from,
    to: request.to,
    tapeHash: tape.hash,
    series: tape.series.map((s) => ({
      kind: s.kind,
      instrument: s.instrument,
      intervalMs: s.kind === 'bars' ? s.intervalMs : 0,
      rows: s.kind === 'bars' ? s.columns.length : s.length,
      hash: s.hash,
    })),
    codeHash: codeHash(),
  };
}

/** Where the data lay: kept beside the journal, which names data by hash alone. */
function inputsOf(request: BacktestRequest, tape: Tape): Record<string, unknown> {
  const kinds: [string, readonly string[]][] = [
    ['bars', request.bars],
    ['funding', request.funding],
    ['tapes', request.tapes],
  ];
  const lists = Object.fromEntries(kinds.map(([name, files]) => [name, [...files].map(absolute).sort()]));
  const isStored = kinds.some(([, arguments_]) => arguments_.some(isSeriesArgument));
  const store = isStored ? { store: resolve(request.store ?? DEFAULT_STORE) } : {};
  const answers = request.answers == null ? {} : { answers: resolve(request.answers) };
  return { ...lists, ...store, ...answers, tapeHash: tape.hash };
}

function absolute(argument: string): string {
  if (isSeriesArgument(argument)) return argument;
  const { instrument, path } = parseFileArgument(argument);
  const full = resolve(path);
  return instrument === null ? full : `${instrument}=${full}`;
}

/** Events of a tape by step number, as the journal's ranges name them. */
export function tapeReader(tape: Tape): (from: number, to: number) => Iterable<MarketEvent> {
  const cursor = new TapeCursor(tape);
  return function* (from, to) {
    cursor.seek(from - 1);
    while (cursor.position < to && cursor.next()) if (cursor.phase !== 'open') yield cursor.event();
  };
}
