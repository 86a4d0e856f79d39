import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { InputError, type Instant } from '#base';
import type { FeedClock } from './feed-clock.ts';

/** Digits of the instant in the file: until the year 2286. */
const DIGITS = 13;
/** Real milliseconds between two looks while somebody waits. */
const LOOK_MS = 1;

interface Timer {
  readonly due: Instant;
  readonly call: () => void;
}

/**
 * A clock that stands at the instant written in a file, in epoch ms, until somebody writes another: several processes can
 * live through a recorded week as fast as they can, each bar as fresh as it was. For rehearsals alone.
 */
export class ClockFile implements FeedClock {
  private readonly file: number;
  private readonly bytes = Buffer.alloc(DIGITS);
  private readonly timers = new Set<Timer>();
  private looking: NodeJS.Timeout | null = null;
  private at: Instant = 0;

  /** Throws {@link InputError} for a file that holds no instant. */
  constructor(path: string) {
    try {
      this.file = openSync(path, 'r');
    } catch {
      throw new InputError(`there is no clock file ${path}`, 'write epoch milliseconds into it first');
    }
    this.now();
    if (this.at === 0)
      throw new InputError(`${path} holds no instant`, 'write epoch milliseconds into it, 13 digits');
  }

  now(): Instant {
    const length = readSync(this.file, this.bytes, 0, DIGITS, 0);
    const read = length === DIGITS ? Number(this.bytes.toString('latin1')) : Number.NaN;
    // a clock does not go back, whatever somebody writes
    if (read > this.at) this.at = read;
    return this.at;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        cancel();
        reject(signal!.reason);
      };
      const cancel = this.later(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  later(ms: number, call: () => void): () => void {
    const timer = { due: this.now() + ms, call };
    this.timers.add(timer);
    this.looking ??= setInterval(() => this.look(), LOOK_MS);
    return () => {
      this.timers.delete(timer);
      this.rest();
    };
  }

  close(): void {
    this.timers.clear();
    this.rest();
    closeSync(this.file);
  }

  private look(): void {
    const now = this.now();
    for (const timer of this.timers) {
      if (timer.due > now) continue;
      this.timers.delete(timer);
      timer.call();
    }
    this.rest();
  }

  private rest(): void {
    if (this.timers.size > 0 || this.looking === null) return;
    clearInterval(this.looking);
    this.looking = null;
  }
}

/** Sets the clock of a file, which is made when it is not there. */
export function setClockFile(path: string, at: Instant): void {
  // in one write and in place: whoever reads meanwhile sees the old instant or the new one
  const file = openSync(path, 'a+');
  closeSync(file);
  const open = openSync(path, 'r+');
  writeSync(open, String(at).padStart(DIGITS, '0'), 0, 'latin1');
  closeSync(open);
}
