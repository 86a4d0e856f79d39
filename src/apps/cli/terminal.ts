import cliProgress from 'cli-progress';
import { InputError } from '#base';
import { safeJson, withOwnColours } from './plain-text.ts';

/** Exit codes that users and programs rely on. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  badInput: 3,
  refused: 4,
  unreachable: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command that ended with another code than 0 and has said why. */
export class ExitError extends Error {
  override name = 'ExitError';
  readonly code: ExitCode;
  /** What to do about it; null when the message says enough. */
  readonly mend: string | null;
  constructor(code: ExitCode, message: string, mend: string | null = null) {
    super(message);
    this.code = code;
    this.mend = mend;
  }
}

/** How far something is. Both may be handed on as they are. */
export interface Progress {
  readonly update: (done: number, total: number) => void;
  readonly stop: () => void;
}

/** Where a command writes: human text or one JSON object on stdout, progress and logs on stderr. */
export class Terminal {
  readonly json: boolean;
  constructor(json: boolean) {
    this.json = json;
  }

  /** A line for people; silent under `--json`. */
  say(line = ''): void {
    if (!this.json) process.stdout.write(`${withOwnColours(line)}\n`);
  }

  /** The one object of `--json`; silent otherwise. */
  result(value: Record<string, unknown>): void {
    if (this.json) process.stdout.write(`${safeJson({ schemaVersion: 1, ...value }, 2)}\n`);
  }

  /** A line on stderr. */
  note(line: string): void {
    write(line);
  }

  warn(line: string): void {
    write(`${paint('33', 'warning')}: ${line}`);
  }

  /**
   * A bar on stderr, from the first update on, when that is a terminal; nothing otherwise. Hides the cursor until it stops.
   * For a program that started this one with QUORUM_PROGRESS=json: lines `{"progress":0.41,"says":"backtest"}`, five a second.
   */
  progress(label: string): Progress {
    if (process.env.QUORUM_PROGRESS === 'json') return progressLines(label);
    if (!process.stderr.isTTY) return { update: () => {}, stop: () => {} };
    let isStarted = false;
    const bar = new cliProgress.SingleBar(
      {
        format: `${label} {bar} {percentage}% {eta_formatted}`,
        stream: process.stderr,
        hideCursor: true,
        clearOnComplete: true,
      },
      cliProgress.Presets.shades_classic,
    );
    const update = (done: number, total: number) => {
      if (!isStarted) bar.start(total, 0);
      isStarted = true;
      bar.update(done);
    };
    return { update, stop: () => bar.stop() };
  }
}

/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 200;

function progressLines(label: string): Progress {
  // nobody reads any more: who started this is gone, and so is the reason to go on
  process.stderr.once('error', () => process.exit(EXIT.interrupted));
  let saidAt = -Infinity;
  const update = (done: number, total: number) => {
    const now = performance.now();
    if (now - saidAt < PROGRESS_MS) return;
    saidAt = now;
    const progress = total > 0 ? Math.round(Math.min(done / total, 1) * 10_000) / 10_000 : null;
    process.stderr.write(`${JSON.stringify({ progress, says: label })}\n`);
  };
  return { update, stop: () => {} };
}

const colours = () => process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

/** Text in an ANSI colour, plain when nobody looks. */
export function paint(code: string, text: string): string {
  return colours() ? `\u001b[${code}m${text}\u001b[0m` : text;
}

/** Rows in aligned columns; numbers to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** Prints an error as what, where and how to mend it, and gives the exit code. Never a stack trace of bad input. */
export function explain(error: unknown): ExitCode {
  // a desk in a folder of its own may bring a second copy of the class
  if (error instanceof InputError || named(error, 'InputError')) {
    return say(EXIT.badInput, messageOf(error), mendOf(error));
  }
  if (error instanceof ExitError) {
    if (error.message === '') return error.code;
    return say(error.code, error.message, error.mend);
  }
  if (named(error, 'UnreachableError')) return say(EXIT.unreachable, messageOf(error), mendOf(error));
  if (named(error, 'VenueRefusal'))
    return say(EXIT.badInput, messageOf(error), 'check symbol, interval and dates');
  if (isSystem(error)) return systemError(error);
  const place = foreignPlace(error);
  if (place !== null) {
    return say(EXIT.badInput, `${place}: ${(error as Error).message}`, 'mend the error in that file');
  }
  // a bug: the trace is what the developers need
  write(`${paint('31', 'bug')}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return EXIT.failed;
}

function say(code: ExitCode, what: string, mend: string | null): ExitCode {
  write(`${paint('31', 'error')}: ${what}`);
  if (mend !== null) write(`${paint('36', 'mend')}:  ${mend}`);
  return code;
}

function write(line: string): void {
  process.stderr.write(`${withOwnColours(line)}\n`);
}

/** By name, so that explaining an error does not load the adapters. */
function named(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

const messageOf = (error: unknown) => (error as Error).message;

function mendOf(error: unknown): string | null {
  const { mend } = error as { mend?: unknown };
  return typeof mend === 'string' ? mend : null;
}

function isSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

/** What a refusal of the operating system means to a person, and how to mend it. */
const SYSTEM: Readonly<Record<string, readonly [ExitCode, string, string]>> = {
  ENOENT: [EXIT.badInput, 'does not exist', 'check the path'],
  ENOTDIR: [EXIT.badInput, 'lies below something that is not a folder', 'check the path'],
  EISDIR: [EXIT.badInput, 'is a folder', 'name a file'],
  EEXIST: [EXIT.badInput, 'exists already', 'choose another name'],
  EACCES: [EXIT.badInput, 'may not be read or written', 'check its permissions, or choose another place'],
  EPERM: [EXIT.badInput, 'may not be changed', 'check its permissions, or choose another place'],
  EROFS: [EXIT.badInput, 'lies on a disk that is read-only', 'choose another place'],
  ENOSPC: [EXIT.failed, 'cannot be written: the disk is full', 'free some space; nothing was damaged'],
  EMFILE: [EXIT.failed, 'cannot be opened: too many files are open', 'raise the limit with ulimit -n'],
  ECONNREFUSED: [EXIT.unreachable, 'refuses the connection', 'check that it runs, and its address'],
  ENOTFOUND: [EXIT.unreachable, 'is not known', 'check the address and the network'],
  ETIMEDOUT: [EXIT.unreachable, 'does not answer', 'check the network'],
};

function systemError(error: NodeJS.ErrnoException): ExitCode {
  const known = SYSTEM[error.code ?? ''];
  const { hostname } = error as { hostname?: string };
  const subject = error.path ?? hostname ?? error.syscall!;
  if (known === undefined) return say(EXIT.failed, error.message, null);
  const [code, what, mend] = known;
  return say(code, `${subject} ${what}`, mend);
}

const PROGRAM = new URL('../../', import.meta.url).href;

/** `FILE:LINE` of an error thrown by code that is not the program's, such as a desk file; null otherwise. */
function foreignPlace(error: unknown): string | null {
  if (!(error instanceof Error) || named(error, 'InvariantError')) return null;
  const frame = error.stack?.split('\n').find((line) => /^\s+at /.test(line));
  const match = /\(?((?:file:\/\/)?\/[^()]+?):(\d+):\d+\)?$/.exec(frame ?? '');
  if (match === null) return null;
  const url = match[1]!.startsWith('file:') ? match[1]! : `file://${match[1]}`;
  if (url.startsWith(PROGRAM) || url.includes('/node_modules/')) return null;
  return `${decodeURI(url.slice('file://'.length))}:${match[2]}`;
}
