import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ResourceLimits, Worker } from 'node:worker_threads';
import { PROGRAM_ROOT } from '../code-hash.ts';
import { errorOf, type ThreadTask, type ThreadWord } from './thread-words.ts';

/** What threads of the program begin with. */
export interface ThreadsSetting<Data> {
  /** Module that bin/thread.js starts, from the program's folder and without extension; it calls `serveTasks`. */
  readonly module: string;
  /** Handed to every thread; columns in shared memory are not copied. */
  readonly data: Data;
  readonly threads: number;
  readonly limits?: ResourceLimits;
  /** They do not keep the process alive. */
  readonly isBackground?: boolean;
}

/** Where the program's threads begin. */
const THREAD = pathToFileURL(join(PROGRAM_ROOT, '..', 'bin', 'thread.js'));

/** Jobs handed to a thread ahead of its answers, so that it never waits for the next. */
const AHEAD = 2;

interface OpenTask<Said, Result> {
  readonly thread: Worker;
  readonly done: (result: Result) => void;
  readonly fail: (error: unknown) => void;
  readonly hear: ((said: Said) => void) | undefined;
}

/** Threads that play jobs until they are closed. A thread that ends by itself fails every job that is open. */
export class Threads<Data, Job, Said, Result> {
  /** Jobs that may be handed in at once without one of them waiting long. */
  readonly room: number;
  private readonly workers: readonly Worker[];
  private readonly open = new Map<number, OpenTask<Said, Result>>();
  private readonly load = new Map<Worker, number>();
  private tasks = 0;
  private ended: unknown = null;
  private isClosed = false;

  constructor({ module, data, threads, limits, isBackground = false }: ThreadsSetting<Data>) {
    this.room = threads * AHEAD;
    this.workers = Array.from({ length: threads }, () => {
      const options = { workerData: { module, data }, execArgv: [] };
      const worker = new Worker(
        THREAD,
        limits === undefined ? options : { ...options, resourceLimits: limits },
      );
      this.load.set(worker, 0);
      worker.on('error', (error) => this.fail(error));
      worker.on('exit', () => this.fail(new Error('a thread ended too early')));
      worker.on('message', (word: ThreadWord<Said, Result>) => this.hear(word));
      if (isBackground) worker.unref();
      return worker;
    });
  }

  /** Plays one job in the thread that has the least to do. Rejects with the error of the job. */
  run(job: Job, hear?: (said: Said) => void): Promise<Result> {
    if (this.ended !== null) return Promise.reject(this.ended);
    const thread = this.workers.reduce((least, one) => (this.loadOf(one) < this.loadOf(least) ? one : least));
    const task = this.tasks++;
    return new Promise<Result>((done, fail) => {
      this.open.set(task, { thread, done, fail, hear });
      this.load.set(thread, this.loadOf(thread) + 1);
      thread.postMessage({ task, job } satisfies ThreadTask<Job>);
    });
  }

  /** Whether a thread has ended by itself: no job is played any more. */
  get isBroken(): boolean {
    return this.ended !== null && !this.isClosed;
  }

  /** Ends the threads; jobs that are open are rejected. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.fail(new Error('the threads were closed'));
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private loadOf(worker: Worker): number {
    return this.load.get(worker)!;
  }

  private hear(word: ThreadWord<Said, Result>): void {
    const task = this.open.get(word.task);
    if (task === undefined) return;
    if ('said' in word) return task.hear?.(word.said);
    this.open.delete(word.task);
    this.load.set(task.thread, this.loadOf(task.thread) - 1);
    if ('failed' in word) task.fail(errorOf(word.failed));
    else task.done(word.result);
  }

  private fail(error: unknown): void {
    this.ended ??= error;
    const open = [...this.open.values()];
    this.open.clear();
    for (const task of open) task.fail(error);
  }
}

/** Threads as a player of one job after the other: null for a job that `signal` ended. */
export function playUntil<Data, Job, Result>(
  threads: Threads<Data, Job, never, Result>,
  signal: AbortSignal,
): { play(job: Job): Promise<Result | null>; close(): Promise<void> } {
  const aborted = new Promise<null>((done) => {
    if (signal.aborted) done(null);
    else signal.addEventListener('abort', () => done(null), { once: true });
  });
  return {
    play: (job) => {
      const played = threads.run(job);
      // one that nobody waits for any more may fail unheard
      played.catch(() => {});
      return Promise.race([played, aborted]);
    },
    close: () => threads.close(),
  };
}

/** Jobs that are played once, each by some thread. */
export interface ThreadsRun<Data, Job, Said, Result> extends ThreadsSetting<Data> {
  readonly jobs: readonly Job[];
  /** Ends it early; jobs that are not done are dropped. */
  readonly signal: AbortSignal;
  readonly onDone: (result: Result, job: Job) => void;
  readonly onSaid?: (said: Said, job: Job) => void;
}

/** Plays jobs in threads of their own; results come in no particular order. Throws the first error of a job or of `onDone`. */
export async function runInThreads<Data, Job, Said, Result>(
  run: ThreadsRun<Data, Job, Said, Result>,
): Promise<void> {
  const { jobs, signal, onDone, onSaid } = run;
  if (signal.aborted || jobs.length === 0) return;
  const threads = new Threads<Data, Job, Said, Result>(run);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < jobs.length) {
      const job = jobs[next++]!;
      onDone(await threads.run(job, (said) => onSaid?.(said, job)), job);
    }
  };
  try {
    await new Promise<void>((done, fail) => {
      signal.addEventListener('abort', () => done(), { once: true });
      Promise.all(Array.from({ length: threads.room }, lane)).then(() => done(), fail);
    });
  } finally {
    await threads.close();
  }
}
