import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '#base';
import type { Measured } from '#research';
import { s1LengthsOf } from '#signals';
import { headerOf } from '../runner/session.ts';
import { chartParityOfStore, measuredParity } from './chart-parity-run.ts';

/**
 * Drift between a chart's script and our features over the stored bars of the webhook feed that a paper portfolio runs on;
 * `config` is the name of the model. Undefined for a portfolio on another feed: there is no script then, and other evidence counts.
 */
export async function parityOnPaper(
  paper: string,
  config: string,
  parameters: Readonly<Record<string, number | string>>,
): Promise<Measured | undefined> {
  const journal = join(paper, 'journal');
  // whoever measures the time on paper says so
  if (!existsSync(journal)) return undefined;
  const header = headerOf(journal);
  const feed = header?.request.feed;
  if (header === null || feed?.kind !== 'webhook') return undefined;
  try {
    const study = await chartParityOfStore({
      feed,
      feedName: header.request.portfolio.feed,
      dataDir: dirname(paper),
      config,
      lengths: s1LengthsOf(parameters),
    });
    return measuredParity(study);
  } catch (error) {
    if (error instanceof InputError) return { value: null, note: error.message };
    throw error;
  }
}
