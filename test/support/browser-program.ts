import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Beginning, readBeginning } from '../../bench/support/console-access.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/quorum.js', import.meta.url));
/** By then the demo has closed trades, cut ideas and holds positions. */
const PLAYED = 500;
/** Slices a second while somebody looks: what is held then stays held for a while. */
const SPEED = 0.5;
/** A program that nobody ends, because the tests were killed, ends by itself. */
const MOST_S = 600;

/** `quorum start --demo` with its console, some way into its tape. */
export interface StagedProgram {
  readonly beginning: Beginning;
  readonly dataDir: string;
  /** Where the portfolio's journal is. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Plays the first part of the tape at once, then runs on with the console. */
export async function stageProgram(): Promise<StagedProgram> {
  const dataDir = mkdtempSync(join(tmpdir(), 'quorum-browser-'));
  const remove = () => rmSync(dataDir, { recursive: true, force: true });
  const common = ['start', '--demo', '--data-dir', dataDir];
  const before = [...common, '--no-console', '--speed', '0', '--slices', String(PLAYED)];
  const played = spawn(process.execPath, [PROGRAM, ...before], { stdio: 'ignore' });
  const code = await ended(played);
  if (code !== 0) {
    remove();
    throw new Error(`the first part of the tape was not played: ${code}`);
  }
  const args = [...common, '--port', '0', '--speed', String(SPEED), '--for', String(MOST_S)];
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  const close = async () => {
    child.kill('SIGTERM');
    await ended(child);
    remove();
  };
  try {
    return { beginning: await readBeginning(child), dataDir, folder: join(dataDir, 'demo'), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((done) => child.once('exit', done));
}
