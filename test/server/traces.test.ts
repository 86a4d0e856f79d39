import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { readJournal } from '#adapters';
import { readBeginning, signIn } from '../../bench/support/console-access.ts';
import { askControl, type ControlRequest } from '../../src/apps/runner/control.ts';
import { OtlpLoopback, type ReceivedSpan } from '../support/otlp-loopback.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/quorum.js', import.meta.url));
const HEADER = 'a-key-of-the-collector';

const closes: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close();
});

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (let waits = 0; waits < 1_200; waits++) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error(`${what} did not come`);
}

/** The program with its console, on made-up prices. */
async function start(env: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'quorum-traced-'));
  closes.push(() => rmSync(folder, { recursive: true, force: true }));
  const args = [PROGRAM, 'start', '--demo', '--speed', '20', '--data-dir', folder, '--port', '0'];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk));
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  const end = () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    return ended;
  };
  closes.push(end);
  const beginning = await readBeginning(child);
  return { folder, beginning, end, said: () => said };
}

const collect = async () => {
  const collector = await new OtlpLoopback().start();
  closes.push(() => collector.stop());
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${HEADER}`,
    OTEL_SERVICE_NAME: 'paper',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
  return { collector, env };
};

it('follows an act from the request through the socket into the loop', async () => {
  const { collector, env } = await collect();
  const program = await start(env);
  const { url, password } = program.beginning;
  const { headers } = await signIn(program.beginning);
  const kill = (more: Record<string, string>) =>
    fetch(`${url}/api/v1/kill?portfolio=demo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers, ...more },
      body: JSON.stringify({ reason: 'words of a person' }),
    });
  const asked = (await (await kill({})).json()) as { confirmation: { token: string } };
  // a trace of somebody else is not taken up
  const foreign = `00-${'e'.repeat(32)}-${'f'.repeat(16)}-01`;
  const acted = await kill({ 'x-quorum-confirm': asked.confirmation.token, traceparent: foreign });
  expect(acted.status).toBe(200);

  const turn = await until('the turn of the kill', () =>
    collector.named('turn').find((span) => span.attributes['quorum.act'] === 'kill'),
  );
  const above = ({ parent }: ReceivedSpan) =>
    until('what is above it', () => collector.spans.find(({ spanId }) => spanId === parent));
  const act = await above(turn);
  const request = await above(act);
  expect(turn).toMatchObject({
    kind: 2,
    attributes: { 'quorum.portfolio': 'demo' },
    resource: { 'service.name': 'paper', 'quorum.process': 'loop' },
  });
  expect(act).toMatchObject({
    name: 'operator kill',
    kind: 3,
    failed: false,
    attributes: { 'quorum.portfolio': 'demo', 'quorum.act': 'kill', 'quorum.act.outcome': 'done' },
  });
  expect(request).toMatchObject({
    name: 'POST /api/v1/kill',
    kind: 2,
    parent: null,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/api/v1/kill',
      'http.response.status_code': 200,
    },
    resource: { 'service.name': 'paper', 'quorum.process': 'server' },
  });
  expect(new Set([turn, act, request].map(({ traceId }) => traceId)).size).toBe(1);
  expect(turn.resource['process.pid']).not.toBe(act.resource['process.pid']);
  expect(collector.children(turn).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['decide', 'commit']),
  );
  expect(collector.spans.every(({ traceId }) => traceId !== 'e'.repeat(32))).toBe(true);

  // what is no trace is no reason to refuse an act
  const odd = { ask: 'operator', by: 'ada', reason: 'r', act: { action: 'stop' }, traceparent: 7 };
  expect((await askControl(join(program.folder, 'demo'), odd as unknown as ControlRequest))?.ok).toBe(true);

  const metrics = await until('the figures', async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return /quorum_trace_spans_exported_total\{portfolio="",process="server"\} [1-9]/.test(text)
      ? text
      : undefined;
  });
  expect(metrics).toMatch(/quorum_trace_spans_exported_total\{portfolio="demo",process="loop"\} [1-9]/);
  expect(metrics).toContain(
    'quorum_trace_spans_dropped_total{portfolio="demo",process="loop",reason="full"} 0',
  );

  expect(await program.end()).toBe(0);
  // a token in the address of a live feed, words of people and everything secret stay here
  const sent = collector.received.map(({ body }) => body).join('\n');
  const secrets = [HEADER, password, asked.confirmation.token, 'words of a person', 'portfolio=demo'];
  secrets.push(headers['x-quorum-csrf']!, headers.cookie!.split('=')[1]!);
  expect(secrets.filter((secret) => !(secret?.length > 7))).toEqual([]);
  for (const secret of secrets) expect(sent.includes(secret), secret).toBe(false);
  expect(collector.received.every((call) => call.headers.authorization === `Bearer ${HEADER}`)).toBe(true);
  const logs = ['quorum.log', 'server.log'].map((name) => readFileSync(join(program.folder, name), 'utf8'));
  expect([program.said(), ...logs].join()).not.toContain(HEADER);
  const journal = [...readJournal(join(program.folder, 'demo', 'journal'))]
    .map(({ text }) => text)
    .join('\n');
  for (const word of ['traceparent', turn.traceId, turn.spanId]) expect(journal).not.toContain(word);
}, 120_000);

it('goes on, and ends, with a collector that hangs', async () => {
  const { collector, env } = await collect();
  collector.faultFor = () => 'hang';
  const program = await start({ ...env, OTEL_BSP_MAX_QUEUE_SIZE: '2' });
  const { url } = program.beginning;
  const dropped = await until('a drop', async () => {
    await fetch(`${url}/api/health`);
    const text = await (await fetch(`${url}/metrics`)).text();
    return /quorum_trace_spans_dropped_total\{portfolio="",process="server",reason="full"\} [1-9]/.test(text)
      ? text
      : undefined;
  });
  expect(dropped).toMatch(/quorum_up\{portfolio="demo"\} 1/);
  const slices = async () => {
    const answer = await askControl(join(program.folder, 'demo'), { ask: 'metrics' });
    return (answer?.metrics as { life: { slices: number } } | undefined)?.life.slices;
  };
  const before = (await slices())!;
  await until('the loop to go on', async () => ((await slices()) ?? 0) > before || undefined);
  expect(await program.end()).toBe(0);
}, 120_000);

it('says what is missing before anything runs', async () => {
  const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: 'nowhere' };
  const folder = mkdtempSync(join(tmpdir(), 'quorum-traced-'));
  closes.push(() => rmSync(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, [PROGRAM, 'start', '--demo', '--data-dir', join(folder, 'data')], {
    env,
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk));
  expect(await new Promise((done) => child.once('close', done))).toBe(3);
  expect(said).toContain('OTEL_EXPORTER_OTLP_ENDPOINT is no address of HTTP');
}, 120_000);
