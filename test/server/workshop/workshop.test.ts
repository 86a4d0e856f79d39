import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { RegistryPages } from '#adapters';
import { ROUTES, type RouteId, type RouteShape } from '../../../src/apps/contract/index.ts';
import {
  readConfigurationFile,
  saveConfigurationFile,
} from '../../../src/apps/server/areas/workshop/configuration-file.ts';
import { compareRuns, passportOf, runDetail, runList } from '../../../src/apps/server/areas/workshop/runs.ts';
import { sweepTable } from '../../../src/apps/server/areas/workshop/sweeps.ts';
import { differencesOf } from '../../../src/apps/server/data/differences.ts';
import { versionsOf } from '../../../src/apps/server/data/versions.ts';
import { type ConsoleStore, openConsoleStore } from '../../../src/apps/server/identity/console-store.ts';
import { jsonOf, runCli, SMA, waveCsv } from '../../cli/run-cli.ts';

/** What a route answers is as the contract says. */
function agreed<T>(id: RouteId, value: T): T {
  const { answer } = ROUTES[id] as RouteShape;
  const result = (answer as z.ZodType).safeParse(JSON.parse(JSON.stringify(value)));
  expect(result.error?.issues ?? [], id).toEqual([]);
  return value;
}

let root: string;
let registry: string;
const before = process.env.QUORUM_REGISTRY;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'quorum-workshop-'));
  registry = join(root, 'runs.sqlite');
  process.env.QUORUM_REGISTRY = registry;
  const bars = join(root, 'WAVE-1h.csv');
  writeFileSync(bars, waveCsv(900));
  const run = async (...argv: string[]) => expect((await runCli(...argv)).code, argv.join(' ')).toBe(0);
  await run('backtest', SMA, '--bars', bars, '--set', 'fast=5', '--out', join(root, 'one'));
  await run('backtest', SMA, '--bars', bars, '--set', 'fast=7');
  await run(
    'sweep',
    SMA,
    '--bars',
    bars,
    '--param',
    'fast=3:9:3',
    '--param',
    'slow=20,40',
    '--workers',
    '1',
    '--out',
    join(root, 'sweep'),
  );
}, 120_000);
afterAll(() => {
  if (before === undefined) delete process.env.QUORUM_REGISTRY;
  else process.env.QUORUM_REGISTRY = before;
  rmSync(root, { recursive: true, force: true });
});

describe('runs on record', () => {
  it('are listed page by page, newest first, each once', () => {
    const all = agreed('runs', runList({ limit: 500 }));
    expect(all.next).toBeNull();
    expect(all.items).toHaveLength(8);
    const paged: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = runList({ limit: 3, cursor });
      paged.push(...page.items.map(({ id }) => id));
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(paged).toEqual(all.items.map(({ id }) => id));
    expect(runList({ limit: 500, kind: 'backtest' }).items).toHaveLength(2);
    expect(runList({ limit: 500, desk: 'nobody' }).items).toEqual([]);
    expect(() => runList({ limit: 5, cursor: "1' OR 1=1" })).toThrow(/cursor/);
  });

  it('are shown with the equity that their days make', () => {
    const [, line] = runList({ limit: 500, kind: 'backtest' }).items;
    const detail = agreed('run', runDetail(line!.id));
    expect(detail.folder).toBe(join(root, 'one'));
    expect(detail.record).toMatchObject({ kind: 'backtest', parameters: { fast: 5 } });
    const summary = JSON.parse(readFileSync(join(root, 'one', 'summary.json'), 'utf8')) as {
      equityEnd: string;
    };
    expect(detail.equity!.equity.at(-1)).toBeCloseTo(Number(summary.equityEnd), 2);
    expect(detail.equity!.time).toHaveLength(detail.equity!.equity.length);
    expect(() => runDetail('../../etc/passwd')).toThrow(/is on record/);
  });

  it('are compared: figures side by side, and every input that differs', async () => {
    const [b, a] = runList({ limit: 500, kind: 'backtest' }).items;
    const compared = agreed('compareRuns', compareRuns(a!.id, b!.id));
    expect(compared.differences).toEqual([{ path: 'parameters.fast', before: 5, after: 7 }]);
    expect(compared.figures.map(({ name }) => name)).toContain('sharpe');
    const said = await runCli('runs', 'compare', a!.id, b!.id, '--json');
    expect(jsonOf(said)).toMatchObject({ differences: compared.differences });
    expect((await runCli('runs', 'compare', a!.id, 'nothing')).code).toBe(3);
    expect((await runCli('runs', '--json')).code).toBe(0);
  });

  it('are refused when one was changed', () => {
    const copy = join(root, 'changed.sqlite');
    new DatabaseSync(registry).exec(`VACUUM INTO '${copy}'`);
    const db = new DatabaseSync(copy);
    db.exec('DROP TRIGGER entries_are_final');
    db.exec(`UPDATE entries SET body = replace(body, '"fast":7', '"fast":8')`);
    db.close();
    const pages = RegistryPages.open(copy)!;
    expect(() => pages.page({}, 500, null)).toThrow(/was changed/);
    pages.close();
    expect(RegistryPages.open(join(root, 'missing.sqlite'))).toBeNull();
    expect(existsSync(join(root, 'missing.sqlite'))).toBe(false);
  });

  it('tell what is known of a desk, with the passport where one was made', async () => {
    const { deskHash, id } = runList({ limit: 500, kind: 'backtest' }).items[1]!;
    expect(passportOf(deskHash)).toMatchObject({ stage: 'research', passport: null });
    expect((await runCli('passport', join(root, 'one'))).code).toBe(0);
    const known = agreed('passport', passportOf(id));
    expect(known).toMatchObject({ deskHash, directory: join(root, 'one'), passport: { schemaVersion: 1 } });
    expect(() => passportOf('0'.repeat(64))).toThrow(/nothing is on record/);
  });
});

