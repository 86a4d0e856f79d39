import { setImmediate as nextTurn } from 'node:timers/promises';
import { InputError, type Instant, parseInterval } from '#base';
import { NO_TRACE, requestsOf } from '#engine';
import type { BarColumns } from '#market';
import { type Compute, computeChecked, findLookAhead, findWarmUpBias } from '#research';
import type { LoadedDesk } from '../setup/load-desk.ts';
import { type BacktestRequest, readRecorded, shapesOf } from '../setup/run-backtest.ts';
import { buildStudy } from '../setup/study.ts';
import {
  canonical,
  expressionsOf,
  featureColumns,
  type Ground,
  groundsOf,
  intervalsOf,
  OF,
  peerKey,
  sourceColumns,
} from './desk-columns.ts';

export interface BiasRequest
  extends Pick<
    BacktestRequest,
    'bars' | 'funding' | 'tapes' | 'store' | 'from' | 'to' | 'cash' | 'feeBps' | 'slippageBps' | 'seed'
  > {
  readonly desk: LoadedDesk;
  /** Newest bars of each instrument that are examined. */
  readonly rows: number;
  readonly onProgress: (done: number, total: number) => void;
}

/** A column whose past changes when its future is cut off. */
export interface LookAheadFinding {
  /** A feature's expression or a source's name. */
  readonly column: string;
  readonly kind: 'feature' | 'source';
  readonly instrument: string;
  readonly intervalMs: number;
  /** Cuts at which it differed, and cuts made. */
  readonly cuts: number;
  readonly of: number;
  /** Open time of the bar whose value differed first, and how many bars before the end of what was left it stands. */
  readonly at: Instant;
  readonly barsBefore: number;
  readonly whole: number | null;
  readonly whenCut: number | null;
  /** Features at fault that a source reads. */
  readonly reads: readonly string[];
}

/** A column that depends on how much history there was. */
export interface WarmUpFinding {
  readonly column: string;
  readonly kind: 'feature' | 'source';
  readonly instrument: string;
  readonly intervalMs: number;
  /** Largest relative difference to the longest history with the warm-up that the desk declares; null: no value at all. */
  readonly difference: number | null;
  /** In bars of the interval. */
  readonly declared: number;
  /** Bars from which on it is stable; null when the longest history tried is too short to say. */
  readonly needed: number | null;
  /** The same in bars of the desk, as `warmUpBars` counts them. */
  readonly neededOfDesk: number | null;
  readonly longest: number;
  readonly reads: readonly string[];
}

export interface BiasReport {
  readonly desk: string;
  readonly instruments: readonly string[];
  readonly rows: number;
  readonly warmUpBars: number;
  /** Longest history that warm-up was compared with; 0: too few bars for any. */
  readonly longestHistory: number;
  readonly features: number;
  readonly sources: number;
  readonly lookAhead: readonly LookAheadFinding[];
  readonly warmUp: readonly WarmUpFinding[];
  /** Columns that gave other values over the same bars a second time. */
  readonly unrepeatable: readonly string[];
  readonly notes: readonly string[];
}

/** Cuts of the loop, which are dearer than those of a feature. */
const LOOP_CUTS = { cuts: 50, cutsMax: 80 };
/** Rows of the tape that the loop plays for one cut. */
const LOOP_ROWS = 1_000;
const LOOP_ENDS = 12;
/** A source that jumps at a threshold may do so once by a hair. */
const LOOP_DIFFERENT = 2;
const HISTORIES = [200, 400, 800, 1_600];
/** The longest history is so many times the declared one, and no shorter than this. */
const RATIO_MOST = 8;
const HISTORY_LEAST = 1_600;

/**
 * Examines every feature and every source of a desk for values that know the future and for values that remember where the
 * series began. Throws InputError where the bars are too few to examine anything.
 */
