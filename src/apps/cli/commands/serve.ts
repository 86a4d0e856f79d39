import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { InputError } from '#base';
import type { ConsoleWord } from '../../runner/console-companion.ts';
import type { OpenConsole } from '../../server/server.ts';
import { wholeArgument } from '../arguments.ts';
import { EXIT, paint, Terminal } from '../terminal.ts';

interface Options {
  readonly dataDir: string;
  readonly host: string;
  readonly port?: number;
  readonly tlsKey?: string;
  readonly tlsCert?: string;
  readonly trustedProxy: readonly string[];
  readonly origin: readonly string[];
  readonly config?: string;
  readonly open: boolean;
}

const collect = (one: string, before: readonly string[]) => [...before, one];

export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'Serve the console of a data directory: pages for a browser, an API at /api and a live feed. quorum start does this by itself.',
    )
    .option('--data-dir <dir>', 'where journals and logs are kept', '.quorum')
    .option(
      '--host <address>',
      'where to listen; others than loopback need TLS or a trusted proxy',
      '127.0.0.1',
    )
    .option(
      '--port <port>',
      'port to listen on; the next free one when it is taken (default: 4680)',
      wholeArgument(0, 65_535),
    )
    .option('--tls-key <file>', 'private key (PEM): serve HTTPS')
    .option('--tls-cert <file>', 'certificate with its chain (PEM)')
    .option(
      '--trusted-proxy <address>',
      'a proxy that adds TLS, such as 10.0.0.1 or 10.0.0.0/8; may be repeated',
      collect,
      [],
    )
    .option('--origin <url>', 'another site whose pages may call the API; may be repeated', collect, [])
    .option('--config <file>', 'the configuration (default: quorum.config.json or .ts, when there is one)')
    .option('--open', 'open it in the browser', false)
    .action(run);
}

async function run(options: Options): Promise<void> {
  const terminal = new Terminal(false);
  const isCompanion = process.send !== undefined;
  // nothing is open yet that would have to be closed
  const gone = () => process.exit(EXIT.done);
  if (isCompanion) process.once('disconnect', gone);
  const word = (message: ConsoleWord) => process.send?.(message);
  const say = (line: string) => (isCompanion ? word({ word: 'says', line }) : terminal.say(line));
  const { openOwnConsole } = await import('../../server/open-console.ts');
  const { openTraces } = await import('../../traces/open-traces.ts');
  const traces = openTraces({ process: 'server', env: process.env, say });
  const { host, dataDir, trustedProxy, port = null } = options;
  const {
    console: opened,
    wasTaken,
    release,
  } = await openOwnConsole({
    dataDir,
    host,
    port,
    tls: readTls(options),
    trustedProxy,
    origins: options.origin,
    configFile: options.config ?? null,
    traces,
    say,
  });
  if (wasTaken !== null)
    say(paint('33', `port ${wasTaken} is taken by another program: ${opened.port} is used instead`));
  const { url, firstUser } = opened;
  if (isCompanion) word({ word: 'open', url, firstUser, isUnused: opened.isUnused });
  else tellPerson(terminal, opened, join(dataDir, 'server.log'));
  if (options.open) browse(url);
  process.off('disconnect', gone);
  const why = await ending(isCompanion);
  await opened.close();
  await traces?.close();
  release();
  if (why === 'SIGINT' && !isCompanion) process.exitCode = EXIT.interrupted;
  // a browser that keeps its connection must not keep the program
  if (isCompanion) process.disconnect?.();
}

function tellPerson(terminal: Terminal, { url, firstUser, isUnused }: OpenConsole, log: string): void {
  terminal.say(`the console is open at ${paint('1', url)} (log: ${log})`);
  if (firstUser !== null)
    terminal.say(
      `log in as ${firstUser.name} with the one-time password ${firstUser.password} (shown only now)`,
    );
  else if (isUnused)
    terminal.say('nobody has logged in yet; for a new one-time password: quorum users reset-password admin');
  terminal.say('end it with Ctrl-C');
}

function readTls({ tlsKey, tlsCert }: Options): { key: string; cert: string } | null {
  if (tlsKey === undefined && tlsCert === undefined) return null;
  if (tlsKey === undefined || tlsCert === undefined)
    throw new InputError(
      'TLS needs a key and a certificate',
      'give both files: --tls-key FILE --tls-cert FILE',
    );
  return { key: readFileSync(tlsKey, 'utf8'), cert: readFileSync(tlsCert, 'utf8') };
}

/** Resolves when the program is asked to end; a companion also when the program that started it is gone. */
function ending(isCompanion: boolean): Promise<string> {
  return new Promise((done) => {
    process.once('SIGTERM', () => done('SIGTERM'));
    process.once('SIGHUP', () => done('SIGHUP'));
    if (isCompanion) {
      // Ctrl-C in a terminal reaches both: who started it says when it ends
      process.on('SIGINT', () => undefined);
      process.once('disconnect', () => done('disconnect'));
      if (!process.connected) done('disconnect');
    } else process.once('SIGINT', () => done('SIGINT'));
  });
}

/** Leaves it to the system to find a browser; where there is none, the printed address is enough. */
function browse(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url];
  const child = spawn(command!, args, { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
