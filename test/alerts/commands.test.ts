import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertsSchema } from '../../src/apps/alerts/alert-configuration.ts';
import { channelsOf } from '../../src/apps/alerts/channels-of.ts';
import { openAlerts } from '../../src/apps/alerts/start-alerts.ts';
import { checkConfiguration } from '../../src/apps/setup/configuration.ts';
import { quorum } from '../program/child.ts';
import { alertWith } from '../support/alert-messages.ts';
import { HttpLoopback, sendJson } from '../support/http-loopback.ts';
import { PagerDutyLoopback } from '../support/pagerduty-loopback.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-alerts-'));
const pager = new PagerDutyLoopback();
const hook = new HttpLoopback((_, response) => sendJson(response, 200, {}));
let alerts: Record<string, unknown>;
const env = {
  QUORUM_PAGERDUTY_KEY: '0123456789abcdef0123456789abcdef',
  QUORUM_WEBHOOK_SECRET: 'hook-secret',
};

beforeAll(async () => {
  await pager.http.start();
  await hook.start();
  alerts = {
    channels: {
      pager: { kind: 'pagerduty', baseUrl: pager.http.url },
      hook: { kind: 'webhook', url: `${hook.url}/in` },
      phone: { kind: 'telegram', chatId: 42, tokenEnv: 'NOT_SET_ANYWHERE' },
    },
  };
  const portfolios = { main: { desks: [{ desk: 'sigma' }] } };
  writeFileSync(join(root, 'quorum.config.json'), JSON.stringify({ portfolios, alerts }));
});
afterAll(async () => {
  await pager.http.stop();
  await hook.stop();
  rmSync(root, { recursive: true, force: true });
});

const run = async (...args: string[]) => {
  const ended = await quorum(['alerts', ...args, '--data-dir', 'data', '--json'], root, env);
  return { ...ended, value: ended.stdout === '' ? null : JSON.parse(ended.stdout) };
};

describe('quorum alerts', () => {
  it('tests every channel, says what is wrong with one, and shows no secret', async () => {
    const all = await run('test');
    expect(all.code).toBe(5);
    expect(
      all.value.results.map((r: { channel: string; outcome: { is: string } }) => [r.channel, r.outcome.is]),
    ).toEqual([
      ['pager', 'delivered'],
      ['hook', 'delivered'],
      ['phone', 'refused'],
    ]);
    expect(all.stdout).toContain('NOT_SET_ANYWHERE');
    expect(all.stdout + all.stderr).not.toContain('hook-secret');
    expect(all.stdout + all.stderr).not.toContain(env.QUORUM_PAGERDUTY_KEY);
    // the pager does not go on ringing
    expect([...pager.incidents.values()]).toEqual(['resolved']);
    expect((await run('test', '--channel', 'hook')).code).toBe(0);
    expect((await run('test', '--channel', 'nobody')).code).toBe(3);
  });

  it('lists, acknowledges and resolves what the server has taken', async () => {
    const empty = await run('list');
    expect(empty).toMatchObject({ code: 0, value: { alerts: [] } });
    const { desk } = openAlerts({
      dataDir: join(root, 'data'),
      configuration: alertsSchema.parse(alerts),
      environment: env,
    });
    desk.raise(alertWith({ id: 'demo-1-7', at: Date.now() }));
    desk.raise(
      alertWith({ id: 'demo-1-8', at: Date.now(), subject: 'trade-1', kind: 'trade', severity: 'info' }),
    );
    await desk.stop();
    const open = await run('list', '--state', 'open');
    expect(open.value.alerts).toMatchObject([{ id: 'demo-1-7', standing: 'open', state: 'pending' }]);
    expect((await run('ack', 'demo-1-7')).value.acknowledgedBy).toMatch(/\(command line\)$/);
    expect((await run('list', '--state', 'acknowledged')).value.alerts).toHaveLength(1);
    expect((await run('resolve', 'demo-1-7')).code).toBe(0);
    expect((await run('list', '--state', 'open')).value.alerts).toEqual([]);
    expect((await run('ack', 'nothing')).code).toBe(3);
    const { value } = await run('list', '--deliveries');
    expect(value.waiting.pager).toBe(3);
    expect(value.deliveries.map((d: { verb: string }) => d.verb)).toContain('acknowledge');
  });

  it('shows the rules in force, sets others and gives them back', async () => {
    expect((await run('rules')).value).toMatchObject({
      from: 'configuration',
      fallback: ['pager', 'hook', 'phone'],
    });
    writeFileSync(
      join(root, 'rules.json'),
      JSON.stringify({ rules: [{ name: 'quiet', channels: ['hook'] }] }),
    );
    expect((await run('rules', '--set', 'rules.json')).value).toMatchObject({
      from: 'console',
      rules: [{ name: 'quiet' }],
    });
    writeFileSync(join(root, 'bad.json'), JSON.stringify({ rules: [{ name: 'x', channels: ['nobody'] }] }));
    const bad = await run('rules', '--set', 'bad.json');
    expect(bad.code).toBe(3);
    expect(bad.stderr).toContain('there is no channel "nobody"');
    writeFileSync(
      join(root, 'bad.json'),
      JSON.stringify({ rules: [{ name: 'x', quietHours: { from: '25:00', to: '07:00' } }] }),
    );
    expect((await run('rules', '--set', 'bad.json')).stderr).toContain('rules.0.quietHours.from');
    expect((await run('rules')).value.from).toBe('console');
    expect((await run('rules', '--reset')).value.from).toBe('configuration');
  });
});

