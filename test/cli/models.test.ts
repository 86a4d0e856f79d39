import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JournalFile, ModelRegistry, modelFileText, type NewTrial, RunRegistry } from '#adapters';
import { sha256 } from '#base';
import { applyScaler } from '#features';
import { BoostedScorer, calibrateProbabilities, modelIdOf, parseBoostedModel } from '#signals';
import { writeS1Results } from '../../src/apps/models/s1-results.ts';
import { MlflowLoopback } from '../support/mlflow-loopback.ts';
import {
  artefactOf,
  evidenceOf,
  GOOD_FIGURES,
  LIVE_FIGURES,
  MODEL_FIXTURES,
  NAMES,
  scalerOf,
  trainedTrial,
  windowsOf,
} from '../support/model-artefacts.ts';
import { S3Loopback } from '../support/s3-loopback.ts';
import { jsonOf, runCli, Workplace } from './run-cli.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);
afterAll(() => place.remove());

let folder: string;
let folders = 0;
const usual = process.env.QUORUM_REGISTRY;
beforeEach(() => {
  folder = p(`models-${folders++}`);
  process.env.QUORUM_REGISTRY = p(`runs-${folders}.sqlite`);
  recorded(trainedTrial());
});
afterAll(() => {
  if (usual === undefined) delete process.env.QUORUM_REGISTRY;
  else process.env.QUORUM_REGISTRY = usual;
});

/** Puts trials of trainings on record, as a trainer does before it has a model. */
function recorded(...trials: readonly NewTrial[]): void {
  const runs = RunRegistry.open(process.env.QUORUM_REGISTRY!);
  runs.register(trials, 1);
  runs.close();
}

const models = (...argv: string[]) => runCli('models', ...argv, '--models', folder);
const fixture = (name: string) => `${MODEL_FIXTURES}${name}`;
const table = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
const NAME = artefactOf().name;

/** Puts models on record as a trainer does. */
function trained(...given: Parameters<ModelRegistry['register']>[0][]): string[] {
  const registry = ModelRegistry.open(folder);
  try {
    return given.map(
      (one) => registry.register(one, [evidenceOf(one)], 'trained', { at: 1, by: 'trainer@here' }).id,
    );
  } finally {
    registry.close();
  }
}

