import { type BarSeries, type Tape, TapeCursor } from '#adapters';
import { assert, type Instant, sha256 } from '#base';
import { type DeskParts, NO_JOURNAL, NO_TRACE, requestsOf } from '#engine';
import { simulatedVenue } from '#execution';
import { computeFeatures, parseFeature } from '#features';
import { type BarColumns, barColumns, type InstrumentId, Resampler } from '#market';
import { Backtest, type Compute, EquityCurve } from '#research';
import type { LocalSource, RemoteSource, Signal, Source, View } from '#signals';
import type { LoadedDesk } from '../setup/load-desk.ts';
import { shapesOf } from '../setup/run-backtest.ts';
import { buildStudy, type StudySettings } from '../setup/study.ts';

/** One instrument at one interval: where features are examined. */
export interface Ground {
  readonly instrument: InstrumentId;
  readonly intervalMs: number;
  readonly bars: BarColumns;
}

/** The newest `rows` bars of every instrument, at every interval that the desk reads. */
export function groundsOf(tape: Tape, intervals: readonly number[], rows: number): Ground[] {
  return finestBars(tape).flatMap((series) =>
    intervals.map((intervalMs) => ({
      instrument: series.instrument,
      intervalMs,
      bars: newest(resampled(series, intervalMs), rows),
    })),
  );
}

/** Bars by instrument: of several intervals the finest. */
export function finestBars(tape: Tape): BarSeries[] {
  const finest = new Map<InstrumentId, BarSeries>();
  for (const series of tape.series) {
    if (series.kind !== 'bars') continue;
    const before = finest.get(series.instrument);
    if (before === undefined || series.intervalMs < before.intervalMs) finest.set(series.instrument, series);
  }
  return [...finest.values()];
}

function resampled({ columns, intervalMs }: BarSeries, toMs: number): BarColumns {
  if (intervalMs === toMs) return columns;
  const resampler = new Resampler(intervalMs, toMs);
  const out = barColumns(Math.ceil(columns.length / Math.max(1, toMs / intervalMs)) + 2);
  const { time, open, high, low, close, volume } = columns;
  for (let i = 0; i < columns.length; i++) {
    const bar = {
      time: time[i]!,
      open: open[i]!,
      high: high[i]!,
      low: low[i]!,
      close: close[i]!,
      volume: volume[i]!,
    };
    for (const { bar: coarse } of resampler.add(bar)) {
      const row = out.length++;
      out.time[row] = coarse.time;
      out.open[row] = coarse.open;
      out.high[row] = coarse.high;
      out.low[row] = coarse.low;
      out.close[row] = coarse.close;
      out.volume[row] = coarse.volume;
    }
  }
  return out;
}

function newest(bars: BarColumns, rows: number): BarColumns {
  const from = Math.max(0, bars.length - rows);
  const part = (column: Float64Array) => column.slice(from, bars.length);
  const { time, open, high, low, close, volume } = bars;
  return {
    length: bars.length - from,
    time: part(time),
    open: part(open),
    high: part(high),
    low: part(low),
    close: part(close),
    volume: part(volume),
  };
}

/** The name under which a person asked for a column: `macd:12:26:9/hist`. */
export function expressionsOf(request: string): { readonly column: string; readonly expression: string }[] {
  const { definition, columns, text } = parseFeature(request);
  return definition.outputs.map(({ suffix }, i) => ({
    column: columns[i]!,
    expression: suffix === '' ? text : `${text}/${suffix}`,
  }));
}

/** Every feature that a part of the desk asks for, by its expression, and the regime where the desk has one. */
export function featureColumns(parts: DeskParts): Compute {
  const requests = requestsOf(parts);
  const names = requests.flatMap(expressionsOf);
  return (bars) => {
    const columns = computeFeatures(bars, requests);
    const out = new Map(names.map(({ column, expression }) => [expression, columns.get(column)!]));
    const { regime } = parts;
    if (regime !== undefined) out.set('the regime', regimeColumn(regime, bars.length, out));
    return out;
  };
}

function regimeColumn(
  { features, create }: NonNullable<DeskParts['regime']>,
  rows: number,
  columns: ReadonlyMap<string, Float64Array>,
): Float64Array {
  const inputs = Object.entries(features).map(
    ([name, expression]) => [name, columns.get(canonical(expression))!] as const,
  );
  const tracker = create();
  return Float64Array.from({ length: rows }, (_, row) => {
    tracker.update(Object.fromEntries(inputs.map(([name, column]) => [name, column[row]!])));
    return tracker.name === null ? Number.NaN : codeOf(tracker.name);
  });
}

/** An expression with all of its parameters. */
export function canonical(expression: string): string {
  const [request = '', output] = expression.split('/');
  const { text } = parseFeature(request);
  return output === undefined ? text : `${text}/${output}`;
}

/** A word as a number that equal words share. */
const codeOf = (word: string): number => Number.parseInt(sha256(word).slice(0, 8), 16);

/** Separates a source from its instrument in the name of a column. */
export const OF = ' of ';

