import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { arch, platform, release } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { formatInstant, SECOND } from '#base';
import { PROGRAM_ROOT, packageVersion } from '../setup/code-hash.ts';
import { writeWholeFile } from '../whole-file.ts';

/** `failed` keeps the program from being used offline; `warning` only takes something away. */
export type Verdict = 'ok' | 'warning' | 'failed';

export interface Finding {
  readonly name: string;
  readonly verdict: Verdict;
  readonly text: string;
  readonly mend: string | null;
}

const ok = (name: string, text: string): Finding => ({ name, verdict: 'ok', text, mend: null });
const warning = (name: string, text: string, mend: string): Finding => ({
  name,
  verdict: 'warning',
  text,
  mend,
});
const failed = (name: string, text: string, mend: string): Finding => ({
  name,
  verdict: 'failed',
  text,
  mend,
});
const messageOf = (error: unknown) =>
  error instanceof Error ? error.message.split('\n')[0]! : String(error);

const NODE_NEEDED = 24;
const MIB = 1024 * 1024;
const DISK_LEAST = 50 * MIB;
const DISK_WANTED = 1024 * MIB;
const HOST_TIMEOUT_MS = 4 * SECOND;
const SKEW_MOST_MS = SECOND;
const ROOT = resolve(PROGRAM_ROOT, '..');
const isClone = existsSync(join(ROOT, 'src', 'index.ts'));

export interface CheckupOptions {
  /** Where journals and projections go. */
  readonly dir: string;
  readonly databaseUrl: string | null;
  /** URLs to try; none is offline. */
  readonly hosts: readonly string[];
}

/** Looks at everything the program needs, one finding each. */
export async function checkup(options: CheckupOptions): Promise<Finding[]> {
  const hosts = Promise.all(options.hosts.map(host));
  const findings = [versions(), ...dependencies(), disk(options.dir), await clock(), ...dataDir(options.dir)];
  findings.push(await sqlite(), await duckdb(), await postgres(options.databaseUrl));
  return [...findings, ...(await hosts)];
}

function versions(): Finding {
  const { node } = process.versions;
  const text = `node ${node}, quorum ${packageVersion()} (${isClone ? 'clone' : 'package'}), ${platform()} ${arch()} ${release()}`;
  return Number(node.split('.')[0]) >= NODE_NEEDED
    ? ok('versions', text)
    : failed('versions', text, `install Node ${NODE_NEEDED}, or run npm install without --omit=optional`);
}

/** Parts whose absence only takes something away. */
const OPTIONAL: Readonly<Record<string, string>> = {
  '@duckdb/node-api': 'Parquet files',
  'vega-datasets': 'the sample bars',
  pg: 'PostgreSQL',
};

function dependencies(): Finding[] {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const found: string[] = [];
  const findings: Finding[] = [];
  for (const [name, wanted] of Object.entries(manifest.dependencies)) {
    const version = installedVersion(name);
    const use = OPTIONAL[name];
    if (version === wanted) found.push(`${name} ${version}`);
    else if (version !== null)
      findings.push(warning(name, `${version} is installed, ${wanted} is wanted`, 'run npm install'));
    else if (use === undefined) findings.push(failed(name, 'is not installed', 'run npm install'));
    else findings.push(warning(name, `is not installed: no ${use}`, 'run npm install if you need it'));
  }
  return [ok('dependencies', found.join(', ')), ...findings];
}

function installedVersion(name: string): string | null {
  for (let dir = ROOT; ; dir = dirname(dir)) {
    const path = join(dir, 'node_modules', name, 'package.json');
    if (existsSync(path)) return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
    if (dirname(dir) === dir) return null;
  }
}

/** The folder itself, or the nearest one above it that exists. */
function standing(dir: string): string {
  let at = resolve(dir);
  while (!existsSync(at)) at = dirname(at);
  return at;
}

function disk(dir: string): Finding {
  const at = standing(dir);
  try {
    const { bavail, bsize } = statfsSync(at);
    const free = bavail * bsize;
    const text = `${Math.round(free / MIB)} MiB free at ${at}`;
    if (free < DISK_LEAST)
      return failed('disk', text, 'free some space: a journal that cannot be written stops trading');
    return free < DISK_WANTED ? warning('disk', text, 'free some space before a long run') : ok('disk', text);
  } catch (error) {
    return warning('disk', `free space of ${at} is not known: ${messageOf(error)}`, 'look yourself with df');
  }
}

