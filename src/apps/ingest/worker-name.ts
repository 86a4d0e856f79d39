import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolder, WriterLock } from '#adapters';
import { InputError } from '#base';

/** Workers of one feed on one machine and in one data directory that have names to keep. */
const NAMES_MOST = 64;

/** The name of a worker while it runs. */
export interface WorkerName {
  /** `host.1a2b3c.1`: machine, data directory, and the first number that no living worker has. */
  readonly name: string;
  release(): void;
}

/**
 * Takes the name under which a worker reads the queue. A worker that starts again has the name of the one before it, and
 * with it at once what that one had not dealt with; a second one beside it has another, or each would take what the other
 * is working on. Where no name can be kept (a folder that cannot be written) it is one of this process.
 */
export function takeWorkerName(folder: string): WorkerName {
  const host = hostname();
  const where = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 6);
  for (let n = 1; n <= NAMES_MOST; n++) {
    const lock = lockOf(folder, `worker-${host}-${n}.lock`);
    if (lock === 'unwritable') break;
    if (lock !== null) return { name: `${host}.${where}.${n}`, release: () => lock.release() };
  }
  return { name: `${host}.${where}.p${process.pid}`, release: () => undefined };
}

/** Null when a living worker holds it. */
function lockOf(folder: string, file: string): WriterLock | null | 'unwritable' {
  try {
    makeFolder(folder);
  } catch {
    return 'unwritable';
  }
  try {
    return WriterLock.acquire(join(folder, file));
  } catch (cause) {
    if (cause instanceof InputError) return null;
    throw cause;
  }
}
