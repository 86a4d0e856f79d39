import type { AlertVerb } from '#adapters';
import { type Instant, SECOND } from '#base';
import type { Severity } from '#engine';
import { type Alert, identityOf, isWorse, rankOf } from './alert.ts';
import type { AlertRule, QuietHours, RulesInForce } from './alert-rules.ts';
import { localTime, minutesOf } from './local-time.ts';

/** Alerts with one key, from the first one sent until it is resolved. */
export interface Incident {
  readonly key: string;
  /** The alert that is sent again on escalation: the first, or a worse one that followed. */
  readonly alertId: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly weight: number;
  readonly openedAt: Instant;
  readonly lastSentAt: Instant;
  /** What is open under the key; it is resolved when nothing is. */
  readonly members: readonly string[];
  /** Everybody who was told. */
  readonly channels: readonly string[];
  /** Steps of the escalation taken. */
  readonly level: number;
  readonly acknowledged: boolean;
}

/** What a rule holds back for its digest. */
export interface Held {
  readonly ids: readonly string[];
  readonly since: Instant;
  readonly quiet: boolean;
}

/** All that routing remembers: plain data. */
export interface RouterState {
  readonly incidents: Readonly<Record<string, Incident>>;
  /** Times of the newest sends of each rule with a rate limit. */
  readonly sends: Readonly<Record<string, readonly Instant[]>>;
  readonly held: Readonly<Record<string, Held>>;
  /** Local day of the last summary; null before the first look at the clock. */
  readonly summaryDay: string | null;
}

export const EMPTY_ROUTER: RouterState = { incidents: {}, sends: {}, held: {}, summaryDay: null };

/** One alert to some channels. */
export interface Dispatch {
  readonly alertId: string;
  readonly verb: AlertVerb;
  readonly key: string;
  readonly channels: readonly string[];
  readonly why: 'rule' | 'escalation' | 'acknowledged' | 'resolved';
  /** How urgent it is when that is not the alert's own severity: the end of something critical is critical. */
  readonly severity?: Severity;
}

export type SuppressReason = 'duplicate' | 'acknowledged' | 'stale' | 'overflow' | 'expired' | 'rule-removed';

/** What became of an alert. `noted`: no channel is to hear of it, the console shows it. */
export type Verdict =
  | { readonly is: 'sent'; readonly rule: string; readonly key: string }
  | { readonly is: 'noted'; readonly rule: string | null; readonly key: string | null }
  | { readonly is: 'held'; readonly rule: string; readonly why: 'quiet-hours' | 'rate-limit' }
  | { readonly is: 'suppressed'; readonly rule: string | null; readonly why: SuppressReason };

export interface Routed {
  readonly state: RouterState;
  readonly verdict: Verdict;
  readonly dispatches: readonly Dispatch[];
}

/** What was held back, to be told as one message. */
export interface Digest {
  readonly rule: string;
  readonly alertIds: readonly string[];
  readonly channels: readonly string[];
}

export interface Ticked {
  readonly state: RouterState;
  readonly dispatches: readonly Dispatch[];
  readonly digests: readonly Digest[];
  /** Alerts whose rule is gone. */
  readonly orphans: readonly string[];
  /** Whom to send the summary of this local day; null: it is not due. */
  readonly summary: { readonly day: string; readonly channels: readonly string[] } | null;
}

const INCIDENTS_MOST = 1_000;
const MEMBERS_MOST = 200;
const HELD_MOST = 2_000;
const FORGET_MS = 7 * 86_400 * SECOND;

export function inQuietHours(now: Instant, { from, to, timeZone }: QuietHours): boolean {
  const { minutes } = localTime(now, timeZone);
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  return begin <= end ? minutes >= begin && minutes < end : minutes >= begin || minutes < end;
}

export function ruleFor(rules: readonly AlertRule[], alert: Alert): AlertRule | null {
  const holds = (wanted: readonly string[] | undefined, is: string | null) =>
    wanted === undefined || (is !== null && wanted.includes(is));
  return (
    rules.find(
      ({ match }) =>
        holds(match.severity, alert.severity) &&
        holds(match.kind, alert.kind) &&
        holds(match.portfolio, alert.portfolio) &&
        holds(match.desk, alert.desk),
    ) ?? null
  );
}

export function keyOf({ dedup }: AlertRule, alert: Alert): string {
  return dedup.key.replace(/\{(\w+)\}/g, (_, word: string) => {
    const value = alert[word as 'portfolio' | 'desk' | 'instrument' | 'kind' | 'subject'];
    return value ?? '-';
  });
}

