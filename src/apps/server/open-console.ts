import { join } from 'node:path';
import { makeFolder, WriterLock } from '#adapters';
import { NO_ALERTS } from '../alerts/alert-configuration.ts';
import { CONSOLE_LOCK } from '../runner/console-companion.ts';
import { readConfiguration } from '../setup/configuration.ts';
import { checkListening } from './identity/index.ts';
import { type ConsoleOptions, createConsole, DEFAULT_PORT, type OpenConsole } from './server.ts';
import { ensureWebBuilt } from './web-build.ts';

export interface OwnConsoleOptions
  extends Pick<
    ConsoleOptions,
    'dataDir' | 'host' | 'tls' | 'trustedProxy' | 'origins' | 'configFile' | 'traces'
  > {
  /** Null: the default one. Where it is taken, one of the next twenty. */
  readonly port: number | null;
  readonly say: (line: string) => void;
}

const PORTS_MORE = 20;

/**
 * The console as a program of its own: the only one of its data directory, with the pages built and the configuration read.
 * Throws InputError when another process serves the directory, or no port is free.
 */
export async function openOwnConsole(options: OwnConsoleOptions): Promise<{
  readonly console: OpenConsole;
  readonly wasTaken: number | null;
  readonly release: () => void;
}> {
  const { port, say, ...rest } = options;
  const { host = '127.0.0.1', tls = null, trustedProxy = [], origins = [] } = rest;
  // before anything is built or made
  checkListening({ host, tls, trustedProxy, origins });
  makeFolder(options.dataDir);
  const lock = WriterLock.acquire(join(options.dataDir, CONSOLE_LOCK));
  try {
    const web = await ensureWebBuilt(say);
    if (web.trouble !== null) say(web.trouble);
    const configuration = await readConfiguration(options.configFile ?? null);
    const databaseUrl = process.env[configuration?.databaseUrlEnv ?? 'DATABASE_URL'] || null;
    const wanted = port ?? DEFAULT_PORT;
    const alerts = configuration?.alerts ?? NO_ALERTS;
    const more = { ...rest, webRoot: web.root, databaseUrl, alerts };
    const opened = await onFreePort(wanted, (free) => createConsole({ ...more, port: free }));
    const wasTaken = wanted !== 0 && opened.port !== wanted ? wanted : null;
    return { console: opened, wasTaken, release: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The first port from `wanted` on that nobody listens on. */
async function onFreePort(
  wanted: number,
  open: (port: number) => Promise<OpenConsole>,
): Promise<OpenConsole> {
  const last = wanted === 0 ? 0 : Math.min(65_535, wanted + PORTS_MORE);
  for (let port = wanted; ; port++) {
    try {
      return await open(port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port >= last) throw error;
    }
  }
}
