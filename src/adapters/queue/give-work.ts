import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, Queue } from 'bullmq';
import type { Shipment } from './pieces.ts';
import type { RedisLink } from './redis-link.ts';
import { LIFE_S, QUEUE_PREFIX, queueName, WorkBoard, type WorkDocument, workIdOf } from './work-board.ts';
import { type ItemData, itemId } from './work-item.ts';

/** A work on its way to the workers, and back. */
export interface WorkToGive<Item, Result> {
  readonly document: WorkDocument;
  readonly shipment: Shipment;
  /** Ends it early. */
  readonly signal: AbortSignal;
  /**
   * What came out of Redis for an item, in no particular order. Null when it cannot be the result of that item: the item is
   * then asked for again. What it throws is what became of the item.
   */
  readonly read: (item: Item, result: unknown) => Result | null;
  /** What people want to know: that no worker is there, that Redis went away. */
  readonly onNote: (note: string) => void;
}

/** A work all of whose parts are known beforehand. */
export interface WorkOfItems<Item> extends Omit<WorkToGive<Item, true>, 'read'> {
  readonly items: readonly Item[];
  /** Hears each result once. False when it cannot be the result of that item. What it throws ends the work. */
  readonly onResult: (item: Item, result: unknown) => boolean;
}

/** Jobs that lie in the queue at once: a work of a million parts must not fill Redis. */
const AHEAD = 1_000;
/** Results taken in at once. */
const BATCH = 50;
const POLL_MS = 50;
/** How often it is made sure that everything asked for is still there. */
const CARE_MS = 2_000;
/** Times that a part may come back as nonsense, or fail, before the work is given up. */
const FAULTS_MAX = 5;
/** Times that the workers of a job may have died under it before it is put anew. */
const STALLS_MAX = 50;
/** Without a worker for this long, people are told. */
const ALONE_MS = 1_500;

/**
 * Has a work done by whatever workers there are, and returns when all of it is or the signal ended it. Throws the first error
 * of `onResult`, and UnreachableError when Redis stays away.
 */
export async function giveWork<Item>(
  link: RedisLink,
  { items, onResult, ...work }: WorkOfItems<Item>,
): Promise<void> {
  if (items.length === 0 || work.signal.aborted) return;
  const read = (item: Item, result: unknown) => (onResult(item, result) ? true : null);
  const giver = await WorkGiver.open<Item, true>(link, { ...work, read });
  try {
    await Promise.all(items.map((item) => giver.ask(item)));
  } finally {
    await giver.close();
  }
}

