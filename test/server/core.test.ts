import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openProjections } from '#adapters';
import { InputError } from '#base';
import { jobRequest } from '../../src/apps/contract/areas/workshop.ts';
import { DATABASE_FILE } from '../../src/apps/runner/projecting.ts';
import { AlertsFeed } from '../../src/apps/server/alerts-feed.ts';
import { AnswerCache } from '../../src/apps/server/answer-cache.ts';
import { answerTo, BadInput } from '../../src/apps/server/answer-errors.ts';
import { Problem } from '../../src/apps/server/context.ts';
import { Refusal } from '../../src/apps/server/identity/index.ts';
import { ANSWER_MS, ReachedPortfolios } from '../../src/apps/server/portfolios.ts';
import { createConsole } from '../../src/apps/server/server.ts';
import { redacted, redactedText, ServerLog } from '../../src/apps/server/server-log.ts';
import { cheapHasher } from './identity/people.ts';
import { pretendedLoop, until, WrittenJournal } from './live-kit.ts';

let dir: string;
const closing: (() => Promise<unknown> | unknown)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'quorum-core-'));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(dir, { recursive: true, force: true });
});

function portfolio(name: string): string {
  const folder = join(dir, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'journal'), '');
  return folder;
}

describe('portfolios', () => {
  const clock = { now: 1_000 };
  const reached = (heard: string[] = []) => {
    const portfolios = new ReachedPortfolios({
      dataDir: dir,
      databaseUrl: () => null,
      now: () => clock.now,
      onOperator: (name, { act }, answer) => heard.push(`${name} ${act.action} ${answer?.ok ?? null}`),
    });
    closing.push(() => portfolios.close());
    return portfolios;
  };

  it('asks a loop four times a second however many want to know, and anew after every act', async () => {
    const asked: string[] = [];
    const control = await pretendedLoop(portfolio('one'), ({ ask }) => {
      asked.push(ask);
      return { ok: true, status: { n: asked.length } };
    });
    closing.push(() => control.close());
    const heard: string[] = [];
    const portfolios = reached(heard);
    const many = () =>
      Promise.all(Array.from({ length: 200 }, () => portfolios.ask('one', { ask: 'status' })));
    const answers = await many();
    expect(asked).toEqual(['status']);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    clock.now += ANSWER_MS - 1;
    await many();
    expect(asked).toHaveLength(1);
    clock.now += 1;
    await many();
    expect(asked).toHaveLength(2);
    const act = { action: 'stop' } as const;
    await portfolios.ask('one', { ask: 'operator', by: 'ada', reason: 'r', act });
    await portfolios.ask('one', { ask: 'status' });
    expect(asked).toEqual(['status', 'status', 'operator', 'status']);
    expect(heard).toEqual(['one stop true']);
  });

  it('chooses the one that is named, the first that runs, the first', async () => {
    const portfolios = reached();
    await expect(portfolios.choose(undefined)).rejects.toMatchObject({ status: 404 });
    for (const name of ['alpha', 'beta']) portfolio(name);
    clock.now += 1_000;
    expect(portfolios.names()).toEqual(['alpha', 'beta']);
    expect(await portfolios.choose(undefined)).toBe('alpha');
    const control = await pretendedLoop(join(dir, 'beta'), () => ({ ok: true }));
    closing.push(() => control.close());
    clock.now += 1_000;
    expect(await portfolios.choose(undefined)).toBe('beta');
    expect(await portfolios.choose('alpha')).toBe('alpha');
    for (const name of ['gamma', '../alpha', ''])
      await expect(portfolios.choose(name)).rejects.toMatchObject({ status: 404, code: 'not-found' });
  });

  it('says 503 while projections are out of reach, and reads the new ones once there are some', async () => {
    const folder = portfolio('one');
    const file = join(folder, DATABASE_FILE);
    const portfolios = reached();
    const idsIn = async () => {
      const { db } = await portfolios.projections('one');
      return (await db.selectFrom('notifications').select('id').execute()).map(({ id }) => id);
    };
    await expect(idsIn()).rejects.toMatchObject({ status: 503, code: 'projections-unreachable' });
    const write = async (id: string) => {
      const store = await openProjections({ file, databaseUrl: null });
      await store.db
        .insertInto('notifications')
        .values({
          id,
          position: 1,
          at: 1,
          portfolio: 'one',
          severity: 'info',
          kind: 'k',
          title: 't',
          body: 'b',
        } as never)
        .execute();
      await store.close();
    };
    await write('first');
    expect(await idsIn()).toEqual(['first']);
    // begun anew: another file of the same name
    for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
    await write('second');
    expect(await idsIn()).toEqual(['second']);
    renameSync(file, `${file}.gone`);
    await expect(idsIn()).rejects.toMatchObject({ status: 503 });
    writeFileSync(file, 'this is no database');
    await expect(idsIn()).rejects.toMatchObject({ status: 503 });
    rmSync(file);
    renameSync(`${file}.gone`, file);
    clock.now += 1_000;
    expect(await idsIn()).toEqual(['second']);
  });
});

