import { readBarsFile, SYNTHETIC_SYMBOLS, SyntheticMarket } from '#adapters';
import { formatInstant, type Instant, MINUTE } from '#base';
import { type Bar, type BarColumns, barAt, columnsOfBars, resampleColumns } from '#market';
import { type Series, s1Series, seriesOf } from '../../src/apps/ingest/series.ts';
import { RECORDED, recordedFiles } from './recorded.ts';

export const WEEK_SYMBOLS = ['BTC', 'ETH', 'SOL', 'XRP'] as const;

/** One-minute bars of the four symbols, and the longer bars of the sixteen made of them. */
export class WebhookTape {
  readonly series: readonly Series[] = seriesOf(s1Series({}));
  /** The week that is played begins here; before it lies history. */
  readonly start: Instant;
  readonly isRecorded: boolean;
  private readonly minutes: ReadonlyMap<string, ReadonlyMap<Instant, Bar>>;
  private readonly barsOf = new Map<string, ReadonlyMap<Instant, Bar>>();

  private constructor(columns: ReadonlyMap<string, BarColumns>, start: Instant, isRecorded: boolean) {
    this.start = start;
    this.isRecorded = isRecorded;
    const byTime = (some: BarColumns) =>
      new Map(Array.from({ length: some.length }, (_, i) => [some.time[i]!, barAt(some, i)]));
    this.minutes = new Map([...columns].map(([symbol, some]) => [symbol, byTime(some)]));
    for (const { id, symbol, intervalMs } of this.series) {
      const own = columns.get(symbol)!;
      const some = intervalMs === MINUTE ? own : resampleColumns(own, MINUTE, intervalMs).columns;
      this.barsOf.set(id, byTime(some));
    }
  }

  /** Recorded bars of May 2025 where they are, else the made-up market with minutes for its five. */
  static async open(): Promise<WebhookTape> {
    if (RECORDED !== null) {
      const columns = new Map<string, BarColumns>();
      for (const symbol of WEEK_SYMBOLS) {
        const [file] = recordedFiles('crypto/binance-perp', new RegExp(`^${symbol}USDT-1m-2025\\.csv\\.gz$`));
        columns.set(symbol, (await readBarsFile(file!))[0]!.columns);
      }
      return new WebhookTape(columns, Date.UTC(2025, 4, 13), true);
    }
    const from = Date.UTC(2025, 4, 5);
    const market = new SyntheticMarket('webhook-week', from);
    const rows = new Map<string, Bar[]>(WEEK_SYMBOLS.map((symbol) => [symbol, []]));
    for (let minute = 0; minute < 16 * 1_440; minute++) {
      market.next().forEach((bar, i) => {
        const symbol = SYNTHETIC_SYMBOLS[i]!.replace('USDT', '');
        rows.get(symbol)?.push({ ...bar, time: from + minute * MINUTE });
      });
    }
    return new WebhookTape(
      new Map([...rows].map(([symbol, bars]) => [symbol, columnsOfBars(bars)])),
      Date.UTC(2025, 4, 13),
      false,
    );
  }

  minute(symbol: string, time: Instant): Bar | null {
    return this.minutes.get(symbol)?.get(time) ?? null;
  }

  /** Bars of one symbol and length by open time; null for a length that none of the sixteen has. */
  bars(symbol: string, intervalMs: number): ReadonlyMap<Instant, Bar> | null {
    const one = this.series.find((some) => some.symbol === symbol && some.intervalMs === intervalMs);
    return one === undefined ? null : this.barsOf.get(one.id)!;
  }

  /** Throws when the tape does not hold it. */
  bar(config: string, time: Instant): Bar {
    const bar = this.barsOf.get(config)?.get(time);
    if (bar === undefined) throw new Error(`the tape has no bar of ${config} at ${formatInstant(time)}`);
    return bar;
  }
}
