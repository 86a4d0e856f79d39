import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { QuickConnection } from './quick-connection.ts';
import { rawAnswer } from './webhook-answers.ts';
import { HttpVisit, type Visit } from './webhook-visit.ts';

const CONNECTIONS_MOST = 2_000;
const HEAD_BYTES_MOST = 8_192;
/** A whole request; TradingView gives up after 3 s. */
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 75_000;

/** What the sockets ask of the endpoint. */
export interface SocketsHost {
  /** Somebody wants something. Never throws. */
  visit(visit: Visit): void;
  /** A visit is over; it went away by itself when it was not answered. */
  left(isAnswered: boolean): void;
  /** Something came that is no HTTP. */
  malformed(): void;
}

/**
 * The connections of an endpoint: each begins as a quick one; what that cannot read goes to node:http's own reader of
 * connections.
 */
export class WebhookSockets {
  readonly server: Server;
  private readonly quick = new Set<QuickConnection>();

  constructor(host: SocketsHost) {
    const server = createServer({
      maxHeaderSize: HEAD_BYTES_MOST,
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 2_000,
    });
    server.maxConnections = CONNECTIONS_MOST;
    const visited = (request: IncomingMessage, response: ServerResponse, holdsBack: boolean) => {
      response.once('close', () => host.left(response.writableFinished));
      host.visit(new HttpVisit(request, response, holdsBack));
    };
    server.on('request', (request, response) => visited(request, response, false));
    server.on('checkContinue', (request, response) => visited(request, response, true));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // what follows a request that said it is the last is nobody's business, and must not cut its answer off
      if (error.code === 'HPE_CLOSED_CONNECTION') return;
      host.malformed();
      if (socket.writable) socket.end(rawAnswer(error.code));
      else socket.destroy();
    });
    this.server = server;
    this.readQuickly(host);
  }

  private readQuickly(host: SocketsHost): void {
    const { server } = this;
    const [full] = server.listeners('connection') as [(this: Server, socket: Socket) => void];
    server.off('connection', full);
    const quickHost = {
      visit: (visit: Visit) => host.visit(visit),
      left: (isAnswered: boolean) => host.left(isAnswered),
      closed: (connection: QuickConnection) => void this.quick.delete(connection),
      handOver: (socket: Socket, first: Buffer) => {
        full.call(server, socket);
        socket.unshift(first);
        socket.resume();
      },
    };
    server.on('connection', (socket) => this.quick.add(new QuickConnection(socket, quickHost)));
  }

  /** Ends each connection once what it asked has been answered. */
  finish(): void {
    this.server.closeIdleConnections();
    for (const connection of this.quick) connection.finish();
  }

  destroy(): void {
    this.server.closeAllConnections();
    for (const connection of this.quick) connection.destroy();
  }
}
