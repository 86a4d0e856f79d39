import { Command, Option } from 'commander';
import type { PromotionOutcome } from '../../promotion/promote.ts';
import { collect } from '../arguments.ts';
import { criteriaLines, exceptionLines, readSignature } from '../criteria-text.ts';
import { type RegistryOptions, withRegistryOption } from '../registry-options.ts';
import { EXIT, ExitError, paint, Terminal } from '../terminal.ts';

interface Options extends RegistryOptions {
  to?: 'paper' | 'live';
  profile?: string;
  set: string[];
  sign?: string;
  paper?: string;
  against?: string;
  out?: string;
  check?: string;
  json: boolean;
}

export function promoteCommand(): Command {
  const command = new Command('promote')
    .description(
      'Let a desk go to paper or live, or refuse: each criterion with its figure, and the evidence.',
    )
    .argument('[desk]', 'a desk, or the directory of the run that speaks for it')
    .addOption(new Option('--to <stage>', 'where it shall go').choices(['paper', 'live']))
    .option(
      '--profile <name>',
      's1, fleet, sigma or a JSON file; the usual one of the desk when left out; adds to s1 what is of S1',
    )
    .option('--set <key=value>', 'a parameter of the desk; repeat for more', collect, [])
    .option('--paper <dir>', 'the folder of the paper portfolio that traded it')
    .option('--against <dir>', 'a backtest of the bars it was on paper for; the run itself when left out')
    .option('--sign "<name: reason>"', 'sign for a DSR or PBO that is not met; put on record')
    .option('--out <dir>', 'where the evidence goes; a new folder beside the registry when left out')
    .option('--check <bundle>', 'check the hashes of an evidence bundle');
  return withRegistryOption(command)
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      `
Research leads to paper, paper to live, one stage at a time, for a desk with exactly its parameters. On top of every profile
stand DSR >= 0.95 and PBO <= 0.20, a run on record, and nothing switched off. What is not known is not met. Exit code 4: refused.`,
    )
    .action(run);
}

async function run(named: string | undefined, options: Options): Promise<void> {
  if (options.check !== undefined) return check(options.check, options);
  if (named === undefined)
    throw new ExitError(
      EXIT.usage,
      'name a desk or the directory of a run',
      'such as: quorum promote runs/mine --to paper',
    );
  const { to } = options;
  if (to === undefined)
    throw new ExitError(EXIT.usage, 'say where it shall go', 'add --to paper or --to live');
  const exception = options.sign === undefined ? null : readSignature(options.sign);
  const terminal = new Terminal(options.json);
  const { existingRegistry } = await import('../../setup/registry/open-registry.ts');
  const { promote, runOf } = await import('../../promotion/promote.ts');
  const { readProfile } = await import('../../promotion/read-profile.ts');
  // a profile that cannot be read is told before anything is played
  if (options.profile !== undefined) readProfile(options.profile, '');
  const registry = existingRegistry(options);
  let isStopped = false;
  const stop = () => {
    isStopped = true;
  };
  process.once('SIGINT', stop);
  const bar = terminal.progress('promote');
  const judge = async () => {
    const dir = await runOf(named, options.set, registry);
    const outcome = await promote({
      dir,
      to,
      profile: (desk) => readProfile(options.profile ?? null, desk),
      exception,
      paper: options.paper ?? null,
      against: options.against ?? null,
      registry,
      out: options.out ?? null,
      onProgress: (done, total) => {
        bar.update(done, total);
        return !isStopped;
      },
    });
    return outcome === null ? null : { dir, outcome };
  };
  const done = await judge().finally(() => {
    process.removeListener('SIGINT', stop);
    bar.stop();
    registry.close();
  });
  if (done === null) {
    terminal.note('stopped: nothing was decided');
    process.exitCode = EXIT.interrupted;
    return;
  }
  const { passport: _, ...told } = done.outcome;
  terminal.result({ run: done.dir, ...told });
  print(terminal, done.dir, done.outcome);
  if (!done.outcome.promoted) process.exitCode = EXIT.refused;
}

function print(terminal: Terminal, dir: string, outcome: PromotionOutcome): void {
  const { desk, deskHash, from, to, profile, criteria, exception, promoted, bundle } = outcome;
  terminal.say(
    paint('1', `${desk} (${deskHash.slice(0, 12)}): ${from} -> ${to}, profile ${profile}, on the run ${dir}`),
  );
  for (const line of criteriaLines(criteria)) terminal.say(line);
  for (const line of exceptionLines(criteria, exception)) terminal.say(line);
  const failed = criteria.filter(({ verdict }) => verdict === 'not met' || verdict === 'unknown').length;
  terminal.say();
  terminal.say(
    promoted
      ? paint('32', `promoted to ${to}`)
      : paint('31', `REFUSED: ${failed} of ${criteria.length} criteria are not met`),
  );
  terminal.say(`evidence in ${bundle}; quorum promote --check checks it`);
}

async function check(bundle: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { checkBundle } = await import('../../promotion/evidence-bundle.ts');
  const { RunRegistry } = await import('#adapters');
  const { registryFile } = await import('../../setup/registry/open-registry.ts');
  const registry = RunRegistry.openExisting(registryFile(options));
  try {
    registry?.verify();
    const { manifest, hash, promotion, inRegistry, isRecorded } = checkBundle(bundle, registry);
    const files = Object.keys(manifest.files);
    terminal.result({ bundle, hash, files, promoted: promotion.promoted, inRegistry, isRecorded });
    terminal.say(`${files.length} files of ${bundle} are as they were written; bundle ${hash.slice(0, 12)}`);
    terminal.say(
      `${String(promotion.desk)} to ${String(promotion.to)}: ${promotion.promoted === true ? 'promoted' : 'refused'}`,
    );
    if (inRegistry === null) terminal.warn('there is no registry here to compare it with');
    else
      terminal.say(
        `the registry holds the head it was made at${isRecorded === true ? ', and the promotion' : ''}`,
      );
  } finally {
    registry?.close();
  }
}
