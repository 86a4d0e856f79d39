import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { Chance, floorTo, HOUR, MINUTE } from '#base';

/** What the server does with one HTTP request instead of answering it. */
export type RestFault = number | 'hang' | 'garbage' | 'drop' | 'shape';
/** What the stream does with the message that closes a bar. */
export type CloseFault = 'send' | 'skip' | 'repeat' | 'late' | 'altered';

export interface LoopbackOptions {
  now: () => number;
  symbols: readonly string[];
  intervalMs: number;
  /** Real milliseconds between looks at the clock. */
  tickMs?: number;
  closeFault?: (symbol: string, openTime: number) => CloseFault;
  fundingIntervalMs?: number;
  /** Bars the venue never made. */
  absent?: (symbol: string, openTime: number) => boolean;
}

export interface VenueBar {
  time: number;
  open: string;
  high: string;
  low: string;
  close: string;
  volume: string;
}

/** The venue's own bar: a pure function of symbol and time, so that a test can ask for the truth. */
export function venueBar(symbol: string, time: number, intervalMs: number): VenueBar {
  const level = (at: number) => {
    const chance = new Chance(`${symbol}/${at}`);
    return 1000 + Math.floor(chance.uniform() * 2000);
  };
  const open = level(time);
  const close = level(time + intervalMs);
  const chance = new Chance(`${symbol}/${time}/inside`);
  const high = Math.max(open, close) + chance.below(50);
  const low = Math.min(open, close) - chance.below(50);
  const price = (cents: number) => (cents / 100).toFixed(2);
  return {
    time,
    open: price(open),
    high: price(high),
    low: price(low),
    close: price(close),
    volume: (chance.below(1_000_000) / 1000).toFixed(3),
  };
}

/** A bar that has just begun. */
function unfinished(bar: VenueBar): VenueBar {
  return { ...bar, high: bar.open, low: bar.open, close: bar.open, volume: '0.001' };
}

/** Plays Binance USD-M: klines, time, funding, exchangeInfo over REST; kline, markPrice and bookTicker over WebSocket. */
export class BinanceLoopback {
  readonly options: Required<LoopbackOptions>;
  /** Faults for the next HTTP requests to a path ending, first in first out. */
  readonly restFaults: { path: string; fault: RestFault }[] = [];
  readonly requests: string[] = [];
  readonly subscriptions: string[][] = [];
  /** While set, sockets stay open and nothing is sent. */
  silent = false;
  /** While set, handshakes are refused. */
  refuse = false;
  connections = 0;
  usedWeight = 0;
  private readonly http: Server;
  private readonly ws = new WebSocketServer({ noServer: true });
  private readonly clients = new Map<WebSocket, Set<string>>();
  private readonly lastOpen = new Map<string, number>();
  private late: { symbol: string; time: number }[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(options: LoopbackOptions) {
    this.options = {
      tickMs: 5,
      closeFault: () => 'send',
      fundingIntervalMs: 8 * HOUR,
      absent: () => false,
      ...options,
    };
    this.http = createServer((request, response) => this.answer(request, response));
    this.http.on('upgrade', (request, socket, head) => {
      if (this.refuse || !/^(\/(market|public))?\/(ws|stream)/.test(request.url ?? '')) {
        socket.destroy();
        return;
      }
      this.ws.handleUpgrade(request, socket, head, (client) => this.welcome(client));
    });
  }

  get restUrl(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  get wsUrl(): string {
    return this.restUrl.replace('http', 'ws');
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve));
    for (const symbol of this.options.symbols) this.lastOpen.set(symbol, this.openTime());
    this.timer = setInterval(() => this.tick(), this.options.tickMs);
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.dropAll();
    this.http.closeAllConnections();
    await new Promise<void>((resolve) => this.http.close(() => resolve()));
  }

  /** Cuts every connection without a goodbye. */
  dropAll(): void {
    for (const client of this.clients.keys()) client.terminate();
    this.clients.clear();
  }

  private openTime(): number {
    return floorTo(this.options.now(), this.options.intervalMs);
  }

  private welcome(client: WebSocket): void {
    this.connections += 1;
    this.clients.set(client, new Set());
    client.on('error', () => {});
    client.on('close', () => this.clients.delete(client));
    client.on('message', (raw) => {
      const { method, params, id } = JSON.parse(String(raw)) as {
        method: string;
        params: string[];
        id: number;
      };
      if (method !== 'SUBSCRIBE') return;
      this.subscriptions.push(params);
      for (const stream of params) this.clients.get(client)?.add(stream);
      client.send(JSON.stringify({ result: null, id }));
    });
  }

  private publish(stream: string, body: unknown): void {
    if (this.silent) return;
    for (const [client, streams] of this.clients) if (streams.has(stream)) client.send(JSON.stringify(body));
  }

  private tick(): void {
    const { symbols, intervalMs, fundingIntervalMs, now } = this.options;
    for (const symbol of symbols) {
      const open = this.openTime();
      for (let time = this.lastOpen.get(symbol)!; time < open; time += intervalMs) {
        this.lastOpen.set(symbol, time + intervalMs);
        this.close(symbol, time);
      }
      this.kline(symbol, open, false);
      const settles = floorTo(now(), fundingIntervalMs) + fundingIntervalMs;
      const name = symbol.toLowerCase();
      const E = Math.floor(now());
      const mark = { e: 'markPriceUpdate', E, s: symbol, p: '20.5', i: '20.4', r: '0.00010000', T: settles };
      this.publish(`${name}@markPrice@1s`, mark);
      const quote = { e: 'bookTicker', u: E, s: symbol, b: '20.49', B: '3', a: '20.51', A: '4', T: E, E };
      this.publish(`${name}@bookTicker`, quote);
    }
  }