describe('models predict', () => {
  it.each([
    ['binary.json', 'binary.csv', ['margin', 'probability']],
    [
      'multi.json',
      'multi.csv',
      ['margin_0', 'margin_1', 'margin_2', 'probability_0', 'probability_1', 'probability_2'],
    ],
    [
      'multi.ubj',
      'multi.csv',
      ['margin_0', 'margin_1', 'margin_2', 'probability_0', 'probability_1', 'probability_2'],
    ],
  ])('says of XGBoost’s own %s what XGBoost says', async (model, expected, columns) => {
    const out = p(`of-${model}.csv`);
    const done = await models(
      'predict',
      '--model',
      fixture(model),
      '--rows',
      fixture('rows.csv'),
      '--out',
      out,
    );
    expect(done.code, done.stderr).toBe(0);
    const [header, ...rows] = table(out);
    expect(header).toEqual(columns);
    const theirs = table(fixture(expected)).slice(1);
    expect(rows).toHaveLength(theirs.length);
    for (const [i, row] of rows.entries())
      for (const [k, cell] of row.entries())
        expect(Math.abs(Number(cell) - Number(theirs[i]![k])), `row ${i}, ${header![k]}`).toBeLessThan(1e-6);
  });

  it('says of a regression what it predicts', async () => {
    const out = p('regression.csv');
    const argv = ['--model', fixture('bare.json'), '--rows', fixture('rows.csv'), '--out', out, '--json'];
    const done = await models('predict', ...argv);
    expect(jsonOf(done)).toMatchObject({ schemaVersion: 1, model: null, rows: 40, by: 'order' });
    const [header, ...rows] = table(out);
    expect(header).toEqual(['margin', 'prediction']);
    const theirs = table(fixture('bare.csv')).slice(1);
    for (const [i, row] of rows.entries())
      expect(Math.abs(Number(row[1]) - Number(theirs[i]![0]))).toBeLessThan(1e-6);
  });

  it('scales and calibrates by what the model has, and not with --raw', async () => {
    const calibration = [
      { kind: 'platt', a: 0.8, b: 0.1 },
      { kind: 'beta', a: 1.1, b: 0.9, c: -0.1 },
      { kind: 'isotonic', x: [0.1, 0.5, 0.9], p: [0.05, 0.5, 0.95] },
    ] as const;
    const artefact = artefactOf(1, { scaler: scalerOf([0.1, -0.2, 0.3], [1, 2, 0.01]), calibration });
    const [id] = trained(artefact);
    const rows = place.write('scaled.csv', 'volume,momentum,spread\n0.5,1,-1\n0.3,,2\n');
    const argv = ['predict', '--model', `${NAME}@candidate`, '--rows', rows];
    const done = await models(...argv, '--out', p('scaled-out.csv'), '--json');
    expect(jsonOf(done)).toMatchObject({ model: id, isScaled: true, isCalibrated: true, clippedRows: 1 });
    expect((await models(...argv, '--out', p('raw-out.csv'), '--raw')).code).toBe(0);
    const scorer = new BoostedScorer(parseBoostedModel(artefact.model));
    const given = [Float64Array.of(1, -1, 0.5), Float64Array.of(Number.NaN, 2, 0.3)];
    const probabilities = new Float64Array(3);
    const scaled = new Float64Array(3);
    for (const [i, row] of given.entries()) {
      applyScaler(artefact.scaler!, row, scaled);
      scorer.probabilities(scaled, probabilities);
      calibrateProbabilities(calibration, probabilities, probabilities);
      expect(table(p('scaled-out.csv'))[i + 1]!.slice(3).map(Number)).toEqual([...probabilities]);
      scorer.probabilities(row, probabilities);
      expect(table(p('raw-out.csv'))[i + 1]!.slice(3).map(Number)).toEqual([...probabilities]);
    }
    expect(table(p('raw-out.csv'))[0]).toEqual(
      ['margin', 'probability'].flatMap((word) => ['down', 'none', 'up'].map((one) => `${word}_${one}`)),
    );
  });

  it('warns where columns were taken in their order, and names those that were not read', async () => {
    const bare = place.write('bare-rows.csv', '1,2,3\n');
    const argv = ['predict', '--model', fixture('binary.json'), '--out', p('order.csv'), '--rows'];
    const inOrder = await models(...argv, bare);
    expect(inOrder.stderr).toContain('columns were taken in their order as momentum, spread, volume');
    const wide = place.write('wide-rows.csv', 'time,momentum,spread,volume\n0,1,2,3\n');
    const byName = await models(...argv, wide);
    expect(byName.stdout).toContain('not read: time');
    expect(byName.stderr).toBe('');
  });

  it.each<[string, string[], number, string]>([
    ['a model that is not there', ['--model', 'none.json', '--rows', fixture('rows.csv')], 3, 'none.json'],
    ['a model of no registry', ['--model', 'NOBODY', '--rows', fixture('rows.csv')], 3, 'no registry'],
    ['rows that are not there', ['--model', fixture('binary.json'), '--rows', 'none.csv'], 3, 'none.csv'],
    ['rows as a model', ['--model', fixture('rows.csv'), '--rows', fixture('rows.csv')], 3, 'holds no model'],
    ['no rows named', ['--model', fixture('binary.json')], 2, '--rows'],
  ])('refuses %s', async (_, argv, code, message) => {
    const done = await models('predict', ...argv, '--out', p('refused.csv'));
    expect([done.code, done.stderr]).toEqual([code, expect.stringContaining(message)]);
    expect([existsSync(p('refused.csv')), existsSync(p('refused.csv.part'))]).toEqual([false, false]);
  });

  it('leaves what was there when a row is broken, and never writes over the rows', async () => {
    const rows = place.write('broken.csv', 'momentum,spread,volume\n1,2,3\n1,x,3\n');
    const out = place.write('kept.csv', 'mine');
    const argv = ['predict', '--model', fixture('binary.json'), '--rows', rows];
    const broken = await models(...argv, '--out', out);
    expect([broken.code, broken.stderr]).toEqual([3, expect.stringContaining('broken.csv:3: "x"')]);
    expect(readFileSync(out, 'utf8')).toBe('mine');
    expect((await models(...argv, '--out', rows)).code).toBe(3);
    expect(readFileSync(rows, 'utf8')).toContain('x');
  });
});

