import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CONSOLE_FILE } from '../../../src/apps/server/identity/index.ts';
import { jsonOf, runCli, Workplace } from '../../cli/run-cli.ts';
import { PASSWORD, People } from './people.ts';

const place = new Workplace();
const file = place.path(CONSOLE_FILE);

const users = (...argv: string[]) => runCli('users', ...argv, '--data-dir', place.dir);

/** What identity says when it opens the file afresh, as the server would find it. */
async function seen<T>(look: (people: People) => T | Promise<T>): Promise<T> {
  const people = new People(file);
  people.now = Date.now();
  try {
    return await look(people);
  } finally {
    people.identity.store.close();
  }
}

/** Feeds a line to what asks for a password. */
async function typing<T>(line: string, work: () => Promise<T>): Promise<T> {
  const input = new PassThrough();
  const before = Object.getOwnPropertyDescriptor(process, 'stdin')!;
  Object.defineProperty(process, 'stdin', { value: input, configurable: true });
  input.end(`${line}\n`);
  try {
    return await work();
  } finally {
    Object.defineProperty(process, 'stdin', before);
  }
}

beforeAll(() => seen((people) => people.identity.users.firstStart()));
afterAll(() => place.remove());

describe('quorum users', () => {
  afterEach(async () => {
    expect((await seen(({ identity }) => identity.audit.verify())).brokenAt).toBeNull();
  });

  it('adds, changes, disables and removes, and writes it down', async () => {
    const added = jsonOf(await users('add', 'ada', '--role', 'trader', '--reason', 'new here', '--json'));
    expect(added).toMatchObject({ user: 'ada', role: 'trader' });
    const password = String(added.oneTimePassword);
    expect(
      await seen(({ identity: { users: all } }) => all.checkPassword(all.findByName('ada'), password)),
    ).toBe(true);
    expect((await users('role', 'ada', 'viewer')).stdout).toContain('ada is viewer now');
    expect((await users('disable', 'ada')).code).toBe(0);
    const listed = jsonOf(await users('list', '--json')).users as { name: string }[];
    expect(listed.find(({ name }) => name === 'ada')).toMatchObject({ role: 'viewer', disabled: true });
    expect((await users('enable', 'ada')).code).toBe(0);
    expect((await users('remove', 'ada')).code).toBe(0);
    const { items, brokenAt } = jsonOf(await users('log', '--json')) as {
      items: { act: string; reason: string; via: string }[];
      brokenAt: null;
    };
    expect(brokenAt).toBeNull();
    expect(items.map(({ act }) => act)).toEqual([
      'user-removed',
      'user-enabled',
      'user-disabled',
      'user-role-changed',
      'user-added',
    ]);
    expect(items.at(-1)).toMatchObject({ reason: 'new here', via: 'shell' });
  });

  it('lets an owner who is locked out back in', async () => {
    await seen(async ({ identity }) => {
      for (let i = 0; i < 5; i++) identity.attempts.begin('admin', '10.0.0.1');
      expect(identity.attempts.lockedUntil('admin')).not.toBeNull();
    });
    const reset = await users('reset-password', 'admin', '--without-second-factor');
    const password = /one-time password of admin: (\S+)/.exec(reset.stdout)![1]!;
    await seen(async ({ identity }) => {
      const admin = identity.users.findByName('admin')!;
      expect(identity.attempts.lockedUntil('admin')).toBeNull();
      expect(admin.mustChange).toBe(true);
      expect(await identity.users.checkPassword(admin, password)).toBe(true);
    });
    expect(readFileSync(file).includes(password)).toBe(false);
  });

  it('takes a chosen password from the input, never from the command line', async () => {
    const bad = await typing('admin admin admin', () => users('reset-password', 'admin', '--ask'));
    expect(bad.code).toBe(4);
    expect(bad.stderr).toContain('holds the name');
    const good = await typing(PASSWORD, () => users('reset-password', 'admin', '--ask'));
    expect(good.code).toBe(0);
    expect(good.stdout + good.stderr).not.toContain(PASSWORD);
    await seen(async ({ identity }) => {
      const admin = identity.users.findByName('admin')!;
      expect(admin.mustChange).toBe(false);
      expect(await identity.users.checkPassword(admin, PASSWORD)).toBe(true);
    });
    expect((await typing('', () => users('reset-password', 'admin', '--ask'))).code).toBe(2);
    expect((await users('reset-password', 'admin', PASSWORD)).code).toBe(2);
  });

  it('keeps the last administrator, and says what is wrong with names and places', async () => {
    for (const argv of [
      ['disable', 'admin'],
      ['remove', 'admin'],
      ['role', 'admin', 'viewer'],
    ]) {
      const refused = await users(...argv);
      expect(refused.code).toBe(4);
      expect(refused.stderr).toContain('last administrator');
    }
    expect((await users('role', 'admin', 'king')).code).toBe(2);
    expect((await users('disable', 'nobody')).stderr).toContain('there are admin');
    expect((await users('add', 'no name')).code).toBe(4);
    const nowhere = await runCli('users', 'list', '--data-dir', place.path('nowhere'));
    expect(nowhere.code).toBe(3);
    expect(nowhere.stderr).toContain('no console');
  });
});
