import type { FastifyError } from 'fastify';
import type { z } from 'zod';
import { InputError } from '#base';
import { Problem } from './context.ts';
import { Refusal } from './identity/refusal.ts';

/** What a caller is told when something went wrong. */
export interface ErrorAnswered {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Not the caller's fault: to be logged with its cause. */
  readonly unexpected: boolean;
}

/** Errors of Fastify by their code: status, our code, what to do. */
const OF_FASTIFY: Readonly<Record<string, readonly [status: number, code: string, mend: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'too-large', 'send at most 256 KiB'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'media-type', 'send application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'bad-input', 'let Content-Length be the length of the body'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'bad-input', 'send a JSON body'],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'bad-input', 'send valid JSON'],
  FST_ERR_BAD_URL: [400, 'bad-input', 'write the address with valid percent-encoding'],
  FST_ERR_ASYNC_CONSTRAINT: [400, 'bad-input', 'check the headers'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'too-long', 'shorten the address'],
};

const error = (code: string, message: string, mend: string) => ({ error: { code, message, mend } });

/** The answer to any error. Nothing of the inside goes out: what is not known is only `internal`. */
export function answerTo(thrown: unknown): ErrorAnswered {
  if (thrown instanceof Refusal) {
    const { status, retryAfterS } = thrown;
    const headers: Record<string, string> =
      retryAfterS === null ? {} : { 'retry-after': String(retryAfterS) };
    return { status, body: thrown.body(), headers, unexpected: false };
  }
  if (thrown instanceof Problem) {
    const { status, code, message, mend } = thrown;
    return of(status, code, message, mend);
  }
  if (thrown instanceof InputError)
    return of(400, 'bad-input', thrown.message, thrown.mend || 'check the request');
  if (isSqlite(thrown)) {
    const what = 'a database of the server cannot be read at the moment';
    const mend = 'try again; the state of the loop, stopping and flattening do not need it';
    return { ...of(503, 'unreachable', what, mend), unexpected: true };
  }
  return (
    ofFastify(thrown) ?? {
      ...of(500, 'internal', 'something went wrong here', 'see server.log'),
      unexpected: true,
    }
  );
}

function of(status: number, code: string, message: string, mend: string): ErrorAnswered {
  return { status, body: error(code, message, mend), headers: {}, unexpected: false };
}

/** An input that is not what the contract says: the first thing that is wrong, where it is, and how many more there are. */
export class BadInput extends Problem {
  override name = 'BadInput';
  readonly statusCode = 400;

  constructor({ issues }: z.ZodError) {
    const [first] = issues;
    const path = first?.path.map(String).join('.').slice(0, 200) || 'request';
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
    super(
      400,
      'bad-input',
      `${path}: ${(first?.message ?? 'invalid').slice(0, 300)}${more}`,
      `mend ${path} as /docs describes it`,
    );
  }
}

function ofFastify(thrown: unknown): ErrorAnswered | null {
  if (!(thrown instanceof Error)) return null;
  const { code = '', statusCode = 500 } = thrown as Partial<FastifyError>;
  const known = OF_FASTIFY[code];
  if (known !== undefined) return of(known[0], known[1], thrown.message, known[2]);
  if (thrown instanceof SyntaxError && statusCode === 400)
    return of(400, 'bad-input', 'the body is not valid JSON', 'send valid JSON');
  // what a plug-in refuses with a status of its own says nothing of the inside
  if (statusCode >= 400 && statusCode < 500)
    return of(
      statusCode,
      statusCode === 429 ? 'too-many-requests' : 'bad-input',
      thrown.message,
      'check the request',
    );
  return null;
}

/** An error of a database: SQLite's own, or one that PostgreSQL's driver reports about the connection. */
export function isSqlite(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code = '' } = thrown as { code?: string };
  return code === 'ERR_SQLITE_ERROR' || code === 'ERR_INVALID_STATE' || /^(08|53|57)[0-9A-Z]{3}$/.test(code);
}

/** Whether trying again in a moment may help. */
export function isBusy(thrown: unknown): boolean {
  const { errcode = 0 } = thrown as { errcode?: number };
  return isSqlite(thrown) && [5, 6, 17].includes(errcode & 0xff);
}