describe('models import and export', () => {
  it('make a whole model of XGBoost’s own, with one id for both its formats', async () => {
    const facts = ['--name', 'DEMO_15M', '--classes', 'down,none,up', '--interval', '15m'];
    const json = jsonOf(await models('import', fixture('multi.json'), ...facts, '--json'));
    expect(json).toMatchObject({ name: 'DEMO_15M', isNew: true, stamps: ['training not on record'] });
    const ubj = jsonOf(await models('import', fixture('multi.ubj'), ...facts, '--json'));
    expect(ubj).toMatchObject({ id: json.id, isNew: false });
    const shown = await models('show', 'DEMO_15M');
    expect(shown.stdout).toContain('momentum, spread, volume');
    expect(shown.stdout).toContain('STAMP: training not on record');
    expect(shown.stdout).toContain('multi:softprob, 12 trees in 4 rounds');
  });

  it('give back what came in, and trees that predict the same', async () => {
    const [id] = trained(artefactOf(1, { scaler: scalerOf() }));
    const out = p('exported.json');
    expect((await models('export', id!.slice(0, 10), '--out', out)).code).toBe(0);
    expect((await models('export', id!.slice(0, 10), '--out', out)).code).toBe(3);
    const again = p('again.json');
    await models('export', NAME, '--out', again);
    expect(readFileSync(again)).toEqual(readFileSync(out));
    const other = p('other-models');
    const imported = await runCli('models', 'import', out, '--models', other, '--json');
    expect(jsonOf(imported)).toMatchObject({ id, isNew: true, evidence: 1 });
    const trees = p('trees.json');
    const warned = await models('export', NAME, '--out', trees, '--format', 'xgboost');
    expect(warned.stderr).toContain('no scaler');
    const argv = ['predict', '--rows', fixture('rows.csv')];
    await models(...argv, '--model', trees, '--out', p('by-trees.csv'));
    await models(...argv, '--model', fixture('multi.json'), '--out', p('by-origin.csv'));
    expect(table(p('by-trees.csv'))).toEqual(table(p('by-origin.csv')));
    // a file is as good as a registry
    await models(...argv, '--model', out, '--out', p('by-file.csv'));
    await models(...argv, '--model', NAME, '--out', p('by-name.csv'));
    expect(table(p('by-file.csv'))).toEqual(table(p('by-name.csv')));
  });

  it.each<[string, string[], string]>([
    ['a model without a name', [fixture('multi.json'), '--classes', 'a,b,c'], 'no name of its own'],
    ['classes without names', [fixture('multi.json'), '--name', 'X'], '3 classes without names'],
    ['a class too few', [fixture('multi.json'), '--name', 'X', '--classes', 'a,b'], '2 classes are named'],
    ['columns without names', [fixture('bare.json'), '--name', 'X'], 'what its 3 columns are'],
    [
      'names that are not those of the training',
      [fixture('binary.json'), '--name', 'X', '--features', 'momentum,spraed,volume'],
      'is spraed meant to be spread?',
    ],
    ['a name that is a path', [fixture('binary.json'), '--name', 'a/b'], 'cannot be the name'],
    ['a parent that is not there', [fixture('binary.json'), '--name', 'X', '--parent', 'Y'], 'no model "Y"'],
    ['something else', [fixture('rows.csv')], 'holds no model'],
  ])('refuse %s', async (_, argv, message) => {
    const done = await models('import', ...argv);
    expect([done.code, done.stderr]).toEqual([3, expect.stringContaining(message)]);
  });

  it('refuse options about a model that says them itself, and one that was changed', async () => {
    const artefact = artefactOf();
    const text = modelFileText({ id: modelIdOf(artefact), artefact, evidence: [] });
    const file = place.write('whole.json', text);
    expect((await models('import', file, '--name', 'OTHER')).stderr).toContain('says itself');
    const changed = place.write('changed.json', text.replace('"eta":0.1', '"eta":0.9'));
    expect((await models('import', changed)).stderr).toContain('another hash');
    expect((await models('import', file)).code).toBe(0);
  });
});