/** A part that was asked for and has not come back. */
interface Part<Item, Result> {
  readonly item: Item;
  readonly promise: Promise<Result | null>;
  readonly resolve: (result: Result | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Has parts of a work done by whatever workers there are, as they are asked for, until it is closed. Results are taken out of
 * Redis as they come. Whatever Redis forgets is put there again: it may be restarted, empty too.
 */
export class WorkGiver<Item, Result> {
  private readonly link: RedisLink;
  private readonly queue: Queue;
  private readonly id: string;
  private readonly work: WorkToGive<Item, Result>;
  private readonly board: WorkBoard;
  private readonly closing = new AbortController();
  /** Closed, or interrupted. */
  private readonly over: AbortSignal;
  /** All that was asked for and has not come back. */
  private readonly parts = new Map<string, Part<Item, Result>>();
  /** Of them those that are not handed out yet, in the order they were asked for; `next` is the first of them. */
  private waiting: string[] = [];
  private next = 0;
  /** Of them those that are handed out. */
  private readonly open = new Set<string>();
  private readonly faults = new Map<string, number>();
  private readonly told = new Set<string>();
  /** Why no part is done any more. */
  private failure: { readonly error: unknown } | null = null;
  private running: Promise<void> | null = null;
  private turning: Promise<unknown> = Promise.resolve();
  private aloneSince: number | null = null;
  private caredAt = -Infinity;
  private readonly tellAway = () => this.tellOnce(`Redis at ${this.link.shown} is away; waiting for it`);

  private constructor(link: RedisLink, queue: Queue, id: string, work: WorkToGive<Item, Result>) {
    this.link = link;
    this.queue = queue;
    this.id = id;
    this.work = work;
    this.board = new WorkBoard(link.client);
    this.over = AbortSignal.any([work.signal, this.closing.signal]);
    this.over.addEventListener('abort', () => this.leave(), { once: true });
  }

  /** Nothing is written before the first part is asked for. */
  static async open<Item, Result>(
    link: RedisLink,
    work: WorkToGive<Item, Result>,
  ): Promise<WorkGiver<Item, Result>> {
    const { Queue } = await import('bullmq');
    const id = workIdOf(work.document);
    const queue: Queue = new Queue(queueName(id), {
      connection: link.client,
      prefix: QUEUE_PREFIX,
      // nothing of BullMQ's is needed there, and it would be written again after the end
      skipMetasUpdate: true,
    });
    // what goes wrong with a command is seen by whoever waits for it
    queue.on('error', () => {});
    return new WorkGiver(link, queue, id, work);
  }

  /**
   * Asks for one part; the same part asked for again meanwhile is done once. Null when the work is closed or interrupted
   * first. Rejects with what `read` throws, with UnreachableError when Redis stays away, and when a part fails again and again:
   * the last two end all parts.
   */
  ask(item: Item): Promise<Result | null> {
    if (this.failure !== null) return Promise.reject(this.failure.error);
    if (this.over.aborted) return Promise.resolve(null);
    const job = itemId(this.id, item);
    const asked = this.parts.get(job);
    if (asked !== undefined) return asked.promise;
    const part = { item, ...Promise.withResolvers<Result | null>() };
    // one that is not waited for yet may fail: it is heard when its turn comes
    part.promise.catch(() => {});
    this.parts.set(job, part);
    this.waiting.push(job);
    this.running ??= this.run();
    return part.promise;
  }

  /** Ends it, and takes everything of this work out of Redis. */
  async close(): Promise<void> {
    this.closing.abort();
    if (this.running !== null) {
      await this.running;
      // what it is still writing would stay there
      await Promise.race([this.turning.catch(() => null), sleep(1_000, null, { ref: false })]);
      await this.link.patiently(this.clear(), AbortSignal.timeout(3_000)).catch(() => null);
    }
    await Promise.race([this.queue.close(), sleep(1_000, null, { ref: false })]);
  }

  private async run(): Promise<void> {
    const { client } = this.link;
    client.on('close', this.tellAway);
    try {
      while (!this.over.aborted) {
        if (this.link.isAway) this.tellAway();
        this.turning = this.turn();
        const isBusy = await this.link.patiently(this.turning, this.over);
        if (isBusy !== true) await sleep(POLL_MS, null, { signal: this.over }).catch(() => null);
      }
    } catch (error) {
      this.failure = { error };
      for (const { reject } of this.parts.values()) reject(error);
      this.parts.clear();
    } finally {
      client.off('close', this.tellAway);
    }
  }

  private leave(): void {
    for (const { resolve } of this.parts.values()) resolve(null);
    this.parts.clear();
  }

  private async clear(): Promise<void> {
    await this.board.withdraw(this.id);
    await this.queue.obliterate({ force: true });
    await this.work.shipment.remove(this.link.client);
  }

  /** One look at the queue; true when there is more to do at once. */
  private async turn(): Promise<boolean> {
    if (Date.now() - this.caredAt > CARE_MS) {
      this.caredAt = Date.now();
      await this.care();
    }
    await this.handOut();
    return this.open.size > 0 && !this.over.aborted && (await this.collect()) === BATCH;
  }

  private async handOut(): Promise<void> {
    while (this.next < this.waiting.length && this.open.size < AHEAD && !this.over.aborted) {
      const job = this.waiting[this.next++]!;
      if (this.next === this.waiting.length) {
        this.waiting = [];
        this.next = 0;
      }
      this.open.add(job);
      await this.put(job);
    }
  }

  private async put(job: string): Promise<void> {
    const part = this.parts.get(job);
    if (part === undefined) return;
    const data: ItemData = { format: 1, work: this.id, item: part.item as ItemData['item'] };
    await this.queue.add('item', data, { jobId: job, attempts: 1 });
  }

  private async collect(): Promise<number> {
    const done = await this.queue.getRanges(['completed'], 0, BATCH - 1);
    for (const id of done) {
      if (this.over.aborted) break;
      const job = await this.jobOf(id);
      if (job === null) continue;
      // an earlier start of the same work asked for it
      if (!this.open.has(id)) await this.take(id);
      else if (job !== 'damaged' && this.hear(id, job.returnvalue)) await this.take(id);
      else await this.again(id, 'a worker gave a result that cannot be');
    }
    return done.length;
  }

  /** False when it cannot be the result of that part. */
  private hear(id: string, came: unknown): boolean {
    const part = this.parts.get(id);
    // it was interrupted meanwhile
    if (part === undefined) return true;
    try {
      const result = this.work.read(part.item, came);
      if (result === null) return false;
      part.resolve(result);
    } catch (error) {
      part.reject(error);
    }
    this.open.delete(id);
    this.parts.delete(id);
    this.faults.delete(id);
    return true;
  }

  /** Makes sure that the work is announced, its data there, and every part handed out still in the queue. */
  private async care(): Promise<void> {
    await this.board.announce(this.id, this.work.document, Date.now());
    if (this.over.aborted) return;
    await this.work.shipment.send(this.link.client, 10 * LIFE_S, this.over);
    await this.tellOfWorkers();
    // an earlier start may have been killed while it cleared up
    if (await this.queue.isPaused()) await this.queue.resume();
    for (const id of await this.queue.getRanges(['failed'], 0, BATCH - 1)) {
      const job = await this.jobOf(id);
      if (!this.open.has(id)) await this.take(id);
      else await this.again(id, job === null || job === 'damaged' ? 'a damaged job' : job.failedReason);
    }
    const counts = await this.queue.getJobCounts('waiting', 'active', 'completed');
    const there = Object.values(counts).reduce((sum, n) => sum + n, 0);
    const active = new Set(await this.queue.getRanges(['active'], 0, -1));
    for (const id of there < this.open.size ? [...this.open] : []) {
      // adding what is there already changes nothing
      if (!this.over.aborted) await this.put(id);
    }
    for (const id of active) {
      if (!this.open.has(id)) continue;
      const job = await this.jobOf(id);
      if (job === 'damaged' || (job !== null && job.stalledCounter > STALLS_MAX)) {
        await this.again(id, 'its workers died again and again');
      }
    }
  }

  private async again(id: string, why: string): Promise<void> {
    const faults = (this.faults.get(id) ?? 0) + 1;
    this.faults.set(id, faults);
    if (faults > FAULTS_MAX) throw new Error(`a part of the work failed ${faults} times: ${why}`);
    await this.take(id);
    if (!this.over.aborted) await this.put(id);
  }

  /** Takes a job out of the queue, whatever state it is in and whoever holds it. */
  private async take(id: string): Promise<void> {
    if ((await this.queue.remove(id)) === 1) return;
    const key = (name: string) => this.queue.toKey(name);
    const { client } = this.link;
    await client.lrem(key('active'), 0, id);
    await client.lrem(key('wait'), 0, id);
    await client.zrem(key('completed'), id);
    await client.zrem(key('failed'), id);
    await client.del(key(id), key(`${id}:lock`));
  }

  private async jobOf(id: string): Promise<Job | 'damaged' | null> {
    try {
      return (await this.queue.getJob(id)) ?? null;
    } catch (error) {
      if (error instanceof SyntaxError) return 'damaged';
      throw error;
    }
  }

  private async tellOfWorkers(): Promise<void> {
    // whoever asks for nothing misses nobody
    if (this.parts.size === 0) {
      this.aloneSince = null;
      return;
    }
    for (const why of await this.board.refusals(this.id))
      this.tellOnce(`a worker does not take part: ${why}`);
    const workers = await this.board.workers();
    const fitting = workers.filter(({ program }) => program === this.work.document.program);
    if (fitting.length > 0) {
      this.aloneSince = null;
      return;
    }
    this.aloneSince ??= Date.now();
    if (Date.now() - this.aloneSince < ALONE_MS) return;
    const others = workers.length;
    this.tellOnce(
      others === 0
        ? `no worker is there yet: start some with "quorum worker --queue ${this.link.shown}"`
        : `${others} worker${others === 1 ? ' is' : 's are'} there, of another version of the program or of Node.js: install these there`,
    );
  }

  private tellOnce(note: string): void {
    if (this.told.has(note)) return;
    this.told.add(note);
    this.work.onNote(note);
  }
}
