import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InputError } from '#base';
import type { Command } from '#engine';
import { type ModelArtefact, modelIdOf } from '#signals';
import { MeantModels } from '../../src/apps/models/meant-models.ts';
import { candidateFault, ModelWatch } from '../../src/apps/runner/model-watch.ts';
import { setUpPortfolio } from '../../src/apps/runner/portfolio-setup.ts';
import { replayPaper } from '../../src/apps/runner/replay-paper.ts';
import { Session } from '../../src/apps/runner/session.ts';
import { DRIFT_FROM, driftingMinutes, s1Portfolio } from '../support/s1-portfolio.ts';
import { StagedModels, tinyS1 } from '../support/staged-models.ts';
import { entriesOf } from './play.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-candidate-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = () => {
  folders += 1;
  return join(root, String(folders));
};

const NAME = 'S1_RX68_BTC_1M';
const REFERENCE = `${NAME}@candidate`;
const DESK = 's1-rx68-btc-1m';
const file = join(root, 'bars.csv');
driftingMinutes(file, { seed: 'candidates', count: 400, most: 0.0009, swing: 14 });
const setUp = (model = REFERENCE) =>
  setUpPortfolio(
    s1Portfolio([`BTCUSDT.BINANCE-USDM=${file}`], [], {
      symbol: 'BTC',
      timeframe: '1M',
      parity: false,
      model,
    }),
  );

const FIT = tinyS1(NAME, DRIFT_FROM, { momentum: 20 });
const LATER = tinyS1(NAME, DRIFT_FROM, { momentum: 33, way: -1 });
const trainedOn = (change: Partial<ModelArtefact['training']>): ModelArtefact => ({
  ...FIT,
  training: { ...FIT.training, ...change },
});
const TURNED = FIT.features.toReversed();
/** Candidates of the name that a config of one minute of BTC cannot use, and why. */
const UNFIT: readonly (readonly [string, ModelArtefact, string])[] = [
  ['of other bars', trainedOn({ interval: '5m' }), 'was made from bars of 5m, not of 1m'],
  ['of bars that nobody knows', trainedOn({ interval: '' }), 'was made from bars of unknown length'],
  [
    'of another market',
    trainedOn({ instrument: 'ETHUSDT.BINANCE-USDM' }),
    'was made from ETHUSDT.BINANCE-USDM, not from bars of BTC',
  ],
  ['of no market', trainedOn({ instrument: '' }), 'was made from an unknown market'],
  [
    'with features in another order',
    { ...FIT, features: TURNED, scaler: null },
    'the model reads other features',
  ],
  ['without a scaler', { ...FIT, scaler: null }, 'the model has no scaler'],
  ['with other classes', { ...FIT, classes: ['up', 'none', 'down'] }, 'does not tell down, none and up'],
];

let models: StagedModels;
beforeEach(() => {
  models = new StagedModels(folder());
  vi.stubEnv('QUORUM_MODELS', models.folder);
});
afterEach(() => vi.unstubAllEnvs());

const short = (id: string) => id.slice(0, 12);
const objectOf = (id: string) => join(models.folder, 'objects', id.slice(0, 2), `${id}.json`);
const meant = async (setup = setUp()) => (await setup).header.desks[0]!.models![REFERENCE];

