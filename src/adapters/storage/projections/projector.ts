import { setImmediate as nextTurn } from 'node:timers/promises';
import { assert } from '#base';
import {
  applyEntries,
  clearProjections,
  type ProjectionEntry,
  ProjectionGap,
  projectedPosition,
  type RowWriter,
} from './apply.ts';
import type { ProjectionStore } from './database.ts';

export interface ProjectorOptions {
  /** Opens the database; asked again after a failure, so the server may be down at the start. */
  readonly open: () => Promise<ProjectionStore>;
  /** Identity of the journal: rows of another one are never mixed in. */
  readonly journal: string;
  readonly writers: readonly RowWriter[];
  /** Reads the journal from a position on: to catch up at the start, after an overflow and for a rebuild. */
  readonly source: (from: number) => Iterable<ProjectionEntry>;
  /** Entries that may wait; beyond it the queue is dropped and read from the journal later. Default 10,000. */
  readonly queueMax?: number;
  /** Entries per transaction. Default 500. */
  readonly batchMax?: number;
  /** First wait after a failure, doubled up to 30 s. Default 500 ms. */
  readonly retryMs?: number;
}

export interface ProjectorState {
  /** First position not projected; null before the database was reached. */
  readonly position: number | null;
  readonly queued: number;
  /** Entries wait, or must be read from the journal. */
  readonly behind: boolean;
  /** Why the last attempt failed; null when it worked. */
  readonly error: string | null;
  /** Attempts that failed in a row. */
  readonly failures: number;
}

const RETRY_MS_MAX = 30_000;

/**
 * Writes projections behind the journal. `offer` only puts an entry in a bounded queue: a slow or missing database
 * never stops the caller, it shows in `state()`. Every journal entry must be offered or be found in `source`.
 */
export class Projector {
  private readonly options: Required<ProjectorOptions>;
  private store: ProjectionStore | null = null;
  private queue: ProjectionEntry[] = [];
  /** The journal may hold entries that neither the database nor the queue has. */
  private mustCatchUp = true;
  private position: number | null = null;
  private error: string | null = null;
  private failures = 0;
  private stopping = false;
  private wake: (() => void) | null = null;
  private readonly work: Promise<void>;
  private idleWaiters: (() => void)[] = [];

  constructor(options: ProjectorOptions) {
    this.options = { queueMax: 10_000, batchMax: 500, retryMs: 500, ...options };
    assert(this.options.queueMax >= 1 && this.options.batchMax >= 1, 'projector limits');
    this.work = this.run();
  }

  /** Hands over an entry that stands in the journal. Never waits, never throws. */
  offer(entry: ProjectionEntry): void {
    if (this.stopping) return;
    if (this.queue.length >= this.options.queueMax) {
      this.queue = [];
      this.mustCatchUp = true;
    }
    this.queue.push(entry);
    this.awaken();
  }

  state(): ProjectorState {
    const { position, error, failures } = this;
    return {
      position,
      queued: this.queue.length,
      behind: this.mustCatchUp || this.queue.length > 0,
      error,
      failures,
    };
  }

  /** Resolves when nothing waits any more, or at the next failure. */
  async settled(): Promise<ProjectorState> {
    if (this.state().behind && !this.stopping) {
      await new Promise<void>((resolve) => this.idleWaiters.push(resolve));
    }
    return this.state();
  }

  /** Tries once more to write what waits, then lets the database go. */
  async close(): Promise<ProjectorState> {
    this.stopping = true;
    this.awaken();
    await this.work;
    await this.store?.close().catch(() => undefined);
    return this.state();
  }

  private awaken(): void {
    this.wake?.();
  }

  private async run(): Promise<void> {
    for (;;) {
      await nextTurn();
      const last = this.stopping;
      const failed = !(await this.attempt());
      this.release();
      if (last) return;
      if (failed) await this.pause(Math.min(this.options.retryMs * 2 ** (this.failures - 1), RETRY_MS_MAX));
      else if (!this.stopping && this.queue.length === 0) await this.pause(null);
    }
  }

  private release(): void {
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  /**
   * Sleeps until something is offered or the projector is closed; with `ms`, until they are over or it is closed:
   * while the database is down, new entries do not shorten the wait.
   */
  private async pause(ms: number | null): Promise<void> {
    if (this.stopping) return;
    let timer: NodeJS.Timeout | null = null;
    await new Promise<void>((resolve) => {
      if (ms !== null) timer = setTimeout(resolve, ms).unref();
      this.wake = () => {
        if (ms === null || this.stopping) resolve();
      };
    });
    this.wake = null;
    if (timer !== null) clearTimeout(timer);
  }

  /** Brings the database up to everything known. False when that failed; the reason is kept. */
  private async attempt(): Promise<boolean> {
    try {
      this.store ??= await this.options.open();
      this.position = await projectedPosition(this.store, this.options.journal);
      while (this.mustCatchUp || this.queue.length > 0) {
        if (this.mustCatchUp) await this.catchUp(this.store);
        else await this.drain(this.store);
      }
      this.error = null;
      this.failures = 0;
      return true;
    } catch (error) {
      this.error = (error as Error).message;
      this.failures += 1;
      return false;
    }
  }

  private async apply(store: ProjectionStore, batch: readonly ProjectionEntry[]): Promise<void> {
    this.position = await applyEntries(store, this.options.journal, this.options.writers, batch);
    this.error = null;
    this.failures = 0;
  }

  private async drain(store: ProjectionStore): Promise<void> {
    const batch = this.queue.slice(0, this.options.batchMax);
    try {
      await this.apply(store, batch);
    } catch (error) {
      if (error instanceof ProjectionGap) this.mustCatchUp = true;
      throw error;
    }
    // An overflow may have replaced the queue meanwhile; what is in it then is newer than this batch.
    if (this.queue[0] === batch[0]) this.queue.splice(0, batch.length);
    await nextTurn();
  }

  private async catchUp(store: ProjectionStore): Promise<void> {
    this.mustCatchUp = false;
    try {
      const { source, batchMax } = this.options;
      let batch: ProjectionEntry[] = [];
      for (const entry of source(this.position ?? 0)) {
        batch.push(entry);
        if (batch.length < batchMax) continue;
        await this.apply(store, batch);
        batch = [];
        // The database may be synchronous: let the process's other work run in between.
        await nextTurn();
      }
      if (batch.length > 0) await this.apply(store, batch);
    } catch (error) {
      this.mustCatchUp = true;
      throw error;
    }
  }
}

/** Empties the projections and fills them again from the journal. Returns the position reached. */
export async function rebuildProjections(
  store: ProjectionStore,
  journal: string,
  writers: readonly RowWriter[],
  entries: Iterable<ProjectionEntry>,
  batchMax = 500,
): Promise<number> {
  await clearProjections(store);
  let position = 0;
  let batch: ProjectionEntry[] = [];
  for (const entry of entries) {
    batch.push(entry);
    if (batch.length < batchMax) continue;
    position = await applyEntries(store, journal, writers, batch);
    batch = [];
    await nextTurn();
  }
  if (batch.length > 0) position = await applyEntries(store, journal, writers, batch);
  return position;
}
