import { floorTo, formatInstant, type Instant, parseInterval } from '#base';
import type { Bar } from '#market';
import {
  type BarProvider,
  type ProvidedBar,
  type ProviderRequest,
  resampleProvided,
} from '../../feeds/bar-provider.ts';
import { VenueRefusal } from '../../feeds/feed-clock.ts';
import { intervalFor } from '../../feeds/live-venue.ts';
import { type EdgexRest, UnreadableAnswer } from './edgex-rest.ts';
import type { Kline } from './shapes.ts';

/** Bars the venue makes itself, of those the desks use; 3m is made of 1m. */
export const KLINE_TYPES: Readonly<Record<string, string>> = {
  '1m': 'MINUTE_1',
  '5m': 'MINUTE_5',
  '15m': 'MINUTE_15',
  '30m': 'MINUTE_30',
  '1h': 'HOUR_1',
  '2h': 'HOUR_2',
  '4h': 'HOUR_4',
  '6h': 'HOUR_6',
  '8h': 'HOUR_8',
  '12h': 'HOUR_12',
  '1d': 'DAY_1',
};

/** The same by length, ms. */
const TYPES_BY_MS: ReadonlyMap<number, string> = new Map(
  Object.entries(KLINE_TYPES).map(([text, type]) => [parseInterval(text)!, type]),
);

export interface BarRange {
  readonly contractId: string;
  readonly klineType: string;
  /** Bars that open in [from, to). */
  readonly from: Instant;
  readonly to: Instant;
}

/** Bars of a contract that open in a range, ascending, each once. Throws UnreadableAnswer for one that cannot be. */
export async function edgexBars(
  rest: EdgexRest,
  { contractId, klineType, from, to }: BarRange,
  signal?: AbortSignal,
): Promise<Bar[]> {
  const rows = await rest.klines(contractId, klineType, from, to, signal);
  return rows
    .filter((row) => row.klineTime >= from && row.klineTime < to)
    .filter((row, i, all) => i === 0 || row.klineTime > all[i - 1]!.klineTime)
    .map(barOf);
}

function barOf(row: Kline): Bar {
  const bar = {
    time: row.klineTime,
    open: Number(row.open),
    high: Number(row.high),
    low: Number(row.low),
    close: Number(row.close),
    volume: Number(row.size),
  };
  const { open, high, low, close, volume } = bar;
  const isSound = low > 0 && low <= Math.min(open, close) && high >= Math.max(open, close) && volume >= 0;
  if (isSound) return bar;
  throw new UnreadableAnswer(
    `the bar of contract ${row.contractId} at ${formatInstant(bar.time)} cannot be: open ${row.open}, high ${row.high}, low ${row.low}, close ${row.close}, size ${row.size}`,
  );
}

/** Bars of edgeX perpetuals as a provider for the bars of others. */
export class EdgexBars implements BarProvider {
  readonly name = 'edgex';
  private readonly rest: EdgexRest;
  private readonly contracts = new Map<string, string>();

  constructor(rest: EdgexRest) {
    this.rest = rest;
  }

  async bars(
    { symbol, intervalMs, from, to }: ProviderRequest,
    signal?: AbortSignal,
  ): Promise<readonly ProvidedBar[]> {
    if (this.contracts.size === 0) await this.learn(signal);
    const contractId = this.contracts.get(symbol);
    if (contractId === undefined) throw new VenueRefusal(`edgeX has no contract ${symbol}`, 200, null);
    const madeMs = intervalFor({ title: 'edgeX', intervals: Object.keys(KLINE_TYPES) }, [intervalMs]);
    // the running bar is none
    const end = Math.min(to, floorTo(this.rest.serverNow(), intervalMs));
    if (end <= from) return [];
    const range = { contractId, klineType: TYPES_BY_MS.get(madeMs)!, from, to: end };
    return resampleProvided(await edgexBars(this.rest, range, signal), madeMs, intervalMs);
  }

  private async learn(signal?: AbortSignal): Promise<void> {
    // by our own clock alone a running bar could pass for a closed one
    await this.rest.syncTime(signal);
    const { directory } = await this.rest.directory(signal);
    for (const { instrument, contractId } of directory.byId.values())
      this.contracts.set(instrument.symbol, contractId);
  }
}
