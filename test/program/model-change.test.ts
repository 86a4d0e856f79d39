import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Chance, MINUTE } from '#base';
import { type Command, Engine, type Event, NO_TRACE } from '#engine';
import type { InstrumentId } from '#market';
import { modelIdOf } from '#signals';
import { MeantModels } from '../../src/apps/models/meant-models.ts';
import { desksAnswer } from '../../src/apps/runner/desks-answer.ts';
import { ModelWatch } from '../../src/apps/runner/model-watch.ts';
import { type PortfolioRequest, setUpPortfolio } from '../../src/apps/runner/portfolio-setup.ts';
import { replayPaper } from '../../src/apps/runner/replay-paper.ts';
import { begunHeader, headerOf, Session } from '../../src/apps/runner/session.ts';
import { statusOf } from '../../src/apps/runner/status.ts';
import { DRIFT_FROM, driftingMinutes, PATIENT, s1Portfolio } from '../support/s1-portfolio.ts';
import { StagedModels, tinyS1 } from '../support/staged-models.ts';
import { decisionsIn, entriesOf, tradesIn, writeJournal } from './play.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-model-change-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = () => {
  folders += 1;
  return join(root, String(folders));
};

const NAME = 'S1_RX68_BTC_1M';
const REFERENCE = `${NAME}@paper`;
const DESK = 's1-rx68-btc-1m';
const WARM_UP = 250;
const BARS = 640;

const file = join(root, 'bars.csv');
const tape = driftingMinutes(file, { seed: 'model change', count: BARS, most: 0.0009, swing: 14 });

const request = (model: string | null = null): PortfolioRequest =>
  s1Portfolio([`BTCUSDT.BINANCE-USDM=${file}`], [], {
    symbol: 'BTC',
    timeframe: '1M',
    parity: false,
    tMin: 0.2,
    ...PATIENT,
    model,
  });

const OLD = tinyS1(NAME, DRIFT_FROM, { momentum: 20 });
const NEW = tinyS1(NAME, DRIFT_FROM, { momentum: 33, way: -1 });
const [OLD_ID, NEW_ID] = [modelIdOf(OLD), modelIdOf(NEW)];

let models: StagedModels;
beforeEach(() => {
  models = new StagedModels(folder());
  vi.stubEnv('QUORUM_MODELS', models.folder);
});
afterEach(() => vi.unstubAllEnvs());

async function open(directory: string, options: { snapshotEvery?: number; alerts?: string[] } = {}) {
  const setup = await setUpPortfolio(request(), null, begunHeader(directory, false));
  const session = new Session({
    setup,
    directory,
    fresh: false,
    snapshotEvery: options.snapshotEvery ?? Number.POSITIVE_INFINITY,
    onCommand: (command: Command) => {
      if (command.kind === 'raise-alert') options.alerts?.push(command.text);
    },
  });
  const tape = setup.tape!;
  tape.seek(session.steps);
  session.begin(session.engine.at > 0 ? session.engine.at : tape.peek()!);
  return { session, tape };
}

const inPlace = ({ engine }: Pick<Session, 'engine'>) => engine.desks[0]!.models![REFERENCE];

/** Plays on up to so many slices; `script` says what the reference means from which slice on. */
async function play(
  directory: string,
  slices: number,
  script: Readonly<Record<number, string | null>>,
  options: { leave?: boolean; snapshotEvery?: number } = {},
): Promise<Session> {
  const { session, tape } = await open(directory, options);
  const follow = () => {
    const { slices: now } = session.engine.counts;
    const id = script[now];
    if (id === undefined || inPlace(session) === id) return;
    const { at } = session.engine;
    const act = { action: 'model', desk: DESK, reference: REFERENCE, id } as const;
    session.happened({
      kind: 'operator-acted',
      at,
      eventTime: at,
      by: 'model registry',
      reason: 'test',
      act,
    });
    session.commit();
  };
  follow();
  while (session.engine.counts.slices < slices) {
    const at = tape.peek();
    while (tape.peek() === at) session.market(tape.next());
    session.commit();
    follow();
  }
  if (options.leave) session.journal.file.abandon();
  else session.close();
  return session;
}

