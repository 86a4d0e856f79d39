import fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify';
import type { z } from 'zod';
import {
  pathOf,
  ROUTES,
  type RouteId,
  type RouteShape,
  SESSION_ROUTES,
  VIEWER,
} from '../../../src/apps/contract/index.ts';
import { answerTo } from '../../../src/apps/server/answer-errors.ts';
import { Problem } from '../../../src/apps/server/context.ts';
import {
  actorOf,
  confirmAct,
  identityPlugin,
  isCookieSecure,
  type Listening,
  type RateLimits,
  sessionArea,
} from '../../../src/apps/server/identity/index.ts';
import type { People } from './people.ts';

export const LOOPBACK: Listening = { host: '127.0.0.1', tls: null, trustedProxy: [] };

type AnyHandler = (asked: object, call: object) => unknown;

/** The gate with the session area behind it, one dangerous route, and some that are not of the contract. Nothing listens. */
export async function gatedApp(
  people: People,
  listening: Listening = LOOPBACK,
  limits: Partial<RateLimits> = {},
): Promise<FastifyInstance> {
  const { identity } = people;
  const app = fastify({
    trustProxy: listening.trustedProxy.length === 0 ? false : [...listening.trustedProxy],
  });
  app.setErrorHandler((error, _request, reply) => {
    const { status, body, headers } = answerTo(error);
    return reply.code(status).headers(headers).type('application/json').send(JSON.stringify(body));
  });
  await identityPlugin(app, { identity, listening, limits });
  const health = () => ({ status: 'ok' as const, version: '1', time: people.now, portfolios: [] });
  const session = sessionArea({ identity, secureCookie: isCookieSecure(listening) }, { health });
  const acted = () => ({ acted: true });
  const handlers: Partial<Record<RouteId, unknown>> = { ...session, flatten: acted, positions: acted };
  for (const id of [...Object.keys(SESSION_ROUTES), 'flatten', 'positions'] as RouteId[]) {
    const shape: RouteShape = ROUTES[id];
    const { method, path } = pathOf(id);
    app.route({
      method,
      url: path.replace(/\{(\w+)\}/g, ':$1'),
      config: { id },
      handler: async (request, reply) => {
        const { who } = request;
        const asked = {
          params: request.params,
          query: parsed(shape.query, request.query),
          body: parsed(shape.body, request.body ?? undefined),
        };
        const headers = {
          token: request.headers['x-quorum-confirm'],
          code: request.headers['x-quorum-code'],
        };
        if (shape.danger === true && who !== null) {
          const act = { userId: who.id, credential: who.credential, route: id, input: asked };
          confirmAct(identity, act, headers, actorOf(who, request.ip), shape.summary);
        }
        const call = {
          who,
          address: request.ip,
          agent: request.headers['user-agent'] ?? '',
          header: (name: string, value: string) => void reply.header(name, value),
        };
        return (handlers[id] as AnyHandler)(asked, call);
      },
    });
  }
  app.get('/page', { config: { access: 'anyone' } }, () => 'page');
  app.get('/silent', () => 'for those who are logged in');
  app.get('/ws/live-feed', { config: { access: VIEWER } }, () => 'socket');
  return app;
}

function parsed(schema: z.ZodType | undefined, value: unknown): unknown {
  const result = schema?.safeParse(value);
  if (result?.success === false) throw new Problem(400, 'bad-input', 'the input is not as agreed', 'mend it');
  return result?.data;
}

/** A browser: keeps its cookie and CSRF token, and says where its page comes from. */
export class Browser {
  private readonly app: FastifyInstance;
  private readonly remoteAddress: string;
  cookie = '';
  csrf = '';

  constructor(app: FastifyInstance, remoteAddress = '127.0.0.1') {
    this.app = app;
    this.remoteAddress = remoteAddress;
  }

  async send(
    method: InjectOptions['method'] & string,
    url: string,
    body?: object,
    headers: Record<string, string | undefined> = {},
  ): Promise<LightMyRequestResponse> {
    const all: Record<string, string | undefined> = {
      host: '127.0.0.1:4680',
      origin: method === 'GET' ? undefined : 'http://127.0.0.1:4680',
      cookie: this.cookie === '' ? undefined : this.cookie,
      'x-quorum-csrf': this.csrf === '' || method === 'GET' ? undefined : this.csrf,
      ...headers,
    };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const answer = await this.app.inject({
      method: method as 'GET',
      url,
      headers: given as Record<string, string>,
      remoteAddress: this.remoteAddress,
      ...(body !== undefined && { payload: body }),
    });
    const cookie = answer.headers['set-cookie'];
    if (typeof cookie === 'string') this.cookie = cookie.split(';')[0]!;
    const { csrf } = answer.headers['content-type']?.toString().startsWith('application/json')
      ? (answer.json() as { csrf?: string })
      : {};
    if (typeof csrf === 'string') this.csrf = csrf;
    return answer;
  }

  logIn(name: string, password: string, otp?: string): Promise<LightMyRequestResponse> {
    return this.send('POST', '/api/v1/session', { name, password, ...(otp !== undefined && { otp }) });
  }
}

export const codeIn = (answer: LightMyRequestResponse): string =>
  (answer.json() as { error?: { code?: string } }).error?.code ?? 'none';
