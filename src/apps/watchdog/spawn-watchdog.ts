import { spawn } from 'node:child_process';

/**
 * Starts a watchdog beside this process, free of it: it must outlive what it watches. It ends by itself when everything has
 * ended cleanly, and at once when another one watches already.
 */
export function spawnWatchdog(dataDir: string, config: string | null): void {
  const { QUORUM_LAUNCHER: _, ...env } = process.env;
  const args = [
    'watchdog',
    '--data-dir',
    dataDir,
    '--until-ended',
    ...(config === null ? [] : ['--config', config]),
  ];
  const child = spawn(process.execPath, [process.argv[1]!, ...args], {
    detached: true,
    stdio: 'ignore',
    env,
  });
  child.on('error', () => undefined);
  child.unref();
}