/** Decides about one alert. */
export function route(rules: RulesInForce, state: RouterState, alert: Alert, now: Instant): Routed {
  if (alert.verb === 'resolve') return resolved(state, alert);
  const nothing = (verdict: Verdict, next = state): Routed => ({ state: next, verdict, dispatches: [] });
  const rule = ruleFor(rules.rules, alert);
  if (rule === null) return nothing({ is: 'noted', rule: null, key: null });
  const { name } = rule;
  const critical = alert.severity === 'critical';
  if (alert.live && !critical && now - alert.at > rules.staleSeconds * SECOND)
    return nothing({ is: 'suppressed', rule: name, why: 'stale' });
  const key = keyOf(rule, alert);
  const incident = state.incidents[key];
  if (incident !== undefined && !isWorse(alert, incident)) {
    const within = now - incident.lastSentAt < rule.dedup.windowSeconds * SECOND;
    if (within || incident.acknowledged) {
      const why = within ? 'duplicate' : 'acknowledged';
      return nothing({ is: 'suppressed', rule: name, why }, withMember(state, incident, alert));
    }
  }
  const incidents = withIncident(state, rule, key, alert, now);
  if (rule.channels.length === 0) {
    const opened = key in incidents ? key : null;
    return nothing({ is: 'noted', rule: name, key: opened }, { ...state, incidents });
  }
  const { quietHours, rateLimit } = rule;
  const rings = quietHours === undefined || rankOf(alert.severity) >= rankOf(quietHours.breakThrough);
  if (!rings && inQuietHours(now, quietHours)) return hold(state, rule, alert, now, 'quiet-hours');
  let { sends } = state;
  if (rateLimit !== undefined) {
    const recent = (sends[name] ?? []).filter((at) => now - at < rateLimit.perSeconds * SECOND);
    const limited = !critical || rateLimit.critical === 'limited';
    if (limited && recent.length >= rateLimit.count) return hold(state, rule, alert, now, 'rate-limit');
    sends = { ...sends, [name]: [...recent, now].slice(-rateLimit.count) };
  }
  const dispatch: Dispatch = {
    alertId: alert.id,
    verb: 'trigger',
    key,
    channels: rule.channels,
    why: 'rule',
  };
  return {
    state: { ...state, incidents, sends },
    verdict: { is: 'sent', rule: name, key },
    dispatches: [dispatch],
  };
}

/** The incident that holds something open; null when none does. */
export function incidentWith(state: RouterState, identity: string): Incident | null {
  return Object.values(state.incidents).find(({ members }) => members.includes(identity)) ?? null;
}

function resolved(state: RouterState, alert: Alert): Routed {
  const identity = identityOf(alert);
  const incident = incidentWith(state, identity);
  if (incident === null) return { state, verdict: { is: 'noted', rule: null, key: null }, dispatches: [] };
  const { key, rule, channels, severity } = incident;
  const members = incident.members.filter((one) => one !== identity);
  if (members.length > 0) {
    const incidents = { ...state.incidents, [key]: { ...incident, members } };
    return { state: { ...state, incidents }, verdict: { is: 'noted', rule, key: null }, dispatches: [] };
  }
  const next = { ...state, incidents: without(state.incidents, key) };
  if (channels.length === 0) return { state: next, verdict: { is: 'noted', rule, key }, dispatches: [] };
  const dispatch: Dispatch = { alertId: alert.id, verb: 'resolve', key, channels, why: 'resolved', severity };
  return { state: next, verdict: { is: 'sent', rule, key }, dispatches: [dispatch] };
}

/** Somebody looks after an incident: nobody else is woken. Null when there is none or it was said before. */
export function acknowledge(
  state: RouterState,
  key: string,
): { state: RouterState; dispatch: Dispatch } | null {
  const incident = state.incidents[key];
  if (incident === undefined || incident.acknowledged) return null;
  const incidents = { ...state.incidents, [key]: { ...incident, acknowledged: true } };
  const { alertId, channels } = incident;
  return {
    state: { ...state, incidents },
    dispatch: { alertId, verb: 'acknowledge', key, channels, why: 'acknowledged' },
  };
}

/** A person closes an incident whatever its source says. Null when there is none. */
export function close(state: RouterState, key: string): { state: RouterState; dispatch: Dispatch } | null {
  const incident = state.incidents[key];
  if (incident === undefined) return null;
  const { alertId, channels } = incident;
  return {
    state: { ...state, incidents: without(state.incidents, key) },
    dispatch: { alertId, verb: 'resolve', key, channels, why: 'resolved' },
  };
}

/** Somebody else was told of an incident, because a channel failed: they hear of its end as well. */
export function told(state: RouterState, key: string, channel: string): RouterState {
  const incident = state.incidents[key];
  if (incident === undefined || incident.channels.includes(channel)) return state;
  const channels = [...incident.channels, channel];
  return { ...state, incidents: { ...state.incidents, [key]: { ...incident, channels } } };
}

/** What time alone brings: digests, escalations, the daily summary. To be called about once a second. */
export function tick(rules: RulesInForce, state: RouterState, now: Instant): Ticked {
  const { held, digests, orphans } = flush(rules, state, now);
  const { incidents, dispatches } = escalate(rules, state, now);
  const { summaryDay, summary } = summaryDue(rules, state, now);
  return { state: { ...state, held, incidents, summaryDay }, dispatches, digests, orphans, summary };
}

