import { z } from 'zod';
import * as house from '../contract/areas/house.ts';
import * as market from '../contract/areas/market.ts';
import * as matrix from '../contract/areas/matrix.ts';
import * as session from '../contract/areas/session.ts';
import * as sigma from '../contract/areas/sigma.ts';
import * as thinking from '../contract/areas/thinking.ts';
import * as trading from '../contract/areas/trading.ts';
import * as workshop from '../contract/areas/workshop.ts';
import {
  acted,
  CODE_HEADER,
  CONFIRM_HEADER,
  CSRF_HEADER,
  confirmationRequired,
  done,
  errorAnswer,
  liveMessage,
  pathOf,
  ROUTES,
  type RouteId,
  type RouteShape,
  reasoned,
} from '../contract/index.ts';
import { packageVersion } from '../setup/code-hash.ts';
import { LIVE_PATH } from './live/live-route.ts';

type Json = Record<string, unknown>;

const AREAS = { session, sigma, trading, market, thinking, matrix, workshop, house };
const ABOUT: Readonly<Record<keyof typeof AREAS, string>> = {
  session: 'Who is there: log-in, second factor, tokens, users, audit',
  sigma: 'The routes of the Sigma sheet, in its own words',
  trading: 'Account, positions, orders, fills, trades, and what stops them',
  market: 'Instruments, bars, indicators, order book',
  thinking: 'Decisions, signals, sources, gates, risk',
  matrix: 'Desks by symbol and timeframe, their models, parity, kill switches',
  workshop: 'Desks, configuration, research, background work',
  house: 'Journal, alerts, logs, the machine',
};

/** Errors of the token endpoint, in the words of RFC 6749. */
export const tokenError = z.object({ error: z.string(), error_description: z.string() });

const pascal = (id: string) => id[0]!.toUpperCase() + id.slice(1);
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** The OpenAPI 3.1 document of everything the server answers, made from the contract alone. */
export function openApi(cookieName: string): Json {
  const names = new Names();
  for (const area of Object.values(AREAS)) {
    for (const [name, value] of Object.entries(area))
      if (value instanceof z.ZodType && name !== 'jobRequest') names.output(value, pascal(name));
  }
  names.input(reasoned, 'Reasoned');
  names.output(acted, 'Acted');
  names.output(done, 'Done');
  names.output(errorAnswer, 'Error');
  names.output(tokenError, 'TokenError');
  names.output(confirmationRequired, 'ConfirmationRequired');
  names.output(liveMessage, 'LiveMessage');
  const paths: Record<string, Json> = {};
  for (const id of Object.keys(ROUTES) as RouteId[]) {
    const { method, path } = pathOf(id);
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(id, ROUTES[id], names) };
  }
  paths[LIVE_PATH] = { get: liveOperation() };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Quorum console',
      version: packageVersion(),
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'Money and quantities are decimal strings, times epoch milliseconds. Lists come newest first in pages: `next` is the cursor of the following one. Dangerous actions answer 428 first: send the same request again with the confirmation.',
    },
    servers: [{ url: '/' }],
    tags: Object.entries(ABOUT).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: names.schemas(), securitySchemes: securitySchemes(cookieName) },
  };
}

function operation(id: RouteId, shape: RouteShape, names: Names): Json {
  const { summary, access, danger, body, answer, status = 200 } = shape;
  const { method } = pathOf(id);
  const area = Object.entries(AREAS).find(([, area]) => holds(area, id))![0];
  const isOpen = access === 'anyone';
  const media = id === 'issueToken' ? 'application/x-www-form-urlencoded' : 'application/json';
  const isRequired = body !== undefined && !body.safeParse(undefined).success;
  return {
    operationId: id,
    summary,
    tags: [area],
    ...(isOpen ? {} : { description: `Role ${access.role}; tokens need the scope ${access.scope}.` }),
    security: isOpen ? [] : securityOf(access.scope, method),
    parameters: [
      ...parametersOf('path', shape.params),
      ...parametersOf('query', shape.query),
      ...(danger === true ? confirmHeaders() : []),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: isRequired,
            content: { [media]: { schema: ref(names.input(body, `${pascal(id)}Body`)) } },
          },
        }),
    responses: {
      [status]:
        answer === null
          ? {
              description: 'done',
              content: { [shape.produces ?? 'text/plain']: { schema: { type: 'string' } } },
            }
          : json('done', names.output(answer, `${pascal(id)}Answer`)),
      ...(method === 'GET' ? { 304: { description: 'as before: the ETag that was sent still holds' } } : {}),
      ...(id === 'issueToken' ? tokenErrors() : errors(shape)),
    },
  };
}

const json = (description: string, name: string) => ({
  description,
  content: { 'application/json': { schema: ref(name) } },
});

function errors({ access, danger, body }: RouteShape): Json {
  return {
    400: json('the request is not as described', 'Error'),
    ...(access === 'anyone'
      ? {}
      : {
          401: json('nobody is logged in', 'Error'),
          403: json('role, scope or CSRF token is missing', 'Error'),
        }),
    404: json('there is no such thing', 'Error'),
    409: json('refused, with the reason', 'Error'),
    ...(body === undefined ? {} : { 413: json('the body is too large', 'Error') }),
    ...(danger === true
      ? { 428: json('confirm it: call again with the token', 'ConfirmationRequired') }
      : {}),
    429: json('too many requests; see Retry-After', 'Error'),
    503: json('a part that this needs cannot be reached', 'Error'),
  };
}

