import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { InputError } from '#base';
import type { ModelPromotionOutcome } from '../../models/promote-model.ts';
import type { ConfigOutcome, TrainOutcome } from '../../train/run-train.ts';
import { collect, instantArgument, numberArgument, wholeArgument } from '../arguments.ts';
import { criteriaLines } from '../criteria-text.ts';
import { percent } from '../figures-text.ts';
import {
  type OpenQueue,
  openQueue,
  type QueueOptions,
  refuseThreads,
  withQueueOption,
} from '../queue-option.ts';
import { type RecordingOptions, recordingOf } from '../recording-options.ts';
import { type RegistryOptions, withRegistryOptions } from '../registry-options.ts';
import { EXIT, ExitError, paint, Terminal, table } from '../terminal.ts';

interface Options
  extends Pick<RecordingOptions, 'bars' | 'funding' | 'store' | 'from' | 'to'>,
    RegistryOptions,
    QueueOptions {
  config: string[];
  news?: string[];
  madeUpNews: boolean;
  trials: number;
  seed: string;
  trainDays?: number;
  testHours: number;
  cash: number;
  feeBps: number;
  slippageBps: number;
  workers: number;
  out: string;
  models?: string;
  promote: boolean;
  schedule?: string;
  json: boolean;
}

const EXAMPLES = `
What happens, configuration by configuration: features and triple-barrier labels, walk-forward windows by the clock (purged and
embargoed by the vertical barrier), each traded with the calibration that those before it taught, a TPE search over all but the
newest ten of them on the columnar engine, the winner judged over all, the same windows once more with the desk itself on the loop, the model trained on the newest bars, its calibration from
predictions out of sample, and the verdict. The model goes into the registry whatever the verdict; only one that is let
through goes on, with --promote or quorum models promote. A refusal is a result: exit code 0, or 4 where --promote had asked
for more.

A model is stamped, and refused, where it was trained without news or with news that do not reach over all judged windows (none, or
older than six hours, at a single bar), with news of a journal that ran beside anything but live prices, with fee, slippage or cash below the defaults, or with other windows than the sheet's.

The same data, seed and version give the same models, byte for byte, with any number of workers and after any interruption:
Ctrl-C keeps the trials that are done, and the same command goes on. With --queue the trials of the search are played elsewhere;
the winner is played and judged, and the final model trained, here.

Examples:
  $ quorum train s1 --bars BTCUSDT-5m.csv ETHUSDT-5m.csv SOLUSDT-5m.csv XRPUSDT-5m.csv --config BTC_15M
  $ quorum train s1 --bars BTCUSDT.BINANCE-USDM@1m --config BTC_1M --config BTC_3M --trials 40
  $ quorum train s1 --bars BTCUSDT-1m.csv ETHUSDT-1m.csv SOLUSDT-1m.csv XRPUSDT-1m.csv --promote --schedule "0 3 * * 0"
`;

export function trainCommand(): Command {
  const command = new Command('train')
    .description('Train the models of a desk: search, walk-forward, calibration, verdict, registry.')
    .argument('<desk>', 'the desk whose models are trained: s1')
    .option(
      '--config <id>',
      'one of the sixteen, as BTC_15M; repeat for more; all when left out',
      collect,
      [],
    )
    .option(
      '--bars <[INSTRUMENT=]FILE...>',
      'bars: CSV, gzip CSV, Parquet, or a series of the store (BTCUSDT.BINANCE-USDM@1m)',
    )
    .option('--funding <[INSTRUMENT=]FILE...>', 'funding rates: time,rate or symbol,time,funding_rate')
    .option(
      '--news <DIR...>',
      'news as they were published: folders of portfolios that ran with "news", or their journals',
    )
    .option(
      '--made-up-news',
      'take news that ran beside made-up prices as well; the models are stamped',
      false,
    )
    .option('--store <dir>', 'history store that holds the series named; history when left out')
    .option('--from <time>', 'first bar', instantArgument)
    .option('--to <time>', 'bars before this time', instantArgument)
    .option('--trials <n>', 'points that are tried per configuration', wholeArgument(1, 10_000), 20)
    .option(
      '--train-days <n>',
      "days of a window to learn from; the sheet's when left out",
      wholeArgument(1, 3_650),
    )
    .option(
      '--test-hours <n>',
      'hours of a window to be tested on, whole days',
      wholeArgument(24, 24 * 365),
      48,
    )
    .option('--cash <amount>', 'opening cash of every window', numberArgument(), 10_000)
    .option('--fee-bps <bps>', 'fee of every fill', numberArgument(), 3.8)
    .option('--slippage-bps <bps>', 'slippage of every taker fill', numberArgument(), 1)
    .option('--seed <text>', 'seed of everything random', '1')
    .option(
      '--workers <n>',
      'threads; the results are the same',
      wholeArgument(1, 256),
      Math.min(2, availableParallelism()),
    )
    .option(
      '--out <dir>',
      'searches and the artefact; the same command goes on with what is there',
      'runs/train-s1',
    )
    .option('--models <dir>', 'registry of models; $QUORUM_MODELS or .quorum/models when left out')
    .option('--promote', 'let a model that passes every criterion go on paper at once', false)
    .option(
      '--schedule <cron>',
      'stay, and train again at these times (UTC): "0 3 * * 0" is Sundays at 03:00',
    )
    .option('--json', 'one JSON object on stdout', false);
  return withQueueOption(withRegistryOptions(command)).addHelpText('after', EXAMPLES).action(run);
}

