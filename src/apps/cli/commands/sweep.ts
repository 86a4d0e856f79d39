import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import type { Plateau, SortColumn, SweepEngine, SweepRow } from '#research';
import type { SweepOutcome } from '../../setup/sweep/run-sweep.ts';
import { collect, wholeArgument } from '../arguments.ts';
import {
  type OpenQueue,
  openQueue,
  playersText,
  type QueueOptions,
  refuseThreads,
  withQueueOption,
} from '../queue-option.ts';
import { type RecordingOptions, recordingOf, withRecordingOptions } from '../recording-options.ts';
import { type RegistryOptions, withRegistryOptions } from '../registry-options.ts';
import { EXIT, paint, Terminal, table } from '../terminal.ts';

interface Options extends RecordingOptions, RegistryOptions, QueueOptions {
  param: string[];
  where?: string;
  set: string[];
  workers: number;
  engine: SweepEngine | 'auto';
  sort: string;
  out?: string;
  rows: boolean;
  json: boolean;
}

/** Rows of the table that people see. */
const SHOWN = 10;
/** Different notes that people see. */
const NOTES_SHOWN = 3;

const EXAMPLES = `
A range FROM:TO:STEP takes its last value along when a step meets it. The first --param changes slowest. --where knows the
parameters, numbers, text in quotes, + - * / < <= > >= == != && || ! and parentheses.

Examples:
  $ quorum sweep my-desk.ts --bars BTCUSDT-1h.csv --param fast=5:60:5 --param slow=20:200:20 --where "fast < slow" --out runs/sweep
  $ quorum sweep my-desk.ts --bars BTCUSDT-1h.csv --param mode=long-flat,long-short --sort maxDrawdown
`;

