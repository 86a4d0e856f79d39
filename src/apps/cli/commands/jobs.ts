import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { formatInstant, InputError } from '#base';
import type { JobStore } from '../../server/jobs/job-store.ts';
import { wholeArgument } from '../arguments.ts';
import { EXIT, ExitError, Terminal, table } from '../terminal.ts';

interface Options {
  dataDir: string;
  limit: number;
  json: boolean;
}

export function jobsCommand(): Command {
  const withPlace = (command: Command) =>
    command
      .option('--data-dir <dir>', 'where the console keeps its jobs', '.quorum')
      .option('--json', 'one JSON object on stdout', false);
  return new Command('jobs')
    .description('Work that was started in the console. The commands themselves do the same here and now.')
    .addCommand(
      withPlace(new Command('list').description('The newest jobs.'))
        .option('--limit <n>', 'jobs shown', wholeArgument(1, 500), 20)
        .action(list),
    )
    .addCommand(
      withPlace(
        new Command('show').description('One job and its result.').argument('<id>', 'of the list'),
      ).action(show),
    )
    .addCommand(
      withPlace(new Command('cancel').description('End a job.').argument('<id>', 'of the list')).action(
        cancel,
      ),
    );
}

async function withStore<T>({ dataDir }: Options, work: (store: JobStore) => T): Promise<T> {
  const { existsSync } = await import('node:fs');
  const { CONSOLE_FILE, openConsoleStore } = await import('../../server/identity/console-store.ts');
  const { JobStore } = await import('../../server/jobs/job-store.ts');
  const file = join(dataDir, CONSOLE_FILE);
  if (!existsSync(file)) throw new InputError(`there is no console in ${dataDir}`, 'start it: quorum start');
  const store = openConsoleStore(file);
  try {
    return work(new JobStore(store));
  } finally {
    store.close();
  }
}

async function list(options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const { jobs } = await withStore(options, (store) => store.list(options.limit, null));
  terminal.result({ jobs });
  const rows = jobs.map(({ id, kind, state, by, createdAt, says, error }) => [
    id,
    kind,
    state,
    formatInstant(createdAt),
    by,
    error ?? says,
  ]);
  for (const line of table(rows)) terminal.say(line);
  if (jobs.length === 0) terminal.say('no jobs yet');
}

async function show(id: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const job = await withStore(options, (store) => store.find(id));
  if (job === null) throw new InputError(`there is no job ${id}`, 'see quorum jobs list');
  terminal.result({ job });
  terminal.say(JSON.stringify(job, null, 2));
}

/** The server that runs the job looks once a second whether somebody asked. */
async function cancel(id: string, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  const by = `${userInfo().username} (command line)`;
  const asked = await withStore(options, (store) => {
    if (store.find(id) === null) throw new InputError(`there is no job ${id}`, 'see quorum jobs list');
    return store.askCancel(id, by);
  });
  if (!asked) throw new ExitError(EXIT.refused, `job ${id} is over already`);
  terminal.result({ ok: true, id });
  terminal.say(`job ${id} is being cancelled`);
}
