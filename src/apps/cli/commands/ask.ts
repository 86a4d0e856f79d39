import { userInfo } from 'node:os';
import { Command } from 'commander';
import type { ConsoleContext } from '../../server/context.ts';
import { EXIT, ExitError, Terminal } from '../terminal.ts';

interface Options {
  dataDir: string;
  portfolio?: string;
  config?: string;
  json: boolean;
}

const EXAMPLES = `
Positions, performance, equity, trades, orders, risk, breaker, worth, and why, in plain words. A language model answers free
questions where QUORUM_LLM_PROVIDER and QUORUM_LLM_MODEL name one. Nothing can be changed this way.

Examples:
  $ quorum ask positions
  $ quorum ask "why no trade in BTCUSDT at 2023-07-04T12:00Z"`;

export function askCommand(): Command {
  return new Command('ask')
    .description('Ask about a portfolio, as in the chat of the console.')
    .argument('<question...>', 'what you want to know')
    .option('--data-dir <dir>', 'where journals and logs are kept', '.quorum')
    .option('--portfolio <name>', 'which one, when there are several')
    .option('--config <file>', 'the configuration (default: quorum.config.json or .ts, when there is one)')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(words: string[], options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { Problem } = await import('../../server/context.ts');
  const { Chat, readersOf } = await import('../../server/chat/index.ts');
  const { tradingHandlers } = await import('../../server/areas/trading.ts');
  const { thinkingHandlers } = await import('../../server/areas/thinking.ts');
  const { context, close } = await readingContext(options);
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once('SIGINT', stop);
  try {
    const chat = new Chat({
      readers: readersOf({ ...tradingHandlers(context), ...thinkingHandlers(context) }),
    });
    const answer = await chat.answer(words.join(' '), options.portfolio, {
      who: {
        id: 'shell',
        name: userInfo().username,
        role: 'viewer',
        scopes: ['read'],
        via: 'token',
        credential: 'shell',
      },
      address: '',
      agent: 'command line',
      signal: interrupt.signal,
      header: () => undefined,
    });
    terminal.result({ ...answer });
    terminal.say(answer.reply);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new ExitError(error.status === 503 ? EXIT.unreachable : EXIT.badInput, error.message, error.mend);
  } finally {
    process.removeListener('SIGINT', stop);
    await close();
  }
}

/** What handlers that read need, without a server. */
async function readingContext({ dataDir, config }: Options) {
  const { ReachedPortfolios } = await import('../../server/portfolios.ts');
  const { openConsoleStore } = await import('../../server/identity/console-store.ts');
  const { openIdentity } = await import('../../server/identity/identity.ts');
  const { readConfiguration } = await import('../../setup/configuration.ts');
  const configuration = await readConfiguration(config ?? null);
  const databaseUrl = process.env[configuration?.databaseUrlEnv ?? 'DATABASE_URL'] || null;
  const portfolios = new ReachedPortfolios({ dataDir, databaseUrl: () => databaseUrl, now: Date.now });
  // nothing of a console is needed or touched
  const store = openConsoleStore(':memory:');
  const context: ConsoleContext = {
    dataDir,
    configFile: config ?? null,
    vitals: () => ({ startedAt: Date.now(), clients: 0, lagMsP99: 0 }),
    portfolios,
    store,
    identity: openIdentity(store),
    secureCookie: false,
    now: Date.now,
    announce: () => undefined,
    audit: async () => undefined,
  };
  return {
    context,
    close: async () => {
      await portfolios.close();
      store.close();
    },
  };
}
