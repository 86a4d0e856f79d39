import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { readJournal, systemClock } from '#adapters';
import { readCommand } from '#engine';
import { openEndpoint } from '../../src/apps/ingest/endpoint.ts';
import { ingestSettings, openStreams } from '../../src/apps/ingest/ingest-settings.ts';
import { webhookFeed } from '../../src/apps/ingest/webhook-feed.ts';
import { demoPortfolio } from '../../src/apps/runner/choose.ts';
import type { ReadRequest } from '../../src/apps/runner/control.ts';
import { ControlLine } from '../../src/apps/runner/control-line.ts';
import { setUpPortfolio } from '../../src/apps/runner/portfolio-setup.ts';
import { Session } from '../../src/apps/runner/session.ts';
import { TurnTrace } from '../../src/apps/runner/turn-trace.ts';
import { ReachedPortfolios } from '../../src/apps/server/portfolios.ts';
import { openTraces } from '../../src/apps/traces/open-traces.ts';
import type { Traces } from '../../src/apps/traces/traces.ts';
import { pretendedLoop } from '../server/live-kit.ts';
import { OtlpLoopback } from '../support/otlp-loopback.ts';

const closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

const HEADER = 'a-key-of-the-collector';

async function collector(): Promise<OtlpLoopback> {
  const open = await new OtlpLoopback().start();
  closes.push(() => open.stop());
  return open;
}

