import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JournalFile, ModelRegistry, modelFileText, RegistryPages, RunRegistry } from '#adapters';
import { canonicalJson, sha256 } from '#base';
import { type ModelEvidence, NOT_OURS } from '#research';
import { modelIdOf } from '#signals';
import {
  artefactOf,
  evidenceOf,
  GOOD_FIGURES,
  LIVE_FIGURES,
  trainedTrial,
} from '../support/model-artefacts.ts';
import { S3Loopback } from '../support/s3-loopback.ts';
import { jsonOf, runCli, Workplace } from './run-cli.ts';

const place = new Workplace();
afterAll(() => place.remove());
const KEYS = ['QUORUM_TRUSTED_KEYS', 'QUORUM_SIGNING_KEY', 'OTHER_KEY', 'MY_KEY', 'MY_SECRET'];
afterEach(() => {
  for (const name of KEYS) delete process.env[name];
});

/** Two machines: each with its models and its record of runs. */
let here: string;
let there: string;
let machines = 0;
beforeEach(() => {
  here = place.path(`machine-${machines++}`);
  there = place.path(`machine-${machines++}`);
  for (const dir of [here, there]) mkdirSync(dir);
});
const quorum = (machine: string, ...argv: string[]) =>
  runCli('models', ...argv, '--models', join(machine, 'models'), '--registry', join(machine, 'runs.sqlite'));
const artefact = artefactOf(1);
const id = modelIdOf(artefact);
const { name } = artefact;

const RUN = trainedTrial(name);
const TRIAL = { ...RUN, record: { ...RUN.record, tapeHash: sha256('other data') } };

/** A training, as it leaves its traces: the run, what it came to, and the model. */
function trained(machine: string, change: Partial<ModelEvidence> = {}, run = RUN): ModelEvidence {
  const runs = RunRegistry.open(join(machine, 'runs.sqlite'));
  const evidence = evidenceOf(artefact, { runs: runs.register([run], 1), ...change });
  runs.judged(evidence, 1);
  runs.close();
  const models = ModelRegistry.open(join(machine, 'models'));
  models.register(artefact, [evidence], 'train', { at: 1, by: 'trainer' });
  models.close();
  return evidence;
}

const exported = async (machine: string, ...argv: string[]): Promise<string> => {
  const file = place.path(`travels-${machines++}.json`);
  const done = await quorum(machine, 'export', name, '--out', file, ...argv);
  expect(done.code, done.stderr).toBe(0);
  return file;
};
const promoted = (machine: string) => quorum(machine, 'promote', name, '--to', 'paper');
const pairOf = () => generateKeyPairSync('ed25519');
const pem = (key: KeyObject) =>
  key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }) as string;

