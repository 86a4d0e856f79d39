import { afterEach, describe, expect, it } from 'vitest';
import {
  MemoryBuckets,
  type Offered,
  readBarBody,
  WebhookServer,
  type WebhookServerOptions,
} from '#adapters';
import {
  answersIn,
  BAR,
  bytesOf,
  CONFIGS,
  DESKS,
  type Endpoint,
  exchange,
  KEY,
  NOW,
  OLD_KEY,
  OLD_SECRET,
  OPEN_AT,
  QUARTER,
  ScriptedStreams,
  SECRET,
  type Sent,
  send,
  startEndpoint,
  TOKEN,
} from './endpoint-kit.ts';

const open: Endpoint[] = [];
async function start(given: Partial<WebhookServerOptions> = {}): Promise<Endpoint> {
  const endpoint = await startEndpoint(given);
  open.push(endpoint);
  return endpoint;
}
afterEach(async () => {
  for (const { server } of open.splice(0)) await server.close();
});

const json = (value: unknown) => JSON.stringify(value);
const bar = (change: object) => json({ ...BAR, ...change });
const path = (secret: string, desk = 's1') => `/webhook/${secret}/${desk}`;
const seconds = (ms: number) => String(Math.floor(ms / 1_000));
/** A fault whose words hold what nobody may read. */
function fault(): never {
  throw new Error(`no ${SECRET}`);
}
const later = <T>(work: () => T): Promise<T> => Promise.resolve().then(work);
const UNSIGNED: Partial<WebhookServerOptions> = { requireHmac: false, allowedAddresses: ['127.0.0.1'] };
const PROXIED: Partial<WebhookServerOptions> = {
  requireHmac: false,
  allowedAddresses: ['52.89.214.238', '2001:db8::/32'],
  trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'],
};