export interface SourceColumnsOptions {
  readonly tape: Tape;
  /** Of the desk's bars. */
  readonly intervalMs: number;
  readonly settings: StudySettings;
  /** Whether a remote source's question counts with its words; else only whether it asks. */
  readonly words: boolean;
  /** Is filled with the features that sources read of other series, by {@link peerKey}. */
  readonly peerReads: Set<string>;
}

/** A feature as it is read of a series of some interval. */
export const peerKey = (intervalMs: number, column: string): string => `${intervalMs} ${column}`;

/**
 * What every source says, bar by bar, as the loop asks it: one column for each source and instrument, called
 * `SOURCE of INSTRUMENT`. Nothing is traded. Rows are those of the bars handed in, which say what part of the tape is played.
 */
export function sourceColumns(desk: LoadedDesk, options: SourceColumnsOptions): Compute {
  const { tape, intervalMs, settings } = options;
  return (bars) => {
    const from = bars.time[0]!;
    const to = bars.time[bars.length - 1]! + intervalMs;
    const rowAt = new Map<Instant, number>();
    for (let row = 0; row < bars.length; row++) rowAt.set(bars.time[row]! + intervalMs, row);
    const columns = new Map<string, Float64Array>();
    const heard = (source: string, view: View, value: number) => {
      const row = rowAt.get(view.at);
      if (row === undefined) return;
      const name = `${source}${OF}${view.instrument.id}`;
      let column = columns.get(name);
      if (column === undefined) {
        column = new Float64Array(bars.length).fill(Number.NaN);
        columns.set(name, column);
      }
      column[row] = value;
    };
    const parts = { ...desk.parts, sources: desk.parts.sources.map((one) => overheard(one, options, heard)) };
    listen({ ...desk, parts: onlyListening(parts) }, tape.cut(from, to), settings);
    return columns;
  };
}

/** The desk without whatever could act: sources are asked, nobody listens. */
function onlyListening({
  interval,
  otherIntervals,
  warmUpBars,
  graceMs,
  sources,
  pooling,
  sizer,
}: DeskParts): DeskParts {
  const idle = {
    action: 'wait',
    confidence: 0,
    probability: null,
    rule: 'listening',
    objections: [],
  } as const;
  return {
    interval,
    warmUpBars,
    sources,
    sizer,
    pooling: { ...pooling, pool: () => idle as unknown as ReturnType<typeof pooling.pool> },
    ...(otherIntervals === undefined ? {} : { otherIntervals }),
    ...(graceMs === undefined ? {} : { graceMs }),
  };
}

function listen(desk: LoadedDesk, tape: Tape, settings: StudySettings): void {
  const study = buildStudy(desk, shapesOf(tape), settings, NO_TRACE);
  new Backtest({
    definition: study.definition,
    tape: new TapeCursor(tape),
    venue: simulatedVenue(study.venue),
    journal: NO_JOURNAL,
    seed: settings.seed,
    codeHash: '',
    configurationHash: '',
    curve: new EquityCurve(),
    stepwise: true,
  }).run();
}

/** A source that tells what it says and what it reads of other series. */
function overheard(
  source: Source,
  { words, peerReads }: SourceColumnsOptions,
  heard: (name: string, view: View, value: number) => void,
): Source {
  if (source.kind === 'local') {
    const { signal } = source as unknown as LocalSource;
    const spoken: LocalSource['signal'] = (view, values, state) => {
      const said = signal.call(source, watched(view, peerReads), values, state);
      heard(source.name, view, said === null ? 0 : numberOf(said));
      return said;
    };
    return { ...source, signal: spoken } as unknown as Source;
  }
  assert(source.kind === 'remote', 'a source is local or remote');
  const { ask } = source as unknown as RemoteSource;
  const asked: RemoteSource['ask'] = (view, values, state) => {
    const question = ask.call(source, watched(view, peerReads), values, state);
    heard(source.name, view, question === null ? 0 : words ? codeOf(JSON.stringify(question.prompt)) : 1);
    return null;
  };
  return { ...source, ask: asked } as unknown as Source;
}

/** The same view; frames of other series that are asked for through it note which columns are looked up. */
function watched(view: View, peerReads: Set<string>): View {
  const peer: View['peer'] = (instrument, intervalMs) => {
    const frame = view.peer(instrument, intervalMs);
    if (frame === null) return null;
    const column = (name: string): number => {
      peerReads.add(peerKey(intervalMs ?? view.intervalMs, name));
      return frame.column(name);
    };
    return Object.create(frame, { column: { value: column } }) as typeof frame;
  };
  return Object.create(view, { peer: { value: peer } }) as View;
}

/** One number that differs when signals do. */
function numberOf(signal: Signal): number {
  switch (signal.kind) {
    case 'score':
      return signal.value;
    case 'forecast':
      return signal.probability;
    case 'proposal':
      return codeOf(JSON.stringify(signal.legs));
  }
}

export const intervalsOf = (mainMs: number, otherMs: readonly number[]): number[] =>
  [...new Set([mainMs, ...otherMs])].sort((a, b) => a - b);
