import { createHmac } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '#base';
import { type Ended, endsFor } from '../../../src/apps/server/identity/index.ts';
import { People, refusalOf } from './people.ts';

describe('sessions', () => {
  it('keep only a hash of what is in the cookie', async () => {
    const people = new People();
    const ada = await people.user('ada', 'viewer');
    const { secret } = people.identity.sessions.open(ada.id, '127.0.0.1', 'test');
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(JSON.stringify(people.identity.store.all('SELECT * FROM sessions'))).not.toContain(secret);
    expect(people.identity.bySession(secret)).toMatchObject({
      name: 'ada',
      via: 'session',
      scopes: ['read'],
    });
    expect(people.identity.bySession(`${secret.slice(0, -1)}x`)).toBeNull();
  });

  it('end when they are not used for 12 hours, and after a week at the latest', async () => {
    const people = new People();
    const ada = await people.user('ada', 'viewer');
    const idle = people.identity.sessions.open(ada.id, '127.0.0.1', 'test');
    people.now += 12 * HOUR - 1;
    expect(people.identity.bySession(idle.secret)).not.toBeNull();
    people.now += 12 * HOUR;
    expect(people.identity.bySession(idle.secret)).toBeNull();
    const busy = people.identity.sessions.open(ada.id, '127.0.0.1', 'test');
    const from = people.now;
    for (; people.now < from + 7 * DAY - HOUR; people.now += HOUR)
      expect(people.identity.bySession(busy.secret)).not.toBeNull();
    people.now = from + 7 * DAY;
    expect(people.identity.bySession(busy.secret)).toBeNull();
  });

  it('are worth nothing after a log-out, a rotation or a change of role, and say so at once', async () => {
    const people = new People();
    const { identity } = people;
    const ada = await people.user('ada', 'trader');
    const told: Ended[] = [];
    identity.endings.listen((ended) => told.push(ended));
    const one = identity.sessions.open(ada.id, '', '');
    identity.sessions.end(ada.id, one.session.id);
    expect(identity.bySession(one.secret)).toBeNull();
    expect(told.at(-1)).toEqual({ userId: ada.id, credential: one.session.id, except: null });
    const two = identity.sessions.open(ada.id, '', '');
    const rotated = identity.sessions.rotate(two.session);
    expect(identity.bySession(two.secret)).toBeNull();
    const who = identity.bySession(rotated.secret)!;
    expect(rotated.session.expiresAt).toBe(two.session.expiresAt);
    identity.users.setRole(ada, 'viewer');
    expect(identity.bySession(rotated.secret)).toBeNull();
    expect(endsFor(told.at(-1)!, who)).toBe(true);
    expect(identity.isCurrent(who)).toBe(false);
  });

  it('are at most twenty for a user: the oldest one ends', async () => {
    const people = new People();
    const ada = await people.user('ada', 'viewer');
    const made = Array.from({ length: 21 }, () => {
      people.now += 1;
      return people.identity.sessions.open(ada.id, '', '');
    });
    expect(people.identity.sessions.list(ada.id)).toHaveLength(20);
    expect(people.identity.bySession(made[0]!.secret)).toBeNull();
    expect(people.identity.bySession(made[1]!.secret)).not.toBeNull();
  });

  it('have CSRF tokens of their own', async () => {
    const people = new People();
    const ada = await people.user('ada', 'viewer');
    const { sessions } = people.identity;
    const [one, two] = [sessions.open(ada.id, '', ''), sessions.open(ada.id, '', '')];
    expect(sessions.csrfMatches(one.session.id, sessions.csrfOf(one.session.id))).toBe(true);
    expect(sessions.csrfMatches(one.session.id, sessions.csrfOf(two.session.id))).toBe(false);
    expect(sessions.csrfMatches(one.session.id, '')).toBe(false);
  });
});

describe('API tokens', () => {
  it('hold no scope above the role, not even when the role falls later', async () => {
    const people = new People();
    const { identity } = people;
    const ada = await people.user('ada', 'trader');
    expect(await refusalOf(() => identity.apiTokens.make(ada, 'x', ['admin'], people.now + DAY))).toBe(
      'forbidden',
    );
    const { text, token } = identity.apiTokens.make(ada, 'bot', ['trade'], people.now + DAY);
    expect(token.scopes).toEqual(['read', 'trade']);
    expect(text).toMatch(/^qrm_[0-9a-f]{24}_[\w-]{43}$/);
    expect(JSON.stringify(identity.store.all('SELECT * FROM api_tokens'))).not.toContain(text.slice(29));
    expect((await identity.byToken(text, '10.0.0.1'))?.scopes).toEqual(['read', 'trade']);
    identity.users.setRole(ada, 'viewer');
    expect((await identity.byToken(text, '10.0.0.1'))?.scopes).toEqual(['read']);
    expect(identity.apiTokens.get(token.id)).toMatchObject({
      lastUsedAt: people.now,
      lastAddress: '10.0.0.1',
    });
  });

  it('are good until they expire or are revoked, or their user is disabled', async () => {
    const people = new People();
    const { identity } = people;
    const ada = await people.user('ada', 'trader');
    const make = () => identity.apiTokens.make(ada, 'bot', ['read'], people.now + DAY);
    const [one, two, three] = [make(), make(), make()];
    identity.apiTokens.revoke(one.token);
    expect(await identity.byToken(one.text, '')).toBeNull();
    expect(await identity.byToken(`${two.text.slice(0, -1)}!`, '')).toBeNull();
    expect(await identity.byToken(`${two.text.slice(0, 29)}${three.text.slice(29)}`, '')).toBeNull();
    identity.users.setDisabled(ada, true);
    expect(await identity.byToken(two.text, '')).toBeNull();
    identity.users.setDisabled(ada, false);
    expect(await identity.byToken(two.text, '')).not.toBeNull();
    people.now += DAY;
    expect(await identity.byToken(two.text, '')).toBeNull();
  });
});