/** What is sent, and the status and word that come back. */
const TABLE: [
  name: string,
  sent: Sent,
  status: number,
  error: string | null,
  options?: Partial<WebhookServerOptions>,
][] = [
  ['a signed bar', {}, 202, null],
  ['the secret before', { path: path(OLD_SECRET) }, 202, null],
  ['the key before', { key: OLD_KEY }, 202, null],
  ['a desk by its name', { path: path(SECRET, 's1-rx68-btc-15m') }, 202, null],
  [
    'a desk of one config, which the body need not name',
    { path: path(SECRET, 's1-rx68-btc-15m'), body: bar({ config_id: undefined }) },
    202,
    null,
  ],
  ['text/plain', { headers: { 'Content-Type': 'text/plain; charset=utf-8' } }, 202, null],
  ['a query behind the address', { path: `${path(SECRET)}?from=tv` }, 202, null],
  [
    'a signature and no time',
    { headers: { 'X-Signature': `sha256=${'0'.repeat(64)}` }, key: null },
    401,
    'unsigned',
  ],
  ['numbers as texts', { body: bar({ open: '100.0', volume: '1e1' }) }, 202, null],
  ['an ISO time', { body: bar({ bar_time: new Date(OPEN_AT).toISOString() }) }, 202, null],
  ['a time in digits', { body: bar({ bar_time: String(OPEN_AT) }) }, 202, null],
  ['an old bar', { body: bar({ bar_time: OPEN_AT - 400 * QUARTER }) }, 202, null],
  ['a bar that closes now', { body: bar({ bar_time: OPEN_AT + QUARTER }) }, 422, 'not-closed'],
  ['no address of ours', { path: '/' }, 404, 'path'],
  ['an address without a desk', { path: `/webhook/${SECRET}` }, 404, 'path'],
  ['another method', { method: 'PUT' }, 405, 'method'],
  ['GET', { method: 'GET', body: '' }, 405, 'method'],
  ['a wrong secret', { path: path('the-secret-of-the-address-2') }, 401, 'secret'],
  ['the beginning of the secret', { path: path(SECRET.slice(0, -1)) }, 401, 'secret'],
  ['the secret and more', { path: path(`${SECRET}0`) }, 401, 'secret'],
  ['an unknown desk', { path: path(SECRET, 's2') }, 404, 'desk'],
  ['another type', { headers: { 'Content-Type': 'application/xml' } }, 415, 'type'],
  ['a compressed body', { headers: { 'Content-Encoding': 'gzip' } }, 415, 'type'],
  ['no signature', { key: null }, 401, 'unsigned'],
  ['a signature of another form', { headers: { 'X-Signature': 'sha256=abc' } }, 401, 'signature'],
  [
    'a signature without its time',
    { headers: { 'X-Signature': `sha256=${'0'.repeat(64)}`, 'X-Timestamp': '' } },
    401,
    'signature',
  ],
  ['a signature by another key', { key: 'another-signing-key' }, 401, 'signature'],
  [
    'a signature of another body',
    { headers: { 'X-Signature': `sha256=${'a'.repeat(64)}` } },
    401,
    'signature',
  ],
  ['exactly 300 s late', { timestamp: seconds(NOW - 300_000) }, 202, null],
  ['301 s late', { timestamp: seconds(NOW - 301_000) }, 401, 'timestamp'],
  ['exactly 300 s early', { timestamp: seconds(NOW + 300_000) }, 202, null],
  ['301 s early', { timestamp: seconds(NOW + 301_000) }, 401, 'timestamp'],
  ['a time in milliseconds', { timestamp: String(NOW) }, 401, 'signature'],
  ['a negative time', { timestamp: '-1' }, 401, 'signature'],
  ['no JSON', { body: 'BTC 60000' }, 400, 'json'],
  ['no body', { body: '' }, 400, 'json'],
  ['a list', { body: '[]' }, 400, 'json'],
  ['a number', { body: '1' }, 400, 'json'],
  [
    'a timeframe that is an object',
    { body: json({ symbol: 'BTC', tf: { toString: 1 }, bar_time: OPEN_AT }) },
    422,
    'config',
  ],
  [
    'a timeframe that is very deep',
    { body: `{"symbol":"BTC","tf":${'['.repeat(30_000)}${']'.repeat(30_000)}}` },
    422,
    'config',
  ],
  ['an unknown config', { body: bar({ config_id: 'S1_RX68_DOGE_15M' }) }, 422, 'config'],
  ['a config that is a name of objects', { body: bar({ config_id: '__proto__' }) }, 422, 'config'],
  [
    'a config of another desk',
    { path: path(SECRET, 's1-rx68-btc-15m'), body: bar({ config_id: 'S1_RX68_ETH_1M' }) },
    422,
    'config',
  ],
  ['no config for a desk of two', { body: bar({ config_id: undefined }) }, 422, 'config'],
  ['no time', { body: bar({ bar_time: undefined }) }, 422, 'bar-time'],
  ['a time in words', { body: bar({ bar_time: 'now' }) }, 422, 'bar-time'],
  ['a local time', { body: bar({ bar_time: '2023-11-14T22:15:00' }) }, 422, 'bar-time'],
  ['a time of another zone', { body: bar({ bar_time: '2023-11-14T22:15:00+07:00' }) }, 422, 'bar-time'],
  ['a time in seconds', { body: bar({ bar_time: OPEN_AT / 1_000 }) }, 422, 'bar-time'],
  ['half a millisecond', { body: bar({ bar_time: OPEN_AT + 0.5 }) }, 422, 'bar-time'],
  ['a time that is no multiple', { body: bar({ bar_time: OPEN_AT - 60_000 }) }, 422, 'bar-time'],
  ['a bar that is not closed', { body: bar({ bar_time: OPEN_AT + QUARTER }) }, 422, 'not-closed'],
  ['a bare NaN', { body: json(BAR).replace('"close":105', '"close":NaN') }, 422, 'not-a-number'],
  ['a bare Infinity', { body: json(BAR).replace('"close":105', '"close":-Infinity') }, 422, 'not-a-number'],
  ['NaN as text', { body: bar({ close: 'NaN' }) }, 422, 'not-a-number'],
  ['no volume', { body: bar({ volume: undefined }) }, 422, 'not-a-number'],
  ['a number beyond all', { body: json(BAR).replace('"close":105', '"close":1e999') }, 422, 'not-a-number'],
  ['a number with a tail', { body: bar({ close: '105 USD' }) }, 422, 'not-a-number'],
  ['high below low', { body: bar({ high: 80 }) }, 422, 'bar'],
  ['close above high', { body: bar({ close: 111 }) }, 422, 'bar'],
  ['a price of nothing', { body: bar({ low: 0 }) }, 422, 'bar'],
  ['less than no volume', { body: bar({ volume: -1 }) }, 422, 'bar'],
  ['no volume traded', { body: bar({ volume: 0 }) }, 202, null],
  [
    'Pine values',
    { body: bar({ pine: { rsi14: 55.5, signal: 'buy', ready: true, none: null } }) },
    202,
    null,
  ],
  ['Pine values in a tree', { body: bar({ pine: { rsi: { value: 1 } } }) }, 422, 'pine'],
  ['Pine values in a list', { body: bar({ pine: [1, 2] }) }, 422, 'pine'],
  ['a long Pine text', { body: bar({ pine: { note: 'x'.repeat(65) } }) }, 422, 'pine'],
  [
    'too many Pine values',
    { body: bar({ pine: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`p${i}`, i])) }) },
    422,
    'pine',
  ],
  ['a sending time in words', { body: bar({ sent_at: 'yesterday' }) }, 422, 'sent-at'],
  ['a body of the greatest length', { body: json(BAR).padEnd(1_000) }, 202, null, { bodyBytesMost: 1_000 }],
  ['a body one byte longer', { body: json(BAR).padEnd(1_001) }, 413, 'size', { bodyBytesMost: 1_000 }],
  ['a body far too long', { body: ' '.repeat(300_000) }, 413, 'size'],
  ['unsigned from an allowed address', { key: null }, 202, null, UNSIGNED],
  ['signed in spite of that', {}, 202, null, UNSIGNED],
  ['wrongly signed in spite of that', { key: 'another-signing-key' }, 401, 'signature', UNSIGNED],
  [
    'unsigned from another address',
    { key: null },
    403,
    'address',
    { ...UNSIGNED, allowedAddresses: ['10.0.0.1'] },
  ],
  ['signed from another address', {}, 202, null, { ...UNSIGNED, allowedAddresses: ['10.0.0.1'] }],
  ['unsigned without the token', { key: null }, 401, 'token', { ...UNSIGNED, bodyTokens: [TOKEN] }],
  [
    'unsigned with a wrong token',
    { key: null, body: bar({ token: 'the-token-in-the-bodx' }) },
    401,
    'token',
    { ...UNSIGNED, bodyTokens: [TOKEN] },
  ],
  [
    'unsigned with a token that is no text',
    { key: null, body: bar({ token: 1 }) },
    401,
    'token',
    { ...UNSIGNED, bodyTokens: [TOKEN] },
  ],
  [
    'unsigned with the token',
    { key: null, body: bar({ token: TOKEN }) },
    202,
    null,
    { ...UNSIGNED, bodyTokens: ['another-token', TOKEN] },
  ],
  ['signed without the token', {}, 202, null, { ...UNSIGNED, bodyTokens: [TOKEN] }],
  [
    'a sender behind the proxy',
    { key: null, headers: { 'X-Forwarded-For': '52.89.214.238' } },
    202,
    null,
    PROXIED,
  ],
  [
    'one behind two proxies',
    { key: null, headers: { 'X-Forwarded-For': '52.89.214.238, 10.1.1.1' } },
    202,
    null,
    PROXIED,
  ],
  ['one in IPv6', { key: null, headers: { 'X-Forwarded-For': '2001:db8::7' } }, 202, null, PROXIED],
  [
    'one that says it is somebody else',
    { key: null, headers: { 'X-Forwarded-For': '52.89.214.238, 6.6.6.6' } },
    403,
    'address',
    PROXIED,
  ],
  ['a proxy that says nothing', { key: null }, 403, 'address', PROXIED],
  [
    'a proxy that says nonsense',
    { key: null, headers: { 'X-Forwarded-For': 'unknown' } },
    403,
    'sender',
    PROXIED,
  ],
  [
    'somebody who is no proxy of ours',
    { key: null, headers: { 'X-Forwarded-For': '52.89.214.238' } },
    403,
    'address',
    { ...PROXIED, trustedProxies: [] },
  ],
];

