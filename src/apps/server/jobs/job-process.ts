import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { lower, niced } from '../../runner/low-priority.ts';
import { redactedText } from '../server-log.ts';
import type { JobStep } from './job-commands.ts';

const PROGRAM = fileURLToPath(new URL('../../../../bin/quorum.js', import.meta.url));
const NICENESS = 10;

/** A command's answer beyond this is not kept: what is that long lies in files. */
const ANSWER_MOST = 8 * 1024 * 1024;
const TAIL_LINES = 40;
const LINE_MOST = 4_000;
/** How long a command has to end by itself before it is killed. */
export const GRACE_MS = 5_000;

/** What a child may know of the environment: nothing that holds a secret. */
const PASSED = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SystemRoot|QUORUM_REGISTRY)$/i;

export interface StepEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** The one JSON object of the command; null for none, or one that is too long. */
  readonly answer: Record<string, unknown> | null;
  /** What the command said was wrong; empty when it said nothing. */
  readonly error: string;
}

export interface StepSettings {
  readonly folder: string;
  readonly onProgress: (progress: number | null, says: string) => void;
}

/** One command of a job as a process of its own, below the others in priority. */
export class JobProcess {
  readonly ended: Promise<StepEnd>;
  private readonly child: ChildProcess;
  private killer: NodeJS.Timeout | null = null;
  private readonly out: Buffer[] = [];
  private outBytes = 0;
  private tail: string[] = [];
  private rest = '';

  constructor({ args }: JobStep, { folder, onProgress }: StepSettings) {
    const [file, ...rest] = niced(NICENESS, [process.execPath, PROGRAM, ...args]);
    this.child = spawn(file, rest, {
      cwd: folder,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: false,
      windowsHide: true,
    });
    lower(this.child.pid);
    this.child.stdout!.on('data', (chunk: Buffer) => this.hear(chunk));
    this.child.stderr!.setEncoding('utf8');
    this.child.stderr!.on('data', (chunk: string) => this.lines(chunk, onProgress));
    this.ended = new Promise((done) => {
      this.child.once('error', (error) => {
        this.settle();
        done({ code: null, signal: null, answer: null, error: `it cannot be started: ${error.message}` });
      });
      this.child.once('close', (code, signal) => {
        this.settle();
        done({ code, signal, answer: this.answer(), error: this.complaint() });
      });
    });
  }

  /** Asks the command to end, and kills it when it has not after five seconds. */
  stop(): void {
    if (this.killer !== null || this.child.exitCode !== null) return;
    this.child.kill('SIGINT');
    this.killer = setTimeout(() => this.child.kill('SIGKILL'), GRACE_MS);
  }

  /** Ends it at once. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  private settle(): void {
    if (this.killer !== null) clearTimeout(this.killer);
  }

  private hear(chunk: Buffer): void {
    this.outBytes += chunk.length;
    if (this.outBytes <= ANSWER_MOST) this.out.push(chunk);
    else this.out.length = 0;
  }

  private lines(chunk: string, onProgress: StepSettings['onProgress']): void {
    this.rest += chunk;
    for (let end = this.rest.indexOf('\n'); end >= 0; end = this.rest.indexOf('\n')) {
      const line = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + 1);
      const progress = progressOf(line);
      if (progress !== null) onProgress(progress.progress, progress.says);
      else if (line.trim() !== '') this.tail = [...this.tail, line.slice(0, LINE_MOST)].slice(-TAIL_LINES);
    }
    if (this.rest.length > LINE_MOST * 16) this.rest = '';
  }

  private answer(): Record<string, unknown> | null {
    if (this.outBytes === 0 || this.outBytes > ANSWER_MOST) return null;
    try {
      const value: unknown = JSON.parse(Buffer.concat(this.out).toString('utf8'));
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? (value as Record<string, unknown>)
        : null;
    } catch {
      return null;
    }
  }

  /** The error with its remedy, as every command says it; else its last line. Secrets taken out. */
  private complaint(): string {
    const said = this.tail.findLastIndex((line) => /^(error|bug): /.test(line));
    if (said < 0) return redactedText(this.tail.at(-1) ?? '');
    const what = this.tail[said]!.replace(/^error: /, '');
    const mend = this.tail.slice(said + 1).find((line) => line.startsWith('mend:'));
    return redactedText(mend === undefined ? what : `${what}; ${mend.replace(/^mend:\s*/, '')}`);
  }
}

function environment(): Record<string, string> {
  const passed = Object.entries(process.env).filter(([name]) => PASSED.test(name)) as [string, string][];
  return { ...Object.fromEntries(passed), NO_COLOR: '1', QUORUM_PROGRESS: 'json' };
}

/** A progress line of the commands: `{"progress":0.41,"says":"backtest"}`; null for any other line. */
export function progressOf(line: string): { readonly progress: number | null; readonly says: string } | null {
  if (!line.startsWith('{"progress":')) return null;
  try {
    const { progress, says } = JSON.parse(line) as { progress?: unknown; says?: unknown };
    const known = typeof progress === 'number' && progress >= 0 && progress <= 1;
    return { progress: known ? progress : null, says: typeof says === 'string' ? says.slice(0, 200) : '' };
  } catch {
    return null;
  }
}
