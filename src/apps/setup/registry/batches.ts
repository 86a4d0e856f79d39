/** Trials in one transaction; a sync of the disk for each would take longer than playing it. */
const BATCH = 500;
/** What is played is not kept from the record for longer. */
const BATCH_MS = 250;

/**
 * Hands things on in batches: when enough have come, or the last batch is some time ago, or at the end. What is handed on is
 * on record before the caller keeps it elsewhere, so that an interruption never leaves a result that was not counted.
 */
export class Batches<T> {
  private readonly give: (batch: readonly T[]) => void;
  private waiting: T[] = [];
  private last = 0;

  constructor(give: (batch: readonly T[]) => void) {
    this.give = give;
  }

  add(one: T): void {
    this.waiting.push(one);
    if (this.waiting.length >= BATCH || Date.now() - this.last >= BATCH_MS) this.flush();
  }

  flush(): void {
    const batch = this.waiting;
    this.waiting = [];
    if (batch.length > 0) this.give(batch);
    this.last = Date.now();
  }
}
