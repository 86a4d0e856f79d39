import type { Instant } from '#base';
import type { Severity } from '#engine';
import { type Alert, rankOf } from './alert.ts';
import type { AlertRow } from './alert-tables.ts';

/** An alert that was held back, as far as a digest tells of it. */
export interface HeldLine {
  readonly severity: Severity;
  readonly kind: string;
  readonly portfolio: string | null;
  readonly title: string;
}

const LINES_MOST = 25;

export const heldLine = ({ severity, kind, portfolio, title }: AlertRow): HeldLine => ({
  severity,
  kind,
  portfolio,
  title,
});

/** One message about everything a rule held back: the worst first, repetitions counted, the rest as numbers by kind. */
export function digestOf(rule: string, held: readonly HeldLine[], now: Instant): Alert {
  const groups = new Map<string, { line: HeldLine; count: number }>();
  for (const line of held) {
    const key = `${line.portfolio}/${line.title}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { line, count: 1 });
    else group.count += 1;
  }
  const sorted = [...groups.values()].sort(
    (a, b) => rankOf(b.line.severity) - rankOf(a.line.severity) || b.count - a.count,
  );
  const lines = sorted.slice(0, LINES_MOST).map(({ line, count }) => {
    const where = line.portfolio === null ? '' : `${line.portfolio}: `;
    return `${count === 1 ? '' : `${count} x `}${where}${line.title}`;
  });
  const rest = new Map<string, number>();
  for (const { line, count } of sorted.slice(LINES_MOST))
    rest.set(line.kind, (rest.get(line.kind) ?? 0) + count);
  if (rest.size > 0) lines.push(`and ${[...rest].map(([kind, n]) => `${n} ${kind}`).join(', ')}`);
  const worst = sorted[0]?.line.severity ?? 'info';
  const id = `digest-${rule}-${now}`;
  return {
    id,
    verb: 'trigger',
    at: now,
    severity: worst,
    kind: 'digest',
    subject: id,
    portfolio: null,
    desk: null,
    instrument: null,
    title: `${held.length} ${held.length === 1 ? 'alert' : 'alerts'} held back by rule ${rule}`,
    body: lines.join('\n'),
    details: {},
    live: true,
  };
}
