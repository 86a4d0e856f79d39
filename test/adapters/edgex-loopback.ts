import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { type RequestValue, requestSignature } from '../../src/adapters/venues/edgex/request-signature.ts';

export const CREDENTIALS = {
  accountId: '123456',
  apiKey: 'key-of-a-test',
  secret: 'edgexTestSecret',
  passphrase: 'pass',
} as const;

/** Metadata of two perpetuals as V2 answers them. */
export const METADATA = {
  global: {
    chainId: '3343',
    nativeChainId: '3343',
    contractAddress: '0x1111111111111111111111111111111111111111',
  },
  coinList: [
    { coinId: '1000', coinName: 'USDC', resolution: '0xf4240', stepSize: '0.000001' },
    { coinId: '1001', coinName: 'BTC', resolution: '0x2540be400', stepSize: '0.001' },
    { coinId: '1002', coinName: 'ETH', resolution: '1000000000', stepSize: '0.01' },
  ],
  contractList: [
    contract('30000001', 'BTCUSDC', '1001', '0.1', '0.001', '0x2540be400'),
    contract('30000002', 'ETHUSDC', '1002', '0.01', '0.01', '1000000000'),
  ],
};

function contract(id: string, name: string, base: string, tick: string, step: string, resolution: string) {
  return {
    contractId: id,
    contractName: name,
    baseCoinId: base,
    quoteCoinId: '1000',
    tickSize: tick,
    stepSize: step,
    minOrderSize: step,
    maxOrderSize: '100',
    defaultTakerFeeRate: '0.00038',
    defaultMakerFeeRate: '0.00012',
    riskTierList: [
      { tier: 1, positionValueUpperBound: '50000', maxLeverage: '100', maintenanceMarginRate: '0.005' },
      { tier: 2, positionValueUpperBound: '1000000', maxLeverage: '50', maintenanceMarginRate: '0.01' },
    ],
    fundingRateIntervalMin: '240',
    resolution,
    enableTrade: true,
    enableDisplay: true,
    enableOpenPosition: true,
    isStock: false,
  };
}

interface SentOrder {
  readonly body: Record<string, string | boolean>;
  readonly orderId: string;
  status: string;
}

/** `nan`: what is a number otherwise is none; a number is an HTTP status. */
type Fault = number | 'drop' | 'shape' | 'garbage' | 'nan' | { readonly code: string };

interface EdgexLoopbackOptions {
  /** The venue's own minute bars: a pure function of contract and time. */
  readonly bar?: typeof EdgexLoopback.bar;
  /** Real milliseconds between two tickers of each contract; none unless given. */
  readonly tickMs?: number;
}

/** Plays edgeX V2: metadata, klines, ticker, funding, depth and orders over REST; ticker and account over WebSocket. */
export class EdgexLoopback {
  readonly orders = new Map<string, SentOrder>();
  readonly fills: Record<string, unknown>[] = [];
  readonly positions: { contractId: string; openSize: string }[] = [];
  /** Faults for the next requests to a path ending, first in first out. `drop` on createOrder takes the order first. */
  readonly faults: { path: string; fault: Fault }[] = [];
  /** The same for every request from now on. */
  readonly standing = new Map<string, Fault>();
  /** Bars show so long after their close, ms. */
  lagMs = 0;
  /** While set, handshakes are refused. */
  refuse = false;
  book: unknown = null;
  metadata: unknown = METADATA;
  retryAfter = '2';
  readonly requests: string[] = [];
  readonly unsigned: string[] = [];
  readonly subscriptions: string[] = [];
  readonly pongs: string[] = [];
  readonly funding: Record<string, string>[] = [];
  pageSize = 1000;
  private readonly now: () => number;
  private readonly http: Server;
  private readonly ws = new WebSocketServer({ noServer: true });
  private readonly clients = new Set<WebSocket>();
  private readonly bar: typeof EdgexLoopback.bar;
  private readonly tickMs: number | null;
  private timer: NodeJS.Timeout | null = null;

  constructor(now: () => number, options: EdgexLoopbackOptions = {}) {
    this.now = now;
    this.bar = options.bar ?? EdgexLoopback.bar;
    this.tickMs = options.tickMs ?? null;
    this.http = createServer((request, response) => void this.answer(request, response));
    this.http.on('upgrade', (request, socket, head) => {
      const url = new URL(request.url ?? '/', 'http://x');
      if (this.refuse || !/^\/api\/v1\/(public|private)\/ws$/.test(url.pathname))
        return void socket.destroy();
      if (url.pathname.includes('private')) {
        const fields = Object.fromEntries(url.searchParams);
        if (!this.isSigned(request, 'GET', url.pathname, fields)) return void socket.destroy();
      }
      this.ws.handleUpgrade(request, socket, head, (client) => this.welcome(client, url.pathname));
    });
  }