describe('a sweep as a table', () => {
  it('is read from its folder, and from the record by its study', () => {
    const written = agreed('sweep', sweepTable(join(root, 'sweep'), 'x', 'sharpe'));
    expect(written.parameters).toEqual(['fast', 'slow']);
    expect(written.rows).toHaveLength(6);
    const { record } = runDetail(runList({ limit: 1, kind: 'sweep' }).items[0]!.id);
    const recorded = sweepTable(null, record.study!, 'sharpe');
    const key = (row: (typeof written.rows)[number]) =>
      `${row.parameters.fast} ${row.parameters.slow} ${row.figures.sharpe}`;
    expect(recorded.rows.map(key).sort()).toEqual(written.rows.map(key).sort());
    expect(() => sweepTable(join(root, 'sweep'), 'x', '__proto__')).toThrow(/a sweep has no __proto__/);
    expect(() => sweepTable(null, 'x', 'sharpe')).toThrow(/there is no sweep/);
  });
});

describe('the configuration', () => {
  const good = { portfolios: { main: { desks: [{ desk: 'sample' }], feed: 'sample' } } };
  let folder: string;
  let store: ConsoleStore;
  beforeAll(() => {
    folder = join(root, 'config');
    store = openConsoleStore(join(folder, 'console.sqlite'));
  });
  afterAll(() => store.close());
  const save = (configuration: Record<string, unknown>, more: { hash?: string; dryRun?: boolean } = {}) =>
    saveConfigurationFile(store, null, folder, {
      configuration,
      reason: 'why not',
      by: 'ada',
      dryRun: false,
      ...more,
    });

  it('is made where there is none, and kept with who, why and what on every change', () => {
    expect(readConfigurationFile(null, folder)).toMatchObject({ file: null, locked: null });
    expect(save(good)).toMatchObject({ file: 'quorum.config.json', saved: true });
    const next = { portfolios: { main: { ...good.portfolios.main, seed: '2' } } };
    expect(save(next, { dryRun: true })).toMatchObject({ saved: false });
    expect(readConfigurationFile(null, folder).value).toEqual(good);
    const { hash } = readConfigurationFile(null, folder);
    expect(save(next, { hash: hash! }).differences).toEqual([
      { path: 'portfolios.main.seed', before: null, after: '2' },
    ]);
    expect(() => save(good, { hash: hash! })).toThrow(/changed since you read it/);
    const { items } = versionsOf(store, 'configuration', { limit: 1 });
    expect(items[0]).toMatchObject({
      by: 'ada',
      reason: 'why not',
      differences: [{ path: 'portfolios.main.seed' }],
    });
    const row = store.get('SELECT before FROM configuration_history ORDER BY id DESC LIMIT 1')!;
    expect(JSON.parse(String(row.before))).toEqual(good);
    expect(save(next)).toMatchObject({ saved: false, differences: [] });
  });

  it.each([
    [{ portfolios: {} }, /portfolios is empty/],
    [{ portfolios: { main: { desk: [] } } }, /portfolios\.main/],
    [{ portfolios: { main: { desks: [{ desk: 'sample' }], feed: 'nowhere' } } }, /there is no "nowhere"/],
    [{ ...good, databaseUrlEnv: 'postgres://me:secret@host/db' }, /databaseUrlEnv/],
    [
      { ...good, feeds: { own: { kind: 'binance-usdm', restUrl: 'https://me:secret@host/' } } },
      /feeds\.own\.restUrl: a password/,
    ],
  ])('is refused with the key that is wrong: %j', (configuration, says) => {
    const text = readFileSync(join(folder, 'quorum.config.json'), 'utf8');
    expect(() => save(configuration)).toThrow(says);
    expect(readFileSync(join(folder, 'quorum.config.json'), 'utf8')).toBe(text);
  });

  it('is left alone where what stands there cannot be read, or is a program', () => {
    const path = join(folder, 'quorum.config.json');
    writeFileSync(path, '{"portfolios": ');
    expect(() => save(good)).toThrow(/cannot be read/);
    expect(readFileSync(path, 'utf8')).toBe('{"portfolios": ');
    rmSync(path);
    writeFileSync(join(folder, 'quorum.config.ts'), 'export default {}');
    expect(readConfigurationFile(null, folder).locked).toMatch(/is a program/);
    expect(() => save(good)).toThrow(/is a program/);
  });
});

describe('differences', () => {
  it('name every place', () => {
    expect(differencesOf({ a: 1, b: [1, 2], c: { d: null } }, { a: 1, b: [1, 3], e: {} })).toEqual([
      { path: 'b.1', before: 2, after: 3 },
      { path: 'c', before: { d: null }, after: null },
      { path: 'e', before: null, after: {} },
    ]);
    expect(differencesOf({ a: [1] }, { a: { 0: 1 } })).toEqual([{ path: 'a', before: [1], after: { 0: 1 } }]);
    expect(differencesOf(null, { a: 1 })).toEqual([{ path: '', before: null, after: { a: 1 } }]);
  });
});
