import { join } from 'node:path';
import type { ModelRegistry, RunRegistry } from '#adapters';
import { canonicalJson, InputError, sha256 } from '#base';
import { type Criterion, type FigureName, PROFILES, type TrainersVerdict } from '#research';
import { type ModelPromotionOutcome, promoteModel } from '../models/promote-model.ts';
import { S1_RESULTS_FILE, type S1ConfigResult, writeS1Results } from '../models/s1-results.ts';
import { trainerHash } from '../setup/code-hash.ts';
import { readTape } from '../setup/run-backtest.ts';
import { metricsOf } from './evidence-of.ts';
import { readNewsRecord } from './news-record.ts';
import { chosenConfigs, type TrainConfig } from './train-config.ts';
import type { TrainCosts } from './train-costs.ts';
import { TrainMarkets } from './train-data.ts';
import { type TrainedConfig, trainOne } from './train-one.ts';
import type { TrialPlayerMaker } from './trial-player.ts';

export interface TrainRequest {
  readonly configs: readonly string[];
  readonly data: Parameters<typeof readTape>[0];
  /** Journals, or folders of portfolios, that heard news; empty: there is no gate of news. */
  readonly news: readonly string[];
  /** Whether news that ran beside made-up prices are wanted; every model that heard them is stamped. */
  readonly madeUpNews: boolean;
  readonly seed: string;
  readonly trials: number;
  readonly trainDays: number | null;
  readonly testHours: number;
  readonly costs: TrainCosts;
  readonly workers: number;
  readonly out: string;
  /** Whether a model that is let through goes on paper at once. */
  readonly promote: boolean;
}

export interface TrainHooks {
  readonly runs: RunRegistry | null;
  readonly models: ModelRegistry;
  readonly act: { readonly at: number; readonly by: string };
  readonly signal: AbortSignal;
  /** Who plays the trials of the searches; threads of this machine when left out. */
  readonly player?: TrialPlayerMaker;
  readonly onConfig: (config: string, place: number, all: number, notes: readonly string[]) => void;
  readonly onProgress: (done: number, total: number) => void;
  readonly onStep: (step: string) => void;
  readonly onResult: (result: ConfigOutcome) => void;
}

/** What became of one configuration: the file's line, and what was promoted. */
export interface ConfigOutcome {
  readonly result: S1ConfigResult;
  readonly trained: TrainedConfig | null;
  readonly promotion: ModelPromotionOutcome | null;
}

export interface TrainOutcome {
  readonly configs: readonly ConfigOutcome[];
  /** Where the artefact lies; null when it was stopped before its end. */
  readonly file: string | null;
  readonly finished: boolean;
}

/** Trains S1: every configuration in turn, then the file that says what became of each. */
export async function runTrain(request: TrainRequest, hooks: TrainHooks): Promise<TrainOutcome> {
  const chosen = chosenConfigs(request.configs, request);
  const tape = await readTape(request.data);
  const { news, madeUpNews } = request;
  const markets = new TrainMarkets(tape, news.length === 0 ? null : readNewsRecord(news, madeUpNews));
  const lacks = chosen.map(({ config }) => `${config.id}: ${markets.missing(config) ?? ''}`);
  if (chosen.every(({ config }) => markets.missing(config) !== null)) {
    throw new InputError(
      `nothing could be trained: ${lacks.join('; ')}`,
      'name files of BTC, and for the others of BTC, ETH, SOL and XRP, with --bars',
    );
  }
  const outcomes: ConfigOutcome[] = [];
  const hashes: string[] = [];
  const total = chosen.length * request.trials;
  for (const [k, train] of chosen.entries()) {
    if (hooks.signal.aborted) return { configs: outcomes, file: null, finished: false };
    const before = k * request.trials;
    const missing = markets.missing(train.config);
    const outcome =
      missing !== null
        ? untrained(train, missing)
        : await trainedConfig(
            train,
            markets,
            request,
            hooks,
            (done) => hooks.onProgress(before + done, total),
            k,
            chosen.length,
            hashes,
          );
    if (outcome === null) return { configs: outcomes, file: null, finished: false };
    outcomes.push(outcome);
    hooks.onResult(outcome);
    hooks.onProgress(before + request.trials, total);
  }
  const tooShort = outcomes.find(
    ({ result: { windows, verdict } }) => windows === 0 && verdict.reason !== null,
  );
  if (tooShort !== undefined && outcomes.every(({ result: { windows } }) => windows === 0))
    throw new InputError(
      `nothing could be trained: ${tooShort.result.config}: ${tooShort.result.verdict.reason}`,
      'give longer series, or shorter windows',
    );
  const file = join(request.out, S1_RESULTS_FILE);
  writeS1Results(file, {
    seed: request.seed,
    dataHash: sha256(canonicalJson(hashes)),
    codeHash: trainerHash(),
    configs: outcomes.map(({ result }) => result),
  });
  return { configs: outcomes, file, finished: true };
}

async function trainedConfig(
  train: TrainConfig,
  markets: TrainMarkets,
  request: TrainRequest,
  hooks: TrainHooks,
  onDone: (done: number) => void,
  place: number,
  all: number,
  hashes: string[],
): Promise<ConfigOutcome | null> {
  const market = markets.market(train.config);
  hashes.push(market.dataHash);
  hooks.onConfig(train.config.id, place + 1, all, market.notes);
  const trained = await trainOne(
    { train, market, seed: request.seed },
    {
      ...hooks,
      costs: request.costs,
      trials: request.trials,
      workers: request.workers,
      out: join(request.out, train.config.id),
      onTrial: onDone,
    },
  );
  if (trained === null) return null;
  if (trained.model === null) return { ...untrained(train, trained.reason!, trained.windows), trained };
  const entry = hooks.models.entry(trained.model)!;
  const promotion =
    request.promote && entry.stage === 'candidate'
      ? promoteModel(hooks.models, {
          model: entry,
          to: 'paper',
          profile: PROFILES.s1!,
          exception: null,
          paper: null,
          runs: hooks.runs,
        })
      : null;
  const { evidence, training } = trained;
  const { promoted, criteria } = evidence!.verdict!;
  return {
    trained,
    promotion,
    result: {
      config: train.config.id,
      model: trained.model,
      stage: hooks.models.entry(trained.model)!.stage,
      verdict: {
        promoted,
        criteria: criteria.map((one) => asCriterion(one, evidence!.figures[one.name as FigureName]?.note)),
        reason: null,
      },
      metrics: metricsOf(training!),
      windows: trained.windows,
      stamps: evidence!.stamps,
    },
  };
}

const asCriterion = (one: TrainersVerdict['criteria'][number], note: string | undefined): Criterion => ({
  ...one,
  relation: null,
  note: note ?? null,
  source: 's1',
});

function untrained({ config }: TrainConfig, reason: string, windows = 0): ConfigOutcome {
  return {
    trained: null,
    promotion: null,
    result: {
      config: config.id,
      model: null,
      stage: null,
      verdict: { promoted: false, criteria: [], reason },
      metrics: {},
      windows,
      stamps: [],
    },
  };
}
