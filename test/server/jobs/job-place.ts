import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConsoleStore, openConsoleStore } from '../../../src/apps/server/identity/console-store.ts';
import type { Job } from '../../../src/apps/server/jobs/job-store.ts';
import { Jobs } from '../../../src/apps/server/jobs/jobs.ts';
import { waveCsv } from '../../cli/run-cli.ts';

/** A folder that a server was started in, with bars, and a data directory. */
export class JobPlaceKit {
  readonly folder = mkdtempSync(join(tmpdir(), 'quorum-jobs-'));
  readonly dataDir = join(this.folder, 'data');
  readonly heard: Job[] = [];
  store: ConsoleStore;
  jobs: Jobs;
  private readonly threads: number;

  constructor(threads = 1) {
    this.threads = threads;
    writeFileSync(join(this.folder, 'WAVE-1h.csv'), waveCsv(600));
    this.store = openConsoleStore(join(this.folder, 'console.sqlite'));
    this.jobs = this.open();
  }

  private open(): Jobs {
    return new Jobs({
      dataDir: this.dataDir,
      folder: this.folder,
      store: this.store,
      announce: ({ data }) => this.heard.push(data),
      portfolio: () => null,
      threads: this.threads,
    });
  }

  /** Another server on the same files, as after a restart. */
  async again(): Promise<void> {
    await this.jobs.close();
    this.jobs = this.open();
  }

  async until(id: string, ready: (job: Job) => boolean): Promise<Job> {
    for (let i = 0; i < 6_000; i++) {
      const job = this.jobs.get(id);
      if (ready(job)) return job;
      await sleep(10);
    }
    throw new Error(`waited in vain: ${JSON.stringify(this.jobs.get(id))}`);
  }

  ended(id: string): Promise<Job> {
    return this.until(id, ({ endedAt }) => endedAt !== null);
  }

  async remove(): Promise<void> {
    await this.jobs.close();
    this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
