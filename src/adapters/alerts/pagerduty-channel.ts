import { sha256 } from '#base';
import {
  type AlertChannel,
  type AlertMessage,
  type AlertVerb,
  cutText,
  type SendOutcome,
  safeReason,
} from './channel.ts';
import { messageUrl, postJson } from './http-post.ts';

export interface PagerDutyOptions {
  readonly name: string;
  /** 32 characters; it is the secret. */
  readonly routingKey: string;
  /** Where the service is; `https://events.eu.pagerduty.com` in Europe. */
  readonly baseUrl?: string;
  /** What `source` says: the machine or installation. */
  readonly source: string;
  /** A link to the console; none unless given. */
  readonly consoleUrl?: string;
  readonly timeoutMs?: number;
}

const SUMMARY_MOST = 1_024;
const KEY_MOST = 255;
const DETAIL_MOST = 4_000;
const DETAILS_MOST = 60;

/**
 * PagerDuty Events v2. The dedup key makes a repeated send harmless. 202 is delivered; 400 and other refusals are final;
 * 429 and 5xx come again later.
 */
export class PagerDutyChannel implements AlertChannel {
  readonly name: string;
  readonly kind = 'pagerduty';
  readonly verbs: readonly AlertVerb[] = ['trigger', 'acknowledge', 'resolve'];
  private readonly options: PagerDutyOptions;
  private readonly url: URL;

  constructor(options: PagerDutyOptions) {
    this.name = options.name;
    this.options = options;
    const base = messageUrl(options.baseUrl ?? 'https://events.pagerduty.com', `channel ${options.name}`);
    this.url = new URL(`${base.href.replace(/\/$/, '')}/v2/enqueue`);
  }

  async send(message: AlertMessage, signal?: AbortSignal): Promise<SendOutcome> {
    const { routingKey, timeoutMs = 10_000 } = this.options;
    if (!/^[\w-]{32}$/.test(routingKey))
      return { is: 'refused', reason: 'the routing key has not 32 characters' };
    const body = JSON.stringify(pagerDutyEvent(message, this.options));
    const answer = await postJson({ url: this.url, body, headers: {}, timeoutMs, signal });
    if (answer.status === null) return { is: 'retry', reason: answer.reason, afterMs: null };
    const { status, text, retryAfterMs } = answer;
    if (status === 202) return { is: 'delivered', reference: dedupKey(message.key) };
    const reason = safeReason(`PagerDuty answered ${status}: ${text}`, [routingKey]);
    if (status === 429 || status >= 500) return { is: 'retry', reason, afterMs: retryAfterMs };
    return { is: 'refused', reason };
  }
}

/** Keys longer than the service allows are told apart by their hash. */
export function dedupKey(key: string): string {
  return key.length <= KEY_MOST ? key : `${key.slice(0, KEY_MOST - 17)}#${sha256(key).slice(0, 16)}`;
}

/** The JSON of an event; acknowledge and resolve need no payload. */
export function pagerDutyEvent(
  message: AlertMessage,
  { routingKey, source, consoleUrl }: Pick<PagerDutyOptions, 'routingKey' | 'source' | 'consoleUrl'>,
): Record<string, unknown> {
  const head = {
    routing_key: routingKey,
    event_action: message.verb,
    dedup_key: dedupKey(message.key),
  };
  if (message.verb !== 'trigger') return head;
  const { at, severity, kind, portfolio, desk, instrument, title, body, details } = message;
  const custom: Record<string, string> = { id: message.id };
  if (body !== '') custom.text = cutText(body, DETAIL_MOST);
  if (instrument !== null) custom.instrument = instrument;
  for (const [name, value] of Object.entries(details).slice(0, DETAILS_MOST))
    custom[name] = cutText(value, DETAIL_MOST);
  return {
    ...head,
    client: 'quorum',
    ...(consoleUrl === undefined ? {} : { client_url: consoleUrl }),
    payload: {
      summary: cutText(portfolio === null ? title : `${portfolio}: ${title}`, SUMMARY_MOST),
      source,
      severity,
      timestamp: new Date(at).toISOString(),
      class: kind,
      ...(portfolio === null ? {} : { group: portfolio }),
      ...(desk === null ? {} : { component: desk }),
      custom_details: custom,
    },
  };
}
