import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '#base';
import {
  applyEntries,
  JournalFile,
  openProjections,
  type ProjectionEntry,
  type ProjectionStore,
  Projector,
  type ProjectorOptions,
  projectedPosition,
  type RowWriter,
  readJournal,
  rebuildProjections,
  SCHEMA_VERSION,
  TABLE_NAMES,
  TABLES,
} from '../../src/adapters/storage/index.ts';
import { type PostgresServer, query, startPostgres } from './postgres-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'storage-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function nodeCommand(script: string, args: readonly string[]): string[] {
  const code = `
    import { writeSync } from 'node:fs';
    import * as s from '${new URL('../../src/adapters/storage/index.ts', import.meta.url).href}';
    const args = process.argv.slice(1);
    const say = (line) => writeSync(1, line + '\\n');
    ${script}`;
  return [process.execPath, '--input-type=module', '-e', code, ...args];
}

/** A process of its own that runs `script` with the storage adapters as `s`; its stdout lines arrive in `lines`. */
function runChild(script: string, ...args: string[]): ReturnType<typeof watch> {
  return watch(nodeCommand(script, args));
}

/** The same with a limit of some 32 KB on file sizes: a write then fails half way, as on a full disk. */
function runLimited(script: string, ...args: string[]): ReturnType<typeof watch> {
  return watch(['sh', '-c', `trap '' XFSZ; ulimit -f 64; exec "$@"`, 'sh', ...nodeCommand(script, args)]);
}

function watch([program, ...parameters]: string[]): {
  child: ChildProcess;
  lines: string[];
  exit: Promise<number | null>;
} {
  const child = spawn(program!, parameters, { cwd: root });
  const lines: string[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop()!;
    lines.push(...parts);
  });
  child.stderr.on('data', (chunk: Buffer) => lines.push(`stderr ${chunk}`));
  // `close` comes after all output was read, so `lines` is complete then.
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, lines, exit };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const texts = (path: string) => [...readJournal(path)].map((entry) => entry.text);

