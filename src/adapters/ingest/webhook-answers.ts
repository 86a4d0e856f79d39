import type { BodyReason } from './bar-body.ts';
import { Answer } from './webhook-visit.ts';

/** Why a request was not taken; counted and logged by this word. */
export type RefusalReason =
  | BodyReason
  | 'path'
  | 'method'
  | 'sender'
  | 'rate'
  | 'secret'
  | 'desk'
  | 'type'
  | 'size'
  | 'unsigned'
  | 'signature'
  | 'timestamp'
  | 'address'
  | 'token'
  | 'busy'
  | 'full'
  | 'away'
  | 'fault'
  | 'closing';

/** A refusal as its sender gets it. */
export interface Refusal {
  readonly status: number;
  readonly reason: RefusalReason;
  readonly message: string;
  readonly mend: string;
  /** When to try again, in seconds; null where trying again changes nothing. */
  readonly retryAfterS?: number;
}

const refusal = (
  status: number,
  reason: RefusalReason,
  message: string,
  mend: string,
  retryAfterS?: number,
): Refusal => ({
  status,
  reason,
  message,
  mend,
  ...(retryAfterS === undefined ? {} : { retryAfterS }),
});

export const REFUSALS = {
  path: refusal(404, 'path', 'there is nothing at this address', 'POST to /webhook/{secret}/{desk}'),
  method: refusal(405, 'method', 'this address takes POST only', 'send the bar as a POST request'),
  sender: refusal(403, 'sender', 'the sender has no address', 'mend X-Forwarded-For at the proxy'),
  secret: refusal(
    401,
    'secret',
    'the secret in the address is not known',
    'copy the address of the webhook again',
  ),
  desk: refusal(404, 'desk', 'there is no such desk', 'end the address with /s1 or the name of a desk'),
  type: refusal(
    415,
    'type',
    'this kind of content is not read',
    'send application/json or text/plain, not compressed',
  ),
  unsigned: refusal(401, 'unsigned', 'the request is not signed', 'send X-Signature and X-Timestamp'),
  form: refusal(
    401,
    'signature',
    'X-Signature or X-Timestamp has the wrong form',
    'X-Signature: sha256= and 64 hex digits; X-Timestamp: epoch seconds',
  ),
  signature: refusal(
    401,
    'signature',
    'the signature is wrong',
    'sign X-Timestamp + "." + the body as it is sent, with HMAC-SHA256 and the signing key',
  ),
  address: refusal(
    403,
    'address',
    'this sender may not send unsigned',
    'sign the request, or allow its address',
  ),
  token: refusal(
    401,
    'token',
    'the token in the body is not known',
    'put the token into the alert message as "token"',
  ),
  busy: refusal(503, 'busy', 'too many requests are waiting', 'try again', 1),
  full: refusal(503, 'full', 'the queue is full', 'start the worker; try again', 15),
  away: refusal(503, 'away', 'the queue cannot be reached', 'try again', 2),
  fault: refusal(500, 'fault', 'the endpoint failed at this request', 'look at its log; send the bar again'),
  closing: refusal(503, 'closing', 'the endpoint is closing', 'try again', 5),
} as const satisfies Record<string, Refusal>;

export const sizeRefusal = (bytesMost: number): Refusal =>
  refusal(413, 'size', `the body is longer than ${bytesMost} bytes`, 'send less beside the bar');

export const timestampRefusal = (windowS: number): Refusal =>
  refusal(
    401,
    'timestamp',
    `X-Timestamp is not within ${windowS} s of now`,
    'send epoch seconds of now, and set the clock',
  );

export const rateRefusal = (waitMs: number): Refusal =>
  refusal(429, 'rate', 'too many requests of this sender', 'send less often', Math.ceil(waitMs / 1_000));

/** `endsConnection` where the rest of the request is not going to be read. */
export function refusalAnswer(refused: Refusal, endsConnection: boolean): Answer {
  const { status, reason, message, mend, retryAfterS } = refused;
  const headers = [
    ...(retryAfterS === undefined ? [] : ['Retry-After', String(Math.max(1, retryAfterS))]),
    ...(status === 405 ? ['Allow', 'POST'] : []),
  ];
  return new Answer(status, { error: reason, message, mend }, headers, endsConnection);
}

/** For what never became a request. Nothing of what was sent is repeated. */
export function rawAnswer(code: string | undefined): string {
  const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const isLong = code === 'HPE_HEADER_OVERFLOW';
  const line = isLate
    ? '408 Request Timeout'
    : isLong
      ? '431 Request Header Fields Too Large'
      : '400 Bad Request';
  return `HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
}
