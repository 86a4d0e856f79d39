import fastifyCors from '@fastify/cors';
import fastifyFormbody from '@fastify/formbody';
import fastifyHelmet from '@fastify/helmet';
import fastifyRateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MINUTE } from '#base';
import {
  type Access,
  CSRF_HEADER,
  ROUTES,
  type RouteId,
  type RouteShape,
  VIEWER,
} from '../../contract/index.ts';
import { addressKey } from './attempts.ts';
import { identify } from './identify.ts';
import type { Identity } from './identity.ts';
import type { Listening } from './listening.ts';
import { oauthBody } from './oauth.ts';
import { corsOptions, helmetOptions, isOwnHost } from './protection.ts';
import { RATE_LIMITS, type RateClass, type RateLimits, rateClassOf } from './rate-limits.ts';
import { Refusal } from './refusal.ts';
import { type Identified, permission } from './who.ts';

export interface IdentityPluginOptions {
  readonly identity: Identity;
  readonly listening: Listening;
  readonly limits?: Partial<RateLimits>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null where nobody is logged in. */
    who: Identified | null;
  }
  interface FastifyContextConfig {
    /** Which route of the contract this is. */
    id?: RouteId;
    /** Who may call it; nobody who is not logged in unless it says so. */
    access?: Access;
  }
}

/** What somebody with a one-time password may do before choosing a password. */
const BEFORE_CHANGE: readonly RouteId[] = ['whoAmI', 'logOut', 'changePassword'];

const FORM = 'application/x-www-form-urlencoded';
const FORM_BYTES = 16 * 1_024;
const CACHE_KEYS = 20_000;

/**
 * The gate before every route: refuses hosts that are not ours, finds out who asks (`request.who`), and lets in by rate, role,
 * scope, origin and CSRF token what the route's `config` says (`id` of the contract, or `access`). A route that says nothing
 * is for those who are logged in. Sets the security headers and CORS, and takes forms for the one route that needs them.
 * Fastify must have been told of trusted proxies. Applies to the whole server, not to one scope of it.
 */
export async function identityPlugin(app: FastifyInstance, options: IdentityPluginOptions): Promise<void> {
  const { identity, listening } = options;
  const secureCookie = isCookieSecure(listening);
  await app.register(fastifyHelmet, helmetOptions(listening));
  await app.register(fastifyCors, corsOptions(listening));
  await app.register(fastifyFormbody, { bodyLimit: FORM_BYTES });
  await app.register(fastifyRateLimit, { global: false, cache: CACHE_KEYS });
  const limit = limiters(app, { ...RATE_LIMITS, ...options.limits });

  app.decorateRequest('who', null);
  app.addHook('onRequest', async (request) => {
    if (!isOwnHost(request.headers.host, listening))
      throw new Refusal(
        'forbidden',
        'this server does not go by that name',
        'open it by the address it said when it started',
      );
    const { cookie, authorization } = request.headers;
    const protocols = request.headers['sec-websocket-protocol'];
    const shown = { cookie, authorization, protocols, address: request.ip };
    const { who, isBad } = await identify(identity, shown, secureCookie);
    request.who = who;
    // what is not there is nobody's
    if (request.is404) return;
    const { id, access = VIEWER } = request.routeOptions.config;
    const shape: RouteShape | null = id === undefined ? null : ROUTES[id];
    const needed = shape?.access ?? access;
    // pages and pictures that anybody may see are not counted
    if (shape !== null || needed !== 'anyone' || request.headers.upgrade !== undefined)
      await limit(rateClassOf(id ?? null, shape, request.method, who !== null), request);
    letIn(who, needed, isBad);
    if (who?.mustChange === true && needed !== 'anyone' && (id === undefined || !BEFORE_CHANGE.includes(id)))
      throw mustChange();
    // another site must not log its visitors in as somebody else
    if (id === 'logIn') refuseStrangeOrigin(request, listening);
    else if (who?.via === 'session') checkSession(request, who, identity, listening);
    if (id !== 'issueToken' && request.headers['content-type']?.toLowerCase().startsWith(FORM))
      throw new Refusal('bad-input', 'this takes no form', 'send JSON');
  });
  // nobody else ends a connection whose upgrade was refused before the WebSocket's own hooks ran
  app.addHook('onResponse', async (request, reply) => {
    if (request.headers.upgrade !== undefined && reply.statusCode >= 400) request.raw.socket.destroySoon();
  });
  app.addHook('onSend', async (request, reply, payload) =>
    request.routeOptions.config.id === 'issueToken' && reply.statusCode >= 400 && reply.statusCode < 500
      ? oauthBody(payload)
      : payload,
  );
}

