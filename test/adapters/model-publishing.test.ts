import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ModelRegistry,
  type PublishedFile,
  publishedFiles,
  publishToMlflow,
  putToS3,
  readMlflowAddress,
  readModelFile,
  readS3Address,
  type S3Place,
  serverUrl,
  travelling,
} from '#adapters';
import { sha256 } from '#base';
import { parseBoostedModel, writeBoostedModel } from '#signals';
import { MlflowLoopback } from '../support/mlflow-loopback.ts';
import { artefactOf, evidenceOf } from '../support/model-artefacts.ts';
import { S3Loopback } from '../support/s3-loopback.ts';

const dir = mkdtempSync(join(tmpdir(), 'quorum-publish-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const artefact = artefactOf(1, { metrics: { auc: 0.61, brier: 0.2, logLoss: null } });
const registry = ModelRegistry.open(join(dir, 'models'));
const { id } = registry.register(artefact, [evidenceOf(artefact)], 'trained', { at: 1, by: 'a@b' });
const model = travelling(registry, id);
const files = publishedFiles(model, (trees) => writeBoostedModel(parseBoostedModel(trees)));
afterAll(() => registry.close());
const patience = { tries: 3, firstWaitMs: 1, timeoutMs: 2_000 };

describe('files of a published model', () => {
  it('are the model, its trees for XGBoost, and last a list with their hashes', () => {
    expect(files.map(({ name }) => name)).toEqual(['model.json', 'xgboost.json', 'manifest.json']);
    const manifest = JSON.parse(Buffer.from(files[2]!.bytes).toString());
    expect(manifest).toMatchObject({ id, name: artefact.name, classes: ['down', 'none', 'up'] });
    for (const { name, bytes, sha256: hash } of files.slice(0, 2)) {
      expect(sha256(bytes)).toBe(hash);
      expect(manifest.files[name]).toBe(hash);
    }
    const file = join(dir, 'model.json');
    writeFileSync(file, files[0]!.bytes);
    const read = readModelFile(file);
    expect(read.kind === 'model' && read.id).toBe(id);
    expect(readFileSync(file).length).toBe(files[0]!.bytes.length);
  });
});

describe('a store that speaks S3', () => {
  let store: S3Loopback;
  beforeEach(async () => {
    store = await new S3Loopback('my-models').start();
  });
  afterEach(() => store.stop());
  const place = (change: Partial<S3Place> = {}): S3Place => ({
    endpoint: change.endpoint ?? serverUrl(store.url),
    region: store.region,
    bucket: 'my-models',
    prefix: 'house/models',
    accessKeyId: store.key,
    secretAccessKey: store.secret,
    sessionToken: null,
    ...change,
  });
  const folder = `${artefact.name}/${id}`;
  const send = (change: Partial<S3Place> = {}, given: readonly PublishedFile[] = files) =>
    putToS3(place(change), folder, given, patience);
  const keys = files.map(({ name }) => `house/models/${folder}/${name}`);

  it('gets every file, signed, and is asked afterwards what it has', async () => {
    const done = await send();
    expect(done.map(({ key, was }) => [key, was])).toEqual(keys.map((key) => [key, 'uploaded']));
    for (const [i, key] of keys.entries()) {
      const { bytes, headers } = store.objects.get(key)!;
      expect(sha256(bytes)).toBe(files[i]!.sha256);
      expect(headers['x-amz-meta-sha256']).toBe(files[i]!.sha256);
      expect(headers['content-type']).toBe('application/json');
    }
    expect(store.calls.filter((call) => call.startsWith('PUT')).map((call) => call.slice(15))).toEqual(keys);
    // the list comes last, after a look at what was sent before
    expect(store.calls.at(-1)).toBe(`HEAD /my-models/${keys[2]}`);
  });

  it('gets nothing twice, and the rest of what was cut off', async () => {
    await send({}, files.slice(0, 1));
    const before = store.calls.length;
    expect((await send()).map(({ was }) => was)).toEqual(['present', 'uploaded', 'uploaded']);
    expect((await send()).map(({ was }) => was)).toEqual(['present', 'present', 'present']);
    const puts = store.calls.slice(before).filter((call) => call.startsWith('PUT'));
    expect(puts).toHaveLength(2);
  });

  it('is written over where it holds something else of the same length', async () => {
    await send();
    const { bytes, headers } = store.objects.get(keys[0]!)!;
    const changed = Buffer.from(bytes);
    changed[100]! ^= 1;
    store.objects.set(keys[0]!, { bytes: changed, headers });
    expect((await send()).map(({ was }) => was)).toEqual(['uploaded', 'present', 'present']);
    expect(sha256(store.objects.get(keys[0]!)!.bytes)).toBe(files[0]!.sha256);
  });

  it('that encrypts is asked for the contents, since its ETag is no hash of them', async () => {
    store.isEncrypting = true;
    await send();
    expect(store.calls.filter((call) => call.startsWith('GET'))).toHaveLength(3);
    expect((await send()).every(({ was }) => was === 'present')).toBe(true);
  });

  it.each([[503], [500], [429], ['drop' as const], ['hang' as const], ['lose-answer' as const]])(
    'is asked again after %s',
    async (fault) => {
      store.faultAtPut(fault);
      const done = await putToS3(place(), folder, files, { ...patience, timeoutMs: 400 });
      expect(done).toHaveLength(3);
      for (const [i, key] of keys.entries())
        expect(sha256(store.objects.get(key)!.bytes)).toBe(files[i]!.sha256);
    },
  );

  it('is given up after so many tries', async () => {
    store.faults.push(503, 503, 503);
    await expect(send()).rejects.toThrow('did not do what was asked in 3 tries: status 503');
    await expect(send()).resolves.toHaveLength(3);
    const gone = serverUrl(store.url);
    await store.stop();
    await expect(send({ endpoint: gone })).rejects.toMatchObject({ name: 'UnreachableError' });
    store = await new S3Loopback('my-models').start();
  });

  it('that changes what it gets is told of', async () => {
    store.faultAtPut('corrupt');
    await expect(send()).rejects.toThrow('arrived with other contents');
  });

  it.each([
    ['another key', { accessKeyId: 'AKIDOTHER' }, 'InvalidAccessKeyId', '--key-env'],
    ['another secret', { secretAccessKey: 'guess' }, 'SignatureDoesNotMatch', '--secret-env'],
    ['another bucket', { bucket: 'not-mine' }, 'NoSuchBucket', 'make the bucket'],
    ['another region', { region: 'us-east-1' }, 'AuthorizationHeaderMalformed', '--region'],
  ])('refuses %s, and is quoted', async (_, change, code, mend) => {
    const failed = await send(change).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: 'InputError' });
    // the look before has no words: the refusal of what is written has
    expect((failed as Error).message).toContain(code);
    expect((failed as { mend: string }).mend).toContain(mend);
    expect((failed as Error).message).not.toContain(store.secret);
  });

  it('refuses a clock that is wrong', async () => {
    store.aheadMs = 3_600_000;
    await expect(send()).rejects.toThrow('RequestTimeTooSkewed');
  });

  it('signs a session token and keys that need escaping', async () => {
    await send({ sessionToken: 'a session', prefix: 'with space/ünïcode/a+b' });
    expect([...store.objects.keys()][0]).toContain('with space/ünïcode/a+b/');
    expect([...store.objects.values()][0]!.headers['x-amz-security-token']).toBe('a session');
  });

  it.each([
    ['s3://bucket/a/b/', { bucket: 'bucket', prefix: 'a/b' }],
    ['s3://my.bucket', { bucket: 'my.bucket', prefix: '' }],
  ])('has an address: %s', (text, expected) => {
    expect(readS3Address(text)).toEqual(expected);
  });

  it.each(['s3://', 's3://UPPER/x', 's3:bucket', 's3://b', 's3://bucket/../x'])('has none: %s', (text) => {
    expect(() => readS3Address(text)).toThrow();
  });

  it('is not spoken to in the clear, nor with a password in its address', () => {
    expect(() => serverUrl('http://s3.example.com')).toThrow('not encrypted');
    expect(() => serverUrl('https://me:secret@s3.example.com')).toThrow('holds a password');
    expect(() => serverUrl('nonsense')).toThrow('no address');
    expect(serverUrl('https://s3.example.com').host).toBe('s3.example.com');
  });
});

