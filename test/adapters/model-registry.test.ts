import { type ChildProcess, fork } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type HeldStage,
  ModelRegistry,
  modelFileText,
  readModelFile,
  requireModel,
  travelling,
} from '#adapters';
import { canonicalJson, InputError, sha256 } from '#base';
import { modelIdOf, parseBoostedModel } from '#signals';
import { type BareModelFacts, importModel } from '../../src/apps/models/import-model.ts';
import { modelResources } from '../../src/apps/models/model-resources.ts';
import { artefactOf, evidenceOf, MODEL_FIXTURES, scalerOf } from '../support/model-artefacts.ts';

const dir = mkdtempSync(join(tmpdir(), 'quorum-models-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let folders = 0;
const freshFolder = () => join(dir, `models-${folders++}`);
const act = (at = 1) => ({ at, by: 'somebody@somewhere' });

function stage(registry: ModelRegistry, id: string, to: HeldStage = 'paper'): void {
  const verdict = { model: id, to, profile: 's1', promoted: true, criteria: [], exception: null };
  registry.promote(verdict, null, registry.head(), act());
}

describe('a registry that is only read', () => {
  it('is there beside one who writes, and writes nothing itself', () => {
    const { registry, ids } = withModels(2);
    const { folder } = registry;
    stage(registry, ids[0]!);
    const writer = new DatabaseSync(join(folder, 'models.sqlite'));
    writer.exec('BEGIN IMMEDIATE');
    const reader = ModelRegistry.openToRead(folder)!;
    expect(reader.holder('S1_RX68_BTC_15M', 'paper')).toBe(ids[0]);
    writer.exec('ROLLBACK');
    writer.close();
    stage(registry, ids[1]!);
    expect(reader.holder('S1_RX68_BTC_15M', 'paper')).toBe(ids[1]);
    expect(() => reader.retire(ids[1]!, 'no', act())).toThrow();
    reader.close();
    registry.close();
    expect(ModelRegistry.openToRead(freshFolder())).toBeNull();
  });
});

/** A registry of models 0 to n - 1 of one name. */
function withModels(n: number): { readonly registry: ModelRegistry; readonly ids: string[] } {
  const registry = ModelRegistry.open(freshFolder());
  const ids = Array.from({ length: n }, (_, i) => {
    const artefact = artefactOf(i);
    return registry.register(artefact, [evidenceOf(artefact)], 'trained', act(i)).id;
  });
  return { registry, ids };
}

describe('the registry of models', () => {
  it('gives back what was put in, under the hash of its contents', () => {
    const registry = ModelRegistry.open(freshFolder());
    const artefact = artefactOf(1, { scaler: scalerOf(), stamps: ['no sentiment gate'] });
    const evidence = evidenceOf(artefact);
    const { id, isNew } = registry.register(artefact, [evidence], 'trained', act(42));
    expect([id, isNew]).toEqual([sha256(canonicalJson(artefact)), true]);
    expect(registry.artefact(id)).toEqual(artefact);
    expect(registry.evidenceOf(id)).toEqual([evidence]);
    expect(registry.entry(id)).toMatchObject({
      id,
      name: 'S1_RX68_BTC_15M',
      stage: 'candidate',
      holds: [],
      at: 42,
      interval: '15m',
      stamps: ['no sentiment gate'],
      metrics: { auc: 0.6, logLoss: null },
      evidence: [sha256(canonicalJson(evidence))],
      isPruned: false,
    });
    const file = join(registry.folder, 'objects', id.slice(0, 2), `${id}.json`);
    expect(readFileSync(file, 'utf8')).toBe(canonicalJson(artefact));
    registry.close();
  });

  it('holds the same model once, and adds what else speaks for it', () => {
    const { registry, ids } = withModels(1);
    const again = registry.register(artefactOf(0), [evidenceOf(artefactOf(0))], 'imported', act(9));
    expect(again).toEqual({ id: ids[0], isNew: false });
    expect(registry.entries()).toHaveLength(1);
    expect(registry.verify()).toMatchObject({ entries: 2, objects: 2, faults: [], leftOver: [] });
    const more = evidenceOf(artefactOf(0), { figures: { paperDays: { value: 91, note: 'by now' } } });
    const hash = registry.addEvidence(ids[0]!, more, act());
    registry.addEvidence(ids[0]!, more, act());
    expect(registry.entry(ids[0]!)!.evidence).toHaveLength(2);
    expect(registry.entry(ids[0]!)!.evidence[1]).toBe(hash);
    expect(registry.history(ids[0]!).map(({ event }) => event.kind)).toEqual([
      'registered',
      'evidence',
      'evidence',
    ]);
    registry.close();
  });

  it.each([
    ['another scaler than it says', { scaler: { ...scalerOf(), mean: [9, 9, 9] } }, 'the hash is another'],
    ['a scaler of other features', { features: ['a', 'b', 'c'], scaler: scalerOf() }, 'other features'],
    ['two features of one name', { features: ['a', 'a', 'b'] }, 'one name'],
    [
      'a calibration too few',
      { calibration: [{ kind: 'platt', a: 1, b: 0 } as const] },
      '1 calibrations for 3',
    ],
    ['a name that is no file name', { name: '../up' }, 'letters, digits'],
    ['a figure that is no number', { metrics: { auc: Number.NaN } }, 'metrics.auc'],
    ['a feature too few', { features: ['a', 'b'] }, 'read 3 columns'],
    ['features in another order', { features: ['spread', 'momentum', 'volume'] }, 'in this order'],
    ['a class too few', { classes: ['down', 'up'] }, '3 outputs'],
    ['trees that are none', { model: { learner: {} } }, 'not usable'],
  ])('takes no model with %s', (_, change, message) => {
    const registry = ModelRegistry.open(freshFolder());
    const artefact = artefactOf(1, change);
    expect(() => registry.register(artefact, [], 'trained', act())).toThrow(InputError);
    expect(() => registry.register(artefact, [], 'trained', act())).toThrow(message);
    expect(registry.verify()).toMatchObject({ entries: 0, objects: 0 });
    registry.close();
  });

  it('takes no evidence of another model', () => {
    const { registry, ids } = withModels(1);
    const other = evidenceOf(artefactOf(5));
    expect(() => registry.addEvidence(ids[0]!, other, act())).toThrow('not of');
    expect(() => registry.register(artefactOf(6), [other], 'trained', act())).toThrow(InputError);
    expect(registry.entries()).toHaveLength(1);
    registry.close();
  });

  it('remembers who holds a stage, and gives it back', () => {
    const { registry, ids } = withModels(4);
    const name = artefactOf().name;
    const [a, b, c, d] = ids as [string, string, string, string];
    const stages = () => registry.entries().map((one) => one.stage);
    for (const id of [a, b, c]) stage(registry, id);
    expect(stages()).toEqual(['retired', 'retired', 'paper', 'candidate']);
    expect(registry.rollBack(name, 'paper', 'worse', act())).toBe(b);
    expect(stages()).toEqual(['retired', 'paper', 'retired', 'candidate']);
    // what was rolled back from is not what a further roll-back leads to
    expect(registry.rollBack(name, 'paper', 'worse still', act())).toBe(a);
    expect(() => registry.rollBack(name, 'paper', 'further', act())).toThrow('no model held');
    stage(registry, d);
    stage(registry, d, 'live');
    expect(registry.entry(d)).toMatchObject({ stage: 'live', holds: ['paper', 'live'] });
    registry.retire(d, 'broken', act());
    expect([registry.holder(name, 'paper'), registry.holder(name, 'live')]).toEqual([null, null]);
    expect(registry.entry(d)).toMatchObject({ stage: 'retired', holds: [] });
    expect(registry.previous(name, 'paper')).toBe(a);
    expect(registry.rollBack(name, 'paper', 'back', act())).toBe(a);
    registry.close();
  });

  it('law: a stage is held by the last that was let in, was not rolled back from and not retired', () => {
    const step = fc.record({ do: fc.constantFrom('stage', 'stage', 'back', 'retire'), id: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const { registry, ids } = withModels(4);
        const name = artefactOf().name;
        let stack: string[] = [];
        let isEmpty = false;
        const retired = new Set<string>();
        for (const { do: what, id: i } of steps) {
          const id = ids[i]!;
          if (what === 'stage') {
            stage(registry, id);
            if (stack.at(-1) !== id) stack.push(id);
            isEmpty = false;
          } else if (what === 'retire') {
            registry.retire(id, 'because', act());
            retired.add(id);
            if (!isEmpty && stack.at(-1) === id) {
              stack.pop();
              isEmpty = true;
            }
          } else {
            const before = isEmpty ? stack : stack.slice(0, -1);
            const at = before.findLastIndex((one) => !retired.has(one));
            if (at < 0) expect(() => registry.rollBack(name, 'paper', '', act())).toThrow(InputError);
            else {
              expect(registry.rollBack(name, 'paper', '', act())).toBe(stack[at]);
              stack = stack.slice(0, at + 1);
              isEmpty = false;
            }
          }
          expect(registry.holder(name, 'paper')).toBe(isEmpty ? null : (stack.at(-1) ?? null));
        }
        // whoever opens it later sees the same
        const again = ModelRegistry.open(registry.folder);
        expect(again.entries()).toEqual(registry.entries());
        again.close();
        registry.close();
      }),
      { numRuns: 10 },
    );
  });

  it('stages nothing that was judged before something else happened', () => {
    const { registry, ids } = withModels(2);
    const head = registry.head();
    const other = ModelRegistry.open(registry.folder);
    stage(other, ids[1]!);
    const verdict = {
      model: ids[0]!,
      to: 'paper',
      profile: 's1',
      promoted: true,
      criteria: [],
      exception: null,
    };
    expect(() => registry.promote(verdict as never, null, head, act())).toThrow('judged');
    expect(registry.holder(artefactOf().name, 'paper')).toBe(ids[1]);
    other.close();
    registry.close();
  });
});

describe('retention', () => {
  it('keeps the newest of each name and what was ever staged; a dry run takes nothing', () => {
    const { registry, ids } = withModels(6);
    const other = artefactOf(1, { name: 'OTHER' });
    registry.register(other, [], 'trained', act());
    stage(registry, ids[0]!);
    stage(registry, ids[1]!);
    const dry = registry.prune(2, true, act());
    expect(dry.models.map(({ id }) => id)).toEqual([ids[2], ids[3]]);
    expect(dry.bytes).toBeGreaterThan(10_000);
    expect(registry.verify()).toMatchObject({ models: 7, objects: 15 });
    expect(registry.prune(2, false, act()).models).toHaveLength(2);
    expect(registry.verify()).toMatchObject({ models: 5, objects: 11, faults: [], leftOver: [] });
    expect(registry.prune(2, false, act()).models).toHaveLength(0);
    expect(registry.entry(ids[2]!)).toMatchObject({ isPruned: true });
    expect(() => registry.artefact(ids[2]!)).toThrow('retention');
    // it may come again, with its past
    registry.register(artefactOf(2), [], 'imported', act());
    expect(registry.artefact(ids[2]!)).toEqual(artefactOf(2));
    expect(registry.entry(ids[2]!)!.evidence).toEqual([]);
    registry.register(artefactOf(2), [evidenceOf(artefactOf(2))], 'imported', act());
    expect(registry.verify().faults).toEqual([]);
    registry.close();
  });

  it('sweeps what an interruption left', () => {
    const { registry } = withModels(1);
    const objects = join(registry.folder, 'objects');
    writeFileSync(join(objects, `.x.json.1-0.tmp`), 'half');
    const orphan = canonicalJson({ nobody: 'needs me' });
    const name = sha256(orphan);
    cpSync(join(objects, readdirSync(objects)[1]!), join(objects, name.slice(0, 2)), { recursive: true });
    writeFileSync(join(objects, name.slice(0, 2), `${name}.json`), orphan);
    expect(registry.verify().leftOver.length).toBeGreaterThanOrEqual(2);
    registry.prune(5, false, act());
    expect(registry.verify()).toMatchObject({ faults: [], leftOver: [], objects: 2 });
    registry.close();
  });
});

describe('damage to the registry', () => {
  const tamper = (folder: string, sql: string) => {
    const db = new DatabaseSync(join(folder, 'models.sqlite'));
    for (const name of ['entries_stay', 'entries_are_final']) db.exec(`DROP TRIGGER IF EXISTS ${name}`);
    db.exec(sql);
    db.close();
  };

  it.each([
    [
      'a changed row',
      `UPDATE entries SET body = replace(body, '15m', '1m') WHERE position = 1`,
      'was changed',
    ],
    ['another time', 'UPDATE entries SET at = 5 WHERE position = 2', 'was changed'],
    ['a missing row', 'DELETE FROM entries WHERE position = 2', 'is missing'],
    ['an end that was cut off', 'DELETE FROM entries WHERE position = 6', 'ends after 5'],
    ['no head', 'DELETE FROM head', 'head is missing'],
  ])('is noticed: %s', (_, sql, message) => {
    const { registry } = withModels(3);
    registry.close();
    tamper(registry.folder, sql);
    const again = ModelRegistry.open(registry.folder);
    expect(() => again.entries()).toThrow(message);
    expect(() => again.register(artefactOf(99), [], 'trained', act())).toThrow(InputError);
    again.close();
  });

  it('is refused by the database itself, as far as it can', () => {
    const { registry } = withModels(1);
    registry.close();
    const db = new DatabaseSync(join(registry.folder, 'models.sqlite'));
    expect(() => db.exec('DELETE FROM entries')).toThrow('forgets nothing');
    expect(() => db.exec('UPDATE entries SET at = 7')).toThrow('changes nothing');
    db.close();
  });

  it('of an object is noticed and mended by bringing the model again', () => {
    const { registry, ids } = withModels(1);
    const file = join(registry.folder, 'objects', ids[0]!.slice(0, 2), `${ids[0]}.json`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('0.55', '0.45'));
    expect(() => registry.artefact(ids[0]!)).toThrow('was changed');
    expect(registry.verify().faults).toHaveLength(1);
    registry.register(artefactOf(0), [], 'imported', act());
    expect(registry.verify().faults).toEqual([]);
    rmSync(file);
    expect(registry.verify().faults).toEqual([expect.stringContaining('is missing')]);
    registry.close();
  });

  it('is told from a file that is no registry, and of another version', () => {
    const folder = freshFolder();
    ModelRegistry.open(folder).close();
    tamper(folder, 'PRAGMA user_version = 9');
    expect(() => ModelRegistry.open(folder)).toThrow('another version');
    tamper(folder, 'PRAGMA application_id = 7');
    expect(() => ModelRegistry.open(folder)).toThrow('no registry of models');
    writeFileSync(join(folder, 'models.sqlite'), 'not a database at all, but long enough to be looked at');
    expect(() => ModelRegistry.open(folder)).toThrow(InputError);
    expect(ModelRegistry.openExisting(join(dir, 'nowhere'))).toBeNull();
  });
});

describe('several processes', () => {
  const script = fileURLToPath(new URL('./fixtures/model-writer.ts', import.meta.url));
  const writer = (folder: string, first: number, rounds: number) =>
    fork(script, [folder, String(first), String(rounds)], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const exitOf = (child: ChildProcess) => new Promise((done) => child.on('exit', done));

  it('write, stage and prune at once, and nothing is lost or torn', async () => {
    const folder = freshFolder();
    const writers = [1000, 2000].map((first) => writer(folder, first, 12));
    expect(await Promise.all(writers.map(exitOf))).toEqual([0, 0]);
    const registry = ModelRegistry.open(folder);
    expect(registry.verify()).toMatchObject({ faults: [], leftOver: [] });
    const entries = registry.entries();
    expect(entries.filter(({ name }) => name.startsWith('WRITER'))).toHaveLength(24);
    expect(entries.filter(({ name }) => name === 'EVERYBODY')).toHaveLength(12);
    registry.close();
  });

  it('lose nothing they were told is done when they are killed', async () => {
    const folder = freshFolder();
    let told: string[] = [];
    for (let life = 0; life < 6; life++) {
      const child = writer(folder, 10_000 * (life + 1), 0);
      let said = '';
      const spoke = new Promise<void>((done) => {
        child.stdout!.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          if (said.split('\n').length > 3 + life) done();
        });
      });
      await spoke;
      // somewhere in the middle of whatever it does
      await sleep(life * 3);
      child.kill('SIGKILL');
      await exitOf(child);
      told = [...told, ...said.split('\n').slice(0, -1)];
      const registry = ModelRegistry.open(folder);
      const { faults } = registry.verify();
      expect(faults).toEqual([]);
      for (const line of told) {
        const [what, id] = line.split(' ') as [string, string];
        const entry = registry.entry(id);
        expect(entry, line).not.toBeNull();
        if (what === 'staged') expect(entry!.wasStaged).toBe(true);
        if (!entry!.isPruned) expect(modelIdOf(registry.artefact(id))).toBe(id);
      }
      registry.prune(3, false, act());
      expect(registry.verify()).toMatchObject({ faults: [], leftOver: [] });
      registry.close();
    }
    expect(told.length).toBeGreaterThan(20);
  });
});

