import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_ALERTS } from '../../src/apps/alerts/alert-configuration.ts';
import {
  CONFIRM_HEADER,
  CSRF_HEADER,
  confirmationRequired,
  errorAnswer,
  liveMessage,
  PATHS,
  ROUTES,
  type RouteId,
} from '../../src/apps/contract/index.ts';
import { tokenError } from '../../src/apps/server/openapi.ts';
import { createConsole, type OpenConsole } from '../../src/apps/server/server.ts';
import { PORTFOLIO, type RecordedConsole, recordedConsole } from './areas/recorded-console.ts';
import {
  document,
  HOSTILE_BODIES,
  HOSTILE_TEXTS,
  type Json,
  type Operation,
  operations,
  resolved,
  smallest,
  validator,
  wrongFor,
} from './contract-kit.ts';
import { cheapHasher } from './identity/people.ts';

describe('the OpenAPI document', () => {
  it('is of version 3.1 and describes every route of the contract, and no other', () => {
    expect(document.openapi).toBe('3.1.0');
    const described = operations.map(({ operationId, method, path }) => `${operationId}: ${method} ${path}`);
    const agreed = Object.entries(PATHS).map(([id, path]) => `${id}: ${path}`);
    expect(described.sort()).toEqual([...agreed, 'liveFeed: GET /ws/live-feed'].sort());
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });

  it('holds valid schemas, each of them named, and no reference that leads nowhere', () => {
    const ajv = validator();
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      expect(ajv.validateSchema(schema), `${name}: ${ajv.errorsText()}`).toBe(true);
      expect(name).toMatch(/^[A-Z][A-Za-z0-9]*$/);
    }
    const references = JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g);
    for (const [, reference] of references) {
      expect(reference).toMatch(/^#\/components\/schemas\//);
      expect(document.components.schemas, reference).toHaveProperty([reference!.split('/').at(-1)!]);
    }
    // every one compiles, also through its references
    const whole = ajv.addSchema({ $id: 'all', $defs: rebased() }, 'all');
    for (const name of Object.keys(document.components.schemas))
      expect(() => whole.compile({ $ref: `all#/$defs/${name}` }), name).not.toThrow();
  });

  it('says of every operation what it takes, what it answers and who may call it', () => {
    const schemes = Object.keys(document.components.securitySchemes);
    const tags = document.tags.map(({ name }) => name);
    for (const operation of operations) {
      const { operationId, path, parameters, responses, security, requestBody } = operation;
      expect(operation.summary.length, operationId).toBeGreaterThan(3);
      expect(tags).toContain(operation.tags[0]);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(
        parameters.filter((one) => one.in === 'path').map(({ name }) => name),
        operationId,
      ).toEqual(inPath);
      expect(new Set(parameters.map(({ name, in: place }) => `${place} ${name}`)).size).toBe(
        parameters.length,
      );
      expect(
        Object.keys(responses).some((status) => /^(2\d\d|101)$/.test(status)),
        operationId,
      ).toBe(true);
      for (const one of security) for (const name of Object.keys(one)) expect(schemes).toContain(name);
      const contents = [requestBody, ...Object.values(responses)].flatMap((one) =>
        Object.values(one?.content ?? {}),
      );
      for (const { schema } of contents)
        expect(
          '$ref' in schema || schema.type === 'string',
          `${operationId} has a schema without a name`,
        ).toBe(true);
      if (operationId === 'liveFeed') continue;
      const isOpen = ROUTES[operationId].access === 'anyone';
      expect(security.length === 0, operationId).toBe(isOpen);
    }
  });
});

/** The schemas with references that hold inside a schema of its own. */
function rebased(): Json {
  return JSON.parse(
    JSON.stringify(document.components.schemas).replaceAll('"#/components/schemas', '"all#/$defs'),
  ) as Json;
}

