import { describe, expect, it } from 'vitest';
import { Confirmations, checkListening, isLoopback } from '../../../src/apps/server/identity/index.ts';
import { People } from './people.ts';

const actor = { userId: null, by: 'ada', via: 'shell', address: '' } as const;

describe('the audit', () => {
  it('pages from the newest, by act, person and outcome', () => {
    const { audit } = new People().identity;
    for (let i = 0; i < 5; i++)
      audit.write(actor, i % 2 === 0 ? 'even' : 'odd', 'done', { subject: String(i) });
    const subjects = (entries: readonly { subject: string }[]) => entries.map(({ subject }) => subject);
    expect(subjects(audit.list({}, 2))).toEqual(['4', '3']);
    expect(subjects(audit.list({}, 2, 4))).toEqual(['2', '1']);
    expect(subjects(audit.list({ act: 'odd' }, 9))).toEqual(['3', '1']);
    expect(audit.list({ by: 'eve' }, 9)).toEqual([]);
  });

  it('lets nothing be changed or taken out, and notices when it was', () => {
    const { audit, store } = new People().identity;
    for (let i = 0; i < 4; i++) audit.write(actor, 'act', 'done', { subject: String(i) });
    expect(audit.verify()).toEqual({ entries: 4, brokenAt: null });
    expect(() => store.run("UPDATE audit SET by = 'eve'")).toThrow(/changes nothing/);
    expect(() => store.run('DELETE FROM audit')).toThrow(/forgets nothing/);
    store.db.exec("DROP TRIGGER audit_is_final; UPDATE audit SET reason = 'other' WHERE id = 2");
    expect(audit.verify().brokenAt).toBe(2);
    store.db.exec(
      "UPDATE audit SET reason = '' WHERE id = 2; DROP TRIGGER audit_stays; DELETE FROM audit WHERE id = 3",
    );
    expect(audit.verify().brokenAt).toBe(4);
  });

  it('keeps hostile texts so that the chain still fits, and without what moves a cursor', () => {
    const { audit } = new People().identity;
    const hostile = [
      'nul\u0000byte',
      'half \ud800',
      'line\nbreak',
      '\u001b[2J',
      '\u202eturned',
      "'; DROP TABLE audit; --",
    ];
    for (const text of hostile)
      audit.write({ ...actor, by: text, address: text }, 'act', 'done', {
        subject: text,
        reason: text,
        detail: { [text]: text },
      });
    expect(audit.verify()).toEqual({ entries: hostile.length, brokenAt: null });
    const kept = audit.list({}, 10);
    expect(kept.map(({ reason }) => reason)).toContain('nul byte');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(kept.some(({ reason, subject }) => /[\u0000-\u001f\u202e]/.test(reason + subject))).toBe(false);
  });

  it('cuts what is too long and tells its listeners', () => {
    const { audit } = new People().identity;
    const told: string[] = [];
    audit.listen(({ act }) => told.push(act));
    audit.write(actor, 'long', 'failed', { reason: 'x'.repeat(10_000), detail: { all: 'y'.repeat(50_000) } });
    const [entry] = audit.list({}, 1);
    expect(entry!.reason.length).toBeLessThan(600);
    expect(entry!.detail).toHaveProperty('sha256');
    expect(told).toEqual(['long']);
  });
});

describe('confirmations', () => {
  const act = {
    userId: 'u',
    credential: 's',
    route: 'flatten',
    input: { body: { reason: 'now', desk: null } },
  };

  it('are good once, for a minute, for one act of one user', () => {
    let now = 0;
    const confirmations = new Confirmations(() => now);
    const ask = () => confirmations.ask(act, 'flatten all').token;
    const once = ask();
    expect(confirmations.redeem(once, act)).toBe(true);
    expect(confirmations.redeem(once, act)).toBe(false);
    const others = [
      { ...act, userId: 'v' },
      { ...act, credential: 't' },
      { ...act, route: 'kill' },
      { ...act, input: { body: { reason: 'now', desk: 'sigma' } } },
    ];
    for (const other of others) {
      const token = ask();
      expect(confirmations.redeem(token, other)).toBe(false);
      // tried for something else, it is used up
      expect(confirmations.redeem(token, act)).toBe(false);
    }
    const late = ask();
    now += 60_000;
    expect(confirmations.redeem(late, act)).toBe(false);
    expect(confirmations.redeem('', act)).toBe(false);
  });

  it('do not pile up: a user has twenty open at most', () => {
    const confirmations = new Confirmations(() => 0);
    const tokens = Array.from({ length: 25 }, () => confirmations.ask(act, 'x').token);
    const good = tokens.filter((token) => confirmations.redeem(token, act));
    expect(good).toEqual(tokens.slice(5));
  });
});

describe('where the server listens', () => {
  const open = { host: '127.0.0.1', tls: null, trustedProxy: [] as string[] };

  it.each(['127.0.0.1', '127.8.9.1', 'localhost', '::1', '[::1]', '::ffff:127.0.0.1'])(
    'allows %s',
    (host) => {
      expect(isLoopback(host)).toBe(true);
      expect(() => checkListening({ ...open, host })).not.toThrow();
    },
  );

  it.each(['0.0.0.0', '::', '192.168.1.4', 'console.example', '127.evil.example', '1270.0.0.1', ''])(
    'refuses %s without protection',
    (host) => {
      expect(isLoopback(host)).toBe(false);
      expect(() => checkListening({ ...open, host })).toThrow(/pass in the clear/);
      expect(() => checkListening({ ...open, host, tls: { key: 'k', cert: 'c' } })).not.toThrow();
      expect(() => checkListening({ ...open, host, trustedProxy: ['10.0.0.0/8'] })).not.toThrow();
    },
  );

  it('refuses half a pair, a proxy that is none, everybody as a proxy, and an origin that is none', () => {
    expect(() => checkListening({ ...open, tls: { key: 'k', cert: '' } })).toThrow(/key and a certificate/);
    for (const proxy of ['proxy.example', '10.0.0.0/0', '10.0.0.0/33', '10.0.0.1/8/8', '::/0', ''])
      expect(() => checkListening({ ...open, trustedProxy: [proxy] })).toThrow(/neither an address/);
    for (const origin of [
      '*',
      'desk.example',
      'https://desk.example/',
      'https://desk.example/app',
      'file:///x',
      'null',
    ])
      expect(() => checkListening({ ...open, origins: [origin] })).toThrow(/no origin/);
    expect(() => checkListening({ ...open, origins: ['https://desk.example:8443'] })).not.toThrow();
  });
});
