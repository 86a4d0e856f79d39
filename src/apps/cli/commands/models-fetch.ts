import { join } from 'node:path';
import { Argument, Command } from 'commander';
import { Terminal } from '../terminal.ts';

interface Options {
  from?: string;
  to?: string;
  dataDir: string;
  quantized: boolean;
  again: boolean;
  json: boolean;
}

/** The subcommand `fetch` of `quorum models`. */
export function modelsFetchCommand(): Command {
  return new Command('fetch')
    .description(
      'Fetch the model that scores news (FinBERT, 438 MB). An interrupted fetch goes on where it stopped; every file is checked by its SHA-256, at each start too.',
    )
    .addArgument(new Argument('<model>', 'which model').choices(['finbert']))
    .option('--from <url>', 'another address of the same files: a mirror, or a server of your own')
    .option('--to <dir>', 'where it goes (default: models/finbert in the data directory)')
    .option('--data-dir <dir>', 'where journals and logs are kept', '.quorum')
    .option('--quantized', 'the model in 8-bit weights: 111 MB, faster, a little less exact', false)
    .option('--again', 'fetch files that are here already', false)
    .option('--json', 'one JSON object on stdout', false)
    .action(run);
}

async function run(_model: string, options: Options): Promise<void> {
  const { fetchFinbert } = await import('../../models/fetch-finbert.ts');
  const { loadOnnxRuntime } = await import('#adapters');
  const terminal = new Terminal(options.json);
  const to = options.to ?? join(options.dataDir, 'models', 'finbert');
  let current = '';
  let bar = terminal.progress('');
  const fetched = await fetchFinbert({
    to,
    isQuantized: options.quantized,
    again: options.again,
    ...(options.from === undefined ? {} : { from: options.from }),
    onProgress: (name, done, total) => {
      if (name !== current) {
        bar.stop();
        bar = terminal.progress(name);
        current = name;
      }
      bar.update(done, total);
    },
  }).finally(() => bar.stop());
  for (const { name, sha256, fetched: file } of fetched.files) {
    const what =
      file === null ? 'was here' : file.resumedFrom > 0 ? `resumed at ${file.resumedFrom}` : 'fetched';
    terminal.say(`${sha256.slice(0, 12)}  ${name}  ${what}`);
  }
  terminal.say(`FinBERT is in ${fetched.folder}; SHA256SUMS beside it says what was fetched`);
  if (!fetched.isVouched)
    terminal.note(
      'the source did not say what the model must be: compare its hash with that of another copy',
    );
  const runtime = await loadOnnxRuntime().then(
    () => null,
    (error: Error & { mend?: string }) => `${error.message}: ${error.mend ?? ''}`,
  );
  if (runtime !== null) terminal.note(runtime);
  terminal.result({
    folder: fetched.folder,
    vouched: fetched.isVouched,
    runtime: runtime === null,
    files: fetched.files.map(({ name, sha256, fetched: file }) => ({
      name,
      sha256,
      bytes: file?.bytes ?? null,
      resumedFrom: file?.resumedFrom ?? null,
    })),
  });
}
