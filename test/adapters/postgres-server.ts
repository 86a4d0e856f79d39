import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** A PostgreSQL server of its own on a loopback port, made from the machine's binaries. */
export interface PostgresServer {
  /** Creates an empty database and returns its connection string. */
  newDatabase(): Promise<string>;
  stop(): Promise<void>;
}

/** The newest `bin` directory of an installed PostgreSQL; null when there is none. */
export function findPostgres(): string | null {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return null;
  const versions = readdirSync(root).filter((version) => existsSync(join(root, version, 'bin', 'initdb')));
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? null : join(root, newest, 'bin');
}

/** PostgreSQL refuses to run as root: the account it was installed with serves instead. Null: nobody can run it. */
function account(): { uid?: number; gid?: number } | null {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) =>
    Number(spawnSync('id', [flag, 'postgres']).stdout?.toString().trim() || Number.NaN);
  const uid = id('-u');
  return Number.isInteger(uid) ? { uid, gid: id('-g') } : null;
}

/** Starts a server, or says why that is not possible here. */
export async function startPostgres(): Promise<PostgresServer | string> {
  const bin = findPostgres();
  if (bin === null) return 'no PostgreSQL binaries on this machine';
  const owner = account();
  if (owner === null) return 'running as root without a postgres account';
  const directory = mkdtempSync(join(tmpdir(), 'quorum-pg-'));
  if (owner.uid !== undefined) chownSync(directory, owner.uid, owner.gid!);
  const data = join(directory, 'data');
  const options = { ...owner, cwd: directory, env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-A', 'trust', '-U', 'quorum', '--no-sync', '-E', 'UTF8'],
    options,
  );
  if (made.status !== 0) {
    rmSync(directory, { recursive: true });
    return `initdb failed: ${made.stderr}`;
  }
  const port = await freePort();
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'shared_buffers=16MB',
  ];
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), ...settings.flatMap((s) => ['-c', s])],
    {
      ...options,
      stdio: 'ignore',
    },
  );
  const url = (database: string) => `postgres://quorum@127.0.0.1:${port}/${database}`;
  const stop = async () => {
    await ended(server, 'SIGINT');
    rmSync(directory, { recursive: true, force: true });
  };
  if (!(await answers(url('postgres'), server))) {
    await stop();
    return 'the server did not come up';
  }
  let count = 0;
  return {
    stop,
    newDatabase: async () => {
      const name = `t${count++}`;
      await query(url('postgres'), `create database ${name}`);
      return url(name);
    },
  };
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

async function answers(url: string, server: ChildProcess): Promise<boolean> {
  for (let i = 0; i < 200 && server.exitCode === null; i++) {
    try {
      await query(url, 'select 1');
      return true;
    } catch {
      await sleep(50);
    }
  }
  return false;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null) return;
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