  get restUrl(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }
  get wsUrl(): string {
    return this.restUrl.replace('http', 'ws');
  }

  async start(): Promise<void> {
    await new Promise<void>((listening) => this.http.listen(0, '127.0.0.1', listening));
    if (this.tickMs !== null) this.timer = setInterval(() => this.tick(), this.tickMs);
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.dropAll();
    this.http.closeAllConnections();
    await new Promise<void>((closed) => this.http.close(() => closed()));
  }

  dropAll(): void {
    for (const client of this.clients) client.terminate();
    this.clients.clear();
  }

  send(message: unknown): void {
    for (const client of this.clients) client.send(JSON.stringify(message));
  }

  /** The venue's own minute bar: a pure function of contract and time. */
  static bar(contractId: string, time: number) {
    const level = 1000 + (((time / 60_000) * 7 + Number(contractId)) % 100);
    return {
      klineId: `${contractId}-${time}`,
      contractId,
      klineType: 'MINUTE_1',
      klineTime: String(time),
      trades: '3',
      size: '1.5',
      value: '1500',
      open: level.toFixed(1),
      high: (level + 2).toFixed(1),
      low: (level - 2).toFixed(1),
      close: (level + 1).toFixed(1),
    };
  }

  /** Each contract at the open of its running bar. */
  private tick(): void {
    const now = this.now();
    for (const { contractId } of METADATA.contractList) {
      const channel = `ticker.${contractId}`;
      const { open } = this.bar(contractId, now - (now % 60_000));
      const settles = String(now - (now % 14_400_000) + 14_400_000);
      const row = this.ticker(contractId, { oraclePrice: open, indexPrice: open, nextFundingTime: settles });
      this.send({
        type: 'quote-event',
        channel,
        content: { channel, dataType: 'Changed', data: [broken(row, this.standing.get('ticker'))] },
      });
      this.tickBook(contractId, Number(open));
    }
  }

  /** One tick of 0.1 on either side, to who asked for the book. */
  private tickBook(contractId: string, middle: number): void {
    const channel = `depth.${contractId}.15`;
    if (!this.subscriptions.includes(channel)) return;
    const level = (price: number) => [{ price: price.toFixed(1), size: '50' }];
    const row = {
      contractId,
      startVersion: '1',
      endVersion: '2',
      bids: level(middle - 0.1),
      asks: level(middle + 0.1),
      depthType: 'SNAPSHOT',
    };
    this.send({ type: 'quote-event', channel, content: { channel, dataType: 'Snapshot', data: [row] } });
  }

  private welcome(client: WebSocket, path: string): void {
    this.clients.add(client);
    client.on('error', () => {});
    client.on('close', () => this.clients.delete(client));
    client.on('message', (raw) => {
      const message = JSON.parse(String(raw)) as { type: string; channel?: string; time?: string };
      if (message.type === 'pong') this.pongs.push(String(message.time));
      if (message.type !== 'subscribe') return;
      this.subscriptions.push(message.channel!);
      client.send(JSON.stringify({ type: 'subscribed', channel: message.channel }));
    });
    if (path.includes('private')) {
      client.send(JSON.stringify({ type: 'connected' }));
      client.send(
        JSON.stringify({
          type: 'trade-event',
          content: { event: 'Snapshot', version: '1', data: { account: [], order: [], position: [] } },
        }),
      );
    }
  }

  private isSigned(
    request: IncomingMessage,
    method: 'GET' | 'POST',
    path: string,
    fields: { readonly [key: string]: RequestValue },
  ): boolean {
    const timestamp = Number(request.headers['x-edgex-timestamp']);
    const signature = requestSignature({ timestamp, method, path, fields }, CREDENTIALS.secret);
    const good =
      Math.abs(timestamp - this.now()) < 60_000 &&
      request.headers['x-edgex-api-key'] === CREDENTIALS.apiKey &&
      request.headers['x-edgex-passphrase'] === CREDENTIALS.passphrase &&
      request.headers['x-edgex-signature'] === signature;
    if (!good) this.unsigned.push(path);
    return good;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x');
    const method = request.method as 'GET' | 'POST';
    let text = '';
    for await (const chunk of request) text += chunk;
    const fields = (method === 'POST' ? JSON.parse(text) : Object.fromEntries(url.searchParams)) as Record<
      string,
      string
    >;
    this.requests.push(`${method} ${url.pathname}`);
    const at = this.faults.findIndex(({ path }) => url.pathname.endsWith(path));
    const always = [...this.standing].find(([path]) => url.pathname.endsWith(path));
    const fault = at < 0 ? (always?.[1] ?? null) : this.faults.splice(at, 1)[0]!.fault;
    const reply = (body: unknown, status = 200) => {
      response.writeHead(status, {
        'content-type': 'application/json',
        ...(status === 429 ? { 'retry-after': this.retryAfter } : {}),
      });
      response.end(JSON.stringify(body));
    };
    if (fault === 'garbage') return void response.end('<html>busy</html>');
    if (typeof fault === 'number') return reply({ code: 'BUSY' }, fault);
    if (typeof fault === 'object' && fault !== null)
      return reply({ code: fault.code, data: null, msg: 'refused by the test' });
    if (url.pathname.includes('/private/') && !this.isSigned(request, method, url.pathname, fields))
      return reply({ code: 'INVALID_API_KEY', data: null, msg: 'signature' });
    const data = this.dataOf(url.pathname.replace('/api/v2', ''), fields);
    if (fault === 'drop') return void request.socket.destroy();
    if (data === undefined) return reply({ code: 'NOT_FOUND', data: null, msg: null }, 404);
    const said = fault === 'shape' ? 'a surprise' : broken(data, fault);
    reply({ code: 'SUCCESS', data: said, msg: null, requestTime: '1' });
  }