describe('a model that travels', () => {
  it('arrives as it left, byte for byte', () => {
    const { registry, ids } = withModels(1);
    const text = modelFileText(travelling(registry, ids[0]!));
    const file = join(dir, 'travel.json');
    writeFileSync(file, text);
    const read = readModelFile(file);
    if (read.kind !== 'model') throw new Error('no model');
    const other = ModelRegistry.open(freshFolder());
    expect(other.register(read.artefact, read.evidence, 'imported', act()).id).toBe(ids[0]);
    expect(modelFileText(travelling(other, ids[0]!))).toBe(text);
    other.close();
    registry.close();
  });

  it.each([
    ['a changed figure', (text: string) => text.replace('"eta":0.1', '"eta":0.2'), 'another hash'],
    ['another version', (text: string) => text.replace(/1\}\n$/, '2}'), 'version 2'],
    ['half of it', (text: string) => text.slice(0, 500), 'the JSON document is not usable'],
    ['something else', () => '{"hello":1}', 'holds no model'],
    ['a list', () => '[1]', 'holds no model'],
    ['nothing', () => '', 'holds no model'],
    ['text', () => 'hello', 'holds no model'],
    [
      'lists in lists without end',
      () => `{"format":"quorum-model","schemaVersion":1,"x":${'['.repeat(2e5)}${']'.repeat(2e5)}}`,
      'goes deeper than 64 containers',
    ],
    [
      'a scaler that is no number',
      (text: string) => text.replace('"scaler":null', '"scaler":NaN'),
      'holds NaN or Infinity',
    ],
  ])('is refused with %s', (_, change, message) => {
    const { registry, ids } = withModels(1);
    const file = join(dir, 'changed.json');
    writeFileSync(file, change(modelFileText(travelling(registry, ids[0]!))));
    expect(() => readModelFile(file)).toThrow(message);
    registry.close();
  });
});

