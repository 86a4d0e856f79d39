import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockHolder } from '#adapters';
import { type Instant, SECOND } from '#base';
import type { Alert } from '../alerts/alert.ts';
import type { AlertsConfiguration } from '../alerts/alert-configuration.ts';
import type { AlertDesk } from '../alerts/alert-desk.ts';
import { AlertStore } from '../alerts/alert-store.ts';
import type { AlertRow } from '../alerts/alert-tables.ts';
import { ALERTS_FILE, openAlerts } from '../alerts/start-alerts.ts';
import { askControl } from '../runner/control.ts';
import { portfoliosIn } from '../runner/portfolios-in.ts';
import { restart } from './restart.ts';
import { look, type Sight, type Vigil } from './vigil.ts';

export interface WatchdogOptions {
  readonly dataDir: string;
  /** Without a step for so long a loop is taken for dead. */
  readonly staleMs: number;
  /** How long a start may take before it answers. */
  readonly startMs: number;
  /** How long a process may take to end before it is killed. */
  readonly graceMs: number;
  readonly restart: boolean;
  /** End when everything that was watched has ended cleanly. */
  readonly untilEnded: boolean;
  readonly alerts: AlertsConfiguration;
  readonly environment: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Its own outbox: whatever is wrong with the console's, this one tells. */
export const WATCHDOG_FILE = 'watchdog.sqlite';

const STEP_MOST_MS = 3 * SECOND;
const ASK_MOST_MS = SECOND;
/** More restarts than that in this time do not help. */
const RESTARTS_MOST = 3;
const RESTARTS_WITHIN_MS = 600 * SECOND;
/** What the last alerts may take to leave at the end. */
const LEAVE_MS = 5 * SECOND;

/**
 * Looks after the loops of a data directory from outside: asks each of them for a sign of life, tells people when one is
 * dead or hangs, and when it is back, and starts it again if it may. Shares nothing with them but the folder.
 */
export class Watchdog {
  private readonly options: WatchdogOptions;
  private readonly vigils = new Map<string, Vigil>();
  private readonly restarts = new Map<string, Instant[]>();
  private readonly restarting = new Set<string>();
  private desk: AlertDesk | null = null;
  private hasWatched = false;

  constructor(options: WatchdogOptions) {
    this.options = options;
  }

  /** Watches until the signal, or until all has ended; how each portfolio stood then. */
  async run(): Promise<Record<string, Vigil['state']>> {
    const { dataDir, staleMs, alerts, environment, signal, untilEnded } = this.options;
    const { desk, channels } = openAlerts({
      dataDir,
      // the daily summary is the server's
      configuration: { ...alerts, summary: undefined },
      environment,
      file: join(dataDir, WATCHDOG_FILE),
      onAlert: (row) => this.show(row),
      log: (line) => this.say(line),
    });
    this.desk = desk;
    for (const [name, fault] of Object.entries(channels.faults))
      if (fault !== null) this.say(`channel ${name} cannot work: ${fault}`);
    if (channels.channels.length === 0)
      this.say('no channel is configured: what happens is told here and in the console');
    desk.start();
    const stepMs = Math.min(Math.max(200, staleMs / 5), STEP_MOST_MS);
    try {
      for (let lookedAt = Date.now(); !signal.aborted; ) {
        const now = Date.now();
        // this process, or the whole machine, was asleep: nobody's fault
        if (now - lookedAt > Math.max(staleMs / 2, 2 * stepMs + ASK_MOST_MS)) this.forgive(now);
        lookedAt = now;
        await this.lookAtAll(Math.min(stepMs, ASK_MOST_MS));
        const all = [...this.vigils.values()];
        this.hasWatched ||= all.some(({ state }) => state !== 'ended');
        if (
          untilEnded &&
          this.hasWatched &&
          this.restarting.size === 0 &&
          all.every(({ state }) => state === 'ended')
        )
          break;
        await sleep(stepMs, undefined, { signal }).catch(() => undefined);
      }
      await this.letLeave();
      return Object.fromEntries([...this.vigils].map(([name, { state }]) => [name, state]));
    } finally {
      await desk.stop();
    }
  }

  private forgive(now: Instant): void {
    this.say('the watchdog itself stood still; it begins anew');
    for (const [name, vigil] of this.vigils) this.vigils.set(name, { ...vigil, wellAt: now });
  }

  private async lookAtAll(askMs: number): Promise<void> {
    const { dataDir, staleMs, startMs } = this.options;
    await Promise.all(
      portfoliosIn(dataDir).map(async (name) => {
        const sight = await sightOf(join(dataDir, name), askMs);
        // what is being ended is silent for a good reason
        if (this.restarting.has(name)) return;
        const before = this.vigils.get(name) ?? null;
        const after = look(before, sight, Date.now(), { staleMs, startMs });
        this.vigils.set(name, after);
        if (before?.state !== after.state) this.changed(name, after);
      }),
    );
  }

