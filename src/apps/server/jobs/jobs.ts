import { existsSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolder } from '#adapters';
import { DAY, InputError } from '#base';
import { isSqlite } from '../answer-errors.ts';
import { Problem } from '../context.ts';
import type { ConsoleStore } from '../identity/console-store.ts';
import { AllowedFiles } from './allowed-files.ts';
import { type JobPlace, type JobPlan, planJob, REPORT_FILE, RUN_FOLDER } from './job-commands.ts';
import { JobNews } from './job-news.ts';
import { JobProcess, type StepEnd } from './job-process.ts';
import { boundedResult } from './job-result.ts';
import { type Job, type JobEnd, type JobRequest, JobStore } from './job-store.ts';
import { SAMPLE_FILE, writeSample } from './sample-file.ts';

/** Jobs that may wait; more are refused. */
export const QUEUE_MOST = 50;
/** How often it is looked whether another process asked for an end. */
const HEED_MS = 1_000;
/** What is kept of jobs that are over. */
const KEPT_MS = 30 * DAY;
const KEPT_MOST = 300;

export interface JobsOptions {
  readonly dataDir: string;
  /** The folder that the server was started in: relative paths of requests begin there. */
  readonly folder: string;
  readonly store: ConsoleStore;
  readonly announce: (message: { type: 'job'; data: Job }) => void;
  /** Folder of a portfolio with a journal; null where there is none. */
  readonly portfolio: (name: string) => string | null;
  /** Threads that all jobs together use; one less than the machine has unless given. */
  readonly threads?: number;
  /** What waits is not gone on with before {@link Jobs.begin}, or more is asked for. */
  readonly held?: boolean;
}

/** How our own folders are named; what else lies there is somebody else's. */
const JOB_ID = /^[0-9a-f]{24}$/;

interface Running {
  readonly id: string;
  readonly threads: number;
  process: JobProcess | null;
  progress: number | null;
  says: string;
  cancelledBy: string | null;
}

/** Work in the background: a queue of commands of this program, each a process of its own with low priority. */
export class Jobs {
  readonly store: JobStore;
  private readonly options: JobsOptions;
  private readonly root: string;
  private readonly threads: number;
  private readonly running = new Map<string, Running>();
  private readonly news: JobNews;
  private readonly ends = new Set<Promise<void>>();
  /** How jobs ended that the console's file did not take yet. */
  private readonly unwritten = new Map<string, JobEnd>();
  private heeding: NodeJS.Timeout | null = null;
  private closed = false;
  private held: boolean;

  /** What another server left running is marked as failed; what waits there is gone on with. */
  constructor(options: JobsOptions) {
    this.options = options;
    this.held = options.held ?? false;
    this.store = new JobStore(options.store);
    this.news = new JobNews(
      () => options.store.now(),
      (id) => this.announce(id),
    );
    this.root = resolve(options.dataDir, 'jobs');
    this.threads = Math.max(1, options.threads ?? availableParallelism() - 1);
    for (const { id } of this.store.inState('running')) this.interrupted(id);
    this.removeStrays();
    this.next();
  }

  /** Goes on with what waits, once the server is sure to stay. */
  begin(): void {
    this.held = false;
    this.next();
  }

  /** Puts work in the queue. Throws {@link InputError} for what cannot be done and {@link Problem} 429 when the queue is full. */
  start(request: JobRequest, by: string): Job {
    if (this.closed) throw new Problem(503, 'unreachable', 'the server is ending', 'try again when it runs');
    // everything about it is checked before anybody is told that it waits
    this.plan('new', request);
    if (this.store.count('queued') >= QUEUE_MOST)
      throw new Problem(
        429,
        'queue-full',
        `${QUEUE_MOST} jobs are waiting already`,
        'wait until some are done, or cancel one',
      );
    const job = this.store.add(request, by, 'waits for its turn');
    this.tell(job.id);
    this.begin();
    return this.get(job.id);
  }

  /** A job as it stands now. Throws {@link Problem} 404. */
  get(id: string): Job {
    const job = this.store.find(id);
    if (job === null)
      throw new Problem(404, 'not-found', `there is no job ${id.slice(0, 40)}`, 'see the list of jobs');
    return this.now(job);
  }

  list(limit: number, before: number | null): { readonly jobs: Job[]; readonly next: number | null } {
    const { jobs, next } = this.store.list(limit, before);
    return { jobs: jobs.map((job) => this.now(job)), next };
  }

  /** Ends a job. Throws {@link Problem} 404 for none and 409 for one that is over. */
  cancel(id: string, by: string): Job {
    const job = this.get(id);
    if (!this.store.askCancel(id, by))
      throw new Problem(409, 'refused', `job ${id} is ${job.state} already`, 'nothing is left to cancel');
    this.heed();
    return this.get(id);
  }

