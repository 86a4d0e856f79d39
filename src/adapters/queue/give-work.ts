import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, Queue } from 'bullmq';
import type { Shipment } from './pieces.ts';
import type { RedisLink } from './redis-link.ts';
import { LIFE_S, QUEUE_PREFIX, queueName, WorkBoard, type WorkDocument, workIdOf } from './work-board.ts';
import { type ItemData, itemId } from './work-item.ts';

/** A work on its way to the workers, and back. */
export interface WorkToGive<Item> {
  readonly document: WorkDocument;
  readonly shipment: Shipment;
  /** Parts of the work that can be done each on its own; doing one twice comes to the same. */
  readonly items: readonly Item[];
  /** Ends it early. */
  readonly signal: AbortSignal;
  /**
   * Hears each result, in no particular order. False when it cannot be the result of that item: the item is then asked for
   * again. What it throws ends the work.
   */
  readonly onResult: (item: Item, result: unknown) => boolean;
  /** What people want to know: that no worker is there, that Redis went away. */
  readonly onNote: (note: string) => void;
}

/** Jobs that lie in the queue at once: a work of a million parts must not fill Redis. */
const AHEAD = 1_000;
/** Results taken in at once. */
const BATCH = 50;
const POLL_MS = 100;
/** How often it is made sure that everything asked for is still there. */
const CARE_MS = 2_000;
/** Times that a part may come back as nonsense, or fail, before the work is given up. */
const FAULTS_MAX = 5;
/** Times that the workers of a job may have died under it before it is put anew. */
const STALLS_MAX = 50;
/** Without a worker for this long, people are told. */
const ALONE_MS = 1_500;

/**
 * Has a work done by whatever workers there are, and returns when all of it is. Results are taken out of Redis as they come.
 * Whatever Redis forgets is put there again: it may be restarted, empty too. Throws the first error of `onResult`,
 * and UnreachableError when Redis stays away.
 */
export async function giveWork<Item>(link: RedisLink, work: WorkToGive<Item>): Promise<void> {
  if (work.items.length === 0 || work.signal.aborted) return;
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
  const giver = new Giver(link, queue, id, work);
  try {
    await giver.run();
  } finally {
    await link.patiently(giver.clear(), AbortSignal.timeout(3_000)).catch(() => null);
    await Promise.race([queue.close(), sleep(1_000, null, { ref: false })]);
  }
}

class Giver<Item> {
  private readonly link: RedisLink;
  private readonly queue: Queue;
  private readonly id: string;
  private readonly work: WorkToGive<Item>;
  private readonly board: WorkBoard;
  /** Not handed out yet, last first. */
  private readonly waiting: Item[];
  /** Handed out and not come back. */
  private readonly open = new Map<string, Item>();
  private readonly faults = new Map<string, number>();
  private readonly told = new Set<string>();
  private aloneSince: number | null = null;
  private caredAt = -Infinity;

  constructor(link: RedisLink, queue: Queue, id: string, work: WorkToGive<Item>) {
    this.link = link;
    this.queue = queue;
    this.id = id;
    this.work = work;
    this.board = new WorkBoard(link.client);
    this.waiting = [...work.items].reverse();
  }

  async run(): Promise<void> {
    const { signal } = this.work;
    while (this.open.size + this.waiting.length > 0 && !signal.aborted) {
      if (this.link.isAway) this.tellOnce(`Redis at ${this.link.shown} is away; waiting for it`);
      const isBusy = await this.link.patiently(this.turn(), signal);
      if (isBusy !== true) await sleep(POLL_MS, null, { signal }).catch(() => null);
    }
  }

  /** Takes everything of this work out of Redis. */
  async clear(): Promise<void> {
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
    const came = await this.collect();
    return came === BATCH;
  }

  private async handOut(): Promise<void> {
    while (this.waiting.length > 0 && this.open.size < AHEAD && !this.work.signal.aborted) {
      const item = this.waiting.pop()!;
      const job = itemId(this.id, item);
      this.open.set(job, item);
      await this.put(job, item);
    }
  }

  private async put(job: string, item: Item): Promise<void> {
    const data: ItemData = { format: 1, work: this.id, item: item as ItemData['item'] };
    await this.queue.add('item', data, { jobId: job, attempts: 1 });
  }

  private async collect(): Promise<number> {
    const done = await this.queue.getRanges(['completed'], 0, BATCH - 1);
    for (const id of done) {
      if (this.work.signal.aborted) break;
      const job = await this.jobOf(id);
      if (job === null) continue;
      const item = this.open.get(id);
      // an earlier start of the same work asked for it
      if (item === undefined) await this.take(id);
      else if (job !== 'damaged' && this.work.onResult(item, job.returnvalue)) {
        this.open.delete(id);
        await this.take(id);
      } else await this.again(id, item, 'a worker gave a result that cannot be');
    }
    return done.length;
  }

  /** Makes sure that the work is announced, its data there, and every part handed out still in the queue. */
  private async care(): Promise<void> {
    await this.board.announce(this.id, this.work.document, Date.now());
    await this.work.shipment.send(this.link.client, 10 * LIFE_S);
    await this.tellOfWorkers();
    // an earlier start may have been killed while it cleared up
    if (await this.queue.isPaused()) await this.queue.resume();
    for (const id of await this.queue.getRanges(['failed'], 0, BATCH - 1)) {
      const item = this.open.get(id);
      const job = await this.jobOf(id);
      if (item === undefined) await this.take(id);
      else await this.again(id, item, job === null || job === 'damaged' ? 'a damaged job' : job.failedReason);
    }
    const counts = await this.queue.getJobCounts('waiting', 'active', 'completed');
    const there = Object.values(counts).reduce((sum, n) => sum + n, 0);
    const active = new Set(await this.queue.getRanges(['active'], 0, -1));
    for (const [id, item] of there < this.open.size ? [...this.open] : []) {
      // adding what is there already changes nothing
      if (this.open.has(id)) await this.put(id, item);
    }
    for (const id of active) {
      const item = this.open.get(id);
      const job = item === undefined ? null : await this.jobOf(id);
      if (job === 'damaged' || (job !== null && job.stalledCounter > STALLS_MAX)) {
        await this.again(id, item!, 'its workers died again and again');
      }
    }
  }

  private async again(id: string, item: Item, why: string): Promise<void> {
    const faults = (this.faults.get(id) ?? 0) + 1;
    this.faults.set(id, faults);
    if (faults > FAULTS_MAX) throw new Error(`a part of the work failed ${faults} times: ${why}`);
    await this.take(id);
    await this.put(id, item);
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