describe('JSON web tokens', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  it('are good for 15 minutes, with the scopes that were asked for', async () => {
    const people = new People();
    const ada = await people.user('ada', 'trader');
    const { text } = await people.identity.accessTokens.make(ada, ['read']);
    expect(await people.identity.byToken(text, '')).toMatchObject({
      name: 'ada',
      via: 'jwt',
      scopes: ['read'],
    });
    people.now += 15 * MINUTE;
    expect(await people.identity.byToken(text, '')).toBeNull();
  });

  it('cannot be forged: no algorithm, another key, another claim', async () => {
    const people = new People();
    const ada = await people.user('ada', 'viewer');
    const { text } = await people.identity.accessTokens.make(ada, ['read']);
    const [, payload, signature] = text.split('.');
    const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as Record<string, unknown>;
    const none = `${part({ alg: 'none' })}.${payload}.`;
    const head = part({ alg: 'HS256', typ: 'JWT' });
    const other = `${head}.${payload}`;
    const signed = createHmac('sha256', 'a key of mine').update(other).digest('base64url');
    const raised = `${head}.${part({ ...claims, scope: 'read trade admin' })}.${signature}`;
    for (const forged of [none, `${other}.${signed}`, raised, `${other}.`, 'a.b.c', ''])
      expect(await people.identity.byToken(forged, '')).toBeNull();
  });

  it('end with a log-out, a new password, and when their user is removed', async () => {
    const people = new People();
    const { identity } = people;
    const ada = await people.user('ada', 'trader');
    const make = () => identity.accessTokens.make(identity.users.known(ada.id), ['read']);
    const one = await make();
    const who = (await identity.byToken(one.text, ''))!;
    identity.accessTokens.revoke(ada.id, who.credential);
    expect(await identity.byToken(one.text, '')).toBeNull();
    expect(identity.isCurrent(who)).toBe(false);
    const two = await make();
    await identity.users.choosePassword(ada, 'a whole new sentence', null);
    expect(await identity.byToken(two.text, '')).toBeNull();
    const three = await make();
    expect(await identity.byToken(three.text, '')).not.toBeNull();
    identity.users.remove(ada);
    expect(await identity.byToken(three.text, '')).toBeNull();
  });
});

describe('the second factor', () => {
  const codeOf = (secret: string, at: number) =>
    new TOTP({ secret: Secret.fromBase32(secret), digits: 6, period: 30, algorithm: 'SHA1' }).generate({
      timestamp: at,
    });

  it('is on from the first right code, and takes each code once', async () => {
    const people = new People();
    const { identity } = people;
    const { secondFactor, users } = identity;
    const ada = await people.user('ada', 'trader');
    const { secret, uri, svg } = secondFactor.enrol(ada);
    expect(uri).toMatch(/^otpauth:\/\/totp\/Quorum:ada\?/);
    expect(uri).toContain(secret);
    expect(svg).toMatch(/^<svg[\s\S]*<\/svg>$/);
    expect(users.known(ada.id).secondFactor).toBe(false);
    expect(secondFactor.confirm(ada, '000000')).toBeNull();
    const first = codeOf(secret, people.now);
    expect(secondFactor.confirm(ada, first)).toHaveLength(8);
    const after = users.known(ada.id);
    expect(after.secondFactor).toBe(true);
    expect(secondFactor.check(after, first)).toBe(false);
    people.now += 30_000;
    const second = codeOf(secret, people.now);
    expect(secondFactor.check(after, second)).toBe(true);
    expect(secondFactor.check(after, second)).toBe(false);
    expect(await refusalOf(() => secondFactor.enrol(after))).toBe('refused');
  });

  it('allows a clock that is one step off, not two, and no code from before one that was used', async () => {
    const people = new People();
    const { secondFactor } = people.identity;
    const ada = await people.user('ada', 'trader');
    const { secret } = secondFactor.enrol(ada);
    expect(secondFactor.confirm(ada, codeOf(secret, people.now - 60_000))).toBeNull();
    expect(secondFactor.confirm(ada, codeOf(secret, people.now - 30_000))).not.toBeNull();
    expect(secondFactor.check(ada, codeOf(secret, people.now + 30_000))).toBe(true);
    expect(secondFactor.check(ada, codeOf(secret, people.now))).toBe(false);
  });

  it('has recovery codes that are good once and are hashed', async () => {
    const people = new People();
    const { secondFactor, store } = people.identity;
    const ada = await people.user('ada', 'trader');
    const { secret } = secondFactor.enrol(ada);
    const codes = secondFactor.confirm(ada, codeOf(secret, people.now))!;
    expect(JSON.stringify(store.all('SELECT * FROM recovery_codes'))).not.toContain(
      codes[0]!.replaceAll('-', ''),
    );
    expect(secondFactor.check(ada, codes[0]!.toUpperCase())).toBe(true);
    expect(secondFactor.check(ada, codes[0]!)).toBe(false);
    expect(secondFactor.recoveryCodesLeft(ada)).toBe(7);
    secondFactor.newRecoveryCodes(ada);
    expect(secondFactor.check(ada, codes[1]!)).toBe(false);
  });
});
