import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '#base';
import { addressKey } from '../../../src/apps/server/identity/attempts.ts';
import { logIn } from '../../../src/apps/server/identity/index.ts';
import { PASSWORD, People, refusalOf } from './people.ts';

const dir = mkdtempSync(join(tmpdir(), 'quorum-login-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const attempt = (
  people: People,
  name: string,
  password: string,
  address = '10.0.0.1',
  code: string | null = null,
) => refusalOf(() => logIn(people.identity, { name, password, code }, address));

describe('logging in', () => {
  it('takes the right password and nothing else, and writes both down', async () => {
    const people = new People();
    await people.user('ada', 'trader');
    expect(await attempt(people, 'ADA', PASSWORD)).toBe('none');
    expect(await attempt(people, 'ada', 'wrong')).toBe('wrong-credentials');
    expect(await attempt(people, 'eve', PASSWORD)).toBe('wrong-credentials');
    const lines = people.identity.audit.list({ act: 'login' }, 10);
    expect(lines.map(({ by, outcome, detail }) => [by, outcome, detail.why ?? null])).toEqual([
      ['(no such user)', 'failed', 'name'],
      ['ada', 'failed', 'password'],
      ['ada', 'done', null],
    ]);
  });

  it('answers a user who is disabled like a wrong password', async () => {
    const people = new People();
    await people.user('boss', 'administrator');
    const ada = await people.user('ada', 'trader');
    people.identity.users.setDisabled(ada, true);
    expect(await attempt(people, 'ada', PASSWORD)).toBe('wrong-credentials');
  });

  it('waits a minute after five wrong passwords, then twice as long each time, an hour at most', async () => {
    const people = new People();
    await people.user('ada', 'trader');
    for (let i = 0; i < 5; i++) expect(await attempt(people, 'ada', 'wrong')).toBe('wrong-credentials');
    let lock = MINUTE;
    for (let i = 0; i < 9; i++) {
      expect(await attempt(people, 'ada', PASSWORD)).toBe('locked-out');
      people.now += lock - 1;
      expect(await attempt(people, 'ada', PASSWORD)).toBe('locked-out');
      people.now += 1;
      expect(await attempt(people, 'ada', 'wrong')).toBe('wrong-credentials');
      lock = Math.min(2 * lock, HOUR);
    }
    people.now += HOUR;
    expect(await attempt(people, 'ada', PASSWORD)).toBe('none');
    expect(await attempt(people, 'ada', 'wrong')).toBe('wrong-credentials');
    expect(await attempt(people, 'ada', PASSWORD)).toBe('none');
  });

  it('counts a user from all addresses and an address for all names', async () => {
    const people = new People();
    await people.user('ada', 'trader');
    await people.user('bob', 'trader');
    for (let i = 0; i < 5; i++) await attempt(people, 'ada', 'wrong', `10.0.0.${i}`);
    expect(await attempt(people, 'ada', PASSWORD, '10.0.0.9')).toBe('locked-out');
    expect(await attempt(people, 'bob', PASSWORD, '10.0.0.9')).toBe('none');
    for (let i = 0; i < 5; i++) await attempt(people, `name${i}`, 'wrong', '10.0.1.1');
    expect(await attempt(people, 'bob', PASSWORD, '10.0.1.1')).toBe('locked-out');
    expect(await attempt(people, 'bob', PASSWORD, '10.0.1.2')).toBe('none');
  });

  it('does not let somebody with an account of their own go on guessing others', async () => {
    const people = new People();
    await people.user('eve', 'viewer');
    await people.user('ada', 'administrator');
    let tried = 0;
    for (let i = 0; i < 10; i++) {
      if ((await attempt(people, 'ada', `guess ${i}`)) === 'wrong-credentials') tried += 1;
      await attempt(people, 'eve', PASSWORD);
    }
    expect(tried).toBe(5);
  });

  it('lets no more through when they come at once', async () => {
    const people = new People();
    await people.user('ada', 'trader');
    const codes = await Promise.all(
      Array.from({ length: 30 }, (_, i) => attempt(people, 'ada', `guess ${i}`)),
    );
    expect(codes.filter((code) => code === 'wrong-credentials')).toHaveLength(5);
    expect(codes.filter((code) => code === 'locked-out')).toHaveLength(25);
  });

  it('remembers over a restart, and forgets after a day', async () => {
    const file = join(dir, 'console.sqlite');
    const before = new People(file);
    await before.user('ada', 'trader');
    for (let i = 0; i < 5; i++) await attempt(before, 'ada', 'wrong');
    before.identity.store.close();
    const after = new People(file);
    expect(await attempt(after, 'ada', PASSWORD)).toBe('locked-out');
    after.now += DAY + 1;
    expect(await attempt(after, 'ada', 'wrong')).toBe('wrong-credentials');
    expect(await attempt(after, 'ada', PASSWORD)).toBe('none');
    after.identity.store.close();
  });

  it('keeps no name that was tried in clear: it may be a password', async () => {
    const people = new People();
    await attempt(people, 'my secret sentence', 'x');
    const { store } = people.identity;
    const all = ['users', 'login_attempts', 'audit'].map((table) => store.all(`SELECT * FROM ${table}`));
    expect(JSON.stringify(all)).not.toContain('my secret sentence');
  });
});

describe('addresses', () => {
  it('are counted by what one customer gets', () => {
    expect(addressKey('10.1.2.3')).toBe('10.1.2.3');
    expect(addressKey('::ffff:10.1.2.3')).toBe('10.1.2.3');
    expect(addressKey('2001:db8:1:2:aaaa:bbbb:cccc:dddd')).toBe('2001:db8:1:2::/64');
    expect(addressKey('2001:DB8:1:2::1')).toBe('2001:db8:1:2::/64');
    expect(addressKey('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(addressKey('::1')).toBe('0:0:0:0::/64');
    expect(addressKey('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  });

  it('of one /64 are one, whatever the rest', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16));
    const four = fc.tuple(group, group, group, group);
    fc.assert(
      fc.property(four, four, four, (network, one, two) => {
        expect(addressKey([...network, ...one].join(':'))).toBe(addressKey([...network, ...two].join(':')));
      }),
    );
  });
});
