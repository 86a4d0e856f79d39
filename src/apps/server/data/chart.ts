import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import type { z } from 'zod';
import type { ProjectionStore } from '#adapters';
import { computeFeatures, type FeatureDefinition, featureDefinitions, parseFeature } from '#features';
import type { BarColumns } from '#market';
import type { MARKET_ROUTES } from '../../contract/areas/market.ts';
import type { AnswerOf } from '../../contract/index.ts';
import { Problem } from '../context.ts';
import { barArrays, intervalsOf, resampled, storedBars } from './bar-rows.ts';

export type Chart = AnswerOf<(typeof MARKET_ROUTES)['bars']>;
export type Indicator = AnswerOf<(typeof MARKET_ROUTES)['indicators']>['items'][number];

export interface ChartAsk {
  readonly instrument: string;
  readonly intervalMs?: number | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit: number;
  readonly indicators?: string | undefined;
}

/** Rows of a finer interval that one chart may be put together from. */
const ROWS_MOST = 500_000;
const INDICATORS_MOST = 12;
/** An average that never forgets where it began has forgotten it, for a screen, after so many of its spans. */
const SPANS = 10;
/** More than a day of five-minute bars, for what begins anew each day. */
const WARM_LEAST = 500;
const WARM_MOST = 5_000;
const REGIMES_MOST = 5_000;

/** Outputs that stand at the level of the price: what is drawn over the candles. */
const ON_PRICE: Readonly<Record<string, readonly string[]>> = {
  bbands: ['upper', 'middle', 'lower'],
  dema: [''],
  donchian: ['upper', 'middle', 'lower'],
  ema: [''],
  keltner: ['upper', 'middle', 'lower'],
  linreg: [''],
  max: [''],
  mc: ['price'],
  min: [''],
  sar: [''],
  sma: [''],
  tema: [''],
  vwap: [''],
  vwap_cum: [''],
  wma: [''],
};

const isOnPrice = ({ name }: FeatureDefinition, suffix: string): boolean =>
  ON_PRICE[name]?.includes(suffix) === true;

/** Every feature of the program, as a chart can show it. */
export function indicatorList(): Indicator[] {
  return featureDefinitions.map((definition) => {
    const request = parseFeature(definition.name);
    return {
      name: definition.name,
      example: request.text,
      overlay: definition.outputs.some(({ suffix }) => isOnPrice(definition, suffix)),
      outputs: [...request.columns],
      summary: definition.summary,
      units: definition.outputs.map(({ unit }) => unit),
      parameters: definition.parameters.map((parameter) => ({ ...parameter })),
    };
  });
}

