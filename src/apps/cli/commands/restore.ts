import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { InputError } from '#base';
import { Terminal } from '../terminal.ts';

export function restoreCommand(): Command {
  return new Command('restore')
    .description('Put a backup into a data directory, after every file and every chain in it was checked.')
    .argument('<file>', 'what quorum backup wrote')
    .option('--data-dir <dir>', 'where to put it', '.quorum')
    .option('--force', 'replace a directory that is not empty', false)
    .option('--json', 'one JSON object on stdout', false)
    .action(run);
}

async function run(file: string, options: { dataDir: string; force: boolean; json: boolean }): Promise<void> {
  const terminal = new Terminal(options.json);
  const { restore } = await import('#adapters');
  if (!existsSync(file)) throw new InputError(`there is no backup ${file}`, 'check the path');
  const report = await restore(file, options.dataDir, { force: options.force });
  for (const { path, entries } of report.journals) terminal.say(`${path}: ${entries} entries, chain whole`);
  terminal.say(`${report.files} files restored to ${options.dataDir}`);
  terminal.result({ dataDir: options.dataDir, ...report });
}
