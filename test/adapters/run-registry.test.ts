import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type NewTrial, RunRegistry, type StageRecord, trialHash } from '#adapters';
import { Chance, InputError, sha256 } from '#base';
import { trialDays } from '#research';
import { numberedTrial } from '../support/numbered-trials.ts';

const dir = mkdtempSync(join(tmpdir(), 'quorum-runs-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let files = 0;
const freshFile = () => join(dir, `runs-${files++}.sqlite`);

/** A registry with trials 0 to n - 1; closed, so that it lies in its file whole. */
function withTrials(n: number): string {
  const file = freshFile();
  const registry = RunRegistry.open(file);
  registry.register(
    Array.from({ length: n }, (_, i) => numberedTrial(i)),
    1,
  );
  registry.close();
  return file;
}

/** Does to a registry's file what the program never does. */
function tamper(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  for (const name of ['entries_stay', 'entries_are_final', 'days_stay', 'days_are_final'])
    db.exec(`DROP TRIGGER ${name}`);
  db.exec(sql);
  db.close();
}

function faultOf(file: string): string {
  let registry: RunRegistry | null = null;
  try {
    registry = RunRegistry.open(file);
    const { trials } = registry.trials();
    for (const { days } of trials) registry.days(days.hash);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message;
  } finally {
    registry?.close();
  }
  return 'no fault';
}

describe('the registry of runs', () => {
  it('gives back what was put in, in order, under its own hash', () => {
    const registry = RunRegistry.open(freshFile());
    const first = numberedTrial(3);
    const second: NewTrial = { ...numberedTrial(4), kind: 'backtest', file: null, study: null };
    const hashes = registry.register([first, second], 42);
    const { trials, head } = registry.trials();
    expect(trials.map(({ position }) => position)).toEqual([1, 2]);
    expect(trials[0]).toEqual({
      ...first.record,
      position: 1,
      hash: hashes[0],
      kind: 'sweep',
      file: '/somewhere/desk.ts',
      study: sha256('study'),
      returns: first.returns,
    });
    expect(trials[1]).toMatchObject({ kind: 'backtest', file: null, study: null, hash: hashes[1] });
    expect(hashes).toEqual([first, second].map(({ record, returns }) => trialHash(record, returns)));
    expect([...registry.days(first.record.days.hash)]).toEqual([...first.days]);
    expect(head).toEqual({ entries: 2, chain: registry.chainAt(2) });
    expect([registry.chainAt(0), registry.chainAt(3)]).toEqual(['', null]);
    registry.close();
  });

  it('counts a run made again once, whoever makes it, and a run that differs in anything again', () => {
    const registry = RunRegistry.open(freshFile());
    const one = numberedTrial(1);
    const [hash] = registry.register([one, one], 1);
    expect(registry.register([{ ...one, kind: 'backtest', study: null, file: '/elsewhere.ts' }], 2)).toEqual([
      hash,
    ]);
    expect(registry.head().entries).toBe(1);
    const others: NewTrial[] = [
      { ...one, record: { ...one.record, seed: '2' } },
      { ...one, record: { ...one.record, feeBps: 6 } },
      { ...one, record: { ...one.record, stamps: ['expectancy ignored'] } },
      { ...one, record: { ...one.record, removed: 'gate calm' } },
      { ...one, record: { ...one.record, codeHash: sha256('newer') } },
      { ...one, returns: one.returns.map((value, i) => (i === 5 ? value + 1e-16 : value)) },
    ];
    registry.register(others, 3);
    expect(registry.head().entries).toBe(1 + others.length);
    registry.close();
  });

  it('law: the count never falls, whatever is put in again and however it is batched', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 5 }), { maxLength: 6 }),
        (batches) => {
          const registry = RunRegistry.open(freshFile());
          const seen = new Set<number>();
          let before = 0;
          for (const batch of batches) {
            registry.register(batch.map(numberedTrial), 1);
            for (const n of batch) seen.add(n);
            const now = registry.head().entries;
            expect(now).toBeGreaterThanOrEqual(before);
            expect(now).toBe(seen.size);
            before = now;
          }
          expect(registry.trials().trials).toHaveLength(seen.size);
          registry.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('takes what several processes write at once, each run once, in one chain', async () => {
    const file = freshFile();
    const script = fileURLToPath(new URL('./fixtures/registry-writer.ts', import.meta.url));
    // 60 of each process are its own, 40 are everybody's
    const ended = [0, 1, 2].map(
      (k) =>
        new Promise<number | null>((done) => {
          fork(script, [file, String(1000 * (k + 1)), '60', '40'], { stdio: 'inherit' }).on('exit', done);
        }),
    );
    expect(await Promise.all(ended)).toEqual([0, 0, 0]);
    const registry = RunRegistry.open(file);
    expect(registry.verify().entries).toBe(3 * 60 + 40);
    registry.close();
  });

  it('keeps nothing of a batch that fails', () => {
    const file = withTrials(3);
    const registry = RunRegistry.open(file);
    const broken = { ...numberedTrial(9), kind: null } as unknown as NewTrial;
    expect(() => registry.register([numberedTrial(8), broken], 1)).toThrow();
    expect(registry.head().entries).toBe(3);
    registry.register([numberedTrial(8)], 1);
    expect(registry.verify().entries).toBe(4);
    registry.close();
  });

  it('remembers stages and places', () => {
    const registry = RunRegistry.open(freshFile());
    const [hash] = registry.register([{ ...numberedTrial(1), kind: 'backtest' }], 1);
    const { deskHash } = numberedTrial(1).record;
    registry.place(hash!, '/runs/a', 1);
    registry.place(hash!, '/runs/b', 2);
    registry.place(hash!, '/runs/a', 3);
    expect(registry.placesOf(deskHash)).toEqual(['/runs/a', '/runs/b']);
    expect(registry.stageOf(deskHash)).toBe('research');
    const stage: StageRecord = {
      desk: 'numbered',
      deskHash,
      from: 'research',
      to: 'paper',
      at: 7,
      by: 'somebody@somewhere',
      trialHash: hash!,
      profile: 'fleet',
      bundle: sha256('bundle'),
      exception: { name: 'Ada', reason: 'the book says so' },
    };
    registry.promote(stage, registry.head());
    expect(registry.stageOf(deskHash)).toBe('paper');
    expect(registry.stageOf(sha256('other'))).toBe('research');
    expect(registry.stages(deskHash)).toEqual([stage]);
    // judged before the first promotion: what came since was not counted
    const late = { ...stage, from: 'paper', to: 'live', at: 8 } as const;
    const before = { entries: 1, chain: registry.chainAt(1)! };
    expect(() => registry.promote(late, before)).toThrow('1 entries were put on record');
    expect(registry.stageOf(deskHash)).toBe('paper');
    // a stage is an entry of the chain, and no trial
    expect(registry.trials().trials).toHaveLength(1);
    expect(registry.verify().entries).toBe(2);
    registry.close();
  });
});

describe('a registry that was damaged or tampered with', () => {
  it('knows no promotion that somebody wrote into the file', () => {
    const file = withTrials(2);
    const { deskHash } = numberedTrial(1).record;
    const body = JSON.stringify({ deskHash, to: 'live' });
    tamper(
      file,
      `INSERT INTO entries VALUES (3, '${sha256(body)}', 'stage', 1, '${deskHash}', NULL, NULL, '${body}', NULL, 'x')`,
    );
    const registry = RunRegistry.open(file);
    expect(() => registry.stageOf(deskHash)).toThrow('entry 3 was changed');
    registry.close();
  });

  it('is refused by the database itself as long as nobody lifts its triggers', () => {
    const db = new DatabaseSync(withTrials(2));
    expect(() => db.exec('DELETE FROM entries')).toThrow('forgets nothing');
    expect(() => db.exec("UPDATE entries SET study = 'x'")).toThrow('changes nothing');
    expect(() => db.exec('DELETE FROM days')).toThrow('forgets nothing');
    db.close();
  });

  it.each([
    ['a trial taken out of the middle', 'DELETE FROM entries WHERE position = 2', 'entry 2 is missing'],
    ['the newest trials cut off', 'DELETE FROM entries WHERE position > 3', 'after 3 entries, and has had 5'],
    ['all of them', 'DELETE FROM entries', 'after 0 entries, and has had 5'],
    ['another desk', "UPDATE entries SET subject = 'x' WHERE position = 4", 'entry 4 was changed'],
    ['another file', "UPDATE entries SET file = '/x.ts' WHERE position = 1", 'entry 1 was changed'],
    ['another time', 'UPDATE entries SET at = 0 WHERE position = 5', 'entry 5 was changed'],
    [
      'a figure',
      "UPDATE entries SET body = replace(body, '0.02', '0.01') WHERE position = 3",
      'entry 3 was changed',
    ],
    ['a return', 'UPDATE entries SET returns = zeroblob(length(returns)) WHERE position = 3', 'another hash'],
    ['no returns', 'UPDATE entries SET returns = NULL WHERE position = 3', 'another hash'],
    ['its days', 'UPDATE days SET days = zeroblob(16)', 'are missing or changed'],
    ['no days', 'DELETE FROM days', 'are missing or changed'],
    ['no head', 'DELETE FROM head', 'head is missing'],
  ])('%s is noticed', (_, sql, says) => {
    const file = withTrials(5);
    expect(faultOf(file)).toBe('no fault');
    tamper(file, sql);
    expect(faultOf(file)).toContain(says);
  });

  it('takes nothing more behind an end that was cut off', () => {
    const file = withTrials(5);
    tamper(file, 'DELETE FROM entries WHERE position = 5');
    const registry = RunRegistry.open(file);
    expect(() => registry.register([numberedTrial(7)], 1)).toThrow('after 4 entries, and has had 5');
    registry.close();
  });

  it('a flipped byte anywhere is found, or changes nothing that counts', () => {
    const file = withTrials(4);
    const good = readFileSync(file);
    const chance = new Chance('flips');
    const expected = RunRegistry.open(file).trials().trials;
    let found = 0;
    for (let i = 0; i < 40; i++) {
      const bytes = Buffer.from(good);
      bytes[chance.below(bytes.length)]! ^= 1 << chance.below(8);
      const copy = freshFile();
      writeFileSync(copy, bytes);
      if (faultOf(copy) !== 'no fault') found += 1;
      else {
        const registry = RunRegistry.open(copy);
        expect(registry.trials().trials).toEqual(expected);
        registry.close();
      }
    }
    expect(found).toBeGreaterThan(0);
  });

  it.each([
    [
      'no database',
      Buffer.from('this is no database, but it is long enough to be looked at'.repeat(20)),
      'damaged',
    ],
    ['half a database', null, 'damaged'],
  ])('%s is refused', (_, bytes, says) => {
    const file = freshFile();
    writeFileSync(file, bytes ?? readFileSync(withTrials(200)).subarray(0, 9_000));
    expect(faultOf(file)).toContain(says);
  });

  it('another database and another version are not taken for one', () => {
    const other = freshFile();
    const db = new DatabaseSync(other);
    db.exec('CREATE TABLE notes (text TEXT)');
    db.close();
    expect(faultOf(other)).toContain('no registry of runs');
    const newer = withTrials(1);
    const raise = new DatabaseSync(newer);
    raise.exec('PRAGMA user_version = 7');
    raise.close();
    expect(faultOf(newer)).toContain('another version of the program (7');
  });
});

describe('the days of a record', () => {
  it('are named by their hash', () => {
    expect(trialDays(Int32Array.of(19_000, 19_002))).toMatchObject({ first: 19_000, last: 19_002, count: 2 });
    expect(trialDays(Int32Array.of(1)).hash).not.toBe(trialDays(Int32Array.of(2)).hash);
  });
});
