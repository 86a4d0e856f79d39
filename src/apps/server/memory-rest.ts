import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SECOND } from '#base';

/** Requests in one look from which a server counts as busy, and below which as at rest. */
const BUSY = 200;
const RESTING = 20;
const LOOK_MS = 5 * SECOND;

/**
 * Gives memory back after a rush. The engine keeps what a rush has made it take until something presses for it, which on a machine
 * with memory to spare is never; a collection in the quiet after it costs nobody anything.
 */
export class MemoryRest {
  private readonly timer: NodeJS.Timeout;
  private answered = 0;
  private wasBusy = false;

  constructor(collect: () => void = collector()) {
    this.timer = setInterval(() => {
      const { answered } = this;
      this.answered = 0;
      if (answered >= BUSY) this.wasBusy = true;
      else if (this.wasBusy && answered < RESTING) {
        this.wasBusy = false;
        collect();
      }
    }, LOOK_MS);
    this.timer.unref();
  }

  /** One request was answered. */
  note(): void {
    this.answered += 1;
  }

  close(): void {
    clearInterval(this.timer);
  }
}

/** A full collection that hands empty pages back to the system. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options?: { type: string; flavor: string }) => void;
  return () => collect({ type: 'major', flavor: 'last-resort' });
}