describe('a portfolio whose model changes on the way', () => {
  const SCRIPT = { 300: NEW_ID, 450: null, 470: OLD_ID, 560: NEW_ID };

  it('goes on after a crash anywhere as if there had been none, with snapshots or without', async () => {
    models.promote(OLD);
    models.register(NEW);
    const whole = folder();
    await play(whole, BARS, SCRIPT);
    const entries = entriesOf(whole);
    const decisions = decisionsIn(whole);
    const trades = tradesIn(whole);
    expect(trades.length).toBeGreaterThan(8);
    const acts = entries.flatMap(({ text }, i) => (text.includes('"action":"model"') ? [i] : []));
    const notes = entries.filter(({ text }) => text.startsWith('{"note":"models"'));
    expect(notes).toHaveLength(4);
    const chance = new Chance('cuts');
    const anywhere = Array.from({ length: 6 }, () => 1 + chance.below(entries.length - 1));
    const around = acts.slice(0, 1).flatMap((i) => [i, i + 1, i + 2]);
    for (const cut of new Set([...anywhere, ...around])) {
      const directory = folder();
      writeJournal(directory, entries, cut);
      await play(directory, BARS, SCRIPT);
      expect(decisionsIn(directory), `cut after ${cut}: ${entries[cut - 1]!.text.slice(0, 90)}`).toEqual(
        decisions,
      );
      expect(tradesIn(directory)).toEqual(trades);
      rmSync(directory, { recursive: true });
    }
    const often = folder();
    for (let slices = 260; slices < BARS; slices += 37)
      await play(often, slices, SCRIPT, { leave: true, snapshotEvery: 50 });
    const end = await play(often, BARS, SCRIPT);
    expect(end.beginning.fromSnapshot).not.toBeNull();
    expect(decisionsIn(often)).toEqual(decisions);
    expect(tradesIn(often)).toEqual(trades);
    const replayed = await replayPaper(whole);
    expect(replayed).toMatchObject({ by: 'decided' });
    expect(replayed.commands).toBeGreaterThanOrEqual(decisions.length);
    // what the run began with stays its header
    expect(headerOf(join(often, 'journal'))!.desks[0]!.models).toEqual({ [REFERENCE]: OLD_ID });
  }, 120_000);

  it('decides until then as without a change, and afterwards as a desk that began with the new model', async () => {
    models.promote(OLD);
    models.register(NEW);
    const at = 400;
    const [changed, same] = [folder(), folder()];
    await play(changed, BARS, { [at]: NEW_ID });
    await play(same, BARS, {});
    const before = (directory: string) => {
      const texts: string[] = [];
      for (const { kind, text } of entriesOf(directory)) {
        if (kind === 'event' && (JSON.parse(text) as Event).at > DRIFT_FROM + at * MINUTE) break;
        if (kind === 'command') texts.push(text);
      }
      return texts;
    };
    expect(before(changed).length).toBeGreaterThan(3);
    expect(before(changed)).toEqual(before(same));
    expect(decisionsIn(changed)).not.toEqual(decisionsIn(same));

    const decided = async (begunWith: string, from: number, change: boolean) => {
      const { define } = await setUpPortfolio(request(begunWith));
      const engine = new Engine(define(NO_TRACE));
      const told: unknown[] = [];
      for (let i = from; i < BARS; i++) {
        if (i === at && change) {
          const act = { action: 'model', desk: DESK, reference: begunWith, id: NEW_ID } as const;
          const now = engine.at;
          engine.step({ kind: 'operator-acted', at: now, eventTime: now, by: 'test', reason: 'test', act });
        }
        if (i === at)
          engine.observer = {
            decided: (_, view, { signals, action, confidence, objections }) =>
              told.push({ at: view.at, signals, action, confidence, objections }),
          };
        const time = tape.time[i]!;
        engine.step({
          kind: 'bar-closed',
          at: time + MINUTE,
          eventTime: time + MINUTE,
          instrument: 'BTCUSDT.BINANCE-USDM' as InstrumentId,
          intervalMs: MINUTE,
          bar: {
            time,
            open: tape.open[i]!,
            high: tape.high[i]!,
            low: tape.low[i]!,
            close: tape.close[i]!,
            volume: tape.volume[i]!,
          },
        });
      }
      return told;
    };
    const fresh = await decided(NEW_ID, at - WARM_UP, false);
    expect(fresh).toHaveLength(BARS - at);
    expect(await decided(REFERENCE, 0, true)).toEqual(fresh);
    expect(await decided(OLD_ID, 0, false)).not.toEqual(fresh);
  });

  it('shows the model in place, with its age and its features', async () => {
    models.promote(OLD);
    models.register({ ...NEW, training: { ...NEW.training, to: DRIFT_FROM + 5 * MINUTE } });
    const later = modelIdOf({ ...NEW, training: { ...NEW.training, to: DRIFT_FROM + 5 * MINUTE } });
    const session = await play(folder(), 310, { 300: later });
    const around = { feed: 'tape', tape: null, projections: null };
    expect(statusOf(session, around).models).toEqual([
      {
        desk: DESK,
        reference: REFERENCE,
        id: later,
        changedAt: DRIFT_FROM + 300 * MINUTE,
        deskHash: expect.any(String),
      },
    ]);
    const { books } = desksAnswer(session, session.engine.at);
    expect(books[0]!.model).toMatchObject({
      id: later.slice(0, 12),
      trainedTo: DRIFT_FROM + 5 * MINUTE,
      ageMs: 305 * MINUTE,
      rows: 10,
      fault: null,
    });
  });
});

