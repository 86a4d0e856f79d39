import { Command } from 'commander';
import { type RegistryOptions, withRegistryOption } from '../registry-options.ts';
import { EXIT, Terminal } from '../terminal.ts';

interface Options extends RegistryOptions {
  json: boolean;
}

export function passportCommand(): Command {
  const command = new Command('passport')
    .description(
      'How much of a result is luck: trials behind it, evidence, sturdiness, capacity, where it lived.',
    )
    .argument('<dir>', 'the directory that backtest --out wrote');
  return withRegistryOption(command)
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      `
The trials are counted in the registry: every backtest, sweep variant and study of the desk's family whose days overlap the
run's. A desk's family is what has its name, its file or its contents. The run is played again with 0.5 to 3 times its costs.
Writes passport.json into the directory.`,
    )
    .action(run);
}

async function run(dir: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { existingRegistry } = await import('../../setup/registry/open-registry.ts');
  const { makePassport, writePassport } = await import('../../passport/make-passport.ts');
  const { passportLines } = await import('../../passport/passport-text.ts');
  const registry = existingRegistry(options);
  let isStopped = false;
  const stop = () => {
    isStopped = true;
  };
  process.once('SIGINT', stop);
  const bar = terminal.progress('passport');
  const passport = await makePassport({
    dir,
    registry,
    onProgress: (done, total) => {
      bar.update(done, total);
      return !isStopped;
    },
  }).finally(() => {
    process.removeListener('SIGINT', stop);
    bar.stop();
    registry.close();
  });
  if (passport === null) {
    terminal.note('stopped: no passport was written');
    process.exitCode = EXIT.interrupted;
    return;
  }
  writePassport(dir, passport);
  terminal.result({ ...passport });
  for (const line of passportLines(passport)) terminal.say(line);
  terminal.say(`written to ${dir}/passport.json`);
}
