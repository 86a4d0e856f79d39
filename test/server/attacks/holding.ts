import { describe, expect, it } from 'vitest';
import type { Siege } from './siege.ts';
import { bearer, raw, statusIn, World } from './world.ts';

export function holding(siege: Siege): void {
  describe('holding on', () => {
    it('to connections that send slowly (slow loris)', async () => {
      const slow = await World.open({ limits: { headersMs: 300, requestMs: 600 } });
      try {
        const { port } = slow.console;
        const begun = Array.from({ length: 40 }, (_, i) =>
          i % 2 === 0
            ? raw(port, 'GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')
            : raw(
                port,
                'POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
              ),
        );
        expect((await slow.send('/api/health')).status).toBe(200);
        // each ends by the server's own doing: nothing here hangs up
        const ends = await Promise.all(begun);
        expect(ends.every((text) => text === '' || statusIn(text) === 408)).toBe(true);
        siege.report(
          'slow loris: 40 connections that never finish headers or body',
          40,
          '408 and closed; others are served meanwhile',
        );
      } finally {
        await slow.close();
      }
    }, 120_000);

    it('to the live feed without a session, or from a page elsewhere', async () => {
      const visitor = await siege.logIn('vera');
      const jwt = await siege.jwtOf('vera');
      const { cookie } = visitor;
      const { origin } = siege.world;
      const attempts: [Record<string, string>, string[], string[]][] = [
        [{}, [], ['4401', 'HTTP 401']],
        [{ origin }, [], ['4401', 'HTTP 401']],
        [{ cookie: `${cookie}x`, origin }, [], ['4401', 'HTTP 401']],
        [{ cookie, origin: 'https://evil.example' }, [], ['HTTP 403']],
        [{ cookie, origin: `http://127.0.0.1:${siege.world.console.port + 1}` }, [], ['HTTP 403']],
        [bearer(`${jwt}x`), [], ['4401', 'HTTP 401']],
        [{}, ['bearer', `${jwt}x`], ['4401', 'HTTP 401']],
        [{ host: 'evil.example', cookie }, [], ['HTTP 403']],
      ];
      for (const [headers, protocols, expected] of attempts) {
        const { end, socket } = await siege.live(headers, protocols);
        socket.terminate();
        expect(expected).toContain(end);
      }
      for (const [headers, protocols] of [
        [{ cookie, origin }, []],
        [bearer(jwt), []],
        [{}, ['bearer', jwt]],
      ] as [Record<string, string>, string[]][]) {
        const { end, socket } = await siege.live(headers, protocols);
        socket.terminate();
        expect(end).toBe('open');
      }
      siege.report(
        'WebSocket without session, with a bad one, from other origins and hosts',
        attempts.length,
        '4401 or 403',
      );
    });
  });
}
