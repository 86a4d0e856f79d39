import { Command } from 'commander';
import { wholeArgument } from '../../arguments.ts';
import { EXIT, ExitError, Terminal, table } from '../../terminal.ts';
import { type ModelsOptions, shortId, withModelsOptions } from './options.ts';

const KEPT = 5;

export function pruneCommand(): Command {
  const command = new Command('prune')
    .description('Take old models away: the newest of each name stay, and whatever is or was staged.')
    .option('--keep <n>', 'newest models of each name that stay', wholeArgument(1, 100_000), KEPT)
    .option('--dry-run', 'say what would go, and take nothing', false);
  return withModelsOptions(command)
    .addHelpText(
      'after',
      '\nTheir record stays; a file that was exported brings them back.\n\nExample:\n  $ quorum models prune --keep 10 --dry-run',
    )
    .action(runPrune);
}

async function runPrune(options: ModelsOptions & { keep: number; dryRun: boolean }): Promise<void> {
  const terminal = new Terminal(options.json);
  const { actNow, existingModels } = await import('../../../models/models-folder.ts');
  const { keep, dryRun } = options;
  const registry = existingModels(options);
  try {
    const { models, bytes, leftOver } = registry.prune(keep, dryRun, actNow());
    const gone = models.map(({ id, name }) => ({ id, name }));
    terminal.result({ keep, dryRun, models: gone, bytes, leftOver });
    for (const line of table(gone.map(({ id, name }) => [name, shortId(id)]))) terminal.say(line);
    const size = `${(bytes / 1e6).toFixed(1)} MB`;
    terminal.say(
      `${gone.length} ${gone.length === 1 ? 'model' : 'models'}, ${size}, ${dryRun ? 'would go' : 'taken away'}`,
    );
    if (leftOver > 0)
      terminal.say(`${leftOver} files that nothing needs ${dryRun ? 'would go' : 'taken away'}`);
  } finally {
    registry.close();
  }
}

export function verifyCommand(): Command {
  const command = new Command('verify').description(
    'Read every model, its evidence and the whole log, and compare them with their hashes.',
  );
  return withModelsOptions(command)
    .addHelpText('after', '\nExit code 3 when something is not as it was written.')
    .action(runVerify);
}

async function runVerify(options: ModelsOptions): Promise<void> {
  const terminal = new Terminal(options.json);
  const { existingModels } = await import('../../../models/models-folder.ts');
  const registry = existingModels(options);
  try {
    const check = registry.verify();
    const { models, entries, objects, head, faults, leftOver } = check;
    terminal.result({ folder: registry.folder, ...check });
    terminal.say(
      `${models} models, ${objects} objects, ${entries} entries, head ${head.slice(0, 12) || '-'}`,
    );
    if (leftOver.length > 0)
      terminal.say(`${leftOver.length} files that nothing needs; quorum models prune takes them away`);
    for (const fault of faults) terminal.warn(fault);
    if (faults.length === 0) return terminal.say('everything is as it was written');
    throw new ExitError(
      EXIT.badInput,
      `${faults.length} faults in ${registry.folder}`,
      'put back a copy of it, or import the exported models again, which mends them',
    );
  } finally {
    registry.close();
  }
}
