import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { InputError } from '#base';
import { isSystemError } from './durable-file.ts';

/** Who holds a lock. `start` tells a process from a later one with the same pid. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Kernel boot and process start in clock ticks since then; empty where the system does not tell. */
  readonly start: string;
  readonly token: string;
}

/** A takeover is itself guarded by a lock; this many interrupted takeovers in a row need a person. */
const DEPTH_MAX = 4;

/**
 * One writer per file. The lock is a file whose contents appear whole (written aside, then linked); it names its
 * holder's pid and start. A lock whose holder is dead is taken over, by one process even if several try at once.
 */
export class WriterLock {
  readonly path: string;
  private readonly token: string;
  private held = true;

  private constructor(path: string, token: string) {
    this.path = path;
    this.token = token;
  }

  /** Takes the lock or throws {@link InputError} naming the holder. */
  static acquire(path: string): WriterLock {
    return new WriterLock(path, take(path, 0));
  }

  /** Gives the lock back; a lock that someone removed and retook is left alone. */
  release(): void {
    if (!this.held) return;
    this.held = false;
    giveBack(this.path, this.token);
  }
}

/** The pid of the living holder of a lock; null when nobody holds it. */
export function lockHolder(path: string): number | null {
  const holder = readHolder(path);
  return typeof holder === 'object' && holder !== null && isAlive(holder) ? holder.pid : null;
}

function take(path: string, depth: number): string {
  const me: Holder = {
    pid: process.pid,
    host: hostname(),
    start: startOf(process.pid) ?? '',
    token: randomBytes(12).toString('hex'),
  };
  const temporary = `${path}.${me.pid}-${me.token}.tmp`;
  writeNew(temporary, `${JSON.stringify(me)}\n`);
  try {
    if (publish(temporary, path)) return me.token;
    refuseLiving(path, readHolder(path));
    if (depth >= DEPTH_MAX) {
      throw new InputError(
        `${path} is left over from interrupted starts`,
        `make sure nothing writes, then delete ${path}*`,
      );
    }
    // Only the holder of the guard removes a dead holder's lock, so a lock taken in between is never removed.
    const guard = `${path}.takeover`;
    const guardToken = take(guard, depth + 1);
    try {
      const holder = readHolder(path);
      if (holder === 'absent') {
        if (publish(temporary, path)) return me.token;
        refuseLiving(path, readHolder(path));
        throw new InputError(`${path} was taken by another process just now`, 'try again');
      }
      refuseLiving(path, holder);
      renameSync(temporary, path);
      return me.token;
    } finally {
      giveBack(guard, guardToken);
    }
  } finally {
    rmSync(temporary, { force: true });
  }
}

function giveBack(path: string, token: string): void {
  const holder = readHolder(path);
  if (typeof holder === 'object' && holder?.token === token) rmSync(path, { force: true });
}

function writeNew(path: string, text: string): void {
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EACCES', 'EROFS', 'ENOTDIR')) throw error;
    throw new InputError(
      `cannot write ${path}: ${(error as Error).message}`,
      'check that the directory exists and is writable',
    );
  }
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

/** Gives the written file its final name, unless that name exists. */
function publish(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    // A file system without hard links: exclusive creation, whose contents appear a moment after the name.
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error;
  }
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
    writeSync(fd, readFileSync(temporary));
    closeSync(fd);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  }
}

/** The holder named in a lock file; null when its contents are not a holder. */
function readHolder(path: string): Holder | null | 'absent' {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 'absent';
    throw error;
  }
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    const whole =
      typeof value?.pid === 'number' &&
      Number.isSafeInteger(value.pid) &&
      value.pid > 0 &&
      typeof value.host === 'string' &&
      typeof value.start === 'string' &&
      typeof value.token === 'string';
    return whole ? (value as Holder) : null;
  } catch {
    return null;
  }
}

function refuseLiving(path: string, holder: Holder | null | 'absent'): void {
  if (holder === 'absent') return;
  if (holder === null) {
    throw new InputError(
      `${path} exists but names no process`,
      `make sure nothing writes there, then delete ${path}`,
    );
  }
  if (holder.host !== hostname()) {
    throw new InputError(
      `${path} is held by process ${holder.pid} on ${holder.host}, whose life cannot be checked from here`,
      `stop it there; if that machine is gone, delete ${path}`,
    );
  }
  if (isAlive(holder)) {
    throw new InputError(
      `${path} is held by running process ${holder.pid}`,
      'stop that process or use another directory',
    );
  }
}

/** Whether the process that took the lock still runs on this machine. In doubt, yes. */
function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false;
    if (!isSystemError(error, 'EPERM')) throw error;
  }
  const now = startOf(holder.pid);
  return now === null || holder.start === '' || now === holder.start;
}

/**
 * Boot id and start time of a process from /proc (proc_pid_stat(5), fields 3 and 22). Null where there is no /proc;
 * a zombie, which holds nothing any more, has a start that equals no other.
 */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command name, in parentheses, may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return 'dead';
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot}/${fields[19]}`;
  } catch {
    return null;
  }
}
