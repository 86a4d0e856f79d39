import { Command, InvalidArgumentError } from 'commander';
import { formatInstant, formatInterval } from '#base';
import type { ParityStudy } from '../../validate/parity-run.ts';
import { numberArgument, wholeArgument } from '../arguments.ts';
import { fixed, percent } from '../figures-text.ts';
import { EXIT, ExitError, paint, Terminal, table } from '../terminal.ts';

interface Options {
  bars: number;
  maxDriftBp: number;
  minAgreement: number;
  maxFillBp?: number;
  pine?: string;
  feed?: string;
  config?: string;
  dataDir: string;
  model?: string;
  models?: string;
  json: boolean;
}

const EXAMPLES = `
Both are played again from their own journal and data and compared bar by bar over the newest bars that both cover: returns,
what was decided, fills at the same bar, and the distribution of every feature (population stability index, 10 quantile bins:
above 0.10 watch, above 0.25 drift). Exit code 1 when something is beyond its limit.

With --pine, what a chart's script sent by webhook is held against our features of the same stored bars, over the newest 500 that
have both: the mean and largest difference of each feature, and of the return of the momentum gate's direction. At run time 1 bp a
bar and less passes, a promotion to live needs less than 1. The lengths of RSI, ATR and the longest return are those of the
model (--model, else CONFIG@paper, else the sheet's); the script's inputs must be the same.

Examples:
  $ quorum parity .quorum/sample runs/mine
  $ quorum parity runs/mine runs/slower --max-drift-bp 2
  $ quorum parity --pine S1_RX68_BTC_15M
`;

const shareArgument = (text: string): number => {
  const share = Number(text);
  if (!(share >= 0 && share <= 1) || text.trim() === '')
    throw new InvalidArgumentError('Give a share from 0 to 1.');
  return share;
};

export function parityCommand(): Command {
  return new Command('parity')
    .description(
      'Do two result sets of the same bars tell the same story? Paper against backtest, or run against run.',
    )
    .argument('[a]', 'a paper portfolio or a backtest')
    .argument('[b]', 'what it is held against')
    .option('--bars <n>', 'newest bars that are compared', wholeArgument(2, 10_000_000), 500)
    .option(
      '--max-drift-bp <bp>',
      'largest mean difference of returns, basis points a bar',
      numberArgument(),
      1,
    )
    .option('--min-agreement <share>', 'least share of equal directions', shareArgument, 0.98)
    .option(
      '--max-fill-bp <bp>',
      'largest mean difference of fill prices; no limit when left out',
      numberArgument(),
    )
    .option('--pine <config>', "a chart's script against our features instead, such as S1_RX68_BTC_15M")
    .option('--feed <name>', '--pine: a webhook feed of the configuration (default: the only one)')
    .option('--config <file>', '--pine: the configuration (default: quorum.config.json or .ts)')
    .option('--data-dir <dir>', '--pine: where the bars of an embedded store lie', '.quorum')
    .option('--model <model>', '--pine: the model whose lengths count')
    .option('--models <dir>', '--pine: folder of the models')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(a: string | undefined, b: string | undefined, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  if (options.pine !== undefined) {
    if (a !== undefined) throw new ExitError(EXIT.usage, 'give --pine or two directories');
    const { compareChart } = await import('./parity-pine.ts');
    return compareChart(terminal, { ...options, pine: options.pine });
  }
  if (a === undefined || b === undefined)
    throw new ExitError(
      EXIT.usage,
      'an argument is missing: give two directories, or --pine and a config',
      'quorum parity --help',
    );
  const { runParity, parityAsData } = await import('../../validate/parity-run.ts');
  let isStopped = false;
  const stop = () => {
    isStopped = true;
  };
  process.once('SIGINT', stop);
  const study = await runParity({
    a,
    b,
    bars: options.bars,
    driftBpMax: options.maxDriftBp,
    agreementMin: options.minAgreement,
    fillBpMax: options.maxFillBp ?? null,
    keepsOn: () => !isStopped,
  }).finally(() => process.removeListener('SIGINT', stop));
  if (study === null) {
    terminal.note('interrupted');
    process.exitCode = EXIT.interrupted;
    return;
  }
  terminal.result(parityAsData(study));
  print(terminal, study);
  if (study.beyond.length > 0) process.exitCode = EXIT.failed;
}

/** Features that people see. */
const SHOWN = 5;

function print(terminal: Terminal, study: ParityStudy): void {
  const { a, b, intervalMs, from, to, parity, features, beyond } = study;
  terminal.say(paint('1', `${a} against ${b}`));
  terminal.say(`  bars of ${formatInterval(intervalMs)} from ${formatInstant(from)} to ${formatInstant(to)}`);
  const rows: [string, string][] = [
    ['drift', `${parity.driftBp.toFixed(4)} bp a bar`],
    ['agreement', parity.agreement === null ? '- (neither signalled)' : percent(parity.agreement)],
    ['fill difference', parity.fillDifferenceBp === null ? '-' : `${fixed(parity.fillDifferenceBp, 3)} bp`],
    [
      'fills',
      `${parity.fillsMatched} at the same bar, ${parity.fillsOnlyLive} only in the first, ${parity.fillsOnlyBacktest} only in the second`,
    ],
  ];
  for (const line of table(rows)) terminal.say(`  ${line}`);
  const worst = features.filter(({ index }) => index !== null).slice(0, SHOWN);
  if (worst.length > 0) {
    terminal.say();
    terminal.say('features whose distribution moved most (stability index)');
    for (const line of table(
      worst.map(({ feature, index, verdict }) => [feature, index!.toFixed(4), verdict]),
      [1],
    )) {
      terminal.say(`  ${line}`);
    }
  }
  for (const note of study.notes) terminal.warn(note);
  terminal.say();
  if (beyond.length === 0) terminal.say(paint('32', 'within its limits'));
  for (const line of beyond) terminal.say(paint('31', `beyond: ${line}`));
}