/** The sheet's routes and the fields of their bodies and answers, as it writes them. */
const SIGMA: readonly (readonly [path: string, body: readonly string[], answer: readonly string[]])[] = [
  ['POST /api/trading/start', ['mode'], ['is_running']],
  ['POST /api/trading/stop', ['mode'], ['is_running']],
  [
    'GET /api/trading/status',
    [],
    ['is_running', 'balance', 'open_positions', 'total_pnl', 'regime', 'breaker'],
  ],
  ['POST /api/strategy/create', ['prompt'], []],
  ['POST /api/strategy/apply', ['id'], []],
  ['GET /api/strategy/list', [], []],
  ['GET /api/strategy/active', [], []],
  ['GET /api/performance', [], ['win_rate', 'payoff', 'expectancy', 'sharpe', 'max_drawdown', 'n']],
  ['GET /api/performance/history', [], []],
  ['GET /api/balance', [], ['balance']],
  ['GET /api/trades', [], []],
  ['GET /api/trades/open', [], []],
  ['GET /api/circuit-breaker/status', [], ['state']],
  ['GET /api/circuit-breaker/issues', [], []],
  ['POST /api/circuit-breaker/recover', ['reason'], ['state']],
  ['POST /api/circuit-breaker/override', ['enabled', 'reason'], ['state']],
  ['GET /api/notifications', [], []],
  ['POST /api/notifications/{id}/read', [], []],
  ['DELETE /api/notifications', [], []],
  ['POST /api/chat', ['message'], ['reply']],
  ['GET /api/health', [], ['status']],
];

describe('the Sigma sheet', () => {
  const at = (path: string) => operations.find((one) => `${one.method} ${one.path}` === path);
  const fieldsOf = (schema: Json | undefined) =>
    Object.keys((schema === undefined ? {} : (resolved(schema).properties as Json | undefined)) ?? {});

  it.each(SIGMA)('has %s with its fields', (path, body, answer) => {
    const operation = at(path);
    expect(operation, path).toBeDefined();
    const sent = Object.values(operation!.requestBody?.content ?? {})[0]?.schema;
    const got = operation!.responses[200] ?? operation!.responses[201];
    expect(fieldsOf(sent)).toEqual(expect.arrayContaining([...body]));
    expect(fieldsOf(got!.content!['application/json']!.schema)).toEqual(expect.arrayContaining([...answer]));
  });

  it('has pages of at most 500 with a cursor, and the minutes of the issues', () => {
    for (const path of ['GET /api/trades', 'GET /api/performance/history', 'GET /api/notifications']) {
      const { limit, cursor } = Object.fromEntries(at(path)!.parameters.map((one) => [one.name, one.schema]));
      expect(limit).toMatchObject({ maximum: 500 });
      expect(cursor).toBeDefined();
    }
    expect(at('GET /api/circuit-breaker/issues')!.parameters.map(({ name }) => name)).toContain('minutes');
  });

  it.each([
    ['status_update', ['is_running', 'balance', 'open_positions', 'total_pnl']],
    ['new_trade', ['symbol', 'action', 'price', 'size', 'regime']],
    ['circuit_breaker_alert', ['state', 'issue_type', 'severity']],
  ])('has the event %s', (type, fields) => {
    const option = liveMessage.options.find((one) => one.shape.type.value === type)!;
    expect(Object.keys((option.shape.data as { shape: object }).shape)).toEqual(
      expect.arrayContaining(fields),
    );
    expect(Object.keys(option.shape)).toEqual(expect.arrayContaining(['type', 'data']));
  });

  it('calls what is done with a trade as the sheet does', () => {
    const option = liveMessage.options.find((one) => one.shape.type.value === 'new_trade')!;
    const { action } = (option.shape.data as unknown as { shape: { action: { options: string[] } } }).shape;
    expect(action.options).toEqual(['ENTER_LONG', 'ENTER_SHORT', 'EXIT']);
  });
});

/** What goes into a request where the smallest value of the schema would say nothing of the answer. */
const SENSIBLE: { readonly [K in RouteId]?: { readonly query?: string; readonly body?: unknown } } = {
  bars: { query: 'instrument=BTCUSDT.SYNTHETIC&indicators=ema:20,rsi:14&limit=200' },
  orderBook: { query: 'instrument=BTCUSDT.SYNTHETIC' },
  startJob: { body: { kind: 'verify', portfolio: PORTFOLIO } },
  saveConfiguration: { body: { configuration: { portfolios: {} }, reason: 'r', dryRun: true } },
  strategyCreate: { body: { prompt: 'leverage 2' } },
  chat: { body: { message: 'how is it going?' } },
  createUser: { body: { name: 'grace', role: 'viewer', reason: 'a new colleague' } },
  createToken: { body: { name: 'bot', scopes: ['read'] } },
  changeLimits: { body: { changes: { assetMax: 0.5 }, reason: 'more room' } },
};

