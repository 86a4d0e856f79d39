import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Chance, MINUTE } from '#base';
import { HistoryStore, importFiles } from '../../src/adapters/storage/history/index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'history-world-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const START = 1_688_169_600_000;
const ID = 'X.LOCAL@1m';
const store = () => join(dir, 'store');

/** One-minute bars whose figures do not compress. */
function write(name: string, from: number, to: number): string {
  const lines = ['time,open,high,low,close,volume'];
  for (let i = from; i < to; i++) {
    const price = 100 + new Chance(`bar ${i}`).uniform();
    lines.push(`${START + i * MINUTE},${price},${price + 1 / 3},${price - 1 / 7},${price},${i * Math.PI}`);
  }
  const path = join(dir, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** Every file below the store but caches, with its bytes. */
function contents(): Map<string, string> {
  const out = new Map<string, string>();
  for (const entry of readdirSync(store(), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !path.endsWith('.columns')) out.set(path, readFileSync(path, 'base64'));
  }
  return out;
}

const CODE = `
  import { HistoryStore, importFiles } from '${new URL('../../src/adapters/storage/history/index.ts', import.meta.url).href}';
  const [store, ...files] = process.argv.slice(1);
  const request = { store, instrument: null, replace: false };
`;

/** Runs a script in a process of its own; `blocks` limits the size of files it may write, in 512 bytes. */
function run(script: string, files: readonly string[], blocks: number | null = null) {
  const command = [process.execPath, '--input-type=module', '-e', CODE + script, store(), ...files];
  const limited = ['sh', '-c', `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`, 'sh', ...command];
  const [program, ...args] = blocks === null ? command : limited;
  const child: ChildProcess = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout!.on('data', (chunk) => {
    out += chunk;
  });
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(out)));
  return { child, ended };
}

const TRY = `
  const told = await importFiles({ ...request, files }).then(() => 'done', (error) => JSON.stringify([error.name, error.code ?? null, error.message, error.path ?? null]));
  process.stdout.write(told);
`;

describe.runIf(process.platform === 'linux')('a full disk', () => {
  it('leaves no store behind that was not there', async () => {
    const big = write('X-1m.csv', 0, 20_000);
    const told = await run(TRY, [big], 256).ended;
    const [name, code, , path] = JSON.parse(told);
    expect([name, code]).toEqual(['Error', 'ENOSPC']);
    expect(path).toContain(store());
    expect(existsSync(store())).toBe(false);
  });

  it('leaves a store as it was, also when an earlier file of the import had been written', async () => {
    await importFiles({
      store: store(),
      files: [write('X-1m.csv', 0, 500)],
      instrument: null,
      replace: false,
    });
    const before = contents();
    const told = await run(TRY, [write('A-1m.csv', 0, 500), write('X-1m-b.csv', 0, 20_000)], 256).ended;
    expect(JSON.parse(told)[1]).toBe('ENOSPC');
    expect(contents()).toEqual(before);
    // with room again the same import goes through
    const files = [join(dir, 'A-1m.csv'), join(dir, 'X-1m-b.csv')];
    const outcome = await importFiles({ store: store(), files, instrument: null, replace: false });
    expect(outcome.series.map((one) => [one.id, one.rows])).toEqual([
      ['A.LOCAL@1m', 500],
      [ID, 20_000],
    ]);
  });

  it('costs no more than the cache when a series is read', async () => {
    await importFiles({
      store: store(),
      files: [write('X-1m.csv', 0, 20_000)],
      instrument: null,
      replace: false,
    });
    rmSync(join(store(), 'cache'), { recursive: true });
    const script = `const { from, block } = await HistoryStore.open(store).load('${ID}'); process.stdout.write(from + ' ' + block.rows);`;
    expect(await run(script, [], 256).ended).toBe('parquet, no cache written 20000');
    expect(existsSync(join(store(), 'cache')) ? readdirSync(join(store(), 'cache')) : []).toEqual([]);
  });
});

describe('an import that is killed', () => {
  it('has happened or has not, at whatever moment', async () => {
    const first = write('X-1m.csv', 0, 300);
    await importFiles({ store: store(), files: [first], instrument: null, replace: false });
    const script = `
      process.stdout.write('begun');
      for (const file of files) await importFiles({ ...request, files: [file] });
    `;
    const parts = Array.from({ length: 12 }, (_, i) => write(`X-1m-${i}.csv`, 300 + i * 400, 700 + i * 400));
    let last = 300;
    for (const wait of [0, 30, 70, 150]) {
      const { child, ended } = run(script, parts);
      await new Promise((resolve) => child.stdout!.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, wait));
      child.kill('SIGKILL');
      await ended;
      const { block, stored } = await HistoryStore.open(store()).load(ID);
      // whole files and nothing between, never fewer than before
      expect((block.rows - 300) % 400).toBe(0);
      expect(block.rows).toBeGreaterThanOrEqual(last);
      expect(block.columns[0]!.every((time, i) => time === START + i * MINUTE)).toBe(true);
      expect(stored.last).toBe(START + (block.rows - 1) * MINUTE);
      last = block.rows;
    }
    await importFiles({ store: store(), files: parts, instrument: null, replace: false });
    expect((await HistoryStore.open(store()).load(ID)).block.rows).toBe(5_100);
    expect(readdirSync(join(store(), 'series'))).toHaveLength(1);
    // who dies while it takes the lock leaves the text it wanted to put there
    const names = readdirSync(store()).filter((name) => !name.startsWith('lock.'));
    expect(names.sort()).toEqual(['cache', 'series', 'store.json']);
  });

  it('waits for nobody: a second import at the same time is refused', async () => {
    const files = Array.from({ length: 3 }, (_, i) => write(`X${i}-1m.csv`, 0, 3000));
    const together = await Promise.allSettled(
      files.map((file) => importFiles({ store: store(), files: [file], instrument: null, replace: false })),
    );
    const refused = together.filter((one) => one.status === 'rejected').map((one) => String(one.reason));
    for (const text of refused) expect(text).toMatch(/is held by running process/);
    const opened = HistoryStore.open(store());
    expect(opened.series.length).toBe(3 - refused.length);
    for (const { id } of opened.series) expect((await opened.load(id)).block.rows).toBe(3000);
  });
});