describe('what speaks for a model that a file brought', () => {
  it('is stamped and promotes nothing, however good its figures', async () => {
    const forged = evidenceOf(artefact, {
      figures: { ...GOOD_FIGURES, profitFactor: { value: 9.6 }, winRate: { value: 0.75 } },
      runs: [sha256('a run that nobody made')],
      passport: { forged: true },
    });
    const file = place.write('forged.json', modelFileText({ id, artefact, evidence: [forged] }));
    const imported = await quorum(here, 'import', file);
    expect([imported.code, imported.stdout]).toEqual([0, expect.stringContaining(`STAMP: ${NOT_OURS}`)]);
    const refused = await promoted(here);
    expect(refused.code).toBe(4);
    expect(refused.stdout).toContain('not ours: there is no record of runs here, and it is not signed');
    expect(refused.stdout).toContain(NOT_OURS);
    expect((await quorum(here, 'list')).stdout).toContain(NOT_OURS);
    const shown = await quorum(here, 'show', name);
    expect(shown.stdout).toContain('NOT OURS: there is no record of runs here');
    // a person may still name it
    expect((await quorum(here, 'show', `${name}@candidate`)).code).toBe(0);
  });

  it('counts where the record of runs holds its runs, its data and its figures', async () => {
    trained(here);
    const file = await exported(here);
    // the models were lost, the record of runs was not
    const again = (models: string, from = here) =>
      runCli(
        'models',
        ...models.split(' '),
        '--models',
        join(here, 'new'),
        '--registry',
        join(from, 'runs.sqlite'),
      );
    expect((await again(`import ${file}`)).stdout).not.toContain('STAMP');
    expect((await again(`show ${name}`)).stdout).toContain('its runs and figures are on record here');
    expect((await again(`promote ${name} --to paper`, there)).code).toBe(4);
    expect((await again(`promote ${name} --to paper`)).code).toBe(0);
    // the entry is no run, and whoever lists runs does not meet it
    const pages = RegistryPages.open(join(here, 'runs.sqlite'))!;
    expect(pages.page({}, 10, null)).toHaveLength(1);
    pages.close();
  });

  it.each<[string, Partial<ModelEvidence>, string]>([
    [
      'better figures',
      { figures: { ...GOOD_FIGURES, winRate: { value: 0.9 } } },
      'no training here came to its',
    ],
    ['a run that is not there', { runs: [sha256('run')] }, 'is not on record here'],
    ['no run', { runs: [] }, 'it rests on no run'],
    ['another passport', { passport: { forged: true } }, 'no training here came to its figures'],
  ])('counts for nothing with %s than were made here', async (_, change, why) => {
    const own = trained(there);
    const evidence = { ...own, ...change };
    const file = place.write('better.json', modelFileText({ id, artefact, evidence: [evidence] }));
    await runCli('models', 'import', file, '--models', join(here, 'models'));
    const registry = ['--models', join(here, 'models'), '--registry', join(there, 'runs.sqlite')];
    const refused = await runCli('models', 'promote', name, '--to', 'paper', ...registry);
    expect([refused.code, refused.stdout]).toEqual([4, expect.stringContaining(why)]);
  });

  it('counts for nothing with a run on other data', async () => {
    const evidence = trained(there, {}, TRIAL);
    const file = place.write('other-data.json', modelFileText({ id, artefact, evidence: [evidence] }));
    await runCli('models', 'import', file, '--models', join(here, 'models'));
    const registry = ['--models', join(here, 'models'), '--registry', join(there, 'runs.sqlite')];
    const refused = await runCli('models', 'promote', name, '--to', 'paper', ...registry);
    expect([refused.code, refused.stdout]).toEqual([
      4,
      expect.stringContaining('is of other data than it says'),
    ]);
  });

  it('leaves what was made here as it was', async () => {
    const own = trained(here, { figures: { ...GOOD_FIGURES, trades: { value: 3 } } });
    const better = { ...own, figures: GOOD_FIGURES };
    const file = place.write('mended.json', modelFileText({ id, artefact, evidence: [better] }));
    expect((await quorum(here, 'import', file)).stdout).not.toContain('STAMP');
    const refused = await promoted(here);
    expect([refused.code, refused.stdout]).toEqual([4, expect.stringContaining('left out as not ours: 1')]);
    expect(refused.stdout).toMatch(/✗ trades +3 /);
  });

  it('becomes ours when a training here makes the same', async () => {
    trained(there);
    const file = await exported(there);
    await quorum(here, 'import', file);
    expect((await promoted(here)).code).toBe(4);
    trained(here);
    expect((await promoted(here)).code).toBe(0);
  });

  it('counts where a key that is trusted here signed it, from the environment or beside the models', async () => {
    const { privateKey, publicKey } = pairOf();
    trained(there);
    process.env.QUORUM_SIGNING_KEY = pem(privateKey);
    const file = await exported(there, '--sign');
    expect(readFileSync(await exported(there, '--sign'))).toEqual(readFileSync(file));
    expect((await quorum(here, 'import', file)).stdout).toContain(NOT_OURS);
    expect((await promoted(here)).stdout).toContain('signed by no trusted key');
    process.env.QUORUM_TRUSTED_KEYS = place.write('house.pub', pem(pairOf().publicKey) + pem(publicKey));
    expect((await quorum(here, 'show', name)).stdout).toContain('signed by the trusted key');
    expect((await quorum(here, 'list')).stdout).not.toContain(NOT_OURS);
    delete process.env.QUORUM_TRUSTED_KEYS;
    expect((await promoted(here)).code).toBe(4);
    writeFileSync(join(here, 'models', 'trusted-keys.pem'), pem(publicKey));
    expect((await promoted(here)).code).toBe(0);
    const whole = await runCli('models', 'verify', '--models', join(here, 'models'));
    expect([whole.code, whole.stderr]).toEqual([0, '']);
  });

  it('is signed afterwards, and travels on with its signature', async () => {
    const { privateKey, publicKey } = pairOf();
    trained(there);
    const bare = await exported(there);
    process.env.OTHER_KEY = (privateKey.export({ type: 'pkcs8', format: 'der' }) as Buffer).toString(
      'base64',
    );
    const signed = await exported(there, '--sign', '--sign-env', 'OTHER_KEY');
    await quorum(here, 'import', bare);
    await quorum(here, 'import', signed);
    await quorum(here, 'import', signed);
    const onward = await exported(here);
    expect(readFileSync(onward)).toEqual(readFileSync(signed));
    writeFileSync(join(here, 'models', 'trusted-keys.pem'), pem(publicKey));
    expect((await promoted(here)).code).toBe(0);
  });

  it('is not what a signature for other evidence says', async () => {
    const { privateKey, publicKey } = pairOf();
    process.env.QUORUM_SIGNING_KEY = pem(privateKey);
    const own = trained(there);
    const { signatures } = JSON.parse(readFileSync(await exported(there, '--sign'), 'utf8'));
    const forged = { ...own, figures: { ...GOOD_FIGURES, winRate: { value: 0.9 } } };
    const hash = sha256(canonicalJson(forged));
    const moved = [{ ...signatures[0], evidence: hash }, ...signatures];
    const file = place.write(
      'moved.json',
      modelFileText({ id, artefact, evidence: [forged], signatures: moved }),
    );
    writeFileSync(join(there, 'key.pub'), pem(publicKey));
    process.env.QUORUM_TRUSTED_KEYS = join(there, 'key.pub');
    await quorum(here, 'import', file);
    expect((await promoted(here)).code).toBe(4);
  });

  it('is not vouched for by a machine that could not check it', async () => {
    trained(there);
    await quorum(here, 'import', await exported(there));
    process.env.QUORUM_SIGNING_KEY = pem(pairOf().privateKey);
    const out = place.path('laundered.json');
    const refused = await quorum(here, 'export', name, '--out', out, '--sign');
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('could sign for')]);
  });

  it.each<[string, () => void, string]>([
    ['no key', () => {}, 'QUORUM_SIGNING_KEY is not set'],
    ['no key in it', () => (process.env.QUORUM_SIGNING_KEY = 'letmein'), 'is no private key'],
    [
      'a key of another kind',
      () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        process.env.QUORUM_SIGNING_KEY = pem(privateKey);
      },
      'not Ed25519',
    ],
    [
      'trusted keys that are not there',
      () => (process.env.QUORUM_TRUSTED_KEYS = 'nowhere.pub'),
      'is not there',
    ],
    [
      'a private key among the trusted',
      () => (process.env.QUORUM_TRUSTED_KEYS = place.write('wrong.pub', pem(pairOf().privateKey))),
      'holds a private key',
    ],
    [
      'something else among the trusted',
      () => (process.env.QUORUM_TRUSTED_KEYS = place.write('none.pub', 'hello')),
      'no public key in PEM',
    ],
  ])('is not signed with %s', async (_, make, words) => {
    trained(there);
    make();
    const done = await quorum(there, 'export', name, '--out', place.path('unsigned.json'), '--sign');
    expect([done.code, done.stderr]).toEqual([3, expect.stringContaining(words)]);
    expect(done.stderr).not.toContain('letmein');
  });

  it('goes to a store with its signature', async () => {
    const store = await new S3Loopback('models').start();
    try {
      const { privateKey, publicKey } = pairOf();
      trained(there);
      process.env.QUORUM_SIGNING_KEY = pem(privateKey);
      process.env.MY_KEY = store.key;
      process.env.MY_SECRET = store.secret;
      const to = ['--to', 's3://models/house', '--endpoint', store.url, '--region', store.region];
      const as = ['--key-env', 'MY_KEY', '--secret-env', 'MY_SECRET', '--sign'];
      expect((await quorum(there, 'publish', name, ...to, ...as)).code).toBe(0);
      const file = place.write(
        'signed-model.json',
        store.objects.get(`house/${name}/${id}/model.json`)!.bytes,
      );
      process.env.QUORUM_TRUSTED_KEYS = place.write('store.pub', pem(publicKey));
      const imported = await quorum(here, 'import', file, '--json');
      expect(jsonOf(imported)).toMatchObject({ id, evidence: 1, stamps: [] });
      expect((await promoted(here)).code).toBe(0);
    } finally {
      await store.stop();
    }
  });
});

