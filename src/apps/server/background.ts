import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AlertDesk } from '../alerts/alert-desk.ts';
import type { ConsoleContext } from './context.ts';
import { JournalIndex } from './data/journal-index.ts';
import { Jobs } from './jobs/jobs.ts';
import { nightly, Schedule } from './jobs/schedule.ts';

/** What the server does by itself, beside answering. */
export class Background {
  readonly jobs: Jobs;
  readonly schedule: Schedule;
  /** Who alerts go through; null while nobody has handed it over. */
  alerts: AlertDesk | null = null;
  private readonly journals = new Map<string, JournalIndex>();

  constructor(context: ConsoleContext) {
    const { dataDir, store, announce, portfolios, now } = context;
    this.jobs = new Jobs({
      dataDir,
      folder: process.cwd(),
      store,
      announce,
      held: true,
      portfolio: (name) =>
        portfolios.names().includes(name) && existsSync(join(portfolios.folder(name), 'journal'))
          ? portfolios.folder(name)
          : null,
    });
    this.schedule = new Schedule({ store, now });
    for (const item of nightly(context, this)) this.schedule.add(item);
  }

  /** Goes on with what waits. */
  begin(): void {
    this.jobs.begin();
  }

  /** Where the entries of a portfolio's journal are. */
  journalOf(folder: string): JournalIndex {
    const path = join(folder, 'journal');
    const index = this.journals.get(path) ?? new JournalIndex(path);
    this.journals.set(path, index);
    return index;
  }

  async close(): Promise<void> {
    this.schedule.close();
    await this.jobs.close();
  }
}

const known = new WeakMap<ConsoleContext, Background>();

/** The background of a server, begun when it is first asked for. */
export function backgroundOf(context: ConsoleContext): Background {
  const background = known.get(context) ?? new Background(context);
  known.set(context, background);
  return background;
}

/** Ends what was begun; call it before the console's file is closed. */
export async function closeBackground(context: ConsoleContext): Promise<void> {
  await known.get(context)?.close();
  known.delete(context);
}
