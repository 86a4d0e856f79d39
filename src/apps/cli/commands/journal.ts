import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { formatInstant, InputError } from '#base';
import { wholeArgument } from '../arguments.ts';
import { EXIT, ExitError, Terminal } from '../terminal.ts';

interface Options {
  dataDir: string;
  portfolio?: string;
  kind?: string;
  search?: string;
  before?: number;
  limit: number;
  verify: boolean;
  json: boolean;
}

export function journalCommand(): Command {
  return new Command('journal')
    .description(
      'Look into a journal from its end backwards, or check every byte of it with its chain of hashes.',
    )
    .argument('[dir]', "a run's directory, or the folder of a portfolio")
    .option('--data-dir <dir>', 'without a directory: where portfolios are kept', '.quorum')
    .option('--portfolio <name>', 'without a directory: which one, when there are several')
    .addOption(
      new Option('--kind <kind>', 'only entries of a kind').choices(['header', 'event', 'command', 'note']),
    )
    .option('--search <text>', 'only entries with this text in them')
    .option('--before <position>', 'entries before this position', wholeArgument(0, Number.MAX_SAFE_INTEGER))
    .option('--limit <n>', 'entries shown', wholeArgument(1, 500), 20)
    .option('--verify', 'check the whole journal instead; exit code 1 when it is not whole', false)
    .option('--json', 'one JSON object on stdout', false)
    .action(run);
}

async function run(dir: string | undefined, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const folder = dir ?? (await portfolioFolder(options));
  const path = join(folder, 'journal');
  if (!existsSync(path))
    throw new InputError(
      `${folder} has no journal`,
      'give the directory that backtest --out wrote, or the folder of a portfolio',
    );
  if (options.verify) return verify(terminal, path);
  const { JournalIndex } = await import('../../server/data/journal-index.ts');
  const { journalPage } = await import('../../server/areas/house/journal-view.ts');
  const { Problem } = await import('../../server/context.ts');
  const index = new JournalIndex(path);
  const page = await journalPage(index, options).catch((error: unknown) => {
    throw error instanceof Problem ? new ExitError(EXIT.failed, error.message, error.mend) : error;
  });
  terminal.result({ ...page });
  for (const { position, kind, at, name, text } of page?.items ?? [])
    terminal.say(
      `${position}  ${at === null ? '-' : formatInstant(at)}  ${kind} ${name}  ${text.slice(0, 200)}`,
    );
  if (page?.next != null) terminal.note(`go on with --before ${page.next}`);
}

/** The one portfolio that is meant. */
async function portfolioFolder({ dataDir, portfolio }: Options): Promise<string> {
  const { portfoliosIn } = await import('../../runner/portfolios-in.ts');
  const names = portfoliosIn(dataDir);
  if (portfolio !== undefined && !names.includes(portfolio))
    throw new InputError(
      `${dataDir} holds no portfolio "${portfolio}"`,
      `it holds ${names.join(', ') || 'none'}`,
    );
  const [first, second] = portfolio === undefined ? names : [portfolio];
  if (first === undefined) throw new InputError(`${dataDir} holds no portfolio`, 'start one: quorum start');
  if (second !== undefined)
    throw new InputError(`${names.join(', ')} lie in ${dataDir}`, 'name one with --portfolio');
  return join(dataDir, first);
}

/** Of a journal that is being written the last block may be half there; what its head file promised must be. */
async function verify(terminal: Terminal, path: string): Promise<void> {
  const { readHeadFile, verifyJournal } = await import('#adapters');
  const bar = terminal.progress('reading the journal');
  const promised = readHeadFile(`${path}.head`);
  const { head, fault, against, what } = verifyJournal(path, promised ?? undefined, bar.update);
  bar.stop();
  const cut = against === 'shorter' || against === 'different';
  const ok = (fault === null || fault.reason === 'torn-tail') && !cut;
  terminal.result({ ok, ...head, fault, against, what: ok ? `${head.entries} entries, chain whole` : what });
  terminal.say(ok ? `chain whole: ${head.entries} entries, head ${head.hash}` : what);
  if (!ok) throw new ExitError(EXIT.failed, 'the journal is not whole', 'quorum restore puts a copy back');
}
