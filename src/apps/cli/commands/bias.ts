import { Command } from 'commander';
import { formatInstant, formatInterval } from '#base';
import type { BiasReport, LookAheadFinding, WarmUpFinding } from '../../validate/bias-run.ts';
import { collect, wholeArgument } from '../arguments.ts';
import { type RecordingOptions, recordingOf, withRecordingOptions } from '../recording-options.ts';
import { EXIT, paint, Terminal } from '../terminal.ts';

interface Options extends RecordingOptions {
  set: string[];
  rows: number;
  json: boolean;
}

const EXAMPLES = `
Look-ahead: features and sources are computed over the whole series and over series that end earlier; a value that differs
knew what came later. Warm-up: values after the history that the desk declares are compared with values after longer ones;
more than 0.1 % apart, and the column remembers where the series began. Exit code 1 when something was found.

Example:
  $ quorum bias my-desk.ts --bars BTCUSDT-5m.csv
`;

export function biasCommand(): Command {
  const command = new Command('bias')
    .description(
      'Does a feature or a source of a desk see the future, or forget too slowly? Names the guilty column.',
    )
    .argument('<desk>', 'a built-in desk (sigma) or a desk file');
  return withRecordingOptions(command)
    .option('--set <key=value>', 'a parameter of the desk; repeat for more', collect, [])
    .option(
      '--rows <n>',
      'newest bars of each instrument that are examined',
      wholeArgument(60, 1_000_000),
      3_000,
    )
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(named: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { loadDesk } = await import('../../setup/load-desk.ts');
  const { examineBias } = await import('../../validate/bias-run.ts');
  const recording = recordingOf(options);
  const desk = await loadDesk(named, options.set);
  const bar = terminal.progress('bias');
  const report = await examineBias({
    desk,
    ...recording,
    rows: options.rows,
    onProgress: bar.update,
  }).finally(bar.stop);
  const found = report.lookAhead.length + report.warmUp.length + report.unrepeatable.length > 0;
  terminal.result({ ...report, found });
  print(terminal, report);
  if (found) process.exitCode = EXIT.failed;
}

function print(terminal: Terminal, report: BiasReport): void {
  const { desk, features, sources, rows, warmUpBars, longestHistory, lookAhead, warmUp, unrepeatable } =
    report;
  terminal.say(paint('1', `bias of ${desk}: ${features} features, ${sources} sources, ${rows} bars`));
  for (const note of report.notes) terminal.warn(note);
  terminal.say(
    lookAhead.length === 0
      ? '  look-ahead: none found'
      : paint('31', `  look-ahead: ${lookAhead.length} columns know the future`),
  );
  const sorted = <T extends { kind: string }>(all: readonly T[]) =>
    [...all].sort((a, b) => (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0));
  for (const one of sorted(lookAhead)) for (const line of lookAheadText(one)) terminal.say(`    ${line}`);
  const compared =
    longestHistory === 0 ? '' : ` (${warmUpBars} bars declared, compared with up to ${longestHistory})`;
  terminal.say(
    warmUp.length === 0
      ? `  warm-up: none found${compared}`
      : paint('31', `  warm-up: ${warmUp.length} columns remember where the series began${compared}`),
  );
  for (const one of sorted(warmUp)) for (const line of warmUpText(one)) terminal.say(`    ${line}`);
  if (unrepeatable.length === 0) return;
  terminal.say(paint('31', `  unrepeatable: ${unrepeatable.join(', ')}`));
  terminal.say(
    '    other values over the same bars a second time: keep what is remembered in `state` or in fields',
  );
}

const because = (reads: readonly string[]): string[] =>
  reads.length === 0 ? [] : [`  it reads ${reads.join(', ')}`];

function lookAheadText(finding: LookAheadFinding): string[] {
  const { column, kind, instrument, intervalMs, cuts, of, at, barsBefore, whole, whenCut, reads } = finding;
  const value = (number: number | null) =>
    number === null ? 'nothing' : String(Number(number.toPrecision(6)));
  return [
    `${kind} ${column} (${instrument}, ${formatInterval(intervalMs)}): differs at ${cuts} of ${of} cuts`,
    `  bar ${formatInstant(at)}, ${barsBefore === 0 ? 'the last one left' : `${barsBefore} before the last one left`}: ${value(whenCut)} then, ${value(whole)} once the rest is known`,
    ...because(reads),
  ];
}

function warmUpText({ needed, neededOfDesk, ...finding }: WarmUpFinding): string[] {
  const { column, kind, instrument, intervalMs, difference, declared, longest, reads } = finding;
  const off = difference === null ? 'has no value' : `is ${Number((difference * 100).toPrecision(3))} % off`;
  const mend =
    needed === null
      ? `not settled after ${longest} bars either`
      : `settled after ${needed} bars: declare warmUpBars: ${neededOfDesk}`;
  return [
    `${kind} ${column} (${instrument}, ${formatInterval(intervalMs)}): ${off} after ${declared} bars; ${mend}`,
    ...because(reads),
  ];
}
