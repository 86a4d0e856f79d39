import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barSeries, ModelRegistry, RunRegistry, Tape } from '#adapters';
import type { InstrumentId } from '#market';
import { contestOf, type ModelEvidence, PROFILES, scoreTrial } from '#research';
import { type ModelArtefact, modelIdOf } from '#signals';
import { QUARTER, trendingBars } from '../../../test/support/trending-market.ts';
import { promoteModel } from '../models/promote-model.ts';
import type { Origin } from './artefact-of.ts';
import { selectionOf } from './evidence-of.ts';
import { checkOnLoop, TWO_ENGINES_MAX } from './loop-check.ts';
import { olderOver } from './older-model.ts';
import { NO_NEWS, registerTrials, trainingStamps } from './register-trials.ts';
import { chosenConfigs } from './train-config.ts';
import { TrainMarkets } from './train-data.ts';
import { auditLeaks, type TrainedConfig, type TrainSettings, trainOne } from './train-one.ts';
import { playTrial } from './trial-player.ts';
import { countedWindows, judgeWinner } from './winner.ts';

const BTC = 'BTCUSDT.BINANCE-USDM' as InstrumentId;
const place = mkdtempSync(join(tmpdir(), 'quorum-train-'));
const costs = { cash: 10_000, feeBps: 3.8, slippageBps: 1 };
const [train] = chosenConfigs(['BTC_15M'], { trainDays: 4, testHours: 48 });

const originOf = (days: number, seed: string): Origin => {
  const series = barSeries(BTC, QUARTER, trendingBars({ days, seed: 'one' }));
  return { train: train!, market: new TrainMarkets(new Tape([series])).market(train!.config), seed };
};

const runs = RunRegistry.open(join(place, 'runs.sqlite'));
const registries: ModelRegistry[] = [];
const newModels = () => {
  const made = ModelRegistry.open(join(place, `models-${registries.length}`));
  registries.push(made);
  return made;
};
const models = newModels();
afterAll(() => {
  for (const one of registries) one.close();
  runs.close();
  rmSync(place, { recursive: true, force: true });
});

const steps: string[] = [];
const settings = (change: Partial<TrainSettings> = {}): TrainSettings => ({
  costs,
  trials: 2,
  workers: 1,
  out: null,
  signal: new AbortController().signal,
  onTrial: () => {},
  onStep: (step) => void steps.push(step),
  runs,
  models,
  act: { at: 1, by: 'test@here' },
  ...change,
});

const origin = originOf(44, 'a');
let first: TrainedConfig;
let artefact: ModelArtefact;
let evidence: ModelEvidence;
beforeAll(async () => {
  first = (await trainOne(origin, settings({ out: join(place, 'out') })))!;
  artefact = models.artefact(first.model!);
  evidence = first.evidence!;
});

/** Stages a model as if it had been let through. */
const stage = (registry: ModelRegistry, model: string, to: 'paper' | 'live') =>
  registry.promote(
    { model, to, profile: 's1', promoted: true, criteria: [], exception: null },
    null,
    registry.head(),
    { at: 2, by: 'test@here' },
  );

