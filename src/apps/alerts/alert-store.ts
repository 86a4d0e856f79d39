import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { type AlertVerb, makeFolder } from '#adapters';
import { InputError, type Instant } from '#base';
import type { Severity } from '#engine';
import type { Alert } from './alert.ts';
import {
  ALERT_TABLES,
  type AlertRow,
  type AlertState,
  alertRow,
  type DeliveryRow,
  deliveryRow,
  type SqlRow,
  STANDING_SQL,
  type Standing,
} from './alert-tables.ts';
import { EMPTY_ROUTER, type RouterState } from './router.ts';

export interface NewDelivery {
  readonly alertId: string;
  readonly channel: string;
  readonly verb: AlertVerb;
  readonly key: string;
  readonly why: string;
  readonly severity: Severity;
}

export interface AlertFilter {
  readonly state?: AlertState;
  readonly severity?: Severity;
  readonly kind?: string;
  readonly portfolio?: string;
  /** How it stands as an incident; see {@link standingOf}. */
  readonly standing?: Standing;
  /** Only what is older than the alert with this seq. */
  readonly before?: number;
  readonly limit?: number;
}

export interface DeliveryFilter {
  readonly alertId?: string;
  readonly channel?: string;
  readonly state?: DeliveryRow['state'];
  readonly before?: number;
  readonly limit?: number;
}

const VERSION = 1;
/** Short: whoever waits for another process here holds up everything else of its own. */
const BUSY_MS = 250;
const LIMIT = 50;
const LIMIT_MOST = 1_000;

/**
 * What alerting keeps: alerts, deliveries, how far each journal was read, what the router remembers. Tables begin with
 * `alert_` and may share a database file with others. Processes may share it: every change is one transaction that
 * holds the write lock from its beginning.
 */
export class AlertStore {
  readonly file: string;
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(
    file: string,
    { readOnly = false, busyMs = BUSY_MS }: { readOnly?: boolean; busyMs?: number } = {},
  ) {
    this.file = file;
    if (!readOnly) makeFolder(dirname(file));
    this.database = new DatabaseSync(file, { readOnly, timeout: busyMs });
    if (readOnly) return;
    // FULL: that somebody was told, or has acknowledged, is known from no other file
    this.database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    this.transaction(() => {
      this.database.exec(ALERT_TABLES);
      const version = Number(this.setting('version') ?? VERSION);
      if (version > VERSION) {
        throw new InputError(`${file} was written by a newer version of the program`, 'start that version');
      }
      this.setSetting('version', String(VERSION));
    });
  }

  close(): void {
    this.statements.clear();
    this.database.close();
  }

