import { Command } from 'commander';
import { type RegistryOptions, withRegistryOption } from '../registry-options.ts';
import { EXIT, ExitError, paint, Terminal, table } from '../terminal.ts';

interface Options extends RegistryOptions {
  desk?: string;
  json: boolean;
}

export function runsCommand(): Command {
  const command = new Command('runs')
    .description(
      'Runs on record, by desk and data: how many trials, how many in effect, and the best of them.',
    )
    .option('--desk <name>', 'only desks of this name');
  const compare = new Command('compare')
    .description('Two runs on record side by side: what they came to, and every input in which they differ.')
    .argument('<a>', 'hash of a run')
    .argument('<b>', 'hash of another')
    .option('--json', 'one JSON object on stdout', false)
    .action(compareTwo);
  command.addCommand(compare);
  return withRegistryOption(command)
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      `
Every backtest, sweep variant and study is put on record by its contents, so the same run made twice is there once. Nothing is
ever taken out. The whole record is checked against its chain first.`,
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { existingRegistry } = await import('../../setup/registry/open-registry.ts');
  const { summariseRuns } = await import('../../passport/summarise-runs.ts');
  const registry = existingRegistry(options);
  try {
    const { groups, entries, trials, stages, head } = summariseRuns(registry, options.desk ?? null);
    terminal.result({ registry: registry.path, entries, trials, head, groups, stages });
    terminal.say(paint('1', `${trials} runs on record in ${registry.path}`));
    terminal.say(`  ${entries} entries, chain whole, head ${head.slice(0, 12) || '-'}`);
    if (groups.length > 0) terminal.say();
    const rows = groups.map((one) => [
      one.desk,
      one.instruments.length > 2 ? `${one.instruments.length} instruments` : one.instruments.join(', '),
      `${one.from} to ${one.to}`,
      String(one.trials),
      String(one.effective),
      one.best === null ? '-' : one.best.sharpe.toFixed(3),
      one.best === null ? '-' : one.best.hash.slice(0, 12),
    ]);
    const head_ = ['desk', 'instruments', 'days', 'trials', 'effective', 'best Sharpe', 'run'];
    if (groups.length > 0) for (const line of table([head_, ...rows], [3, 4, 5])) terminal.say(`  ${line}`);
    if (stages.length > 0) terminal.say();
    for (const { desk, deskHash, from, to, by, at, exception } of stages) {
      const signed = exception === null ? '' : `, EXCEPTION signed by ${exception.name}: ${exception.reason}`;
      terminal.say(
        `  ${new Date(at).toISOString()} ${desk} (${deskHash.slice(0, 12)}) ${from} -> ${to} by ${by}${signed}`,
      );
    }
  } finally {
    registry.close();
  }
}

async function compareTwo(a: string, b: string, _: unknown, command: Command): Promise<void> {
  const { json = false, registry } = command.optsWithGlobals<Partial<Options>>();
  const terminal = new Terminal(json);
  const { compareRuns } = await import('../../server/areas/workshop/runs.ts');
  const { Problem } = await import('../../server/context.ts');
  let compared: ReturnType<typeof compareRuns>;
  try {
    compared = compareRuns(a, b, { registry });
  } catch (error) {
    throw error instanceof Problem ? new ExitError(EXIT.badInput, error.message, error.mend) : error;
  }
  terminal.result({ ...compared });
  const text = (value: number | null) => (value === null ? '-' : String(Number(value.toPrecision(6))));
  const rows = compared.figures.map((one) => [one.name, text(one.a), text(one.b)]);
  for (const line of table([['', 'a', 'b'], ...rows], [1, 2])) terminal.say(`  ${line}`);
  for (const { path, before, after } of compared.differences)
    terminal.say(`  ${path}: ${JSON.stringify(before)} | ${JSON.stringify(after)}`);
}
