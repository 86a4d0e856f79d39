import { Cron } from 'croner';
import type { AlertDesk } from '../../alerts/alert-desk.ts';
import type { ConsoleContext } from '../context.ts';
import type { ConsoleStore } from '../identity/console-store.ts';
import { Settings } from '../identity/settings.ts';
import type { Jobs } from './jobs.ts';

/** Something that is due again and again. */
export interface DueItem {
  readonly name: string;
  /** Five fields of cron, in UTC. */
  readonly when: string;
  readonly run: () => void | Promise<void>;
}

export interface ScheduleLine {
  readonly name: string;
  readonly when: string;
  readonly nextAt: number | null;
  readonly lastAt: number | null;
  readonly lastError: string | null;
}

interface Kept {
  readonly lastAt: number;
  readonly lastError: string | null;
}

/** What is due at times of the day. When it ran last, and what came of it, outlives the server; one that fails is only noted. */
export class Schedule {
  private readonly settings: Settings;
  private readonly now: () => number;
  private readonly items = new Map<string, { readonly item: DueItem; readonly cron: Cron }>();

  constructor({ store, now }: { readonly store: ConsoleStore; readonly now: () => number }) {
    this.settings = new Settings(store);
    this.now = now;
  }

  add(item: DueItem): void {
    const cron = new Cron(item.when, { timezone: 'UTC', protect: true, unref: true, catch: true }, () =>
      this.run(item.name),
    );
    this.items.set(item.name, { item, cron });
  }

  list(): ScheduleLine[] {
    const now = this.now();
    return [...this.items.values()].map(({ item: { name, when }, cron }) => {
      const kept = this.kept(name);
      return {
        name,
        when: `${when} UTC`,
        nextAt: cron.nextRun(new Date(now))?.getTime() ?? null,
        lastAt: kept?.lastAt ?? null,
        lastError: kept?.lastError ?? null,
      };
    });
  }

  /** Does it now. What went wrong stands in the list; throws only where that cannot be written. */
  async run(name: string): Promise<void> {
    const due = this.items.get(name);
    if (due === undefined) return;
    let lastError: string | null = null;
    try {
      await due.item.run();
    } catch (error) {
      lastError = (error as Error).message.slice(0, 500);
    }
    this.settings.write(`schedule.${name}`, { lastAt: this.now(), lastError } satisfies Kept);
  }

  close(): void {
    for (const { cron } of this.items.values()) cron.stop();
    this.items.clear();
  }

  private kept(name: string): Kept | null {
    return this.settings.read(`schedule.${name}`) as Kept | null;
  }
}

/** What the console does every night: looks whether its file is whole, and takes away what is old. */
export function nightly(
  { store, identity, now }: ConsoleContext,
  parts: { readonly jobs: Jobs; readonly alerts: AlertDesk | null },
): DueItem[] {
  return [
    {
      name: 'console audit',
      when: '17 3 * * *',
      run: () => {
        const fault = faultOf(store, identity.audit.verify().brokenAt);
        if (fault === null) return;
        const at = now();
        parts.alerts?.raise({
          id: `console-audit-${at}`,
          verb: 'trigger',
          at,
          severity: 'critical',
          kind: 'audit',
          subject: 'console-audit',
          portfolio: null,
          desk: null,
          instrument: null,
          title: 'the console was changed from outside',
          body: fault,
          details: {},
          live: true,
        });
        throw new Error(fault);
      },
    },
    {
      name: 'old jobs',
      when: '37 3 * * *',
      run: () => {
        parts.jobs.prune(now());
      },
    },
  ];
}

function faultOf(store: ConsoleStore, brokenAt: number | null): string | null {
  if (brokenAt !== null) return `entry ${brokenAt} of the audit is not as it was written`;
  const found = store.get('PRAGMA quick_check(1)')?.quick_check;
  return found === 'ok' ? null : `the console's file is damaged: ${String(found)}`;
}
