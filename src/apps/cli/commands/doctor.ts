import { Command } from 'commander';
import { collect } from '../arguments.ts';
import { EXIT, ExitError, paint, Terminal, table } from '../terminal.ts';

interface Options {
  dataDir: string;
  host: string[];
  offline: boolean;
  json: boolean;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Check versions, disk, clock, permissions, optional parts and hosts.')
    .option('--data-dir <dir>', 'where the program keeps its data', '.quorum')
    .option('--host <url>', 'also try this address; repeat for more', collect, [])
    .option('--offline', 'try no host', false)
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText(
      'after',
      '\nExit code 0 when the program can be used offline; hosts that cannot be reached are warnings.\n\nExamples:\n  $ quorum doctor\n  $ quorum doctor --offline --json',
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { checkup } = await import('../checkup.ts');
  const { LIVE_VENUES } = await import('#adapters');
  for (const url of options.host) {
    if (!URL.canParse(url))
      throw new ExitError(EXIT.usage, `--host ${url} is not a URL`, 'write for example https://host/');
  }
  const findings = await checkup({
    dir: options.dataDir,
    databaseUrl: process.env.DATABASE_URL ?? null,
    hosts: options.offline ? [] : [...Object.values(LIVE_VENUES).flatMap((v) => v.probes), ...options.host],
  });
  const bad = findings.filter(({ verdict }) => verdict === 'failed');
  terminal.result({ usable: bad.length === 0, findings });
  const colour = { ok: '32', warning: '33', failed: '31' } as const;
  const lines = table(findings.map(({ name, verdict, text }) => [verdict, name, text]));
  findings.forEach(({ verdict, mend }, i) => {
    terminal.say(lines[i]!.replace(verdict, paint(colour[verdict], verdict)));
    if (mend !== null) terminal.say(`         ${mend}`);
  });
  if (bad.length > 0) {
    throw new ExitError(
      EXIT.failed,
      `${bad.map(({ name }) => name).join(', ')}: the program cannot be used like this`,
    );
  }
  terminal.say(paint('32', 'the program can be used offline'));
}