function flush(rules: RulesInForce, { held }: RouterState, now: Instant) {
  const digests: Digest[] = [];
  const orphans: string[] = [];
  let left = held;
  for (const [name, { ids, since, quiet }] of Object.entries(held)) {
    const rule = rules.rules.find((one) => one.name === name);
    if (rule === undefined || rule.channels.length === 0) {
      orphans.push(...ids);
      left = without(left, name);
      continue;
    }
    if (rule.quietHours !== undefined && inQuietHours(now, rule.quietHours)) continue;
    if (!quiet && now - since < rules.digestSeconds * SECOND) continue;
    digests.push({ rule: name, alertIds: ids, channels: rule.channels });
    left = without(left, name);
  }
  return { held: left, digests, orphans };
}

function escalate(rules: RulesInForce, state: RouterState, now: Instant) {
  const dispatches: Dispatch[] = [];
  let { incidents } = state;
  for (const incident of Object.values(state.incidents)) {
    const { key, alertId, openedAt, acknowledged } = incident;
    if (now - incident.lastSentAt > FORGET_MS) {
      incidents = without(incidents, key);
      continue;
    }
    if (acknowledged) continue;
    const steps = rules.rules.find((one) => one.name === incident.rule)?.escalation ?? [];
    let { level, channels } = incident;
    for (let step = steps[level]; step !== undefined; step = steps[level]) {
      if (now - openedAt < step.afterSeconds * SECOND) break;
      dispatches.push({ alertId, verb: 'trigger', key, channels: step.channels, why: 'escalation' });
      channels = [...new Set([...channels, ...step.channels])];
      level += 1;
    }
    if (level !== incident.level) incidents = { ...incidents, [key]: { ...incident, level, channels } };
  }
  return { incidents, dispatches };
}

function summaryDue({ summary: wanted }: RulesInForce, { summaryDay }: RouterState, now: Instant) {
  if (wanted === undefined) return { summaryDay: null, summary: null };
  const { date, minutes } = localTime(now, wanted.timeZone);
  const past = minutes >= minutesOf(wanted.at);
  // one that begins after the hour waits for tomorrow; '' stands for "not today yet"
  if (summaryDay === null) return { summaryDay: past ? date : '', summary: null };
  if (!past || summaryDay >= date) return { summaryDay, summary: null };
  return { summaryDay: date, summary: { day: date, channels: wanted.channels } };
}

function hold(
  state: RouterState,
  { name }: AlertRule,
  alert: Alert,
  now: Instant,
  why: 'quiet-hours' | 'rate-limit',
): Routed {
  const before = state.held[name] ?? { ids: [], since: now, quiet: false };
  if (before.ids.length >= HELD_MOST)
    return { state, verdict: { is: 'suppressed', rule: name, why: 'overflow' }, dispatches: [] };
  const held: Held = {
    ids: [...before.ids, alert.id],
    since: before.since,
    quiet: before.quiet || why === 'quiet-hours',
  };
  return {
    state: { ...state, held: { ...state.held, [name]: held } },
    verdict: { is: 'held', rule: name, why },
    dispatches: [],
  };
}

function withMember(state: RouterState, incident: Incident, alert: Alert): RouterState {
  const members = joined(incident.members, identityOf(alert));
  if (members === incident.members) return state;
  return { ...state, incidents: { ...state.incidents, [incident.key]: { ...incident, members } } };
}

function withIncident(
  state: RouterState,
  rule: AlertRule,
  key: string,
  alert: Alert,
  now: Instant,
): RouterState['incidents'] {
  // news without repetition or escalation is no incident
  if (rule.dedup.windowSeconds === 0 && rule.escalation.length === 0) return state.incidents;
  const before = state.incidents[key];
  const worse = before === undefined || isWorse(alert, before);
  const incident: Incident = {
    key,
    alertId: worse ? alert.id : before.alertId,
    rule: rule.name,
    severity: worse ? alert.severity : before.severity,
    weight: worse ? (alert.weight ?? 0) : before.weight,
    openedAt: worse ? now : before.openedAt,
    lastSentAt: now,
    members: joined(before?.members ?? [], identityOf(alert)),
    channels: [...new Set([...(before?.channels ?? []), ...rule.channels])],
    level: worse ? 0 : before.level,
    acknowledged: worse ? false : before.acknowledged,
  };
  return bounded({ ...state.incidents, [key]: incident });
}

function joined(members: readonly string[], one: string): readonly string[] {
  return members.includes(one) || members.length >= MEMBERS_MOST ? members : [...members, one];
}

/** The one that was silent longest is forgotten first. */
function bounded(incidents: Readonly<Record<string, Incident>>): Readonly<Record<string, Incident>> {
  const all = Object.values(incidents);
  if (all.length <= INCIDENTS_MOST) return incidents;
  const oldest = all.reduce((a, b) => (b.lastSentAt < a.lastSentAt ? b : a));
  return without(incidents, oldest.key);
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  const { [key]: _, ...rest } = record;
  return rest;
}
