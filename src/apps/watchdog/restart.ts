import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockHolder } from '#adapters';
import { SECOND } from '#base';
import { readStart, restartArguments } from './start-record.ts';

export interface RestartOptions {
  /** Folder of the portfolio. */
  readonly directory: string;
  /** How long a process may take to end by itself. */
  readonly graceMs: number;
  readonly environment: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  /** The new process ended again. */
  readonly onEnd: (why: string) => void;
}

const KILLED_MS = 10 * SECOND;
const LOOK_MS = 50;
const OUTPUT_MOST = 10 * 1024 * 1024;

/** Ends what still runs of a portfolio, politely and then not, and starts it again as it was started. Null, or why not. */
export async function restart(options: RestartOptions): Promise<string | null> {
  const { directory, graceMs, environment, say } = options;
  const record = readStart(directory);
  if (record === null) return 'how it was started is not on record';
  if (!existsSync(record.program)) return `${record.program} is not there any more`;
  const lock = join(directory, 'journal.lock');
  const pid = lockHolder(lock);
  if (pid !== null) {
    say(`ending process ${pid}`);
    if (!(await ended(lock, pid, 'SIGTERM', graceMs)) && !(await ended(lock, pid, 'SIGKILL', KILLED_MS)))
      return `process ${pid} does not end`;
  }
  const output = join(directory, 'output.log');
  const isLong = existsSync(output) && statSync(output).size > OUTPUT_MOST;
  const fd = openSync(output, isLong ? 'w' : 'a');
  try {
    const { QUORUM_LAUNCHER: _, ...env } = environment;
    const child = spawn(process.execPath, [record.program, ...restartArguments(record)], {
      cwd: record.cwd,
      env,
      detached: true,
      stdio: ['ignore', fd, fd],
    });
    child.once('error', (error) => options.onEnd(error.message));
    child.once('exit', (code, signal) => {
      if (code !== 0)
        options.onEnd(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`);
    });
    child.unref();
    say(`started again as process ${child.pid}; what it says goes to ${output}`);
  } finally {
    closeSync(fd);
  }
  return null;
}

/** Sends a signal and waits until the lock has another holder or none. */
async function ended(lock: string, pid: number, signal: NodeJS.Signals, ms: number): Promise<boolean> {
  try {
    process.kill(pid, signal);
  } catch {
    // it is gone already
  }
  for (let waited = 0; waited < ms; waited += LOOK_MS) {
    if (lockHolder(lock) !== pid) return true;
    await sleep(LOOK_MS);
  }
  return lockHolder(lock) !== pid;
}
