import { type BarSeries, barSeries, type RowSeries, Tape, type TapeSeries } from '#adapters';
import { canonicalJson, formatInterval, HOUR, InputError, sha256 } from '#base';
import { S1_SYMBOLS, type S1Config, type S1Symbol } from '#desks';
import { fundingTilts } from '#features';
import {
  appendBar,
  type BarColumns,
  barAt,
  barColumns,
  type Instrument,
  instrumentFor,
  Resampler,
  seriesFor,
} from '#market';
import {
  type ColdData,
  type ColdFunding,
  isFundingOld,
  isWholeBehind,
  missingBefore,
  regimeAlong,
} from '#research';
import { S1_WARM_UP_BARS } from '#signals';
import { type NewsRecord, newsAlong, newsSeries } from './news-record.ts';

/** A configuration's market, and what it was made from. */
export interface TrainMarket {
  readonly data: ColdData;
  /** SHA-256 over the bars of all markets it looks at, its funding and its news. */
  readonly dataHash: string;
  /** Series of this configuration's bars: its own and its peers', for the loop. */
  readonly tape: Tape;
  /** The instrument of every symbol that has bars. */
  readonly peers: readonly (readonly [symbol: S1Symbol, instrument: string])[];
  readonly notes: readonly string[];
  /** What its news rest on, where that is not live prices. */
  readonly newsStamps: readonly string[];
}

const LEADER: S1Symbol = 'BTC';

/** The desk enters nothing while it does not know what a position costs. Returns how many bars became flat by it. */
function flattenWhereOld(
  due: ColdFunding,
  fundingMs: number,
  closes: Float64Array,
  regime: Int8Array,
): number {
  const isOld = isFundingOld(due, fundingMs);
  let flat = 0;
  for (let i = 0; i < closes.length; i++) {
    if (!isOld(closes[i]!)) continue;
    regime[i] = 0;
    flat += 1;
  }
  return flat;
}

function holesOf({ time, length }: BarColumns, intervalMs: number): string[] {
  const missing = missingBefore(time, length, intervalMs);
  const gone = missing[length - 1] ?? 0;
  if (gone === 0) return [];
  const behind = time
    .subarray(0, length)
    .reduce((count, _, i) => count + Number(!isWholeBehind(missing, i, S1_WARM_UP_BARS)), 0);
  return [
    `${gone} bars are missing: nothing is learned from, or entered at, the ${behind} bars next behind a hole`,
  ];
}

/** Recorded markets by symbol, each bar length made once. */
export class TrainMarkets {
  private readonly tape: Tape;
  private readonly news: NewsRecord | null;
  private readonly made = new Map<string, BarColumns>();

  /** `news`: what was published while portfolios ran; null: there is no gate of news. */
  constructor(tape: Tape, news: NewsRecord | null = null) {
    this.tape = tape;
    this.news = news;
  }

  /**
   * What stands in the way of a configuration, or null: bars that are not there, or too coarse. All but the leader need every other
   * market too: without one their regime is flat throughout, and there would be nothing to judge.
   */
  missing({ symbol, intervalMs }: S1Config): string | null {
    const needed = symbol === LEADER ? [symbol] : S1_SYMBOLS;
    const absent = needed.filter((one) => this.instrumentOf(one) === null);
    if (absent.length > 0) return `no bars of ${absent.join(', ')}`;
    const coarse = needed.filter((one) => this.finest(this.instrumentOf(one)!, intervalMs) === null);
    return coarse.length > 0
      ? `no bars of ${coarse.join(', ')} that make bars of ${formatInterval(intervalMs)}`
      : null;
  }

