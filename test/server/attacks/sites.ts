import { describe, expect, it } from 'vitest';
import { pathOf } from '../../../src/apps/contract/index.ts';
import { PASSWORD } from '../identity/people.ts';
import type { Siege } from './siege.ts';
import { aimedAt, ROUTE_IDS, shapeOf, templateOf } from './templates.ts';
import { codeOf } from './world.ts';

export function sites(siege: Siege): void {
  describe('other sites', () => {
    it('can make a logged-in browser do nothing', async () => {
      const victim = await siege.logIn('boss');
      const { cookie } = victim;
      const own = siege.world.as(victim);
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      let tried = 0;
      for (const id of ROUTE_IDS.filter(
        (one) => pathOf(one).method !== 'GET' && shapeOf(one).access !== 'anyone',
      )) {
        const { sample } = templateOf(id);
        const { path, ...sent } = aimedAt(id, sample);
        for (const headers of [
          { cookie },
          { cookie, origin: 'https://evil.example' },
          { ...own, origin: 'https://evil.example' },
          { ...own, origin: 'null' },
          { ...own, origin: `http://127.0.0.1:${siege.world.console.port + 1}` },
          { ...own, 'x-quorum-csrf': 'A'.repeat(43) },
          { ...own, origin: undefined, 'sec-fetch-site': 'cross-site' },
          { ...own, ...form, origin: 'https://evil.example' },
          { ...own, 'content-type': 'text/plain', 'x-quorum-csrf': undefined },
        ]) {
          const answer = await siege.world.send(path, { ...sent, headers });
          tried += 1;
          expect([id, headers, answer.status, codeOf(answer)]).toEqual([id, headers, 403, 'csrf']);
        }
      }
      expect(siege.world.acts).toEqual([]);
      const simple = await siege.world.send('/api/v1/flatten', {
        method: 'POST',
        body: 'reason=x',
        headers: { ...own, ...form, 'content-length': '8' },
      });
      expect(simple.status).toBe(400);
      const login = await siege.tryPassword('vera', PASSWORD, { origin: 'https://evil.example' });
      expect([login.status, login.headers['set-cookie']]).toEqual([403, undefined]);
      siege.report(
        'CSRF: every changing route, 9 ways (no token, wrong token, other origins, forms)',
        tried,
        '403, nothing reached the loop',
      );
      siege.report('CSRF: a form with everything right; log-in from another site', 2, '400; 403');
    });

    it('read nothing: CORS, frames, rebound names', async () => {
      const victim = await siege.logIn('vera');
      const answers = [
        await siege.world.send('/api/v1/session', {
          headers: { cookie: victim.cookie, origin: 'https://evil.example' },
        }),
        await siege.world.send('/api/v1/session', {
          method: 'OPTIONS',
          headers: { origin: 'https://evil.example', 'access-control-request-method': 'DELETE' },
        }),
      ];
      for (const { headers } of answers) expect(headers['access-control-allow-origin']).toBeUndefined();
      for (const host of [
        'evil.example',
        `evil.example:${siege.world.console.port}`,
        '127.0.0.1.evil.example',
      ])
        expect(
          (await siege.world.send('/api/v1/session', { headers: { cookie: victim.cookie, host } })).status,
        ).toBe(403);
      for (const path of ['/', '/api/health', '/api/v1/session', '/nowhere', '/docs']) {
        const { headers } = await siege.world.send(path, { headers: { cookie: victim.cookie } });
        expect([path, headers['x-content-type-options']]).toEqual([path, 'nosniff']);
        expect([path, headers['x-frame-options']]).toEqual([path, 'SAMEORIGIN']);
        expect(String(headers['content-security-policy'])).toMatch(/default-src '(none|self)'/);
        expect(String(headers['content-security-policy'])).not.toMatch(
          /script-src[^;]*'unsafe-(inline|eval)'/,
        );
      }
      siege.report(
        'reading from another origin, DNS rebinding, framing',
        10,
        'no CORS header; 403; CSP and X-Frame-Options everywhere',
      );
    });
  });
}
