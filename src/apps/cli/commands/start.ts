import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { InputError } from '#base';
import type { ConsoleCompanion as Companion } from '../../runner/console-companion.ts';
import type { IngestCompanion } from '../../runner/ingest-companion.ts';
import type { ObservationPublisher } from '../../runner/observation-publisher.ts';
import type { PortfolioRequest } from '../../runner/portfolio-setup.ts';
import type { Voice } from '../../runner/run-paper.ts';
import { numberArgument, wholeArgument } from '../arguments.ts';
import { EXIT, ExitError, paint, Terminal } from '../terminal.ts';

interface Options {
  demo: boolean;
  sample: boolean;
  portfolio?: string;
  config?: string;
  dataDir: string;
  speed?: number;
  fresh: boolean;
  json: boolean;
  once: boolean;
  for?: number;
  slices?: number;
  seed: string;
  snapshotEvery: number;
  console: boolean;
  port?: number;
  watchdog: boolean;
  clockFile?: string;
}

const whole = wholeArgument(1, Number.MAX_SAFE_INTEGER);
/** Seconds that a timer of the machine can wait: 24 days. */
const FOR_MOST = 2_147_483;

/** How long a first start waits for the venue before it falls back to recorded prices. */
const REACH_MS = 4_000;

export function startCommand(): Command {
  return new Command('start')
    .description(
      'Run a portfolio on paper: that of quorum.config.json, else Sigma on the live feed. When the feed cannot be reached, the sample portfolio on recorded prices.',
    )
    .addHelpText(
      'after',
      '\nSignals: SIGINT and SIGTERM end it cleanly, positions stay. SIGUSR2 is the kill switch (not on Windows): every\norder is canceled, every position closed, and nothing is entered any more.',
    )
    .option('--demo', 'Sigma on made-up prices of eight pairs, marked SYNTHETIC', false)
    .option('--sample', 'the sample desk on recorded daily prices, marked REPLAY', false)
    .option('--portfolio <name>', 'a portfolio of the configuration')
    .option('--config <file>', 'the configuration (default: quorum.config.json or .ts, when there is one)')
    .option('--data-dir <dir>', 'where journals and logs are kept', '.quorum')
    .option(
      '--speed <slices>',
      'slices of recorded or made-up prices a second; 0 is as fast as possible',
      numberArgument(),
    )
    .option('--fresh', 'put the earlier journal aside and begin anew', false)
    .option('--seed <text>', 'seed of the made-up prices of --demo', '1')
    .option('--for <seconds>', 'end cleanly after this time', numberArgument(FOR_MOST))
    .option('--once', 'end when a recorded tape is over', false)
    .option('--no-console', 'without the console, which is otherwise opened on this machine')
    .option(
      '--port <port>',
      'port of the console (default: 4680, or the next free one)',
      wholeArgument(0, 65_535),
    )
    .option('--watchdog', 'start a watchdog beside it, which tells when the loop hangs or dies', false)
    .addOption(new Option('--slices <count>', 'end after so many slices').argParser(whole).hideHelp())
    .addOption(new Option('--snapshot-every <entries>').argParser(whole).default(20_000).hideHelp())
    .addOption(new Option('--clock-file <file>', 'time of a rehearsal').hideHelp())
    .option('--json', 'one JSON object on stdout when it ends; lines for people go to stderr', false)
    .action(run);
}

async function run(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const say = (line: string) => (options.json ? terminal.note(line) : terminal.say(line));
  if (options.demo && options.sample) throw new ExitError(EXIT.usage, 'choose one of --demo and --sample');
  const { request: chosen, databaseUrl } = await choose(options, say);
  const { withSavedParameters } = await import('../../runner/saved-parameters.ts');
  const { expanded, setUpPortfolio } = await import('../../runner/portfolio-setup.ts');
  const { request, notes } = await withSavedParameters(await expanded(chosen), options);
  for (const note of notes) say(paint('33', note));
  const { begunHeader } = await import('../../runner/session.ts');
  const { runPaper } = await import('../../runner/run-paper.ts');
  const { ConsoleCompanion } = await import('../../runner/console-companion.ts');
  const { recordStart } = await import('../../watchdog/start-record.ts');
  const { spawnWatchdog } = await import('../../watchdog/spawn-watchdog.ts');
  const setup = await setUpPortfolio(
    request,
    null,
    begunHeader(join(options.dataDir, request.name), options.fresh),
  );
  const publishers = await publishersOf(request, setup.tape !== null, options.dataDir);
  const { feed } = request;
  const ingest = await ingestOf(request, options);
  const { openTraces } = await import('../../traces/open-traces.ts');
  const traces = openTraces({ process: 'loop', env: process.env, say });
  let intake: IngestCompanion | null = null as IngestCompanion | null;
  let companion: Companion | null = null as Companion | null;
  const beside = (voice: Voice) => {
    if (traces !== null) traces.say = voice.tell;
    const fault = recordStart(join(options.dataDir, setup.name));
    if (fault !== null) voice.tell(`a watchdog could not start this again: ${fault}`);
    if (options.watchdog) spawnWatchdog(options.dataDir, options.config ?? null);
    intake = ingest?.companion(voice.tell) ?? null;
    if (!options.console) return;
    const { dataDir, port = null, config = null } = options;
    companion = new ConsoleCompanion({ dataDir, port, config, ...voice });
  };
  const { ending, status } = await runPaper({
    setup,
    dataDir: options.dataDir,
    fresh: options.fresh,
    speed: options.speed ?? ('speed' in feed ? feed.speed : null) ?? null,
    databaseUrl,
    once: options.once,
    slicesMax: options.slices ?? null,
    forMs: options.for === undefined ? null : options.for * 1_000,
    snapshotEvery: options.snapshotEvery,
    say,
    screen: process.stdout.isTTY && !options.json ? process.stdout : null,
    console: () => companion?.place ?? null,
    onVoice: beside,
    publishers,
    traces,
    ingestFigures: () => intake?.figures ?? null,
    ...(ingest === null ? {} : { ingest: ingest.settings, clock: ingest.clock }),
  }).finally(() => Promise.all([companion?.close(), intake?.close(), traces?.close()]));
  terminal.result({ ending, ...status });
  if (ending === 'interrupted') process.exitCode = EXIT.interrupted;
}

