import { Command, Option } from 'commander';
import { formatInstant, InputError } from '#base';
import type { NewsConfiguration } from '../../news/news-configuration.ts';
import type { NewsWord } from '../../news/news-round.ts';
import { Terminal, table } from '../terminal.ts';

interface Options {
  portfolio?: string;
  config?: string;
  dataDir: string;
  serve?: string;
  fetch: boolean;
  json: boolean;
}

export function newsCommand(): Command {
  return new Command('news')
    .description(
      "What the news say of each asset of a portfolio's `news`: fetches what is due within the daily budget, scores it, and shows the sentiment. quorum start does this by itself, beside a live feed.",
    )
    .option('--portfolio <name>', 'a portfolio of the configuration')
    .option('--config <file>', 'the configuration (default: quorum.config.json or .ts)')
    .option('--data-dir <dir>', 'where journals and logs are kept', '.quorum')
    .option('--no-fetch', 'only show what is kept; spends no call')
    .option('--json', 'one JSON object on stdout', false)
    .addOption(new Option('--serve <settings>').hideHelp())
    .action(run);
}

async function run(options: Options): Promise<void> {
  if (options.serve !== undefined) return serve(options.serve, options.dataDir);
  const news = await newsOf(options);
  const { withNewsRound, openCallLedger } = await import('../../news/run-news.ts');
  const { sentimentScore } = await import('#signals');
  const terminal = new Terminal(options.json);
  const place = { news, dataDir: options.dataDir };
  const missing = new Map<string, string>();
  const onWord = (word: NewsWord) => {
    if (word.word === 'missing') missing.set(word.asset, word.reason);
  };
  if (options.fetch) await withNewsRound(place, onWord, (round) => round.play());
  const ledger = openCallLedger(place);
  try {
    const at = Date.now();
    const { calls } = ledger.spent(at);
    const assets = news.assets.map((asset) => {
      const sentiment = sentimentScore(ledger.latest(asset, news.scorer)?.value ?? null, at);
      return { asset, ...sentiment, problem: missing.get(asset) ?? null };
    });
    terminal.say(
      `${calls} of ${news.callsPerDay} calls spent in the last 24 hours; scored by ${news.scorer}`,
    );
    const rows = assets.map(({ asset, score, articles, flag, fetchedAt, problem }) => [
      asset,
      score.toFixed(4),
      String(articles),
      fetchedAt === null ? '-' : formatInstant(fetchedAt),
      [flag, problem].filter((note) => note !== null).join('; '),
    ]);
    for (const line of table([['asset', 'S', 'articles', 'fetched', ''], ...rows], [1, 2]))
      terminal.say(line);
    terminal.result({ scorer: news.scorer, calls, callsPerDay: news.callsPerDay, assets });
  } finally {
    ledger.close();
  }
}

async function newsOf({ config, portfolio }: Options): Promise<NewsConfiguration> {
  const { readConfiguration } = await import('../../setup/configuration.ts');
  const { portfolioOf } = await import('../../runner/choose.ts');
  const configuration = await readConfiguration(config ?? null);
  const mend =
    'add to the portfolio: "news": {"kind": "alpha-vantage", "assets": ["BTC"], "scorer": "lexicon"}, and set ALPHA_VANTAGE_KEY';
  if (configuration === null) throw new InputError('there is no quorum.config.json here', mend);
  const { name, portfolio: chosen } = portfolioOf(configuration, portfolio ?? null);
  if (chosen.news === undefined) throw new InputError(`portfolio ${name} has no "news"`, mend);
  return chosen.news;
}

/** The process beside a loop: says what it finds over its line to the one that started it, and ends with it. */
async function serve(settings: string, dataDir: string): Promise<void> {
  const { newsSchema } = await import('../../news/news-configuration.ts');
  const { runNews } = await import('../../news/run-news.ts');
  const stop = new AbortController();
  const end = () => stop.abort();
  // Ctrl-C in a terminal reaches both: who started it says when it ends
  process.on('SIGINT', () => undefined);
  process.once('SIGTERM', end);
  process.once('SIGHUP', end);
  process.once('disconnect', end);
  if (process.send !== undefined && !process.connected) end();
  const news = newsSchema.parse(JSON.parse(settings));
  await runNews({ news, dataDir }, (word) => void process.send?.(word), stop.signal);
  if (process.connected) process.disconnect();
}