async function run(desk: string, options: Options, command: Command): Promise<void> {
  refuseThreads(options, command);
  if (!['s1', 's1-momentum'].includes(desk))
    throw new ExitError(EXIT.usage, `nothing is trained for "${desk}"`, 'write quorum train s1');
  if (options.testHours % 24 !== 0)
    throw new ExitError(EXIT.usage, '--test-hours is no whole number of days', 'write 24, 48 or 72');
  if ((options.bars ?? []).length === 0)
    throw new ExitError(EXIT.usage, 'there are no bars to learn from', 'name files with --bars');
  // a schedule that cannot be is said before hours of training
  if (options.schedule !== undefined) {
    const { nextRun } = await import('../../train/schedule.ts');
    nextRun(options.schedule, Date.now());
  }
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    await trainOnce(options, interrupt.signal);
    if (options.schedule !== undefined && !interrupt.signal.aborted)
      await trainOnSchedule(options, options.schedule, interrupt.signal);
  } finally {
    process.removeListener('SIGINT', stop);
    process.removeListener('SIGTERM', stop);
  }
}

/** Trains again and again, each time in a directory of its own day: the data have grown. */
async function trainOnSchedule(options: Options, schedule: string, signal: AbortSignal): Promise<void> {
  const { nextRun } = await import('../../train/schedule.ts');
  const { UnreachableError } = await import('#adapters');
  const isOfOne = (error: unknown) =>
    error instanceof InputError || error instanceof ExitError || error instanceof UnreachableError;
  const terminal = new Terminal(options.json);
  for (;;) {
    const next = nextRun(schedule, Date.now());
    terminal.note(`next training at ${new Date(next).toISOString()}`);
    if (!(await sleptUntil(next, signal))) return;
    const out = `${options.out}/${new Date(next).toISOString().slice(0, 10)}`;
    try {
      await trainOnce({ ...options, out }, signal);
    } catch (error) {
      // one training that could not be is no reason to leave out those to come
      if (!isOfOne(error)) throw error;
      terminal.warn(error.mend === null ? error.message : `${error.message}; ${error.mend}`);
    }
    if (signal.aborted) return;
  }
}

/** Timers are shorter than weeks: in pieces. False when it was interrupted. */
async function sleptUntil(at: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted && Date.now() < at) {
    await new Promise<void>((done) => {
      const timer = setTimeout(finish, Math.min(at - Date.now(), 3_600_000));
      signal.addEventListener('abort', finish, { once: true });
      function finish() {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        done();
      }
    });
  }
  return !signal.aborted;
}

