import type { IncomingHttpHeaders } from 'node:http';

/** A whole request that came in one piece. */
export interface QuickRequest {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const HEAD_BYTES_MOST = 8_192;
const BODY_LENGTH = /^\d{1,7}$/;
/** Visible signs, blanks and whole line ends: anything else is left to the full parser. */
const PLAIN_HEAD = /^(?:[\t\x20-\x7e]|\r\n)*$/;
const NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
const START = 'POST /webhook/';
const VERSION = ' HTTP/1.1';
const END = Buffer.from('\r\n\r\n');

/**
 * Reads the one kind of request that bars come as: `POST /webhook/...`, HTTP/1.1, headers each on a line of its own, a
 * Content-Length and all of the body, nothing behind it. Null for everything else that HTTP allows or does not allow; that is
 * for node:http to judge. What is read here means the same there.
 */
export function quickRequest(chunk: Buffer): QuickRequest | null {
  const end = chunk.indexOf(END);
  if (end < 0 || end > HEAD_BYTES_MOST) return null;
  const head = chunk.toString('latin1', 0, end);
  if (!head.startsWith(START) || !PLAIN_HEAD.test(head)) return null;
  let at = head.indexOf('\r\n');
  const line = at < 0 ? head : head.slice(0, at);
  const url = line.slice(5, -VERSION.length);
  if (!line.endsWith(VERSION) || url.includes(' ') || url.includes('\t')) return null;
  const headers: Record<string, string> = {};
  while (at >= 0) {
    const from = at + 2;
    at = head.indexOf('\r\n', from);
    const to = at < 0 ? head.length : at;
    const colon = head.indexOf(':', from);
    if (colon < 0 || colon > to) return null;
    const name = head.slice(from, colon).toLowerCase();
    switch (name) {
      case 'host':
      case 'content-length':
      case 'content-type':
      case 'content-encoding':
      case 'x-forwarded-for':
      case 'x-signature':
      case 'x-timestamp':
        // Said twice: how that is to be read is not for here.
        if (headers[name] !== undefined) return null;
        headers[name] = head.slice(colon + 1, to).trim();
        break;
      case 'connection':
        if (
          head
            .slice(colon + 1, to)
            .trim()
            .toLowerCase() !== 'keep-alive'
        )
          return null;
        break;
      case 'transfer-encoding':
      case 'expect':
      case 'upgrade':
      case 'te':
      case 'trailer':
      case 'proxy-connection':
      case 'keep-alive':
        return null;
      default:
        if (!NAME.test(name)) return null;
    }
  }
  const length = headers['content-length'];
  if (length === undefined || headers.host === undefined || !BODY_LENGTH.test(length)) return null;
  const body = chunk.subarray(end + END.length);
  return body.length === Number(length) ? { url, headers, body } : null;
}
