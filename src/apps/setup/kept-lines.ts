import { existsSync, rmSync } from 'node:fs';
import { JsonlLog } from '#adapters';
import { canonicalJson, sha256 } from '#base';
import { jsonOf, linesOf } from './text-lines.ts';

/** A line as it stands in the file. */
interface Checked {
  readonly check: string;
  readonly value: unknown;
}

/**
 * Results of work that is not finished, in a file of JSON lines, so that the next start goes on. The first line says what
 * they belong to. After a crash of the machine a line may hold anything: each carries a check of its own, and one that does
 * not agree with it counts as not there. One process writes at a time: whoever opens it holds the lock of its folder.
 */
export class KeptLines<T extends object> {
  readonly path: string;
  /** What earlier starts left, in the order in which it came. */
  readonly there: readonly T[];
  /** Lines of an earlier start that were damaged. */
  readonly damaged: number;
  private log: JsonlLog | null;

  /**
   * `belongs` sees what the first line of an earlier start says, null where it is damaged: false throws all its lines away,
   * and it may throw to refuse.
   */
  constructor(path: string, head: object, belongs: (there: unknown) => boolean) {
    this.path = path;
    const kept = readKept<T>(path);
    const goesOn = kept !== null && belongs(kept.head);
    this.there = goesOn ? kept.lines : [];
    this.damaged = goesOn ? kept.damaged : 0;
    if (!goesOn) rmSync(path, { force: true });
    // opening cuts off half a line of a crash
    this.log = new JsonlLog(path, { maxBytes: Infinity });
    if (!goesOn) this.log.write(withCheck(head));
  }

  append(value: T): void {
    this.log?.write(withCheck(value));
  }

  close(): void {
    this.log?.close();
    this.log = null;
  }

  /** Closes the file and deletes it: what it held is elsewhere by now. */
  remove(): void {
    this.close();
    rmSync(this.path, { force: true });
  }
}

function readKept<T>(path: string): { head: unknown; lines: T[]; damaged: number } | null {
  if (!existsSync(path)) return null;
  let head: unknown;
  const lines: T[] = [];
  let damaged = 0;
  for (const line of linesOf(path)) {
    const value = checked(line);
    if (head === undefined) head = value;
    else if (value === null) damaged += 1;
    else lines.push(value as T);
  }
  return head === undefined ? null : { head, lines, damaged };
}

const withCheck = (value: object): Checked => ({ check: checkOf(value), value });

function checked(line: string): object | null {
  const data = jsonOf(line) as Partial<Checked> | null;
  if (typeof data?.value !== 'object' || data.value === null) return null;
  return checkOf(data.value) === data.check ? data.value : null;
}

const checkOf = (value: unknown): string => sha256(canonicalJson(value)).slice(0, 16);