describe('a training', () => {
  it('goes through windows, search, judgement, loop and final model', () => {
    expect(first.windows).toBe(20);
    expect(first.searched.trials).toHaveLength(2);
    expect(steps.slice(0, 3)).toEqual([
      'judging the winner',
      'checking on the loop',
      'training the final model',
    ]);
    expect(first.training!.judged.windows.flatMap(({ outcome }) => outcome.nets).length).toBeGreaterThan(100);
  });

  it('leaves a model that knows all of the bars, with scaler, calibration, data and stamp', () => {
    const { bars } = origin.market.data;
    expect(artefact.training).toMatchObject({
      to: bars.time[bars.length - 1]! + QUARTER,
      seed: 'a',
      dataHash: origin.market.dataHash,
      parameters: first.training!.winner.point,
    });
    // as long a stretch as each window had, less what has no label yet
    expect(artefact.training.rows).toBe(4 * 96 - 12);
    expect(artefact.scaler!.features).toEqual(artefact.features);
    expect(artefact.calibration).toHaveLength(3);
    expect(artefact.stamps).toEqual(['no sentiment gate', "windows are not the sheet's"]);
    expect(artefact.parent).toBeNull();
    expect(Object.values(artefact.metrics).every((value) => value === null || Number.isFinite(value))).toBe(
      true,
    );
  });

  it('leaves evidence that hangs together, and a verdict that refuses with reasons', () => {
    expect(evidence).toMatchObject({ model: first.model, dataHash: origin.market.dataHash, against: [] });
    expect(evidence.runs).toHaveLength(1);
    // what it came to is on record too: the same in a file is known again, other figures are not
    expect(runs.faultOf(evidence)).toBeNull();
    const better = { ...evidence, figures: { ...evidence.figures, winRate: { value: 0.9 } } };
    expect(runs.faultOf(better)).toBe('no training here came to its figures');
    expect(evidence.windows.map(({ score }) => score)).toEqual(
      countedWindows(first.training!.judged.windows).map(({ outcome }) => outcome.sharpe),
    );
    const verdicts = Object.fromEntries(
      evidence.verdict!.criteria.map(({ name, verdict }) => [name, verdict]),
    );
    expect(verdicts).toMatchObject({
      registered: 'met',
      'nothing switched off': 'not met',
      trades: 'met',
      'trades in each window': 'met',
      'two engines': 'met',
    });
    expect(evidence.verdict!.promoted).toBe(false);
    const { passport } = evidence as { passport: Record<string, unknown> };
    expect(passport).toMatchObject({ trials: { all: 2, complete: 2, pruned: 0, failed: 0 } });
    const factors = passport.costs as { factor: number; return: number }[];
    expect(factors.map(({ factor }) => factor)).toEqual([0.5, 1, 2, 3]);
    const returns = factors.map((one) => one.return);
    expect(returns).toEqual(returns.toSorted((a, b) => b - a));
    expect(returns[1]).toBeCloseTo(artefact.metrics.totalReturn!, 9);
  });

  it('trades no window that nothing was known to calibrate, and counts none', () => {
    const { judged, winner } = first.training!;
    const counted = countedWindows(judged.windows);
    // a label of 15-minute bars overlaps those around it: two days of them are worth less than a hundred of their own
    expect(judged.windows.slice(0, 2).map(({ calibration }) => calibration)).toEqual([null, null]);
    expect(counted.length).toBeGreaterThan(14);
    for (const { calibration, directions, outcome } of judged.windows) {
      if (calibration !== null) continue;
      expect(directions.every((direction) => direction === 0)).toBe(true);
      expect(outcome.nets).toEqual([]);
    }
    expect(evidence.windows.map(({ from }) => from)).toEqual(counted.map(({ window }) => window.from));
    expect(evidence.figures.trades!.value).toBe(counted.flatMap(({ outcome }) => outcome.nets).length);
    expect(winner.violation).toBe(0);
    const { windows } = evidence.passport as { windows: { calibrated: boolean }[] };
    expect(windows.filter(({ calibrated }) => calibrated)).toHaveLength(counted.length);
  });

  it('the search sees what is traded: calibrated, as the judgement does', () => {
    const { judged, winner } = first.training!;
    for (const { number, nets, sharpe, calibrated } of winner.windows) {
      const { outcome, calibration } = judged.windows[number]!;
      expect({ nets, sharpe, calibrated }).toEqual({
        nets: outcome.nets,
        sharpe: outcome.sharpe,
        calibrated: calibration !== null,
      });
    }
    const traded = winner.windows.filter(({ calibrated }) => calibrated);
    expect(winner.value).toBe(scoreTrial(traded).value);
  });

  it('DSR is that of the judged returns, held against the trials of the search', () => {
    const { training } = first;
    const { judged, searched } = training!;
    const told = selectionOf(training!)!;
    expect(evidence.figures.dsr!.value).toBe(told.dsr);
    // the same search, and a judgement that lost on every day
    const lost = {
      ...judged,
      windows: judged.windows.map((one) => ({
        ...one,
        outcome: { ...one.outcome, equity: one.outcome.equity.map((_, i) => 1e12 - 1e6 * i ** 1.1) },
      })),
    };
    const worse = selectionOf({ ...training!, judged: lost })!;
    expect(worse).toMatchObject({ effective: told.effective, luck: told.luck, pbo: told.pbo });
    expect(worse.dsr!).toBeLessThan(0.01);
    expect(told.dsr!).toBeGreaterThan(worse.dsr!);
    // and of trials that were stopped
    const stopped = searched.trials.map((one) => ({
      ...one,
      trial: one.trial + 9,
      state: 'pruned' as const,
    }));
    const more = { ...searched, trials: [...searched.trials, ...stopped] };
    expect(selectionOf({ ...training!, searched: more })!.effective).toBe(told.effective + 2);
  });

  it('both engines come to the same, within 5 % and here to the unit', () => {
    const { columnar, loop, difference, agree } = first.training!.engines;
    expect(TWO_ENGINES_MAX).toBe(0.05);
    expect(columnar.trades).toBeGreaterThan(100);
    expect(loop.trades).toBe(columnar.trades);
    expect(difference!).toBeLessThan(0.001);
    expect(agree).toBe(true);
  });

  it('an engine that tells another story is found', async () => {
    const { judged, point } = first.training!;
    const cheaper = { ...costs, feeBps: 0 };
    const some = countedWindows(judged.windows).slice(0, 2);
    const told = await checkOnLoop(origin, point, cheaper, some, async () => true);
    expect(told).toMatchObject({ agree: false });
    expect(told!.difference).toBeGreaterThan(TWO_ENGINES_MAX);
    expect(await checkOnLoop(origin, point, costs, some, async () => false)).toBeNull();
  });

  it('is there already when it is made again, from what was kept and without another trial', async () => {
    let fresh = 0;
    const again = await trainOne(
      origin,
      settings({
        out: join(place, 'out'),
        onTrial: (done, there) => {
          if (done > there) fresh += 1;
        },
      }),
    );
    expect(again).toMatchObject({ model: first.model, isNew: false });
    expect(fresh).toBe(0);
    expect(models.entries()).toHaveLength(1);
    expect(models.evidenceOf(first.model!)).toHaveLength(1);
  });

  it('is not made of too few days, and says so', async () => {
    const short = await trainOne(originOf(5.9, 'a'), settings({ out: join(place, 'short') }));
    expect(short).toMatchObject({ model: null, windows: 0 });
    expect(short!.reason).toContain('5.9 days of bars hold no window of 4 days to learn from');
    expect(readdirSync(place)).not.toContain('short');
  });

  it('is stopped, and gives nothing', async () => {
    const stopped = new AbortController();
    stopped.abort();
    expect(await trainOne(origin, settings({ signal: stopped.signal }))).toBeNull();
  });
});

