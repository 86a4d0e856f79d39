import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  type AlertChannel,
  type AlertMessage,
  type AlertVerb,
  type SendOutcome,
  safeReason,
} from './channel.ts';
import { messageUrl, postJson } from './http-post.ts';

export interface WebhookOptions {
  readonly name: string;
  readonly url: string;
  readonly secret: string;
  readonly timeoutMs?: number;
  readonly now?: () => number;
}

/** Headers of a call. The id is that of the message, the same for every retry; the timestamp is in seconds. */
export const WEBHOOK_HEADERS = {
  id: 'x-quorum-id',
  timestamp: 'x-quorum-timestamp',
  signature: 'x-quorum-signature',
} as const;

/** `v1=` and the hexadecimal HMAC-SHA256 of `TIMESTAMP.BODY` under the secret. */
export function webhookSignature(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** What a receiver does: the signature is right and the call is not older than `withinSeconds`. */
export function webhookIsGenuine(
  secret: string,
  call: { readonly timestamp: string; readonly signature: string; readonly body: string },
  now: number,
  withinSeconds = 300,
): boolean {
  const given = Buffer.from(call.signature);
  const wanted = Buffer.from(webhookSignature(secret, call.timestamp, call.body));
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return false;
  return Math.abs(now / 1_000 - Number(call.timestamp)) <= withinSeconds;
}

/**
 * A signed call to any receiver. 2xx is delivered; 408, 425, 429, 5xx and silence come again; a redirect is not
 * followed, since it would take the signed body elsewhere.
 */
export class WebhookChannel implements AlertChannel {
  readonly name: string;
  readonly kind = 'webhook';
  readonly verbs: readonly AlertVerb[] = ['trigger', 'acknowledge', 'resolve'];
  private readonly options: WebhookOptions;
  private readonly url: URL;

  constructor(options: WebhookOptions) {
    this.name = options.name;
    this.options = options;
    this.url = messageUrl(options.url, `channel ${options.name}`);
  }

  async send(message: AlertMessage, signal?: AbortSignal): Promise<SendOutcome> {
    const { secret, timeoutMs = 10_000, now = Date.now } = this.options;
    const body = JSON.stringify({ version: 1, ...message });
    const timestamp = String(Math.floor(now() / 1_000));
    const headers = {
      [WEBHOOK_HEADERS.id]: headerText(`${message.id}.${message.verb}`),
      [WEBHOOK_HEADERS.timestamp]: timestamp,
      [WEBHOOK_HEADERS.signature]: webhookSignature(secret, timestamp, body),
    };
    const answer = await postJson({ url: this.url, body, headers, timeoutMs, signal });
    if (answer.status === null) return { is: 'retry', reason: answer.reason, afterMs: null };
    const { status, text, retryAfterMs } = answer;
    if (status >= 200 && status < 300) return { is: 'delivered', reference: String(status) };
    const reason = safeReason(`the receiver answered ${status}: ${text}`, [secret, this.url.href]);
    const later = status === 408 || status === 425 || status === 429 || status >= 500;
    return later ? { is: 'retry', reason, afterMs: retryAfterMs } : { is: 'refused', reason };
  }
}

const headerText = (text: string) => text.replace(/[^\x21-\x7e]/g, '_');
