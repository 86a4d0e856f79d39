import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  type AlertChannel,
  PagerDutyChannel,
  retryAfter,
  SmtpChannel,
  type SmtpOptions,
  TelegramChannel,
  TelegramLink,
  telegramHtml,
  WEBHOOK_HEADERS,
  WebhookChannel,
  webhookIsGenuine,
} from '#adapters';
import { messageWith } from '../../support/alert-messages.ts';
import { HttpLoopback, sendJson } from '../../support/http-loopback.ts';
import { PagerDutyLoopback } from '../../support/pagerduty-loopback.ts';
import { ownCertificate, SmtpLoopback } from '../../support/smtp-loopback.ts';
import { TelegramLoopback } from '../../support/telegram-loopback.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function running<T extends { start(): Promise<T>; stop(): Promise<void> }>(server: T): Promise<T> {
  await server.start();
  cleanups.push(() => server.stop());
  return server;
}

/** Every outcome of a channel, as text, to search for what must not be there. */
async function told(channel: AlertChannel): Promise<string> {
  return JSON.stringify(await channel.send(messageWith()));
}

describe('the Telegram channel', () => {
  async function setUp(name = 'phone') {
    const server = await running(new TelegramLoopback());
    const link = new TelegramLink({ token: server.token, baseUrl: server.url });
    return { server, link, channel: new TelegramChannel({ name, link, chatId: 42, spacingMs: 0 }) };
  }

  it('sends escaped HTML of bounded length, silently when it is only news', async () => {
    const { server, channel } = await setUp();
    const title = '<script>&"x"</script>';
    expect((await channel.send(messageWith({ title, body: 'a < b & c > d' }))).is).toBe('delivered');
    const [sent] = server.sent;
    expect(sent!.payload).toMatchObject({
      chat_id: 42,
      parse_mode: 'HTML',
      disable_notification: false,
      link_preview_options: { is_disabled: true },
    });
    expect(sent!.text).toContain('<b>&lt;script&gt;&amp;"x"&lt;/script&gt;</b>');
    expect(sent!.text).toContain('a &lt; b &amp; c &gt; d');
    await channel.send(messageWith({ severity: 'info', body: '&'.repeat(9_000) }));
    expect(server.sent[1]!.payload).toMatchObject({ disable_notification: true });
    const read = server.sent[1]!.text.replace(/<\/?b>/g, '').replace(/&amp;/g, '&');
    expect(read.length).toBeLessThanOrEqual(4_096);
  });

  it('never cuts a character in half', () => {
    const text = telegramHtml(messageWith({ body: '\u{1f6d1}'.repeat(4_000) }));
    expect(text.isWellFormed()).toBe(true);
  });

  it('honours retry_after: nothing is sent to the chat before', async () => {
    const { server, channel, link } = await setUp();
    const body = {
      ok: false,
      error_code: 429,
      description: 'Too Many Requests: retry after 5',
      parameters: { retry_after: 5 },
    };
    server.faults.push({ method: 'sendMessage', fault: { status: 429, body } });
    expect(await channel.send(messageWith())).toMatchObject({ is: 'retry', afterMs: 5_000 });
    const calls = server.received.length;
    const second = await channel.send(messageWith());
    expect(second).toMatchObject({ is: 'retry' });
    expect(second.is === 'retry' && second.afterMs! > 4_000).toBe(true);
    expect(server.received.length).toBe(calls);
    // another chat of the same bot is not held up
    const other = new TelegramChannel({ name: 'other', link, chatId: 43, spacingMs: 0 });
    expect((await other.send(messageWith())).is).toBe('delivered');
  });

  it.each([
    [
      'a blocked bot',
      {
        status: 403,
        body: { ok: false, error_code: 403, description: 'Forbidden: bot was blocked by the user' },
      },
      'refused',
    ],
    [
      'an unknown chat',
      { status: 400, body: { ok: false, error_code: 400, description: 'Bad Request: chat not found' } },
      'refused',
    ],
    [
      'a wrong token',
      { status: 401, body: { ok: false, error_code: 401, description: 'Unauthorized' } },
      'refused',
    ],
    [
      'a server in trouble',
      { status: 502, body: { ok: false, error_code: 502, description: 'Bad Gateway' } },
      'retry',
    ],
    ['a line that breaks', 'drop', 'retry'],
    ['an answer that is none', 'garbage', 'retry'],
  ] as const)('tells what may come again from what may not: %s', async (_, fault, is) => {
    const { server, channel } = await setUp();
    server.faults.push({ method: 'sendMessage', fault });
    const outcome = await channel.send(messageWith());
    expect(outcome.is).toBe(is);
    expect(JSON.stringify(outcome)).not.toContain(server.token);
    expect(JSON.stringify(outcome)).not.toContain('AAF');
  });

  it('goes on without markup when Telegram cannot read it, and follows a group that moved', async () => {
    const { server, channel } = await setUp();
    const unread = { ok: false, error_code: 400, description: "Bad Request: can't parse entities" };
    server.faults.push({ method: 'sendMessage', fault: { status: 400, body: unread } });
    expect((await channel.send(messageWith())).is).toBe('delivered');
    expect(server.sent[0]!.payload.parse_mode).toBeUndefined();
    const moved = {
      ok: false,
      error_code: 400,
      description: 'Bad Request: group chat was upgraded',
      parameters: { migrate_to_chat_id: -100_77 },
    };
    server.faults.push({ method: 'sendMessage', fault: { status: 400, body: moved } });
    expect((await channel.send(messageWith())).is).toBe('delivered');
    expect(server.sent[1]!.chat).toBe(-100_77);
  });

  it('shows the token in no error, whatever goes wrong', async () => {
    const token = '1:AAsecret-secret-secret';
    const gone = await new HttpLoopback(() => undefined).start();
    const baseUrl = gone.url;
    await gone.stop();
    const link = new TelegramLink({ token, baseUrl });
    const channel = new TelegramChannel({ name: 'phone', link, chatId: 1, spacingMs: 0 });
    const outcome = await told(channel);
    expect(outcome).toContain('ECONNREFUSED');
    expect(outcome).not.toContain('secret');
    expect(() => new TelegramLink({ token, baseUrl: 'http://example.org' })).toThrow(/not encrypted/);
  });
});