  /** The report of a job as HTML. Throws {@link Problem} 404. */
  async report(id: string): Promise<Uint8Array> {
    const job = this.get(id);
    const none = new Problem(
      404,
      'not-found',
      job.state === 'running' || job.state === 'queued'
        ? 'its report is not written yet'
        : 'it wrote no report',
      'a backtest, a sweep, and the jobs report and worth write one',
    );
    if (!job.hasReport) throw none;
    try {
      return await readFile(join(this.folderOf(id), REPORT_FILE));
    } catch {
      throw none;
    }
  }

  /** The folder that a job's command wrote; null where there is none. */
  runFolder(id: string): string | null {
    // an id from outside is no part of a path before it is known to be one
    if (!JOB_ID.test(id) || this.store.find(id) === null) return null;
    const folder = join(this.folderOf(id), RUN_FOLDER);
    return existsSync(folder) ? folder : null;
  }

  /** Takes away jobs that have been over for a month, and the oldest beyond 300. Returns how many. */
  prune(now: number): number {
    const unfinished = [...this.store.inState('queued'), ...this.store.inState('running')];
    // what a report is being made of stays
    const used = new Set(unfinished.map(({ request }) => request.job));
    const stale = this.store.stale(now - KEPT_MS, KEPT_MOST).filter((id) => !used.has(id));
    for (const id of stale) {
      this.clear(id);
      this.store.forget(id);
    }
    return stale.length;
  }

  /** Ends what runs; those jobs are marked as failed. What waits is gone on with by the next server. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.heeding !== null) clearInterval(this.heeding);
    for (const { process } of this.running.values()) process?.stop();
    await Promise.allSettled(this.ends);
    this.news.close();
  }

  private folderOf(id: string): string {
    return join(this.root, id);
  }

  private plan(id: string, request: JobRequest): JobPlan {
    const { folder, dataDir, portfolio } = this.options;
    const place: JobPlace = {
      folder: this.folderOf(id),
      files: new AllowedFiles(folder, [dataDir]),
      sample: join(this.root, SAMPLE_FILE),
      threads: this.threads,
      runOf: (job, kinds) => this.runOf(job, kinds),
      portfolio: (name) => {
        const found = portfolio(name);
        if (found !== null) return resolve(found);
        throw new InputError(`there is no portfolio "${name.slice(0, 60)}"`, 'see the list of portfolios');
      },
    };
    return planJob(request, place);
  }

  private runOf(id: string, kinds: readonly JobRequest['kind'][]): string {
    const job = this.store.find(id);
    const run = job === null ? null : this.runFolder(job.id);
    if (job === null || run === null || job.state !== 'done' || !kinds.includes(job.kind))
      throw new InputError(
        `job ${id.slice(0, 40)} has no run to look at`,
        `name a ${kinds.join(' or a ')} that is done, from the list of jobs`,
      );
    return run;
  }

  /** Starts what fits, the oldest first: one that needs more threads than are free is not overtaken. */
  private next(): void {
    if (this.closed || this.held) return;
    for (const job of this.store.inState('queued')) {
      let plan: JobPlan;
      try {
        plan = this.plan(job.id, job.request as JobRequest);
      } catch (error) {
        // what it named has gone while it waited
        if (!(error instanceof InputError)) throw error;
        this.finish(job.id, failure(`${error.message}; ${error.mend}`));
        continue;
      }
      const busy = [...this.running.values()].reduce((sum, { threads }) => sum + threads, 0);
      if (busy > 0 && busy + plan.threads > this.threads) break;
      this.launch(job, plan);
    }
    this.heedWhileBusy();
  }

  private launch(job: Job, plan: JobPlan): void {
    const running: Running = {
      id: job.id,
      threads: plan.threads,
      process: null,
      progress: null,
      says: plan.steps[0]!.says,
      cancelledBy: null,
    };
    this.store.started(job.id);
    this.running.set(job.id, running);
    this.tell(job.id);
    const end = this.play(running, plan)
      .catch((error: unknown) => failure((error as Error).message))
      .then((ended) => {
        this.running.delete(job.id);
        this.finish(job.id, ended);
        this.later(() => this.next());
      })
      .finally(() => this.ends.delete(end));
    this.ends.add(end);
  }

  /** Runs the steps one after the other; the first that fails ends the job. */
  private async play(running: Running, { steps, report }: JobPlan): Promise<JobEnd> {
    makeFolder(this.folderOf(running.id));
    await writeSample(join(this.root, SAMPLE_FILE));
    let result: Record<string, unknown> | null = null;
    let done = 0;
    for (const step of steps) {
      // between steps nothing runs that could have been stopped
      const cut = this.cutShort(running);
      if (cut !== null) return cut;
      const ended = await this.playStep(running, step, done);
      const stopped = this.cutShort(running);
      if (stopped !== null) return stopped;
      const answered = ended.code === 0 || (ended.code === 1 && step.answersWithOne && ended.answer !== null);
      if (!answered) return failure(reasonOf(ended));
      if (step.isResult) result = ended.answer ?? result;
      done += step.share;
    }
    const hasReport = report !== null && existsSync(report);
    return { state: 'done', says: 'done', result: boundedResult(result), error: null, hasReport };
  }

