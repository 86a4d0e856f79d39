import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { readJournal } from '#adapters';
import { JournalEncoder, type JournalEntry } from '#engine';
import { ROUTES, type RouteId, type RouteShape } from '../../../src/apps/contract/index.ts';
import { journalPage } from '../../../src/apps/server/areas/house/journal-view.ts';
import { logPage } from '../../../src/apps/server/areas/house/log-tail.ts';
import { quantileUs } from '../../../src/apps/server/areas/house/system-view.ts';
import { houseHandlers } from '../../../src/apps/server/areas/house.ts';
import { workshopHandlers } from '../../../src/apps/server/areas/workshop.ts';
import { backgroundOf, closeBackground } from '../../../src/apps/server/background.ts';
import type { Call, ConsoleContext } from '../../../src/apps/server/context.ts';
import { JournalIndex } from '../../../src/apps/server/data/journal-index.ts';
import { openConsoleStore } from '../../../src/apps/server/identity/console-store.ts';
import { openIdentity } from '../../../src/apps/server/identity/identity.ts';
import { ReachedPortfolios } from '../../../src/apps/server/portfolios.ts';
import { jsonOf, runCli } from '../../cli/run-cli.ts';
import { quorum } from '../../program/child.ts';

let root: string;
let context: ConsoleContext;
let house: ReturnType<typeof houseHandlers>;
let workshop: ReturnType<typeof workshopHandlers>;
const audited: { what: string; by: string }[] = [];

const call: Call = {
  who: {
    id: 'u',
    name: 'ada',
    role: 'administrator',
    scopes: ['read', 'trade', 'admin'],
    via: 'session',
    credential: 'c',
  },
  address: '127.0.0.1',
  agent: '',
  signal: new AbortController().signal,
  header: () => undefined,
};
const nothing = { params: undefined, query: undefined, body: undefined } as const;

async function agreed<T>(id: RouteId, value: T | Promise<T>): Promise<T> {
  const got = await value;
  const { answer } = ROUTES[id] as RouteShape;
  const result = (answer as z.ZodType).safeParse(JSON.parse(JSON.stringify(got)));
  expect(result.error?.issues ?? [], id).toEqual([]);
  return got;
}

const start = (...more: string[]) =>
  quorum(
    ['start', '--sample', '--once', '--speed', '0', '--slices', '200', '--data-dir', root, ...more],
    root,
  );

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'quorum-house-'));
  const first = await start('--no-console');
  expect(first.code, first.stderr).toBe(0);
  const store = openConsoleStore(join(root, 'console.sqlite'));
  context = {
    dataDir: root,
    configFile: join(root, 'quorum.config.json'),
    vitals: () => ({ startedAt: 1, clients: 2, lagMsP99: 0.5 }),
    portfolios: new ReachedPortfolios({ dataDir: root, databaseUrl: () => null, now: Date.now }),
    store,
    identity: openIdentity(store),
    secureCookie: false,
    now: Date.now,
    announce: () => undefined,
    audit: async (entry) => void audited.push(entry),
  };
  house = houseHandlers(context);
  workshop = workshopHandlers(context);
}, 120_000);
afterAll(async () => {
  await closeBackground(context);
  context.store.close();
  rmSync(root, { recursive: true, force: true });
});

