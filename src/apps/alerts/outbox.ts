import type { AlertChannel, AlertVerb, SendOutcome } from '#adapters';
import type { Chance, Instant } from '#base';
import { SECOND } from '#base';
import { type Alert, messageOf, rankOf } from './alert.ts';
import type { RulesInForce } from './alert-rules.ts';
import type { AlertStore } from './alert-store.ts';
import type { DeliveryRow } from './alert-tables.ts';
import { type Dispatch, told } from './router.ts';

export interface OutboxOptions {
  readonly store: AlertStore;
  readonly channels: readonly AlertChannel[];
  readonly rules: () => RulesInForce;
  readonly now: () => Instant;
  readonly chance: Chance;
  readonly log: (line: string) => void;
}

/** A delivery that was begun belongs to its process for so long; longer than any channel takes. */
const LEASE_MS = 90 * SECOND;
const BACKOFF_MS = 2 * SECOND;
/** The longest pause between attempts, by severity. */
const PAUSE_MOST_MS = { info: 900 * SECOND, warning: 300 * SECOND, critical: 60 * SECOND } as const;
/** From this many failed attempts on another channel is asked as well; after a refusal at once. */
const FALLBACK_AFTER = 3;
/** A channel that failed so often is given up once somebody else was told. */
const GIVE_UP_AFTER = 20;
const STOP_MS = 3 * SECOND;

/** How long to wait before the next attempt: doubling, bounded, and never the same for two that failed together. */
export function backoffMs(attempts: number, severity: DeliveryRow['severity'], chance: Chance): number {
  const pause = Math.min(BACKOFF_MS * 2 ** Math.min(attempts - 1, 20), PAUSE_MOST_MS[severity]);
  return Math.round(pause * (0.5 + chance.uniform() / 2));
}

/**
 * Sends what waits in the store, each channel by itself so that a slow one holds up no other, and with a lane of its own
 * for what is critical. Every attempt is written down before it is made and after it ended.
 */
export class Outbox {
  private readonly options: OutboxOptions;
  private readonly lanes = new Map<string, Promise<void>>();
  /** Deliveries of this process that are being sent: a clock that jumps ends no lease of them. */
  private readonly inFlight = new Set<number>();
  private readonly abort = new AbortController();
  private running = false;

  constructor(options: OutboxOptions) {
    this.options = options;
  }

  start(): void {
    this.running = true;
  }

  /** Ends what is being sent; it stays pending. */
  async stop(): Promise<void> {
    this.running = false;
    this.abort.abort();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((done) => {
      timer = setTimeout(done, STOP_MS);
    });
    await Promise.race([Promise.all(this.lanes.values()), late]);
    clearTimeout(timer);
  }

  /** Sends all that is due once, for a process that has no loop. */
  async drain(): Promise<void> {
    this.start();
    this.kick();
    while (this.lanes.size > 0) await Promise.all(this.lanes.values());
    this.running = false;
  }

  /** Whether a channel keeps an incident open until it is told that it is over. */
  rings(name: string): boolean {
    return this.options.channels.find((c) => c.name === name)?.verbs.includes('acknowledge') ?? false;
  }

  /** Queues a dispatch; within the caller's transaction. What no channel can say is said already. */
  add(dispatch: Dispatch, alert: Pick<Alert, 'id' | 'severity' | 'verb'> | null): void {
    const { store, channels, now } = this.options;
    if (alert === null) return;
    const { alertId, verb, key, why, severity = alert.severity } = dispatch;
    const able = channels.filter((c) => dispatch.channels.includes(c.name) && c.verbs.includes(verb));
    for (const { name: channel } of able)
      store.insertDelivery({ alertId, channel, verb, key, why, severity }, now());
    if (able.length === 0 && verb === alert.verb && store.siblings(alertId, verb).length === 0)
      store.setAlertState(alertId, 'delivered', null);
  }

  /** One attempt on every channel without the store. */
  sendNow(dispatch: Dispatch, alert: Alert): void {
    const { channels, log } = this.options;
    const message = messageOf(alert, dispatch.verb, dispatch.key);
    for (const channel of channels) {
      if (!dispatch.channels.includes(channel.name) || !channel.verbs.includes(dispatch.verb)) continue;
      void channel.send(message, this.abort.signal).then((outcome) => {
        if (outcome.is !== 'delivered') log(`${channel.name} did not take ${alert.id}: ${outcome.reason}`);
      });
    }
  }

  /** Looks whether anything is due. */
  kick(): void {
    if (!this.running) return;
    for (const channel of this.options.channels) {
      for (const criticalOnly of [true, false]) {
        const lane = `${channel.name}/${criticalOnly}`;
        if (this.lanes.has(lane)) continue;
        const first = this.next(channel, criticalOnly);
        if (first === null) continue;
        const work = this.serve(channel, criticalOnly, first).finally(() => this.lanes.delete(lane));
        this.lanes.set(lane, work);
      }
    }
  }

  private async serve(channel: AlertChannel, criticalOnly: boolean, first: DeliveryRow): Promise<void> {
    for (let job: DeliveryRow | null = first; job !== null; job = this.next(channel, criticalOnly)) {
      this.inFlight.add(job.id);
      try {
        await this.attempt(channel, job);
      } catch (error) {
        // the file could not be written: the lease runs out and the delivery comes again
        this.options.log(`outbox: ${(error as Error).message}`);
        return;
      } finally {
        this.inFlight.delete(job.id);
      }
    }
  }

