import type { ServerResponse } from 'node:http';
import { floorTo, MINUTE } from '#base';
import type { Bar } from '#market';
import { HttpLoopback, type Received, sendJson } from '../support/http-loopback.ts';

export interface TwelveDataLoopbackOptions {
  readonly now: () => number;
  readonly key: string;
  /** The bar of one minute that opens at `time`; null: there is none. */
  readonly minute: (symbol: string, time: number) => Bar | null;
  readonly symbols: readonly string[];
  readonly perMinute?: number;
  readonly perDay?: number;
  /** Whether rows carry a volume; crypto rows do not. */
  readonly volumes?: boolean;
  /** Whether a spent budget is an HTTP status or only stands in the body. */
  readonly statusOfErrors?: boolean;
}

const MINUTES: Readonly<Record<string, number>> = { '1min': 1, '5min': 5, '15min': 15 };

/** Plays Twelve Data's `time_series`: descending unless asked, the running bar included, texts for numbers, credits. */
export class TwelveDataLoopback {
  readonly http: HttpLoopback;
  readonly options: TwelveDataLoopbackOptions;
  credits = 0;
  private window = -1;
  private used = 0;
  private day = -1;
  private usedToday = 0;

  constructor(options: TwelveDataLoopbackOptions) {
    this.options = options;
    this.http = new HttpLoopback((call, response) => this.answer(call, response));
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

  private answer({ path, headers }: Received, response: ServerResponse): void {
    const url = new URL(path, this.url);
    const query = url.searchParams;
    const key = query.get('apikey') ?? /^apikey (.*)$/.exec(headers.authorization ?? '')?.[1];
    if (key !== this.options.key)
      return this.refuse(response, 401, '**apikey** parameter is incorrect or not specified.');
    if (url.pathname !== '/time_series') return this.refuse(response, 404, 'The requested URL was not found');
    const symbols = (query.get('symbol') ?? '').split(',').filter((symbol) => symbol !== '');
    if (!this.charge(symbols.length, response)) return;
    const minutes = MINUTES[query.get('interval') ?? ''];
    if (minutes === undefined)
      return this.refuse(response, 400, `Invalid **interval** provided: ${query.get('interval')}.`);
    if (query.get('timezone') !== 'UTC') return this.refuse(response, 400, 'this server only knows UTC');
    const rowsMost = Number(query.get('outputsize') ?? 30);
    if (!(rowsMost >= 1 && rowsMost <= 5000))
      return this.refuse(response, 400, 'Invalid **outputsize** provided');
    const answers = symbols.map((symbol) => [symbol, this.series(symbol, minutes, rowsMost, query)] as const);
    sendJson(response, 200, answers.length === 1 ? answers[0]![1] : Object.fromEntries(answers));
  }

  /** Counts before anything else is looked at. */
  private charge(credits: number, response: ServerResponse): boolean {
    const now = this.options.now();
    const { perMinute = 8, perDay = 800 } = this.options;
    const window = Math.floor(now / MINUTE);
    const day = Math.floor(now / 86_400_000);
    if (window !== this.window) {
      this.window = window;
      this.used = 0;
    }
    if (day !== this.day) {
      this.day = day;
      this.usedToday = 0;
    }
    const inDay = this.usedToday + credits <= perDay;
    const ok = this.used + credits <= perMinute && inDay;
    this.used += credits;
    response.setHeader('api-credits-used', String(this.used));
    response.setHeader('api-credits-left', String(Math.max(0, perMinute - this.used)));
    if (!ok) {
      const span = inDay ? 'minute' : 'day';
      const message = `You have run out of API credits for the current ${span}. ${this.used} API credits were used.`;
      this.refuse(response, 429, message);
      return false;
    }
    this.credits += credits;
    this.usedToday += credits;
    return true;
  }

  private refuse(response: ServerResponse, code: number, message: string): void {
    sendJson(response, this.options.statusOfErrors === true ? code : 200, { code, message, status: 'error' });
  }

  private series(symbol: string, minutes: number, rowsMost: number, query: URLSearchParams): unknown {
    if (!this.options.symbols.includes(symbol)) {
      const message = `**symbol** not found: ${symbol}. Please specify it correctly according to API Documentation.`;
      return { code: 404, message, status: 'error' };
    }
    const ms = minutes * MINUTE;
    const instant = (name: string) => Date.parse(`${query.get(name)!.replace(' ', 'T')}Z`);
    const first = Math.ceil(instant('start_date') / ms) * ms;
    // the running bar is the newest
    const last = Math.min(instant('end_date'), floorTo(this.options.now(), ms));
    const bars: Bar[] = [];
    for (let time = last - (last % ms); time >= first && bars.length < rowsMost; time -= ms) {
      const bar = this.bar(symbol, time, minutes);
      if (bar !== null) bars.push(bar);
    }
    if (bars.length === 0) {
      const message = 'No data is available on the specified dates. Try setting different start/end dates.';
      return { code: 400, message, status: 'error' };
    }
    if (query.get('order') === 'ASC') bars.reverse();
    const text = (price: number) => price.toString();
    return {
      meta: { symbol, interval: query.get('interval'), exchange: 'Coinbase Pro', type: 'Digital Currency' },
      values: bars.map((bar) => ({
        datetime: new Date(bar.time).toISOString().slice(0, 19).replace('T', ' '),
        open: text(bar.open),
        high: text(bar.high),
        low: text(bar.low),
        close: text(bar.close),
        ...(this.options.volumes === true ? { volume: text(bar.volume) } : {}),
      })),
      status: 'ok',
    };
  }

  private bar(symbol: string, time: number, minutes: number): Bar | null {
    const parts: Bar[] = [];
    for (let i = 0; i < minutes && time + i * MINUTE <= this.options.now(); i++) {
      const part = this.options.minute(symbol, time + i * MINUTE);
      if (part !== null) parts.push(part);
    }
    if (parts.length === 0) return null;
    return {
      time,
      open: parts[0]!.open,
      high: Math.max(...parts.map((part) => part.high)),
      low: Math.min(...parts.map((part) => part.low)),
      close: parts.at(-1)!.close,
      volume: parts.reduce((sum, part) => sum + part.volume, 0),
    };
  }
}