  private close(symbol: string, time: number): void {
    for (const { symbol: other, time: when } of this.late) this.kline(other, when, true);
    this.late = [];
    if (this.options.absent(symbol, time)) return;
    switch (this.options.closeFault(symbol, time)) {
      case 'send':
        this.kline(symbol, time, true);
        return;
      case 'skip':
        return;
      case 'late':
        this.late.push({ symbol, time });
        return;
      case 'repeat':
        for (let i = 0; i < 3; i++) this.kline(symbol, time, true);
        this.kline(symbol, time - this.options.intervalMs, true);
        return;
      case 'altered':
        this.kline(symbol, time, true);
        this.kline(symbol, time, true, '999999');
    }
  }

  private kline(symbol: string, time: number, closed: boolean, volume?: string): void {
    const { intervalMs, now } = this.options;
    const bar = venueBar(symbol, time, intervalMs);
    const interval = `${intervalMs / MINUTE}m`;
    const shown = closed ? bar : unfinished(bar);
    const k = {
      t: time,
      T: time + intervalMs - 1,
      s: symbol,
      i: interval,
      o: shown.open,
      c: shown.close,
      h: shown.high,
      l: shown.low,
      v: volume ?? shown.volume,
      n: 1,
      x: closed,
    };
    const body = { e: 'kline', E: Math.floor(now()), s: symbol, k };
    this.publish(`${symbol.toLowerCase()}@kline_${interval}`, body);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, this.restUrl);
    this.requests.push(`${url.pathname}${url.search}`);
    const index = this.restFaults.findIndex(({ path }) => url.pathname.endsWith(path));
    if (index >= 0) {
      const [next] = this.restFaults.splice(index, 1);
      this.fail(next!.fault, request, response);
      return;
    }
    const body = this.body(url);
    response.setHeader('content-type', 'application/json');
    response.setHeader('X-MBX-USED-WEIGHT-1M', String(++this.usedWeight));
    if (body === null) {
      response.statusCode = 400;
      response.end(JSON.stringify({ code: -1121, msg: 'Invalid symbol.' }));
    } else response.end(JSON.stringify(body));
  }

  private fail(fault: RestFault, request: IncomingMessage, response: ServerResponse): void {
    if (fault === 'hang') return;
    if (fault === 'drop') {
      request.socket.destroy();
      return;
    }
    if (fault === 'garbage') {
      response.end('<html>busy</html>');
      return;
    }
    if (fault === 'shape') {
      response.end(JSON.stringify([[1, 2, 3]]));
      return;
    }
    response.statusCode = fault;
    if (fault === 429 || fault === 418) response.setHeader('Retry-After', '2');
    response.end(JSON.stringify({ code: -1003, msg: 'Too many requests.' }));
  }

  private body(url: URL): unknown {
    const { now, symbols, intervalMs, fundingIntervalMs, absent } = this.options;
    const query = url.searchParams;
    const symbol = query.get('symbol') ?? '';
    if (url.pathname === '/fapi/v1/time') return { serverTime: Math.floor(now()) };
    if (url.pathname === '/fapi/v1/exchangeInfo') return exchangeInfo(symbols);
    if (!symbols.includes(symbol)) return null;
    const start = Number(query.get('startTime') ?? 0);
    const end = Number(query.get('endTime') ?? Math.floor(now()));
    const limit = Number(query.get('limit') ?? 500);
    if (url.pathname === '/fapi/v1/premiumIndex') {
      return {
        symbol,
        markPrice: '20.5',
        indexPrice: '20.4',
        lastFundingRate: '0.0001',
        nextFundingTime: 0,
        time: now(),
      };
    }
    if (url.pathname === '/fapi/v1/fundingRate') {
      const rows: unknown[] = [];
      const first = Math.ceil(start / fundingIntervalMs) * fundingIntervalMs;
      for (let time = first; time <= Math.min(end, now()) && rows.length < limit; time += fundingIntervalMs) {
        rows.push({ symbol, fundingRate: '0.00012500', fundingTime: time, markPrice: '20.45' });
      }
      return rows;
    }
    if (url.pathname !== '/fapi/v1/klines') return null;
    const rows: unknown[] = [];
    for (
      let time = Math.ceil(start / intervalMs) * intervalMs;
      time <= Math.min(end, now()) && rows.length < limit;
      time += intervalMs
    ) {
      if (absent(symbol, time)) continue;
      const closeTime = time + intervalMs - 1;
      const bar =
        closeTime < now()
          ? venueBar(symbol, time, intervalMs)
          : unfinished(venueBar(symbol, time, intervalMs));
      rows.push([time, bar.open, bar.high, bar.low, bar.close, bar.volume, closeTime, '0', 1, '0', '0', '0']);
    }
    return rows;
  }
}

function exchangeInfo(symbols: readonly string[]): unknown {
  return {
    rateLimits: [{ rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 2400 }],
    symbols: [...symbols, 'DEADUSDT'].map((symbol) => ({
      symbol,
      contractType: 'PERPETUAL',
      status: symbol === 'DEADUSDT' ? 'SETTLING' : 'TRADING',
      baseAsset: symbol.replace('USDT', ''),
      quoteAsset: 'USDT',
      marginAsset: 'USDT',
      pricePrecision: 8,
      quantityPrecision: 8,
      filters: [
        { filterType: 'PRICE_FILTER', tickSize: '0.0500' },
        { filterType: 'LOT_SIZE', minQty: '0.010', stepSize: '0.005' },
        { filterType: 'MIN_NOTIONAL', notional: '5' },
      ],
    })),
  };
}