it.each<[string, Partial<typeof costs>, string[]]>([
  ["the sheet's", {}, []],
  ['dearer', { feeBps: 5, slippageBps: 2, cash: 1e6 }, []],
  ['without a fee', { feeBps: 0 }, ['fee below 3.8 bp']],
  ['without slippage', { slippageBps: 0.5 }, ['slippage below 1 bp']],
  ['with orders too small to be felt', { cash: 100 }, ['cash below 10000']],
])('costs are stamped where they are kinder than the sheet: %s', (_, change, stamps) => {
  const told = (lengths: { trainDays: number | null; testHours: number }) => {
    const [one] = chosenConfigs(['BTC_15M'], lengths);
    return trainingStamps({ train: one!, market: origin.market }, { ...costs, ...change }, []);
  };
  expect(told({ trainDays: null, testHours: 48 })).toEqual([NO_NEWS, ...stamps]);
  expect(told({ trainDays: 30, testHours: 48 })).toEqual([NO_NEWS, ...stamps]);
  expect(told({ trainDays: 29, testHours: 48 })).toContain("windows are not the sheet's");
  expect(told({ trainDays: 30, testHours: 24 })).toContain("windows are not the sheet's");
});

it('trials are on record once, however often they are told', () => {
  const { searched } = first;
  const { windows } = first.training!.judged;
  const all = windows.map(({ window }) => window);
  const tell = () => registerTrials(runs, origin, costs, all, 'search', searched.trials);
  const hashes = tell();
  const before = runs.head();
  expect(hashes).toHaveLength(2);
  expect(tell()).toEqual(hashes);
  expect(runs.head()).toEqual(before);
  expect(evidence.runs[0]).toBe(hashes[searched.trials.indexOf(first.training!.winner)]);
});