describe('models promote, rollback, retire', () => {
  it('stage a model that is let through, and lead back', async () => {
    const [first] = trained(artefactOf(1));
    const granted = await models('promote', NAME, '--to', 'paper');
    expect([granted.code, granted.stdout]).toEqual([0, expect.stringContaining('promoted to paper')]);
    const newer = artefactOf(2, { parent: first! });
    const registry = ModelRegistry.open(folder);
    const better = evidenceOf(newer, {
      against: [{ model: first!, windows: windowsOf(Array.from({ length: 12 }, () => 0.5)) }],
    });
    const { id: second } = registry.register(newer, [better], 'trained', { at: 2, by: 'trainer@here' });
    registry.close();
    const json = jsonOf(await models('promote', second, '--to', 'paper', '--json'));
    expect(json).toMatchObject({
      promoted: true,
      from: 'candidate',
      to: 'paper',
      profile: 's1',
      instead: first,
    });
    expect((json.criteria as { name: string }[]).map(({ name }) => name)).toContain(
      'beats the one before it',
    );
    const listed = jsonOf(await models('list', '--json'));
    expect((listed.models as { stage: string }[]).map(({ stage }) => stage)).toEqual(['retired', 'paper']);
    const back = await models('rollback', NAME, '--stage', 'paper', '--reason', 'too many stops');
    expect(back.stdout).toContain(
      `${NAME}@paper is ${first!.slice(0, 12)} instead of ${second.slice(0, 12)}`,
    );
    expect((await models('show', `${NAME}@paper`)).stdout).toContain('back to paper: too many stops');
    const retired = await models('retire', `${NAME}@paper`, '--reason', 'damaged bars');
    expect(retired.stderr).toContain(`nobody holds ${NAME}@paper now`);
    // what was rolled back from is not what a roll-back leads to
    const none = await models('rollback', NAME, '--stage', 'paper');
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('no model held')]);
    expect((await models('verify')).code).toBe(0);
  });

  it.each<[string, () => void, string]>([
    ['a stamp', () => trained(artefactOf(1, { stamps: ['no sentiment gate'] })), 'no sentiment gate'],
    [
      'no evidence',
      () => {
        const registry = ModelRegistry.open(folder);
        registry.register(artefactOf(1), [], 'trained', { at: 1, by: 'x@y' });
        registry.close();
      },
      'evidence',
    ],
    [
      'a refusal of its trainer',
      () => {
        const registry = ModelRegistry.open(folder);
        const verdict = {
          promoted: false,
          profile: 's1',
          criteria: [{ name: 'winRate', figure: 0.5, needed: 0.55, verdict: 'not met' as const }],
        };
        registry.register(artefactOf(1), [evidenceOf(artefactOf(1), { verdict })], 'trained', {
          at: 1,
          by: 'x',
        });
        registry.close();
      },
      "trainer's verdict",
    ],
  ])('refuse with exit code 4 for %s, and say so', async (_, make, words) => {
    make();
    const done = await models('promote', NAME, '--to', 'paper');
    expect([done.code, done.stdout]).toEqual([4, expect.stringContaining('REFUSED')]);
    expect(done.stdout).toContain(words);
    expect((await models('show', `${NAME}@paper`)).code).toBe(3);
  });

  it('count every training of the config, whatever the sheet of its own search says', async () => {
    trained(artefactOf(1));
    const others = Array.from({ length: 30 }, (_, n) => trainedTrial(NAME, n + 1, n % 3 === 0 ? 0.3 : -0.3));
    recorded(...others);
    const refused = await models('promote', NAME, '--to', 'paper');
    expect(refused.code).toBe(4);
    expect(refused.stdout).toContain('31 trials of this config');
    expect(refused.stdout).toMatch(/✗ dsr .*counted 0\.\d{3}, on the sheet 0\.960/);
    // of another record, or of none, nothing is known
    const elsewhere = await models('promote', NAME, '--to', 'paper', '--registry', p('none.sqlite'));
    expect(elsewhere.code).toBe(4);
    expect(elsewhere.stdout).toContain('there is no record of runs to count its trials in');
    expect(existsSync(p('none.sqlite'))).toBe(false);
    RunRegistry.open(p('empty.sqlite')).close();
    const empty = await models('promote', NAME, '--to', 'paper', '--registry', p('empty.sqlite'));
    expect([empty.code, empty.stdout]).toEqual([4, expect.stringContaining('is no training of')]);
    const signed = await models('promote', NAME, '--to', 'paper', '--sign', 'Ada: it is known and wanted');
    expect(signed.code, signed.stdout).toBe(0);
  });

  it('refuse a second model that was not held against the first', async () => {
    trained(artefactOf(1));
    await models('promote', NAME, '--to', 'paper');
    const [second] = trained(artefactOf(2));
    const done = await models('promote', second!, '--to', 'paper');
    expect([done.code, done.stdout]).toEqual([4, expect.stringContaining('was not held against')]);
  });

  /** A paper journal of the desk of that name with bars of 15 minutes over so many days. */
  function journal(name: string, desk: string, days: number, isMute = false): string {
    const dir = p(name);
    mkdirSync(dir);
    const file = JournalFile.create(join(dir, 'journal'));
    // of a webhook feed parity would be measured in its store
    const request = { feed: { kind: 'binance-usdm' } };
    const models = { [`${NAME}@paper`]: modelIdOf(artefactOf(1)) };
    const desks = [{ name: desk, hash: sha256(desk), parameters: {}, models }];
    file.append('header', JSON.stringify({ kind: 'paper', mode: 'PAPER', desks, request }));
    const interval = 900_000;
    for (let i = 0; i <= days * 96; i++) {
      const eventTime = 1_700_000_100_000 + i * interval;
      const bar = {
        at: eventTime + 400,
        eventTime,
        instrument: 'BTCUSDT.BINANCE-USDM',
        intervalMs: interval,
      };
      file.append('event', JSON.stringify({ kind: 'bar-closed', ...bar }));
      if (i > 0 || isMute) continue;
      const heard = { at: bar.at, desk, instrument: bar.instrument, fault: null };
      file.append('note', JSON.stringify({ note: 'model-heard', ...heard }));
    }
    file.close();
    return dir;
  }

  it('measure time on paper for the way to live, and take no figure for granted', async () => {
    const artefact = artefactOf(1);
    const registry = ModelRegistry.open(folder);
    const { parityBpPerBar } = LIVE_FIGURES;
    const evidence = evidenceOf(artefact, { figures: { ...GOOD_FIGURES, parityBpPerBar: parityBpPerBar! } });
    registry.register(artefact, [evidence], 'trained', { at: 1, by: 'x' });
    registry.close();
    expect((await models('promote', NAME, '--to', 'live')).code).toBe(4);
    expect((await models('promote', NAME, '--to', 'paper')).code).toBe(0);
    const without = await models('promote', NAME, '--to', 'live');
    expect([without.code, without.stdout]).toEqual([4, expect.stringContaining('? paperDays')]);
    const short = await models(
      'promote',
      NAME,
      '--to',
      'live',
      '--paper',
      journal('short', 's1-rx68-btc-15m', 89),
    );
    expect([short.code, short.stdout]).toEqual([4, expect.stringContaining('✗ paperDays')]);
    const strange = await models(
      'promote',
      NAME,
      '--to',
      'live',
      '--paper',
      journal('strange', 'another', 91),
    );
    expect([strange.code, strange.stderr]).toEqual([3, expect.stringContaining('s1-rx68-btc-15m')]);
    const mute = journal('mute', 's1-rx68-btc-15m', 91, true);
    const unheard = await models('promote', NAME, '--to', 'live', '--paper', mute);
    expect([unheard.code, unheard.stdout]).toEqual([4, expect.stringContaining('its model never spoke')]);
    const long = await models(
      'promote',
      NAME,
      '--to',
      'live',
      '--paper',
      journal('long', 's1-rx68-btc-15m', 90),
    );
    expect([long.code, long.stdout]).toEqual([0, expect.stringContaining('promoted to live')]);
    expect((await models('show', `${NAME}@live`)).stdout).toContain('paper and live');
  });

  it('judge S1 by its own profile, whatever else is named', async () => {
    trained(artefactOf(1));
    const easy = place.write(
      'easy.json',
      JSON.stringify({
        name: 'easy',
        criteria: [{ figure: 'trades', relation: '>=', needed: 1, stages: ['paper', 'live'] }],
      }),
    );
    expect((await models('promote', NAME, '--to', 'paper', '--profile', easy)).code).toBe(0);
    for (const profile of [easy, 'fleet', 'sigma']) {
      const live = await models('promote', NAME, '--to', 'live', '--profile', profile);
      expect(live.code).toBe(4);
      for (const name of ['parityBpPerBar', 'paperDays', 'paperUptime'])
        expect(live.stdout).toContain(`? ${name}`);
    }
    expect((await models('show', `${NAME}@paper`)).stdout).toContain('s1+easy');
    // what is added is asked for as well
    const [other] = trained(artefactOf(2));
    const fleet = await models('promote', other!, '--to', 'paper', '--profile', 'fleet');
    expect([fleet.code, fleet.stdout]).toEqual([4, expect.stringContaining('? sharpe')]);
  });

  it.each([
    ['promote', NAME],
    ['promote', NAME, '--to', 'production'],
    ['rollback', NAME],
    ['retire', NAME],
    ['promote', NAME, '--to', 'paper', '--sign', 'nobody'],
  ])('are used wrongly: %s %s %s %s %s', async (...argv) => {
    trained(artefactOf(1));
    expect((await models(...argv)).code).toBe(2);
  });
});

