import { describe, expect, it } from 'vitest';
import { PasswordHasher, passwordFault } from '../../../src/apps/server/identity/passwords.ts';
import { hashSecret } from '../../../src/apps/server/identity/secret.ts';
import { cheapHasher, PASSWORD, People, refusalOf } from './people.ts';

describe('users', () => {
  it('begin with one administrator and a password that is given once', async () => {
    const people = new People();
    const { users, store } = people.identity;
    const first = await users.firstStart();
    expect(first?.user).toMatchObject({ name: 'admin', role: 'administrator', mustChange: true });
    expect(first?.password).toMatch(/^([a-z2-9]{4}-){4}[a-z2-9]{4}$/);
    expect(await users.checkPassword(first!.user, first!.password)).toBe(true);
    expect(JSON.stringify(store.all('SELECT * FROM users'))).not.toContain(first!.password);
    expect(await users.firstStart()).toBeNull();
  });

  it('keep an administrator who can log in', async () => {
    const people = new People();
    const { users } = people.identity;
    const { user: admin } = (await users.firstStart())!;
    const ada = await people.user('ada', 'administrator');
    users.setDisabled(ada, true);
    for (const act of [
      () => users.setRole(admin, 'trader'),
      () => users.setDisabled(admin, true),
      () => users.remove(admin),
    ]) {
      expect(await refusalOf(act)).toBe('refused');
    }
    users.setDisabled(ada, false);
    expect(users.setRole(admin, 'viewer').role).toBe('viewer');
    expect(await refusalOf(() => users.remove(ada))).toBe('refused');
  });

  it('have names that are one whatever their case, and refuse odd ones', async () => {
    const people = new People();
    await people.user('Ada', 'viewer');
    expect(people.identity.users.findByName('aDA')?.name).toBe('Ada');
    expect(await refusalOf(() => people.identity.users.add('ADA', 'viewer'))).toBe('refused');
    for (const name of ['', 'a', '1ada', "a' OR 1=1 --", '<script>', 'a'.repeat(33), 'ad a', 'ада'])
      expect(await refusalOf(() => people.identity.users.add(name, 'viewer'))).toBe('bad-input');
  });

  it('choose passwords by the rules', async () => {
    const people = new People();
    const ada = await people.user('ada', 'viewer');
    const { users } = people.identity;
    for (const bad of ['short', 'aaaaaaaaaaaaaaaa', 'the lady ADA herself', PASSWORD, 'x'.repeat(201)])
      expect(await refusalOf(() => users.choosePassword(ada, bad, null))).toBe('bad-input');
    await users.choosePassword(ada, 'another green boat', null);
    expect(await users.checkPassword(ada, 'another green boat')).toBe(true);
    expect(await users.checkPassword(ada, PASSWORD)).toBe(false);
    expect(passwordFault('twelve chars', 'bob', false)).toBeNull();
    expect(passwordFault('eleven char', 'bob', false)).toMatch(/11 characters/);
  });

  it('lose everything that was open when somebody else resets their password', async () => {
    const people = new People();
    const { users, sessions, apiTokens, accessTokens } = people.identity;
    const ada = await people.user('ada', 'trader');
    const session = sessions.open(ada.id, '127.0.0.1', 'test');
    const token = apiTokens.make(ada, 'bot', ['trade'], people.now + 1e9);
    const jwt = await accessTokens.make(ada, ['read']);
    const { password, user } = await users.resetPassword(ada, false);
    expect(user.mustChange).toBe(true);
    expect(await users.checkPassword(ada, password)).toBe(true);
    expect(people.identity.bySession(session.secret)).toBeNull();
    expect(await people.identity.byToken(token.text, '')).toBeNull();
    expect(await people.identity.byToken(jwt.text, '')).toBeNull();
  });
});

describe('passwords', () => {
  it('are hashed with a salt, and checked for users who do not exist too', async () => {
    const hasher = cheapHasher();
    const [one, two] = [await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)];
    expect(one).not.toBe(two);
    expect(one).not.toContain(hashSecret(PASSWORD));
    expect(await hasher.verify(PASSWORD, one)).toBe(true);
    expect(await hasher.verify(`${PASSWORD} `, one)).toBe(false);
    expect(await hasher.verify(PASSWORD, null)).toBe(false);
  });

  it('are hashed anew when the cost has changed', async () => {
    const people = new People();
    const ada = await people.user('ada', 'viewer');
    const { store, users } = people.identity;
    const old = await new PasswordHasher({ n: 2 ** 4, r: 8, p: 1 }).hash(PASSWORD);
    store.run('UPDATE users SET password = ? WHERE id = ?', old, ada.id);
    expect(await users.checkPassword(ada, 'wrong')).toBe(false);
    expect(store.get('SELECT password FROM users')!.password).toBe(old);
    expect(await users.checkPassword(ada, PASSWORD)).toBe(true);
    expect(store.get('SELECT password FROM users')!.password).toMatch(/^scrypt\$256\$8\$1\$/);
    expect(await users.checkPassword(ada, PASSWORD)).toBe(true);
  });

  it('wait for each other, and are refused when too many wait', async () => {
    const hasher = cheapHasher();
    const codes = await Promise.all(Array.from({ length: 50 }, () => refusalOf(() => hasher.hash('x'))));
    expect(codes.filter((code) => code === 'busy')).toHaveLength(16);
    expect(await refusalOf(() => hasher.hash('x'))).toBe('none');
  });

  it('take a place in that queue for users who do not exist too, so that time tells nothing', async () => {
    const hasher = cheapHasher();
    const codes = await Promise.all(
      Array.from({ length: 50 }, () => refusalOf(() => hasher.verify('x', null))),
    );
    expect(codes.filter((code) => code === 'busy')).toHaveLength(16);
  });
});
