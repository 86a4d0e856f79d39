import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { Command } from 'commander';
import { InputError } from '#base';
import { scaffold } from '../scaffold.ts';
import { Terminal } from '../terminal.ts';

export function newCommand(): Command {
  return new Command('new')
    .description('Make a folder with an own desk: a strategy to change, bars to try it on.')
    .argument('<name>', 'the desk and its folder: lower-case letters, digits and hyphens')
    .option('--in <dir>', 'the folder to make it in', '.')
    .option('--js', 'JavaScript instead of TypeScript', false)
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ quorum new my-desk\n  $ quorum backtest my-desk/desk.ts --bars my-desk/bars/SPX-1d.csv',
    )
    .action(run);
}

async function run(name: string, options: { in: string; js: boolean; json: boolean }): Promise<void> {
  const terminal = new Terminal(options.json);
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(name)) {
    throw new InputError(
      `"${name}" is not a desk name`,
      'use lower-case letters, digits and hyphens, at most 31 of them',
    );
  }
  const dir = resolve(options.in, name);
  refuseOccupied(dir, name);
  const { writeWholeFile } = await import('../../whole-file.ts');
  const language = options.js ? 'js' : 'ts';
  const files = scaffold({ name, dir, language, sample: await sampleBars() });
  for (const { path, text } of files) {
    const full = join(dir, path);
    writeWholeFile(full, [text]);
  }
  const folder = relative(process.cwd(), dir).split(sep).join('/');
  const desk = `${folder}/desk.${language}`;
  const sample = files.find(({ path }) => path.startsWith('bars/'))?.path;
  const bars = sample === undefined ? 'YOURFILE.csv' : `${folder}/${sample}`;
  const next = `npx quorum backtest ${desk} --bars ${bars}`;
  terminal.result({ name, dir, files: files.map(({ path }) => path), next });
  terminal.say(`made ${folder}/ with ${files.map(({ path }) => path).join(', ')}`);
  terminal.say();
  terminal.say(`try it:     ${next}`);
  terminal.say(`change it:  ${desk}`);
}

/** Nothing that is there already is touched. */
function refuseOccupied(dir: string, name: string): void {
  if (!existsSync(dir)) return;
  if (!statSync(dir).isDirectory()) throw new InputError(`${name} is a file`, 'choose another name');
  const found = readdirSync(dir);
  if (found.length > 0) {
    throw new InputError(
      `${name}/ exists and holds ${found[0]}`,
      'choose another name, or remove the folder yourself',
    );
  }
}

/** The daily bars that ship inside a package, as a bars file; null when the package is missing. */
async function sampleBars(): Promise<string | null> {
  const { csvBytes, readSample } = await import('#adapters');
  try {
    const { instrument, columns } = await readSample();
    return csvBytes([{ symbol: instrument, columns }], false).toString('utf8');
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
