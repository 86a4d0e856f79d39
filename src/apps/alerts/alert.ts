import type { AlertMessage } from '#adapters';
import type { Instant } from '#base';
import type { Severity } from '#engine';

/** Something worth telling, before anybody decided whom. */
export interface Alert {
  /** Unique; the same happening taken twice has the same one. */
  readonly id: string;
  readonly verb: 'trigger' | 'resolve';
  readonly at: Instant;
  readonly severity: Severity;
  readonly kind: string;
  /** What it is about, within the portfolio: what is resolved has the subject of what was triggered. */
  readonly subject: string;
  readonly portfolio: string | null;
  readonly desk: string | null;
  readonly instrument: string | null;
  readonly title: string;
  readonly body: string;
  readonly details: Readonly<Record<string, string>>;
  /** `at` is a time of the wall clock, not of a tape. */
  readonly live: boolean;
  /** Tells the worse of two alerts of one severity, such as SHUTDOWN from HALT; 0 unless given. */
  readonly weight?: number;
}

const RANK: Record<Severity, number> = { info: 0, warning: 1, critical: 2 };

export const rankOf = (severity: Severity): number => RANK[severity];

type Gravity = Pick<Alert, 'severity' | 'weight'>;

/** Whether one is worse than another. */
export function isWorse(one: Gravity, other: Gravity): boolean {
  const ranks = rankOf(one.severity) - rankOf(other.severity);
  return ranks > 0 || (ranks === 0 && (one.weight ?? 0) > (other.weight ?? 0));
}

/** What an alert is about, over all portfolios. */
export const identityOf = ({ portfolio, subject }: Pick<Alert, 'portfolio' | 'subject'>): string =>
  `${portfolio ?? ''}/${subject}`;

/** An alert as it leaves, under the key of its incident. */
export function messageOf(alert: Alert, verb: AlertMessage['verb'], key: string): AlertMessage {
  const { subject: _, live: __, weight: ___, ...rest } = alert;
  return { ...rest, verb, key };
}