/** The wall clock must not lie before the program was made, and must run as fast as the monotonic one. */
async function clock(): Promise<Finding> {
  const made = statSync(join(ROOT, 'package.json')).mtimeMs;
  const wall = Date.now();
  const steady = performance.now();
  await new Promise((done) => setTimeout(done, 100));
  const drift = Math.abs(Date.now() - wall - (performance.now() - steady));
  const text = `${formatInstant(wall)}, steps ${drift.toFixed(1)} ms in 100 ms`;
  const mend = 'set the clock and keep it set with NTP; times in the journal come from it';
  if (wall < made - 24 * 3600 * SECOND)
    return warning('clock', `${text}; earlier than the program's own files`, mend);
  return drift > 50 ? warning('clock', text, mend) : ok('clock', text);
}

function dataDir(dir: string): Finding[] {
  const findings: Finding[] = [];
  const at = standing(dir);
  const stat = statSync(at);
  if (!stat.isDirectory())
    return [failed('data dir', `${at} is not a folder`, 'move the file away, or use another --data-dir')];
  const mode = (stat.mode & 0o777).toString(8);
  const text = existsSync(dir)
    ? `${dir} (mode ${mode})`
    : `${dir} does not exist yet; made in ${at} when needed`;
  const open = platform() !== 'win32' && existsSync(dir) && (stat.mode & 0o002) !== 0;
  findings.push(
    open
      ? warning('data dir', `${text}: anyone on this machine may change it`, `chmod o-w ${dir}`)
      : ok('data dir', text),
  );
  findings.push(writeTest(at));
  return findings;
}

function writeTest(at: string): Finding {
  let folder: string | null = null;
  try {
    folder = mkdtempSync(join(at, '.quorum-doctor-'));
    const path = join(folder, 'probe');
    const content = `${Date.now()}`.repeat(100);
    const before = performance.now();
    writeWholeFile(path, [content]);
    const ms = performance.now() - before;
    if (readFileSync(path, 'utf8') !== content || readdirSync(folder).length !== 1) {
      return failed('write test', `${at} does not give back what was written`, 'use another disk');
    }
    return ok('write test', `written, synced and read back in ${at} in ${ms.toFixed(1)} ms`);
  } catch (error) {
    return failed(
      'write test',
      `${at} cannot be written: ${messageOf(error)}`,
      'check its permissions, or use another --data-dir',
    );
  } finally {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  }
}

async function sqlite(): Promise<Finding> {
  try {
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(':memory:');
    const row = database.prepare('select sqlite_version() as version').get() as { version: string };
    database.close();
    return ok('SQLite', row.version);
  } catch (error) {
    return failed('SQLite', messageOf(error), `use Node ${NODE_NEEDED}`);
  }
}

async function duckdb(): Promise<Finding> {
  try {
    const { version } = await import('@duckdb/node-api');
    return ok('DuckDB', `${version()}, for Parquet files`);
  } catch (error) {
    return warning('DuckDB', `${messageOf(error)}: no Parquet files`, 'run npm install, or use CSV');
  }
}

async function postgres(url: string | null): Promise<Finding> {
  if (url === null || url === '')
    return ok('PostgreSQL', 'not used: DATABASE_URL is not set, projections go to SQLite');
  const mend = 'check DATABASE_URL; trading goes on without it and projections catch up later';
  let client: import('pg').Client | null = null;
  try {
    const { default: pg } = await import('pg');
    client = new pg.Client({ connectionString: url, connectionTimeoutMillis: HOST_TIMEOUT_MS });
    // an idle client that loses its server would otherwise end the process
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return ok('PostgreSQL', rows[0]!.server_version);
  } catch (error) {
    const text = messageOf(error);
    return warning('PostgreSQL', `cannot be used: ${text === '' ? 'no answer' : text}`, mend);
  } finally {
    await client?.end().catch(() => {});
  }
}

/** Reaches a host; where it tells its time (Binance and edgeX do), compares the clocks. */
async function host(url: string): Promise<Finding> {
  const name = new URL(url).host;
  const mend = 'without it: recorded files, the sample and the demo work; live data does not';
  try {
    const before = Date.now();
    const answer = await fetch(url, { signal: AbortSignal.timeout(HOST_TIMEOUT_MS), redirect: 'manual' });
    const after = Date.now();
    const body = await answer.text();
    const told = /"(?:serverTime|timeMillis)":"?(\d{13})/.exec(body);
    const text = `answers in ${after - before} ms`;
    if (told === null) return ok(name, text);
    // the answer was written somewhere between the two readings
    const server = Number(told[1]);
    const skew = server < before ? server - before : server > after ? server - after : 0;
    if (Math.abs(skew) <= SKEW_MOST_MS) return ok(name, `${text}, clocks agree`);
    return warning(
      name,
      `${text}; its clock is ${skew} ms from ours`,
      'set the clock and keep it set with NTP',
    );
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return warning(name, `cannot be reached (${messageOf(cause)})`, mend);
  }
}
