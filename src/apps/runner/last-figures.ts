import { readJournal } from '#adapters';
import { instantOf } from '#engine';
import type { PerformanceNote } from './notes.ts';
import type { PaperHeader } from './portfolio-setup.ts';
import type { RunMode } from './run-mode.ts';

/** What a journal says about a portfolio that does not run. */
export interface LastFigures {
  readonly mode: RunMode | null;
  readonly evidence: boolean | null;
  readonly at: number | null;
  readonly entries: number;
  /** The account at the last full hour that was written. */
  readonly performance: PerformanceNote | null;
}

/** Reads a journal to its end without folding it. */
export function lastFigures(path: string): LastFigures {
  let header: PaperHeader | null = null;
  let at: number | null = null;
  let entries = 0;
  let performance: string | null = null;
  for (const { kind, text } of readJournal(path)) {
    entries += 1;
    if (kind === 'header') header = JSON.parse(text) as PaperHeader;
    else if (kind === 'event') {
      at = instantOf(text) ?? at;
    } else if (kind === 'note' && text.startsWith('{"note":"performance"')) performance = text;
  }
  return {
    mode: header?.mode ?? null,
    evidence: header?.evidence ?? null,
    at,
    entries,
    performance: performance === null ? null : (JSON.parse(performance) as PerformanceNote),
  };
}