describe('a journal writer that is killed', () => {
  it('loses no acknowledged commit', async () => {
    const path = join(directory, 'journal');
    let acknowledged = 0;
    for (let round = 0; round < 4; round++) {
      const { child, lines, exit } = runChild(
        `const journal = s.JournalFile.openOrCreate(args[0]);
         for (;;) {
           journal.append('event', 'e' + journal.nextPosition);
           journal.append('command', 'c' + journal.nextPosition);
           say(String(journal.commit({ durable: true }).entries));
         }`,
        path,
      );
      await until(() => lines.length >= 20 + round * 37);
      child.kill('SIGKILL');
      await exit;
      expect(lines.filter((line) => line.startsWith('stderr'))).toEqual([]);
      acknowledged = Number(lines.at(-1));
      const journal = JournalFile.open(path);
      expect(journal.head.entries).toBeGreaterThanOrEqual(acknowledged);
      expect(journal.recovery.mergedOutOfPlace).toBe(0);
      journal.close();
      expect(texts(path)).toEqual(
        Array.from({ length: journal.head.entries }, (_, i) => `${i % 2 ? 'c' : 'e'}${i}`),
      );
    }
    expect(acknowledged).toBeGreaterThan(200);
    expect(readdirSync(directory)).toEqual(['journal']);
  });

  it('loses no urgent command, and none appears twice', async () => {
    const path = join(directory, 'journal');
    for (const commits of [false, true]) {
      const { child, lines, exit } = runChild(
        `const journal = s.JournalFile.openOrCreate(args[0]);
         for (let i = 0; ; i++) {
           const position = journal.urgent('u' + journal.nextPosition);
           say(String(position));
           if (args[1] === 'true' && i % 3 === 2) journal.commit({ durable: i % 2 === 0 });
         }`,
        path,
        String(commits),
      );
      await until(() => lines.length >= 100);
      child.kill('SIGKILL');
      await exit;
      const last = Number(lines.at(-1));
      const journal = JournalFile.open(path);
      if (!commits) expect(journal.recovery.merged).toBe(journal.head.entries);
      expect(journal.recovery.mergedOutOfPlace).toBe(0);
      expect(journal.head.entries).toBeGreaterThan(last);
      journal.close();
      expect(texts(path)).toEqual(Array.from({ length: journal.head.entries }, (_, i) => `u${i}`));
    }
    expect(readdirSync(directory)).toEqual(['journal']);
  });

  it('keeps others out while it lives and not a moment longer', async () => {
    const path = join(directory, 'journal');
    const script = `
      try { s.JournalFile.openOrCreate(args[0]); say('open'); setInterval(() => {}, 1000); }
      catch (error) { say(error.name + ': ' + error.message); process.exitCode = 3; }`;
    const first = runChild(script, path);
    await until(() => first.lines.length > 0);
    expect(first.lines).toEqual(['open']);
    const second = runChild(script, path);
    expect(await second.exit).toBe(3);
    expect(second.lines[0]).toBe(`InputError: ${path}.lock is held by running process ${first.child.pid}`);
    expect(() => JournalFile.open(path)).toThrow(InputError);
    first.child.kill('SIGKILL');
    await first.exit;
    expect(existsSync(`${path}.lock`)).toBe(true);
    JournalFile.open(path).close();
    expect(readdirSync(directory)).toEqual(['journal']);
  });

  it('is succeeded by exactly one of several that start at once', async () => {
    const path = join(directory, 'journal');
    const script = `
      const wait = () => new Promise((resolve) => process.stdin.once('data', resolve));
      say('ready'); await wait();
      try { s.WriterLock.acquire(args[0]); say('held'); } catch (error) { say(error.name); }
      await wait(); process.exit();`;
    const dead = runChild(`s.WriterLock.acquire(args[0]); say('held'); setInterval(() => {}, 1000);`, path);
    await until(() => dead.lines.length > 0);
    dead.child.kill('SIGKILL');
    await dead.exit;
    const heirs = Array.from({ length: 4 }, () => runChild(script, path));
    await until(() => heirs.every((heir) => heir.lines.length === 1));
    for (const heir of heirs) heir.child.stdin!.write('go\n');
    await until(() => heirs.every((heir) => heir.lines.length === 2));
    for (const heir of heirs) heir.child.stdin!.write('go\n');
    await Promise.all(heirs.map((heir) => heir.exit));
    expect(heirs.map((heir) => heir.lines[1]).sort()).toEqual([
      'InputError',
      'InputError',
      'InputError',
      'held',
    ]);
  });
});

describe('a journal on a full disk', () => {
  it.runIf(process.platform === 'linux')(
    'stops at the first failed write and keeps what was acknowledged',
    async () => {
      const path = join(directory, 'journal');
      const { lines, exit } = runLimited(
        `const journal = s.JournalFile.create(args[0]);
       const attempt = (action) => { try { action(); return 'done'; } catch (error) { return error.name; } };
       let head = journal.head;
       const commit = () => { head = journal.commit({ durable: true }); };
       const append = () => journal.append('event', 'x'.repeat(1000));
       while (attempt(() => { append(); commit(); }) === 'done');
       say(JSON.stringify({ head, then: [append, commit, () => journal.urgent('u'), () => journal.close()].map(attempt) }));
       journal.abandon();`,
        path,
      );
      expect(await exit).toBe(0);
      const { head, then } = JSON.parse(lines[0]!);
      expect(then).toEqual(['StorageFailed', 'StorageFailed', 'StorageFailed', 'StorageFailed']);
      expect(head.entries).toBeGreaterThan(20);
      const journal = JournalFile.open(path);
      expect(journal.recovery.cutBytes).toBeGreaterThan(0);
      expect(journal.close()).toEqual(head);
    },
  );
});

const JOURNAL = 'journal-1';

/** Entry i: even ones submit order i, odd ones fill the order before. */
const entryAt = (position: number): ProjectionEntry => ({
  position,
  kind: position % 2 ? 'event' : 'command',
  value: { n: position },
});
const entries = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => entryAt(from + i));

