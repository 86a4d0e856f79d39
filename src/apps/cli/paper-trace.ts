import { join } from 'node:path';
import { formatDecimal, stepsToText } from '#base';
import type { TraceLine } from '#engine';
import type { FillLine } from '../explain/explanation.ts';
import { entriesFrom, instrumentIn, type Timed } from '../runner/journal-entries.ts';
import type { PaperNote } from '../runner/notes.ts';
import { askRunning } from '../runner/portfolios-in.ts';
import { headerOf } from '../runner/session.ts';
import { EXIT, ExitError } from './terminal.ts';
import { GRACE_MS, type TraceQuestion, TraceSearch } from './trace-search.ts';

/** What a portfolio's figures rest on: PAPER, REPLAY or SYNTHETIC. */
export function modeOfPortfolio(directory: string): string | null {
  return headerOf(join(directory, 'journal'))?.mode ?? null;
}

/** The notes that a portfolio's journal holds, in order. */
function* notesIn(directory: string): Generator<Timed & { readonly value: PaperNote }, void, void> {
  for (const { kind, value } of entriesFrom(join(directory, 'journal'), 0)) {
    if (kind === 'note' && value !== null) yield value as Timed & { readonly value: PaperNote };
  }
}

/** Searches the trace that a paper portfolio keeps in its journal. */
export function searchJournal(directory: string, question: TraceQuestion): TraceSearch {
  const search = new TraceSearch(question);
  for (const { value } of notesIn(directory)) if (value.note === 'trace') search.line(value.line);
  return search.finish();
}

/** Fills of some orders, from a portfolio's journal. */
export function fillsInJournal(directory: string, orders: ReadonlySet<string>): FillLine[] {
  const fills: FillLine[] = [];
  if (orders.size === 0) return fills;
  for (const timed of notesIn(directory)) {
    const { value: note } = timed;
    if (note.note !== 'fill' || !orders.has(note.fill.clientId)) continue;
    const { fill, at, reason } = note;
    const instrument = instrumentIn(timed, fill.instrument);
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
  const found = await askRunning(dataDir, named, { ask: 'why', instrument, at, most: 1_000 });
  if (found === null) {
    throw new ExitError(
      EXIT.unreachable,
      `no program runs on ${dataDir}`,
      'start it with quorum start, or name its folder with --data-dir',
    );
  }
  const { name, answer } = found;
  if (!answer?.ok || !Array.isArray(answer.lines))
    throw new ExitError(EXIT.failed, answer?.error ?? `${name} does not answer`);
  const search = new TraceSearch(question);
  for (const line of answer.lines as TraceLine[]) search.line(line);
  return { portfolio: name, directory: join(dataDir, name), search: search.finish() };
}