  /** Throws {@link InputError} where bars are missing. */
  market(config: S1Config): TrainMarket {
    const missing = this.missing(config);
    if (missing !== null)
      throw new InputError(`${config.id}: ${missing}`, 'name files that hold them with --bars');
    const { symbol, intervalMs } = config;
    const instrument = this.instrumentOf(symbol)!;
    const bars = this.bars(instrument, intervalMs);
    const barsOf = (one: S1Symbol) => this.bars(this.instrumentOf(one)!, intervalMs);
    const alts = S1_SYMBOLS.filter((one) => one !== LEADER);
    const peers =
      symbol === LEADER
        ? null
        : { leader: barsOf(LEADER), others: alts.map((one) => (one === symbol ? 'own' : barsOf(one))) };
    const { regime, regimeStrength } = regimeAlong(bars, peers);
    const funding = this.funding(instrument);
    const fundingMs = instrument.fundingIntervalMs ?? 8 * HOUR;
    const closes = Float64Array.from({ length: bars.length }, (_, i) => bars.time[i]! + intervalMs);
    const due = funding === null ? null : { times: funding.time, rates: funding.columns[0]! };
    const tilts = due === null ? null : fundingTilts(closes, due.times, due.rates, fundingMs);
    const flat = due === null ? 0 : flattenWhereOld(due, fundingMs, closes, regime);
    const looksAt = symbol === LEADER ? [symbol] : [symbol, ...S1_SYMBOLS.filter((one) => one !== symbol)];
    // news that there are none of an asset stop its every entry, as they stop the desk's
    const told = this.news === null ? null : (this.news.byAsset.get(symbol) ?? []);
    const news = told === null ? null : newsAlong(told, closes);
    const recorded = [
      ...this.recordedOf(config, looksAt),
      ...(told === null || told.length === 0 ? [] : [newsSeries(told, symbol)]),
    ];
    const quiet = news === null ? 0 : bars.length - news.known.reduce((sum, known) => sum + known, 0);
    return {
      data: { instrument, intervalMs, bars, fundingTilts: tilts, funding: due, regime, regimeStrength, news },
      dataHash: sha256(
        canonicalJson({
          tape: new Tape(recorded).hash,
          interval: intervalMs,
          ...(news === null ? {} : { news: true }),
        }),
      ),
      tape: new Tape(
        recorded.map((series) => (series.kind === 'bars' ? this.atInterval(series, intervalMs) : series)),
      ),
      newsStamps: this.news?.stamps ?? [],
      peers: looksAt.map((one) => [one, this.instrumentOf(one)!.id] as const),
      notes: [
        ...holesOf(bars, intervalMs),
        ...(funding === null ? [`no funding of ${instrument.id}: its tilt is 0 throughout`] : []),
        ...(quiet > 0
          ? [`no news of ${symbol} on ${quiet} of ${bars.length} bars, or old ones: nothing is entered there`]
          : []),
        ...(flat > 0
          ? [`funding of ${instrument.id} is old on ${flat} of ${bars.length} bars: flat there`]
          : []),
      ],
    };
  }

  private recordedOf({ intervalMs }: S1Config, symbols: readonly S1Symbol[]): TapeSeries[] {
    const instruments = symbols.map((symbol) => this.instrumentOf(symbol)!.id);
    return [
      ...instruments.map((id) => this.finest(instrumentFor(id), intervalMs)!),
      ...this.tape.series.filter((s) => s.kind === 'funding' && s.instrument === instruments[0]),
    ];
  }

  /** The bars that the sweep saw: on finer ones the loop would know what happened first within a bar, and the sweep would not. */
  private atInterval({ instrument }: BarSeries, intervalMs: number): BarSeries {
    return barSeries(instrument, intervalMs, this.bars(instrumentFor(instrument), intervalMs));
  }

  private instrumentOf(symbol: S1Symbol): Instrument | null {
    for (const one of this.tape.series) {
      if (one.kind !== 'bars') continue;
      const instrument = instrumentFor(one.instrument);
      if (instrument.underlying === symbol) return instrument;
    }
    return null;
  }

  private finest({ id }: Instrument, wantedMs: number): BarSeries | null {
    const own = this.tape.series.filter((s): s is BarSeries => s.kind === 'bars' && s.instrument === id);
    const ms = seriesFor(
      own.map(({ intervalMs }) => intervalMs),
      wantedMs,
    );
    return own.find(({ intervalMs }) => intervalMs === ms) ?? null;
  }

  private funding({ id }: Instrument): RowSeries | null {
    return this.tape.series.find((s): s is RowSeries => s.kind === 'funding' && s.instrument === id) ?? null;
  }

  private bars(instrument: Instrument, intervalMs: number): BarColumns {
    const key = `${instrument.id} ${intervalMs}`;
    let bars = this.made.get(key);
    if (bars === undefined) {
      bars = resampled(this.finest(instrument, intervalMs)!, intervalMs);
      this.made.set(key, bars);
    }
    return bars;
  }
}

/** Whole bars of a coarser interval; what is partial is left out, as the desk leaves out what it cannot trust. */
function resampled({ columns, intervalMs }: BarSeries, toMs: number): BarColumns {
  if (intervalMs === toMs) return columns;
  const resampler = new Resampler(intervalMs, toMs);
  const out = barColumns(Math.ceil(columns.length / (toMs / intervalMs)) + 2);
  for (let i = 0; i < columns.length; i++) {
    for (const { bar } of resampler.add(barAt(columns, i))) appendBar(out, bar);
  }
  return out;
}