const orderWriter: RowWriter = ({ position, kind }) =>
  kind === 'command'
    ? [
        {
          table: 'orders',
          row: { id: `o${position}`, at: 1_700_000_000_000 + position, state: 'open', quantity: '0.1' },
        },
      ]
    : [
        { table: 'orders', row: { id: `o${position - 1}`, state: 'filled', filled: '0.1' } },
        {
          table: 'fills',
          row: { id: `f${position}`, order_id: `o${position - 1}`, price: '43000.50', fee: '-0' },
        },
      ];

/** A writer whose rows show how often it was applied and committed. */
function countingWriter(): RowWriter {
  let calls = 0;
  return ({ position }) => [{ table: 'decisions', row: { id: `${position}-${calls++}` } }];
}

async function contents(store: ProjectionStore): Promise<Record<string, unknown[]>> {
  const out: Record<string, unknown[]> = {};
  for (const table of TABLE_NAMES)
    out[table] = await store.db.selectFrom(table).selectAll().orderBy('id').execute();
  return out;
}

let postgres: PostgresServer | null = null;
let skipped = 0;
beforeAll(async () => {
  const started = await startPostgres();
  if (typeof started === 'string') process.stdout.write(`PostgreSQL projections not tested: ${started}\n`);
  else postgres = started;
});
afterAll(async () => {
  if (skipped > 0) process.stdout.write(`${skipped} PostgreSQL tests skipped\n`);
  await postgres?.stop();
});