describe('the watch on the registry', () => {
  async function watched(alerts: string[] = []) {
    const directory = folder();
    const { session } = await open(directory, { alerts });
    const watch = () => {
      const broken: unknown[] = [];
      const one = new ModelWatch({
        session,
        now: () => session.engine.at,
        isOver: () => false,
        onBroken: (error) => broken.push(error),
      });
      const look = () => {
        const did = one.look();
        expect(broken).toEqual([]);
        return did;
      };
      return look;
    };
    return { directory, session, look: watch() };
  }
  const reasons = (directory: string) =>
    entriesOf(directory)
      .filter(({ kind, text }) => kind === 'event' && text.includes('"action":"model"'))
      .map(({ text }) => JSON.parse(text) as { by: string; reason: string; act: { id: string | null } })
      .map(({ by, reason, act }) => `${by}: ${act.id?.slice(0, 8) ?? 'none'}, ${reason}`);

  it('takes what was promoted, rolled back to and retired, with who did it', async () => {
    models.promote(OLD);
    const { directory, session, look } = await watched();
    expect(look()).toBe(false);
    models.promote(NEW);
    expect([look(), look()]).toEqual([true, false]);
    expect(inPlace(session)).toBe(NEW_ID);
    models.rollBack(NAME);
    expect(look()).toBe(true);
    expect(inPlace(session)).toBe(OLD_ID);
    models.retire(OLD_ID);
    expect(look()).toBe(true);
    expect(inPlace(session)).toBeNull();
    session.close();
    expect(reasons(directory)).toEqual([
      `model registry: ${NEW_ID.slice(0, 8)}, promoted to paper by ada@test (entry 4 of the registry)`,
      `model registry: ${OLD_ID.slice(0, 8)}, rolled back to by ada@test: too many stops (entry 5 of the registry)`,
      'model registry: none, retired by ada@test: trained on damaged bars (entry 6 of the registry)',
    ]);
    await expect(replayPaper(directory)).resolves.toMatchObject({ by: 'decided' });
  });

  it('takes at a start what was promoted while nothing ran', async () => {
    models.promote(OLD);
    const directory = folder();
    await play(directory, 260, {});
    models.promote(NEW);
    const { session } = await open(directory);
    expect(inPlace(session)).toBe(OLD_ID);
    const over = new ModelWatch({
      session,
      now: () => session.engine.at,
      isOver: () => false,
      onBroken: () => undefined,
    });
    over.start();
    over.close();
    expect(inPlace(session)).toBe(NEW_ID);
    session.close();
  });

  it('keeps the model in place while the new one is damaged, and says so once', async () => {
    models.promote(OLD);
    const alerts: string[] = [];
    const { directory, session, look } = await watched(alerts);
    models.promote(NEW);
    const path = join(models.folder, 'objects', NEW_ID.slice(0, 2), `${NEW_ID}.json`);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, 400));
    expect([look(), look(), look()]).toEqual([true, false, false]);
    expect(inPlace(session)).toBe(OLD_ID);
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toMatch(
      /^s1-rx68-btc-1m keeps the model \w{12} for S1_RX68_BTC_1M@paper: .*(damaged|changed)/,
    );
    // neither a restart nor a replay asks for what nobody took
    session.close();
    await expect(replayPaper(directory)).resolves.toMatchObject({ by: 'decided' });
    const again = await open(directory);
    expect(inPlace(again.session)).toBe(OLD_ID);
    again.session.close();
    writeFileSync(path, whole);
  });

  it('takes it once it was mended', async () => {
    models.promote(OLD);
    const { session, look } = await watched();
    models.promote(NEW);
    const path = join(models.folder, 'objects', NEW_ID.slice(0, 2), `${NEW_ID}.json`);
    const whole = readFileSync(path);
    rmSync(path);
    expect(look()).toBe(true);
    expect(inPlace(session)).toBe(OLD_ID);
    writeFileSync(path, whole);
    expect(look()).toBe(true);
    expect(inPlace(session)).toBe(NEW_ID);
    session.close();
  });

  it('keeps the model in place while the registry has gone, or is another one', async () => {
    models.promote(OLD);
    const alerts: string[] = [];
    const { session, look } = await watched(alerts);
    renameSync(models.folder, `${models.folder}-away`);
    look();
    look();
    expect(alerts).toEqual([expect.stringContaining('there is no registry of models')]);
    mkdirSync(models.folder);
    new StagedModels(models.folder).promote(tinyS1('OTHER', DRIFT_FROM));
    look();
    expect(alerts[1]).toMatch(/does not know/);
    expect(inPlace(session)).toBe(OLD_ID);
    session.close();
  });

  it('takes a model with thresholds of its own', async () => {
    models.promote(OLD);
    const { session, look } = await watched();
    const other = { ...NEW, threshold: { probabilityMin: 0.99, leadMin: 0.1 } };
    models.promote(other);
    expect(look()).toBe(true);
    expect(inPlace(session)).toBe(modelIdOf(other));
    session.close();
  });
});

