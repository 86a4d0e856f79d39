import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { JournalFile, readJournal } from '#adapters';
import type { JournalEntry } from '#engine';
import { type PortfolioRequest, setUpPortfolio } from '../../src/apps/runner/portfolio-setup.ts';
import { Session } from '../../src/apps/runner/session.ts';

/** Plays a portfolio's tape up to so many slices, through a session of its own. `leave` ends without closing. */
export async function play(
  request: PortfolioRequest,
  directory: string,
  slices: number,
  options: { leave?: boolean; snapshotEvery?: number } = {},
): Promise<Session> {
  const setup = await setUpPortfolio(request);
  const session = new Session({
    setup,
    directory,
    fresh: false,
    snapshotEvery: options.snapshotEvery ?? Number.POSITIVE_INFINITY,
    onCommand: () => undefined,
  });
  const tape = setup.tape!;
  tape.seek(session.steps);
  session.begin(session.engine.at > 0 ? session.engine.at : tape.peek()!);
  while (session.engine.counts.slices < slices) {
    const at = tape.peek();
    while (tape.peek() === at) session.market(tape.next());
    session.commit();
  }
  if (options.leave) session.journal.file.abandon();
  else session.close();
  return session;
}

export const entriesOf = (directory: string): JournalEntry[] => [...readJournal(join(directory, 'journal'))];

/** The commands of a journal but for the questions a restart asks about orders whose fate it does not know. */
export function decisionsIn(directory: string): string[] {
  return entriesOf(directory)
    .filter((e) => e.kind === 'command' && !e.text.startsWith('{"kind":"query-order"'))
    .map((e) => e.text);
}

/** Trades as the journal tells them. */
export function tradesIn(directory: string): string[] {
  return entriesOf(directory)
    .filter((e) => e.kind === 'note' && e.text.startsWith('{"note":"trade"'))
    .map((e) => e.text);
}

/** A journal that ends after the first `count` of these entries, as a crash leaves it. */
export function writeJournal(directory: string, entries: readonly JournalEntry[], count: number): void {
  mkdirSync(directory, { recursive: true });
  const file = JournalFile.create(join(directory, 'journal'), { headFile: 'keep' });
  for (const { kind, text } of entries.slice(0, count)) file.append(kind, text);
  file.close();
}