export async function examineBias(request: BiasRequest): Promise<BiasReport> {
  const { desk, rows } = request;
  const { tape } = await readRecorded(request);
  const study = buildStudy(desk, shapesOf(tape), request, NO_TRACE);
  const { warmUpBars } = desk.parts;
  const others = (desk.parts.otherIntervals ?? []).map((name) => parseInterval(name)!);
  const grounds = groundsOf(tape, intervalsOf(study.intervalMs, others), rows);
  const main = grounds.filter(({ intervalMs }) => intervalMs === study.intervalMs);
  const short = main.find(({ bars }) => bars.length < Math.max(60, warmUpBars + 20));
  if (short !== undefined) {
    throw new InputError(
      `${short.instrument} has ${short.bars.length} bars: too few for a desk that warms up on ${warmUpBars}`,
      `give at least ${Math.max(60, warmUpBars + 20)} bars of its interval; ${2 * RATIO_MOST * Math.max(warmUpBars, 200)} are better`,
    );
  }
  const features = featureColumns(desk.parts);
  const peerReads = new Set<string>();
  const asked = { tape, intervalMs: study.intervalMs, settings: request, peerReads };
  const lead = longest(main);
  const lookAhead: LookAheadFinding[] = [];
  const warmUp: WarmUpFinding[] = [];
  const unrepeatable = new Set<string>();
  let longestHistory = 0;
  const total = 2 * grounds.length + 2;
  let done = 0;
  const step = async () => {
    request.onProgress(++done, total);
    await nextTurn();
  };
  // the loop first: it shows what sources read of other series
  const stretch = lastRows(lead.bars, Math.min(lead.bars.length, LOOP_ROWS + warmUpBars));
  const speak = sourceColumns(desk, { ...asked, words: true });
  for (const column of differingTwice(speak, stretch)) unrepeatable.add(nameOf(column));
  const heard = findLookAhead(stretch, speak, LOOP_CUTS);
  for (const fault of heard.faults) {
    lookAhead.push({
      ...lookAheadOf(fault, 'source', { ...lead, bars: stretch }, heard.cuts),
      ...ofSource(fault.column),
    });
  }
  await step();
  // a source's own state begins with its first decision: it is given as many bars again
  const histories = historiesFor(2 * warmUpBars, lead.bars.length);
  if (histories.length > 1) {
    const options = { declared: histories[0]!, histories, rows: LOOP_ENDS, leastRows: LOOP_DIFFERENT };
    const unsettled = findWarmUpBias(lead.bars, sourceColumns(desk, { ...asked, words: false }), options);
    for (const fault of unsettled.faults) {
      warmUp.push({
        ...warmUpOf(fault, 'source', lead, study.intervalMs, unsettled),
        ...ofSource(fault.column),
      });
    }
  }
  await step();
  const isRead = readsOfPeers(desk, peerReads);
  let count = 0;
  for (const ground of grounds) {
    const { bars } = ground;
    count = Math.max(count, features(bars).size);
    for (const column of differingTwice(features, bars)) unrepeatable.add(column);
    const found = findLookAhead(bars, features);
    lookAhead.push(...found.faults.map((fault) => lookAheadOf(fault, 'feature', ground, found.cuts)));
    await step();
    // the warm-up is declared in bars of the desk: of a longer interval it holds fewer
    const declared = Math.floor((warmUpBars * study.intervalMs) / ground.intervalMs);
    const lengths = historiesFor(declared, bars.length);
    if (lengths.length > 1) {
      const unsettled = findWarmUpBias(bars, features, { declared: lengths[0]!, histories: lengths });
      longestHistory = Math.max(longestHistory, unsettled.histories.at(-1)!);
      for (const fault of unsettled.faults) {
        // frames of other intervals hold every column, and nobody need look at them
        if (ground.intervalMs !== study.intervalMs && !isRead(ground.intervalMs, fault.column)) continue;
        warmUp.push(warmUpOf(fault, 'feature', ground, study.intervalMs, unsettled));
      }
    }
    await step();
  }
  const withReads = <T extends LookAheadFinding | WarmUpFinding>(findings: readonly T[]): T[] => {
    const guilty = new Set(findings.filter(({ kind }) => kind === 'feature').map(({ column }) => column));
    return findings.map((one) =>
      one.kind === 'source'
        ? { ...one, reads: readFeatures(desk, one.column).filter((name) => guilty.has(name)) }
        : one,
    );
  };
  const notes =
    longestHistory === 0
      ? [
          `too few bars to compare a warm-up of ${warmUpBars} with a longer one: give ${2 * warmUpBars + 20} or more`,
        ]
      : [];
  return {
    desk: desk.definition.name,
    instruments: main.map(({ instrument }) => instrument),
    rows: lead.bars.length,
    warmUpBars,
    longestHistory,
    features: count,
    sources: desk.parts.sources.length,
    lookAhead: withReads(joined(lookAhead)),
    warmUp: withReads(joined(warmUp)),
    unrepeatable: [...unrepeatable].sort(),
    notes,
  };
}