describe('a file that XGBoost saved', () => {
  const none: BareModelFacts = {
    name: 'DEGENERATE',
    features: null,
    classes: ['down', 'none', 'up'],
    instrument: null,
    interval: null,
    trainedFrom: null,
    trainedTo: null,
    probabilityMin: null,
    leadMin: null,
    parent: null,
  };

  it('is taken with the gains that are no numbers, which a registry can keep', () => {
    const text = readFileSync(`${MODEL_FIXTURES}multi.json`, 'utf8');
    const file = join(dir, 'degenerate.json');
    // as XGBoost writes a node that nothing came to
    writeFileSync(
      file,
      text
        .replace(/"loss_changes":\[[^,\]]+/, '"loss_changes":[NaN')
        .replace(/"sum_hessian":\[[^,\]]+/, '"sum_hessian":[-Infinity'),
    );
    expect(() => JSON.parse(readFileSync(file, 'utf8'))).toThrow();
    const registry = ModelRegistry.open(freshFolder());
    const { id, artefact } = importModel(registry, file, none);
    expect(registry.artefact(id)).toEqual(artefact);
    const trees = (model: unknown) => parseBoostedModel(model).trees;
    const [first, ...rest] = trees(artefact.model);
    const [whole, ...others] = trees(JSON.parse(text));
    expect([first!.gain[0], first!.cover[0]]).toEqual([0, 0]);
    expect(first!.condition).toEqual(whole!.condition);
    expect(rest).toEqual(others);
    registry.close();
  });

  it('is not read at all when no model is as large, and is a file', () => {
    const huge = join(dir, 'huge.json');
    writeFileSync(huge, '{');
    truncateSync(huge, 300 * 2 ** 20);
    expect(() => readModelFile(huge)).toThrow('has 300 MiB, and a model has 256 at most');
    expect(() => readModelFile(dir)).toThrow('holds no model');
  });

  it('is named where it is broken', () => {
    const file = join(dir, 'broken.json');
    writeFileSync(file, '{"learner":{"attributes":{},');
    expect(() => readModelFile(file)).toThrow(`${file}: the JSON document is not usable`);
    writeFileSync(file, Buffer.from('{L\x00'));
    expect(() => readModelFile(file)).toThrow(`${file}: the UBJ document is not usable`);
    writeFileSync(file, 'binf1234');
    expect(() => readModelFile(file)).toThrow('old binary format');
  });
});