describe('the PagerDuty channel', () => {
  const routingKey = '0123456789abcdef0123456789abcdef';

  async function setUp() {
    const server = new PagerDutyLoopback();
    await running(server.http);
    const channel = new PagerDutyChannel({
      name: 'pager',
      routingKey,
      baseUrl: server.http.url,
      source: 'box',
      timeoutMs: 2_000,
    });
    return { server, channel };
  }

  it('triggers, acknowledges and resolves one incident by its key', async () => {
    const { server, channel } = await setUp();
    const states: (string | undefined)[] = [];
    for (const verb of ['trigger', 'trigger', 'acknowledge', 'resolve'] as const) {
      expect(await channel.send(messageWith({ verb }))).toMatchObject({
        is: 'delivered',
        reference: 'demo/breaker',
      });
      states.push(server.incidents.get('demo/breaker'));
    }
    expect(states).toEqual(['triggered', 'triggered', 'acknowledged', 'resolved']);
    expect(server.events[0]!.payload).toMatchObject({
      summary: 'demo: breaker HALT: daily-loss',
      source: 'box',
      severity: 'critical',
      timestamp: '2026-11-21T12:00:00.000Z',
      component: 'sigma',
      group: 'demo',
      class: 'breaker',
      custom_details: { loss: '0.041', instrument: 'BTCUSDT.BINANCE-USDM' },
    });
    expect(server.events[3]!.payload).toBeUndefined();
  });

  it('keeps within the limits of the service', async () => {
    const { server, channel } = await setUp();
    const message = messageWith({
      title: 'x'.repeat(3_000),
      key: 'k'.repeat(400),
      body: 'y'.repeat(600_000),
    });
    expect((await channel.send(message)).is).toBe('delivered');
    const [event] = server.events;
    expect(event!.payload!.summary!.length).toBeLessThanOrEqual(1_024);
    expect(event!.dedup_key!.length).toBeLessThanOrEqual(255);
    expect(server.http.received[0]!.body.length).toBeLessThan(512_000);
    // two long keys that begin alike are two incidents
    await channel.send(messageWith({ key: `${'k'.repeat(399)}z` }));
    expect(server.incidents.size).toBe(2);
  });

  it.each([
    ['400', { status: 400, body: { status: 'invalid event', errors: [routingKey] } }, { is: 'refused' }],
    ['403', { status: 403 }, { is: 'refused' }],
    [
      '429 with Retry-After',
      { status: 429, headers: { 'retry-after': '7' } },
      { is: 'retry', afterMs: 7_000 },
    ],
    ['429', { status: 429 }, { is: 'retry', afterMs: null }],
    ['500', { status: 500 }, { is: 'retry' }],
    ['503', { status: 503 }, { is: 'retry' }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:9/' } }, { is: 'refused' }],
    ['a line that breaks', 'drop', { is: 'retry' }],
    ['silence', 'hang', { is: 'retry', reason: 'no answer within 2000 ms' }],
  ] as const)('answers to %s as the service asks', async (_, fault, expected) => {
    const { server, channel } = await setUp();
    server.http.faults.push(fault);
    const outcome = await channel.send(messageWith());
    expect(outcome).toMatchObject(expected);
    expect(JSON.stringify(outcome)).not.toContain(routingKey);
  });

  it('does not call with a key that cannot be one', async () => {
    const channel = new PagerDutyChannel({
      name: 'pager',
      routingKey: 'short',
      baseUrl: 'http://127.0.0.1:9',
      source: 'box',
    });
    expect(await channel.send(messageWith())).toMatchObject({ is: 'refused' });
  });
});

describe('the webhook channel', () => {
  const secret = 'a-long-secret';

  async function setUp() {
    const server = await running(new HttpLoopback((_, response) => sendJson(response, 200, { ok: true })));
    return {
      server,
      channel: new WebhookChannel({ name: 'hook', url: `${server.url}/in`, secret, timeoutMs: 2_000 }),
    };
  }

  it('signs what it sends so that a receiver knows it, and knows when it was sent', async () => {
    const { server, channel } = await setUp();
    expect((await channel.send(messageWith({ title: 'Zürich €' }))).is).toBe('delivered');
    const [{ headers, body }] = server.received as [(typeof server.received)[number]];
    const call = {
      timestamp: String(headers[WEBHOOK_HEADERS.timestamp]),
      signature: String(headers[WEBHOOK_HEADERS.signature]),
      body,
    };
    expect(webhookIsGenuine(secret, call, Date.now())).toBe(true);
    expect(webhookIsGenuine('another', call, Date.now())).toBe(false);
    expect(webhookIsGenuine(secret, { ...call, body: body.replace('Zürich', 'Genf') }, Date.now())).toBe(
      false,
    );
    expect(
      webhookIsGenuine(secret, { ...call, timestamp: String(Number(call.timestamp) - 1) }, Date.now()),
    ).toBe(false);
    expect(webhookIsGenuine(secret, call, Date.now() + 301_000)).toBe(false);
    expect(JSON.parse(body)).toMatchObject({
      version: 1,
      id: 'demo-1-7',
      verb: 'trigger',
      title: 'Zürich €',
    });
    expect(body).not.toContain(secret);
  });

  it('says the same id on every try', async () => {
    const { server, channel } = await setUp();
    server.faults.push({ status: 503 });
    expect((await channel.send(messageWith())).is).toBe('retry');
    expect((await channel.send(messageWith())).is).toBe('delivered');
    expect(new Set(server.received.map((one) => one.headers[WEBHOOK_HEADERS.id])).size).toBe(1);
  });

  it.each([
    [408, 'retry'],
    [429, 'retry'],
    [500, 'retry'],
    [301, 'refused'],
    [404, 'refused'],
    [410, 'refused'],
  ] as const)('answers to %d as it should', async (status, is) => {
    const { server, channel } = await setUp();
    server.faults.push({
      status,
      headers: { location: `${server.url}/elsewhere` },
      body: `${server.url}/in ${secret}`,
    });
    const outcome = await channel.send(messageWith());
    expect(outcome.is).toBe(is);
    expect(server.received).toHaveLength(1);
    // neither the secret nor the address, which may be one
    expect(JSON.stringify(outcome)).not.toContain(secret);
    expect(JSON.stringify(outcome)).not.toContain('/in');
  });

  it('sends to this machine or encrypted only, and reads a bounded answer', async () => {
    expect(() => new WebhookChannel({ name: 'x', url: 'http://example.org/in', secret })).toThrow(
      /not encrypted/,
    );
    expect(() => new WebhookChannel({ name: 'x', url: 'file:///etc/passwd', secret })).toThrow();
    const { server, channel } = await setUp();
    server.faults.push({ status: 500, body: 'x'.repeat(5_000_000) });
    const outcome = await channel.send(messageWith());
    expect(JSON.stringify(outcome).length).toBeLessThan(500);
  });

  it('reads Retry-After as seconds or as a date', () => {
    const now = Date.UTC(2026, 0, 1);
    expect(retryAfter('12', now)).toBe(12_000);
    expect(retryAfter(new Date(now + 30_000).toUTCString(), now)).toBe(30_000);
    expect(retryAfter('Thu, 01 Jan 1970 00:00:00 GMT', now)).toBe(0);
    expect(retryAfter('99999999', now)).toBe(3_600_000);
    expect(retryAfter('soon', now)).toBeNull();
  });
});

describe('the mail channel', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorum-smtp-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const certificate = ownCertificate(folder);
  const account = { user: 'quorum', password: 'mail-secret' };

  const channelTo = (port: number, given: Partial<SmtpOptions> = {}) =>
    new SmtpChannel({
      name: 'mail',
      host: '127.0.0.1',
      port,
      tls: 'starttls',
      caFile: certificate.certFile,
      ...account,
      from: 'quorum@example.org',
      to: ['ada@example.org', 'bob@example.org'],
      timeoutMs: 2_000,
      ...given,
    });

  for (const tls of ['starttls', 'implicit'] as const) {
    it(`sends one plain mail with a fixed id over TLS: ${tls}`, async () => {
      const server = await running(new SmtpLoopback({ tls, certificate, account }));
      const channel = channelTo(server.port, { tls });
      const message = messageWith({ title: 'HALT\r\nBcc: eve@example.org' });
      expect((await channel.send(message)).is).toBe('delivered');
      expect((await channel.send(message)).is).toBe('delivered');
      const [mail, again] = server.mails as [(typeof server.mails)[number], (typeof server.mails)[number]];
      expect(mail).toMatchObject({ secure: true, user: 'quorum', from: 'quorum@example.org' });
      expect(mail.to).toEqual(['ada@example.org', 'bob@example.org']);
      const [head] = mail.raw.split('\r\n\r\n') as [string];
      expect(head).toContain('Subject: [CRITICAL] demo: HALT Bcc: eve@example.org');
      expect(head).not.toMatch(/^Bcc/m);
      expect(head).toMatch(/^Auto-Submitted: auto-generated/m);
      const idOf = (raw: string) => /^Message-ID: (.+)$/im.exec(raw)![1];
      expect(idOf(again.raw)).toBe(idOf(mail.raw));
    });
  }

  it('goes no further without TLS, and not to a certificate nobody vouches for', async () => {
    const plain = await running(new SmtpLoopback({ tls: 'none', account }));
    expect((await channelTo(plain.port).send(messageWith())).is).toBe('refused');
    expect(plain.mails).toHaveLength(0);
    const server = await running(new SmtpLoopback({ tls: 'starttls', certificate, account }));
    const { caFile: _, ...rest } = { caFile: '', name: 'mail', host: '127.0.0.1', port: server.port };
    const channel = new SmtpChannel({
      ...rest,
      tls: 'starttls',
      ...account,
      from: 'a@b.c',
      to: ['a@b.c'],
      timeoutMs: 2_000,
    });
    expect((await channel.send(messageWith())).is).not.toBe('delivered');
    expect(server.mails).toHaveLength(0);
    expect(() => channelTo(25, { host: 'mail.example.org', tls: 'none' })).toThrow(/without TLS/);
  });

  it.each([
    [421, 'retry'],
    [451, 'retry'],
    [550, 'refused'],
    [554, 'refused'],
  ] as const)('answers to %d as it should', async (code, is) => {
    const server = await running(new SmtpLoopback({ tls: 'starttls', certificate, account }));
    server.faults.push({ code, message: `no: ${account.password}` });
    const outcome = await channelTo(server.port).send(messageWith());
    expect(outcome.is).toBe(is);
    expect(JSON.stringify(outcome)).not.toContain(account.password);
  });

  it('refuses a wrong password for good and comes again after silence', async () => {
    const server = await running(new SmtpLoopback({ tls: 'starttls', certificate, account }));
    const wrong = await channelTo(server.port, { password: 'wrong' }).send(messageWith());
    expect(wrong.is).toBe('refused');
    const silent = createServer(() => undefined);
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    cleanups.push(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const outcome = await channelTo(port, { timeoutMs: 300 }).send(messageWith());
    expect(outcome.is).toBe('retry');
    expect((await channelTo(9).send(messageWith())).is).toBe('retry');
  });
});
