import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const BINARY = fileURLToPath(new URL('../../bin/quorum.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program as a process of its own, as a person starts it. */
export class Child {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], options: { cwd: string; env?: Record<string, string> }) {
    const { DATABASE_URL: _, ...env } = process.env;
    this.process = spawn(process.execPath, [BINARY, ...args], {
      cwd: options.cwd,
      env: { ...env, NO_COLOR: '1', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout!.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.process.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = new Promise((resolve) => {
      this.process.on('close', (code, signal) =>
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }),
      );
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Resolves when the condition holds; rejects when the process ends first or nothing comes of it. */
  async until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    let over = false;
    void this.ended.then(() => (over = true));
    for (let waits = 0; waits < 3_000; waits++) {
      if (await condition()) return;
      if (over) throw new Error(`the program ended before ${what}: ${this.stdout}${this.stderr}`);
      await sleep(10);
    }
    throw new Error(`waited in vain for ${what}: ${this.stdout}${this.stderr}`);
  }
}

/** Runs a command to its end. */
export function quorum(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Ended> {
  return new Child(args, { cwd, env }).ended;
}

export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
