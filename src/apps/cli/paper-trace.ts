import { join } from 'node:path';
import { readJournal } from '#adapters';
import { formatDecimal, InputError, stepsToText } from '#base';
import type { DeskParts, TraceLine } from '#engine';
import { instrumentFor } from '#market';
import type { DerivedNote } from '../runner/notes.ts';
import { askPortfolios } from '../runner/portfolios-in.ts';
import { headerOf } from '../runner/session.ts';
import { loadDeskWith } from '../setup/load-desk.ts';
import type { FillLine } from './explanation.ts';
import { EXIT, ExitError } from './terminal.ts';
import { GRACE_MS, type TraceQuestion, TraceSearch } from './trace-search.ts';

/** The parts of a portfolio's desks, as far as they can be loaded here. */
export async function partsOfPortfolio(directory: string): Promise<ReadonlyMap<string, DeskParts>> {
  const parts = new Map<string, DeskParts>();
  for (const given of headerOf(join(directory, 'journal'))?.request.portfolio.desks ?? []) {
    try {
      const { definition, parts: own } = await loadDeskWith(given.desk, given.parameters);
      parts.set(given.name ?? definition.name, own);
    } catch (error) {
      // a desk file that has gone takes the names of its gates with it, nothing else
      if (!(error instanceof InputError)) throw error;
    }
  }
  return parts;
}

/** What a portfolio's figures rest on: PAPER, REPLAY or SYNTHETIC. */
export function modeOfPortfolio(directory: string): string | null {
  return headerOf(join(directory, 'journal'))?.mode ?? null;
}

/** The notes that a portfolio's journal holds, in order. */
function* notesIn(directory: string): Generator<DerivedNote, void, void> {
  for (const { kind, text } of readJournal(join(directory, 'journal'))) {
    if (kind === 'note') yield JSON.parse(text) as DerivedNote;
  }
}

/** Searches the trace that a paper portfolio keeps in its journal. */
export function searchJournal(directory: string, question: TraceQuestion): TraceSearch {
  const search = new TraceSearch(question);
  for (const note of notesIn(directory)) if (note.note === 'trace') search.line(note.line);
  return search.finish();
}

/** Fills of some orders, from a portfolio's journal. */
export function fillsInJournal(directory: string, orders: ReadonlySet<string>): FillLine[] {
  const fills: FillLine[] = [];
  if (orders.size === 0) return fills;
  for (const note of notesIn(directory)) {
    if (note.note !== 'fill' || !orders.has(note.fill.clientId)) continue;
    const { fill, at, reason } = note;
    const instrument = instrumentFor(fill.instrument);
    fills.push({
      orderId: fill.clientId,
      time: at,
      side: fill.side,
      quantity: stepsToText(fill.lots, instrument.lot),
      price: stepsToText(fill.ticks, instrument.tick),
      fee: formatDecimal(fill.fee, instrument.minorScale),
      reason,
    });
  }
  return fills;
}

export interface LiveTrace {
  readonly portfolio: string;
  readonly directory: string;
  readonly search: TraceSearch;
}

/** What the running portfolio remembers about a question. Throws ExitError when none runs, InputError when several do. */
export async function searchRunning(
  dataDir: string,
  named: string | null,
  question: TraceQuestion,
): Promise<LiveTrace> {
  const at = question.at === null ? null : question.at + GRACE_MS;
  const { instrument } = question;
  const answers = await askPortfolios(dataDir, named, { ask: 'why', instrument, at, most: 1_000 });
  const running = answers.filter(({ answer }) => answer !== null);
  if (running.length > 1) {
    throw new InputError(
      `${running.map(({ name }) => name).join(', ')} run here`,
      'name one with --portfolio',
    );
  }
  const [found] = running;
  if (found === undefined) {
    throw new ExitError(
      EXIT.unreachable,
      `no program runs on ${dataDir}`,
      'start it with quorum start, or name its folder with --data-dir',
    );
  }
  const { ok, error, lines } = found.answer!;
  if (!ok || !Array.isArray(lines))
    throw new ExitError(EXIT.failed, error ?? 'the running program keeps no trace');
  const search = new TraceSearch(question);
  for (const line of lines as TraceLine[]) search.line(line);
  return { portfolio: found.name, directory: join(dataDir, found.name), search: search.finish() };
}