describe('what the endpoint answers', () => {
  it.each(TABLE)('%s', async (_, sent, status, error, options) => {
    const { port, streams, server, notes } = await start(options);
    // In one piece and in two: the quick reader and node:http must judge alike.
    for (const isCut of [false, true]) {
      const told = await send(port, sent, isCut);
      expect({ status: told.status, error: told.body.error ?? null }).toEqual({ status, error });
      expect(told.headers['content-type']).toContain('application/json');
      if (error !== null) expect(String(told.body.mend).length).toBeGreaterThan(5);
    }
    expect(streams.offered).toHaveLength(status === 202 ? 2 : 0);
    expect(notes.filter(({ kind }) => kind !== 'unlisted-proxy')).toHaveLength(status === 202 ? 0 : 2);
    for (const secret of [SECRET, OLD_SECRET, KEY, OLD_KEY, TOKEN, 'the-', 'webhook/', 'another']) {
      expect(json(notes)).not.toContain(secret);
    }
    expect(server.snapshot()).toMatchObject(
      status === 202 ? { accepted: 2, refused: {} } : { accepted: 0, refused: { [error!]: 2 } },
    );
  });

  it.each([
    ['at the buckets', { buckets: { take: () => fault() } }, 500],
    ['at the buckets, later', { buckets: { take: () => later(() => fault()) } }, 503],
    ['at the clock', { now: () => fault() }, 500],
    ['when it is noted', { note: () => fault(), signingKeys: ['another-signing-key'] }, null],
  ] as [string, Partial<WebhookServerOptions>, number | null][])(
    'ends with the request when we fail %s',
    async (_, given, status) => {
      const { port, notes, server } = await start(given);
      for (const isCut of [false, true]) {
        const told = await send(port, {}, isCut).catch(() => null);
        expect(told?.status ?? null).toBe(status);
      }
      await expect.poll(() => server.snapshot().inFlight).toBe(0);
      expect((await send(port, { method: 'GET', path: '/health', body: '' })).status).toBe(200);
      if (status === 500) {
        expect(notes[0]).toMatchObject({
          kind: 'failed',
          where: expect.stringMatching(/^Error in .*\.ts:\d+/),
        });
        expect(server.snapshot().refused).toEqual({ fault: 2 });
      }
      expect(json(notes)).not.toContain(SECRET);
    },
  );

  it('ends with the request when the queue fails in the same turn', async () => {
    const { port, streams } = await start();
    streams.offer = () => fault();
    const told = await send(port, {});
    expect([told.status, told.body.error]).toEqual([500, 'fault']);
  });

  it('says what other methods are for', async () => {
    const { port } = await start();
    expect((await send(port, { method: 'GET', body: '' })).headers.allow).toBe('POST');
  });

  it('queues the bar under the stream of its config', async () => {
    const { port, streams } = await start();
    await send(port, { body: bar({ pine: { rsi14: 55.5 }, sent_at: NOW - 5, token: TOKEN }) });
    const { stream, entry } = streams.offered[0]!;
    expect(stream).toBe('s1.rx68.btc.15m');
    expect(entry).toMatchObject({ config: 'S1_RX68_BTC_15M', barTime: OPEN_AT, receivedAt: NOW });
    expect(readBarBody(entry.body)).toEqual({
      config: 'S1_RX68_BTC_15M',
      barTime: OPEN_AT,
      open: 100,
      high: 110,
      low: 90,
      close: 105,
      volume: 12.5,
      pine: { rsi14: 55.5 },
      sentAt: NOW - 5,
    });
    expect(entry.body).not.toContain(TOKEN);
  });

  it('gives a repetition the same hash, and another bar another', async () => {
    const { port, streams } = await start();
    await send(port, { body: bar({ sent_at: NOW - 5 }) });
    await send(port, {
      body: bar({ sent_at: NOW - 1, bar_time: new Date(OPEN_AT).toISOString(), open: '100.0' }),
    });
    await send(port, { body: bar({ close: 104 }) });
    await send(port, { body: bar({ pine: { rsi14: 1 } }) });
    const hashes = streams.offered.map(({ entry }) => entry.hash);
    expect(hashes[1]).toBe(hashes[0]);
    expect(new Set(hashes).size).toBe(3);
  });

  it('takes the short form, NaN among its Pine values included', async () => {
    const { port, streams } = await start();
    const body = `{"v":1,"script":"S1_RX68_BTC_MOM","symbol":"BINANCE:BTCUSDT.P","tf":"15","bar_time":"2023-11-14T22:15:00Z",
      "o":100,"h":110,"l":90,"c":105,"vol":12.5,"rsi":NaN,"atr":1.5,"signal":"NaN","token":"${TOKEN}"}`;
    expect((await send(port, { body })).status).toBe(202);
    expect((await send(port, { body: body.replace('BINANCE:BTCUSDT.P', 'XBTUSD') })).status).toBe(202);
    expect((await send(port, { body: body.replace('BINANCE:BTCUSDT.P', 'DOGEUSDT') })).status).toBe(422);
    expect((await send(port, { body: body.replace('"tf":"15"', '"tf":"D"') })).status).toBe(422);
    const record = readBarBody(streams.offered[0]!.entry.body);
    expect(record).toMatchObject({
      config: 'S1_RX68_BTC_15M',
      barTime: OPEN_AT,
      open: 100,
      close: 105,
      volume: 12.5,
    });
    expect(record.pine).toEqual({ rsi: null, atr: 1.5, signal: null });
  });

  it('answers only once the queue has it', async () => {
    const { port, streams } = await start();
    let settle = (_: Offered) => {};
    streams.next = new Promise((done) => {
      settle = done;
    });
    let isAnswered = false;
    const told = send(port, {}).then((answer) => {
      isAnswered = true;
      return answer;
    });
    await expect.poll(() => streams.offered.length).toBe(1);
    expect(isAnswered).toBe(false);
    settle({ kind: 'queued', id: '1' });
    expect((await told).status).toBe(202);
  });

  it.each([
    [{ kind: 'duplicate', differs: false }, 200, { ok: true, duplicate: true }, []],
    [{ kind: 'duplicate', differs: true }, 200, { ok: true, duplicate: true }, ['differs']],
    [{ kind: 'full', length: 9 }, 503, { error: 'full' }, ['refused']],
    ['away', 503, { error: 'away' }, ['refused']],
  ] as const)('passes on what the queue says: %o', async (next, status, body, noted) => {
    const { port, streams, notes, server } = await start();
    streams.next = next;
    const told = await send(port, {});
    expect(told.status).toBe(status);
    expect(told.body).toMatchObject(body);
    expect(told.headers['retry-after']).toEqual(status === 503 ? expect.stringMatching(/^\d+$/) : undefined);
    expect(notes.map(({ kind }) => kind)).toEqual(noted);
    expect(server.snapshot().queue.isAway).toBe(next === 'away');
  });

  it('slows down one sender and no other', async () => {
    const { port } = await start({ ...PROXIED, buckets: new MemoryBuckets({ burst: 2, perSecond: 0.001 }) });
    const from = (address: string) => send(port, { key: null, headers: { 'X-Forwarded-For': address } });
    expect((await from('52.89.214.238')).status).toBe(202);
    expect((await from('52.89.214.238')).status).toBe(202);
    const third = await from('52.89.214.238');
    expect([third.status, third.body.error, third.headers['retry-after']]).toEqual([429, 'rate', '1000']);
    expect((await from('2001:db8::1')).status).toBe(202);
  });

  it('limits guesses of the secret, and nobody who knows it for them', async () => {
    const { port } = await start({ buckets: new MemoryBuckets({ burst: 3, perSecond: 0.001 }) });
    const guess = () => send(port, { path: path('a-guess-of-the-secret') });
    expect((await Promise.all([guess(), guess(), guess()])).map(({ status }) => status)).toEqual([
      401, 401, 401,
    ]);
    expect((await guess()).status).toBe(429);
    // from the same address, as behind a proxy that is not listed
    expect((await send(port, {})).status).toBe(202);
    expect((await send(port, {})).status).toBe(202);
    expect((await send(port, {})).status).toBe(202);
    expect((await send(port, {})).status).toBe(429);
  });

  it('says once that a proxy is not listed, and only where the secret is right', async () => {
    const forwarded = { headers: { 'X-Forwarded-For': '192.0.2.7' } };
    const { port, notes } = await start();
    await send(port, { ...forwarded, path: path('a-guess-of-the-secret') });
    await send(port, {});
    expect(notes.map(({ kind }) => kind)).toEqual(['refused']);
    for (let n = 0; n < 2; n++) expect((await send(port, forwarded)).status).toBe(202);
    expect(notes.slice(1)).toEqual([{ kind: 'unlisted-proxy', proxy: '127.0.0.1' }]);
    const listed = await start({ trustedProxies: ['127.0.0.1'] });
    await send(listed.port, forwarded);
    expect(listed.notes).toEqual([]);
  });

  it('gives an unknown secret a mark that is the same each time and says nothing of it', async () => {
    const { port, notes } = await start();
    for (const guess of ['a-guess-of-the-secret', 'a-guess-of-the-secret', 'another-guess']) {
      await send(port, { path: path(guess) });
    }
    const marks = notes.map((note) => (note.kind === 'refused' ? note.secret : null));
    expect(marks[0]).toMatch(/^[0-9a-f]{8}$/);
    expect(marks[1]).toBe(marks[0]);
    expect(marks[2]).not.toBe(marks[0]);
  });

  it('writes no more lines than a log bears', async () => {
    const { port, notes, server } = await start();
    for (let n = 0; n < 80; n++) await send(port, { path: path('a-guess-of-the-secret') });
    expect(notes.length).toBeLessThan(60);
    expect(server.snapshot().refused.secret).toBe(80);
  });

  it('takes no more at a time than it was told', async () => {
    const { port, streams } = await start({ inFlightMost: 2 });
    let settle = (_: Offered) => {};
    streams.next = new Promise((done) => {
      settle = done;
    });
    const two = [send(port, {}), send(port, {}, true)];
    await expect.poll(() => streams.offered.length).toBe(2);
    expect((await send(port, {})).body.error).toBe('busy');
    settle({ kind: 'queued', id: '1' });
    expect((await Promise.all(two)).map(({ status }) => status)).toEqual([202, 202]);
    streams.next = null;
    expect((await send(port, {})).status).toBe(202);
  });

  it('tells its health and counts', async () => {
    const { port, server, streams } = await start();
    await send(port, {});
    const health = await send(port, { method: 'GET', path: '/health', body: '', key: null });
    expect(health.status).toBe(200);
    expect(health.body).toEqual({ ok: true, queue: 'embedded', state: 'ready', waiting: 4, pending: 2 });
    streams.next = 'away';
    await send(port, {});
    expect((await send(port, { method: 'GET', path: '/health', body: '', key: null })).status).toBe(503);
    const { latency, byConfig, inFlight } = server.snapshot();
    expect(latency.counts.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(byConfig).toEqual({ S1_RX68_BTC_15M: 1 });
    expect(inFlight).toBe(0);
  });

  it('answers what is at work when it closes, and takes nothing new', async () => {
    const { port, server, streams } = await start();
    let settle = (_: Offered) => {};
    streams.next = new Promise((done) => {
      settle = done;
    });
    const asked = [send(port, {}), send(port, {}, true)];
    await expect.poll(() => streams.offered.length).toBe(2);
    const closed = server.close();
    settle({ kind: 'queued', id: '1' });
    for (const told of await Promise.all(asked)) {
      expect(told.status).toBe(202);
    }
    await closed;
    await expect(send(port, {})).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a connection', () => {
  it('carries one request after the other', async () => {
    const { port, streams } = await start();
    const text = await exchange(port, [bytesOf({}), bytesOf({ body: 'x' }), bytesOf({})], 3);
    expect(answersIn(text).map(({ status }) => status)).toEqual([202, 400, 202]);
    expect(answersIn(text)[0]!.headers).toMatchObject({
      connection: 'keep-alive',
      date: expect.stringContaining('GMT'),
    });
    expect(streams.offered).toHaveLength(2);
  });

  it('answers requests that came together in their order', async () => {
    const { port } = await start();
    const three = Buffer.concat([bytesOf({}), bytesOf({ path: '/' }), bytesOf({})]);
    expect(answersIn(await exchange(port, [three], 3)).map(({ status }) => status)).toEqual([202, 404, 202]);
  });

  it('answers a request that came before the last one was answered', async () => {
    const { port, streams } = await start();
    let settle = (_: Offered) => {};
    streams.next = new Promise((done) => {
      settle = done;
    });
    const bytes = bytesOf({ path: '/' });
    const text = exchange(port, [bytesOf({}), bytes.subarray(0, 30), bytes.subarray(30)], 2);
    await expect.poll(() => streams.offered.length).toBe(1);
    await new Promise((later) => setTimeout(later, 30));
    settle({ kind: 'queued', id: '1' });
    expect(answersIn(await text).map(({ status }) => status)).toEqual([202, 404]);
  });

  it('reads a body byte by byte, in chunks, and held back', async () => {
    const { port } = await start();
    const bytes = bytesOf({});
    const many = Array.from({ length: 12 }, (_, i) =>
      bytes.subarray((i * bytes.length) / 12, ((i + 1) * bytes.length) / 12),
    );
    expect(answersIn(await exchange(port, many))[0]!.status).toBe(202);
    const body = json(BAR);
    const chunked = bytesOf({ headers: { 'Transfer-Encoding': 'chunked' } })
      .toString()
      .replace(/Content-Length: \d+\r\n/, '')
      .replace(body, `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    expect(answersIn(await exchange(port, [Buffer.from(chunked)]))[0]!.status).toBe(202);
    const heldBack = bytesOf({ headers: { Expect: '100-continue' } });
    const at = heldBack.indexOf('\r\n\r\n') + 4;
    const text = await exchange(port, [heldBack.subarray(0, at), heldBack.subarray(at)]);
    expect(text).toContain('HTTP/1.1 100 Continue');
    expect(answersIn(text)[0]!.status).toBe(202);
    const refused = bytesOf({ path: path('a-guess-of-the-secret'), headers: { Expect: '100-continue' } });
    const told = answersIn(await exchange(port, [refused.subarray(0, refused.indexOf('\r\n\r\n') + 4)]))[0]!;
    expect([told.status, told.headers.connection]).toEqual([401, 'close']);
  });

  it('answers the last request of a connection, whatever is sent behind it', async () => {
    const { port, streams, server } = await start();
    let settle = (_: Offered) => {};
    streams.next = new Promise((done) => {
      settle = done;
    });
    const told = exchange(port, [
      bytesOf({ headers: { Connection: 'close' } }),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ]);
    await expect.poll(() => streams.offered.length).toBe(1);
    await new Promise((later) => setTimeout(later, 50));
    settle({ kind: 'queued', id: '1' });
    expect(answersIn(await told).map(({ status }) => status)).toEqual([202]);
    expect(server.snapshot().malformed).toBe(0);
  });

  it('ends when its sender wants it to, or speaks HTTP/1.0', async () => {
    const { port } = await start();
    const [told] = answersIn(await exchange(port, [bytesOf({ headers: { Connection: 'close' } })]));
    expect([told!.status, told!.headers.connection]).toEqual([202, 'close']);
    const old = Buffer.from(bytesOf({}).toString('latin1').replace('HTTP/1.1', 'HTTP/1.0'), 'latin1');
    expect(answersIn(await exchange(port, [old]))[0]!.status).toBe(202);
  });

  it('that goes away before its answer is counted, and the bar is kept', async () => {
    const { port, streams, server } = await start();
    let settle = (_: Offered) => {};
    streams.next = new Promise((done) => {
      settle = done;
    });
    for (const pieces of [[bytesOf({})], [bytesOf({}).subarray(0, 9), bytesOf({}).subarray(9)]]) {
      const { connect } = await import('node:net');
      const before = streams.offered.length;
      const socket = connect(port, '127.0.0.1');
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((later) => setTimeout(later, 10));
      }
      await expect.poll(() => streams.offered.length).toBe(before + 1);
      socket.resetAndDestroy();
    }
    await expect.poll(() => server.snapshot().broken).toBe(2);
    settle({ kind: 'queued', id: '1' });
    expect((await send(port, {})).status).toBe(202);
    expect(server.snapshot().inFlight).toBe(0);
  });

  it('that brings no HTTP is refused without a word of it', async () => {
    const { port, server } = await start();
    expect(await exchange(port, [Buffer.from('\x16\x03\x01\x02\x00\x01\x00')])).toContain('400 Bad Request');
    expect(await exchange(port, [Buffer.from(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`)])).toContain(
      '431',
    );
    expect(server.snapshot().malformed).toBe(2);
  });
});

