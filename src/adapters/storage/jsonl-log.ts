import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { assert } from '#base';
import { cutFile, isSystemError, withPath } from './durable-file.ts';
import { makeFolder } from './make-folder.ts';

export interface JsonlLogOptions {
  /** A file is set aside before it would exceed this. Default 16 MiB. */
  readonly maxBytes?: number;
  /** Files set aside that are kept: `<path>.1` is the youngest. Default 5. */
  readonly keep?: number;
  /** `line` (default) writes each line at once; `buffered` collects up to 64 KiB and needs `flush` or `close`. */
  readonly mode?: 'line' | 'buffered';
  /** Syncs after every write. Default false: a line survives a crash of the process, not of the machine. */
  readonly sync?: boolean;
}

const BUFFER_BYTES = 64 * 1024;

/** A log of one JSON value per line, with a bounded size. Reading it never meets half a line from an earlier crash. */
export class JsonlLog {
  readonly path: string;
  private readonly options: Required<JsonlLogOptions>;
  private fd: number;
  private size: number;
  private pending: string[] = [];
  private pendingBytes = 0;

  constructor(path: string, options: JsonlLogOptions = {}) {
    this.path = path;
    this.options = {
      maxBytes: options.maxBytes ?? 16 * 1024 * 1024,
      keep: options.keep ?? 5,
      mode: options.mode ?? 'line',
      sync: options.sync ?? false,
    };
    assert(this.options.maxBytes > 0 && this.options.keep >= 0, `log limits of ${path}`);
    makeFolder(dirname(path));
    this.fd = openLog(path);
    this.size = cutHalfLine(this.fd);
  }

  /** Adds one line. Undefined members are left out, as JSON does. */
  write(value: unknown): void {
    const line = `${JSON.stringify(value) ?? 'null'}\n`;
    const bytes = Buffer.byteLength(line);
    if (this.size + this.pendingBytes > 0 && this.size + this.pendingBytes + bytes > this.options.maxBytes)
      this.rotate();
    this.pending.push(line);
    this.pendingBytes += bytes;
    if (this.options.mode === 'line' || this.pendingBytes >= BUFFER_BYTES) this.flush();
  }

  flush(): void {
    if (this.pendingBytes === 0) return;
    const bytes = Buffer.from(this.pending.join(''));
    this.pending = [];
    this.pendingBytes = 0;
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.fd, bytes, done);
      this.size += bytes.length;
      if (this.options.sync) fsyncSync(this.fd);
    } catch (error) {
      throw withPath(this.path, error);
    }
  }

  close(): void {
    this.flush();
    closeSync(this.fd);
  }

  private rotate(): void {
    this.flush();
    closeSync(this.fd);
    const { keep } = this.options;
    rmSync(keep === 0 ? this.path : `${this.path}.${keep}`, { force: true });
    for (let i = keep - 1; i >= 0; i--)
      moveIfThere(i === 0 ? this.path : `${this.path}.${i}`, `${this.path}.${i + 1}`);
    this.fd = openLog(this.path);
    this.size = 0;
  }
}

/** The platform's logs, by the names their readers know. */
export const LOG_NAMES = [
  'ai_trading_log',
  'safety_violations',
  'execution_failures',
  'pnl_tracking',
] as const;
export type LogName = (typeof LOG_NAMES)[number];

/** Opens the four logs as `<directory>/<name>.jsonl`. */
export function openLogs(directory: string, options: JsonlLogOptions = {}): Record<LogName, JsonlLog> {
  const open = (name: LogName) => new JsonlLog(join(directory, `${name}.jsonl`), options);
  return {
    ai_trading_log: open('ai_trading_log'),
    safety_violations: open('safety_violations'),
    execution_failures: open('execution_failures'),
    pnl_tracking: open('pnl_tracking'),
  };
}

/** The values of a log, oldest first, files set aside included. A half line at the end of a running log is left out. */
export function readJsonlLog(path: string): unknown[] {
  const texts: string[] = [];
  for (let i = 0; ; i++) {
    try {
      texts.push(readFileSync(i === 0 ? path : `${path}.${i}`, 'utf8'));
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
      if (i > 0) break;
    }
  }
  return texts.reverse().flatMap((text) =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown),
  );
}

function openLog(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o644);
}

/** Cuts what stands behind the last line end: the half line of a crash. Returns the size left. */
function cutHalfLine(fd: number): number {
  const size = fstatSync(fd).size;
  const chunk = Buffer.alloc(BUFFER_BYTES);
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - chunk.length);
    const got = readSync(fd, chunk, 0, end - from, from);
    const at = chunk.subarray(0, got).lastIndexOf(0x0a);
    if (at >= 0) {
      if (from + at + 1 < size) cutFile(fd, from + at + 1);
      return from + at + 1;
    }
    end = from;
  }
  if (size > 0) cutFile(fd, 0);
  return 0;
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}