describe('the cache of answers', () => {
  it('makes one answer for all who ask within a quarter of a second, and forgets it when something changes', async () => {
    let now = 0;
    let made = 0;
    const cache = new AnswerCache(() => now);
    const make = async () => ({ text: String(++made), etag: '' });
    const [a, b] = await Promise.all([cache.of('k', make), cache.of('k', make)]);
    expect([a.text, b.text, (await cache.of('other', make)).text]).toEqual(['1', '1', '2']);
    cache.clear();
    expect((await cache.of('k', make)).text).toBe('3');
    now += 250;
    expect((await cache.of('k', make)).text).toBe('4');
    const failing = async () => {
      throw new Error('no');
    };
    now += 250;
    await expect(cache.of('k', failing)).rejects.toThrow('no');
    expect((await cache.of('k', make)).text).toBe('5');
  });
});

describe('answers to errors', () => {
  it('tell the caller what to do, and nothing of the inside', () => {
    expect(answerTo(new Problem(404, 'not-found', 'm', 'n'))).toMatchObject({
      status: 404,
      body: { error: { code: 'not-found', message: 'm', mend: 'n' } },
      unexpected: false,
    });
    const waits = new Refusal('locked-out', 'm', 'n', { retryAfterS: 7, extra: { more: 1 } });
    expect(answerTo(waits)).toMatchObject({
      status: 429,
      headers: { 'retry-after': '7' },
      body: { more: 1 },
    });
    expect(answerTo(new InputError('bad', 'mend it'))).toMatchObject({ status: 400 });
    const wrong = jobRequest.safeParse({ kind: 'report', job: 7 });
    expect(answerTo(new BadInput(wrong.error!))).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('job:') as string } },
    });
    const locked = Object.assign(new Error('database is locked at /home/x'), {
      code: 'ERR_SQLITE_ERROR',
      errcode: 5,
    });
    expect(answerTo(locked)).toMatchObject({ status: 503, unexpected: true });
    for (const thrown of [new Error('secret'), 'secret', null, { secret: 1 }, new TypeError('secret')]) {
      const { status, body, unexpected } = answerTo(thrown);
      expect([status, unexpected]).toEqual([500, true]);
      expect(JSON.stringify(body)).not.toContain('secret');
    }
  });
});

