import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '#base';
import { loopbackHost, networkReason, retryAfter } from '../../alerts/http-post.ts';
import { UnreachableError } from '../../feeds/feed-clock.ts';

/** What a server answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

export interface Patience {
  /** How often a call is made before it is given up. Default 5. */
  readonly tries?: number;
  /** Default 30 s. */
  readonly timeoutMs?: number;
  /** Before the second try; twice that before the next, and so on. Default 500. */
  readonly firstWaitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What is meant where nothing is said. */
export const PATIENCE = { tries: 5, timeoutMs: 30_000, firstWaitMs: 500 } as const;

const WAIT_MOST_MS = 30_000;
/** An answer longer than this is none of those that are expected: model files are a few megabytes. */
const ANSWER_MOST = 512 * 1024 * 1024;

const mayPass = (status: number) => status === 408 || status === 429 || (status >= 500 && status !== 501);

/** An address of a server: https, or plain http to this machine, or where `plain` allows it. Throws {@link InputError}. */
export function serverUrl(text: string, plain = false): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new InputError(`"${text}" is no address`, 'write for example https://s3.example.com');
  }
  if (url.username !== '' || url.password !== '')
    throw new InputError('an address holds a password', 'name environment variables that hold it instead');
  if (url.protocol === 'https:') return url;
  if (url.protocol === 'http:' && (plain || loopbackHost(url.hostname))) return url;
  throw new InputError(`${url.origin} is not encrypted`, 'use https, or a server on this machine');
}

/**
 * Makes a call until it is answered: again after network errors, time-outs and answers that may pass (408, 429, 5xx), with growing
 * waits or the server's own. `make` is called anew for each try, since signatures age. Throws {@link UnreachableError} when all
 * tries are used up.
 */
export async function patientCall(
  make: () => Promise<Request> | Request,
  patience: Patience,
): Promise<HttpAnswer> {
  const { tries, timeoutMs, firstWaitMs, signal } = { ...PATIENCE, ...patience };
  let reason = '';
  for (let tried = 0; tried < tries; tried++) {
    signal?.throwIfAborted();
    const request = await make();
    const found = await once(request, timeoutMs, signal);
    if (typeof found !== 'string' && !mayPass(found.status)) return found;
    reason = typeof found === 'string' ? found : `status ${found.status}`;
    if (tried === tries - 1) break;
    const asked = typeof found === 'string' ? null : retryAfter(found.headers.get('retry-after'));
    await sleep(
      Math.min(WAIT_MOST_MS, asked ?? firstWaitMs * 2 ** tried),
      undefined,
      signal ? { signal } : {},
    );
  }
  const { origin } = new URL((await make()).url);
  throw new UnreachableError(
    `${origin} did not do what was asked in ${tries} tries: ${reason}`,
    'check the address and the server, then publish again: what arrived is not sent twice',
  );
}

async function once(
  request: Request,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer | string> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(request, {
      redirect: 'manual',
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    });
    return { status: response.status, headers: response.headers, bytes: await bounded(response) };
  } catch (error) {
    if (signal?.aborted) throw error;
    return limit.aborted ? `no answer within ${timeoutMs} ms` : networkReason(error);
  }
}

async function bounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (response.body === null) return new Uint8Array();
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > ANSWER_MOST) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export const answerText = ({ bytes }: HttpAnswer): string => Buffer.from(bytes).toString('utf8');
