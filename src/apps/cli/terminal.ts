import cliProgress from 'cli-progress';
import { InputError } from '#base';

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

export interface Progress {
  update(done: number): void;
  stop(): void;
}

/** Where a command writes: human text or one JSON object on stdout, progress and logs on stderr. */
export class Terminal {
  readonly json: boolean;
  constructor(json: boolean) {
    this.json = json;
  }

  /** A line for people; silent under `--json`. */
  say(line = ''): void {
    if (!this.json) process.stdout.write(`${line}\n`);
  }

  /** The one object of `--json`; silent otherwise. */
  result(value: Record<string, unknown>): void {
    if (this.json) process.stdout.write(`${JSON.stringify({ schemaVersion: 1, ...value }, null, 2)}\n`);
  }

  /** A line on stderr. */
  note(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  warn(line: string): void {
    process.stderr.write(`${paint('33', 'warning')}: ${line}\n`);
  }

  /** A bar on stderr when it is a terminal, nothing otherwise. */
  progress(label: string, total: number): Progress {
    if (!process.stderr.isTTY || total <= 0) return { update: () => {}, stop: () => {} };
    const bar = new cliProgress.SingleBar(
      { format: `${label} {bar} {percentage}% {eta_formatted}`, stream: process.stderr, hideCursor: true, clearOnComplete: true },
      cliProgress.Presets.shades_classic,
    );
    bar.start(total, 0);
    return { update: (done) => bar.update(done), stop: () => bar.stop() };
  }
}

const colours = () => process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

/** Text in an ANSI colour, plain when nobody looks. */
export function paint(code: string, text: string): string {
  return colours() ? `\u001b[${code}m${text}\u001b[0m` : text;
}

/** Rows in aligned columns; numbers to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

/** Prints an error as what, where and how to mend it, and gives the exit code. Never a stack trace of bad input. */
export function explain(error: unknown): ExitCode {
  if (error instanceof InputError) {
    process.stderr.write(`${paint('31', 'error')}: ${error.message}\n${paint('36', 'mend')}:  ${error.mend}\n`);
    return EXIT.badInput;
  }
  if (error instanceof ExitError) {
    if (error.message !== '') process.stderr.write(`${paint('31', 'error')}: ${error.message}\n`);
    if (error.mend !== null) process.stderr.write(`${paint('36', 'mend')}:  ${error.mend}\n`);
    return error.code;
  }
  if (isSystem(error)) {
    process.stderr.write(`${paint('31', 'error')}: ${error.message}\n`);
    return EXIT.failed;
  }
  // a bug: the trace is what the developers need
  process.stderr.write(`${paint('31', 'bug')}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT.failed;
}

function isSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