describe('the settings', () => {
  const made = (given: Partial<WebhookServerOptions>) => () =>
    new WebhookServer({
      streams: new ScriptedStreams(),
      group: 'workers',
      configs: CONFIGS,
      desks: DESKS,
      secrets: [SECRET],
      signingKeys: [KEY],
      ...given,
    });
  it.each<[string, Partial<WebhookServerOptions>, RegExp]>([
    ['no secret', { secrets: [] }, /no secret/],
    ['a short secret', { secrets: ['short'] }, /cannot be used/],
    ['a secret with a slash', { secrets: ['half-a/secret'] }, /cannot be used/],
    ['three secrets', { secrets: [SECRET, OLD_SECRET, `${SECRET}3`] }, /there are 3/],
    ['no key', { signingKeys: [] }, /no signing key/],
    ['three keys', { signingKeys: [KEY, OLD_KEY, `${KEY}3`] }, /more than two signing keys/],
    ['a short key', { signingKeys: ['short'] }, /shorter than 8/],
    ['neither signature nor addresses', { requireHmac: false }, /no address is allowed/],
    ['an address that is none', { allowedAddresses: ['example.org'] }, /no address/],
    ['a network that is none', { trustedProxies: ['10.0.0.0/33'] }, /no address/],
    ['a desk with an unknown config', { desks: [{ name: 's1', configs: ['S2'] }] }, /no config/],
    ['a desk that cannot end an address', { desks: [{ name: 'a/b', configs: [] }] }, /cannot end/],
    [
      'a config without its stream',
      { configs: [...CONFIGS, { id: 'X', stream: 'x', symbol: 'X', intervalMs: 60_000 }] },
      /not one of the queue/,
    ],
    ['a config twice', { configs: [...CONFIGS, ...CONFIGS] }, /twice/],
  ])('refuse %s', (_, given, words) => {
    expect(made(given)).toThrow(words);
  });

  it('allow none of these to be missing by default', () => {
    expect(made({})).not.toThrow();
  });
});