describe('the journal', () => {
  const all = () => [...readJournal(join(root, 'sample', 'journal'))];

  it('is read backwards page by page: every entry once, as it was written', async () => {
    const entries = all();
    expect(entries.length).toBeGreaterThan(600);
    const head = await agreed('journalHead', house.journalHead({ ...nothing, query: {} }, call));
    expect(head.entries).toBe(entries.length);
    const seen: { position: number; kind: string; at: number | null }[] = [];
    for (let cursor: string | undefined; ; ) {
      const query = { limit: 170, ...(cursor === undefined ? {} : { cursor }) };
      const page = await agreed('journal', house.journal({ ...nothing, query }, call));
      seen.push(...page.items);
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(seen.map(({ position }) => position)).toEqual(
      entries.map(({ position }) => position).toReversed(),
    );
    expect(seen.map(({ kind }) => kind)).toEqual(entries.map(({ kind }) => kind).toReversed());
  });

  it('is searched by kind and text', async () => {
    const wanted = all().filter(
      ({ kind, text }) => kind === 'command' && text.toLowerCase().includes('submit'),
    );
    expect(wanted.length).toBeGreaterThan(0);
    const found: number[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await house.journal(
        {
          ...nothing,
          query: { limit: 3, kind: 'command', search: 'SUBMIT', ...(cursor === undefined ? {} : { cursor }) },
        },
        call,
      );
      found.push(...page.items.map(({ position }) => position));
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(found).toEqual(wanted.map(({ position }) => position).toReversed());
    const [before] = (await house.journal({ ...nothing, query: { limit: 1, before: 10 } }, call)).items;
    expect(before!.position).toBe(9);
    await expect(house.journal({ ...nothing, query: { limit: 1, cursor: '9;DROP' } }, call)).rejects.toThrow(
      /cursor/,
    );
  });

  it('looks at no more entries a call than it may, and goes on', async () => {
    const path = join(root, 'long');
    const encoder = new JournalEncoder();
    for (let i = 0; i < 50_000; i++) encoder.append('event', `{"kind":"tick","at":${i}}`);
    encoder.seal();
    writeFileSync(path, encoder.closed());
    const index = new JournalIndex(path);
    const first = (await journalPage(index, { limit: 10, search: '"at":7}' }))!;
    expect(first).toEqual({ items: [], next: '30000' });
    const second = (await journalPage(index, { limit: 10, search: '"at":7}', cursor: first.next! }))!;
    const third = (await journalPage(index, { limit: 10, search: '"at":7}', cursor: second.next! }))!;
    expect(third).toEqual({
      items: [{ position: 7, kind: 'event', at: 7, name: 'tick', text: '{"kind":"tick","at":7}' }],
      next: null,
    });
  });

  it('is followed while it grows, with half a block at its end, and after a fresh start', async () => {
    const path = join(root, 'growing');
    const encoder = new JournalEncoder();
    const index = new JournalIndex(path);
    expect(await index.length()).toBeNull();
    const newest = async () => {
      const got: JournalEntry[] = [];
      await index.backwards(null, (entries) => got.push(...entries) < 0);
      return got.map(({ text }) => text);
    };
    for (let block = 0; block < 70; block++) {
      encoder.append('event', `a${block}`);
      encoder.append('note', `b${block}`);
      encoder.seal();
      writeFileSync(path, encoder.closed());
      expect((await newest()).slice(0, 2)).toEqual([`b${block}`, `a${block}`]);
      expect(await index.length()).toMatchObject(pick(encoder));
    }
    const whole = pick(encoder);
    appendFileSync(path, encoder.closed().subarray(0, 80));
    expect(await index.length()).toMatchObject(whole);
    const bytes = readFileSync(path);
    bytes[whole.bytes - 40]! ^= 1;
    writeFileSync(path, bytes);
    await expect(newest()).rejects.toThrow(/damaged at byte/);
    renameSync(path, `${path}.before`);
    const other = new JournalEncoder();
    other.append('header', 'new');
    other.seal();
    writeFileSync(path, other.closed());
    expect(await newest()).toEqual(['new']);
  });

  it('is verified and replayed as jobs, and by the command line', async () => {
    const { jobs } = backgroundOf(context);
    for (const kind of ['verify', 'replay'] as const) {
      const job = await agreed(
        'startJob',
        workshop.startJob({ ...nothing, body: { kind, portfolio: 'sample' } }, call),
      );
      for (let i = 0; jobs.get(job.id).endedAt === null && i < 6_000; i++)
        await new Promise((done) => setTimeout(done, 10));
      const ended = await agreed('job', workshop.job({ ...nothing, params: { id: job.id } }, call));
      expect(ended, kind).toMatchObject({ state: 'done', error: null });
      expect(ended.result).toMatchObject(kind === 'verify' ? { ok: true } : { difference: null });
    }
    const said = await runCli('journal', '--data-dir', root, '--limit', '2', '--json');
    expect((jsonOf(said).items as unknown[]).length).toBe(2);
    // a copy that lost its end is not what its head file promised
    mkdirSync(join(root, 'copies', 'cut'), { recursive: true });
    for (const name of ['journal', 'journal.head'])
      writeFileSync(join(root, 'copies', 'cut', name), readFileSync(join(root, 'sample', name)));
    const end = (await new JournalIndex(join(root, 'sample', 'journal')).length())!;
    truncateSync(join(root, 'copies', 'cut', 'journal'), end.bytes - 10);
    const cut = await runCli('journal', join(root, 'copies', 'cut'), '--verify', '--json');
    expect(cut.code).toBe(1);
    expect(jsonOf(cut)).toMatchObject({ ok: false });
    await expect(
      workshop.startJob({ ...nothing, body: { kind: 'replay', portfolio: '../copies/cut' } }, call),
    ).rejects.toThrow(/no portfolio/);
  });
});

describe('logs', () => {
  it('are read from their end over the files set aside, without secrets', async () => {
    const path = join(root, 'big.log');
    const line = (i: number) => `2026-11-21T00:00:00.000Z line ${i} ${'x'.repeat(i % 700)} ü`;
    const lines = Array.from({ length: 900 }, (_, i) => line(i));
    writeFileSync(`${path}.1`, `${lines.slice(0, 500).join('\n')}\n`);
    writeFileSync(path, `${lines.slice(500).join('\n')}\nhalf a li`);
    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await logPage(path, { limit: 70, cursor });
      seen.push(...page.items.map(({ text }) => text));
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(seen).toEqual(lines.toReversed());
    expect((await logPage(path, { limit: 5, search: 'LINE 42 ' })).items).toEqual([
      { at: Date.parse('2026-11-21T00:00:00.000Z'), text: line(42) },
    ]);
    // a page is gone on with after the file was set aside
    const first = await logPage(path, { limit: 10 });
    renameSync(`${path}.1`, `${path}.2`);
    renameSync(path, `${path}.1`);
    writeFileSync(path, 'newer\n');
    const next = await logPage(path, { limit: 1, cursor: first.next! });
    expect(next.items[0]!.text).toBe(line(889));
    appendFileSync(
      path,
      '{"time":"2026-11-21T10:00:00.000Z","authorization":"Bearer abcdefghijkl","k":"qrm_abcdefgh12345678"}\n',
    );
    const [secret] = (await logPage(path, { limit: 1 })).items;
    expect(secret!.text).not.toMatch(/abcdefgh/);
    expect(secret!.at).toBe(Date.parse('2026-11-21T10:00:00.000Z'));
    await expect(logPage(path, { limit: 1, cursor: '../x' })).rejects.toThrow(/cursor/);
  });

  it('of the program and of a portfolio are there', async () => {
    const program = await agreed(
      'logs',
      house.logs({ ...nothing, query: { limit: 5, name: 'program' } }, call),
    );
    expect(program.items[0]!.text).toMatch(/ended/);
    const trading = await agreed(
      'logs',
      house.logs({ ...nothing, query: { limit: 5, name: 'ai_trading_log' } }, call),
    );
    expect(trading.items.length).toBeGreaterThan(0);
    const said = await runCli('logs', '--data-dir', root, '--limit', '3', '--json');
    expect((jsonOf(said).items as unknown[]).length).toBe(3);
  });
});

describe('the house', () => {
  it('says how it stands, with and without a loop', async () => {
    const system = await agreed('system', house.system({ ...nothing, query: {} }, call));
    expect(system).toMatchObject({ loop: null, server: { pid: process.pid, clients: 2 }, feeds: [] });
    expect(
      quantileUs({ unit: 'ms', bounds: [1, 2, 5], counts: [90, 9, 0, 1], count: 100, sum: 1, max: 7 }, 0.5),
    ).toBe(1_000);
    expect(
      quantileUs({ unit: 'ms', bounds: [1, 2, 5], counts: [90, 9, 0, 1], count: 100, sum: 1, max: 7 }, 0.999),
    ).toBe(7_000);
    expect(quantileUs({ unit: 'ms', bounds: [1], counts: [0, 0], count: 0, sum: 0, max: 0 }, 0.5)).toBeNull();
  });

  it('keeps a schedule, and notes when something ran and what went wrong', async () => {
    const { schedule } = backgroundOf(context);
    schedule.add({ name: 'broken', when: '0 0 1 1 *', run: () => Promise.reject(new Error('no luck')) });
    await schedule.run('broken');
    await schedule.run('console audit');
    const { items } = await agreed('schedule', house.schedule(nothing, call));
    const named = (name: string) => items.find((one) => one.name === name)!;
    expect(named('broken')).toMatchObject({ lastError: 'no luck' });
    expect(named('console audit')).toMatchObject({ lastError: null, when: '17 3 * * * UTC' });
    expect(named('old jobs').nextAt! % 86_400_000).toBe((3 * 60 + 37) * 60_000);
    context.store.db.exec('DROP TRIGGER audit_is_final');
    context.identity.audit.write({ userId: null, by: 'x', via: 'server', address: '' }, 'test', 'done');
    context.store.db.exec(`UPDATE audit SET by = 'y' WHERE by = 'x'`);
    await schedule.run('console audit');
    expect(house.schedule(nothing, call)).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ lastError: expect.stringMatching(/of the audit/) }),
      ]),
    });
  });

  it('answers about alerts while none are running', async () => {
    expect(await agreed('alerts', house.alerts({ ...nothing, query: { limit: 5 } }, call))).toEqual({
      items: [],
      next: null,
    });
    await agreed('alertRules', house.alertRules(nothing, call));
    await expect(house.testAlert({ ...nothing, body: {} }, call)).rejects.toThrow(/not running/);
  });
});

