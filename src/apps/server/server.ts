import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import compress from '@fastify/compress';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { makeFolder } from '#adapters';
import type { AlertsConfiguration } from '../alerts/alert-configuration.ts';
import { schemaOf } from '../runner/projecting.ts';
import type { Traces } from '../traces/traces.ts';
import { beginAlerts } from './alerts-feed.ts';
import { answerTo } from './answer-errors.ts';
import { allHandlers } from './areas.ts';
import { backgroundOf, closeBackground } from './background.ts';
import { CallNotes } from './call-notes.ts';
import type { ConsoleContext } from './context.ts';
import { registerDocs } from './docs.ts';
import { EventLoopLag } from './event-loop-lag.ts';
import { cookieName } from './identity/area-kit.ts';
import {
  CONSOLE_FILE,
  checkListening,
  identityPlugin,
  isCookieSecure,
  isLoopback,
  type Listening,
  openConsoleStore,
  openIdentity,
  type PasswordHasher,
  type RateLimits,
} from './identity/index.ts';
import { journalActs, keepAct, record } from './keep-act.ts';
import { LiveHub, type LiveLimits } from './live/live-hub.ts';
import { registerLive } from './live/live-route.ts';
import { MemoryRest } from './memory-rest.ts';
import { alertsPart, registerMetrics, traceSamples } from './metrics/index.ts';
import { ReachedPortfolios } from './portfolios.ts';
import { registerRoutes } from './routes.ts';
import { ServerLog } from './server-log.ts';
import { registerWeb } from './static-web.ts';
import { RequestTraces } from './trace-requests.ts';

export interface ConsoleOptions {
  readonly dataDir: string;
  /** Default 127.0.0.1. Any other needs TLS or a trusted proxy. */
  readonly host?: string;
  /** Default 4680; 0 is any free one. */
  readonly port?: number;
  /** Key and certificate as PEM texts. */
  readonly tls?: { readonly key: string; readonly cert: string } | null;
  readonly trustedProxy?: readonly string[];
  /** Origins of other sites whose pages may call. */
  readonly origins?: readonly string[];
  /** Folder of the built web application; null for none. */
  readonly webRoot?: string | null;
  readonly configFile?: string | null;
  /** Address of a PostgreSQL database that holds the projections; null: SQLite files. */
  readonly databaseUrl?: string | null;
  /** Ways out of alerts and their rules; null or absent: no alerting. */
  readonly alerts?: AlertsConfiguration | null;
  readonly now?: () => number;
  /** Default costs are slow on purpose; tests may take cheaper ones. */
  readonly hasher?: PasswordHasher;
  /** Checks every answer against the contract: for tests. */
  readonly checkAnswers?: boolean;
  readonly limits?: Partial<Limits>;
  readonly rates?: Partial<RateLimits>;
  readonly live?: LiveLimits;
  /** Where requests and acts are told; null or absent: nowhere. Closed by who opened it. */
  readonly traces?: Traces | null;
}

export interface Limits {
  /** Milliseconds a client may take for its headers, and for the whole request. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** Bytes of a body. */
  readonly bodyBytes: number;
}

const LIMITS: Limits = { headersMs: 10_000, requestMs: 15_000, bodyBytes: 256 * 1024 };

export interface OpenConsole {
  readonly url: string;
  readonly port: number;
  /** Name and one-time password of the administrator that this first start made; null at later starts. */
  readonly firstUser: { readonly name: string; readonly password: string } | null;
  /** Nobody has ever logged in. */
  readonly isUnused: boolean;
  readonly context: ConsoleContext;
  readonly close: () => Promise<void>;
}

export const DEFAULT_PORT = 4680;