describe('models prune and verify', () => {
  it('say what would go, take it, and notice what was changed', async () => {
    const ids = trained(...[1, 2, 3, 4].map((seed) => artefactOf(seed)));
    const dry = jsonOf(await models('prune', '--keep', '2', '--dry-run', '--json'));
    expect((dry.models as { id: string }[]).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(jsonOf(await models('list', '--json')).models).toHaveLength(4);
    expect((await models('prune', '--keep', '2')).stdout).toContain('2 models');
    expect(jsonOf(await models('list', '--json')).models).toHaveLength(2);
    expect((await models('list', '--all')).stdout).toContain('gone');
    expect((await models('show', ids[0]!)).stdout).toContain('taken away');
    expect((await models('export', ids[0]!, '--out', p('gone.json'))).code).toBe(3);
    const whole = await models('verify', '--json');
    expect(jsonOf(whole)).toMatchObject({ models: 2, faults: [], leftOver: [] });
    const file = join(folder, 'objects', ids[3]!.slice(0, 2), `${ids[3]}.json`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('0.55', '0.50'));
    const damaged = await models('verify');
    expect([damaged.code, damaged.stderr]).toEqual([3, expect.stringContaining('was changed')]);
  });

  it('of nothing say so', async () => {
    expect((await models('list')).stdout).toContain('no models in');
    expect(jsonOf(await models('list', '--json'))).toMatchObject({ models: [] });
    expect(existsSync(folder)).toBe(false);
    expect((await models('verify')).code).toBe(3);
  });
});

describe('models publish', () => {
  const before = { ...process.env };
  afterEach(() => {
    for (const name of ['MY_KEY', 'MY_SECRET', 'MY_TOKEN']) delete process.env[name];
    Object.assign(process.env, before);
  });

  it('sends to a store, remembers it, and sends nothing twice', async () => {
    const store = await new S3Loopback('models').start();
    try {
      const [id] = trained(artefactOf(1));
      process.env.MY_KEY = store.key;
      process.env.MY_SECRET = store.secret;
      const argv = ['publish', NAME, '--to', 's3://models/house', '--endpoint', store.url];
      const as = ['--region', store.region, '--key-env', 'MY_KEY', '--secret-env', 'MY_SECRET'];
      const done = jsonOf(await models(...argv, ...as, '--json'));
      expect(done).toMatchObject({ id, kind: 's3', to: 's3://models/house' });
      expect([...store.objects.keys()]).toEqual(
        ['model', 'xgboost', 'manifest'].map((name) => `house/${NAME}/${id}/${name}.json`),
      );
      const imported = place.write(
        'from-store.json',
        store.objects.get(`house/${NAME}/${id}/model.json`)!.bytes,
      );
      const other = await runCli('models', 'import', imported, '--models', p('elsewhere'), '--json');
      expect(jsonOf(other)).toMatchObject({ id, isNew: true });
      expect((await models(...argv, ...as)).stdout).toContain('present');
      expect((await models('show', NAME)).stdout).toContain('published    s3://models/house');
      delete process.env.MY_KEY;
      const missing = await models(...argv, ...as);
      expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining('MY_KEY is not set')]);
    } finally {
      await store.stop();
    }
  });

  it('sends to a tracking server', async () => {
    const server = await new MlflowLoopback().start();
    try {
      const [id] = trained(artefactOf(1));
      server.authorization = 'Bearer letmein';
      const argv = ['publish', NAME, '--to', `mlflow+${server.url}`, '--token-env', 'MY_TOKEN'];
      const closed = await models(...argv);
      expect([closed.code, closed.stderr]).toEqual([3, expect.stringContaining('UNAUTHENTICATED')]);
      process.env.MY_TOKEN = 'letmein';
      const done = jsonOf(await models(...argv, '--json'));
      expect(done).toMatchObject({ id, kind: 'mlflow', version: '1', was: 'published' });
      expect(server.runs[0]!.tags.get('quorum.model_id')).toBe(id);
      expect((await models(...argv)).stdout).toContain('all of it was there already');
    } finally {
      await server.stop();
    }
  });

  it('ends with code 5 where nothing answers, and 3 for a place that is none', async () => {
    trained(artefactOf(1));
    const nobody = await models('publish', NAME, '--to', 'mlflow+http://127.0.0.1:9', '--tries', '1');
    expect([nobody.code, nobody.stderr]).toEqual([5, expect.stringContaining('127.0.0.1:9')]);
    const none = await models('publish', NAME, '--to', 'ftp://somewhere');
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('no place to publish')]);
  });
});

