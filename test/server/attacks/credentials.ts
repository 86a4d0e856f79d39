import { Secret, TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '#base';
import { PASSWORD } from '../identity/people.ts';
import type { Siege } from './siege.ts';
import { bearer } from './world.ts';

export function credentials(siege: Siege): void {
  describe('stolen and old credentials', () => {
    it('are worth nothing after a log-out', async () => {
      const victim = await siege.logIn('vera');
      const jwt = await siege.jwtOf('vera');
      const feed = await siege.live(siege.world.as(victim));
      expect(feed.end).toBe('open');
      const closed = new Promise((done) => feed.socket.on('close', done));
      const out = await siege.world.send('/api/v1/session', {
        method: 'DELETE',
        headers: siege.world.as(victim),
      });
      expect(out.status).toBe(200);
      await closed;
      await siege.world.send('/api/v1/session', { method: 'DELETE', headers: bearer(jwt) });
      for (const headers of [{ cookie: victim.cookie }, bearer(jwt)])
        expect((await siege.world.send('/api/v1/positions', { headers })).status).toBe(401);
      expect((await siege.live({ cookie: victim.cookie, origin: siege.world.origin })).end).toBe('4401');
      siege.report('cookie, JWT and open WebSocket after log-out', 4, '401 / closed at once');
    });

    it('are worth nothing after a revocation, a new password, a new role or when disabled', async () => {
      const { users, apiTokens } = siege.world.identity;
      const user = await siege.world.user('rita', 'trader');
      const token = siege.tokenOf('rita', ['trade']);
      const status = async (headers: Record<string, string>) =>
        (await siege.world.send('/api/v1/positions', { headers })).status;
      const tried: number[] = [];
      apiTokens.revoke(apiTokens.list(user.id)[0]!);
      tried.push(await status(bearer(token)));
      const acts = [
        () => users.choosePassword(users.known(user.id), `${PASSWORD}, two`, null),
        () => users.resetPassword(users.known(user.id), false),
        () => users.setRole(users.known(user.id), 'viewer'),
        () => users.setDisabled(users.known(user.id), true),
      ];
      for (const act of acts) {
        const { secret } = siege.world.identity.sessions.open(user.id, '127.0.0.1', 'test');
        const cookie = `quorum-${siege.world.identity.cookieSuffix}=${secret}`;
        const { text } = await siege.world.identity.accessTokens.make(users.known(user.id), ['read']);
        await act();
        tried.push(await status({ cookie }), await status(bearer(text)));
      }
      expect(new Set(tried)).toEqual(new Set([401]));
      siege.report('credentials after revocation, password, role, disabling', tried.length, '401');
    });

    it('expire', async () => {
      const visitor = await siege.logIn('vera');
      const jwt = await siege.jwtOf('vera');
      const { text: token } = siege.world.identity.apiTokens.make(
        visitor.user,
        'short',
        ['read'],
        siege.world.identity.store.now() + HOUR,
      );
      const status = async (headers: Record<string, string>) =>
        (await siege.world.send('/api/v1/positions', { headers })).status;
      siege.world.pass(16 * MINUTE);
      expect(await status(bearer(jwt))).toBe(401);
      expect(await status(bearer(token))).not.toBe(401);
      siege.world.pass(HOUR);
      expect(await status(bearer(token))).toBe(401);
      siege.world.pass(12 * HOUR);
      expect(await status({ cookie: visitor.cookie })).toBe(401);
      siege.report('expired JWT (15 min), API token, idle session (12 h)', 3, '401');
    });

    it('cannot be planted, forged or replayed', async () => {
      const planted = await siege.logIn('vera');
      const body = { name: 'tess', password: PASSWORD };
      const fixed = await siege.world.send('/api/v1/session', {
        method: 'POST',
        body,
        headers: { cookie: planted.cookie },
      });
      expect(String(fixed.headers['set-cookie'])).not.toContain(planted.cookie.split('=')[1]);
      expect(
        (await siege.world.send('/api/v1/session', { headers: { cookie: planted.cookie } })).status,
      ).toBe(401);

      const jwt = await siege.jwtOf('vera');
      const [head, claims, signature] = jwt.split('.') as [string, string, string];
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const told = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
      const forged = [
        `${part({ alg: 'none' })}.${claims}.`,
        `${part({ alg: 'HS256', typ: 'JWT', jwk: { kty: 'oct', k: 'AAAA' } })}.${claims}.${signature}`,
        `${head}.${part({ ...told, scope: 'read trade admin' })}.${signature}`,
        `${head}.${part({ ...told, exp: 4e9 })}.${signature}`,
        `${head}.${claims}.`,
      ];
      for (const token of forged)
        expect((await siege.world.send('/api/v1/users', { headers: bearer(token) })).status).toBe(401);

      const user = siege.world.identity.users.findByName('tess')!;
      const { secret } = siege.world.identity.secondFactor.enrol(user);
      siege.secrets.set('TOTP secret', secret);
      const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({
        timestamp: siege.world.identity.store.now(),
      });
      const [recovery] = siege.world.identity.secondFactor.confirm(user, code)!;
      siege.secrets.set('recovery code', recovery!);
      const withCode = (otp: string) =>
        siege.world.send('/api/v1/session', { method: 'POST', body: { ...body, otp } });
      expect((await withCode(code)).status).toBe(401);
      expect((await withCode(recovery!)).status).toBe(200);
      expect((await withCode(recovery!)).status).toBe(401);
      siege.world.identity.users.clearSecondFactor(user.id);
      siege.world.pass(DAY + 1);

      const boss = await siege.logIn('boss');
      const flatten = (more: Record<string, string>, who = boss, reason = 'a test') =>
        siege.world.send('/api/v1/flatten', {
          method: 'POST',
          body: { reason },
          headers: { ...siege.world.as(who), ...more },
        });
      const ask = async () =>
        (JSON.parse((await flatten({})).text) as { confirmation: { token: string } }).confirmation.token;
      const tess = await siege.logIn('tess');
      const again = await siege.logIn('boss');
      const misused = [
        await flatten({ 'x-quorum-confirm': await ask() }, boss, 'another reason'),
        await flatten({ 'x-quorum-confirm': await ask() }, tess),
        await flatten({ 'x-quorum-confirm': await ask() }, again),
        await siege.world.send('/api/v1/kill', {
          method: 'POST',
          body: { reason: 'a test' },
          headers: { ...siege.world.as(boss), 'x-quorum-confirm': await ask() },
        }),
      ];
      const late = await ask();
      siege.world.pass(MINUTE);
      misused.push(await flatten({ 'x-quorum-confirm': late }));
      expect(misused.map(({ status }) => status)).toEqual([428, 428, 428, 428, 428]);
      expect(siege.world.acts).toEqual([]);
      const once = await ask();
      await flatten({ 'x-quorum-confirm': once });
      expect(siege.world.acts).toHaveLength(1);
      expect((await flatten({ 'x-quorum-confirm': once })).status).toBe(428);
      expect(siege.world.acts.splice(0)).toHaveLength(1);
      siege.world.told.length = 0;
      siege.report('planted cookie, forged JWTs, replayed codes', 1 + forged.length + 2, '401');
      siege.report(
        'confirmation of another act, user, session, route; late; twice',
        6,
        '428, nothing reached the loop',
      );
    });
  });
}