describe('a damaged record of runs', () => {
  /** Two entries: the run, and what the training came to. */
  const broken = (sql: string): void => {
    const db = new DatabaseSync(join(here, 'runs.sqlite'));
    const triggers = db.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all();
    for (const one of triggers) db.exec(`DROP TRIGGER ${String(one.name)}`);
    db.exec(sql);
    db.close();
  };

  it.each([
    ['an entry was changed', "UPDATE entries SET study = 'x' WHERE position = 1", 'entry 1 was changed'],
    ['its newest entry was', "UPDATE entries SET subject = 'x' WHERE position = 2", 'entry 2 was changed'],
    [
      'its end was cut off',
      'DELETE FROM entries WHERE position = 2',
      'it ends after 1 entries, and has had 2',
    ],
    [
      'an entry was put in',
      "INSERT INTO entries SELECT 3, 'x', kind, at, subject, file, study, body, returns, 'x' FROM entries WHERE position = 2",
      'entry 3 was changed',
    ],
  ])('lets no model go on: %s', async (_, sql, words) => {
    trained(here);
    broken(sql);
    const refused = await promoted(here);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining(words)]);
    expect(jsonOf(await quorum(here, 'list', '--json'))).toMatchObject({ models: [{ stage: 'candidate' }] });
  });
});

