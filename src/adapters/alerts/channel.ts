import type { Instant } from '#base';
import type { Severity } from '#engine';

/** What is to be said about an incident: it is there, somebody looks after it, it is over. */
export type AlertVerb = 'trigger' | 'acknowledge' | 'resolve';

/** One message on its way out. The same message sent twice has the same `id` and `verb`: receivers may drop the second. */
export interface AlertMessage {
  readonly id: string;
  readonly verb: AlertVerb;
  /** Incidents with one key are one incident. */
  readonly key: string;
  /** When it happened, as its source counts time. */
  readonly at: Instant;
  readonly severity: Severity;
  readonly kind: string;
  readonly portfolio: string | null;
  readonly desk: string | null;
  readonly instrument: string | null;
  /** One line. */
  readonly title: string;
  /** More lines, or nothing. */
  readonly body: string;
  readonly details: Readonly<Record<string, string>>;
}

/**
 * How a send ended. `retry` may succeed later (`afterMs`: not before; null when the receiver did not say), `refused` will
 * not before a person changes something. Reasons hold no secret and no address.
 */
export type SendOutcome =
  | { readonly is: 'delivered'; readonly reference: string | null }
  | { readonly is: 'retry'; readonly reason: string; readonly afterMs: number | null }
  | { readonly is: 'refused'; readonly reason: string };

/** A way out of the house. `send` never throws and ends within its own time limit. */
export interface AlertChannel {
  readonly name: string;
  readonly kind: 'telegram' | 'pagerduty' | 'webhook' | 'smtp' | 'absent';
  /** What can be said through it; the rest is not sent there. */
  readonly verbs: readonly AlertVerb[];
  send(message: AlertMessage, signal?: AbortSignal): Promise<SendOutcome>;
}

/** A channel that is named but cannot work, such as one whose secret is not set: it says so, and others are tried. */
export class AbsentChannel implements AlertChannel {
  readonly name: string;
  readonly kind = 'absent';
  readonly verbs: readonly AlertVerb[] = ['trigger', 'acknowledge', 'resolve'];
  private readonly reason: string;
  constructor(name: string, reason: string) {
    this.name = name;
    this.reason = reason;
  }
  async send(): Promise<SendOutcome> {
    return { is: 'refused', reason: this.reason };
  }
}

const REASON_MOST = 300;

/** A reason that may be logged: one short line without the secrets. */
export function safeReason(text: string, secrets: readonly string[] = []): string {
  let out = text;
  for (const secret of secrets) if (secret !== '') out = out.replaceAll(secret, '***');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a remote server said may hold them
  out = out.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  return cutText(out, REASON_MOST);
}

/** At most so many UTF-16 units, never half a character. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = most - 1;
  const half = /[\ud800-\udbff]/.test(text[end - 1] ?? '');
  return `${text.slice(0, half ? end - 1 : end)}…`;
}