describe('a reference', () => {
  it('is an id, the beginning of one, a name, a stage or a file', () => {
    const { registry, ids } = withModels(3);
    const name = artefactOf().name;
    stage(registry, ids[0]!);
    const { model } = modelResources(registry.folder);
    expect(model(ids[1]!)?.id).toBe(ids[1]);
    expect(model(ids[1]!.slice(0, 8))).toEqual({ id: ids[1], artefact: artefactOf(1) });
    expect(model(name)?.id).toBe(ids[2]);
    expect(model(`${name}@paper`)?.id).toBe(ids[0]);
    expect(model(`${name}@candidate`)?.id).toBe(ids[2]);
    expect(model(`${name}@live`)).toBeNull();
    expect(model('NOBODY@paper')).toBeNull();
    expect(model('NOBODY')).toBeNull();
    expect(model('0000000000')).toBeNull();
    expect(() => model(`${name}@papre`)).toThrow('no stage');
    const file = join(dir, 'reference.json');
    writeFileSync(file, modelFileText(travelling(registry, ids[1]!)));
    expect(model(file)?.id).toBe(ids[1]);
    expect(model(join(dir, 'none.json'))).toBeNull();
    expect(() => model(`${MODEL_FIXTURES}multi.json`)).toThrow('without names');
    expect(() => model(`${MODEL_FIXTURES}multi.ubj`)).toThrow('without names');
    expect(() => requireModel(registry, 'S1_RX68_BTC_5M')).toThrow(`there is no model "S1_RX68_BTC_5M"`);
    expect(() => requireModel(registry, `${name}@live`)).toThrow('no model holds');
    expect(existsSync(join(dir, 'nowhere'))).toBe(false);
    expect(modelResources(join(dir, 'nowhere')).model(name)).toBeNull();
    expect(existsSync(join(dir, 'nowhere'))).toBe(false);
    registry.close();
  });

  it('that several ids begin with is refused, not guessed', () => {
    const registry = ModelRegistry.open(freshFolder());
    const seen = new Map<string, string>();
    // two of some hundred ids begin with the same four letters sooner or later; small models of one feature each
    let pair: [string, string] | null = null;
    for (let i = 0; pair === null; i++) {
      const id = modelIdOf(artefactOf(i));
      const other = seen.get(id.slice(0, 4));
      if (other !== undefined) {
        for (const seed of [i, Number(other)]) registry.register(artefactOf(seed), [], 'trained', act());
        pair = [id, modelIdOf(artefactOf(Number(other)))];
      }
      seen.set(id.slice(0, 4), String(i));
    }
    expect(() => requireModel(registry, pair[0].slice(0, 4))).toThrow('2 ids begin with');
    expect(requireModel(registry, pair[0]).id).toBe(pair[0]);
    registry.close();
  });
});
