import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedClock } from '#adapters';

/** A clock that a test moves. What it lets go on is given a little real time, since it may ask a database. */
export class ManualClock implements FeedClock {
  at: number;
  private timers: { due: number; call: () => void }[] = [];

  constructor(at: number) {
    this.at = at;
  }

  now(): number {
    return this.at;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const cancel = this.later(ms, resolve);
      signal?.addEventListener(
        'abort',
        () => {
          cancel();
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  later(ms: number, call: () => void): () => void {
    const timer = { due: this.at + ms, call };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  }

  /** Moves on, stopping at every timer on the way. */
  async advance(ms: number, realMs = 5): Promise<void> {
    const end = this.at + ms;
    for (;;) {
      await sleep(realMs);
      const next = this.timers.reduce((first, one) => Math.min(first, one.due), Number.POSITIVE_INFINITY);
      if (next > end) break;
      this.at = Math.max(this.at, next);
      const due = this.timers.filter((one) => one.due <= this.at);
      this.timers = this.timers.filter((one) => one.due > this.at);
      for (const { call } of due) call();
    }
    this.at = end;
  }
}
