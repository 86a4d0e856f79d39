import { existsSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer } from 'ws';
import { Chance } from '#base';

export const INSTRUMENT = 'BTCUSDT.SYNTHETIC';
const HOUR = 3_600_000;
const LAST = Date.UTC(2025, 0, 1);
const REGIMES = ['TREND_UP', 'RANGE', 'CHOP', 'TREND_DOWN', 'VOLATILE'];
const REGIME_BARS = 45;
const FILL_BARS = 30;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

type Columns = Readonly<Record<'time' | 'open' | 'high' | 'low' | 'close' | 'volume', Float64Array>>;

export interface MadeUpMarket {
  readonly url: string;
  /** Bars that were asked for so far, counted from the newest. */
  readonly sent: () => number;
  readonly close: () => Promise<void>;
}

/** The built pages, and of the console's API what the Market page asks for: hourly bars, ready before the first question. */
export async function serveMadeUpMarket(root: string, bars: number): Promise<MadeUpMarket> {
  const columns = walk(bars);
  const averages = { ema_20: average(columns.close, 20), ema_50: average(columns.close, 50) };
  const rsi = columns.close.map((_, i) => 50 + 40 * Math.sin(i / 9));
  const lines: Readonly<Record<string, Float64Array>> = {
    ...averages,
    sma_100: average(columns.close, 100),
    rsi_14: rsi,
  };
  let oldest = bars;

  const page = (query: URLSearchParams) => {
    const limit = Number(query.get('limit') ?? 1_000);
    const from = Number(query.get('from') ?? columns.time[0]);
    const to = Number(query.get('to') ?? LAST + HOUR);
    const at = (time: number) => Math.min(bars, Math.max(0, Math.ceil((time - columns.time[0]!) / HOUR)));
    const end = at(to);
    const start = Math.max(at(from), end - limit);
    oldest = Math.min(oldest, start);
    const cut = (column: Float64Array) => Array.from(column.subarray(start, end));
    const wanted = (query.get('indicators') ?? '').split(',').map((text) => text.replaceAll(':', '_'));
    const regimes = [];
    for (let i = Math.ceil(start / REGIME_BARS) * REGIME_BARS; i < end; i += REGIME_BARS)
      regimes.push({ from: columns.time[i]!, regime: REGIMES[(i / REGIME_BARS) % REGIMES.length]! });
    return {
      instrument: INSTRUMENT,
      intervalMs: HOUR,
      bars: Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, cut(column)])),
      indicators: Object.fromEntries(
        wanted.flatMap((name) => (lines[name] ? [[name, cut(lines[name])]] : [])),
      ),
      overlays: wanted.filter((name) => lines[name] !== undefined && name !== 'rsi_14'),
      more: start > 0,
      regimes,
    };
  };
  const answers = fixedAnswers(columns);
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://localhost');
    if (pathname === '/api/v1/bars') sendJson(response, page(searchParams));
    else if (pathname.startsWith('/api/')) sendJson(response, answers[pathname] ?? { items: [], next: null });
    else sendFile(response, root, pathname);
  });
  const sockets = new WebSocketServer({ server, path: '/ws/live-feed' });
  sockets.on('connection', (socket) => {
    const data = { run: 'bench', seq: 0, serverTime: LAST };
    socket.send(JSON.stringify({ type: 'hello', data, seq: null, prev: null, portfolio: 'bench' }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => bars - oldest,
    close: () =>
      new Promise((closed) => {
        for (const socket of sockets.clients) socket.terminate();
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}

function walk(bars: number): Columns {
  const chance = new Chance('chart');
  const columns = Object.fromEntries(
    ['time', 'open', 'high', 'low', 'close', 'volume'].map((name) => [name, new Float64Array(bars)]),
  ) as unknown as Columns;
  let price = 30_000;
  for (let i = 0; i < bars; i++) {
    const close = price * (1 + (chance.uniform() - 0.5) * 0.012);
    columns.time[i] = LAST - (bars - 1 - i) * HOUR;
    columns.open[i] = price;
    columns.close[i] = close;
    columns.high[i] = Math.max(price, close) * (1 + chance.uniform() * 0.003);
    columns.low[i] = Math.min(price, close) * (1 - chance.uniform() * 0.003);
    columns.volume[i] = chance.uniform() * 500;
    price = close;
  }
  return columns;
}

function average(values: Float64Array, span: number): Float64Array {
  let mean = values[0]!;
  return values.map((value) => (mean += ((value - mean) * 2) / (span + 1)));
}

/** What the shell and the rest of the page ask for. */
function fixedAnswers({ time, close }: Columns): Readonly<Record<string, unknown>> {
  const price = close.at(-1)!;
  const fills = Array.from({ length: Math.min(5_000, Math.floor(time.length / FILL_BARS)) }, (_, i) => ({
    id: String(i),
    at: time[time.length - 1 - i * FILL_BARS]!,
    instrument: INSTRUMENT,
    side: i % 2 === 0 ? 'buy' : 'sell',
    quantity: '0.5',
    price: String(close[time.length - 1 - i * FILL_BARS]!),
  }));
  const indicator = (name: string, overlay: boolean) => ({
    name,
    example: name,
    overlay,
    outputs: [name],
    summary: name,
  });
  return {
    '/api/v1/session': {
      id: '1',
      name: 'bench',
      role: 'viewer',
      scopes: ['read'],
      via: 'session',
      totp: false,
      mustChangePassword: false,
      csrf: 'none',
    },
    '/api/v1/portfolios': {
      items: [
        {
          name: 'bench',
          mode: 'SYNTHETIC',
          running: true,
          entriesAllowed: true,
          currency: 'USDT',
          equity: '1000',
          dayChange: 0,
        },
      ],
    },
    '/api/trading/status': {
      is_running: true,
      balance: '1000',
      open_positions: 1,
      total_pnl: '0',
      regime: null,
      breaker: 'CLOSED',
    },
    '/api/v1/instruments': {
      items: [
        {
          id: INSTRUMENT,
          venue: 'SYNTHETIC',
          kind: 'linear-perpetual',
          tick: '0.1',
          lot: '0.001',
          intervalMs: HOUR,
          price,
          regime: 'RANGE',
        },
      ],
    },
    '/api/v1/indicators': {
      items: [indicator('ema', true), indicator('sma', true), indicator('rsi', false)],
    },
    '/api/v1/book': { at: null, finest: 'none', bids: [], asks: [], own: [] },
    '/api/v1/positions': {
      items: [
        {
          desk: 'bench',
          instrument: INSTRUMENT,
          side: 'long',
          quantity: '0.5',
          entryPrice: price,
          stop: price * 0.97,
          target: price * 1.05,
          exits: [],
        },
      ],
    },
    '/api/v1/fills': { items: fills, next: null },
  };
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(value));
}

function sendFile(response: ServerResponse, root: string, pathname: string): void {
  const path = join(root, normalize(pathname));
  const found = extname(path) !== '' && existsSync(path) ? path : join(root, 'index.html');
  response.setHeader('content-type', TYPES[extname(found)] ?? 'application/octet-stream');
  response.end(readFileSync(found));
}
