import type { ServerResponse } from 'node:http';
import { type Instant, MINUTE, parseInterval } from '#base';
import type { Bar } from '#market';
import { HttpLoopback, type Received, sendJson } from './http-loopback.ts';

export interface KlinesLoopbackOptions {
  readonly now: () => Instant;
  /** The closed bar that opens at `time`; null: there is none. */
  readonly bar: (symbol: string, intervalMs: number, time: Instant) => Bar | null;
  readonly symbols: readonly string[];
}

/** Plays the time and the klines of Binance USD-M for bars that a test has: closed ones only, with their volumes. */
export class KlinesLoopback {
  private readonly http = new HttpLoopback((call, response) => this.answer(call, response));
  private readonly options: KlinesLoopbackOptions;

  constructor(options: KlinesLoopbackOptions) {
    this.options = options;
  }

  get url(): string {
    return this.http.url;
  }

  async start(): Promise<this> {
    await this.http.start();
    return this;
  }

  stop(): Promise<void> {
    return this.http.stop();
  }

  private answer({ path }: Received, response: ServerResponse): void {
    const url = new URL(path, this.url);
    const query = url.searchParams;
    const symbol = query.get('symbol') ?? '';
    if (url.pathname === '/fapi/v1/time') return sendJson(response, 200, { serverTime: this.options.now() });
    if (url.pathname !== '/fapi/v1/klines')
      return sendJson(response, 404, { code: -1, msg: 'no such address' });
    if (!this.options.symbols.includes(symbol))
      return sendJson(response, 400, { code: -1121, msg: 'Invalid symbol.' });
    sendJson(response, 200, this.rows(symbol, query));
  }

  private rows(symbol: string, query: URLSearchParams): unknown[] {
    const { now, bar } = this.options;
    const intervalMs = parseInterval(query.get('interval') ?? '') ?? MINUTE;
    const [start, end, limit] = ['startTime', 'endTime', 'limit'].map((name) => Number(query.get(name)));
    const rows: unknown[] = [];
    const first = Math.ceil(start! / intervalMs) * intervalMs;
    for (let time = first; time <= end! && rows.length < limit!; time += intervalMs) {
      if (time + intervalMs > now()) break;
      const one = bar(symbol, intervalMs, time);
      if (one === null) continue;
      const figures = [one.open, one.high, one.low, one.close, one.volume].map(String);
      rows.push([time, ...figures, time + intervalMs - 1, '0', 1, '0', '0', '0']);
    }
    return rows;
  }
}