describe('a leak', () => {
  const study = () => first.training!.study;
  /** The parts of the training from which models came, fresh. */
  const parts = () => {
    const { judged, point } = first.training!;
    const windows = judged.windows.map(({ window }) => window).slice(0, 7);
    const results = playTrial(
      { study: study(), windows },
      { point, medians: null, until: null, detail: true },
    ).detail!;
    return { windows, results, judged: judgeWinner(study(), windows, results, point)!, point };
  };

  it('is found wherever it is planted', () => {
    const { windows, results, judged, point } = parts();
    // the window that the leaks are planted in is calibrated and traded
    const k = 5;
    expect(judged.windows[k]!.calibration).not.toBeNull();
    const audit =
      (own = results, told = judged) =>
      () =>
        auditLeaks(study(), windows, own, told, point);
    expect(audit()).not.toThrow();
    const edge = windows[k]!.test.from;
    const learning = (row: number) =>
      results.map((one, n) =>
        n !== k
          ? one
          : {
              ...one,
              fitted: { ...one.fitted!, learnedFrom: Int32Array.from([...one.fitted!.learnedFrom, row]) },
            },
      );
    expect(audit(learning(edge + 5))).toThrow('window 5: the scaler learned from rows of the test');
    expect(audit(learning(edge - 1))).toThrow('learned from labels that reach into the test');
    // known before the test, but less than an embargo before
    const last = results[k]!.fitted!.learnedFrom.at(-1)!;
    const near = Array.from({ length: edge - last - 1 }, (_, i) => last + 1 + i);
    for (const row of near) expect(audit(learning(row))).toThrow('window 5');
    const taught = (number: number, rows: readonly number[]) => ({
      ...judged,
      windows: judged.windows.map((one, n) =>
        n !== k ? one : { ...one, calibration: { ...one.calibration!, taughtBy: [{ number, rows }] } },
      ),
    });
    expect(audit(results, taught(1, [edge + 1]))).toThrow('calibration learned from rows of the test');
    expect(audit(results, taught(1, [edge - 2]))).toThrow('calibration learned from labels that reach into');
    const knew = results[1]!.fitted!.learnedFrom[10]!;
    expect(audit(results, taught(1, [knew]))).toThrow('predictions of rows that their predictor knew');
  });

  it('no window is traded with what later ones taught', () => {
    const { windows, judged, point } = parts();
    const early = windows.slice(0, 5);
    const alone = playTrial(
      { study: study(), windows: early },
      { point, medians: null, until: null, detail: true },
    ).detail!;
    expect(alone.map(({ directions }) => directions)).toEqual(
      judged.windows.slice(0, 5).map(({ directions }) => directions),
    );
    expect(alone.some(({ directions }) => directions.some((direction) => direction !== 0))).toBe(true);
    for (const { window, calibration } of judged.windows)
      for (const { rows } of calibration?.taughtBy ?? [])
        expect(Math.max(...Array.from(rows))).toBeLessThan(window.test.from - study().embargoBars);
  });
});