/** What brings observations from beside the feed. Throws {@link InputError} for what could only ever fail. */
async function publishersOf(
  { name, portfolio: { news }, feed }: PortfolioRequest,
  isTape: boolean,
  dataDir: string,
): Promise<ObservationPublisher[]> {
  if (news === undefined) return [];
  if (isTape || (feed.kind === 'webhook' && feed.replayed))
    throw new InputError(
      `portfolio ${name} has news, and its feed "${feed.kind}" brings prices of another time`,
      'take "news" out of the portfolio, or give it a live feed',
    );
  const { checkNewsReady, NewsCompanion } = await import('../../news/news-companion.ts');
  checkNewsReady(news, dataDir);
  return [new NewsCompanion({ news, dataDir })];
}

/** What a webhook feed needs beside the loop; null of any other. Secrets are looked for before anything runs. */
async function ingestOf(request: PortfolioRequest, options: Options) {
  const { feed, portfolio } = request;
  if (feed.kind !== 'webhook') return null;
  const { ingestFolder, ingestSettings, readAccess } = await import('../../ingest/ingest-settings.ts');
  const { rehearsalClock } = await import('../../ingest/rehearsal.ts');
  const { IngestCompanion: Beside } = await import('../../runner/ingest-companion.ts');
  const { dataDir, config, clockFile } = options;
  const settings = ingestSettings(feed, ingestFolder(dataDir, portfolio.feed), process.env);
  const clock = rehearsalClock(feed, clockFile ?? null);
  const isBeside = feed.ingest === 'companion';
  if (isBeside) readAccess(settings);
  const args = ['--feed', portfolio.feed, '--data-dir', dataDir];
  if (config !== undefined) args.push('--config', config);
  if (clockFile !== undefined) args.push('--clock-file', clockFile);
  const companion = (tell: (line: string) => void): IngestCompanion | null =>
    isBeside ? new Beside({ args, tell }) : null;
  return { settings, clock, companion };
}

interface Choice {
  readonly request: PortfolioRequest;
  readonly databaseUrl: string | null;
}

/** What to run. A live feed that cannot be reached at a first start is replaced by the sample, with a word about it. */
async function choose(options: Options, say: (line: string) => void): Promise<Choice> {
  const { builtIn, portfolioOf } = await import('../../runner/choose.ts');
  const { isLive, readConfiguration } = await import('../../setup/configuration.ts');
  const configuration = await readConfiguration(options.config ?? null);
  // one that is set to nothing is not set
  const databaseUrl = process.env[configuration?.databaseUrlEnv ?? 'DATABASE_URL'] || null;
  if (configuration?.databaseUrlEnv !== undefined && databaseUrl === null) {
    throw new InputError(
      `the environment variable ${configuration.databaseUrlEnv} is not set`,
      'set it to a PostgreSQL URL, or remove databaseUrlEnv from the configuration',
    );
  }
  if (options.demo) return { request: builtIn('demo', options.seed), databaseUrl };
  if (options.sample) return { request: builtIn('sample'), databaseUrl };
  const chosen =
    configuration === null
      ? builtIn(options.portfolio ?? 'sigma', options.seed)
      : portfolioOf(configuration, options.portfolio ?? null);
  const { addressed, liveVenueOf, unreachable } = await import('../../runner/live-venue-of.ts');
  const feed = addressed(chosen.feed, process.env);
  const request = { ...chosen, feed };
  if (!isLive(feed)) return { request, databaseUrl };
  // one that has run before waits for its feed: its positions are not to be forgotten for a sample
  const begun = !options.fresh && existsSync(join(options.dataDir, request.name, 'journal'));
  if (begun) return { request, databaseUrl };
  const why = await unreachable(feed, REACH_MS);
  if (why === null) return { request, databaseUrl };
  const where = feed.restUrl ?? liveVenueOf(feed)!.restUrl;
  if (options.portfolio !== undefined) {
    throw new ExitError(
      EXIT.unreachable,
      `the live feed ${where} cannot be reached: ${why}`,
      'check the network, or start with --sample or --demo, which need none',
    );
  }
  say(paint('33', `The live feed ${where} cannot be reached: ${why}`));
  say(
    paint(
      '33',
      `Portfolio "${request.name}" is not started. Running "sample" instead: recorded daily prices, marked REPLAY.`,
    ),
  );
  return { request: builtIn('sample'), databaseUrl };
}
