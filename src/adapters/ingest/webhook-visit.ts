import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { WebhookDesk } from './known-configs.ts';
import { readBody } from './read-body.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** A request with a way to answer it, whichever way it came. */
export interface Visit {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly remote: string | undefined;
  readonly startedMs: number;
  /** The sender holds the body back until {@link Visit.goOn}. */
  readonly holdsBack: boolean;
  /** Filled in on the way. */
  sender: string | null;
  desk: WebhookDesk | null;
  /** An answer was given, or is on its way. */
  isAnswered: boolean;
  goOn(): void;
  /** As {@link readBody}. Null for a body over `bytesMost`; `isWhole`: it has been read to its end. */
  read(bytesMost: number, done: (body: Buffer | null, isWhole: boolean) => void): void;
  answer(answer: Answer): void;
  /** Ends the connection without an answer. */
  drop(): void;
}

/** One answer in full. Those that never change are made once. */
export class Answer {
  readonly status: number;
  readonly text: string;
  /** Names and values in turns, as `writeHead` takes them. */
  readonly headers: readonly string[];
  readonly endsConnection: boolean;
  /** Status line and headers but Date and Connection, for a connection that is written to directly. */
  readonly head: string;
  /** The cheaper one where both would write the same bytes. */
  readonly encoding: 'latin1' | 'utf8';

  constructor(status: number, body: unknown, more: readonly string[] = [], endsConnection = false) {
    this.status = status;
    this.text = JSON.stringify(body);
    this.encoding = /^[\x20-\x7e]*$/.test(this.text) ? 'latin1' : 'utf8';
    this.endsConnection = endsConnection;
    const headers = [
      'Content-Type',
      JSON_TYPE,
      'Content-Length',
      String(Buffer.byteLength(this.text)),
      ...more,
    ];
    this.headers = endsConnection ? [...headers, 'Connection', 'close'] : headers;
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    this.head = head;
  }
}

/** A request that node:http has read. */
export class HttpVisit implements Visit {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly remote: string | undefined;
  readonly startedMs = performance.now();
  readonly holdsBack: boolean;
  sender: string | null = null;
  desk: WebhookDesk | null = null;
  isAnswered = false;
  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse, holdsBack: boolean) {
    this.request = request;
    this.response = response;
    this.holdsBack = holdsBack;
    this.method = request.method ?? '';
    this.url = request.url ?? '';
    this.headers = request.headers;
    this.remote = request.socket.remoteAddress;
  }

  goOn(): void {
    this.response.writeContinue();
  }

  read(bytesMost: number, done: (body: Buffer | null, isWhole: boolean) => void): void {
    readBody(this.request, bytesMost, done);
  }

  answer({ status, headers, text, encoding }: Answer): void {
    this.response.writeHead(status, headers as string[]);
    // A text goes out in one piece with the head; bytes would be a second one.
    this.response.end(text, encoding);
  }

  drop(): void {
    this.request.socket.destroy();
  }
}