describe('a weekly training', () => {
  const unstamped = (change: Partial<ModelArtefact> = {}): ModelArtefact => ({
    ...artefact,
    stamps: [],
    ...change,
  });
  const good = {
    dsr: { value: 0.99 },
    pbo: { value: 0.01 },
    winRate: { value: 0.9 },
    profitFactor: { value: 3 },
  };
  const speaks = (of: ModelArtefact, change: Partial<ModelEvidence> = {}): ModelEvidence => ({
    ...evidence,
    model: modelIdOf(of),
    stamps: [],
    figures: { ...evidence.figures, ...good },
    verdict: { promoted: true, profile: 's1', criteria: [] },
    ...change,
  });
  const promote = (registry: ModelRegistry, id: string) =>
    promoteModel(registry, {
      model: registry.entry(id)!,
      to: 'paper',
      profile: PROFILES.s1!,
      // days too few for a PBO over all trials on record
      exception: { name: 'Ada', reason: 'a test of the contest' },
      paper: null,
      runs,
    });

  it.each<[string, number, string]>([
    ['better', 0.1, 'met'],
    ['equal', 0, 'not met'],
    ['worse', -0.1, 'not met'],
  ])('puts a model on paper only if it beats the old one on the last 10 windows: %s', (_, more, verdict) => {
    const registry = newModels();
    const act = { at: 1, by: 'test@here' };
    const old = unstamped();
    registry.register(old, [speaks(old)], 'train', act);
    stage(registry, modelIdOf(old), 'paper');
    const next = unstamped({ parent: modelIdOf(old) });
    const against = [{ model: modelIdOf(old), windows: evidence.windows }];
    const windows = evidence.windows.map((one) => ({ ...one, score: (one.score ?? 0) + more }));
    const { id } = registry.register(next, [speaks(next, { against, windows })], 'train', act);
    const outcome = promote(registry, id);
    const criterion = outcome.criteria.find(({ name }) => name === 'beats the one before it')!;
    expect(criterion.verdict).toBe(verdict);
    expect(outcome.promoted).toBe(verdict === 'met');
    expect(registry.holder(old.name, 'paper')).toBe(verdict === 'met' ? id : modelIdOf(old));
    const others = outcome.criteria.filter((one) => one !== criterion);
    expect(others.filter(({ verdict: is }) => is !== 'met').map(({ name }) => name)).toEqual(['pbo']);
  });

  it('holds the new model against the one on paper, and stays with the same one when nothing is new', async () => {
    const registry = newModels();
    registry.register(artefact, [evidence], 'train', { at: 1, by: 'test@here' });
    stage(registry, first.model!, 'paper');
    const same = await trainOne(origin, settings({ models: registry, out: join(place, 'out') }));
    expect(same!.model).toBe(first.model);
    const longer = originOf(46, 'b');
    const next = (await trainOne(longer, settings({ models: registry, trials: 1 })))!;
    expect(registry.artefact(next.model!).parent).toBe(first.model);
    const [older] = next.evidence!.against;
    expect(older!.model).toBe(first.model);
    // its own tests, and the two days that came after it
    expect(older!.windows).toHaveLength(evidence.windows.length + 1);
    expect(older!.windows.slice(0, -1)).toEqual(evidence.windows);
    // the search of the new one saw all but the newest ten
    const { winner, searchedWindows } = next.training!;
    expect(searchedWindows).toBe(11);
    expect(winner.windows).toHaveLength(11);
    expect(next.evidence!.windows.filter(({ chosenOn }) => chosenOn === false)).toHaveLength(10);
    const contest = contestOf(next.evidence!.windows, older!.windows);
    expect(contest.windows).toBe(10);
    expect(contest.chosenOn).toBeGreaterThan(0);
    const outcome = promote(registry, next.model!);
    const verdict = outcome.criteria.find(({ name }) => name === 'beats the one before it')!.verdict;
    expect(verdict).toBe(contest.isBetter ? 'met' : 'not met');
    expect(outcome.promoted).toBe(false);
    expect(registry.holder(artefact.name, 'paper')).toBe(first.model);
  });

  it('compares scores only where both paid alike, and none of what the old one learned from', () => {
    const { study, judged } = first.training!;
    const windows = judged.windows.map(({ window }) => window);
    const own = olderOver(study, windows, artefact, [evidence]).windows;
    expect(own).toHaveLength(countedWindows(judged.windows).length);
    const dearer = { ...study, costs: { ...study.costs, feeRate: 0.001 } };
    expect(olderOver(dearer, windows, artefact, [evidence]).windows).toEqual([]);
    const earlier = { ...artefact, training: { ...artefact.training, to: windows[18]!.from } };
    const replayed = olderOver(dearer, windows, earlier, []);
    expect(replayed.windows.map(({ from }) => from)).toEqual([windows[18]!.from, windows[19]!.from]);
  });

  it("plays an older model as the desk would: the sheet's lengths where it names none, and its own stricter threshold", () => {
    const { study, judged } = first.training!;
    const windows = judged.windows.map(({ window }) => window);
    const known = { ...artefact.training, to: windows[16]!.from };
    const scoresOf = (change: Partial<ModelArtefact>) =>
      olderOver(study, windows, { ...artefact, ...change }, []).windows.map(({ score }) => score);
    const usual = { rsi: 14, atr: 14, momentum: 20 };
    const silent = scoresOf({ training: { ...known, parameters: {} } });
    expect(silent).toHaveLength(4);
    expect(silent.some((score) => score !== null)).toBe(true);
    expect(silent).toEqual(scoresOf({ training: { ...known, parameters: usual } }));
    const strict = { training: known, threshold: { probabilityMin: 1, leadMin: 0.1 } };
    expect(scoresOf(strict)).toEqual([null, null, null, null]);
    const lax = { training: known, threshold: { probabilityMin: 0.1, leadMin: 0 } };
    expect(scoresOf(lax)).toEqual(scoresOf({ training: known }));
  });
});
