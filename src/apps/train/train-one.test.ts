import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barSeries, ModelRegistry, RunRegistry, Tape } from '#adapters';
import type { InstrumentId } from '#market';
import { contestOf, type ModelEvidence, PROFILES } from '#research';
import { type ModelArtefact, modelIdOf } from '#signals';
import { QUARTER, trendingBars } from '../../../test/support/trending-market.ts';
import { promoteModel } from '../models/promote-model.ts';
import type { Origin } from './artefact-of.ts';
import { checkOnLoop, TWO_ENGINES_MAX } from './loop-check.ts';
import { olderOver } from './older-model.ts';
import { registerTrials } from './register-trials.ts';
import { chosenConfigs } from './train-config.ts';
import { TrainMarkets } from './train-data.ts';
import { auditLeaks, type TrainedConfig, type TrainSettings, trainOne } from './train-one.ts';
import { playTrial } from './trial-player.ts';
import { judgeWinner } from './winner.ts';

const BTC = 'BTCUSDT.BINANCE-USDM' as InstrumentId;
const place = mkdtempSync(join(tmpdir(), 'quorum-train-'));
const costs = { cash: 10_000, feeBps: 3.8, slippageBps: 1 };
const [train] = chosenConfigs(['BTC_15M'], { trainDays: 4, testHours: 24 });

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

const origin = originOf(16, 'a');
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
    expect(first.windows).toBe(12);
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
    expect(artefact.stamps).toEqual(['no sentiment gate']);
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
      first.training!.judged.windows.map(({ outcome }) => outcome.sharpe),
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
    const some = judged.windows.slice(0, 2);
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
    const short = await trainOne(originOf(4.9, 'a'), settings({ out: join(place, 'short') }));
    expect(short).toMatchObject({ model: null, windows: 0 });
    expect(short!.reason).toContain('4.9 days of bars hold no window of 4 days to learn from');
    expect(readdirSync(place)).not.toContain('short');
  });

  it('is stopped, and gives nothing', async () => {
    const stopped = new AbortController();
    stopped.abort();
    expect(await trainOne(origin, settings({ signal: stopped.signal }))).toBeNull();
  });
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
    const windows = judged.windows.map(({ window }) => window).slice(0, 4);
    const results = playTrial({ study: study(), windows }, { point, medians: null, detail: true }).detail!;
    return { windows, results, judged: judgeWinner(study(), windows, results, point)!, point };
  };

  it('is found wherever it is planted', () => {
    const { windows, results, judged, point } = parts();
    const audit =
      (own = results, told = judged) =>
      () =>
        auditLeaks(study(), windows, own, told, point);
    expect(audit()).not.toThrow();
    const edge = windows[2]!.test.from;
    const learning = (row: number) =>
      results.map((one, k) =>
        k !== 2
          ? one
          : {
              ...one,
              fitted: { ...one.fitted!, learnedFrom: Int32Array.from([...one.fitted!.learnedFrom, row]) },
            },
      );
    expect(audit(learning(edge + 5))).toThrow('window 2: the scaler learned from rows of the test');
    expect(audit(learning(edge - 1))).toThrow('learned from labels that reach into the test');
    // known before the test, but less than an embargo before
    const last = results[2]!.fitted!.learnedFrom.at(-1)!;
    const near = Array.from({ length: edge - last - 1 }, (_, i) => last + 1 + i);
    for (const row of near) expect(audit(learning(row))).toThrow('window 2');
    const taught = (number: number, rows: readonly number[]) => ({
      ...judged,
      windows: judged.windows.map((one, k) => (k === 2 ? { ...one, taughtBy: [{ number, rows }] } : one)),
    });
    expect(audit(results, taught(1, [edge + 1]))).toThrow('calibration learned from rows of the test');
    expect(audit(results, taught(1, [edge - 2]))).toThrow('calibration learned from labels that reach into');
    const knew = results[1]!.fitted!.learnedFrom[10]!;
    expect(audit(results, taught(1, [knew]))).toThrow('predictions of rows that their predictor knew');
  });

  it('no window is traded with what later ones taught', () => {
    const { windows, results, point } = parts();
    const whole = judgeWinner(study(), windows, results, point)!;
    const early = judgeWinner(study(), windows.slice(0, 2), results.slice(0, 2), point)!;
    expect(early.windows.map(({ directions }) => directions)).toEqual(
      whole.windows.slice(0, 2).map(({ directions }) => directions),
    );
    expect(whole.windows[0]!.calibration).toBeNull();
    for (const { window, taughtBy } of whole.windows)
      for (const { rows } of taughtBy)
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
    const longer = originOf(17, 'b');
    const next = (await trainOne(longer, settings({ models: registry, trials: 1 })))!;
    expect(registry.artefact(next.model!).parent).toBe(first.model);
    const [older] = next.evidence!.against;
    expect(older!.model).toBe(first.model);
    // its own twelve tests, and the day that came after it
    expect(older!.windows).toHaveLength(13);
    expect(older!.windows.slice(0, 12)).toEqual(evidence.windows);
    const contest = contestOf(next.evidence!.windows, older!.windows);
    expect(contest.windows).toBe(10);
    const outcome = promote(registry, next.model!);
    const verdict = outcome.criteria.find(({ name }) => name === 'beats the one before it')!.verdict;
    expect(verdict).toBe(contest.isBetter ? 'met' : 'not met');
    expect(outcome.promoted).toBe(false);
    expect(registry.holder(artefact.name, 'paper')).toBe(first.model);
  });

  it('compares scores only where both paid alike, and none of what the old one learned from', () => {
    const { study, judged } = first.training!;
    const windows = judged.windows.map(({ window }) => window);
    expect(olderOver(study, windows, artefact, [evidence]).windows).toHaveLength(12);
    const dearer = { ...study, costs: { ...study.costs, feeRate: 0.001 } };
    expect(olderOver(dearer, windows, artefact, [evidence]).windows).toEqual([]);
    const earlier = { ...artefact, training: { ...artefact.training, to: windows[10]!.from } };
    const replayed = olderOver(dearer, windows, earlier, []);
    expect(replayed.windows.map(({ from }) => from)).toEqual([windows[10]!.from, windows[11]!.from]);
  });
});