/** Names of features from a list as a client writes it. Throws InputError for one that is none. */
export function indicatorsOf(text: string | undefined): string[] {
  const names = (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (names.length > INDICATORS_MOST) {
    const mend = `ask for at most ${INDICATORS_MOST} at once`;
    throw new Problem(400, 'bad-input', `${names.length} indicators are too many`, mend);
  }
  return [...new Set(names.map((name) => parseFeature(name).text))];
}

/**
 * Bars with indicators over them. Indicators are computed by the features of the program over these bars and over enough bars
 * before them to be warm, so that scrolling back does not change what is drawn.
 */
export async function chartOf(store: ProjectionStore, ask: ChartAsk): Promise<Chart> {
  const requests = indicatorsOf(ask.indicators);
  const { intervalMs, storedMs } = await intervalFor(store, ask);
  const each = intervalMs / storedMs;
  const warm = requests.length === 0 ? 1 : warmUpOf(requests);
  const rows = Math.min(ROWS_MOST, (ask.limit + warm) * each);
  const stored = await storedBars(store, {
    instrument: ask.instrument,
    intervalMs: storedMs,
    from: ask.from === undefined ? undefined : onGrid(ask.from, intervalMs) - 3 * warm * intervalMs,
    to: ask.to,
    limit: rows,
  });
  const all = each === 1 ? stored : resampled(stored, intervalMs);
  // the first of several that were put together may lack its beginning
  const whole = each > 1 && stored.length === rows ? 1 : 0;
  const first = Math.max(whole, all.length - ask.limit, firstFrom(all, ask.from));
  const columns = await computed(rowsFrom(all, whole), requests);
  return {
    instrument: ask.instrument,
    intervalMs,
    bars: barArrays(all, first, all.length),
    indicators: Object.fromEntries(
      [...columns].map(([name, values]) => [name, shown(values, first - whole)]),
    ),
    overlays: requests.flatMap((text) => {
      const { definition, columns: names } = parseFeature(text);
      return names.filter((_, i) => isOnPrice(definition, definition.outputs[i]!.suffix));
    }),
    more: first > 0 || (await anyBefore(store, ask.instrument, storedMs, timeAt(all, 0))),
    regimes: await regimesOf(store, ask.instrument, timeAt(all, first), ask.to),
  };
}

/** One after the other: dear ones over many bars would hold up everybody else for seconds. */
async function computed(bars: BarColumns, requests: readonly string[]): Promise<Map<string, Float64Array>> {
  const columns = new Map<string, Float64Array>();
  for (const one of requests) {
    for (const [name, values] of computeFeatures(bars, [one])) columns.set(name, values);
    await nextTurn();
  }
  return columns;
}

async function intervalFor(
  store: ProjectionStore,
  { instrument, intervalMs }: ChartAsk,
): Promise<{ readonly intervalMs: number; readonly storedMs: number }> {
  const kept = await intervalsOf(store, instrument);
  const [finest] = kept;
  if (finest === undefined) {
    const mend =
      'GET /api/v1/instruments lists what is traded; a new portfolio has no bars before its first slice';
    throw new Problem(404, 'not-found', `no bars of ${instrument} are kept here`, mend);
  }
  const wanted = intervalMs ?? finest;
  const storedMs = kept.findLast((ms) => wanted % ms === 0);
  if (storedMs === undefined) {
    const mend = `ask for a multiple of one of ${kept.join(', ')} ms`;
    throw new Problem(400, 'bad-input', `${instrument} has no bars that make ${wanted} ms`, mend);
  }
  return { intervalMs: wanted, storedMs };
}

function warmUpOf(requests: readonly string[]): number {
  const spans = requests.map((text) => {
    const { definition, parameters } = parseFeature(text);
    return definition.firstRow(parameters);
  });
  return Math.min(WARM_MOST, Math.max(WARM_LEAST, SPANS * Math.max(...spans)));
}

const onGrid = (at: number, intervalMs: number): number => Math.floor(at / intervalMs) * intervalMs;

const timeAt = ({ time, length }: BarColumns, row: number): number | undefined =>
  row < length ? time[row] : undefined;

function firstFrom({ time, length }: BarColumns, from: number | undefined): number {
  if (from === undefined) return 0;
  const found = time.subarray(0, length).findIndex((at) => at >= from);
  return found < 0 ? length : found;
}

/** The same bars without the first `from`. */
function rowsFrom(bars: BarColumns, from: number): BarColumns {
  if (from === 0) return bars;
  const cut = (column: Float64Array) => column.subarray(from);
  const { time, open, high, low, close, volume } = bars;
  return {
    length: bars.length - from,
    time: cut(time),
    open: cut(open),
    high: cut(high),
    low: cut(low),
    close: cut(close),
    volume: cut(volume),
  };
}

function shown(values: Float64Array, from: number): (number | null)[] {
  const out: (number | null)[] = new Array(values.length - from);
  for (let i = from; i < values.length; i++) out[i - from] = Number.isFinite(values[i]!) ? values[i]! : null;
  return out;
}

async function anyBefore(
  { db }: ProjectionStore,
  instrument: string,
  intervalMs: number,
  time: number | undefined,
): Promise<boolean> {
  if (time === undefined) return false;
  const row = await db
    .selectFrom('bars')
    .select('id')
    .where('instrument', '=', instrument)
    .where('interval_ms', '=', intervalMs)
    .where('at', '<', time)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Regimes as the ideas of that time state them: each from the idea on that was the first to see it. */
async function regimesOf(
  { db, kind }: ProjectionStore,
  instrument: string,
  from: number | undefined,
  to: number | undefined,
): Promise<z.output<(typeof MARKET_ROUTES)['bars']['answer']>['regimes']> {
  if (from === undefined) return [];
  const trace = sql.ref('trace');
  const regime =
    kind === 'postgres'
      ? sql<string | null>`(${trace}::json ->> 'regime')`
      : sql<string | null>`json_extract(${trace}, '$.regime')`;
  let query = db
    .selectFrom('decisions')
    .select(['at', regime.as('regime')])
    .where('instrument', '=', instrument)
    .where('at', '>=', from);
  if (to !== undefined) query = query.where('at', '<', to);
  const rows = await query.orderBy('at', 'desc').orderBy('id', 'desc').limit(REGIMES_MOST).execute();
  const out: { from: number; regime: string }[] = [];
  for (const row of rows.reverse()) {
    if (row.regime !== null && row.regime !== out.at(-1)?.regime)
      out.push({ from: row.at!, regime: row.regime });
  }
  return out;
}