  /** The next delivery of a channel, taken over from now on. */
  private next(channel: AlertChannel, criticalOnly: boolean): DeliveryRow | null {
    const { store, now, log } = this.options;
    if (!this.running) return null;
    try {
      const row = store.due(channel.name, now(), criticalOnly);
      if (row === null || this.inFlight.has(row.id)) return null;
      return store.claim(row, now() + LEASE_MS) ? { ...row, attempts: row.attempts + 1 } : null;
    } catch (error) {
      log(`outbox: ${(error as Error).message}`);
      return null;
    }
  }

  private async attempt(channel: AlertChannel, job: DeliveryRow): Promise<void> {
    const { store, now, log } = this.options;
    const alert = store.alert(job.alertId);
    const outcome: SendOutcome =
      alert === null
        ? { is: 'refused', reason: 'the alert was deleted' }
        : await channel.send(messageOf(alert, job.verb, job.key), this.abort.signal);
    if (outcome.is !== 'delivered' && this.abort.signal.aborted) {
      store.failed(job.id, now(), 'stopped', false);
      return;
    }
    store.transaction(() => {
      if (outcome.is === 'delivered') {
        store.delivered(job.id, now(), outcome.reference);
        store.tally(`delivered.${channel.name}`);
      } else this.failed(job, outcome);
      this.settle(job.alertId);
    });
    if (outcome.is === 'delivered') return;
    log(`${channel.name} did not take ${job.alertId} (attempt ${job.attempts}): ${outcome.reason}`);
    this.kick();
  }

  private failed(job: DeliveryRow, outcome: Exclude<SendOutcome, { is: 'delivered' }>): void {
    const { store, now, chance } = this.options;
    const refused = outcome.is === 'refused';
    store.tally(`failed.${job.channel}`);
    const pause = refused ? PAUSE_MOST_MS[job.severity] : backoffMs(job.attempts, job.severity, chance);
    const wait = outcome.is === 'retry' && outcome.afterMs !== null ? Math.max(outcome.afterMs, 0) : pause;
    store.failed(job.id, now() + wait, outcome.reason, refused);
    if (refused || job.attempts >= FALLBACK_AFTER) this.fallBack(job);
    const hopeless = refused || job.attempts >= GIVE_UP_AFTER;
    if (!hopeless) return;
    const told = store.siblings(job.alertId, job.verb).some((one) => one.state === 'delivered');
    // an acknowledgement or an end that nobody takes wakes nobody
    if (told || (refused && job.verb !== 'trigger')) this.abandon(job);
  }

  /** Asks the next channel that was not asked yet. News is not worth waking somebody else. */
  private fallBack(job: DeliveryRow): boolean {
    const { store, channels, rules, now } = this.options;
    if (job.fellBack || job.verb !== 'trigger' || rankOf(job.severity) === 0) return false;
    const asked = new Set(store.siblings(job.alertId, job.verb).map((one) => one.channel));
    const known = new Set(channels.map((c) => c.name));
    const next = rules().fallback.find((name) => known.has(name) && !asked.has(name));
    if (next === undefined) return false;
    const { alertId, verb, key, severity } = job;
    store.insertDelivery({ alertId, channel: next, verb, key, why: 'fallback', severity }, now());
    store.fellBack(job.id);
    store.setRouter(told(store.router(), key, next));
    store.tally('escalated.channel-failed');
    return true;
  }

  private abandon(job: DeliveryRow): void {
    const { store } = this.options;
    store.abandoned(job.id);
    store.tally(`abandoned.${job.channel}`);
  }

  /** Gives up news that nobody took for too long, and hands on what waits for channels that are gone. */
  expire(): void {
    const { store, rules, now, channels } = this.options;
    const names = channels.map((c) => c.name);
    const old = store.expired(now() - rules().expireSeconds * SECOND);
    const lost = names.length === 0 ? [] : store.pendingFor(names);
    if (old.length + lost.length === 0) return;
    store.transaction(() => {
      for (const job of old) this.giveUp(job);
      for (const job of lost) {
        // with nobody else to ask it stays: the channel may be configured again
        if (job.verb !== 'trigger' || job.fellBack || this.fallBack(job)) this.giveUp(job);
      }
    });
  }

  private giveUp(job: DeliveryRow): void {
    this.abandon(job);
    this.settle(job.alertId);
  }

  /** What became of an alert, from what became of its deliveries. */
  private settle(alertId: string): void {
    const { store } = this.options;
    const alert = store.alert(alertId);
    if (alert === null || alert.state !== 'pending') return;
    const own: AlertVerb = alert.verb;
    const all = store.siblings(alertId, own);
    if (all.some((one) => one.state === 'pending')) return;
    if (all.some((one) => one.state === 'delivered')) {
      store.setAlertState(alertId, 'delivered', null);
      store.tally('delivered');
    } else if (all.length > 0) {
      store.setAlertState(alertId, 'suppressed', 'expired');
      store.tally('suppressed.expired');
    }
  }
}
