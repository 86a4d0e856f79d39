import type { SQLInputValue } from 'node:sqlite';
import type { AlertVerb } from '#adapters';
import type { Instant } from '#base';
import type { Severity } from '#engine';
import type { Alert } from './alert.ts';

/** Where an alert ended, or that it has not. */
export type AlertState = 'pending' | 'held' | 'delivered' | 'digested' | 'suppressed';

/** An alert with what became of it. */
export interface AlertRow extends Alert {
  /** Newest has the highest. */
  readonly seq: number;
  readonly takenAt: Instant;
  readonly rule: string | null;
  /** Key of its incident; null when it is none. */
  readonly key: string | null;
  readonly state: AlertState;
  /** Why it was held or suppressed; null otherwise. */
  readonly reason: string | null;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedAt: Instant | null;
  readonly resolvedBy: string | null;
  readonly resolvedAt: Instant | null;
}

/** How an alert stands as an incident: news is `resolved` from the beginning. */
export type Standing = 'open' | 'acknowledged' | 'resolved' | 'suppressed';

export function standingOf({ state, key, verb, acknowledgedAt, resolvedAt }: AlertRow): Standing {
  if (state === 'suppressed') return 'suppressed';
  if (key === null || verb === 'resolve' || resolvedAt !== null) return 'resolved';
  return acknowledgedAt === null ? 'open' : 'acknowledged';
}

const INCIDENT = "state <> 'suppressed' AND key IS NOT NULL AND verb = 'trigger' AND resolved_at IS NULL";

/** The same as a condition of a query. */
export const STANDING_SQL: Readonly<Record<Standing, string>> = {
  open: `${INCIDENT} AND acknowledged_at IS NULL`,
  acknowledged: `${INCIDENT} AND acknowledged_at IS NOT NULL`,
  resolved: "state <> 'suppressed' AND (key IS NULL OR verb = 'resolve' OR resolved_at IS NOT NULL)",
  suppressed: "state = 'suppressed'",
};

export interface DeliveryRow {
  readonly id: number;
  readonly alertId: string;
  readonly channel: string;
  readonly verb: AlertVerb;
  readonly key: string;
  readonly why: string;
  readonly severity: Severity;
  readonly state: 'pending' | 'delivered' | 'abandoned';
  readonly attempts: number;
  /** Not before. While it is being sent: when another may take it over. */
  readonly nextAt: Instant;
  readonly createdAt: Instant;
  readonly deliveredAt: Instant | null;
  readonly reference: string | null;
  readonly lastError: string | null;
  readonly refused: boolean;
  /** Another channel was asked instead. */
  readonly fellBack: boolean;
}

export type SqlRow = Record<string, SQLInputValue>;

/** All begin with `alert_`: the file may hold other tables. */
export const ALERT_TABLES = `
CREATE TABLE IF NOT EXISTS alert_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS alert_cursors (
  portfolio TEXT NOT NULL, run TEXT NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (portfolio, run)
) STRICT;
CREATE TABLE IF NOT EXISTS alert_alerts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  verb TEXT NOT NULL,
  at INTEGER NOT NULL,
  taken_at INTEGER NOT NULL,
  severity TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  portfolio TEXT,
  desk TEXT,
  instrument TEXT,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  details TEXT NOT NULL,
  live INTEGER NOT NULL,
  rule TEXT,
  key TEXT,
  state TEXT NOT NULL,
  reason TEXT,
  acknowledged_by TEXT,
  acknowledged_at INTEGER,
  resolved_by TEXT,
  resolved_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS alert_alerts_key ON alert_alerts (key, resolved_at);
CREATE TABLE IF NOT EXISTS alert_deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  alert_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  verb TEXT NOT NULL,
  key TEXT NOT NULL,
  why TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  claimed INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  delivered_at INTEGER,
  reference TEXT,
  last_error TEXT,
  refused INTEGER NOT NULL,
  fell_back INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS alert_deliveries_due ON alert_deliveries (state, channel, next_at);
CREATE INDEX IF NOT EXISTS alert_deliveries_alert ON alert_deliveries (alert_id);
CREATE TABLE IF NOT EXISTS alert_counts (what TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
`;

const text = (value: SQLInputValue | undefined) => (value == null ? null : String(value));
const whole = (value: SQLInputValue | undefined) => (value == null ? null : Number(value));

export function alertRow(row: SqlRow): AlertRow {
  return {
    seq: Number(row.seq),
    id: String(row.id),
    verb: row.verb as Alert['verb'],
    at: Number(row.at),
    takenAt: Number(row.taken_at),
    severity: row.severity as Severity,
    kind: String(row.kind),
    subject: String(row.subject),
    portfolio: text(row.portfolio),
    desk: text(row.desk),
    instrument: text(row.instrument),
    title: String(row.title),
    body: String(row.body),
    details: JSON.parse(String(row.details)) as Record<string, string>,
    live: row.live === 1,
    rule: text(row.rule),
    key: text(row.key),
    state: row.state as AlertState,
    reason: text(row.reason),
    acknowledgedBy: text(row.acknowledged_by),
    acknowledgedAt: whole(row.acknowledged_at),
    resolvedBy: text(row.resolved_by),
    resolvedAt: whole(row.resolved_at),
  };
}

export function deliveryRow(row: SqlRow): DeliveryRow {
  return {
    id: Number(row.id),
    alertId: String(row.alert_id),
    channel: String(row.channel),
    verb: row.verb as AlertVerb,
    key: String(row.key),
    why: String(row.why),
    severity: row.severity as Severity,
    state: row.state as DeliveryRow['state'],
    attempts: Number(row.attempts),
    nextAt: Number(row.next_at),
    createdAt: Number(row.created_at),
    deliveredAt: whole(row.delivered_at),
    reference: text(row.reference),
    lastError: text(row.last_error),
    refused: row.refused === 1,
    fellBack: row.fell_back === 1,
  };
}