  /** The end of a job that was cancelled or whose server ends; null: it goes on. */
  private cutShort({ cancelledBy }: Running): JobEnd | null {
    if (cancelledBy !== null) return cancelled(cancelledBy);
    return this.closed ? failure('the server ended while it ran; start it again') : null;
  }

  private async playStep(running: Running, step: JobPlan['steps'][number], done: number): Promise<StepEnd> {
    running.says = step.says;
    running.process = new JobProcess(step, {
      folder: this.options.folder,
      onProgress: (progress, says) => {
        running.progress = progress === null ? running.progress : done + progress * step.share;
        if (says !== '') running.says = says;
        this.tell(running.id);
      },
    });
    try {
      return await running.process.ended;
    } finally {
      running.process = null;
    }
  }

  private finish(id: string, ended: JobEnd): void {
    this.unwritten.set(id, ended);
    this.later(() => this.writeEnds());
    // half a run is of no use to anybody
    if (ended.state !== 'done') this.clear(id);
    // a server that never runs at night would keep everything
    this.later(() => this.prune(this.options.store.now()));
  }

  /** A folder that will not go (somebody has it open) is tried again when the job is forgotten, or at the next start. */
  private clear(id: string): void {
    try {
      rmSync(this.folderOf(id), { recursive: true, force: true, maxRetries: 2 });
    } catch {
      // disk space is all that it costs
    }
  }

  private writeEnds(): void {
    for (const [id, ended] of this.unwritten) {
      this.store.ended(id, ended);
      this.unwritten.delete(id);
      this.tell(id);
    }
  }

  /** Work on the console's file: while that is out of reach (a full disk, a lock) it is tried again every second. */
  private later(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isSqlite(error)) throw error;
      this.heedEverySecond();
    }
  }

  private interrupted(id: string): void {
    this.clear(id);
    this.store.ended(id, failure('the server ended while it ran; start it again'));
  }

  /** Folders of jobs that are not known any more: of a console's file that was put back from a copy, say. */
  private removeStrays(): void {
    if (!existsSync(this.root)) return;
    for (const name of readdirSync(this.root))
      if (JOB_ID.test(name) && this.store.find(name) === null)
        rmSync(join(this.root, name), { recursive: true, force: true });
  }

  private heedWhileBusy(): void {
    const busy = this.running.size + this.unwritten.size > 0 || this.store.count('queued') > 0;
    if (busy) this.heedEverySecond();
    else if (this.heeding !== null) {
      clearInterval(this.heeding);
      this.heeding = null;
    }
  }

  private heedEverySecond(): void {
    if (this.closed || this.heeding !== null) return;
    this.heeding = setInterval(() => this.later(() => this.heed()), HEED_MS);
    this.heeding.unref();
  }

  /** Ends the jobs that somebody, here or on the command line, asked to end. */
  private heed(): void {
    if (this.closed) return;
    this.writeEnds();
    for (const { id, by } of this.store.cancelAsked()) {
      const running = this.running.get(id);
      if (running === undefined) {
        if (!this.unwritten.has(id)) this.finish(id, cancelled(by));
        continue;
      }
      if (running.cancelledBy !== null) continue;
      running.cancelledBy = by;
      running.says = 'is being cancelled';
      running.process?.stop();
      this.tell(id);
    }
    // starts what a fault of the file kept from starting
    this.next();
  }

  private now(job: Job): Job {
    const running = this.running.get(job.id);
    return running === undefined || job.state !== 'running'
      ? job
      : { ...job, progress: running.progress, says: running.says };
  }

  private tell(id: string): void {
    if (this.closed && this.running.has(id)) return;
    this.news.tell(id);
  }

  private announce(id: string): boolean {
    let job: Job | null;
    try {
      job = this.store.find(id);
    } catch (error) {
      if (!isSqlite(error)) throw error;
      // it is told once its end could be written
      return true;
    }
    if (job === null) return true;
    // a long result is fetched by who wants it
    this.options.announce({ type: 'job', data: { ...this.now(job), result: null } });
    return job.endedAt !== null;
  }
}

const failure = (error: string): JobEnd => ({
  state: 'failed',
  says: 'failed',
  result: null,
  error,
  hasReport: false,
});

const cancelled = (by: string): JobEnd => ({
  ...failure(''),
  state: 'cancelled',
  says: `cancelled by ${by}`,
  error: null,
});

function reasonOf({ code, signal, error }: StepEnd): string {
  if (error !== '') return error;
  return signal === null ? `the command ended with code ${code}` : `the command was ended by ${signal}`;
}