/** Traces to that address. The exporter reads its own variables in its thread, from the environment of the process. */
function tracesTo(
  url: string,
  more: Record<string, string> = {},
  goodbyeMs = 60_000,
): Traces & { readonly lines: string[] } {
  const mine = {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${HEADER}`,
    OTEL_BSP_SCHEDULE_DELAY: '20',
    ...more,
  };
  const before = Object.keys(mine).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, mine);
  const lines: string[] = [];
  const traces = openTraces({ process: 'loop', env: mine, say: (line) => lines.push(line), goodbyeMs })!;
  closes.push(async () => {
    await traces.close();
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  return Object.assign(traces, { lines });
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waits = 0; waits < 3_000; waits++) {
    if (holds()) return;
    await sleep(10);
  }
  throw new Error(`waited in vain for ${what}`);
}

const total = (traces: Traces) => {
  const { exported, dropped } = traces.figures();
  return exported + dropped.full + dropped.failed;
};

const spansOf = (traces: Traces, count: number) => {
  for (let i = 0; i < count; i++) traces.begin('one', 'internal', null).end({ n: i });
};

describe('spans on their way to a collector', () => {
  it('arrive with parents, attributes, times, the resource and the headers that were asked for', async () => {
    const open = await collector();
    const traces = tracesTo(open.url, { OTEL_SERVICE_NAME: 'desk' });
    const outer = traces.begin('outer', 'server', null);
    const inner = traces.begin('inner', 'client', outer.place);
    inner.end({ text: 'a', whole: 3, yes: true, list: ['x', 'y'] }, { failed: true });
    outer.end({});
    await until('the spans', () => traces.figures().exported === 2);
    const [first] = open.named('outer');
    const [second] = open.children(first!);
    expect(first).toMatchObject({
      parent: null,
      kind: 2,
      failed: false,
      ...(outer.place && { spanId: outer.place.spanId }),
    });
    expect(second).toMatchObject({
      name: 'inner',
      kind: 3,
      failed: true,
      traceId: first!.traceId,
      attributes: { text: 'a', whole: 3, yes: true, list: ['x', 'y'] },
      resource: { 'service.name': 'desk', 'quorum.process': 'loop' },
    });
    expect(first!.start <= second!.start && second!.end <= first!.end).toBe(true);
    expect(open.received[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-collector-key': HEADER } });
    expect(open.received.map(({ body }) => body).join()).not.toContain(HEADER);
  });

  it('are not made where nobody asks, and where the trace is not kept', async () => {
    expect(openTraces({ process: 'loop', env: {}, say: () => undefined })).toBeNull();
    const open = await collector();
    const traces = tracesTo(open.url, {
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    const outer = traces.begin('outer', 'server', null);
    traces.begin('inner', 'internal', outer.place).end({});
    outer.end({});
    traces.begin('asked for', 'server', { ...outer.place, sampled: true }).end({});
    await traces.close();
    expect(open.spans.map(({ name }) => name)).toEqual(['asked for']);
    expect(total(traces)).toBe(1);
  });

  it('need a package that says how it is installed', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
    const name = '@opentelemetry/not-installed';
    expect(() => openTraces({ process: 'loop', env, say: () => undefined, name })).toThrow(
      /traces need the package @opentelemetry\/not-installed/,
    );
  });

  it('are dropped and counted while the collector answers errors, and taken again after it', async () => {
    const open = await collector();
    open.faults.push({ status: 500, body: { message: HEADER } }, 'garbage');
    const traces = tracesTo(open.url);
    spansOf(traces, 3);
    await until('the error', () => traces.figures().dropped.failed === 3);
    spansOf(traces, 2);
    await until('what an answer that is none stands for', () => total(traces) === 5);
    spansOf(traces, 4);
    await until('the rest', () => traces.figures().exported >= 4);
    expect(traces.figures().dropped).toEqual({ full: 0, failed: 3 });
    expect(traces.lines).toEqual([
      'traces are dropped: the collector answers with 500',
      'traces are taken again',
    ]);
  });

  it('are dropped and counted while the collector hangs, and the end does not wait for it', async () => {
    const open = await collector();
    open.faultFor = () => 'hang';
    const sizes = { OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5' };
    const traces = tracesTo(open.url, { ...sizes, OTEL_EXPORTER_OTLP_TIMEOUT: '600000' }, 1);
    spansOf(traces, 5);
    await until('a request that hangs', () => open.received.length === 1);
    spansOf(traces, 12);
    expect(traces.figures()).toEqual({ exported: 0, dropped: { full: 2, failed: 0 } });
    // each of four batches would hang for half a minute
    await traces.close();
    expect(traces.figures()).toEqual({ exported: 0, dropped: { full: 2, failed: 15 } });
    spansOf(traces, 1);
    expect(traces.figures().dropped.failed).toBe(16);
  }, 60_000);

  it('are dropped and counted while nobody listens, and the end does not wait for another attempt', async () => {
    const open = await collector();
    const { url } = open;
    await open.stop();
    closes.pop();
    const traces = tracesTo(url, {}, 1);
    spansOf(traces, 7);
    await traces.close();
    expect(traces.figures()).toEqual({ exported: 0, dropped: { full: 0, failed: 7 } });
  });

  it('are all sent at the end, in several batches', async () => {
    const open = await collector();
    const traces = tracesTo(open.url, {
      OTEL_BSP_SCHEDULE_DELAY: '60000',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '40',
    });
    spansOf(traces, 100);
    await traces.close();
    expect(traces.figures()).toEqual({ exported: 100, dropped: { full: 0, failed: 0 } });
    expect(new Set(open.spans.map(({ attributes }) => attributes.n)).size).toBe(100);
  });
});

const root = mkdtempSync(join(tmpdir(), 'quorum-traces-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Plays the demo, traced or not; the session stays open. */
async function played(folder: string, slices: number, traces: Traces | null): Promise<Session> {
  const setup = await setUpPortfolio(demoPortfolio());
  const directory = join(root, folder);
  const session = new Session({
    setup,
    directory,
    fresh: false,
    snapshotEvery: Number.POSITIVE_INFINITY,
    onCommand: () => undefined,
  });
  closes.push(() => session.abandon());
  if (traces !== null) {
    const trace = new TurnTrace(traces, setup.name);
    session.times.trace = trace;
    session.recorder.onLine = (line) => trace.decided(line);
  }
  const tape = setup.tape!;
  session.begin(tape.peek()!);
  while (session.engine.counts.slices < slices) {
    const at = tape.peek();
    while (tape.peek() === at) session.market(tape.next());
    session.commit();
  }
  return session;
}

const entries = (folder: string) => [...readJournal(join(root, folder, 'journal'))];
const SLICES = 900;

describe('turns of the loop', () => {
  it('are told with what was decided, made durable and sent, and change nothing of it', async () => {
    const open = await collector();
    const traces = tracesTo(open.url, { OTEL_BSP_MAX_QUEUE_SIZE: '100000' });
    const session = await played('traced', SLICES, traces);
    await played('plain', SLICES, null);
    await traces.close();
    expect(traces.figures().dropped).toEqual({ full: 0, failed: 0 });

    // but for the name of the run the journals are the same
    const told = entries('traced').map(({ kind, text }) => `${kind} ${text}`);
    const plain = entries('plain').map(({ kind, text }) => `${kind} ${text}`);
    expect(told.slice(1)).toEqual(plain.slice(1));

    const turns = open.named('turn');
    const submitted = entries('traced').flatMap(({ kind, text }) => {
      const command = kind === 'command' ? readCommand(text) : null;
      return command?.kind === 'submit-order' ? [command.order] : [];
    });

    expect(submitted.length).toBeGreaterThan(5);
    expect(turns.length).toBeLessThan(session.engine.counts.slices);
    const sends = open.named('send').filter((s) => s.attributes['quorum.command'] === 'submit-order');
    expect(sends.map((s) => s.attributes['quorum.client_order_id']).sort()).toEqual(
      submitted.map(({ clientId }) => clientId).sort(),
    );
    const byId = new Map(turns.map((turn) => [turn.spanId, turn]));
    for (const send of sends) {
      const turn = byId.get(send.parent!)!;
      const { clientId, instrument } = submitted.find(
        (o) => o.clientId === send.attributes['quorum.client_order_id'],
      )!;
      expect(turn.attributes['quorum.client_order_ids']).toContain(clientId);
      expect(turn.attributes['quorum.instruments']).toContain(instrument);
      expect(turn.start <= send.start && send.end <= turn.end).toBe(true);
    }

    const entered = entries('traced').filter(
      ({ kind, text }) =>
        kind === 'note' && text.includes('"type":"decision"') && text.includes('"outcome":"entered"'),
    );
    const sum = (name: string) => turns.reduce((n, turn) => n + Number(turn.attributes[name] ?? 0), 0);
    expect(entered.length).toBeGreaterThan(0);
    expect(sum('quorum.outcome.entered')).toBe(entered.length);
    for (const turn of turns) {
      const names = open.children(turn).map(({ name }) => name);
      expect(names).toContain('decide');
      expect(names).toContain('commit');
      expect(turn.attributes['quorum.portfolio']).toBe('demo');
      expect(turn.resource['quorum.process']).toBe('loop');
    }
    const slices = new Set(
      entered.map(({ text }) =>
        new Date((JSON.parse(text) as { line: { at: number } }).line.at).toISOString(),
      ),
    );
    const traded = turns.filter((turn) => turn.attributes['quorum.outcome.entered'] !== undefined);
    expect(new Set(traded.map((turn) => turn.attributes['quorum.slice']))).toEqual(slices);

    // no signals, no prompts, no reasons
    const known =
      /^quorum\.(portfolio|slice|instruments?|decisions|commands?|client_order_ids?|outcome\.[a-z-]+|event|entries|stages_left_out)$/;
    const strange = open.spans
      .flatMap(({ attributes }) => Object.keys(attributes))
      .filter((key) => !known.test(key));
    expect(strange).toEqual([]);
  });

  it('stay bounded however much happens in one', async () => {
    const open = await collector();
    const traces = tracesTo(open.url);
    const trace = new TurnTrace(traces, 'p');
    trace.begins(0);
    for (let i = 0; i < 500; i++)
      trace.sent({ kind: 'cancel-order', clientId: `c-${i}` as never, reason: 'x' }, i, i);
    trace.stepped(
      { kind: 'timer-fired', at: 1, eventTime: 1 },
      [{ kind: 'query-order', clientId: 'c' as never }],
      1,
      2,
    );
    trace.over(1);
    await traces.close();
    expect(open.spans).toHaveLength(65);
    const [turn] = open.named('turn');
    expect(turn!.attributes['quorum.stages_left_out']).toBe(437);
    expect(turn!.attributes['quorum.client_order_ids']).toHaveLength(32);
  });

  it('go on in the trace of an operator, which no journal holds', async () => {
    const open = await collector();
    const traces = tracesTo(open.url);
    const session = await played('acts', 2, traces);
    const line = new ControlLine({
      session,
      status: () => {
        throw new Error('nobody asks');
      },
      feed: () => 'tape',
      tape: () => null,
      feedQueue: () => 0,
      projector: () => null,
      now: () => session.engine.at,
      end: () => undefined,
    });
    closes.push(() => line.close());
    const control = await pretendedLoop(join(root, 'acts'), (request) => line.answer(request as ReadRequest));
    closes.push(() => control.close());
    const portfolios = new ReachedPortfolios({
      dataDir: root,
      databaseUrl: () => null,
      now: Date.now,
      traceAct: (_name, question, send) => send(question.reason),
    });
    closes.push(() => portfolios.close());
    // the reason stands in for the trace here, so that each act has another
    const act = (reason: string, more: object = { action: 'stop' }) =>
      portfolios.ask('acts', { ask: 'operator', by: 'ada', reason, act: more as never });
    const place = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) };
    expect((await act(`00-${place.traceId}-${place.spanId}-01`))?.ok).toBe(true);
    expect((await act('no trace at all', { action: 'start' }))?.ok).toBe(true);
    expect((await act('none either', { action: 'stop', desk: 'nobody' }))?.ok).toBe(false);
    expect((await act(`00-${place.traceId}-${place.spanId}-00`))?.ok).toBe(true);
    await traces.close();
    const turns = open.named('turn').filter((turn) => turn.attributes['quorum.act'] !== undefined);
    expect(
      turns.map((turn) => [turn.attributes['quorum.act'], turn.attributes['quorum.act.refused']]),
    ).toEqual([
      ['stop', undefined],
      ['start', undefined],
      ['stop', true],
    ]);
    expect(turns[0]).toMatchObject({ traceId: place.traceId, parent: place.spanId, kind: 2 });
    expect(turns[1]!.parent).toBeNull();
    const acted = entries('acts').filter(({ text }) => text.includes('operator-acted'));
    expect(acted).toHaveLength(3);
    for (const { text } of acted)
      expect(Object.keys(JSON.parse(text) as object)).not.toContain('traceparent');
  });
});

it('an act reaches a loop that knows of no traces', async () => {
  const folder = join(root, 'older');
  mkdirSync(folder);
  writeFileSync(join(folder, 'journal'), '');
  const heard: object[] = [];
  const control = await pretendedLoop(folder, (request) => {
    heard.push(request);
    return 'traceparent' in request
      ? { ok: false, error: 'request: Unrecognized key: "traceparent"' }
      : { ok: true, running: false };
  });
  closes.push(() => control.close());
  const portfolios = new ReachedPortfolios({
    dataDir: root,
    databaseUrl: () => null,
    now: Date.now,
    traceAct: (_name, _question, send) => send(`00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`),
  });
  closes.push(() => portfolios.close());
  const answer = await portfolios.ask('older', {
    ask: 'operator',
    by: 'a',
    reason: 'r',
    act: { action: 'kill' },
  });
  expect([answer?.ok, heard.length]).toEqual([true, 2]);
});

it('requests of the ingestion are told without their secret', async () => {
  const open = await collector();
  const traces = tracesTo(open.url);
  const folder = mkdtempSync(join(tmpdir(), 'quorum-traced-ingest-'));
  closes.push(() => rmSync(folder, { recursive: true, force: true }));
  const secret = 'a-secret-of-the-address';
  const feed = webhookFeed.parse({
    kind: 'webhook',
    listen: { port: 0 },
    requireHmac: false,
    allow: ['127.0.0.1'],
  });
  const settings = ingestSettings(feed, folder, { QUORUM_INGEST_SECRET: secret });
  const streams = await openStreams(settings);
  closes.push(() => streams.close());
  const endpoint = await openEndpoint(settings, streams, systemClock, () => undefined, traces);
  closes.push(() => endpoint.close());
  const post = async (with_: string) => {
    const address = `http://127.0.0.1:${endpoint.port}/webhook/${with_}/s1?more=${secret}`;
    const answer = await fetch(address, { method: 'POST', body: '{}' });
    return answer.status;
  };
  const statuses = [await post(secret), await post('a-guess-of-the-secret')];
  await traces.close();
  expect(open.spans.map(({ name, attributes }) => [name, attributes['http.response.status_code']])).toEqual(
    statuses.map((status) => ['POST /webhook/:secret/:desk', status]),
  );
  expect(open.spans[0]!.attributes['quorum.desk']).toBe('s1');
  expect(open.received.map(({ body }) => body).join()).not.toMatch(/a-secret|a-guess/);
});