const longest = (grounds: readonly Ground[]): Ground =>
  grounds.reduce((most, one) => (one.bars.length > most.bars.length ? one : most));

/** Histories to compare, ascending: what the desk declares, its doubles, and those that are usual. */
function historiesFor(declared: number, rows: number): number[] {
  const first = Math.max(1, declared);
  const most = Math.min(rows, Math.max(first * RATIO_MOST, HISTORY_LEAST));
  const wanted = HISTORIES.filter((h) => h > first && h <= rows);
  // no common divisor: whoever counts bars from the first one counts otherwise in each
  for (let h = 2 * first + 1; h <= most; h = 2 * h + 1) wanted.push(h);
  return [first, ...new Set(wanted.sort((a, b) => a - b))];
}

function lastRows(bars: BarColumns, rows: number): BarColumns {
  const from = bars.length - rows;
  return {
    length: rows,
    time: bars.time.subarray(from, bars.length),
    open: bars.open.subarray(from, bars.length),
    high: bars.high.subarray(from, bars.length),
    low: bars.low.subarray(from, bars.length),
    close: bars.close.subarray(from, bars.length),
    volume: bars.volume.subarray(from, bars.length),
  };
}

/** Columns that are not the same when they are computed again. */
function differingTwice(compute: Compute, bars: BarColumns): string[] {
  const [first, second] = [computeChecked(compute, bars), computeChecked(compute, bars)];
  return [...first].flatMap(([name, column]) => {
    const again = second.get(name);
    return column.every((value, row) => Object.is(value, again?.[row])) ? [] : [name];
  });
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function lookAheadOf(
  { column, cuts, cut, row, whole, whenCut }: ReturnType<typeof findLookAhead>['faults'][number],
  kind: LookAheadFinding['kind'],
  { instrument, intervalMs, bars }: Ground,
  of: number,
): LookAheadFinding {
  return {
    column,
    kind,
    instrument,
    intervalMs,
    cuts,
    of,
    at: bars.time[row]!,
    barsBefore: cut - row,
    whole: finite(whole),
    whenCut: finite(whenCut),
    reads: [],
  };
}

function warmUpOf(
  { column, difference, needed }: ReturnType<typeof findWarmUpBias>['faults'][number],
  kind: WarmUpFinding['kind'],
  { instrument, intervalMs }: Ground,
  mainMs: number,
  { declared, histories }: ReturnType<typeof findWarmUpBias>,
): WarmUpFinding {
  return {
    column,
    kind,
    instrument,
    intervalMs,
    difference: finite(difference),
    declared,
    needed,
    neededOfDesk: needed === null ? null : Math.ceil((needed * intervalMs) / mainMs),
    longest: histories.at(-1)!,
    reads: [],
  };
}

const nameOf = (column: string): string => column.split(OF)[0]!;

function ofSource(column: string): { column: string; instrument: string } {
  const [name = '', instrument = ''] = column.split(OF);
  return { column: name, instrument };
}

/** Whether a source looks up a feature, by its expression, in frames of some interval. */
function readsOfPeers({ parts }: LoadedDesk, peerReads: ReadonlySet<string>) {
  const columnOf = new Map(
    requestsOf(parts)
      .flatMap(expressionsOf)
      .map((one) => [one.expression, one.column]),
  );
  return (intervalMs: number, expression: string): boolean =>
    peerReads.has(peerKey(intervalMs, columnOf.get(expression) ?? ''));
}

/** Features that a source asks for. */
function readFeatures({ parts }: LoadedDesk, source: string): string[] {
  const found = parts.sources.find(({ name }) => name === source);
  return Object.values((found?.features ?? {}) as Record<string, string>).map(canonical);
}

/** One finding for each column and interval: that of the instrument where it is worst. */
function joined<T extends LookAheadFinding | WarmUpFinding>(findings: readonly T[]): T[] {
  const out = new Map<string, T>();
  const weight = (one: T) => ('cuts' in one ? one.cuts : (one.difference ?? Infinity));
  for (const one of findings) {
    const key = `${one.kind} ${one.column} ${one.intervalMs}`;
    const before = out.get(key);
    if (before === undefined || weight(one) > weight(before)) out.set(key, one);
  }
  return [...out.values()];
}
