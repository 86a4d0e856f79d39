import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { InputError } from '#base';
import { Terminal } from '../terminal.ts';

export function backupCommand(): Command {
  return new Command('backup')
    .description('Write everything in the data directory to one file, also while something runs.')
    .argument('<file>', 'where to write, for example quorum-backup.gz')
    .option('--data-dir <dir>', 'where journals and logs are kept', '.quorum')
    .option('--json', 'one JSON object on stdout', false)
    .action(run);
}

async function run(file: string, options: { dataDir: string; json: boolean }): Promise<void> {
  const terminal = new Terminal(options.json);
  const { backup } = await import('#adapters');
  if (!existsSync(options.dataDir)) {
    throw new InputError(`there is no data directory ${options.dataDir}`, 'name it with --data-dir');
  }
  const report = await backup(options.dataDir, file);
  for (const { path, entries } of report.journals) terminal.say(`${path}: ${entries} entries, chain whole`);
  terminal.say(`${report.files} files, ${report.bytes} bytes written to ${file}`);
  terminal.result({ file, ...report });
}
