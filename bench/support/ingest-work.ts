import { createHmac } from 'node:crypto';

/** What every contender of the ingest benchmark is given, and what the load is made of. */
export const SECRET = 'bench-secret-in-the-address-0001';
export const SIGNING_KEY = 'bench-signing-key-of-thirty-two-b';
export const STREAM_LENGTH_MOST = 1_000_000;

export interface BenchConfig {
  readonly id: string;
  readonly stream: string;
  readonly symbol: string;
  readonly intervalMs: number;
}

export const CONFIGS: readonly BenchConfig[] = ['BTC', 'ETH', 'SOL', 'XRP'].flatMap((symbol) =>
  [1, 3, 5, 15].map((minutes) => ({
    id: `S1_RX68_${symbol}_${minutes}M`,
    stream: `s1.rx68.${symbol.toLowerCase()}.${minutes}m`,
    symbol,
    intervalMs: minutes * 60_000,
  })),
);

/**
 * The gate and the append as one script, as the peers send it for each request: the shortest way to the promise ours gives
 * (gate and entry are written together, or a crash between the two loses the bar).
 */
export const PEER_SCRIPT = `
local was = redis.call('GET', KEYS[1])
if was then return was == ARGV[1] and '=' or '~' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', 86400000)
return redis.call('XADD', KEYS[2], 'MAXLEN', '~', ${STREAM_LENGTH_MOST}, '*', 'config', ARGV[2], 'barTime', ARGV[3],
  'receivedAt', ARGV[4], 'body', ARGV[5], 'hash', ARGV[1])
`;

/** How many requests of a sender this minute, as the peers ask for each request: ours takes a few at a time out of shared buckets. */
export const PEER_LIMIT_SCRIPT = `
local many = redis.call('INCR', KEYS[1])
if many == 1 then redis.call('PEXPIRE', KEYS[1], 60000) end
return many
`;
export const PEER_LIMIT = 1_000_000_000;

/** One request in bytes as it goes over the wire; every twentieth repeats the one before. `isLast`: of its connection. */
export function requestBytes(n: number, port: number, nowMs: number, isLast: boolean): Buffer {
  const i = n % 20 === 19 ? n - 1 : n;
  const { id } = CONFIGS[i % CONFIGS.length]!;
  const close = 60_000 + (i % 997) / 10;
  const body = JSON.stringify({
    config_id: id,
    bar_time: (Math.floor(1_700_000_000_000 / 900_000) + Math.floor(i / CONFIGS.length)) * 900_000,
    open: 60_010.5,
    high: 60_200,
    low: 59_950.5,
    close,
    volume: 12.345,
    pine: {
      rsi14: 51.25,
      atr_pct: 0.00512,
      bb_pctb: 0.512,
      bb_width: 0.0123,
      macd: 0.00021,
      macd_signal: 0.0002,
      r1: 0.00013,
      ret: 0.0004,
    },
    sent_at: nowMs,
  });
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signature = createHmac('sha256', SIGNING_KEY).update(`${timestamp}.${body}`).digest('hex');
  return Buffer.from(
    `POST /webhook/${SECRET}/s1 HTTP/${isLast ? '1.0\r\nConnection: close' : '1.1'}\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
      `X-Timestamp: ${timestamp}\r\nX-Signature: sha256=${signature}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