describe('the parameters of a desk', () => {
  const save = (parameters: Record<string, unknown>) =>
    workshop.saveDeskParameters(
      { params: { name: 'sample' }, query: {}, body: { parameters, reason: 'calmer' } },
      call,
    );

  it('are checked, saved with who and why, wait, and are used by the next fresh start and from then on', async () => {
    const [before] = (await agreed('desks', workshop.desks({ ...nothing, query: {} }, call))).items;
    expect(before).toMatchObject({
      name: 'sample',
      desk: 'sample',
      running: false,
      mode: 'REPLAY',
      pending: null,
    });
    expect(before!.schema).toMatchObject({ type: 'object' });
    await expect(save({ risk: 'much' })).rejects.toThrow(/parameter risk of desk sample/);
    await expect(save({ riks: 0.1 })).rejects.toMatchObject({
      mend: expect.stringMatching(/nearest known one is "risk"/),
    });
    const parameters = { ...before!.parameters, risk: 0.001 };
    const saved = await agreed('saveDeskParameters', save(parameters));
    expect(saved.differences).toEqual([{ path: 'risk', before: before!.parameters.risk, after: 0.001 }]);
    expect(audited.at(-1)).toMatchObject({ what: 'desk-parameters', by: 'ada (console)' });
    const [waiting] = (await workshop.desks({ ...nothing, query: {} }, call)).items;
    expect(waiting!.pending).toMatchObject({ risk: 0.001 });
    const asked = { params: { name: 'sample' }, query: { limit: 10 }, body: undefined };
    const { items } = await agreed('deskHistory', workshop.deskHistory(asked, call));
    expect(items[0]).toMatchObject({ by: 'ada (console)', reason: 'calmer' });

    const goesOn = await start('--no-console', '--json');
    expect(goesOn.code, goesOn.stderr).toBe(0);
    expect(goesOn.stderr).toMatch(/desk sample .* saved by ada \(console\) wait for --fresh/);
    const fresh = await start('--no-console', '--json', '--fresh');
    expect(fresh.code, fresh.stderr).toBe(0);
    expect(fresh.stderr).toMatch(/desk sample starts with the parameters saved by ada \(console\)/);
    const [now] = (await workshop.desks({ ...nothing, query: {} }, call)).items;
    expect(now).toMatchObject({ pending: null, parameters: { risk: 0.001 } });
    const again = await start('--no-console', '--json');
    expect(again.code, again.stderr).toBe(0);
    const said = await runCli('config', 'history', 'sample/sample', '--data-dir', root, '--json');
    expect((jsonOf(said).versions as unknown[]).length).toBe(1);
    const byHand = await runCli(
      'config',
      'desk',
      'sample',
      '--portfolio',
      'sample',
      '--reason',
      'more',
      '--set',
      'risk=0.002',
      '--data-dir',
      root,
      '--json',
    );
    expect(jsonOf(byHand)).toMatchObject({ differences: [{ path: 'risk', before: 0.001, after: 0.002 }] });
  });
});

const pick = (encoder: JournalEncoder) => {
  const { entries, bytes, hash } = encoder.head();
  return { entries, bytes, hash };
};