describe('what references mean', () => {
  const meantBy = (reference: string, id: string | null) =>
    new MeantModels(models.folder).moved([{ reference, id }])[0]?.id;

  it('follows stages, and neither ids nor names nor files', () => {
    models.promote(OLD);
    models.promote(NEW);
    expect(meantBy(REFERENCE, OLD_ID)).toBe(NEW_ID);
    expect(meantBy(`${NAME}@live`, null)).toBeUndefined();
    for (const fixed of [OLD_ID, NAME, './model.json']) expect(meantBy(fixed, OLD_ID)).toBeUndefined();
  });

  it('takes a newer candidate, but drops none because it was promoted', () => {
    models.register(OLD);
    const candidate = `${NAME}@candidate`;
    expect(meantBy(candidate, OLD_ID)).toBeUndefined();
    models.register(NEW);
    expect(meantBy(candidate, OLD_ID)).toBe(NEW_ID);
    models.promote(NEW);
    expect(meantBy(candidate, NEW_ID)).toBeUndefined();
    expect(meantBy(candidate, null)).toBe(OLD_ID);
  });

  it('looks at files alone until something happened', () => {
    models.promote(OLD);
    const meant = new MeantModels(models.folder);
    expect([meant.hasMoved(), meant.hasMoved()]).toEqual([true, false]);
    meant.moved([{ reference: REFERENCE, id: OLD_ID }]);
    expect(meant.hasMoved()).toBe(false);
    models.promote(NEW);
    expect([meant.hasMoved(), meant.hasMoved()]).toEqual([true, false]);
  });
});