// the gate is for the whole server, not for the plugin's own scope
(identityPlugin as unknown as Record<symbol, boolean>)[Symbol.for('skip-override')] = true;

/** Whether cookies are only for TLS, by what the server is told of itself. */
export const isCookieSecure = ({ tls, trustedProxy }: Listening): boolean =>
  tls !== null || trustedProxy.length > 0;

const changes = (method: string) => !['GET', 'HEAD', 'OPTIONS'].includes(method);

const mustChange = () =>
  new Refusal(
    'password-change-required',
    'the password is a one-time one',
    'choose a password of your own first: POST /api/v1/session/password',
  );

function letIn(who: Identified | null, access: Access, isBad: boolean): void {
  const verdict = permission(who, access);
  if (verdict.allowed) return;
  if (verdict.code === 'unauthenticated')
    throw new Refusal(
      'unauthenticated',
      isBad ? 'the session or token is not good any more' : 'nobody is logged in',
      'log in, or send Authorization: Bearer TOKEN',
    );
  const what =
    verdict.code === 'role' ? `the role ${verdict.needs}` : `a token with the scope ${verdict.needs}`;
  throw new Refusal('forbidden', `this needs ${what}`, 'ask an administrator');
}

/** Browsers send a cookie whoever made the page: what a session does must come from a page of ours. */
function checkSession(
  request: FastifyRequest,
  who: Identified,
  identity: Identity,
  listening: Listening,
): void {
  // of WebSockets browsers ask nobody first, and pages of other ports of this machine count as the same site
  if (request.headers.upgrade !== undefined) refuseStrangeOrigin(request, listening);
  if (!changes(request.method)) return;
  refuseStrangeOrigin(request, listening);
  const given = request.headers[CSRF_HEADER];
  if (typeof given !== 'string' || !identity.sessions.csrfMatches(who.credential, given))
    throw new Refusal(
      'csrf',
      `the header ${CSRF_HEADER} is missing or wrong`,
      'send `csrf` of GET /api/v1/session with everything but GET',
    );
}

/** By the Origin header, or where a browser sends none by Sec-Fetch-Site; programs send neither. */
function refuseStrangeOrigin(request: FastifyRequest, { origins = [] }: Listening): void {
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const isOwn =
    origin === undefined
      ? site === undefined || site === 'same-origin' || site === 'none'
      : origin === `${request.protocol}://${request.host}` || origins.includes(origin);
  if (!isOwn)
    throw new Refusal(
      'csrf',
      'the request comes from a page of another site',
      'open the console itself, or name the site with --origin',
    );
}

type Limit = (of: RateClass, request: FastifyRequest) => Promise<void>;

function limiters(app: FastifyInstance, limits: RateLimits): Limit {
  const keyOf = ({ who, ip }: FastifyRequest) =>
    who === null ? `address ${addressKey(ip)}` : `user ${who.id}`;
  const byAddress = ({ ip }: FastifyRequest) => `address ${addressKey(ip)}`;
  const make = (of: RateClass) =>
    app.createRateLimit({
      max: limits[of],
      timeWindow: MINUTE,
      keyGenerator: of === 'login' || of === 'anonymous' ? byAddress : keyOf,
    });
  const made = {
    login: make('login'),
    anonymous: make('anonymous'),
    read: make('read'),
    write: make('write'),
    danger: make('danger'),
  };
  return async (of, request) => {
    const state = await made[of](request);
    if (state.isAllowed || !state.isExceeded) return;
    const retryAfterS = Math.max(1, state.ttlInSeconds);
    throw new Refusal('too-many-requests', 'too many requests', `wait ${retryAfterS} s`, { retryAfterS });
  };
}