describe('alerts in a configuration', () => {
  const withAlerts = (given: unknown) =>
    checkConfiguration({ portfolios: { main: { desks: [{ desk: 'sigma' }] } }, alerts: given }, 'f.json');

  it('takes names of environment variables, never a secret, and no unknown key', () => {
    expect(() =>
      withAlerts({ channels: { a: { kind: 'telegram', chatId: 1, tokenEnv: '123:AA-secret' } } }),
    ).toThrow(/environment variable/);
    expect(() => withAlerts({ channels: { a: { kind: 'telegram', chatId: 1, token: 'x' } } })).toThrow(
      /unknown key "token".*|token/,
    );
    expect(() => withAlerts({ channels: { a: { kind: 'pager' } } })).toThrow(/alerts.channels.a/);
    expect(() => withAlerts({ chanels: {} })).toThrow(/unknown key "chanels"/);
    expect(
      withAlerts({ channels: { a: { kind: 'telegram', chatId: '-1001' } } }).alerts?.channels.a,
    ).toMatchObject({ tokenEnv: 'QUORUM_TELEGRAM_TOKEN' });
  });

  it('makes one listener for one bot, and a channel that says why for what cannot be made', async () => {
    const commands = { users: { 42: 'ada' }, chats: [42] };
    const configuration = alertsSchema.parse({
      channels: {
        one: { kind: 'telegram', chatId: 1, commands },
        two: { kind: 'telegram', chatId: 2, commands },
        bare: { kind: 'webhook' },
        open: { kind: 'webhook', url: 'http://example.org/' },
        mail: {
          kind: 'smtp',
          host: 'mail.example.org',
          tls: 'none',
          from: 'a@example.org',
          to: ['b@example.org'],
        },
      },
    });
    const { channels, listening, faults } = channelsOf(configuration, {
      QUORUM_TELEGRAM_TOKEN: '1:x',
      QUORUM_WEBHOOK_SECRET: 's',
    });
    expect(listening.map((one) => one.name)).toEqual(['one']);
    expect(faults).toMatchObject({ one: null, bare: 'neither url nor urlEnv is given' });
    expect(faults.open).toMatch(/not encrypted/);
    expect(faults.mail).toMatch(/without TLS/);
    const absent = channels.find((one) => one.name === 'bare')!;
    const { key: _, ...rest } = { ...alertWith(), key: '' };
    expect(await absent.send({ ...rest, key: 'k' })).toMatchObject({ is: 'refused', reason: faults.bare });
  });
});
