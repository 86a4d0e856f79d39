import { Secret, TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { Browser, codeIn, gatedApp, LOOPBACK } from './gated-app.ts';
import { PASSWORD, People } from './people.ts';

async function setUp(...more: Parameters<typeof gatedApp> extends [unknown, ...infer R] ? R : never) {
  const people = new People();
  const app = await gatedApp(people, ...more);
  await people.user('boss', 'administrator');
  await people.user('tess', 'trader');
  await people.user('vera', 'viewer');
  return { people, app, browser: new Browser(app) };
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };

describe('the gate', () => {
  it('lets nobody in who is not logged in, whatever a route forgot to say', async () => {
    const { browser } = await setUp();
    expect((await browser.send('GET', '/page')).statusCode).toBe(200);
    expect((await browser.send('GET', '/api/health')).statusCode).toBe(200);
    for (const url of ['/silent', '/ws/live-feed', '/api/v1/session', '/api/v1/positions', '/api/v1/audit']) {
      const answer = await browser.send('GET', url);
      expect([url, answer.statusCode, codeIn(answer)]).toEqual([url, 401, 'unauthenticated']);
    }
    expect((await browser.send('GET', '/nowhere')).statusCode).toBe(404);
    await browser.logIn('vera', PASSWORD);
    expect((await browser.send('GET', '/silent')).statusCode).toBe(200);
    expect((await browser.send('GET', '/api/v1/positions')).statusCode).toBe(200);
    expect(codeIn(await browser.send('GET', '/api/v1/audit'))).toBe('forbidden');
  });

  it('gives a cookie that scripts and other sites cannot use', async () => {
    const { browser } = await setUp();
    const cookie = String((await browser.logIn('vera', PASSWORD)).headers['set-cookie']);
    expect(cookie).toMatch(
      /^quorum-[0-9a-f]{8}=[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    );
    const tls = await setUp({ ...LOOPBACK, tls: { key: 'k', cert: 'c' } });
    const answer = await tls.browser.send(
      'POST',
      '/api/v1/session',
      { name: 'vera', password: PASSWORD },
      { origin: undefined },
    );
    expect(String(answer.headers['set-cookie'])).toMatch(/^__Host-quorum-.*; Secure$/);
  });

  it('takes changes of a session only from its own pages, with its token', async () => {
    const { app, browser } = await setUp();
    await browser.logIn('tess', PASSWORD);
    const drop = (headers: Record<string, string | undefined>) =>
      browser.send('DELETE', '/api/v1/sessions', undefined, headers);
    expect(codeIn(await drop({ 'x-quorum-csrf': undefined }))).toBe('csrf');
    expect(codeIn(await drop({ 'x-quorum-csrf': `${browser.csrf.slice(0, -1)}_` }))).toBe('csrf');
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:9999', 'https://127.0.0.1:4680'])
      expect(codeIn(await drop({ origin }))).toBe('csrf');
    expect(codeIn(await drop({ origin: undefined, 'sec-fetch-site': 'cross-site' }))).toBe('csrf');
    expect(codeIn(await drop({ origin: undefined, 'sec-fetch-site': 'same-site' }))).toBe('csrf');
    const other = new Browser(app);
    await other.logIn('tess', PASSWORD);
    expect(codeIn(await drop({ 'x-quorum-csrf': other.csrf }))).toBe('csrf');
    expect((await drop({})).statusCode).toBe(200);
    expect((await drop({ origin: undefined, 'sec-fetch-site': 'same-origin' })).statusCode).toBe(200);
  });

  it('logs nobody in from a page of another site', async () => {
    const { browser } = await setUp();
    const body = { name: 'vera', password: PASSWORD };
    const answer = await browser.send('POST', '/api/v1/session', body, { origin: 'http://evil.example' });
    expect(codeIn(answer)).toBe('csrf');
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('opens WebSockets of a session for its own pages only; a token may come as a subprotocol', async () => {
    const { people, browser } = await setUp();
    await browser.logIn('vera', PASSWORD);
    const open = (headers: Record<string, string | undefined>) =>
      browser.send('GET', '/ws/live-feed', undefined, {
        connection: 'upgrade',
        upgrade: 'websocket',
        ...headers,
      });
    expect((await open({ origin: 'http://127.0.0.1:4680' })).statusCode).toBe(200);
    expect(codeIn(await open({ origin: 'http://127.0.0.1:8080' }))).toBe('csrf');
    expect(codeIn(await open({ cookie: undefined }))).toBe('unauthenticated');
    const vera = people.identity.users.findByName('vera')!;
    const { text } = people.identity.apiTokens.make(vera, 'bot', ['read'], people.now + 1e6);
    const socket = (protocol: string) => open({ cookie: undefined, 'sec-websocket-protocol': protocol });
    expect((await socket(`bearer, ${text}`)).statusCode).toBe(200);
    expect(codeIn(await socket(`bearer, ${text}x`))).toBe('unauthenticated');
    expect(codeIn(await socket(text))).toBe('unauthenticated');
  });

  it('goes by its own name only, so that no name of another site leads here', async () => {
    const { browser } = await setUp();
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'evil.example:4680'])
      expect((await browser.send('GET', '/page', undefined, { host })).statusCode).toBe(403);
    for (const host of ['localhost:4680', '[::1]:4680', '127.0.0.1'])
      expect((await browser.send('GET', '/page', undefined, { host })).statusCode).toBe(200);
  });

  it('sends the security headers, and CORS to the listed origins without the cookie', async () => {
    const { app, browser } = await setUp({ ...LOOPBACK, origins: ['https://desk.example'] });
    const { headers } = await browser.send('GET', '/page');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).not.toContain("script-src 'self' 'unsafe-inline'");
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    expect(headers['strict-transport-security']).toBeUndefined();
    const preflight = (origin: string) =>
      app.inject({
        method: 'OPTIONS',
        url: '/api/v1/session',
        headers: { host: '127.0.0.1:4680', origin, 'access-control-request-method': 'POST' },
      });
    const allowed = (await preflight('https://desk.example')).headers;
    expect(allowed['access-control-allow-origin']).toBe('https://desk.example');
    expect(allowed['access-control-allow-credentials']).toBeUndefined();
    expect((await preflight('https://evil.example')).headers['access-control-allow-origin']).toBeUndefined();
  });

  it('counts calls: of an address to log in, of a user to act', async () => {
    const { app, browser } = await setUp(LOOPBACK, { login: 3, write: 2 });
    for (let i = 0; i < 3; i++) expect((await browser.logIn('tess', PASSWORD)).statusCode).toBe(200);
    const fourth = await browser.logIn('tess', PASSWORD);
    expect([fourth.statusCode, codeIn(fourth)]).toEqual([429, 'too-many-requests']);
    expect(Number(fourth.headers['retry-after'])).toBeGreaterThan(0);
    const elsewhere = new Browser(app, '10.0.0.2');
    expect((await elsewhere.logIn('tess', PASSWORD)).statusCode).toBe(200);
    const end = () => elsewhere.send('DELETE', '/api/v1/sessions');
    expect([(await end()).statusCode, (await end()).statusCode, (await end()).statusCode]).toEqual([
      200, 200, 429,
    ]);
    expect((await elsewhere.send('GET', '/api/v1/session')).statusCode).toBe(200);
  });
});

describe('the session area', () => {
  it('asks who has a one-time password to change it before anything else', async () => {
    const people = new People();
    const app = await gatedApp(people);
    const { password } = (await people.identity.users.firstStart())!;
    const browser = new Browser(app);
    expect((await browser.logIn('admin', password)).json()).toMatchObject({ mustChangePassword: true });
    expect(codeIn(await browser.send('GET', '/api/v1/positions'))).toBe('password-change-required');
    expect((await browser.send('GET', '/api/v1/session')).statusCode).toBe(200);
    const before = browser.cookie;
    const weak = await browser.send('POST', '/api/v1/session/password', { current: password, next: 'short' });
    expect(codeIn(weak)).toBe('bad-input');
    const same = await browser.send('POST', '/api/v1/session/password', {
      current: password,
      next: password,
    });
    expect(codeIn(same)).toBe('bad-input');
    const changed = await browser.send('POST', '/api/v1/session/password', {
      current: password,
      next: PASSWORD,
    });
    expect(changed.json()).toMatchObject({ mustChangePassword: false });
    // the secret of the session has changed with it
    expect(browser.cookie).not.toBe(before);
    expect((await browser.send('GET', '/api/v1/positions')).statusCode).toBe(200);
    expect((await browser.send('GET', '/api/v1/positions', undefined, { cookie: before })).statusCode).toBe(
      401,
    );
  });

  it('ends other sessions with a new password, and one by its id', async () => {
    const { app, browser } = await setUp();
    const other = new Browser(app);
    await browser.logIn('vera', PASSWORD);
    await other.logIn('vera', PASSWORD);
    const next = 'a whole new sentence';
    await browser.send('POST', '/api/v1/session/password', { current: PASSWORD, next });
    expect((await other.send('GET', '/api/v1/session')).statusCode).toBe(401);
    await other.logIn('vera', next);
    const { items } = (await browser.send('GET', '/api/v1/sessions')).json() as {
      items: { id: string; current: boolean }[];
    };
    expect(items.map(({ current }) => current).sort()).toEqual([false, true]);
    const id = items.find(({ current }) => !current)!.id;
    expect((await browser.send('DELETE', `/api/v1/sessions/${id}`)).statusCode).toBe(200);
    expect((await other.send('GET', '/api/v1/session')).statusCode).toBe(401);
    expect((await browser.send('DELETE', `/api/v1/sessions/${id}`)).statusCode).toBe(404);
  });

  it('logs out at once', async () => {
    const { browser } = await setUp();
    await browser.logIn('vera', PASSWORD);
    const { cookie } = browser;
    const answer = await browser.send('DELETE', '/api/v1/session');
    expect(String(answer.headers['set-cookie'])).toContain('Max-Age=0');
    expect((await browser.send('GET', '/api/v1/session', undefined, { cookie })).statusCode).toBe(401);
  });

  it('speaks the password flow of OAuth2, errors too', async () => {
    const { browser } = await setUp();
    const ask = (payload: string, headers: Record<string, string> = form) =>
      browser.send('POST', '/auth/token', payload as unknown as object, headers);
    const password = encodeURIComponent(PASSWORD);
    const good = await ask(`grant_type=password&username=tess&password=${password}&scope=read`);
    expect(good.json()).toMatchObject({ token_type: 'bearer', expires_in: 900, scope: 'read' });
    expect(good.headers['cache-control']).toBe('no-store');
    const token = (good.json() as { access_token: string }).access_token;
    const bearer = (url: string, method = 'GET') =>
      browser.send(method, url, undefined, { authorization: `Bearer ${token}`, origin: undefined });
    expect((await bearer('/api/v1/session')).json()).toMatchObject({
      via: 'jwt',
      scopes: ['read'],
      csrf: null,
    });
    const flatten = await browser.send(
      'POST',
      '/api/v1/flatten',
      { reason: 'x' },
      { authorization: `Bearer ${token}` },
    );
    expect(flatten.json()).toMatchObject({ error: { message: expect.stringContaining('scope trade') } });
    expect((await bearer('/api/v1/session', 'DELETE')).statusCode).toBe(200);
    expect((await bearer('/api/v1/session')).statusCode).toBe(401);
    const errors: [string, string, number][] = [
      [`grant_type=password&username=tess&password=wrong`, 'invalid_grant', 400],
      [`grant_type=password&username=nobody&password=wrong`, 'invalid_grant', 400],
      [`grant_type=password&username=vera&password=${password}&scope=admin`, 'invalid_scope', 400],
      [`grant_type=password&username=vera&password=${password}&scope=root`, 'invalid_scope', 400],
      [`grant_type=client_credentials&username=vera&password=${password}`, 'unsupported_grant_type', 400],
      [`grant_type=password&username=vera`, 'invalid_request', 400],
    ];
    for (const [payload, error, status] of errors) {
      const answer = await ask(payload);
      expect([payload, answer.statusCode, (answer.json() as { error: unknown }).error]).toEqual([
        payload,
        status,
        error,
      ]);
      expect(Object.keys(answer.json() as object)).toEqual(['error', 'error_description']);
    }
  });

  it('takes no form anywhere else: a page of another site could send one', async () => {
    const { browser } = await setUp();
    await browser.logIn('tess', PASSWORD);
    const answer = await browser.send('POST', '/api/v1/flatten', 'reason=x' as unknown as object, form);
    expect([answer.statusCode, codeIn(answer)]).toEqual([400, 'bad-input']);
  });

  it('lets an API token neither make tokens nor touch the account', async () => {
    const { people, browser } = await setUp();
    await browser.logIn('boss', PASSWORD);
    const made = await browser.send('POST', '/api/v1/tokens', { name: 'bot', scopes: ['admin'], days: 1 });
    expect(made.statusCode).toBe(200);
    const { token, id } = made.json() as { token: string; id: string };
    const program = (method: string, url: string, body?: object) =>
      browser.send(method, url, body, {
        authorization: `Bearer ${token}`,
        cookie: undefined,
        origin: undefined,
      });
    expect((await program('GET', '/api/v1/users')).statusCode).toBe(200);
    for (const [method, url, body] of [
      ['POST', '/api/v1/tokens', { name: 'more', scopes: ['admin'], days: 366 }],
      ['POST', '/api/v1/session/password', { current: PASSWORD, next: 'whatever it may be' }],
      ['POST', '/api/v1/session/totp', { password: PASSWORD }],
      ['POST', '/api/v1/users', { name: 'mole', role: 'administrator', reason: 'x' }],
      ['DELETE', `/api/v1/tokens/${id}`, undefined],
      ['DELETE', '/api/v1/sessions', undefined],
    ] as const)
      expect([url, codeIn(await program(method, url, body))]).toEqual([url, 'forbidden']);
    const vera = people.identity.users.findByName('vera')!;
    const hers = people.identity.apiTokens.make(vera, 'hers', ['read'], people.now + 1e6);
    expect((await browser.send('DELETE', `/api/v1/tokens/${hers.token.id}`)).statusCode).toBe(404);
    expect((await browser.send('DELETE', `/api/v1/tokens/${id}`)).statusCode).toBe(200);
    expect((await program('GET', '/api/v1/users')).statusCode).toBe(401);
  });

  it('manages users, with who and why in the audit', async () => {
    const { app, browser } = await setUp();
    await browser.logIn('boss', PASSWORD);
    const added = await browser.send('POST', '/api/v1/users', {
      name: 'ned',
      role: 'viewer',
      reason: 'joins us',
    });
    const { id, oneTimePassword } = added.json() as { id: string; oneTimePassword: string };
    const ned = new Browser(app);
    expect((await ned.logIn('ned', oneTimePassword)).statusCode).toBe(200);
    const change = (body: object) => browser.send('PATCH', `/api/v1/users/${id}`, body);
    expect((await change({ role: 'trader', reason: 'learnt it' })).json()).toMatchObject({
      role: 'trader',
      oneTimePassword: null,
    });
    expect((await ned.send('GET', '/api/v1/session')).statusCode).toBe(401);
    expect((await change({ disabled: true, reason: 'away' })).json()).toMatchObject({ disabled: true });
    expect(codeIn(await ned.logIn('ned', oneTimePassword))).toBe('wrong-credentials');
    const reset = (await change({ disabled: false, resetPassword: true, reason: 'back' })).json() as {
      oneTimePassword: string;
    };
    expect((await ned.logIn('ned', reset.oneTimePassword)).statusCode).toBe(200);
    const gone = await browser.send('DELETE', `/api/v1/users/${id}`, { reason: 'left' });
    expect(gone.statusCode).toBe(200);
    expect((await ned.send('GET', '/api/v1/session')).statusCode).toBe(401);
    const page = (await browser.send('GET', '/api/v1/audit?by=boss&limit=3')).json() as {
      items: { what: string; reason: string; subject: string; address: string }[];
      next: string;
    };
    expect(page.items.map(({ what, reason }) => [what, reason])).toEqual([
      ['user-removed', 'left'],
      ['user-password-reset', 'back'],
      ['user-enabled', 'back'],
    ]);
    expect(page.items[0]).toMatchObject({ subject: 'ned', address: '127.0.0.1' });
    const rest = (
      await browser.send('GET', `/api/v1/audit?by=boss&limit=9&cursor=${page.next}`)
    ).json() as typeof page;
    expect(rest.items.map(({ what }) => what)).toEqual([
      'user-disabled',
      'user-role-changed',
      'user-added',
      'login',
    ]);
    expect(codeIn(await browser.send('GET', "/api/v1/audit?cursor=1'--"))).toBe('bad-input');
    expect((await browser.send('GET', '/api/v1/security')).json()).toMatchObject({ auditBrokenAt: null });
  });
});

describe('the second factor and dangerous acts', () => {
  const codeOf = (secret: string, at: number) =>
    new TOTP({ secret: Secret.fromBase32(secret), digits: 6, period: 30, algorithm: 'SHA1' }).generate({
      timestamp: at,
    });

  it('is enrolled with the password, asked for at the log-in, and dropped with a code', async () => {
    const { people, browser } = await setUp();
    await browser.logIn('tess', PASSWORD);
    expect(codeIn(await browser.send('POST', '/api/v1/session/totp', { password: 'wrong' }))).toBe(
      'forbidden',
    );
    const { secret } = (
      await browser.send('POST', '/api/v1/session/totp', { password: PASSWORD })
    ).json() as { secret: string };
    expect(codeIn(await browser.send('POST', '/api/v1/session/totp/confirm', { code: '123456' }))).toBe(
      'bad-input',
    );
    const confirmed = await browser.send('POST', '/api/v1/session/totp/confirm', {
      code: codeOf(secret, people.now),
    });
    const { recoveryCodes } = confirmed.json() as { recoveryCodes: string[] };
    expect(recoveryCodes).toHaveLength(8);
    const again = await browser.logIn('tess', PASSWORD);
    expect([again.statusCode, codeIn(again)]).toEqual([401, 'second-factor-required']);
    expect(codeIn(await browser.logIn('tess', PASSWORD, '000000'))).toBe('wrong-credentials');
    people.now += 30_000;
    const code = codeOf(secret, people.now);
    expect((await browser.logIn('tess', PASSWORD, code)).json()).toMatchObject({ totp: true });
    expect(codeIn(await browser.logIn('tess', PASSWORD, code))).toBe('wrong-credentials');
    expect((await browser.logIn('tess', PASSWORD, recoveryCodes[0])).statusCode).toBe(200);
    const drop = { password: PASSWORD, code: recoveryCodes[1] };
    expect((await browser.send('DELETE', '/api/v1/session/totp', drop)).statusCode).toBe(200);
    expect((await browser.logIn('tess', PASSWORD)).json()).toMatchObject({ totp: false });
  });

  it('does not let who knows the password reset the count of wrong codes', async () => {
    const { people, browser } = await setUp();
    const tess = people.identity.users.findByName('tess')!;
    const { secret } = people.identity.secondFactor.enrol(tess);
    people.identity.secondFactor.confirm(tess, codeOf(secret, people.now));
    const codes: string[] = [];
    for (let i = 0; i < 6; i++) {
      codes.push(codeIn(await browser.logIn('tess', PASSWORD)));
      codes.push(codeIn(await browser.logIn('tess', PASSWORD, '000000')));
    }
    expect(codes.filter((code) => code === 'wrong-credentials')).toHaveLength(5);
    expect(codes.at(-1)).toBe('locked-out');
  });

  it('asks twice, the second time with a token for just this act and, by rule, a fresh code', async () => {
    const { people, browser } = await setUp();
    await browser.logIn('tess', PASSWORD);
    const body = { reason: 'the news' };
    const flatten = (more: Record<string, string> = {}, said: object = body) =>
      browser.send('POST', '/api/v1/flatten', said, more);
    const tokenIn = async () =>
      ((await flatten()).json() as { confirmation: { token: string; says: string } }).confirmation.token;
    expect((await flatten()).statusCode).toBe(428);
    const token = await tokenIn();
    expect((await flatten({ 'x-quorum-confirm': token }, { reason: 'another' })).statusCode).toBe(428);
    expect((await flatten({ 'x-quorum-confirm': await tokenIn() })).statusCode).toBe(200);
    expect((await flatten({ 'x-quorum-confirm': token })).statusCode).toBe(428);

    const tess = people.identity.users.findByName('tess')!;
    const { secret } = people.identity.secondFactor.enrol(tess);
    people.identity.secondFactor.confirm(tess, codeOf(secret, people.now));
    expect((await flatten({ 'x-quorum-confirm': await tokenIn() })).statusCode).toBe(200);
    people.identity.setDangerNeedsCode(true);
    expect(codeIn(await flatten({ 'x-quorum-confirm': await tokenIn() }))).toBe('forbidden');
    const withCode = async (code: string) =>
      flatten({ 'x-quorum-confirm': await tokenIn(), 'x-quorum-code': code });
    expect(codeIn(await withCode('000000'))).toBe('forbidden');
    people.now += 30_000;
    const code = codeOf(secret, people.now);
    expect((await withCode(code)).statusCode).toBe(200);
    expect(codeIn(await withCode(code))).toBe('forbidden');
  });
});
