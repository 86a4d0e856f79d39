import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readJournal, readTapeFile, Tape, TapeCursor, type TapeSeries } from '#adapters';
import { canonicalJson, InputError, MINUTE } from '#base';
import { S1_CONFIGS } from '#desks';
import { NO_JOURNAL, NO_TRACE } from '#engine';
import { simulatedVenue } from '#execution';
import { deskOfBook, type Trade } from '#ledger';
import { Backtest, type BacktestResult, EquityCurve } from '#research';
import { modelIdOf } from '#signals';
import { setUpPortfolio } from '../../src/apps/runner/portfolio-setup.ts';
import { replayPaper } from '../../src/apps/runner/replay-paper.ts';
import { headerOf } from '../../src/apps/runner/session.ts';
import { RECORDED, recordedFiles } from '../support/recorded.ts';
import { s1Model } from '../support/s1-model.ts';
import { DRIFT_FROM, driftingMinutes, PATIENT, s1Portfolio } from '../support/s1-portfolio.ts';
import { play } from './play.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-s1-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Follows what the last five bars did, as long as it was something. */
const follower = (to: number) => {
  const artefact = s1Model({
    down: { feature: 'r5', below: -0.0003, left: 3, right: 0 },
    none: 0,
    up: { feature: 'r5', below: 0.0003, left: 0, right: 3 },
  });
  return { ...artefact, training: { ...artefact.training, to } };
};

const BTC = 'BTCUSDT.BINANCE-USDM';

/** What a journal notes of models that began or ceased to speak. */
const heardIn = (directory: string): unknown[] =>
  [...readJournal(join(directory, 'journal'))]
    .filter(({ kind, text }) => kind === 'note' && text.startsWith('{"note":"model-heard"'))
    .map(({ text }) => JSON.parse(text) as unknown);

function modelFile(name: string, to: number): { path: string; id: string } {
  const artefact = follower(to);
  const path = join(root, name);
  writeFileSync(path, canonicalJson(artefact));
  return { path, id: modelIdOf(artefact) };
}

describe.skipIf(RECORDED === null)('all sixteen configs on recorded minutes', () => {
  /** Warm-up of the longest bars is 520 quarters of an hour: some days more than that. */
  const MINUTES = 8_800;

  async function recorded(): Promise<{
    series: TapeSeries[];
    files: string[];
    funding: string[];
    from: number;
  }> {
    const files = recordedFiles('crypto/binance-perp', /^(BTC|ETH|SOL|XRP)USDT-1m-2025/);
    const funding = recordedFiles('crypto/funding', /2025/);
    const series: TapeSeries[] = [];
    for (const file of files) series.push(...(await readTapeFile(file)));
    const traded = new Set(series.map(({ instrument }) => instrument));
    for (const file of funding)
      series.push(...(await readTapeFile(file)).filter(({ instrument }) => traded.has(instrument)));
    return { series, files, funding, from: new Tape(series.filter(({ kind }) => kind === 'bars')).from! };
  }

  async function run(
    data: Awaited<ReturnType<typeof recorded>>,
    model: string,
    more: Record<string, unknown> = {},
  ) {
    const setup = await setUpPortfolio(s1Portfolio(data.files, data.funding, { model, ...more }));
    const tape = new Tape(data.series).cut(data.from, data.from + MINUTES * MINUTE);
    const backtest = new Backtest({
      definition: setup.define(NO_TRACE),
      tape: new TapeCursor(tape),
      venue: simulatedVenue(setup.venue),
      journal: NO_JOURNAL,
      seed: '1',
      codeHash: '',
      configurationHash: '',
      curve: new EquityCurve(),
    });
    const trades: { readonly trade: Trade; readonly desk: string }[] = [];
    let most = 0;
    backtest.engine.observer = {
      filled: () => {
        most = Math.max(most, backtest.engine.real.ledger.positions().length);
      },
      traded: (trade, desk, shadow) => void (shadow || trades.push({ trade, desk })),
    };
    const result: BacktestResult = backtest.run();
    return { setup, result, trades, most };
  }

  it('run together, trade their own instruments alone, and do the same again', async () => {
    const data = await recorded();
    const { path, id } = modelFile('recorded.json', data.from);
    const { setup, result, trades, most } = await run(data, path, PATIENT);
    expect(setup.header.desks.map(({ name }) => name)).toEqual(S1_CONFIGS.map(({ desk }) => desk));
    expect(setup.header.desks.every(({ models }) => models?.[path] === id)).toBe(true);
    const { engine } = result;
    // every config decided on bars of its own length, made from the minutes
    for (const desk of engine.desks) {
      const config = S1_CONFIGS.find((one) => one.desk === desk.name)!;
      const own = desk.instruments.filter(({ traded }) => traded);
      expect(own.map(({ instrument }) => instrument.id)).toEqual([`${config.symbol}USDT.BINANCE-USDM`]);
      expect(own[0]!.intervalMs).toBe(config.intervalMs);
      expect(own[0]!.count).toBeGreaterThanOrEqual(Math.floor(MINUTES / config.minutes) - 5);
      expect(desk.instruments).toHaveLength(config.symbol === 'BTC' ? 1 : 4);
    }
    expect(trades.length).toBeGreaterThan(20);
    expect(new Set(trades.map(({ desk }) => desk)).size).toBeGreaterThan(4);
    for (const { trade, desk } of trades) {
      const config = S1_CONFIGS.find((one) => one.desk === desk)!;
      expect(deskOfBook(trade.book)).toBe(desk);
      expect(trade.instrument).toBe(`${config.symbol}USDT.BINANCE-USDM`);
      // the time stop: decided at the barrier's close, filled at the next price
      const held = trade.closedAt - trade.openedAt;
      expect(held).toBeLessThanOrEqual((config.barrierBars + 1) * config.intervalMs);
      expect(trade.openedAt - data.from).toBeGreaterThanOrEqual(
        (config.symbol === 'BTC' ? 250 : 520) * config.intervalMs,
      );
    }
    expect(most).toBeLessThanOrEqual(16);
    expect([...engine.counts.exitsByKind.keys()].some((kind) => kind === 'stop-loss')).toBe(true);
    for (const sum of engine.real.ledger.trialBalance().values()) expect(sum).toBe(0);
    const again = await run(data, path, PATIENT);
    expect(again.result.commandsHash).toBe(result.commandsHash);
  });

  it('are stopped by their kill switches where the model only loses, and stay stopped', async () => {
    const data = await recorded();
    const { path } = modelFile('losing.json', data.from);
    const { result, trades } = await run(data, path);
    const tripped = result.engine.kills.states.filter(({ cause }) => cause !== null);
    expect(tripped.map(({ cause }) => cause!.trigger)).toContain('losses');
    for (const { desks, cause } of tripped) {
      const after = trades.filter(
        ({ trade, desk }) => desks.includes(desk) && trade.openedAt > cause!.at + MINUTE,
      );
      expect(after).toEqual([]);
    }
    expect(result.engine.counts.refusalsByLimit.get('kill-switch')).toBeGreaterThan(0);
  });
});

