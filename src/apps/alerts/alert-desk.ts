import type { AlertChannel, ProjectionEntry } from '#adapters';
import { Chance, DAY, type Instant, SECOND } from '#base';
import type { Alert } from './alert.ts';
import { type AlertRules, type RulesInForce, rulesInForce } from './alert-rules.ts';
import { type AlertFilter, AlertStore, type DeliveryFilter } from './alert-store.ts';
import type { AlertRow, DeliveryRow } from './alert-tables.ts';
import { digestOf, heldLine } from './digest.ts';
import { alertOf, type JournalOf } from './journal-alerts.ts';
import { KeptRules } from './kept-rules.ts';
import { Outbox } from './outbox.ts';
import { summaryAlert, testAlert } from './own-alerts.ts';
import {
  acknowledge,
  close,
  type Dispatch,
  EMPTY_ROUTER,
  type RouterState,
  route,
  tick,
  type Verdict,
} from './router.ts';

export interface AlertDeskOptions {
  /** SQLite file; it may hold other tables, and other processes may use it. */
  readonly file: string;
  readonly rules: AlertRules;
  readonly channels: readonly AlertChannel[];
  /** Wall time, epoch ms. */
  readonly now?: () => Instant;
  /** Jitter of retries. */
  readonly chance?: Chance;
  /** After an alert was taken, whatever becomes of it. */
  readonly onAlert?: (alert: AlertRow) => void;
  readonly log?: (line: string) => void;
  /** Text of the daily summary. */
  readonly summarise?: (day: string) => Promise<{ title: string; body: string }>;
  /** How often time is looked at; 0: only when {@link AlertDesk.tick} is called. */
  readonly tickMs?: number;
}

const KEPT_MS = 90 * DAY;
const PRUNE_MS = 3_600 * SECOND;
/** How far a journal may be read without anything to tell before that is written down. */
const CURSOR_STEP = 5_000;
const DIRECT_MOST = 1_000;

/**
 * The one place alerts go through: taken from journals or raised by the program itself, routed by rules, kept in a file
 * before anything is sent, sent until somebody was told. Everything survives a kill at any moment: what was taken is
 * taken again at most as the same alert, what was sent may be sent twice with the same id, nothing is lost.
 */
export class AlertDesk {
  private readonly options: AlertDeskOptions;
  private readonly store: AlertStore;
  private readonly outbox: Outbox;
  private readonly cursors = new Map<string, { next: number; saved: number }>();
  /** Critical alerts that were sent without the file, which could not be written. */
  private readonly sentDirectly = new Set<string>();
  private readonly kept: KeptRules;
  private timer: NodeJS.Timeout | null = null;
  private summarising = false;
  private prunedAt = 0;

  /** Throws {@link InputError} for rules that name no channel. */
  constructor(options: AlertDeskOptions) {
    this.options = options;
    const inForce = rulesInForce(options.rules, options.channels);
    this.store = new AlertStore(options.file);
    this.kept = new KeptRules(this.store, inForce, options.channels, (line) => this.log(line));
    this.outbox = new Outbox({
      store: this.store,
      channels: options.channels,
      rules: () => this.kept.inForce(),
      now: () => this.now(),
      chance: options.chance ?? new Chance(`alerts/${options.file}`),
      log: (line) => this.log(line),
    });
  }

  private now(): Instant {
    return Math.floor((this.options.now ?? Date.now)());
  }

  private log(line: string): void {
    this.options.log?.(line);
  }

  /** Begins to send, and to look at the time. One process of a file does; others only look at it or change it. */
  start(): void {
    const { tickMs = SECOND } = this.options;
    this.quietly(() => this.store.releaseClaims(this.now()));
    this.outbox.start();
    if (tickMs > 0) {
      this.timer = setInterval(() => this.tick(), tickMs);
      this.timer.unref();
    }
    this.tick();
  }

