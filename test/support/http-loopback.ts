import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly at: number;
}

/** What a server does with one call instead of answering it as it should. */
export type HttpFault =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }
  | 'hang'
  | 'drop'
  | 'garbage';

/** A server on this machine that keeps what it got; faults come first in, first out. */
export class HttpLoopback {
  readonly received: Received[] = [];
  readonly faults: HttpFault[] = [];
  private readonly server: Server;
  private readonly answer: (call: Received, response: ServerResponse) => void;

  constructor(answer: (call: Received, response: ServerResponse) => void) {
    this.answer = answer;
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const call = { path: request.url ?? '', headers: request.headers, body, at: performance.now() };
        this.received.push(call);
        const fault = this.faultFor(call);
        if (fault === undefined) this.answer(call, response);
        else misbehave(fault, request, response);
      });
    });
  }

  /** Which fault meets a call; the next one unless overridden. */
  faultFor: (call: Received) => HttpFault | undefined = () => this.faults.shift();

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((done) => this.server.close(() => done()));
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function misbehave(fault: HttpFault, request: IncomingMessage, response: ServerResponse): void {
  if (fault === 'hang') return;
  if (fault === 'drop') {
    request.socket.destroy();
    return;
  }
  if (fault === 'garbage') {
    response.writeHead(200);
    response.end('<html>not what you wanted</html>');
    return;
  }
  const { status, body = {}, headers = {} } = fault;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