/** These end what the others need: they come last. */
const LAST: readonly RouteId[] = ['endOtherSessions', 'changePassword', 'logOut', 'kill'];

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

describe('the server', () => {
  let recorded: RecordedConsole;
  let server: OpenConsole;
  let session: { cookie: string; csrf: string };
  const PASSWORD = 'correct horse battery staple';

  beforeAll(async () => {
    recorded = await recordedConsole(8_000);
    server = await createConsole({
      dataDir: recorded.dataDir,
      port: 0,
      hasher: cheapHasher(),
      checkAnswers: true,
      alerts: NO_ALERTS,
      rates: { login: 1e9, anonymous: 1e9, read: 1e9, write: 1e9, danger: 1e9 },
    });
    session = await logIn(server.firstUser!.password);
    const body = { current: server.firstUser!.password, next: PASSWORD };
    const changed = await call({ method: 'POST', path: '/api/v1/session/password', body });
    expect(changed.status).toBe(200);
    session = sessionIn(changed);
  }, 120_000);

  afterAll(async () => {
    await server?.close();
    await recorded?.close();
  });

  async function call({ method, path, body, headers = {} }: Sent) {
    const isText = typeof body === 'string';
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        ...(session === undefined ? {} : { cookie: session.cookie, [CSRF_HEADER]: session.csrf }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  type Got = Awaited<ReturnType<typeof call>>;

  function sessionIn({ headers, text }: Got) {
    const { csrf } = JSON.parse(text) as { csrf: string };
    return { cookie: headers.get('set-cookie')!.split(';')[0]!, csrf };
  }

  async function logIn(password: string) {
    const headers = { cookie: '', [CSRF_HEADER]: '' };
    const body = { name: 'admin', password };
    const got = await call({ method: 'POST', path: '/api/v1/session', body, headers });
    expect(got.status, got.text).toBe(200);
    return sessionIn(got);
  }

  /** Whoever ended the session: the next call needs one. */
  async function again() {
    if ((await call({ method: 'GET', path: '/api/v1/session' })).status === 401)
      session = await logIn(PASSWORD);
  }

  function expectProblem({ status, headers, text }: Got, about: string) {
    expect(status, `${about}: ${text}`).toBeLessThan(500);
    if (status < 400 || text === '') return;
    expect(headers.get('content-type'), about).toBe('application/json; charset=utf-8');
    if (about.startsWith('issueToken')) {
      expect(tokenError.safeParse(JSON.parse(text)).success, `${about}: ${text}`).toBe(true);
    } else {
      const shape = status === 428 ? confirmationRequired : errorAnswer;
      const read = shape.safeParse(JSON.parse(text));
      expect(read.success, `${about}: ${text}`).toBe(true);
      const { message, mend } = read.data!.error;
      expect(message.length, about).toBeGreaterThan(3);
      expect(mend.length, about).toBeGreaterThan(3);
    }
    // nothing of the inside: no trace, no place in the sources, no query
    expect(text, about).not.toMatch(/node:internal|\.ts:\d+|SQLITE_|select .* from /i);
  }

  const routes = operations.filter((one) => one.operationId !== 'liveFeed') as (Operation & {
    operationId: RouteId;
  })[];
  const idIn = async (operation: Operation): Promise<string> => {
    if (operation.operationId === 'decision') {
      const got = await call({ method: 'GET', path: '/api/v1/decisions?limit=1' });
      return (JSON.parse(got.text) as { items: { id: string }[] }).items[0]?.id ?? 'none';
    }
    return operation.path.includes('/desks/') ? 'sigma' : 'nothing-of-that-name';
  };

  function queryOf({ parameters }: Operation): string {
    const needed = parameters.filter((one) => one.in === 'query' && one.required);
    return needed
      .map(({ name, schema }) => `${name}=${encodeURIComponent(String(smallest(schema)))}`)
      .join('&');
  }

  async function valid(operation: Operation & { operationId: RouteId }): Promise<Sent> {
    const { method, operationId, requestBody } = operation;
    const { query = queryOf(operation), body } = SENSIBLE[operationId] ?? {};
    const path = operation.path.replace(/\{\w+\}/, encodeURIComponent(await idIn(operation)));
    const schema = Object.values(requestBody?.content ?? {})[0]?.schema;
    const sent = body ?? (schema === undefined ? undefined : smallest(schema));
    return {
      method,
      path: query === '' ? path : `${path}?${query}`,
      ...(sent === undefined ? {} : { body: sent }),
    };
  }

  const ordered = [
    ...routes.filter(({ operationId }) => !LAST.includes(operationId)),
    ...routes.filter(({ operationId }) => LAST.includes(operationId)),
  ];

  it('answers what is wrong with 400, before it asks for a confirmation', async () => {
    let tried = 0;
    for (const operation of ordered) {
      const { operationId, requestBody, parameters } = operation;
      const good = await valid(operation);
      for (const { name, schema } of parameters.filter((one) => one.in === 'query')) {
        const wrong = wrongFor(schema).find((value) => typeof value === 'string');
        if (wrong === undefined || resolved(schema).type === 'string') continue;
        const [path, query = ''] = good.path.split('?');
        const others = query.split('&').filter((one) => one !== '' && !one.startsWith(`${name}=`));
        const got = await call({ ...good, path: `${path}?${[...others, `${name}=${wrong}`].join('&')}` });
        expect(got.status, `${operationId} ?${name}=${wrong}: ${got.text}`).toBe(400);
        expectProblem(got, operationId);
        tried += 1;
      }
      const schema = Object.values(requestBody?.content ?? {})[0]?.schema;
      const properties =
        schema === undefined ? undefined : (resolved(schema).properties as Record<string, Json>);
      if (properties === undefined || operationId === 'issueToken') continue;
      const body = good.body as Json;
      for (const [name, of] of Object.entries(properties)) {
        for (const wrong of wrongFor(of)) {
          const got = await call({ ...good, body: { ...body, [name]: wrong } });
          expect(got.status, `${operationId} ${name}: ${JSON.stringify(wrong)}: ${got.text}`).toBe(400);
          expectProblem(got, operationId);
          tried += 1;
        }
      }
      const stranger = await call({ ...good, body: { ...body, notOfTheContract: 1 } });
      expect(stranger.status, `${operationId} takes an unknown key: ${stranger.text}`).toBe(400);
      for (const name of (resolved(schema!).required as string[] | undefined) ?? []) {
        const { [name]: _, ...rest } = body;
        const got = await call({ ...good, body: rest });
        expect(got.status, `${operationId} without ${name}: ${got.text}`).toBe(400);
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(200);
  }, 120_000);

  it('is not brought to its knees by hostile input', async () => {
    for (const operation of ordered) {
      const { operationId, method, path } = operation;
      const good = await valid(operation);
      if (method !== 'GET' && operationId !== 'logOut' && operationId !== 'endOtherSessions') {
        for (const body of HOSTILE_BODIES) {
          expectProblem(
            await call({ ...good, body }),
            `${operationId} ${JSON.stringify(body)?.slice(0, 60)}`,
          );
        }
        for (const body of ['{', '{"a":', '[[[[', '\u0000', '{"reason":"\\ud800"}', ''])
          expectProblem(await call({ ...good, body }), `${operationId} ${body}`);
      }
      const queries = method === 'GET' ? operation.parameters.filter((one) => one.in === 'query') : [];
      for (const [k, text] of HOSTILE_TEXTS.entries()) {
        if (path.includes('{')) {
          const got = await call({ ...good, path: path.replace(/\{\w+\}/, text) });
          expectProblem(got, `${operationId} ${text}`);
        }
        for (const [i, { name }] of queries.entries()) {
          // a third of the texts for each parameter, another third for the next
          if ((i + k) % 3 !== 0) continue;
          const got = await call({ ...good, path: `${path.replace(/\{\w+\}/, 'x')}?${name}=${text}` });
          expectProblem(got, `${operationId} ?${name}=${text}`);
        }
      }
    }
    expect(({} as Json).polluted).toBeUndefined();
    await again();
  }, 120_000);

  it('answers every route as its schema says, and dangerous ones when they are confirmed', async () => {
    const statuses = new Map<string, number>();
    for (const operation of ordered) {
      await again();
      const { operationId } = operation;
      const good = await valid(operation);
      let got = await call(good);
      if (ROUTES[operationId].access !== 'anyone' && 'danger' in ROUTES[operationId]) {
        expect(got.status, operationId).toBe(428);
        const { token } = (JSON.parse(got.text) as { confirmation: { token: string } }).confirmation;
        got = await call({ ...good, headers: { [CONFIRM_HEADER]: token } });
        expect(got.status, operationId).not.toBe(428);
      }
      expectProblem(got, operationId);
      statuses.set(operationId, got.status);
    }
    // nothing of what only reads may be refused here but what is asked for by a name that is nothing's
    for (const { operationId, method, path } of routes) {
      if (method !== 'GET' || path.includes('{') || operationId === 'compareRuns') continue;
      expect(statuses.get(operationId), operationId).toBe(200);
    }
    for (const id of [
      'kill',
      'flatten',
      'changeLimits',
      'tradingStart',
      'createUser',
      'createToken',
      'chat',
    ] as const)
      expect([id, [200, 201, 409].includes(statuses.get(id)!)]).toEqual([id, true]);
    expect(statuses.get('decision')).toBe(200);
    expect(statuses.get('kill')).toBe(200);
  }, 120_000);

  it('gives an ETag with what is read, and 304 to who has it', async () => {
    await again();
    const first = await call({ method: 'GET', path: '/api/v1/trades' });
    const etag = first.headers.get('etag')!;
    expect(etag).toMatch(/^W\/"[\w-]+"$/);
    for (const sent of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
      const same = await call({ method: 'GET', path: '/api/v1/trades', headers: { 'if-none-match': sent } });
      expect([sent, same.status, same.text]).toEqual([sent, 304, '']);
    }
    const other = await call({
      method: 'GET',
      path: '/api/v1/instruments',
      headers: { 'if-none-match': etag },
    });
    expect(other.status).toBe(200);
  });

  it('says in its own shape that a route is not there, a body too large or no JSON, an address nonsense', async () => {
    const status = async (sent: Sent) => {
      const got = await call(sent);
      expectProblem(got, sent.path.slice(0, 60));
      return got.status;
    };
    expect(await status({ method: 'GET', path: '/api/v1/nothing' })).toBe(404);
    expect(await status({ method: 'PATCH', path: '/api/v1/flatten', body: {} })).toBe(404);
    expect(await status({ method: 'GET', path: '/%ff' })).toBe(400);
    const body = { reason: 'x'.repeat(300 * 1024) };
    expect(await status({ method: 'POST', path: '/api/v1/flatten', body })).toBe(413);
    const media = { 'content-type': 'text/xml' };
    expect(await status({ method: 'POST', path: '/api/v1/flatten', body: '<a/>', headers: media })).toBe(415);
  });

  it('serves the document and its page to those who are logged in', async () => {
    await again();
    const served = await call({ method: 'GET', path: '/docs/json' });
    expect(Object.keys((JSON.parse(served.text) as Json).paths as Json).sort()).toEqual(
      Object.keys(document.paths).sort(),
    );
    // by the schema that the OpenAPI initiative publishes; the schemas inside it have tests of their own above
    const verdict = (served: Json) => new Validator().validate(served);
    expect(await verdict(JSON.parse(served.text) as Json)).toEqual({ valid: true });
    const faulty = JSON.parse(served.text) as { paths: Record<string, { get: { tags: unknown } }> };
    faulty.paths['/api/health']!.get.tags = 'health';
    expect((await verdict(faulty)).valid).toBe(false);
    const page = await call({ method: 'GET', path: '/docs' });
    expect(page.text).toContain('swagger-ui');
    expect(page.headers.get('content-security-policy')).not.toMatch(
      /unsafe-eval|script-src[^;]*unsafe-inline/,
    );
    expect(page.text).not.toMatch(/<script(?![^>]*src=)[^>]*>/);
    const stranger = await call({ method: 'GET', path: '/docs/json', headers: { cookie: '' } });
    expect(stranger.status).toBe(401);
  });
});
