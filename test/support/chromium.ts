import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A Chromium of this machine, or null: such tests then skip and say so. */
export const CHROMIUM: string | null = PLACES.find((path) => existsSync(path)) ?? null;

if (CHROMIUM === null) process.stdout.write('skipped: tests in a browser (install chromium)\n');

/** A browser that asks the network for nothing of its own. */
export function startBrowser(): Promise<Browser> {
  const quiet = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  return chromium.launch({ executablePath: CHROMIUM!, args: quiet });
}
