import { InputError } from '#base';

/** What an HTTP server answered, or why nothing came. */
export type PostAnswer =
  | {
      readonly status: number;
      readonly text: string;
      /** What a `Retry-After` header asks for; null without one. */
      readonly retryAfterMs: number | null;
    }
  | { readonly status: null; readonly reason: string };

export interface PostRequest {
  readonly url: URL;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Room for a hundred updates of Telegram. */
const ANSWER_MOST = 1024 * 1024;
const RETRY_AFTER_MOST_MS = 3_600_000;

const isLoopback = (host: string) =>
  host === 'localhost' || host === '[::1]' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

/** True for a host that never leaves this machine. */
export const loopbackHost = isLoopback;

/** An address for messages: https, or plain http to this machine only. Throws {@link InputError}. */
export function messageUrl(text: string, what: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new InputError(`${what}: the address is not a URL`, 'give one that begins with https://');
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url;
  throw new InputError(
    `${what}: ${url.protocol}//${url.hostname} is not encrypted`,
    'give an https:// address',
  );
}

/** Posts JSON. Follows no redirect, reads a bounded answer, never throws. Reasons hold no address: it may be a secret. */
export async function postJson({ url, body, headers, timeoutMs, signal }: PostRequest): Promise<PostAnswer> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'quorum', ...headers },
      redirect: 'manual',
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    });
    const text = await boundedText(response);
    return { status: response.status, text, retryAfterMs: retryAfter(response.headers.get('retry-after')) };
  } catch (error) {
    return {
      status: null,
      reason: limit.aborted ? `no answer within ${timeoutMs} ms` : networkReason(error),
    };
  }
}

async function boundedText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    if (text.length < ANSWER_MOST) continue;
    await reader.cancel();
    return text.slice(0, ANSWER_MOST);
  }
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3), in milliseconds from now; null for anything else. */
export function retryAfter(header: string | null, now = Date.now()): number | null {
  if (header === null) return null;
  const wait = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(wait) ? Math.min(Math.max(0, wait), RETRY_AFTER_MOST_MS) : null;
}

/** The code of a network error without the address it was about. */
export function networkReason(error: unknown): string {
  const seen = new Set<unknown>();
  for (let one: unknown = error; one instanceof Error && !seen.has(one); one = one.cause) {
    seen.add(one);
    const { code } = one as NodeJS.ErrnoException;
    if (typeof code === 'string' && /^[A-Z_0-9]+$/.test(code)) return `network: ${code}`;
  }
  return error instanceof Error && error.name === 'AbortError' ? 'stopped' : 'network error';
}