describe('the results of a training', () => {
  it('name ours, and the others only as what to show beside them', () => {
    const result = {
      config: 'S1_RX68_BTC_15M',
      model: sha256('model'),
      stage: 'candidate' as const,
      verdict: { promoted: false, criteria: [], reason: null },
      metrics: { profitFactor: null, winRate: 0.5 },
      windows: 30,
      stamps: ['no sentiment gate'],
    };
    const other = { ...result, config: 'S1_RX68_BTC_1M', verdict: { ...result.verdict, promoted: true } };
    const results = { seed: '1', dataHash: sha256('data'), codeHash: sha256('code') };
    const [a, b] = [p('results-a.json'), p('results-b.json')];
    writeS1Results(a, { ...results, configs: [other, result] });
    writeS1Results(b, { configs: [result, other], ...results });
    expect(readFileSync(a)).toEqual(readFileSync(b));
    const written = JSON.parse(readFileSync(a, 'utf8'));
    expect(written).toMatchObject({
      schemaVersion: 1,
      promoted: ['S1_RX68_BTC_1M'],
      configs: [{ config: 'S1_RX68_BTC_15M' }, { config: 'S1_RX68_BTC_1M' }],
      baselines: { profitFactor: { from: 1.48, to: 9.61 }, profitUsd: '2186966' },
    });
    expect(written.baselines.use).toContain('nothing is judged by them');
    expect(NAMES).toHaveLength(3);
  });
});
