import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '#base';
import { askControl, type ControlAnswer, type ControlRequest } from './control.ts';

/** Portfolios with a journal below a data directory, sorted; those put aside are not among them. */
export function portfoliosIn(dataDir: string): string[] {
  if (!existsSync(dataDir)) return [];
  if (!statSync(dataDir).isDirectory())
    throw new InputError(`${dataDir} is a file, not a data directory`, 'name another with --data-dir');
  return readdirSync(dataDir, { withFileTypes: true })
    .filter(
      (e) => e.isDirectory() && !/\.before-\d+$/.test(e.name) && existsSync(join(dataDir, e.name, 'journal')),
    )
    .map((e) => e.name)
    .sort();
}

/** The portfolios that were asked for and what they answer; null for one that does not run. */
export async function askPortfolios(
  dataDir: string,
  named: string | null,
  question: ControlRequest,
): Promise<{ name: string; answer: ControlAnswer | null }[]> {
  const names = portfoliosIn(dataDir);
  if (named !== null && !names.includes(named)) {
    throw new InputError(
      `${dataDir} holds no portfolio "${named}"`,
      names.length === 0 ? 'start one: quorum start' : `it holds ${names.join(', ')}`,
    );
  }
  const asked = named === null ? names : [named];
  return Promise.all(
    asked.map(async (name) => ({ name, answer: await askControl(join(dataDir, name), question) })),
  );
}

/**
 * Asks the one running portfolio that is meant, and it alone; null when none runs. Throws InputError when several run and
 * none is named.
 */
export async function askRunning(
  dataDir: string,
  named: string | null,
  question: ControlRequest,
): Promise<{ name: string; answer: ControlAnswer | null } | null> {
  const answers = await askPortfolios(dataDir, named, { ask: 'status' });
  const running = answers.filter(({ answer }) => answer !== null).map(({ name }) => name);
  if (running.length > 1) {
    throw new InputError(`${running.join(', ')} run here`, 'name one with --portfolio');
  }
  const [name] = running;
  return name === undefined ? null : { name, answer: await askControl(join(dataDir, name), question) };
}