describe('a tracking server of MLflow', () => {
  let server: MlflowLoopback;
  beforeEach(async () => {
    server = await new MlflowLoopback().start();
  });
  afterEach(() => server.stop());
  const publish = (authorization: string | null = null, given = model) =>
    publishToMlflow(
      { server: readMlflowAddress(`mlflow+${server.url}`), experiment: 'quorum', authorization },
      given,
      files,
      1_700_000_000_000,
      patience,
    );

  it('gets an experiment, a run with its facts and files, and a version of the name', async () => {
    const done = await publish();
    expect(done).toEqual({ experiment: '1', run: server.runs[0]!.id, version: '1', was: 'published' });
    const run = server.runs[0]!;
    expect(run.status).toBe('FINISHED');
    expect(run.params.get('eta')).toBe('0.1');
    expect(run.params.get('instrument')).toBe('BTCUSDT.BINANCE-USDM');
    expect(run.params.get('classes')).toBe('down,none,up');
    expect(run.metrics.map(({ key, value }) => [key, value])).toEqual([
      ['auc', 0.61],
      ['brier', 0.2],
    ]);
    expect(run.tags.get('quorum.model_id')).toBe(id);
    expect(run.tags.get('quorum.complete')).toBe('true');
    expect([...server.files].map(([path, bytes]) => [path, sha256(bytes)])).toEqual(
      files.map(({ name, sha256: hash }) => [`1/${run.id}/artifacts/model/${name}`, hash]),
    );
    expect(server.versions).toEqual([
      { name: artefact.name, version: '1', run_id: run.id, source: `${run.artifacts}/model` },
    ]);
  });

  it('gets nothing twice, and the next model of a name as its next version', async () => {
    await publish();
    const before = server.calls.length;
    expect(await publish()).toMatchObject({ version: '1', was: 'present' });
    expect(server.calls.slice(before).filter((call) => /PUT|log-batch|runs\/create/.test(call))).toEqual([]);
    const other = { ...model, id: sha256('other') };
    expect(await publish(null, other)).toMatchObject({ version: '2', was: 'published' });
    expect([server.runs.length, server.experiments.size]).toEqual([2, 1]);
  });

  it.each([
    'GET experiments/get-by-name',
    'POST experiments/create',
    'POST runs/search',
    'POST runs/create',
    'POST runs/log-batch',
    'PUT artifacts/1',
    'POST registered-models/create',
    'GET model-versions/search',
    'POST model-versions/create',
    'POST runs/update',
    'POST runs/set-tag',
  ])('is asked again where its answer to "%s" was lost, and makes nothing twice', async (call) => {
    let left = 1;
    server.faultFor = (one) => (one.startsWith(call) && left-- > 0 ? 'lose-answer' : undefined);
    await publish();
    expect([server.runs.length, server.versions.length, server.files.size]).toEqual([1, 1, 3]);
    expect(server.runs[0]!.tags.get('quorum.complete')).toBe('true');
  });

  it.each([
    'POST runs/create',
    'POST runs/log-batch',
    'PUT artifacts/1',
    'POST model-versions/create',
    'POST runs/update',
  ])('goes on where it stopped for good at "%s"', async (call) => {
    server.faultFor = (one) => (one.startsWith(call) ? 503 : undefined);
    await expect(publish()).rejects.toMatchObject({ name: 'UnreachableError' });
    server.faultFor = () => undefined;
    expect(await publish()).toMatchObject({ was: 'published' });
    expect([server.runs.length, server.versions.length, server.files.size]).toEqual([1, 1, 3]);
  });

  it('that changes a file is told of', async () => {
    server.faultFor = (one) => (one.startsWith('PUT') ? 'corrupt' : undefined);
    await expect(publish()).rejects.toThrow('arrived with other contents');
  });

  it('is shown who one is, and quoted when it refuses', async () => {
    server.authorization = 'Bearer token';
    await expect(publish()).rejects.toThrow('UNAUTHENTICATED');
    await expect(publish('Bearer other')).rejects.toThrow('who are you');
    expect(await publish('Bearer token')).toMatchObject({ was: 'published' });
  });

  it.each([
    ['answers with a page', () => (server.faultFor = () => 'page' as const), 'no JSON object'],
    ['does not know the path', () => (server.faultFor = () => 404), 'INTERNAL_ERROR'],
    [
      'keeps files where only it can write',
      () => (server.artifactScheme = 's3://bucket/'),
      '--serve-artifacts',
    ],
    [
      'has deleted the experiment',
      () => server.experiments.set('quorum', { id: '9', stage: 'deleted' }),
      'was deleted',
    ],
  ])('is told of when it %s', async (_, make, message) => {
    make();
    const failed = (await publish().catch((error: unknown) => error)) as Error & { mend?: string };
    expect(failed.name).toBe('InputError');
    expect(`${failed.message} ${failed.mend}`).toContain(message);
  });

  it('takes a hundred parameters and more in batches, with keys and lengths it allows', async () => {
    const parameters = Object.fromEntries(
      Array.from({ length: 230 }, (_, i) => [`p(${i})`, 'x'.repeat(900)]),
    );
    await publish(null, {
      ...model,
      artefact: { ...artefact, training: { ...artefact.training, parameters } },
    });
    expect(server.runs[0]!.params.get('p_7_')).toHaveLength(500);
    expect(server.calls.filter((call) => call.endsWith('log-batch'))).toHaveLength(4);
  });

  it('hears no password in the clear', () => {
    const place = { server: new URL('http://mlflow.lan:5000'), experiment: 'x', authorization: 'Bearer t' };
    return expect(publishToMlflow(place, model, files, 1, patience)).rejects.toThrow('in the clear');
  });

  it.each(['mlflow://host', 'http://host', 'mlflow+ftp://host'])('has no address in %s', (text) => {
    expect(() => readMlflowAddress(text)).toThrow('no tracking server');
  });
});
