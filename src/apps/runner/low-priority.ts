import { existsSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

const NICE = '/usr/bin/nice';

/**
 * A command line that runs below others by so many steps of niceness. Threads that a runtime begins with keep the priority they
 * were made with, so it is set before the program starts; where there is no `nice`, {@link lower} does what it can afterwards.
 */
export function niced(steps: number, command: readonly string[]): readonly [string, ...string[]] {
  const [file, ...rest] = command as readonly [string, ...string[]];
  return existsSync(NICE) ? [NICE, '-n', String(steps), file, ...rest] : [file, ...rest];
}

/** Lowers a process that {@link niced} could not. */
export function lower(pid: number | undefined): void {
  if (pid === undefined || existsSync(NICE)) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // it has ended already, or the system does not let us: it then runs like any other
  }
}