describe('a run of one config', () => {
  const file = join(root, 'bars.csv');
  driftingMinutes(file, { seed: 's1', count: 700, most: 0.0008, swing: 20 });
  const bars = [`BTCUSDT.BINANCE-USDM=${file}`];
  const one = (model: string) => s1Portfolio(bars, [], { symbol: 'BTC', timeframe: '1M', model });

  it('is replayed with the model it began with, whatever its reference has come to mean', async () => {
    const { path, id } = modelFile('moving.json', DRIFT_FROM);
    const directory = join(root, 'replayed');
    await play(one(path), directory, 600);
    const header = headerOf(join(directory, 'journal'))!;
    expect(header.request.portfolio.desks).toMatchObject([{ name: 's1-rx68-btc-1m' }]);
    expect(header.desks).toMatchObject([{ name: 's1-rx68-btc-1m', models: { [path]: id } }]);
    const replayed = await replayPaper(directory);
    expect(replayed).toMatchObject({ commands: expect.any(Number) });
    // the file holds another model by now
    const other = modelFile('moving.json', DRIFT_FROM + 1);
    expect(other.id).not.toBe(id);
    await expect(replayPaper(directory)).rejects.toThrow(InputError);
    await expect(replayPaper(directory)).rejects.toThrow('is not here');
    modelFile('moving.json', DRIFT_FROM);
    await expect(replayPaper(directory)).resolves.toBeDefined();
  });

  it('goes on after an interruption as if there had been none', async () => {
    const { path } = modelFile('steady.json', DRIFT_FROM);
    const whole = await play(one(path), join(root, 'whole'), 600);
    await play(one(path), join(root, 'cut'), 430, { leave: true, snapshotEvery: 100 });
    const cut = await play(one(path), join(root, 'cut'), 600);
    expect(whole.engine.counts.trades).toBeGreaterThan(2);
    expect(cut.engine.equity()).toBe(whole.engine.equity());
    expect(cut.engine.counts.trades).toBe(whole.engine.counts.trades);
    // the model spoke from the first bar it may, and nothing is said twice
    const notes = ['whole', 'cut'].map((name) => heardIn(join(root, name)));
    expect(notes[0]).toEqual([
      { note: 'model-heard', at: expect.any(Number), desk: 's1-rx68-btc-1m', instrument: BTC, fault: null },
    ]);
    expect(notes[1]).toEqual(notes[0]);
  });

  it('holds where there is no model yet, and says so in its header', async () => {
    const setup = await setUpPortfolio(one(join(root, 'missing.json')));
    expect(setup.header.desks[0]!.models).toEqual({ [join(root, 'missing.json')]: null });
    const session = await play(one(join(root, 'missing.json')), join(root, 'none'), 400);
    expect(session.engine.counts.orders).toBe(0);
    expect(heardIn(join(root, 'none'))).toMatchObject([
      { desk: 's1-rx68-btc-1m', fault: 'there is no model' },
    ]);
  });

  it('is refused where a line gives several desks one name', async () => {
    const given = s1Portfolio(bars, [], {});
    const desks = [{ ...given.portfolio.desks[0]!, name: 'mine' }];
    await expect(setUpPortfolio({ ...given, portfolio: { ...given.portfolio, desks } })).rejects.toThrow(
      '16 desks',
    );
    await expect(setUpPortfolio(s1Portfolio(bars, [], { symbol: 'DOGE' }))).rejects.toThrow('no config');
    // the alts need bars that this feed does not bring
    await expect(setUpPortfolio(s1Portfolio(bars, [], { symbol: 'ETH' }))).rejects.toThrow('does not bring');
  });
});
