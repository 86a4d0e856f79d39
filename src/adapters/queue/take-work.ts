import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'bullmq';
import type { RedisLink } from './redis-link.ts';
import { QUEUE_PREFIX, queueName, WorkBoard } from './work-board.ts';
import { itemId, itemSchema } from './work-item.ts';

/** Parts of one work as a worker does them. */
export interface WorkToTake {
  /** Id of the work. */
  readonly work: string;
  /** Parts that are taken at once. */
  readonly room: number;
  /** Does one part; its result is plain data. */
  readonly play: (item: unknown) => Promise<unknown>;
  readonly onDone: () => void;
  /** Whether nothing can be played any more: parts are then handed back, and no more are taken. */
  readonly isBroken: () => boolean;
}

/** Times that a part is handed back by workers that broke over it; then it has failed. */
const BREAKS_MAX = 5;
/** A worker that says nothing for this long counts as dead, and its parts are given to others. */
const LOCK_MS = 4_000;
const STALL_CHECK_MS = 1_000;
/** A part that lost its worker is played again however often that happens; the giver has its own limit. */
const STALLS_MAX = 1_000_000;

/** Takes parts of one work until it is closed. */
export class WorkTaker {
  private readonly link: RedisLink;
  private readonly work: string;
  private readonly worker: Worker;
  private readonly onDone: () => void;
  private stopping = false;
  /** Since when there was nothing to take; null while there is. */
  idleSince: number | null = null;

  private constructor(link: RedisLink, worker: Worker, { work, onDone }: WorkToTake) {
    this.link = link;
    this.work = work;
    this.worker = worker;
    this.onDone = onDone;
    // a job that was taken away meanwhile, a connection that broke: the queue itself sets both right
    worker.on('error', () => {});
    worker.on('completed', () => this.onDone());
    worker.on('active', () => {
      this.idleSince = null;
    });
    worker.on('drained', () => {
      this.idleSince ??= Date.now();
    });
  }

  static async start(link: RedisLink, taking: WorkToTake): Promise<WorkTaker> {
    const { work, room, play, isBroken } = taking;
    const { Worker, WaitingError, UnrecoverableError } = await import('bullmq');
    let taker: WorkTaker | null = null;
    const worker = new Worker(
      queueName(work),
      async (job, token) => {
        const data = itemSchema.safeParse(job.data);
        if (!data.success || data.data.work !== work || itemId(work, data.data.item) !== job.id) {
          throw new UnrecoverableError('the job is not what its name says');
        }
        try {
          return await play(data.data.item);
        } catch (error) {
          const broke = isBroken() && job.attemptsStarted <= BREAKS_MAX;
          if (taker?.stopping !== true && !broke) throw error;
          await worker.pause(true);
          await job.moveToWait(token);
          throw new WaitingError();
        }
      },
      {
        connection: link.another(),
        prefix: QUEUE_PREFIX,
        autorun: false,
        concurrency: room,
        lockDuration: LOCK_MS,
        stalledInterval: STALL_CHECK_MS,
        maxStalledCount: STALLS_MAX,
        drainDelay: 1,
        runRetryDelay: 500,
      },
    );
    taker = new WorkTaker(link, worker, taking);
    taker.run();
    return taker;
  }

  /** A job whose data cannot be read ends the loop of BullMQ; the giver replaces that job. */
  private run(): void {
    this.worker.run().catch(async () => {
      await sleep(500, null, { ref: false });
      if (!this.stopping) this.run();
    });
  }

  /**
   * Takes no more and hands back what is not done. `interrupt` makes the parts that are played reject.
   */
  async close(interrupt: () => Promise<void>): Promise<void> {
    this.stopping = true;
    await this.worker.pause(true);
    await interrupt();
    const left = this.worker.close().then(() => this.clear());
    await Promise.race([left.catch(() => {}), sleep(3_000, null, { ref: false })]);
  }

  /** Takes away what the queue of a work that is over wrote after its giver had cleared up. */
  private async clear(): Promise<void> {
    if (await new WorkBoard(this.link.client).isThere(this.work)) return;
    await clearQueues(this.link, [this.work]);
  }
}

/** Clears away what is left of works that are over: that of a giver that was killed, or what workers wrote after its end. */
export async function clearQueues(link: RedisLink, works: readonly string[]): Promise<void> {
  if (works.length === 0) return;
  const { Queue } = await import('bullmq');
  for (const work of works) {
    const queue = new Queue(queueName(work), {
      connection: link.client,
      prefix: QUEUE_PREFIX,
      skipMetasUpdate: true,
    });
    queue.on('error', () => {});
    await queue.obliterate({ force: true });
    await link.client.del(queue.toKey('stalled-check'));
    await queue.close();
  }
}
