import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { modelIdOf } from '#signals';
import { StagedModels, tinyS1 } from '../support/staged-models.ts';
import { Child, quorum, sizeOf } from './child.ts';
import { entriesOf } from './play.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-model-promoted-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const NAME = 'S1_RX68_BTC_5M';
const DESK = 's1-rx68-btc-5m';
const REFERENCE = `${NAME}@paper`;
const OLD = tinyS1(NAME, 0, { momentum: 20 });
const NEW = tinyS1(NAME, 0, { momentum: 33, way: -1 });
const [OLD_ID, NEW_ID] = [modelIdOf(OLD), modelIdOf(NEW)];

function place(name: string, portfolio: object = {}) {
  const cwd = join(root, name);
  mkdirSync(cwd);
  const parameters = {
    symbol: 'BTC',
    timeframe: '5M',
    instruments: { BTC: 'BTCUSDT.SYNTHETIC' },
    parity: false,
    tMin: 0.1,
    watchModel: false,
    dayLossMax: 1,
    groupDayLossMax: 1,
    drawdownMax: 1,
    lossesInARow: 100_000,
  };
  const configuration = {
    portfolios: { mine: { desks: [{ desk: 's1-momentum', parameters }], feed: 'made-up', ...portfolio } },
    feeds: { 'made-up': { kind: 'synthetic', seed: 'models', speed: 25 } },
  };
  writeFileSync(join(cwd, 'quorum.config.json'), JSON.stringify(configuration));
  const models = new StagedModels(join(cwd, 'models'));
  models.promote(OLD);
  const env = { QUORUM_MODELS: models.folder, QUORUM_REGISTRY: join(cwd, 'registry.sqlite') };
  const start = () => new Child(['start', '--no-console', '--snapshot-every', '200'], { cwd, env });
  const ask = async (...args: string[]) => {
    const { code, stdout, stderr } = await quorum(args, cwd, env);
    expect(code, `${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
    return stdout;
  };
  return { cwd, models, start, ask, directory: join(cwd, '.quorum/mine') };
}

const shown = (id: string) => id.slice(0, 12);

describe('a model that is promoted while a portfolio runs', () => {
  it('is taken, told, kept over a crash, and given up by a roll-back, in one journal', async () => {
    const { models, start, ask, directory } = place('taken');
    const first = start();
    await first.until(() => sizeOf(join(directory, 'journal')) > 150_000, 'it to trade');
    const status = async () => JSON.parse(await ask('status', '--json')).portfolios[0].models;
    expect(await status()).toEqual([
      { desk: DESK, reference: REFERENCE, id: OLD_ID, changedAt: null, deskHash: null },
    ]);
    models.promote(NEW);
    await first.until(() => first.stdout.includes(`${DESK}: ${shown(NEW_ID)}`), 'the new model');
    expect(first.stdout).toMatch(
      new RegExp(
        `operator: model ${REFERENCE} of ${DESK}: ${shown(NEW_ID)} by model registry: promoted to paper by ada@test`,
      ),
    );
    expect(await status()).toMatchObject([{ id: NEW_ID, changedAt: expect.any(Number) }]);
    expect(await ask('status', '--show', 'desks')).toContain(`model ${NAME} ${shown(NEW_ID)}`);
    first.kill('SIGKILL');
    await first.ended;

    const second = start();
    await second.until(() => second.stdout.includes('continued mine'), 'it to go on');
    expect(await status()).toMatchObject([{ id: NEW_ID }]);
    await second.until(async () => {
      const { decisions } = JSON.parse(await ask('why', '--live', '--json'));
      return JSON.stringify(decisions).includes(shown(NEW_ID));
    }, 'a decision of the new model');
    await ask('models', 'rollback', NAME, '--stage', 'paper', '--reason', 'too many stops');
    await second.until(() => second.stdout.includes('too many stops'), 'the old model');
    expect(await status()).toMatchObject([{ id: OLD_ID }]);
    await ask('stop');
    expect((await second.ended).code).toBe(0);
    const acts = entriesOf(directory).filter(
      ({ kind, text }) => kind === 'event' && text.includes('"model"'),
    );
    expect(acts.map(({ text }) => (JSON.parse(text) as { act: { id: string } }).act.id)).toEqual([
      NEW_ID,
      OLD_ID,
    ]);
    const replayed = JSON.parse(await ask('replay', directory, '--json'));
    expect(replayed).toMatchObject({ by: 'decided', commands: expect.any(Number) });
    expect(replayed.commands).toBeGreaterThan(10);
  }, 120_000);

  it('waits for a person where the configuration keeps models', async () => {
    const { models, start, ask, directory } = place('kept', { newModels: 'keep' });
    const program = start();
    await program.until(() => sizeOf(join(directory, 'journal')) > 50_000, 'it to run');
    models.promote(NEW);
    const said = await ask('operator', 'model', '--desk', DESK, '--reason', 'looked at it');
    expect(said).toContain('mine: model done');
    const [{ models: inPlace }] = JSON.parse(await ask('status', '--json')).portfolios;
    expect(inPlace).toMatchObject([{ id: NEW_ID }]);
    const again = await quorum(['operator', 'model', '--desk', DESK, '--reason', 'x'], join(root, 'kept'), {
      QUORUM_MODELS: models.folder,
    });
    expect([again.code, again.stderr]).toEqual([4, expect.stringContaining('already')]);
    await ask('stop');
    await program.ended;
    const acts = entriesOf(directory).filter(
      ({ kind, text }) => kind === 'event' && text.includes('"model"'),
    );
    expect(acts).toHaveLength(1);
    expect(JSON.parse(acts[0]!.text)).toMatchObject({ reason: 'looked at it', act: { id: NEW_ID } });
  }, 120_000);
});
