import { Command, InvalidArgumentError } from 'commander';
import { formatInstant } from '#base';
import type { StressStudy } from '../../validate/stress-run.ts';
import { collect, instantArgument, numberArgument } from '../arguments.ts';
import { percent } from '../figures-text.ts';
import { EXIT, paint, Terminal, table } from '../terminal.ts';

interface Options {
  at?: number;
  scenario: string[];
  maxLoss?: number;
  maxMargin?: number;
  maxLiquidations?: number;
  halfSpreadBps: number;
  out?: string;
  json: boolean;
}

const EXAMPLES = `
Historic falls (March 2020, May 2021, LUNA, FTX, the franc, Jakarta) and synthetic ones (all correlations 0.95, a dry book, an
outage, extreme funding, the default of a venue) on what is held. Positions are held as they are: nobody acts during a shock.
A limit that would be broken gives exit code 1.

Examples:
  $ quorum stress runs/mine
  $ quorum stress runs/mine --at 2023-08-01T12:00Z --max-loss 0.25
  $ quorum stress .quorum/sample
`;

const shareArgument = (text: string): number => {
  const share = Number(text);
  if (!(share > 0)) throw new InvalidArgumentError('Give a share above 0, such as 0.25.');
  return share;
};

export function stressCommand(): Command {
  return new Command('stress')
    .description('What would a shock do to what a run or a portfolio holds?')
    .argument('<dir>', 'the directory of a backtest, or of a paper portfolio')
    .option(
      '--at <time>',
      "when; a run's worst moment, or a portfolio's newest, when left out",
      instantArgument,
    )
    .option('--scenario <id>', 'this scenario only; repeat for more', collect, [])
    .option('--max-loss <share>', 'largest loss allowed, as a share of the equity', shareArgument)
    .option(
      '--max-margin <share>',
      'largest maintenance margin afterwards, as a share of the equity left',
      shareArgument,
    )
    .option('--max-liquidations <n>', 'liquidations allowed', numberArgument())
    .option('--half-spread-bps <bps>', 'half spread for what closing everything costs', numberArgument(), 1)
    .option('--out <file>', 'write the study here as JSON')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(dir: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { runStress, stressAsData } = await import('../../validate/stress-run.ts');
  const { writeWholeFile } = await import('../../whole-file.ts');
  let isStopped = false;
  const stop = () => {
    isStopped = true;
  };
  process.once('SIGINT', stop);
  const study = await runStress({
    dir,
    at: options.at ?? null,
    scenarios: options.scenario,
    limits: {
      lossShareMax: options.maxLoss ?? null,
      marginShareMax: options.maxMargin ?? null,
      liquidationsMax: options.maxLiquidations ?? null,
    },
    halfSpread: options.halfSpreadBps / 10_000,
    keepsOn: () => !isStopped,
  }).finally(() => process.removeListener('SIGINT', stop));
  if (study === null) {
    terminal.note('interrupted');
    process.exitCode = EXIT.interrupted;
    return;
  }
  const data = stressAsData(study);
  if (options.out !== undefined) {
    writeWholeFile(options.out, [`${JSON.stringify({ schemaVersion: 1, ...data }, null, 2)}\n`]);
  }
  const broken = study.reports.some(({ breaches }) => breaches.length > 0);
  terminal.result({ ...data, broken });
  print(terminal, study);
  if (options.out !== undefined) terminal.say(`written to ${options.out}`);
  if (broken) process.exitCode = EXIT.failed;
}

function print(terminal: Terminal, study: StressStudy): void {
  const { currency, at, equity, positions, reports, scenarios, worst, moments } = study;
  const money = (value: number) => `${value.toFixed(2)} ${currency}`;
  const where = study.kind === 'paper' ? 'held' : 'held at the moment examined';
  terminal.say(paint('1', `${where}, ${formatInstant(at)}: equity ${money(equity)}`));
  const held = positions.map(({ instrument, notional, leverage, isolated }) => [
    instrument,
    `${notional > 0 ? 'long' : 'short'} ${money(Math.abs(notional))}`,
    `leverage ${leverage}${leverage > 1 ? (isolated ? ', isolated' : ', cross') : ''}`,
  ]);
  for (const line of table(held)) terminal.say(`  ${line}`);
  terminal.say();
  const worstOf = new Map(worst.map((one) => [one.scenario, one]));
  const head = [
    'shock',
    'loss',
    'of equity',
    'liquidated',
    ...(worst.length === 0 ? [] : ['worst of the run', 'when']),
  ];
  const touching = reports.filter(({ loss, scenario }) => loss !== 0 || worstOf.get(scenario)?.lossShare);
  const rows = touching.map(({ scenario, loss, lossShare, liquidations }) => {
    const most = worstOf.get(scenario);
    return [
      scenarios.find(({ id }) => id === scenario)!.title,
      loss.toFixed(2),
      percent(lossShare),
      String(liquidations),
      ...(most === undefined ? [] : [percent(most.lossShare), formatInstant(most.at)]),
    ];
  });
  for (const line of table([head, ...rows], [1, 2, 3, 4])) terminal.say(`  ${line}`);
  const idle = reports.length - touching.length;
  if (idle > 0) terminal.say(`  ${idle} other shocks touch nothing that is held`);
  if (worst.length > 0)
    terminal.say(`  the run was examined at ${moments} moments at which it held something`);
  for (const { scenario, breaches } of reports) {
    for (const { limit, measured, allowed } of breaches) {
      terminal.warn(`${scenario} breaks ${limit}: ${Number(measured.toPrecision(4))}, allowed ${allowed}`);
    }
  }
  for (const note of study.notes) terminal.warn(note);
}