describe('the log of the server', () => {
  const SECRETS = [
    'qrm_0123456789abcdef01234567_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
    'sk-verysecretkey123456',
  ];

  it('holds no secrets, by the names of keys and by how they look', () => {
    const nested = redacted({
      authorization: 'Basic abc',
      headers: { Cookie: 'quorum-1=abc', 'x-quorum-csrf': 'abc', 'user-agent': 'curl' },
      body: { password: 'abc', otp: '123456', name: 'ada', list: [{ apiKey: 'abc' }] },
      error: new Error(`failed with Bearer ${SECRETS[0]}`),
    });
    const text = JSON.stringify(nested);
    expect(text).not.toMatch(/abc|123456/);
    expect(text).toContain('"name":"ada"');
    expect(text).toContain('"user-agent":"curl"');
    for (const secret of SECRETS) expect(redactedText(`x ${secret} y`)).not.toContain(secret.slice(6));
    expect(redactedText('postgres://ada:hunter22@host/db')).toBe('postgres://ada:[hidden]@host/db');
    expect(redactedText('/x?token=hunter22&a=1 password=hunter22')).not.toContain('hunter22');
  });

  it('is one JSON object a line, whatever is written', () => {
    const path = join(dir, 'server.log');
    const log = new ServerLog(path, () => 0);
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    log.write('info', 'a\nb', { text: 'c\u0000\nd', big: 10n, circle });
    log.write('error', 'x'.repeat(10_000), { list: Array.from({ length: 1_000 }, (_, i) => i) });
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      time: '1970-01-01T00:00:00.000Z',
      level: 'info',
      what: 'a\nb',
    });
    expect(lines[1]!.length).toBeLessThan(13_000);
  });
});

describe('what alerting hears', () => {
  it('is every entry once, across restarts, but not what happened long before it first looked', async () => {
    const journal = new WrittenJournal();
    closing.push(() => journal.remove());
    journal.write(30);
    let cursor = 0;
    const told: number[] = [];
    const desk = {
      cursor: () => cursor,
      take: (_: unknown, entries: readonly { position: number; value: unknown }[]) => {
        for (const { position, value } of entries) if (value !== null) told.push(position);
        cursor = entries.at(-1)!.position + 1;
      },
    };
    const portfolios = { names: () => ['p'], folder: () => journal.folder };
    const begin = (now: number) =>
      new AlertsFeed({
        portfolios,
        desk,
        now: () => now,
        onTrouble: (what, error) => {
          throw new Error(what, { cause: error });
        },
      });
    const first = begin(Date.now() + 3_600_000);
    await until(() => cursor === 31, 'the past');
    expect(told).toEqual([]);
    journal.write(9);
    await until(() => cursor === 40, 'news');
    await first.close();
    const news = told.length;
    expect(news).toBeGreaterThan(0);
    journal.write(9);
    const second = begin(Date.now());
    await until(() => cursor === 49, 'what happened meanwhile');
    await second.close();
    expect(told.length).toBeGreaterThan(news);
    expect(told).toEqual([...new Set(told)]);
  });
});

describe('pages', () => {
  it('are served to everybody, kept for good where a hash is in the name, and never from outside their folder', async () => {
    const webRoot = join(dir, 'web');
    mkdirSync(join(webRoot, 'assets'), { recursive: true });
    writeFileSync(join(webRoot, 'index.html'), '<div id="root"></div>');
    writeFileSync(join(webRoot, 'assets', 'app-1a2b.js'), 'export {}');
    writeFileSync(join(webRoot, '.sources'), 'hash');
    writeFileSync(join(dir, 'secret.txt'), 'secret');
    const server = await createConsole({
      dataDir: join(dir, 'data'),
      port: 0,
      webRoot,
      hasher: cheapHasher(),
    });
    closing.push(() => server.close());
    const get = async (path: string, accept = 'text/html') => {
      const response = await fetch(`${server.url}${path}`, { headers: { accept } });
      return {
        status: response.status,
        cache: response.headers.get('cache-control'),
        text: await response.text(),
      };
    };
    for (const path of ['/', '/decisions', '/research/runs?x=1', '/index.html'])
      expect(await get(path)).toMatchObject({
        status: 200,
        cache: 'no-cache',
        text: '<div id="root"></div>',
      });
    expect(await get('/assets/app-1a2b.js')).toMatchObject({
      status: 200,
      cache: 'public, max-age=31536000, immutable',
    });
    for (const path of [
      '/.sources',
      '/assets/none.js',
      '/api/nothing',
      '/..%2fsecret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/%2e%2e/%2e%2e/secret.txt',
      '/assets/%5c..%5csecret.txt',
      '/decisions%00.html',
    ]) {
      const got = await get(path);
      expect([path, got.status >= 400, got.text.includes('secret"')]).toEqual([path, true, false]);
    }
    expect((await get('/decisions', 'application/json')).status).toBe(404);
  });
});
