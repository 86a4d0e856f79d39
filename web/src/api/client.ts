import type { RequestOf, ResponseOf, RouteId } from '@contract';
import { PATHS, pathOf } from '@contract/paths';
import { Refused, refusalOf, unreachable } from './errors.ts';
import { createStore } from './store.ts';

// The headers of the contract; its module holds schemas and is not loaded here.
const CONFIRM_HEADER = 'x-quorum-confirm';
const CSRF_HEADER = 'x-quorum-csrf';
const TIMEOUT_MS = 20_000;

type Part<N extends string, V> = [V] extends [undefined]
  ? { readonly [K in N]?: undefined }
  : Record<never, never> extends V
    ? { readonly [K in N]?: V }
    : { readonly [K in N]: V };

/** What a call of a route must and may be given, by the contract. */
export type Sending<K extends RouteId> = Part<'params', RequestOf<K>['params']> &
  Part<'query', RequestOf<K>['query']> &
  Part<'body', RequestOf<K>['body']>;

export interface Manner {
  readonly signal?: AbortSignal;
  /** Token of the second confirmation. */
  readonly confirm?: string;
  /** How long to wait for the answer, ms; 20 s unless given. */
  readonly timeoutMs?: number;
}

type Loose = {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
};

/** Routes may be called without a second argument when nothing in it is required. */
type Rest<K extends RouteId> =
  Record<never, never> extends Sending<K>
    ? [sent?: Sending<K>, manner?: Manner]
    : [sent: Sending<K>, manner?: Manner];

/** The token that every changing request must carry; known after log in. */
export const csrf = createStore<string | null>(null);

/** Told when the session is over, so that the log in page comes up. */
export const sessionEnded = createStore(0);

/** Calls a route; throws {@link Refused}. */
export async function call<K extends RouteId>(id: K, ...[sent, manner]: Rest<K>): Promise<ResponseOf<K>> {
  return (await request(id, (sent ?? {}) as Loose, manner ?? {})) as ResponseOf<K>;
}

/** The address of a route, for links and frames. */
export function addressOf(id: RouteId, sent: Loose = {}): string {
  const path = pathOf(id).path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(sent.params?.[name] ?? '')),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(sent.query ?? {})) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const query = search.toString();
  return query === '' ? path : `${path}?${query}`;
}

async function request(id: RouteId, sent: Loose, manner: Manner): Promise<unknown> {
  const { method } = pathOf(id);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') {
    const token = csrf.get();
    if (token !== null) headers[CSRF_HEADER] = token;
  }
  if (manner.confirm !== undefined) headers[CONFIRM_HEADER] = manner.confirm;
  if (sent.body !== undefined) headers['content-type'] = 'application/json';
  const timeout = AbortSignal.timeout(manner.timeoutMs ?? TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(addressOf(id, sent), {
      method,
      headers,
      credentials: 'same-origin',
      signal: manner.signal === undefined ? timeout : AbortSignal.any([manner.signal, timeout]),
      ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
    });
  } catch (error) {
    if (manner.signal?.aborted === true) throw error;
    throw unreachable();
  }
  if (!response.ok) {
    const refused = await refusalOf(response);
    if (refused.status === 401 && id !== 'logIn' && id !== 'whoAmI') sessionEnded.set(sessionEnded.get() + 1);
    throw refused;
  }
  if (response.status === 204) return undefined;
  if (!(response.headers.get('content-type') ?? '').includes('json'))
    throw new Refused(
      response.status,
      'not-json',
      `${PATHS[id]} did not answer with JSON.`,
      'Server and console may be of different versions: reload the page.',
    );
  return response.json();
}
