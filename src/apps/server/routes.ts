import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  CODE_HEADER,
  CONFIRM_HEADER,
  pathOf,
  ROUTES,
  type RouteId,
  type RouteShape,
  type Routes,
} from '../contract/index.ts';
import { AnswerCache, type Answered, SHARED_ANSWERS } from './answer-cache.ts';
import { BadInput, isBusy } from './answer-errors.ts';
import type { CallNotes } from './call-notes.ts';
import { type Call, type Handlers, Raw } from './context.ts';
import { actorOf, confirmAct, type Identity, REPORT_CSP } from './identity/index.ts';
import type { RequestTraces } from './trace-requests.ts';

export interface RouteOptions {
  readonly handlers: Handlers<Routes>;
  readonly identity: Identity;
  readonly notes: CallNotes;
  readonly now: () => number;
  /** Null: no traces are collected. */
  readonly traces: RequestTraces | null;
  /** Also checks what handlers answer against the contract: for tests. */
  readonly checkAnswers: boolean;
}

type AnyHandler = (asked: Asked, call: Call) => unknown;

interface Asked {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

const RETRY_MS = [20, 60, 150];

/** Registers every route of the contract with its handler. */
export function registerRoutes(app: FastifyInstance, options: RouteOptions): void {
  const cache = new AnswerCache(options.now);
  for (const id of Object.keys(ROUTES) as RouteId[]) {
    const shape: RouteShape = ROUTES[id];
    const { method, path } = pathOf(id);
    app.route({
      method,
      url: path.replace(/\{(\w+)\}/g, ':$1'),
      // the gate before the routes lets in by these
      config: { id, access: shape.access },
      handler: (request, reply) => answer({ id, shape, options, cache, request, reply }),
    });
  }
}

interface Turn {
  readonly id: RouteId;
  readonly shape: RouteShape;
  readonly options: RouteOptions;
  readonly cache: AnswerCache;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function answer(turn: Turn): Promise<FastifyReply> {
  const { id, shape, options, cache, request, reply } = turn;
  const asked = read(shape, request);
  // what is wrong with it is said before anybody is asked to confirm it
  if (shape.danger === true) confirm(turn, asked);
  const handler = options.handlers[id] as AnyHandler;
  const call = callOf(request, reply);
  const place = options.traces?.placeOf(request) ?? null;
  const run = () => options.notes.during(call, place, () => handler(asked, call));
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!isRead) {
    try {
      return sendOnce(turn, await run());
    } finally {
      cache.clear();
    }
  }
  const make = async () => written(turn, await again(run));
  if (shape.answer === null) return sendOnce(turn, await again(run));
  const made = SHARED_ANSWERS.has(id) ? await cache.of(`${id} ${JSON.stringify(asked)}`, make) : await make();
  reply.header('etag', made.etag);
  reply.header('cache-control', 'private, no-cache');
  if (matches(request.headers['if-none-match'], made.etag)) return reply.code(304).send();
  return reply.type('application/json; charset=utf-8').send(made.text);
}

/** A database that another process holds for a moment is asked again: reading twice changes nothing. */
async function again(run: () => unknown): Promise<unknown> {
  for (const wait of RETRY_MS) {
    try {
      return await run();
    } catch (error) {
      if (!isBusy(error)) throw error;
      await sleep(wait);
    }
  }
  return run();
}

function written(turn: Turn, value: unknown): Answered {
  const text = JSON.stringify(checked(turn, value));
  return { text, etag: `W/"${hash('sha1', text, 'base64url')}"` };
}

function sendOnce(turn: Turn, value: unknown): FastifyReply {
  const { shape, reply } = turn;
  reply.code(shape.status ?? 200);
  reply.header('cache-control', 'no-store');
  if (value instanceof Raw) {
    if (value.type.startsWith('text/html')) reply.header('content-security-policy', REPORT_CSP);
    return reply.type(value.type).send(value.body);
  }
  if (shape.answer === null || shape.status === 204) return reply.send();
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(checked(turn, value)));
}

function checked({ id, shape, options }: Turn, value: unknown): unknown {
  if (!options.checkAnswers || shape.answer === null) return value;
  const result = shape.answer.safeParse(value);
  if (result.success) return value;
  const [issue] = result.error.issues;
  throw new Error(`the answer of ${id} is not as agreed at ${issue?.path.join('.')}: ${issue?.message}`);
}

/** Parameters, query and body by the route's schemas. Throws {@link BadInput} for the first of them that is wrong. */
function read(shape: RouteShape, request: FastifyRequest): Asked {
  const parse = (schema: z.ZodType | undefined, value: unknown) => {
    const result = schema?.safeParse(value ?? undefined);
    if (result?.success === false) throw new BadInput(result.error);
    return result?.data;
  };
  return {
    params: parse(shape.params, request.params),
    query: parse(shape.query, request.query),
    body: parse(shape.body, request.body),
  };
}

function callOf(request: FastifyRequest, reply: FastifyReply): Call {
  const ended = new AbortController();
  request.raw.once('close', () => request.raw.readableAborted && ended.abort());
  reply.raw.once('close', () => reply.raw.writableFinished || ended.abort());
  return {
    who: request.who,
    address: request.ip,
    agent: request.headers['user-agent'] ?? '',
    signal: ended.signal,
    header: (name, value) => void reply.header(name, value),
  };
}

/** Throws the 428 that asks for a second call, unless this is it. */
function confirm({ id, shape, options, request }: Turn, asked: Asked): void {
  const who = request.who!;
  const act = { userId: who.id, credential: who.credential, route: id, input: asked };
  const headers = { token: request.headers[CONFIRM_HEADER], code: request.headers[CODE_HEADER] };
  const { reason } = asked.body as { reason: string };
  const named = (asked.query as { portfolio?: string } | undefined)?.portfolio;
  const where = named === undefined ? '' : `, in portfolio ${named}`;
  const says = `${shape.summary}${where}. Reason: ${reason}`;
  confirmAct(options.identity, act, headers, actorOf(who, request.ip), says);
}

/** Whether a client has this version already, by the weak comparison of RFC 9110. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  const bare = (tag: string) => tag.trim().replace(/^W\//, '');
  return header.split(',').some((tag) => bare(tag) === bare(etag));
}
