import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { SECOND } from '#base';
import { PROGRAM_ROOT } from '../setup/code-hash.ts';
import { lower, niced } from './low-priority.ts';

/** The program itself, to be run again as another process. */
const BINARY = resolve(PROGRAM_ROOT, '..', 'bin', 'quorum.js');

const FIRST_WAIT_MS = SECOND;
const LONGEST_WAIT_MS = 60 * SECOND;
/** One that lived so long did not die of what it was started with. */
const PROVEN_MS = 60 * SECOND;
/** How often it is looked whether a companion may start that was told to wait. */
const LOOK_MS = 5 * SECOND;
const GOODBYE_MS = 3 * SECOND;
const SAID_MOST = 2_000;
/** Where both want the processor, the loop gets it. */
const NICENESS = 5;

/** Exit codes that another attempt would not change: wrong use, bad input. */
const FINAL = [2, 3];

export interface CompanionOptions {
  /** Arguments of the command line, such as `serve --data-dir DIR`. */
  readonly args: readonly string[];
  /** Whether it may run now; asked again every few seconds. */
  readonly mayStart?: () => boolean;
  /** Takes what it says over its line to this process. */
  readonly onMessage: (message: unknown) => void;
  /** It ended by itself: its last words, and when it starts again; null: never. */
  readonly onEnd: (why: string, againMs: number | null) => void;
}

/**
 * A process of ours that runs beside this one, is started again with growing waits when it dies, and ends when this one ends,
 * however it ends: then its line to here is cut. Nothing here ever waits for it.
 */
export class Companion {
  private readonly options: CompanionOptions;
  private child: ChildProcess | null = null;
  private waitMs = FIRST_WAIT_MS;
  private timer: NodeJS.Timeout | null = null;
  private closing = false;

  constructor(options: CompanionOptions) {
    this.options = options;
    this.begin();
  }

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Lets it end by itself; one that does not is ended. */
  async close(): Promise<void> {
    this.closing = true;
    if (this.timer !== null) clearTimeout(this.timer);
    const { child } = this;
    if (child === null) return;
    // nothing else may be left that keeps this process waiting for it
    child.ref();
    await new Promise<void>((done) => {
      const force = setTimeout(() => child.kill('SIGKILL'), GOODBYE_MS);
      child.once('close', () => {
        clearTimeout(force);
        done();
      });
      child.kill('SIGTERM');
    });
  }

  private begin(): void {
    const { args, mayStart, onMessage } = this.options;
    if (mayStart?.() === false) {
      this.again(LOOK_MS);
      return;
    }
    const startedAt = Date.now();
    const { QUORUM_LAUNCHER: _, ...env } = process.env;
    const [file, ...rest] = niced(NICENESS, [process.execPath, BINARY, ...args]);
    const child = spawn(file, rest, {
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    lower(child.pid);
    this.child = child;
    let said = '';
    let over = false;
    child.stderr!.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-SAID_MOST);
    });
    child.on('message', onMessage);
    const ended = (code: number | null, why: string) => {
      if (over) return;
      over = true;
      this.child = null;
      if (this.closing) return;
      if (Date.now() - startedAt >= PROVEN_MS) this.waitMs = FIRST_WAIT_MS;
      const wait = code !== null && FINAL.includes(code) ? null : this.waitMs;
      this.options.onEnd(said.trim() || why, wait);
      if (wait === null) return;
      this.again(wait);
      this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
    };
    child.on('error', (error) => ended(null, error.message));
    child.on('close', (code, signal) =>
      ended(code, signal === null ? `it ended with ${code}` : `it was ended by ${signal}`),
    );
    // what this process does must not last longer because of it
    child.unref();
    child.channel?.unref();
    (child.stderr as { unref?: () => void } | null)?.unref?.();
  }

  private again(ms: number): void {
    this.timer = setTimeout(() => this.begin(), ms).unref();
  }
}