describe('the candidate that a desk asks for', () => {
  it.each(UNFIT)('is the newest that fits: not one %s', async (_, unfit, why) => {
    models.register(FIT);
    const id = models.register(unfit);
    await expect(meant()).resolves.toBe(modelIdOf(FIT));
    const last = models.register(LATER);
    await expect(meant()).resolves.toBe(last);
    // whoever names a model has it, whatever it is
    const setup = await setUp(id);
    expect(setup.header.desks[0]!.models).toEqual({ [id]: id });
    models.retire(last);
    models.retire(modelIdOf(FIT));
    await expect(meant()).rejects.toThrow(InputError);
    await expect(meant()).rejects.toThrow(`no candidate of ${NAME} can be used: ${short(id)}: `);
    await expect(meant()).rejects.toThrow(why);
  });

  it('is whole', async () => {
    models.register(FIT);
    const id = models.register(LATER);
    await expect(meant()).resolves.toBe(id);
    writeFileSync(objectOf(id), '{}');
    await expect(meant()).resolves.toBe(modelIdOf(FIT));
    rmSync(objectOf(modelIdOf(FIT)));
    await expect(meant()).rejects.toThrow(new RegExp(`${short(id)}: .*; ${short(modelIdOf(FIT))}: `));
  });

  it('may be of another venue of the same market, and one that its training refused', async () => {
    const id = models.register({
      ...trainedOn({ instrument: 'BTCUSDC.EDGEX' }),
      stamps: ['no sentiment gate'],
    });
    await expect(meant()).resolves.toBe(id);
  });

  it('is none where there is no candidate', async () => {
    await expect(meant()).resolves.toBeNull();
    models.promote(FIT);
    await expect(meant()).resolves.toBeNull();
  });
});

describe('a candidate that comes while a portfolio runs', () => {
  async function watched() {
    const directory = folder();
    const setup = await setUp();
    const alerts: string[] = [];
    const session = new Session({
      setup,
      directory,
      fresh: false,
      snapshotEvery: Number.POSITIVE_INFINITY,
      onCommand: (command: Command) => {
        if (command.kind === 'raise-alert') alerts.push(command.text);
      },
    });
    session.begin(setup.tape!.peek()!);
    const broken: unknown[] = [];
    const watch = new ModelWatch({
      session,
      now: () => session.engine.at,
      isOver: () => false,
      onBroken: (error) => broken.push(error),
    });
    const look = () => {
      const did = watch.look();
      expect(broken).toEqual([]);
      return did;
    };
    return {
      directory,
      setup,
      session,
      alerts,
      look,
      inPlace: () => session.engine.desks[0]!.models![REFERENCE],
    };
  }

  it.each(UNFIT)('is not taken %s, which is told once, and the next that fits is', async (_, unfit, why) => {
    models.register(FIT);
    const { directory, setup, session, alerts, look, inPlace } = await watched();
    expect(look()).toBe(false);
    const id = models.register(unfit);
    expect([look(), look()]).toEqual([true, false]);
    expect(inPlace()).toBe(modelIdOf(FIT));
    expect(alerts).toEqual([expect.stringContaining(why)]);
    // nor by hand, as what the reference means
    const act = { action: 'model', desk: DESK, reference: REFERENCE, id } as const;
    expect(candidateFault(setup, act)).toContain(why);
    expect(candidateFault(setup, { ...act, id: modelIdOf(FIT) })).toBeNull();
    expect(candidateFault(setup, { ...act, id: null })).toBeNull();
    expect(candidateFault(setup, { ...act, reference: `${NAME}@paper` })).toBeNull();
    const last = models.register(LATER);
    expect([look(), look()]).toEqual([true, false]);
    expect(inPlace()).toBe(last);
    session.close();
    expect(
      entriesOf(directory).filter(({ kind, text }) => kind === 'event' && text.includes('"action":"model"')),
    ).toHaveLength(2);
    // what was not taken need not be there for a replay
    rmSync(objectOf(id));
    await expect(replayPaper(directory)).resolves.toMatchObject({ by: 'decided' });
  });

  it('is told of where it came last, behind one that fits', async () => {
    models.register(FIT);
    const { session, alerts, look, inPlace } = await watched();
    const last = models.register(LATER);
    models.register(UNFIT[0]![1]);
    expect([look(), look(), look()]).toEqual([true, true, false]);
    expect(inPlace()).toBe(last);
    expect(alerts).toEqual([expect.stringContaining('was made from bars of 5m')]);
    session.close();
  });

  it('is read once where it does not fit', () => {
    models.register(UNFIT[0]![1]);
    let asked = 0;
    const unfit = () => {
      asked += 1;
      return 'it is another';
    };
    const looks = new MeantModels(models.folder);
    for (let i = 0; i < 3; i++)
      expect(looks.moved([{ reference: REFERENCE, id: null, unfit }])[0]?.fault).toBe('it is another');
    expect(asked).toBe(1);
  });
});