/** Opens the console of a data directory. Throws InputError for a place to listen that is not safe. */
export async function createConsole(options: ConsoleOptions): Promise<OpenConsole> {
  const { dataDir, host = '127.0.0.1', port = DEFAULT_PORT, tls = null } = options;
  const { trustedProxy = [], origins = [], now = Date.now } = options;
  const listening: Listening = { host, tls, trustedProxy, origins };
  checkListening(listening);
  makeFolder(dataDir);
  const limits = { ...LIMITS, ...options.limits };
  const log = new ServerLog(join(dataDir, 'server.log'), now);
  const store = openConsoleStore(join(dataDir, CONSOLE_FILE), now);
  const identity = openIdentity(store, options.hasher);
  const notes = new CallNotes();
  const { databaseUrl = null } = options;
  const onTrouble = (what: string, error: Error) => log.write('warning', what, { error });
  const spans = options.traces ?? null;
  const traces = spans === null ? null : new RequestTraces(spans);
  const portfolios = new ReachedPortfolios({
    dataDir,
    databaseUrl: (name) => (databaseUrl === null ? null : schemaOf(databaseUrl, name).url),
    now,
    ...(traces === null
      ? {}
      : { traceAct: (name, question, send) => traces.act(name, question, notes.place(), send) }),
    onOperator: (name, question, answer) => {
      try {
        keepAct(identity, notes, name, question, answer);
      } catch (error) {
        // it is done and in the loop's own journal: nobody must be told that it failed
        onTrouble(`the audit of ${question.act.action} in ${name}`, error as Error);
      }
    },
  });
  const hub = new LiveHub({
    portfolios,
    identity,
    now,
    onTrouble,
    ...options.live,
  });
  journalActs(identity, portfolios, onTrouble);
  const lag = new EventLoopLag();
  const startedAt = now();
  const context: ConsoleContext = {
    dataDir,
    configFile: options.configFile ?? null,
    vitals: () => ({ startedAt, clients: hub.size, lagMsP99: lag.p99() }),
    portfolios,
    store,
    identity,
    secureCookie: isCookieSecure(listening),
    now,
    announce: (message) => hub.announce(message),
    audit: async (entry) => record(identity, notes, entry),
  };
  const waits = {
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
  };
  const app = fastify({
    ...(tls === null ? { http: waits } : { https: { ...tls, ...waits } }),
    // Fastify puts its own default, none, in the place of what the HTTP server was given
    requestTimeout: limits.requestMs,
    bodyLimit: limits.bodyBytes,
    trustProxy: trustedProxy.length === 0 ? false : [...trustedProxy],
    routerOptions: { maxParamLength: 600, ignoreTrailingSlash: true },
    forceCloseConnections: true,
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, request, reply) => fail(log, error, request, reply),
  }) as unknown as FastifyInstance;
  app.setErrorHandler((error, request, reply) => fail(log, error, request, reply));
  traces?.register(app);
  await identityPlugin(app, {
    identity,
    listening,
    ...(options.rates === undefined ? {} : { limits: options.rates }),
  });
  // after the gate, whose last look at a body is at text
  await app.register(compress, { threshold: 1024 });
  logRequests(app, log);
  const rest = new MemoryRest();
  app.addHook('onResponse', async () => rest.note());
  app.addHook('onClose', async () => rest.close());
  await registerLive(app, hub, portfolios);
  // what a proxy hands on comes from anywhere
  const isHere = isLoopback(host) && trustedProxy.length === 0;
  const tracesPart = { samples: () => (spans === null ? [] : traceSamples('', 'server', spans.figures())) };
  registerMetrics(app, { context, isLoopback: isHere, parts: [alertsPart(context), tracesPart] });
  const handlers = allHandlers(context);
  registerRoutes(app, {
    handlers,
    identity,
    notes,
    now,
    traces,
    checkAnswers: options.checkAnswers ?? false,
  });
  await registerDocs(app, cookieName(identity, context.secureCookie));
  await registerWeb(app, options.webRoot ?? null);
  let alerts: ReturnType<typeof beginAlerts> | null = null;
  const close = async () => {
    await app.close();
    await alerts?.stop();
    await closeBackground(context);
    await portfolios.close();
    lag.close();
    log.write('info', 'the console ends');
    store.close();
  };
  try {
    await app.listen({ host, port });
  } catch (error) {
    await close();
    throw error;
  }
  if (options.alerts != null) alerts = beginAlerts(context, options.alerts, log);
  // once a port is held: a server that finds none must not begin jobs and end them
  backgroundOf(context).begin();
  // and a password that was made is shown
  const first = await identity.users.firstStart();
  const { port: bound } = app.server.address() as AddressInfo;
  log.write('info', 'the console is open', { host, port: bound, tls: tls !== null, pid: process.pid });
  const shown = isLoopback(host) ? '127.0.0.1' : host;
  return {
    url: `${tls === null ? 'http' : 'https'}://${shown}:${bound}`,
    port: bound,
    firstUser: first === null ? null : { name: first.user.name, password: first.password },
    isUnused: identity.users.list().every(({ lastLoginAt }) => lastLoginAt === null),
    context,
    close,
  };
}

/** What every request costs a line for: acts, what went wrong, and what took long. */
const SLOW_MS = 1_000;

function logRequests(app: FastifyInstance, log: ServerLog): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, url, ip, who, routeOptions } = request;
    const { statusCode: status, elapsedTime } = reply;
    const isRead = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
    if (isRead && status < 400 && elapsedTime < SLOW_MS) return;
    const ms = Math.round(elapsedTime);
    const level = status >= 500 ? 'error' : status >= 400 && status !== 428 ? 'warning' : 'info';
    const more = {
      method,
      url,
      route: routeOptions.config?.id ?? null,
      status,
      ms,
      address: ip,
      by: who?.name ?? null,
    };
    log.write(level, 'request', more);
  });
}

/** The answer to bytes that are no request, or one that does not come to an end. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, words, code, message] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? [408, 'Request Timeout', 'timeout', 'the request did not come to its end in time']
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? [431, 'Request Header Fields Too Large', 'too-large', 'the headers are too long']
        : [400, 'Bad Request', 'bad-input', 'this is no HTTP request'];
  const body = JSON.stringify({ error: { code, message, mend: 'send a whole request, at once' } });
  const head = `HTTP/1.1 ${status} ${words}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  if (socket.writable) socket.write(head + body);
  socket.destroySoon();
}

function fail(log: ServerLog, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body, headers, unexpected } = answerTo(error);
  if (unexpected) log.write('error', 'request failed', { method: request.method, url: request.url, error });
  void reply.code(status).headers(headers).type('application/json; charset=utf-8').send(JSON.stringify(body));
}
