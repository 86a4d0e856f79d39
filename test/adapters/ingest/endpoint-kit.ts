import { connect } from 'node:net';
import {
  type BarEntry,
  type BarReader,
  type BarStreams,
  MemoryBuckets,
  type Offered,
  STREAM_LIMITS,
  StreamsAway,
  signatureHeader,
  type WebhookNote,
  WebhookServer,
  type WebhookServerOptions,
} from '#adapters';

export const SECRET = 'the-secret-of-the-address-1';
export const OLD_SECRET = 'the-secret-of-the-address-0';
export const KEY = 'the-signing-key-of-the-relay-1';
export const OLD_KEY = 'the-signing-key-of-the-relay-0';
export const TOKEN = 'the-token-in-the-body';
export const QUARTER = 900_000;
export const OPEN_AT = 1_700_000_100_000;
/** A second after the bar of {@link OPEN_AT} closed. */
export const NOW = OPEN_AT + QUARTER + 1_000;

export const CONFIGS = [
  {
    id: 'S1_RX68_BTC_15M',
    stream: 's1.rx68.btc.15m',
    symbol: 'BTC',
    intervalMs: QUARTER,
    tickers: ['XBTUSD'],
  },
  { id: 'S1_RX68_ETH_1M', stream: 's1.rx68.eth.1m', symbol: 'ETH', intervalMs: 60_000 },
];
export const DESKS = [
  { name: 's1', configs: ['S1_RX68_BTC_15M', 'S1_RX68_ETH_1M'] },
  { name: 's1-rx68-btc-15m', configs: ['S1_RX68_BTC_15M'] },
];

/** A queue that notes what it is offered and does as it is told. */
export class ScriptedStreams implements BarStreams {
  readonly kind = 'embedded';
  readonly durability = 'none';
  readonly isDurable = false;
  readonly limits = STREAM_LIMITS;
  readonly streams = CONFIGS.map(({ stream }) => stream);
  readonly offered: { stream: string; entry: BarEntry }[] = [];
  next: Offered | 'away' | Promise<Offered> | null = null;

  async offer(stream: string, entry: BarEntry): Promise<Offered> {
    this.offered.push({ stream, entry });
    if (this.next === 'away') throw new StreamsAway('gone');
    return this.next ?? { kind: 'queued', id: String(this.offered.length) };
  }
  async depth() {
    return this.streams.map((stream) => ({ stream, length: 3, waiting: 2, pending: 1 }));
  }
  async reader(): Promise<BarReader> {
    throw new StreamsAway('nobody reads here');
  }
  async deadCount() {
    return 0;
  }
  async deadLetters() {
    return [];
  }
  async revive() {
    return false;
  }
  async close() {}
}

export interface Endpoint {
  readonly server: WebhookServer;
  readonly streams: ScriptedStreams;
  readonly notes: WebhookNote[];
  readonly port: number;
}

export async function startEndpoint(given: Partial<WebhookServerOptions> = {}): Promise<Endpoint> {
  const streams = new ScriptedStreams();
  const notes: WebhookNote[] = [];
  const server = new WebhookServer({
    streams,
    group: 'workers',
    configs: CONFIGS,
    desks: DESKS,
    secrets: [SECRET, OLD_SECRET],
    signingKeys: [KEY, OLD_KEY],
    buckets: new MemoryBuckets({ burst: 1e6, perSecond: 1e6 }),
    now: () => NOW,
    note: (note) => notes.push(note),
    ...given,
  });
  const { port } = await server.listen(0);
  return { server, streams, notes, port };
}

export const BAR = {
  config_id: 'S1_RX68_BTC_15M',
  bar_time: OPEN_AT,
  open: 100,
  high: 110,
  low: 90,
  close: 105,
  volume: 12.5,
};

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sign with this key; null leaves the signature out. */
  readonly key?: string | null;
  readonly timestamp?: string;
}

export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Record<string, unknown>;
}

/** The bytes of a request. */
export function bytesOf(sent: Sent): Buffer {
  const { method = 'POST', path = `/webhook/${SECRET}/s1`, key = KEY, headers = {} } = sent;
  const body = Buffer.from(sent.body ?? JSON.stringify(BAR));
  const timestamp = sent.timestamp ?? String(NOW / 1_000);
  const signed: Record<string, string> =
    key === null ? {} : { 'X-Signature': signatureHeader(key, timestamp, body), 'X-Timestamp': timestamp };
  const all: Record<string, string> = {
    Host: 'loopback',
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    ...signed,
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), body]);
}

/**
 * Sends bytes, in pieces of which each waits for the one before to leave, and gives what comes back until an answer is
 * whole or the other side ends.
 */
export function exchange(port: number, pieces: readonly Buffer[], answers = 1): Promise<string> {
  return new Promise((done, failed) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    const finish = () => {
      socket.destroy();
      done(text);
    };
    socket.on('connect', async () => {
      for (const piece of pieces) {
        await new Promise((gone) => socket.write(piece, gone));
        if (pieces.length > 1) await new Promise((later) => setTimeout(later, 3));
      }
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (answersIn(text).length >= answers) finish();
    });
    socket.on('error', (error) => (text === '' ? failed(error) : finish()));
    socket.on('close', finish);
  });
}

/** The whole answers in a text, informational ones left out. */
export function answersIn(text: string): Told[] {
  const all: Told[] = [];
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return all;
    const [line = '', ...lines] = text.slice(at, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((one) => [
        one.slice(0, one.indexOf(':')).toLowerCase(),
        one.slice(one.indexOf(':') + 1).trim(),
      ]),
    );
    const length = Number(headers['content-length'] ?? 0);
    const body = text.slice(end + 4, end + 4 + length);
    if (body.length < length) return all;
    const status = Number(line.slice(9, 12));
    if (status >= 200) all.push({ status, headers, body: body === '' ? {} : JSON.parse(body) });
    at = end + 4 + length;
  }
}

/** Sends one request in one piece, or in two, which takes the other way through the server. */
export async function send(port: number, sent: Sent, isCut = false): Promise<Told> {
  const bytes = bytesOf(sent);
  const pieces = isCut ? [bytes.subarray(0, 20), bytes.subarray(20)] : [bytes];
  const [told] = answersIn(await exchange(port, pieces));
  if (told === undefined) throw new Error('no answer');
  return told;
}
