import { Command, InvalidArgumentError } from 'commander';
import { formatDecimal } from '#base';
import type { Percentiles } from '#research';
import type { MonteCarloStudy } from '../../validate/monte-carlo-run.ts';
import { wholeArgument } from '../arguments.ts';
import { percent } from '../figures-text.ts';
import { EXIT, paint, Terminal, table } from '../terminal.ts';

interface Options {
  paths: number;
  replays: number;
  block: number | 'auto';
  ruin: number;
  seed: string;
  out?: string;
  json: boolean;
}

const EXAMPLES = `
shuffle     the closed trades in another order: the same end, other drawdowns
bootstrap   the closed trades drawn again, with replacement
blocks      daily returns drawn again in blocks of random length (stationary bootstrap), so that what belongs together stays so
execution   the whole run played again: slippage times 0.5 to 2, latency times a lognormal draw, 5 % of the fills skipped

Example:
  $ quorum monte-carlo runs/mine --paths 5000 --replays 50
`;

const blockArgument = (text: string): number | 'auto' => {
  if (text === 'auto') return 'auto';
  const days = Number(text);
  if (!(days >= 1 && days <= 10_000)) throw new InvalidArgumentError('Give days from 1, or auto.');
  return days;
};

const shareArgument = (text: string): number => {
  const share = Number(text);
  if (!(share > 0 && share <= 1))
    throw new InvalidArgumentError('Give a share above 0 and up to 1, such as 0.5.');
  return share;
};

export function monteCarloCommand(): Command {
  return new Command('monte-carlo')
    .description(
      'How else could a backtest have come out? Resamples its trades and days, and plays it with other luck.',
    )
    .argument('<dir>', 'the directory that backtest --out wrote')
    .option('--paths <n>', 'paths of each resampling', wholeArgument(1, 1_000_000), 5_000)
    .option(
      '--replays <n>',
      'times the run is played with other luck of execution',
      wholeArgument(0, 10_000),
      20,
    )
    .option('--block <days>', 'mean block of days; auto asks the data (Politis and White)', blockArgument, 10)
    .option('--ruin <share>', 'loss of the cash at the start that counts as ruin', shareArgument, 0.5)
    .option('--seed <text>', 'seed of every draw', '1')
    .option('--out <dir>', 'write monte-carlo.json and fan.csv here')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(dir: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { runMonteCarlo } = await import('../../validate/monte-carlo-run.ts');
  const { monteCarloAsData, writeMonteCarlo } = await import('../../validate/monte-carlo-files.ts');
  let isStopped = false;
  const stop = () => {
    isStopped = true;
  };
  process.once('SIGINT', stop);
  const bar = terminal.progress('monte-carlo');
  const study = await runMonteCarlo({
    dir,
    paths: options.paths,
    replays: options.replays,
    meanBlock: options.block,
    ruinAt: options.ruin,
    seed: options.seed,
    keepsOn: () => !isStopped,
    onProgress: bar.update,
  }).finally(() => {
    process.removeListener('SIGINT', stop);
    bar.stop();
  });
  if (study === null) {
    terminal.note('interrupted');
    process.exitCode = EXIT.interrupted;
    return;
  }
  if (options.out !== undefined) writeMonteCarlo(options.out, study);
  terminal.result(monteCarloAsData(study));
  print(terminal, study, options);
  if (options.out !== undefined) terminal.say(`written to ${options.out}: monte-carlo.json, fan.csv`);
  if (study.finished) return;
  terminal.note(`interrupted: ${study.noise?.replays ?? 0} of ${options.replays} replays are done`);
  process.exitCode = EXIT.interrupted;
}

function print(terminal: Terminal, study: MonteCarloStudy, { ruin }: Options): void {
  const money = (minor: number) => {
    const [whole = '', part = ''] = formatDecimal(Math.round(minor), study.minorScale).split('.');
    return part === '' ? whole : `${whole}.${part.slice(0, 2)}`;
  };
  const spread = ({ p5, p50, p95 }: Percentiles, text: (value: number) => string) => [p5, p50, p95].map(text);
  terminal.say(paint('1', `Monte Carlo of ${study.desk}: ${study.trades} trades, ${study.days} days`));
  for (const stamp of study.stamps) terminal.say(paint('33', `STAMP: ${stamp}`));
  terminal.say(
    `  the run: ${money(study.cash)} to ${money(study.equityEnd)} ${study.currency}, max drawdown ${percent(study.maxDrawdown)}`,
  );
  terminal.say();
  const days = (value: number) => value.toFixed(0);
  const rows: string[][] = [['', '', '5 %', 'median', '95 %']];
  for (const [name, unit, found] of [
    ['shuffle', 'trades', study.shuffle],
    ['bootstrap', 'trades', study.bootstrap],
    ['blocks', 'days', study.blocks],
    ['execution', 'days', study.noise],
  ] as const) {
    if (found === null) continue;
    rows.push([name, 'equity at the end', ...spread(found.finalEquity, money)]);
    rows.push(['', 'max drawdown', ...spread(found.maxDrawdown, percent)]);
    rows.push(['', `longest drawdown, ${unit}`, ...spread(found.longestDrawdown, days)]);
    rows.push(['', `loses ${percent(ruin)} on the way`, '', percent(found.ruin), '']);
  }
  for (const line of table(rows, [2, 3, 4])) terminal.say(`  ${line}`);
  const { blocks, noise } = study;
  if (blocks !== null)
    terminal.say(`  mean block ${blocks.meanBlock?.toFixed(1)} days; ${blocks.paths} paths each`);
  if (noise !== null) terminal.say(`  ${noise.replays} replays with other luck of execution`);
  for (const note of study.notes) terminal.warn(note);
}