  /** All of it or nothing; other processes wait. Must not be nested. */
  transaction<T>(work: () => T): T {
    this.database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.database.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
      throw error;
    }
  }

  private prepared(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  private run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.prepared(sql).run(...values).changes);
  }

  private all(sql: string, ...values: SQLInputValue[]): SqlRow[] {
    return this.prepared(sql).all(...values) as SqlRow[];
  }

  private get(sql: string, ...values: SQLInputValue[]): SqlRow | undefined {
    return this.prepared(sql).get(...values) as SqlRow | undefined;
  }

  setting(name: string): string | null {
    const row = this.get('SELECT value FROM alert_settings WHERE name = ?', name);
    return row === undefined ? null : String(row.value);
  }

  setSetting(name: string, value: string | null): void {
    if (value === null) this.run('DELETE FROM alert_settings WHERE name = ?', name);
    else
      this.run(
        'INSERT INTO alert_settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        name,
        value,
      );
  }

  router(): RouterState {
    const text = this.setting('router');
    return text === null ? EMPTY_ROUTER : (JSON.parse(text) as RouterState);
  }

  setRouter(state: RouterState): void {
    this.setSetting('router', JSON.stringify(state));
  }

  /** Position of the first entry of a journal that was not taken yet. */
  cursor(portfolio: string, run: string): number {
    const row = this.get('SELECT next FROM alert_cursors WHERE portfolio = ? AND run = ?', portfolio, run);
    return row === undefined ? 0 : Number(row.next);
  }

  setCursor(portfolio: string, run: string, next: number): void {
    this.run(
      `INSERT INTO alert_cursors (portfolio, run, next) VALUES (?, ?, ?)
       ON CONFLICT (portfolio, run) DO UPDATE SET next = max(next, excluded.next)`,
      portfolio,
      run,
      next,
    );
  }

  /** False when it is there already. */
  insertAlert(
    alert: Alert,
    takenAt: Instant,
    found: { rule: string | null; key: string | null; state: AlertState; reason: string | null },
  ): boolean {
    const { id, verb, at, severity, kind, subject, portfolio, desk, instrument, title, body, details, live } =
      alert;
    const changed = this.run(
      `INSERT INTO alert_alerts (id, verb, at, taken_at, severity, kind, subject, portfolio, desk, instrument, title,
         body, details, live, rule, key, state, reason)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      ...[id, verb, at, takenAt, severity, kind, subject, portfolio, desk, instrument, title, body],
      ...[JSON.stringify(details), live ? 1 : 0, found.rule, found.key, found.state, found.reason],
    );
    return changed === 1;
  }

  hasAlert(id: string): boolean {
    return this.get('SELECT 1 AS one FROM alert_alerts WHERE id = ?', id) !== undefined;
  }

  alert(id: string): AlertRow | null {
    const row = this.get('SELECT * FROM alert_alerts WHERE id = ?', id);
    return row === undefined ? null : alertRow(row);
  }

  setAlertState(id: string, state: AlertState, reason: string | null): void {
    this.run('UPDATE alert_alerts SET state = ?, reason = ? WHERE id = ?', state, reason, id);
  }

  /** Marks what is open under a key. */
  markIncident(key: string, what: 'acknowledged' | 'resolved', by: string, at: Instant): number {
    return this.run(
      `UPDATE alert_alerts SET ${what}_by = ?, ${what}_at = ? WHERE key = ? AND ${what}_at IS NULL AND resolved_at IS NULL`,
      by,
      at,
      key,
    );
  }

  alerts(filter: AlertFilter = {}): AlertRow[] {
    const { where, values } = conditions({
      'state = ?': filter.state,
      'severity = ?': filter.severity,
      'kind = ?': filter.kind,
      'portfolio = ?': filter.portfolio,
      'seq < ?': filter.before,
    });
    if (filter.standing !== undefined) where.push(STANDING_SQL[filter.standing]);
    const sql = `SELECT * FROM alert_alerts ${clause(where)} ORDER BY seq DESC LIMIT ?`;
    return this.all(sql, ...values, limited(filter.limit)).map(alertRow);
  }

  insertDelivery(given: NewDelivery, now: Instant): void {
    const { alertId, channel, verb, key, why, severity } = given;
    this.run(
      `INSERT INTO alert_deliveries (alert_id, channel, verb, key, why, severity, state, attempts, next_at, claimed,
         created_at, refused, fell_back) VALUES (?, ?, ?, ?, ?, ?, 'pending', 0, ?, 0, ?, 0, 0)`,
      ...[alertId, channel, verb, key, why, severity, now, now],
    );
  }

  deliveries(filter: DeliveryFilter = {}): DeliveryRow[] {
    const { where, values } = conditions({
      'alert_id = ?': filter.alertId,
      'channel = ?': filter.channel,
      'state = ?': filter.state,
      'id < ?': filter.before,
    });
    const sql = `SELECT * FROM alert_deliveries ${clause(where)} ORDER BY id DESC LIMIT ?`;
    return this.all(sql, ...values, limited(filter.limit)).map(deliveryRow);
  }

  /** Deliveries of one message of one alert. */
  siblings(alertId: string, verb: AlertVerb): DeliveryRow[] {
    return this.all('SELECT * FROM alert_deliveries WHERE alert_id = ? AND verb = ?', alertId, verb).map(
      deliveryRow,
    );
  }

  /**
   * The delivery a channel should send next, critical ones first; null when none is due. What concerns one incident
   * leaves in order: a resolve waits for its triggers, a new trigger for the resolve before it.
   */
  due(channel: string, now: Instant, criticalOnly: boolean): DeliveryRow | null {
    const row = this.get(
      `SELECT * FROM alert_deliveries AS d
       WHERE state = 'pending' AND channel = ? AND next_at <= ? ${criticalOnly ? "AND severity = 'critical'" : ''}
         AND NOT EXISTS (SELECT 1 FROM alert_deliveries AS o
           WHERE o.state = 'pending' AND o.channel = d.channel AND o.key = d.key AND o.id < d.id
             AND (d.verb <> 'trigger' OR o.verb <> 'trigger'))
       ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, id LIMIT 1`,
      channel,
      now,
    );
    return row === undefined ? null : deliveryRow(row);
  }

  /** Takes a delivery for a while; false when another process was quicker. */
  claim({ id, nextAt, attempts }: DeliveryRow, until: Instant): boolean {
    return (
      this.run(
        `UPDATE alert_deliveries SET next_at = ?, claimed = 1, attempts = attempts + 1
         WHERE id = ? AND state = 'pending' AND next_at = ? AND attempts = ?`,
        until,
        id,
        nextAt,
        attempts,
      ) === 1
    );
  }

  /** What a process was sending when it was killed is due at once. */
  releaseClaims(now: Instant): void {
    this.run(
      "UPDATE alert_deliveries SET next_at = ?, claimed = 0 WHERE state = 'pending' AND claimed = 1",
      now,
    );
  }

  delivered(id: number, at: Instant, reference: string | null): void {
    this.run(
      `UPDATE alert_deliveries SET state = 'delivered', delivered_at = ?, reference = ?, last_error = NULL WHERE id = ?`,
      at,
      reference,
      id,
    );
  }

  failed(id: number, nextAt: Instant, error: string, refused: boolean): void {
    this.run(
      'UPDATE alert_deliveries SET next_at = ?, claimed = 0, last_error = ?, refused = ? WHERE id = ?',
      nextAt,
      error,
      refused ? 1 : 0,
      id,
    );
  }

  abandoned(id: number): void {
    this.run("UPDATE alert_deliveries SET state = 'abandoned' WHERE id = ? AND state = 'pending'", id);
  }

  fellBack(id: number): void {
    this.run('UPDATE alert_deliveries SET fell_back = 1 WHERE id = ?', id);
  }

  /** What waits for a channel that nobody configures any more goes to those there are. */
  pendingFor(notAmong: readonly string[]): DeliveryRow[] {
    const marks = notAmong.map(() => '?').join(', ');
    const sql = `SELECT * FROM alert_deliveries WHERE state = 'pending' AND channel NOT IN (${marks}) ORDER BY id LIMIT 1000`;
    return this.all(sql, ...notAmong).map(deliveryRow);
  }

  /** Pending news that is older than `before`. */
  expired(before: Instant): DeliveryRow[] {
    return this.all(
      "SELECT * FROM alert_deliveries WHERE state = 'pending' AND severity = 'info' AND created_at < ? ORDER BY id LIMIT 1000",
      before,
    ).map(deliveryRow);
  }

  /** Finished alerts and deliveries from before a time are forgotten. */
  prune(before: Instant): void {
    this.run("DELETE FROM alert_alerts WHERE taken_at < ? AND state NOT IN ('pending', 'held')", before);
    this.run(
      `DELETE FROM alert_deliveries WHERE state <> 'pending' AND created_at < ?
         AND NOT EXISTS (SELECT 1 FROM alert_alerts WHERE alert_alerts.id = alert_id)`,
      before,
    );
  }

  tally(what: string, by = 1): void {
    this.run(
      'INSERT INTO alert_counts (what, count) VALUES (?, ?) ON CONFLICT (what) DO UPDATE SET count = count + excluded.count',
      what,
      by,
    );
  }

  counts(): Record<string, number> {
    const rows = this.all('SELECT what, count FROM alert_counts ORDER BY what');
    return Object.fromEntries(rows.map((row) => [String(row.what), Number(row.count)]));
  }

  /** How many deliveries wait, for each channel. */
  waiting(): Record<string, number> {
    const rows = this.all(
      "SELECT channel, count(*) AS n FROM alert_deliveries WHERE state = 'pending' GROUP BY channel",
    );
    return Object.fromEntries(rows.map((row) => [String(row.channel), Number(row.n)]));
  }
}

function conditions(given: Readonly<Record<string, SQLInputValue | undefined>>) {
  const wanted = Object.entries(given).filter(([, value]) => value !== undefined);
  return { where: wanted.map(([sql]) => sql), values: wanted.map(([, value]) => value as SQLInputValue) };
}

const clause = (where: readonly string[]) => (where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`);
const limited = (limit = LIMIT) => Math.min(Math.max(1, Math.trunc(limit)), LIMIT_MOST);