  private dataOf(path: string, fields: Record<string, string>): unknown {
    switch (path) {
      case '/public/meta/getServerTime':
        return { timeMillis: String(this.now()) };
      case '/public/meta/getMetaData':
        return this.metadata;
      case '/public/quote/getKline':
        return this.klinePage(fields);
      case '/public/quote/getTicker':
        return [this.ticker(fields.contractId!)];
      case '/public/quote/getDepth':
        return this.book === null ? [] : [this.book];
      case '/public/funding/getFundingRatePage':
        return { dataList: this.funding, nextPageOffsetData: '' };
      case '/private/order/createOrder':
        return this.createOrder(fields);
      case '/private/order/cancelOrderByClientOrderId': {
        const [id] = fields.clientOrderIdList as unknown as string[];
        const found = this.orders.get(id!);
        if (found !== undefined) found.status = 'CANCELED';
        return { cancelResultMap: { [id!]: found === undefined ? 'ORDER_NOT_FOUND' : 'SUCCESS' } };
      }
      case '/private/order/getOrderByClientOrderId': {
        const found = this.orders.get(fields.clientOrderIdList!);
        return found === undefined ? [] : [this.orderRow(found)];
      }
      case '/private/order/getHistoryOrderFillTransactionPage':
        return { dataList: this.fills, nextPageOffsetData: '' };
      case '/private/order/getActiveOrderPage': {
        const open = [...this.orders.values()]
          .filter((o) => o.status === 'OPEN')
          .map((o) => this.orderRow(o));
        return { dataList: open, nextPageOffsetData: '' };
      }
      case '/private/account/getAccountAsset':
        return { positionList: this.positions, collateralAssetModelList: [] };
      default:
        return undefined;
    }
  }

  private klinePage(fields: Record<string, string>) {
    const from = Number(fields.filterBeginKlineTimeInclusive);
    const shown = this.now() - (this.lagMs === 0 ? 0 : 60_000 + this.lagMs);
    const to = Math.min(Number(fields.filterEndKlineTimeExclusive), shown);
    const rows = [];
    for (let time = from; time < to; time += 60_000) rows.push(this.bar(fields.contractId!, time));
    // newest first, page after page
    rows.reverse();
    const offset = Number(fields.offsetData ?? 0);
    const size = Math.min(Number(fields.size), this.pageSize);
    const next = offset + size;
    return {
      dataList: rows.slice(offset, next),
      nextPageOffsetData: next < rows.length ? String(next) : '',
    };
  }

  ticker(contractId: string, changes: Record<string, string> = {}) {
    return {
      contractId,
      contractName: 'BTCUSDC',
      lastPrice: '60000.0',
      indexPrice: '60001.0',
      oraclePrice: '60000.5',
      openInterest: '10',
      fundingRate: '0.0001',
      fundingTime: '1767600000000',
      nextFundingTime: '1767614400000',
      ...changes,
    };
  }

  private createOrder(fields: Record<string, string>) {
    const known = this.orders.get(fields.clientOrderId!);
    if (known !== undefined) return { orderId: known.orderId };
    const orderId = String(564814927928230000 + this.orders.size);
    this.orders.set(fields.clientOrderId!, { body: fields, orderId, status: 'OPEN' });
    return { orderId };
  }

  private orderRow({ body, orderId, status }: SentOrder) {
    return {
      id: orderId,
      clientOrderId: String(body.clientOrderId),
      contractId: String(body.contractId),
      status,
      size: String(body.size),
      cumFillSize: '0',
      cancelReason: status === 'CANCELED' ? 'USER_CANCELED' : '',
    };
  }
}

/** Data in which prices and steps are no numbers, where that is the fault. */
function broken(data: unknown, fault: Fault | null | undefined): unknown {
  if (fault !== 'nan') return data;
  const text = JSON.stringify(data);
  return JSON.parse(text.replaceAll(/"(close|oraclePrice|tickSize|fundingRate)":"[^"]*"/g, '"$1":"NaN"'));
}
