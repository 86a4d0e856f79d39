import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ProjectionEntry } from '#adapters';
import { MINUTE, SECOND } from '#base';
import type { JournalEntry } from '#engine';
import type { AlertsConfiguration } from '../alerts/alert-configuration.ts';
import type { AlertDesk } from '../alerts/alert-desk.ts';
import type { JournalOf } from '../alerts/journal-alerts.ts';
import { startAlerts } from '../alerts/start-alerts.ts';
import { EntryReader } from '../runner/journal-entries.ts';
import { backgroundOf } from './background.ts';
import type { ConsoleContext, Portfolios } from './context.ts';
import { JournalTail } from './live/journal-tail.ts';
import type { ServerLog } from './server-log.ts';

export interface AlertsFeedOptions {
  readonly portfolios: Pick<Portfolios, 'names' | 'folder'>;
  readonly desk: Pick<AlertDesk, 'cursor' | 'take'>;
  readonly now: () => number;
  readonly onTrouble: (what: string, error: Error) => void;
}

const LOOK_MS = 2 * SECOND;
const BATCH = 200;
/** What happened in a journal that is older than this when alerting first sees it is history, not news. */
const NEWS_MS = MINUTE;

/** Hands what every portfolio of the data directory journals to alerting, each entry once, across restarts. */
export class AlertsFeed {
  private readonly options: AlertsFeedOptions;
  private readonly followed = new Map<string, Followed>();
  private readonly timer: NodeJS.Timeout;

  constructor(options: AlertsFeedOptions) {
    this.options = options;
    this.timer = setInterval(() => this.look(), LOOK_MS).unref();
    this.look();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([...this.followed.values()].map((one) => one.close()));
  }

  private look(): void {
    for (const name of this.options.portfolios.names()) {
      const known = this.followed.get(name);
      if (known !== undefined && !known.failed) continue;
      // entries that could not be kept are read again
      void known?.close();
      this.followed.set(name, new Followed(name, this.options));
    }
  }
}

/** Begins alerting for a server: the desk, its bots, and what they hear. */
export function beginAlerts(
  context: ConsoleContext,
  configuration: AlertsConfiguration,
  log: ServerLog,
): { readonly stop: () => Promise<void> } {
  const { dataDir, portfolios, now } = context;
  const running = startAlerts({
    dataDir,
    configuration,
    environment: process.env,
    log: (line) => log.write('info', 'alerts', { line }),
    now,
  });
  backgroundOf(context).alerts = running.desk;
  const onTrouble = (what: string, error: Error) => log.write('warning', what, { error });
  const feed = new AlertsFeed({ portfolios, desk: running.desk, now, onTrouble });
  return {
    stop: async () => {
      await feed.close();
      await running.stop();
    },
  };
}

class Followed {
  failed = false;
  private readonly portfolio: string;
  private readonly options: AlertsFeedOptions;
  private readonly tail: JournalTail;
  private journal: JournalOf | null = null;
  private reader = new EntryReader();
  private from = 0;
  private isHistory = false;
  private batch: ProjectionEntry[] = [];

  constructor(portfolio: string, options: AlertsFeedOptions) {
    this.portfolio = portfolio;
    this.options = options;
    const path = join(options.portfolios.folder(portfolio), 'journal');
    this.tail = new JournalTail({
      path,
      onBegin: () => {
        this.reader = new EntryReader();
        this.journal = null;
        this.batch = [];
      },
      onEntry: (entry) => this.entry(entry, path),
      onCaughtUp: () => {
        this.flush();
        this.isHistory = false;
      },
      onTrouble: (error) => options.onTrouble(`alerts of ${portfolio}`, error),
    });
  }

  close(): Promise<void> {
    return this.tail.close();
  }

  private entry({ position, kind, text }: JournalEntry, path: string): void {
    if (this.journal === null) this.begin(text, path);
    const isWanted = position >= this.from;
    const entry = this.reader.read(position, kind, text, isWanted && !this.isHistory);
    if (!isWanted || this.failed) return;
    // of history only its end is told, so that nobody is called about what was long ago
    if (this.isHistory) this.batch = [{ ...entry, value: null }];
    else this.batch.push(entry);
    if (this.batch.length >= BATCH) this.flush();
  }

  private begin(header: string, path: string): void {
    const { runId = '', mode = '' } = JSON.parse(header) as { runId?: string; mode?: string };
    this.journal = { portfolio: this.portfolio, runId, live: mode === 'PAPER' };
    this.from = this.options.desk.cursor(this.journal);
    const { birthtimeMs } = statSync(path);
    this.isHistory = this.from === 0 && this.options.now() - birthtimeMs > NEWS_MS;
  }

  private flush(): void {
    const { journal, batch } = this;
    if (journal === null || batch.length === 0 || this.failed) return;
    this.batch = [];
    try {
      this.options.desk.take(journal, batch);
    } catch (error) {
      this.failed = true;
      this.options.onTrouble(`alerts of ${this.portfolio}`, error as Error);
    }
  }
}