export function sweepCommand(): Command {
  const command = new Command('sweep')
    .description('Run a desk over recorded bars once for every combination of some parameters.')
    .argument('<desk>', 'a built-in desk (sigma) or a desk file');
  return withQueueOption(withRegistryOptions(withRecordingOptions(command)))
    .option(
      '--param <name=values>',
      'a parameter that varies, as fast=5:60:1 or mode=long-flat,long-short; repeat for more',
      collect,
      [],
    )
    .option('--where <condition>', 'take only combinations that meet it, such as "fast < slow"')
    .option('--set <key=value>', 'a parameter that does not vary; repeat for more', collect, [])
    .option('--workers <n>', 'threads; 1 runs without', wholeArgument(1, 256), availableParallelism())
    .addOption(
      new Option('--engine <engine>', 'who plays: kernel where the desk is in its language, else loop')
        .choices(['auto', 'loop', 'kernel'])
        .default('auto'),
    )
    .option('--sort <column>', 'what the best are best by: sharpe, return, maxDrawdown, ...', 'sharpe')
    .option('--out <dir>', 'write the table here; the same command goes on with what is there')
    .option('--no-rows', 'with --json: leave out the rows, which --out keeps')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(desk: string, options: Options, command: Command): Promise<void> {
  refuseThreads(options, command);
  const terminal = new Terminal(options.json);
  const { bestRows, plateauAround, sortColumn } = await import('#research');
  const { runSweep } = await import('../../setup/sweep/run-sweep.ts');
  const recording = recordingOf(options);
  const column = sortColumn(options.sort);
  const { openRegistry, UNREGISTERED } = await import('../../setup/registry/open-registry.ts');
  const { sweepRegistration, variantsOnRecord } = await import('../../setup/registry/register-sweep.ts');
  const { playOnQueue } = await import('../../setup/work/play-on-queue.ts');
  const registry = openRegistry(options);
  const queue = await openQueue(terminal, options);
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once('SIGINT', stop);
  const bar = terminal.progress('sweep');
  const outcome = await runSweep(
    {
      desk,
      ...recording,
      params: options.param,
      where: options.where ?? null,
      set: options.set,
      engine: options.engine,
    },
    {
      workers: options.workers,
      out: options.out ?? null,
      signal: interrupt.signal,
      onBegin: (...begin) => sayBegin(terminal, options.out, ...begin),
      onProgress: bar.update,
      ...(queue === null ? {} : { player: playOnQueue(queue.link, queue.onNote) }),
      ...(registry === null
        ? {}
        : {
            register: sweepRegistration(registry),
            onRecord: (plan) => variantsOnRecord(registry, plan),
          }),
    },
  ).finally(() => {
    process.removeListener('SIGINT', stop);
    bar.stop();
    queue?.close();
    registry?.close();
  });
  const { plan, rows, finished } = outcome;
  const best = bestRows(rows, column, SHOWN);
  const plateau = best.length === 0 ? null : plateauAround(plan.grid, rows, best[0]!, column);
  terminal.result({
    desk: plan.identity.desk,
    instruments: plan.instruments,
    currency: plan.currency,
    combinations: plan.grid.size,
    variants: plan.variants.length,
    done: rows.length,
    stamps: registry === null ? [UNREGISTERED] : [],
    there: outcome.there,
    finished,
    ...(queue === null ? { workers: outcome.workers } : { queue: queue.shown }),
    engine: plan.identity.engine,
    loopReason: plan.loopReason,
    sort: column,
    best,
    plateau,
    ...(options.rows ? { rows } : {}),
    ...rateOf(outcome),
  });
  if (registry === null) terminal.say(paint('33', `STAMP: ${UNREGISTERED}`));
  print(terminal, outcome, column, best, plateau, queue);
  if (finished && options.out !== undefined) terminal.say(`written to ${options.out}`);
  if (finished) return;
  terminal.note(
    options.out === undefined
      ? 'interrupted: nothing is kept without --out'
      : `interrupted: ${rows.length} of ${plan.variants.length} variants are kept in ${options.out}; the same command goes on`,
  );
  process.exitCode = EXIT.interrupted;
}

function sayBegin(
  terminal: Terminal,
  out: string | undefined,
  there: number,
  variants: number,
  damaged: number,
  unrecorded: number,
): void {
  if (damaged > 0)
    terminal.warn(`${damaged} damaged lines in ${out} were left out; their variants run again`);
  if (unrecorded > 0)
    terminal.note(
      `${unrecorded} variants in ${out} are not in this registry: they are played again and put on record`,
    );
  if (there === 0) return;
  terminal.note(
    there === variants
      ? `${out} holds all ${variants} variants already`
      : `${out} holds ${there} of ${variants} variants already; going on with the other ${variants - there}`,
  );
}

/** Who played, and why not the kernel. */
function engineText({ plan, rows }: SweepOutcome): string {
  if (plan.loopReason !== null) return `played by the loop, because ${plan.loopReason}`;
  if (plan.identity.engine === 'loop') return 'played by the loop';
  const looped = rows.filter(({ engine }) => engine !== 'kernel').length;
  const but = looped === 0 ? '' : `; ${looped} variants by the loop`;
  return `played by the columnar kernel${but}`;
}

/** Variants that this start played, for a second; nothing where it played none. */
function rateOf({ rows, there, seconds }: SweepOutcome) {
  const played = rows.length - there;
  return { seconds, variantsPerSecond: played > 0 && seconds > 0 ? played / seconds : null };
}

function print(
  terminal: Terminal,
  outcome: SweepOutcome,
  column: SortColumn,
  best: readonly SweepRow[],
  plateau: Plateau | null,
  queue: OpenQueue | null,
): void {
  const { plan, rows } = outcome;
  const { variantsPerSecond } = rateOf(outcome);
  const left = plan.grid.size - plan.variants.length;
  const title = `sweep of ${plan.identity.desk} over ${plan.instruments.join(', ')}`;
  terminal.say(paint('1', title));
  for (const [stamp] of counted(rows, 'stamps')) terminal.say(paint('33', `STAMP: ${stamp}`));
  const parts = [
    `${rows.length} of ${plan.variants.length} variants`,
    ...(left === 0 ? [] : [`${left} combinations left out by --where`]),
    ...(variantsPerSecond === null
      ? []
      : [
          `${variantsPerSecond < 10 ? variantsPerSecond.toFixed(1) : Math.round(variantsPerSecond)} a second`,
          playersText(queue, outcome.workers),
        ]),
  ];
  terminal.say(`  ${parts.join(', ')}`);
  terminal.say(`  ${engineText(outcome)}`);
  if (best.length > 0) {
    terminal.say();
    terminal.say(`best by ${column}`);
    for (const line of bestTable(outcome, best)) terminal.say(`  ${line}`);
  }
  if (plateau !== null) {
    terminal.say();
    for (const line of plateauText(best[0]!, plateau)) terminal.say(line);
  }
  const notes = [...counted(rows, 'notes')];
  for (const [note, n] of notes.slice(0, NOTES_SHOWN))
    terminal.warn(`${note} (${n} of ${rows.length} variants)`);
  if (notes.length > NOTES_SHOWN)
    terminal.warn(`and ${notes.length - NOTES_SHOWN} further notes: see rows of --json`);
}

function bestTable({ plan }: SweepOutcome, best: readonly SweepRow[]): string[] {
  const names = plan.grid.axes.map(({ name }) => name);
  const head = [...names, 'trades', 'return', 'Sharpe', 'max drawdown', 'fees'];
  const lines = best.map(({ parameters, figures }) => [
    ...names.map((name) => String(parameters[name])),
    String(figures.trades),
    percent(figures.return),
    figures.sharpe?.toFixed(3) ?? '-',
    percent(figures.maxDrawdown),
    figures.fees,
  ]);
  const right = head.map((_, i) => i).filter((i) => i >= names.length || plan.grid.axes[i]!.ordered);
  return table([head, ...lines], right);
}

/** Two decimals; two digits where those would say nothing. */
function percent(share: number | null): string {
  if (share === null) return '-';
  const value = share * 100;
  const isTiny = value !== 0 && Math.abs(value) < 0.01;
  return `${isTiny ? Number(value.toPrecision(2)) : value.toFixed(2)} %`;
}

function plateauText(best: SweepRow, plateau: Plateau): string[] {
  const point = Object.entries(best.parameters).map(([name, value]) => `${name}=${value}`);
  const where = `around ${point.join(' ')}`;
  if (plateau.neighbours === 0) return [`${where}: no variant lies one step away`];
  const figure = (value: number | null) => {
    if (value === null) return '-';
    if (plateau.column === 'return' || plateau.column === 'maxDrawdown') return percent(value);
    return value.toFixed(plateau.column === 'sharpe' ? 3 : 2);
  };
  const without = plateau.withoutFigure === 0 ? '' : ` (${plateau.withoutFigure} without one)`;
  return [
    `${where}: ${plateau.neighbours} ${plateau.neighbours === 1 ? 'variant' : 'variants'} one step away${without}`,
    `  ${plateau.column} here ${figure(plateau.centre)}, there mean ${figure(plateau.mean)}, worst ${figure(plateau.worst)}`,
  ];
}

/** Different texts of all rows with the number of rows that have them, the most frequent first. */
function counted(rows: readonly SweepRow[], key: 'notes' | 'stamps'): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) for (const text of row[key]) counts.set(text, (counts.get(text) ?? 0) + 1);
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}
