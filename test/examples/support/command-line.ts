import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A clone keeps its registries to itself, as a stranger's does; what runs in this one goes by the tests'. */
export function environmentIn(cwd: string): NodeJS.ProcessEnv {
  const { QUORUM_REGISTRY, QUORUM_MODELS, ...rest } = process.env;
  return resolve(cwd) === resolve(ROOT) ? process.env : rest;
}

/** Runs a program to its end without a shell. */
export function ran(command: string, args: readonly string[], cwd: string): Promise<Ran> {
  return new Promise((settle, reject) => {
    const child = spawn(command, args, { cwd, env: environmentIn(cwd), stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => settle({ code, stdout, stderr }));
  });
}

/** Runs `npx quorum ...` as a text of documentation names it, without npx, in a clone. */
export function quorum(args: readonly string[], clone: string = ROOT): Promise<Ran> {
  return ran(process.execPath, [join(clone, 'bin/quorum.js'), ...args], clone);
}