function tokenErrors(): Json {
  return {
    400: json('the request, the password, the code or the scope is not right', 'TokenError'),
    429: json('too many attempts; see Retry-After', 'TokenError'),
    503: json('too many passwords are being checked at once', 'TokenError'),
  };
}

function confirmHeaders(): Json[] {
  return [
    {
      name: CONFIRM_HEADER,
      in: 'header',
      required: false,
      schema: { type: 'string' },
      description: 'token of the 428',
    },
    {
      name: CODE_HEADER,
      in: 'header',
      required: false,
      schema: { type: 'string' },
      description: 'code of the second factor, where the rules ask for one',
    },
  ];
}

function parametersOf(place: 'path' | 'query', shape: z.ZodObject | undefined): Json[] {
  return Object.entries(shape?.shape ?? {}).map(([name, schema]) => {
    const { description, ...of } = plainSchema(schema as z.ZodType);
    const isRequired = place === 'path' || !(schema as z.ZodType).safeParse(undefined).success;
    return {
      name,
      in: place,
      required: isRequired,
      schema: of,
      ...(description === undefined ? {} : { description }),
    };
  });
}

function securityOf(scope: string, method: string): Json[] {
  const session = method === 'GET' ? { session: [] } : { session: [], csrf: [] };
  return [session, { bearer: [] }, { oauth2: [scope] }];
}

function securitySchemes(cookieName: string): Json {
  return {
    session: {
      type: 'apiKey',
      in: 'cookie',
      name: cookieName,
      description: 'of a browser that is logged in',
    },
    csrf: { type: 'apiKey', in: 'header', name: CSRF_HEADER, description: '`csrf` of GET /api/v1/session' },
    bearer: {
      type: 'http',
      scheme: 'bearer',
      description: 'an API token (qrm_...) or a JWT of POST /auth/token',
    },
    oauth2: {
      type: 'oauth2',
      flows: {
        password: {
          tokenUrl: '/auth/token',
          scopes: { read: 'see everything', trade: 'also act', admin: 'also users and configuration' },
        },
      },
    },
  };
}

function liveOperation(): Json {
  const text = (name: string, description: string) => ({
    name,
    in: 'query',
    required: false,
    schema: { type: name === 'after' ? 'integer' : 'string' },
    description,
  });
  return {
    operationId: 'liveFeed',
    summary: 'A WebSocket that tells what happens as it happens, by position in the journal',
    description:
      'Each message names the `prev` one: nothing is missed and nothing comes twice. After a lost connection ask for what is behind the last `seq`. `reset` says that this is too long ago: fetch by HTTP and go on. Closes with 4401 when nobody is logged in.',
    tags: ['house'],
    security: securityOf('read', 'GET'),
    parameters: [
      text('portfolio', 'the first that runs unless given'),
      text('after', '`seq` of the last message that was seen'),
      text('run', '`run` of the greeting it was seen under'),
    ],
    responses: {
      101: json('the connection becomes a WebSocket whose messages are these', 'LiveMessage'),
      401: json('nobody is logged in', 'Error'),
      403: json('the page is of another site', 'Error'),
    },
  };
}

function holds(area: Readonly<Record<string, unknown>>, id: RouteId): boolean {
  return Object.entries(area).some(([name, table]) => name.endsWith('_ROUTES') && id in (table as object));
}

/** Names of schemas: each is written once and referred to. */
class Names {
  private readonly inputs = z.registry<{ id: string }>();
  private readonly outputs = z.registry<{ id: string }>();
  private readonly taken = new Set<string>();

  /** The name of what is sent. */
  input(schema: z.ZodType, name: string): string {
    return this.name(this.inputs, schema, name);
  }

  /** The name of what is answered. */
  output(schema: z.ZodType, name: string): string {
    return this.name(this.outputs, schema, name);
  }

  schemas(): Json {
    const written = (registry: typeof this.inputs, io: 'input' | 'output') =>
      z.toJSONSchema(registry, { ...STYLE, io, uri: (id) => `#/components/schemas/${id}` }).schemas;
    const all = { ...written(this.inputs, 'input'), ...written(this.outputs, 'output') };
    return Object.fromEntries(
      Object.entries(all)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
    );
  }

  private name(registry: typeof this.inputs, schema: z.ZodType, wanted: string): string {
    const known = registry.get(schema)?.id;
    if (known !== undefined) return known;
    let name = wanted;
    for (let n = 2; this.taken.has(name); n++) name = `${wanted}${n}`;
    this.taken.add(name);
    registry.add(schema, { id: name });
    return name;
  }
}

const STYLE = {
  target: 'draft-2020-12',
  unrepresentable: 'any',
  // every whole number is a safe one: said once, not at each
  override: ({ jsonSchema }: { jsonSchema: Json }) => {
    if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  },
} as const;

function plainSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { ...STYLE, io: 'input' });
  return rest;
}
