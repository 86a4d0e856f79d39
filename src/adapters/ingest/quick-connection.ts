import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { WebhookDesk } from './known-configs.ts';
import { type QuickRequest, quickRequest } from './quick-request.ts';
import type { Answer, Visit } from './webhook-visit.ts';

/** What a connection asks of its server. */
export interface QuickHost {
  /** Somebody wants something. */
  visit(visit: Visit): void;
  /** A visit is over; it went away by itself when it was not answered. */
  left(isAnswered: boolean): void;
  /** From now on node:http reads this connection, `first` before anything else. */
  handOver(socket: Socket, first: Buffer): void;
  closed(connection: QuickConnection): void;
}

const FIRST_MS = 10_000;
const KEEP_ALIVE_MS = 75_000;

/**
 * A connection that is read and written without node:http while it brings one whole plain request after the other, which is
 * what a sender of bars does; that costs half. At the first piece of anything else node:http gets the connection for good.
 */
export class QuickConnection {
  private readonly socket: Socket;
  private readonly host: QuickHost;
  private readonly remote: string | undefined;
  private at: QuickVisit | null = null;
  /** What came before the last request was answered. */
  private early: Buffer[] = [];
  private isEnding = false;

  constructor(socket: Socket, host: QuickHost) {
    this.socket = socket;
    this.host = host;
    this.remote = socket.remoteAddress;
    socket.setTimeout(FIRST_MS);
    socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.on('timeout', this.onTimeout);
    socket.on('error', this.onError);
    socket.on('close', this.onClose);
  }

  /** Ends it once what is asked has been answered. */
  finish(): void {
    this.isEnding = true;
    if (this.at === null) this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private readonly onData = (chunk: Buffer): void => {
    if (this.at !== null) {
      this.early.push(chunk);
      this.socket.pause();
      return;
    }
    const request = quickRequest(chunk);
    if (request === null || this.isEnding) return this.handOver(chunk);
    this.at = new QuickVisit(this, request, this.remote);
    this.host.visit(this.at);
  };

  private handOver(first: Buffer): void {
    const { socket } = this;
    socket.setTimeout(0);
    socket.off('data', this.onData);
    socket.off('end', this.onEnd);
    socket.off('timeout', this.onTimeout);
    socket.off('error', this.onError);
    socket.off('close', this.onClose);
    this.host.closed(this);
    this.host.handOver(socket, first);
  }

  /** Sends the answer of the present visit. */
  answer({ head, text, encoding, endsConnection }: Answer): void {
    const { socket } = this;
    // It has gone away: nobody is there to hear.
    if (this.at === null) return;
    this.at = null;
    this.host.left(true);
    const isLast = endsConnection || this.isEnding;
    socket.write(
      `${head}Date: ${httpDate()}\r\nConnection: ${isLast ? 'close' : 'keep-alive'}\r\n\r\n${text}`,
      encoding,
    );
    if (isLast) socket.end();
    else if (this.early.length > 0) this.handOver(Buffer.concat(this.early));
    else if (socket.timeout !== KEEP_ALIVE_MS) socket.setTimeout(KEEP_ALIVE_MS);
  }

  private readonly onEnd = (): void => this.finish();
  private readonly onTimeout = (): void => this.destroy();
  private readonly onError = (): void => {};
  private readonly onClose = (): void => {
    if (this.at !== null) this.host.left(false);
    this.at = null;
    this.host.closed(this);
  };
}

class QuickVisit implements Visit {
  readonly method = 'POST';
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly remote: string | undefined;
  readonly startedMs = performance.now();
  readonly holdsBack = false;
  sender: string | null = null;
  desk: WebhookDesk | null = null;
  isAnswered = false;
  private readonly connection: QuickConnection;
  private readonly body: Buffer;

  constructor(connection: QuickConnection, { url, headers, body }: QuickRequest, remote: string | undefined) {
    this.connection = connection;
    this.url = url;
    this.headers = headers;
    this.body = body;
    this.remote = remote;
  }

  /** Nothing to say: a body that is held back does not come here. */
  goOn(): void {}

  read(bytesMost: number, done: (body: Buffer | null, isWhole: boolean) => void): void {
    done(this.body.length > bytesMost ? null : this.body, true);
  }

  answer(answer: Answer): void {
    this.connection.answer(answer);
  }

  drop(): void {
    this.connection.destroy();
  }
}

let dateText = '';
let dateUntil = 0;

/** Now as HTTP writes it, made once a second. */
function httpDate(): string {
  const now = Date.now();
  if (now >= dateUntil || now < dateUntil - 1_000) {
    dateText = new Date(now).toUTCString();
    dateUntil = now - (now % 1_000) + 1_000;
  }
  return dateText;
}
