import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answersIn,
  BAR,
  bytesOf,
  type Endpoint,
  exchange,
  KEY,
  SECRET,
  send,
  startEndpoint,
  TOKEN,
} from './endpoint-kit.ts';

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint();
});
afterAll(() => endpoint.server.close());

/** Lines that a sender may put among the headers, harmless and not. */
const LINES = fc.constantFrom(
  'X-Other: 1',
  'x-other:',
  'X-Other : 1',
  ' folded',
  '\tfolded',
  'Content-Length: 5',
  'content-length: 0x5',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding : chunked',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Expect: 100-continue',
  'Expect: x',
  'Host: other',
  'Host:',
  'X-Signature: x',
  'X-Timestamp: 1',
  'Content-Type: text/plain',
  'Content-Type: x/y',
  'Content-Encoding: gzip',
  'X-Forwarded-For: 1.2.3.4',
  'X-\u00e9: 1',
  'X-Other: \u00e9',
  'X-Other: \u0001',
  'X-Other: a\rb',
  ': 1',
  'x',
  '__proto__: 1',
  'constructor: 1',
  'TE: trailers',
  'Trailer: x',
  'Keep-Alive: timeout=1',
  `X-Long: ${'x'.repeat(9_000)}`,
);

const BYTES = bytesOf({ body: JSON.stringify({ ...BAR, pine: { rsi14: 55.5 } }) }).toString('latin1');
const HEAD = BYTES.slice(0, BYTES.indexOf('\r\n\r\n'));
const BODY = BYTES.slice(HEAD.length + 4);

/** Both ways through the server: in one piece, and cut so that node:http reads it from its first byte on. */
async function bothWays(text: string): Promise<[quick: string, full: string]> {
  const bytes = Buffer.from(text, 'latin1');
  // What waits for more would wait for long: the end of a second request ends every wait.
  const closing = Buffer.from('GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const short = (answer: string) =>
    answersIn(answer)
      .map(({ status, body }) => `${status} ${body.error ?? body.duplicate}`)
      .join(', ');
  const [quick, full] = await Promise.all([
    exchange(endpoint.port, [bytes, closing], 9),
    exchange(endpoint.port, [bytes.subarray(0, 3), bytes.subarray(3), closing], 9),
  ]);
  return [short(quick), short(full)];
}

describe('hostile senders', () => {
  it('are judged alike by the quick reader and by node:http', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(LINES, fc.nat(7)), { maxLength: 2 }), async (lines) => {
        const head = HEAD.split('\r\n');
        for (const [line, at] of lines) head.splice(1 + (at % head.length), 0, line);
        const [quick, full] = await bothWays(`${head.join('\r\n')}\r\n\r\n${BODY}`);
        expect(quick).toBe(full);
      }),
      { numRuns: 120 },
    );
  });

  it('are judged alike when bytes are changed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(BYTES.length - 1),
        fc.nat(3),
        fc.uint8Array({ maxLength: 3 }),
        async (at, gone, put) => {
          const text = BYTES.slice(0, at) + Buffer.from(put).toString('latin1') + BYTES.slice(at + gone);
          const [quick, full] = await bothWays(text);
          expect(quick).toBe(full);
        },
      ),
      { numRuns: 120 },
    );
  });

  it('have left the endpoint as it was, and no secret in its log', async () => {
    expect((await send(endpoint.port, {})).status).toBe(202);
    await expect.poll(() => endpoint.server.snapshot().inFlight).toBe(0);
    const log = JSON.stringify(endpoint.notes);
    for (const secret of [SECRET, KEY, TOKEN, '/webhook']) expect(log).not.toContain(secret);
    expect(endpoint.notes.length).toBeGreaterThan(10);
  });
});