describe('the way to live', () => {
  const INTERVAL = 900_000;
  const OTHER = sha256('another model');

  type Days = readonly [from: number, to: number];
  const isWithin = (i: number, days: Days | undefined) =>
    days !== undefined && i > days[0] * 96 && i <= days[1] * 96;

  /**
   * 91 days of a desk on paper, with these models from these days on. On the days of `mute` none of them speaks, on those of
   * `finer` only bars of five minutes come, which it does not decide on.
   */
  function journal(
    changes: readonly (readonly [day: number, id: string | null])[] | null,
    { mute, finer }: { readonly mute?: Days; readonly finer?: Days } = {},
  ): string {
    const dir = place.path(`paper-${machines++}`);
    mkdirSync(dir);
    const file = JournalFile.create(join(dir, 'journal'));
    const request = { feed: { kind: 'binance-usdm' } };
    const [first, ...later] = changes ?? [];
    const reference = `${name}@paper`;
    const desk = { name: 's1-rx68-btc-15m', hash: sha256('desk'), parameters: {} };
    const models = first === undefined ? {} : { models: { [reference]: first[1] } };
    const header = { kind: 'paper', mode: 'PAPER', desks: [{ ...desk, ...models }], request };
    file.append('header', JSON.stringify(header));
    const word = (at: number, fault: string | null) => {
      const note = { note: 'model-heard', at, desk: desk.name, fault, instrument: 'BTCUSDT.BINANCE-USDM' };
      file.append('note', JSON.stringify(note));
    };
    const close = (eventTime: number, intervalMs: number) => {
      const bar = { at: eventTime + 400, eventTime, instrument: 'BTCUSDT.BINANCE-USDM', intervalMs };
      file.append('event', JSON.stringify({ kind: 'bar-closed', ...bar }));
    };
    word(1_700_000_100_000, null);
    for (let i = 0; i <= 91 * 96; i++) {
      for (const [day, model] of later)
        if (i === day * 96) {
          const note = { note: 'models', desk: desk.name, hash: desk.hash, models: { [reference]: model } };
          file.append('note', JSON.stringify(note));
        }
      const eventTime = 1_700_000_100_000 + i * INTERVAL;
      if (isWithin(i, finer)) {
        for (const minutes of [10, 5, 0]) close(eventTime - minutes * 60_000, INTERVAL / 3);
        continue;
      }
      close(eventTime, INTERVAL);
      if (isWithin(i, mute) !== isWithin(i - 1, mute))
        word(eventTime + 400, isWithin(i, mute) ? 'a feature is not defined' : null);
    }
    file.close();
    return dir;
  }

  it.each<[string, Parameters<typeof journal>[0], boolean, string, Parameters<typeof journal>[1]?]>([
    ['itself all the time', [[0, id]], true, '91.0 of 91.0 days'],
    [
      'itself for the last three days',
      [
        [0, OTHER],
        [88, id],
      ],
      true,
      '3.0 of 91.0 days; others: ',
    ],
    [
      'itself for a day',
      [
        [0, OTHER],
        [90, id],
      ],
      false,
      '1.0 of 91.0 days',
    ],
    ['never itself', [[0, OTHER]], false, `0.0 of 91.0 days; others: ${OTHER.slice(0, 12)}`],
    [
      'itself for three days, and said nothing on half of them',
      [
        [0, OTHER],
        [88, id],
      ],
      false,
      '1.5 of 89.5 days',
      { mute: [88, 89.5] },
    ],
    [
      'itself for three days, of which two had no bars that it decides on',
      [
        [0, OTHER],
        [88, id],
      ],
      false,
      '1.0 of 89.0 days',
      { finer: [88, 90] },
    ],
    ['nobody knows with which model', null, false, 'does not say which model'],
  ])('is open to a model that was on paper: %s', async (_, changes, passes, words, life) => {
    trained(here, { figures: { ...GOOD_FIGURES, parityBpPerBar: LIVE_FIGURES.parityBpPerBar! } });
    expect((await promoted(here)).code).toBe(0);
    const done = await quorum(here, 'promote', name, '--to', 'live', '--paper', journal(changes, life));
    expect([done.code, done.stdout]).toEqual([passes ? 0 : 4, expect.stringContaining(words)]);
    expect(done.stdout).toContain('on paper itself');
    if (!passes) expect(done.stdout).toContain('REFUSED: 1 of');
  });
});