describe.each(['sqlite', 'postgres'] as const)('projections in %s', (kind) => {
  let store: ProjectionStore;
  let place: { file: string; databaseUrl: string | null };
  let opened: ProjectionStore[];
  const open = async () => {
    const another = await openProjections(place);
    opened.push(another);
    return another;
  };

  beforeEach(async (context) => {
    opened = [];
    if (kind === 'postgres' && postgres === null) {
      skipped += 1;
      context.skip();
    }
    const databaseUrl = kind === 'postgres' ? await postgres!.newDatabase() : null;
    place = { file: join(directory, 'projections.sqlite'), databaseUrl };
    store = await open();
  });
  afterEach(async () => {
    for (const one of opened) await one.close();
  });

  it('has every column of every table, and migrates once however many open it', async () => {
    expect(store.kind).toBe(kind);
    await Promise.all([open(), open(), open()]);
    const found = await store.db.introspection.getTables();
    for (const table of TABLE_NAMES) {
      const columns = found.find((t) => t.name === table)!.columns.map((c) => c.name);
      expect(columns.sort()).toEqual(['id', 'position', ...Object.keys(TABLES[table])].sort());
    }
    const versions = await store.db.selectFrom('quorum_schema').select('version').execute();
    expect(versions.map(({ version }) => version)).toEqual(
      Array.from({ length: SCHEMA_VERSION }, (_, i) => i + 1),
    );
  });

  it('brings a database of version 1 up to date and projects it again from the beginning', async () => {
    await applyEntries(store, JOURNAL, [() => [{ table: 'trades', row: { id: 't' } }]], [entryAt(0)]);
    for (const table of ['bars', 'equity', 'operator_acts'] as const)
      await store.db.schema.dropTable(table).execute();
    for (const index of ['decisions_by_instrument', 'decisions_by_outcome'])
      await store.db.schema.dropIndex(index).execute();
    for (const table of ['trades', 'orders', 'fills'])
      await store.db.schema.dropIndex(`${table}_by_instrument`).execute();
    await store.db.deleteFrom('quorum_schema').where('version', '>', 1).execute();
    const again = await open();
    expect(await projectedPosition(again, JOURNAL)).toBe(0);
    expect(await contents(again)).toEqual(Object.fromEntries(TABLE_NAMES.map((table) => [table, []])));
    const bar = { id: 'A/1/2', at: 2, instrument: 'A', interval_ms: 1, open: 1, high: 2, low: 0.5, close: 1 };
    await applyEntries(again, JOURNAL, [() => [{ table: 'bars', row: bar }]], [entryAt(0)]);
    expect((await contents(again)).bars).toMatchObject([{ ...bar, volume: null, position: 0 }]);
  });

  it('refuses the schema of a newer program and leaves it alone', async () => {
    const newer = { version: SCHEMA_VERSION + 1, name: 'later', applied_at: 1 };
    await store.db.insertInto('quorum_schema').values(newer).execute();
    await expect(openProjections(place)).rejects.toThrow(InputError);
    await expect(openProjections(place)).rejects.toThrow(/schema 3, this program knows up to 2/);
  });

  it('stores what it is given: exact decimals, instants as numbers, nulls, any text', async () => {
    const row = {
      id: "t'1",
      at: 8_640_000_000_000_000,
      realised: '-123456789012345678901234567890.000000000000000001',
      reason: 'Zürich "€" \\ 😀',
      fees: null,
    };
    const writer: RowWriter = () => [
      { table: 'trades', row },
      { table: 'signals', row: { id: 's', score: -0.1 + 0.3, horizon_ms: 2 ** 53 - 1 } },
    ];
    await applyEntries(store, JOURNAL, [writer], [entryAt(0)]);
    const trade = await store.db.selectFrom('trades').selectAll().executeTakeFirstOrThrow();
    expect(trade).toMatchObject({ ...row, position: 0, opened_at: null });
    const signal = await store.db.selectFrom('signals').selectAll().executeTakeFirstOrThrow();
    expect(signal).toMatchObject({ score: -0.1 + 0.3, horizon_ms: 2 ** 53 - 1 });
  });

  it('adds later columns to earlier rows, within a batch as between batches', async () => {
    await applyEntries(store, JOURNAL, [orderWriter], entries(0, 3));
    await applyEntries(store, JOURNAL, [orderWriter], entries(3, 4));
    const orders = await store.db.selectFrom('orders').selectAll().orderBy('id').execute();
    expect(orders).toMatchObject([
      { id: 'o0', position: 1, at: 1_700_000_000_000, state: 'filled', quantity: '0.1', filled: '0.1' },
      { id: 'o2', position: 3, at: 1_700_000_000_002, state: 'filled', quantity: '0.1', filled: '0.1' },
    ]);
  });

  it('applies each position once: repeats are passed over, holes refused, failures undone', async () => {
    const writer = countingWriter();
    expect(await applyEntries(store, JOURNAL, [writer], entries(0, 5))).toBe(5);
    expect(await applyEntries(store, JOURNAL, [writer], entries(2, 8))).toBe(8);
    expect(await applyEntries(store, JOURNAL, [writer], entries(0, 8))).toBe(8);
    await expect(applyEntries(store, JOURNAL, [writer], entries(9, 10))).rejects.toThrow(
      /expected journal position 8/,
    );
    const bad: RowWriter = ({ position }) =>
      position === 9 ? [{ table: 'fills', row: { id: 'x', nonsense: 1 } as { id: string } }] : [];
    await expect(applyEntries(store, JOURNAL, [writer, bad], entries(8, 10))).rejects.toThrow(
      /no column nonsense/,
    );
    expect(await projectedPosition(store, JOURNAL)).toBe(8);
    const rows = await store.db.selectFrom('decisions').select('position').orderBy('position').execute();
    expect(rows.map((row) => row.position)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('applies each position once even when two write at the same time', async () => {
    const other = await open();
    const writers = [countingWriter()];
    const all = entries(0, 60);
    for (let from = 0; from < 60; from += 10) {
      const batch = all.slice(Math.max(0, from - 5), from + 10);
      const results = await Promise.allSettled([
        applyEntries(store, JOURNAL, writers, batch),
        applyEntries(other, JOURNAL, writers, batch),
      ]);
      expect(results.some((result) => result.status === 'fulfilled')).toBe(true);
    }
    const rows = await store.db.selectFrom('decisions').select('position').orderBy('position').execute();
    expect(rows.map((row) => row.position)).toEqual(all.map((entry) => entry.position));
  });

  it('refuses rows of another journal, and rebuilds to the same rows', async () => {
    await applyEntries(store, JOURNAL, [orderWriter], entries(0, 50));
    const before = await contents(store);
    await expect(projectedPosition(store, 'journal-2')).rejects.toThrow(InputError);
    await expect(applyEntries(store, 'journal-2', [orderWriter], entries(50, 51))).rejects.toThrow(
      /another journal/,
    );
    expect(await rebuildProjections(store, 'journal-2', [orderWriter], entries(0, 50), 7)).toBe(50);
    expect(await contents(store)).toEqual(before);
    expect(await projectedPosition(store, 'journal-2')).toBe(50);
  });

  describe('behind a projector', () => {
    /** A growing journal and a projector on it; `down` makes the database unreachable. */
    function setup(options: Partial<ProjectorOptions> = {}) {
      const journal: ProjectionEntry[] = [];
      const world = { down: false };
      const projector = new Projector({
        open: async () => {
          if (world.down) throw new Error('the server is down');
          return openProjections(place);
        },
        journal: JOURNAL,
        writers: [countingWriter()],
        source: (from) => journal.slice(from),
        retryMs: 1,
        ...options,
      });
      const grow = (count: number, offer = true) => {
        for (let i = 0; i < count; i++) {
          const entry = entryAt(journal.length);
          journal.push(entry);
          if (offer) projector.offer(entry);
        }
      };
      return { journal, world, projector, grow };
    }
    const positions = async () =>
      (await store.db.selectFrom('decisions').select('position').orderBy('position').execute()).map(
        (r) => r.position,
      );

    it('follows the journal from where it stopped last time', async () => {
      const first = setup();
      first.grow(30);
      expect(await first.projector.settled()).toMatchObject({ position: 30, behind: false, error: null });
      first.grow(5);
      await first.projector.close();
      const second = setup();
      second.grow(50, false);
      second.grow(10);
      expect(await second.projector.close()).toMatchObject({ position: 60, queued: 0 });
      expect(await positions()).toEqual(Array.from({ length: 60 }, (_, i) => i));
    });

    it('does not hold up the caller while the database is down, and loses nothing', async () => {
      const { projector, grow, world } = setup({ queueMax: 10, batchMax: 4 });
      world.down = true;
      grow(100);
      expect(await projector.settled()).toMatchObject({
        behind: true,
        error: 'the server is down',
        position: null,
      });
      expect(projector.state().queued).toBeLessThanOrEqual(10);
      grow(100);
      world.down = false;
      await until(() => !projector.state().behind);
      expect(projector.state()).toMatchObject({ position: 200, error: null, failures: 0 });
      grow(3);
      await projector.close();
      expect(await positions()).toEqual(Array.from({ length: 203 }, (_, i) => i));
    });

    it('shows a writer that fails and stays where it was', async () => {
      const broken: RowWriter = ({ position }) => {
        if (position === 20) throw new Error('cannot read entry 20');
        return [{ table: 'decisions', row: { id: String(position) } }];
      };
      const { projector, grow } = setup({ writers: [broken], batchMax: 10 });
      grow(30);
      const state = await projector.settled();
      expect(state).toMatchObject({ error: 'cannot read entry 20', behind: true });
      await projector.close();
      expect(await positions()).toEqual(Array.from({ length: 20 }, (_, i) => i));
    });

    it.runIf(kind === 'postgres')('goes on after the server cut its connections', async () => {
      const { projector, grow } = setup();
      grow(10);
      await projector.settled();
      await query(
        place.databaseUrl!,
        'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
      );
      grow(10);
      await until(() => projector.state().position === 20);
      await projector.close();
      expect(await positions()).toEqual(Array.from({ length: 20 }, (_, i) => i));
    });
  });
});

describe('projections read by another process', () => {
  it('can be opened read-only beside the writer, once they exist', async () => {
    const place = { file: join(directory, 'p.sqlite'), databaseUrl: null };
    await expect(openProjections({ ...place, readOnly: true })).rejects.toThrow();
    const writer = await openProjections(place);
    await applyEntries(writer, JOURNAL, [orderWriter], entries(0, 2));
    const reader = await openProjections({ ...place, readOnly: true });
    expect(await reader.db.selectFrom('fills').select('id').execute()).toEqual([{ id: 'f1' }]);
    await applyEntries(writer, JOURNAL, [orderWriter], entries(2, 4));
    expect(await reader.db.selectFrom('fills').select('id').orderBy('id').execute()).toEqual([
      { id: 'f1' },
      { id: 'f3' },
    ]);
    await expect(reader.db.deleteFrom('fills').execute()).rejects.toThrow(/readonly/);
    await reader.close();
    await writer.close();
  });
});