  /** What is being sent is broken off and sent again at the next start. */
  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    await this.outbox.stop();
    this.quietly(() => this.saveCursors());
    this.store.close();
  }

  /** Position of the first entry of a journal that is still wanted: feed {@link take} from here. */
  cursor({ portfolio, runId }: Pick<JournalOf, 'portfolio' | 'runId'>): number {
    return this.cursors.get(`${portfolio}/${runId}`)?.next ?? this.store.cursor(portfolio, runId);
  }

  /**
   * Entries of a journal in order, each at least once; those that were taken before are passed over. When the file cannot
   * be written critical alerts go out all the same and the error is thrown: take the entries again later.
   */
  take(journal: JournalOf, entries: readonly ProjectionEntry[]): void {
    const from = this.cursor(journal);
    const wanted = entries.filter((entry) => entry.position >= from);
    const last = wanted.at(-1);
    if (last === undefined) return;
    const alerts = wanted.map((entry) => alertOf(journal, entry)).filter((alert) => alert !== null);
    const { portfolio, runId } = journal;
    const at = { next: last.position + 1, saved: this.cursors.get(`${portfolio}/${runId}`)?.saved ?? from };
    if (alerts.length > 0 || at.next - at.saved >= CURSOR_STEP) {
      this.admit(alerts, () => this.store.setCursor(portfolio, runId, at.next));
      at.saved = at.next;
    }
    this.cursors.set(`${portfolio}/${runId}`, at);
  }

  /** An alert of the program itself. False when one with this id was raised before. */
  raise(alert: Alert): boolean {
    return this.admit([alert], () => undefined) === 1;
  }

  private admit(alerts: readonly Alert[], besides: () => void): number {
    const taken: string[] = [];
    try {
      const rules = this.kept.inForce();
      this.store.transaction(() => {
        let state = this.store.router();
        const before = state;
        for (const alert of alerts) {
          if (this.store.hasAlert(alert.id)) continue;
          const routed = route(rules, state, alert, this.now());
          this.keep(alert, routed.verdict, state, routed.state);
          state = routed.state;
          for (const dispatch of routed.dispatches) this.outbox.add(dispatch, alert);
          taken.push(alert.id);
        }
        if (state !== before) this.store.setRouter(state);
        besides();
      });
    } catch (error) {
      this.log(`alerts cannot be kept: ${(error as Error).message}`);
      for (const alert of alerts) this.sendDirectly(alert);
      throw error;
    }
    this.outbox.kick();
    if (this.options.onAlert !== undefined) {
      for (const id of taken) {
        const row = this.store.alert(id);
        if (row !== null) this.options.onAlert(row);
      }
    }
    return taken.length;
  }

  private keep(alert: Alert, verdict: Verdict, before: RouterState, after: RouterState): void {
    const { rule } = verdict;
    const now = this.now();
    this.store.tally(`taken.${alert.severity}`);
    switch (verdict.is) {
      case 'sent': {
        // a resolve belongs to the incident it ends
        const key = verdict.key in after.incidents || verdict.key in before.incidents ? verdict.key : null;
        this.store.insertAlert(alert, now, { rule, key, state: 'pending', reason: null });
        break;
      }
      case 'noted':
        this.store.insertAlert(alert, now, { rule, key: verdict.key, state: 'delivered', reason: null });
        this.store.tally('noted');
        break;
      case 'held':
        this.store.insertAlert(alert, now, { rule, key: null, state: 'held', reason: verdict.why });
        this.store.tally(`held.${verdict.why}`);
        break;
      case 'suppressed':
        this.store.insertAlert(alert, now, { rule, key: null, state: 'suppressed', reason: verdict.why });
        this.store.tally(`suppressed.${verdict.why}`);
        break;
    }
    if (alert.verb !== 'resolve') return;
    const ended = Object.keys(before.incidents).find((key) => !(key in after.incidents));
    if (ended !== undefined) this.store.markIncident(ended, 'resolved', 'the program', now);
  }

  /** Without the file there is no retry and no memory, but what is critical is not kept back for that. */
  private sendDirectly(alert: Alert): void {
    if (alert.severity !== 'critical' || this.sentDirectly.has(alert.id)) return;
    if (this.sentDirectly.size >= DIRECT_MOST) this.sentDirectly.clear();
    this.sentDirectly.add(alert.id);
    const { dispatches } = route(this.kept.last, EMPTY_ROUTER, alert, this.now());
    for (const dispatch of dispatches) this.outbox.sendNow(dispatch, alert);
  }

  /** What time brings: digests, escalations, the summary, retries. Called by itself after {@link start}. */
  tick(): void {
    this.quietly(() => {
      const now = this.now();
      const rules = this.kept.inForce();
      const before = this.store.router();
      const next = tick(rules, before, now);
      if (next.summary !== null) this.summarise(next.summary.day);
      const dayMoved = next.summary === null && next.state.summaryDay !== before.summaryDay;
      if (next.dispatches.length + next.digests.length + next.orphans.length > 0 || dayMoved) this.pass(null);
      this.outbox.expire();
      if (now - this.prunedAt > PRUNE_MS) {
        this.prunedAt = now;
        this.store.transaction(() => this.store.prune(now - KEPT_MS));
      }
    });
    this.outbox.kick();
  }

  /** Lets time pass in the router and keeps what comes of it. `summary` is the text for the day that is due. */
  private pass(summary: { day: string; title: string; body: string } | null): void {
    const now = this.now();
    this.store.transaction(() => {
      const before = this.store.router();
      const result = tick(this.kept.inForce(), before, now);
      const ready = result.summary !== null && result.summary.day === summary?.day;
      for (const dispatch of result.dispatches) this.outbox.add(dispatch, this.store.alert(dispatch.alertId));
      for (const id of result.orphans) {
        this.store.setAlertState(id, 'suppressed', 'rule-removed');
        this.store.tally('suppressed.rule-removed');
      }
      for (const { rule, alertIds, channels } of result.digests) {
        const rows = alertIds.map((id) => this.store.alert(id)).filter((row) => row !== null);
        const digest = digestOf(rule, rows.map(heldLine), now);
        this.sendOwn(digest, channels, rule);
        for (const { id } of rows) this.store.setAlertState(id, 'digested', digest.id);
        this.store.tally('digested', rows.length);
      }
      if (ready) this.sendOwn(summaryAlert(summary, now), result.summary!.channels, 'summary');
      // a summary whose text is not there yet stays due
      const summaryDay = result.summary === null || ready ? result.state.summaryDay : before.summaryDay;
      this.store.setRouter({ ...result.state, summaryDay });
    });
  }

  private sendOwn(alert: Alert, channels: readonly string[], rule: string): void {
    const key = `${alert.kind}/${alert.id}`;
    if (!this.store.insertAlert(alert, this.now(), { rule, key: null, state: 'pending', reason: null }))
      return;
    const dispatch: Dispatch = { alertId: alert.id, verb: 'trigger', key, channels, why: 'rule' };
    this.outbox.add(dispatch, alert);
  }

  private summarise(day: string): void {
    if (this.summarising) return;
    this.summarising = true;
    const text = this.options.summarise?.(day) ?? Promise.resolve({ title: `summary of ${day}`, body: '' });
    text
      .catch((error: unknown) => ({
        title: `the summary of ${day} could not be made`,
        body: (error as Error).message,
      }))
      .then(({ title, body }) => this.quietly(() => this.pass({ day, title, body })))
      .finally(() => {
        this.summarising = false;
        this.outbox.kick();
      });
  }

  /** Somebody looks after it: nobody else is woken. Null for an unknown id. */
  acknowledge(id: string, by: string): AlertRow | null {
    return this.act(id, 'acknowledged', by);
  }

  /** A person says it is over. Null for an unknown id. */
  resolve(id: string, by: string): AlertRow | null {
    return this.act(id, 'resolved', by);
  }

  private act(id: string, what: 'acknowledged' | 'resolved', by: string): AlertRow | null {
    this.store.transaction(() => {
      const row = this.store.alert(id);
      if (row === null || row.key === null) return;
      const state = this.store.router();
      const done = what === 'acknowledged' ? acknowledge(state, row.key) : close(state, row.key);
      if (done !== null) {
        this.store.setRouter(done.state);
        this.outbox.add(done.dispatch, this.store.alert(done.dispatch.alertId) ?? row);
      }
      this.store.markIncident(row.key, what, by, this.now());
    });
    this.outbox.kick();
    return this.store.alert(id);
  }

  /** Sends a test to one channel or all, whatever the rules say; the id is that of the alert to look for. */
  test(by: string, channel: string | null = null): string {
    const now = this.now();
    const id = `test-${now}`;
    const names = this.options.channels
      .map((c) => c.name)
      .filter((name) => channel === null || name === channel);
    const alert = testAlert(id, by, now);
    this.store.transaction(() => {
      const state = names.length === 0 ? 'delivered' : 'pending';
      if (!this.store.insertAlert(alert, now, { rule: 'test', key: null, state, reason: null })) return;
      for (const verb of ['trigger', 'resolve'] as const) {
        // a pager would go on ringing
        const to = names.filter((name) => verb === 'trigger' || this.outbox.rings(name));
        this.outbox.add({ alertId: id, verb, key: id, channels: to, why: 'rule' }, alert);
      }
    });
    this.outbox.kick();
    return id;
  }

  alerts(filter: AlertFilter = {}): AlertRow[] {
    return this.store.alerts(filter);
  }

  alert(id: string): AlertRow | null {
    return this.store.alert(id);
  }

  deliveries(filter: DeliveryFilter = {}): DeliveryRow[] {
    return this.store.deliveries(filter);
  }

  /** How many were taken, noted, held, digested, suppressed by reason, delivered, retried. */
  counts(): Record<string, number> {
    return this.store.counts();
  }

  /** How many deliveries wait, for each channel. */
  waiting(): Record<string, number> {
    return this.store.waiting();
  }

  get channels(): readonly AlertChannel[] {
    return this.options.channels;
  }

  /** The rules that are followed, and whether they were set here or come from the configuration. */
  rules(): { rules: RulesInForce; from: 'console' | 'configuration' } {
    const rules = this.kept.inForce();
    return { rules, from: this.kept.isSet ? 'console' : 'configuration' };
  }

  /**
   * Puts other rules in force, in every process that uses the file; null gives back those of the configuration. Throws
   * {@link InputError} for rules that name no channel.
   */
  setRules(rules: AlertRules | null): void {
    this.kept.set(rules);
  }

  /** Small facts that other parts of alerting keep over a restart. */
  remember(name: string, value: string): void {
    this.store.setSetting(`memo.${name}`, value);
  }

  remembered(name: string): string | null {
    return this.store.setting(`memo.${name}`);
  }

  private saveCursors(): void {
    this.store.transaction(() => {
      for (const [name, { next }] of this.cursors) {
        const cut = name.indexOf('/');
        this.store.setCursor(name.slice(0, cut), name.slice(cut + 1), next);
      }
    });
  }

  /** A file that is locked or full for a moment: the next look comes soon. */
  private quietly(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.log(`alerts: ${(error as Error).message}`);
    }
  }
}