  private changed(name: string, { state, pid, wellAt }: Vigil): void {
    switch (state) {
      case 'starting':
        return;
      case 'well':
      case 'ended':
        this.over(name, state === 'well' ? `${name} steps (process ${pid})` : `${name} has ended cleanly`);
        return;
      case 'silent':
      case 'gone': {
        const seconds = Math.round((Date.now() - wellAt) / SECOND);
        const what =
          state === 'gone'
            ? `${name} is dead: process ${pid ?? 'unknown'} is gone without an end`
            : `${name} has not stepped for ${seconds} s: process ${pid} hangs or is stopped`;
        const then = this.options.restart
          ? 'It is being started again.'
          : 'Nothing is done about it. Stops and targets rest at the venue as far as it knows them; start again: quorum start';
        this.tell(name, `watchdog-${name}`, what, then);
        if (this.options.restart) void this.startAgain(name);
      }
    }
  }

  private async startAgain(name: string): Promise<void> {
    const now = Date.now();
    const recent = (this.restarts.get(name) ?? []).filter((at) => now - at < RESTARTS_WITHIN_MS);
    if (recent.length >= RESTARTS_MOST) {
      this.tell(
        name,
        `watchdog-restart-${name}`,
        `${name} was started again ${recent.length} times and does not stay up`,
        'A person must look at it.',
      );
      return;
    }
    this.restarts.set(name, [...recent, now]);
    this.restarting.add(name);
    const { dataDir, graceMs, environment } = this.options;
    const failed = (why: string) =>
      this.tell(name, `watchdog-restart-${name}`, `${name} could not be started again: ${why}`, '');
    try {
      const directory = join(dataDir, name);
      const say = (line: string) => this.say(`${name}: ${line}`);
      const why = await restart({ directory, graceMs, environment, say, onEnd: failed });
      if (why !== null) failed(why);
    } catch (error) {
      failed((error as Error).message);
    } finally {
      this.restarting.delete(name);
      // the new one has all the time of a start
      this.vigils.delete(name);
    }
  }

  private tell(portfolio: string, subject: string, title: string, body: string): void {
    this.say(title);
    this.raise({ ...about(portfolio, subject), verb: 'trigger', severity: 'critical', title, body });
  }

  /** Closes what is open about a portfolio, if anything is. */
  private over(portfolio: string, title: string): void {
    this.say(title);
    let open: AlertRow[] = [];
    try {
      open = this.desk!.alerts({ portfolio, kind: 'watchdog' }).filter(
        (row) => row.verb === 'trigger' && row.key !== null && row.resolvedAt === null,
      );
    } catch (error) {
      this.say(`alerts cannot be read: ${(error as Error).message}`);
    }
    for (const subject of new Set(open.map((row) => row.subject)))
      this.raise({ ...about(portfolio, subject), verb: 'resolve', severity: 'info', title, body: '' });
  }

  private raise(alert: Alert): void {
    try {
      this.desk!.raise(alert);
    } catch {
      // what is critical went out all the same, and the desk has said why
    }
  }

  /** The console shows it too, if its file can be written. */
  private show(row: AlertRow): void {
    const key = `watchdog/${row.portfolio}/${row.subject}`;
    try {
      const store = new AlertStore(join(this.options.dataDir, ALERTS_FILE));
      try {
        store.transaction(() => {
          store.insertAlert(row, row.takenAt, { rule: 'watchdog', key, state: 'delivered', reason: null });
          if (row.verb === 'resolve') store.markIncident(key, 'resolved', 'the watchdog', row.takenAt);
        });
      } finally {
        store.close();
      }
    } catch (error) {
      this.say(`the console was not told: ${(error as Error).message}`);
    }
  }

  private say(line: string): void {
    this.options.say(line);
    try {
      const text = `${new Date().toISOString()} watchdog ${line}\n`;
      appendFileSync(join(this.options.dataDir, 'quorum.log'), text);
    } catch {
      // a full disk must not stop the one who tells of it
    }
  }

  private async letLeave(): Promise<void> {
    const until = Date.now() + LEAVE_MS;
    while (Date.now() < until && Object.keys(this.desk!.waiting()).length > 0) await sleep(50);
  }
}

function about(portfolio: string, subject: string) {
  const at = Date.now();
  return {
    id: `${subject}-${at}`,
    at,
    kind: 'watchdog',
    subject,
    portfolio,
    desk: null,
    instrument: null,
    details: {},
    live: true,
  } as const;
}

async function sightOf(directory: string, askMs: number): Promise<Sight> {
  const lock = join(directory, 'journal.lock');
  if (!existsSync(lock)) return { locked: false, pid: null, stepAt: null };
  const pid = lockHolder(lock);
  if (pid === null) return { locked: true, pid, stepAt: null };
  const answer = await askControl(directory, { ask: 'heartbeat' }, askMs);
  if (answer === null) return { locked: true, pid, stepAt: null };
  const beat = answer.heartbeat as { stepAt?: unknown } | undefined;
  // one of an older version answers that it does not know the question: it is alive
  return { locked: true, pid, stepAt: typeof beat?.stepAt === 'number' ? beat.stepAt : Date.now() };
}
