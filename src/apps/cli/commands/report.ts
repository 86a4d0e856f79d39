import { join } from 'node:path';
import { Command } from 'commander';
import { collect } from '../arguments.ts';
import { EXIT, ExitError, Terminal } from '../terminal.ts';

interface Options {
  out?: string;
  png?: string;
  font: string[];
  parquet?: string;
  benchmark: string;
  walkForward?: string;
  sort: string;
  json: boolean;
}

const EXAMPLES = `
The page needs no network and no program but a browser; printed, it is a PDF. The same run gives the same bytes. What lies
in the directory is shown too: worth, passport.json, walk-forward.

Examples:
  $ quorum report runs/first
  $ quorum report runs/first --out first.html --png first.png --parquet tables
  $ quorum report runs/sweep --sort return`;

export function reportCommand(): Command {
  return new Command('report')
    .description('Write one HTML page about a backtest or a sweep, and pictures and tables of it.')
    .argument('<dir>', 'the directory that backtest --out or sweep --out wrote')
    .option('--out <file>', 'where the page goes; DIR/report.html when left out')
    .option('--png <file>', 'also the main plots as a picture')
    .option(
      '--font <file>',
      "a font file for the picture instead of the machine's; repeat for more",
      collect,
      [],
    )
    .option('--parquet <folder>', 'of a run: also equity, days, fills and trades as Parquet')
    .option('--benchmark <name>', 'buy-and-hold or none', 'buy-and-hold')
    .option('--walk-forward <dir>', 'a walk-forward of the desk to show, when it lies elsewhere')
    .option(
      '--sort <column>',
      'of a sweep: what variants are compared by: sharpe, return, maxDrawdown, ...',
      'sharpe',
    )
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(dir: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  if (options.benchmark !== 'buy-and-hold' && options.benchmark !== 'none') {
    throw new ExitError(
      EXIT.usage,
      `--benchmark ${options.benchmark} is not known`,
      'choose buy-and-hold or none',
    );
  }
  const { sortColumn } = await import('#research');
  const column = sortColumn(options.sort);
  const { writeReport } = await import('../../report/write-report.ts');
  const out = options.out ?? join(dir, 'report.html');
  const bar = terminal.progress('deciding again');
  const { warnings, ...report } = await writeReport({
    dir,
    out,
    png: options.png ?? null,
    fonts: options.font,
    parquet: options.parquet ?? null,
    wantsBenchmark: options.benchmark !== 'none',
    walkForward: options.walkForward ?? null,
    column,
    onProgress: bar.update,
  }).finally(() => bar.stop());
  for (const warning of warnings) terminal.warn(warning);
  terminal.result({ ...report, out, png: options.png ?? null, warnings });
  terminal.say(report.title);
  terminal.say(`  ${report.sections.join(', ')}`);
  terminal.say(`written to ${out} (${Math.ceil(report.htmlBytes / 1024)} KiB): open it in a browser`);
  if (options.png !== undefined) terminal.say(`the main plots are in ${options.png}`);
  if (report.tables.length > 0) terminal.say(`tables: ${report.tables.join(', ')}`);
}