async function trainOnce(options: Options, signal: AbortSignal): Promise<void> {
  const terminal = new Terminal(options.json);
  const { runTrain } = await import('../../train/run-train.ts');
  const { openRegistry } = await import('../../setup/registry/open-registry.ts');
  const { actNow, modelsFolder } = await import('../../models/models-folder.ts');
  const { ModelRegistry } = await import('#adapters');
  const { bars, funding, tapes, store, from, to } = recordingOf({ ...options, seed: options.seed });
  const { trialsOnQueue } = await import('../../train/trials-on-queue.ts');
  const runs = openRegistry(options);
  const models = ModelRegistry.open(modelsFolder(options));
  const bar = terminal.progress('train');
  let queue: OpenQueue | null = null;
  try {
    queue = await openQueue(terminal, options);
    const outcome = await runTrain(
      {
        configs: options.config,
        data: { bars, funding, tapes, store, from, to },
        news: options.news ?? [],
        madeUpNews: options.madeUpNews,
        seed: options.seed,
        trials: options.trials,
        trainDays: options.trainDays ?? null,
        testHours: options.testHours,
        costs: { cash: options.cash, feeBps: options.feeBps, slippageBps: options.slippageBps },
        workers: options.workers,
        out: options.out,
        promote: options.promote,
      },
      {
        runs,
        models,
        act: actNow(),
        signal,
        onConfig: (config, place, all, notes) => {
          terminal.note(`${config} (${place} of ${all})`);
          for (const note of notes) terminal.note(`  ${note}`);
        },
        onProgress: bar.update,
        onStep: (step) => terminal.note(`  ${step}`),
        onResult: (outcome) => sayResult(terminal, outcome),
        ...(queue === null ? {} : { player: trialsOnQueue(queue.link, queue.onNote) }),
      },
    );
    bar.stop();
    report(terminal, outcome, options);
  } finally {
    bar.stop();
    queue?.close();
    runs?.close();
    models.close();
  }
}

function sayResult(terminal: Terminal, { result }: ConfigOutcome): void {
  const { config, verdict, model } = result;
  if (model === null) terminal.note(`  ${config}: no model: ${verdict.reason}`);
}

function report(terminal: Terminal, outcome: TrainOutcome, options: Options): void {
  terminal.result({
    finished: outcome.finished,
    file: outcome.file,
    configs: outcome.configs.map(({ result, trained, promotion }) => ({
      ...result,
      trials: trained?.searched.trials.length ?? 0,
      passport: trained?.evidence?.passport ?? null,
      promotion: promotion === null ? null : { promoted: promotion.promoted, criteria: promotion.criteria },
    })),
  });
  const rows = outcome.configs.map(({ result }) => {
    const { config, model, verdict, metrics, windows } = result;
    return [
      config,
      model?.slice(0, 12) ?? '-',
      String(windows),
      String(metrics.trades ?? '-'),
      profitFactorOf(result),
      share(metrics.winRate),
      share(metrics.maxDrawdown),
      metrics.aucUp?.toFixed(3) ?? '-',
      verdict.promoted ? paint('32', 'passed') : paint('33', 'refused'),
    ];
  });
  const head = [
    'configuration',
    'model',
    'windows',
    'trades',
    'PF',
    'win rate',
    'max drawdown',
    'AUC up',
    'verdict',
  ];
  for (const line of table([head, ...rows], [2, 3, 4, 5, 6, 7])) terminal.say(line);
  for (const { result } of outcome.configs) {
    const { config, verdict } = result;
    if (verdict.promoted) continue;
    const failed = verdict.criteria.filter((one) => one.verdict === 'not met' || one.verdict === 'unknown');
    const why =
      verdict.reason ??
      failed.map(({ name, verdict: is }) => (is === 'unknown' ? `${name} unknown` : name)).join(', ');
    terminal.say(`  ${config} refused: ${why}`);
  }
  for (const { promotion } of outcome.configs) if (promotion !== null) sayPromotion(terminal, promotion);
  if (!outcome.finished) {
    terminal.note(
      `interrupted: the trials that are done are kept in ${options.out}; the same command goes on`,
    );
    process.exitCode = EXIT.interrupted;
    return;
  }
  terminal.say(`written to ${outcome.file}; models in the registry: quorum models list`);
  if (outcome.configs.some(({ promotion }) => promotion?.promoted === false)) process.exitCode = EXIT.refused;
}

/** What was asked for with --promote, and what became of it. */
function sayPromotion(terminal: Terminal, { name, id, to, promoted, criteria }: ModelPromotionOutcome): void {
  terminal.say();
  terminal.say(`${name} ${id.slice(0, 12)} ${promoted ? 'is on' : 'was not let go on'} ${to}`);
  for (const line of criteriaLines(criteria)) terminal.say(line);
}

const share = (value: number | null | undefined): string =>
  value === undefined || value === null ? '-' : percent(value);

/** Gains without a loss have no number, and are told from no trade at all. */
export function profitFactorOf({ metrics, verdict }: ConfigOutcome['result']): string {
  const { profitFactor } = metrics;
  if (profitFactor !== undefined && profitFactor !== null) return profitFactor.toFixed(2);
  const isInfinite = verdict.criteria.some(
    ({ name, verdict: is }) => name === 'profitFactor' && is === 'met',
  );
  return isInfinite ? 'infinite' : '-';
}
