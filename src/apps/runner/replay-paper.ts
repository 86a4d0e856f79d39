import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readJournal, verifyJournal } from '#adapters';
import { formatDecimal, InputError } from '#base';
import { Engine, foldFacts, type JournalEntry, type TapeReader } from '#engine';
import { simulatedVenue } from '#execution';
import { codeHash } from '../setup/code-hash.ts';
import { type PaperHeader, type PaperSetup, setUpPortfolio } from './portfolio-setup.ts';
import { Recorder } from './recorder.ts';
import { recover } from './recover.ts';
import { headerOf } from './session.ts';

export interface PaperReplay {
  readonly portfolio: string;
  readonly mode: string;
  readonly evidence: boolean;
  readonly entries: number;
  readonly journalHash: string;
  readonly events: number;
  readonly commands: number;
  /** SHA-256 over the text of every command and a line end, in order. */
  readonly commandsHash: string;
  readonly equity: string;
  readonly currency: string;
  /** `decided`: the same version decided again. `facts`: another version, facts folded only. */
  readonly by: 'decided' | 'facts';
}

/**
 * Checks the chain of a portfolio's journal and decides everything in it again, engine and simulated venue, from the
 * first entry; also while the portfolio runs, then up to the last whole block. Of another version's journal only the
 * facts are folded. Throws InputError for damage or books that do not balance, RecoveryDiffers at the first difference.
 */
export async function replayPaper(
  directory: string,
  onProgress?: (done: number, total: number) => void,
): Promise<PaperReplay> {
  const path = join(directory, 'journal');
  const head = wholeJournal(path);
  const header = headerOf(path);
  if (header === null)
    throw new InputError(`${path} is empty`, 'give the folder of a portfolio that has run');
  const { request, mode, evidence } = header;
  const setup = await setUpPortfolio(request, header.series, header);
  const recorder = new Recorder();
  const engine = new Engine(setup.define(recorder));
  recorder.watch(engine);
  const hash = createHash('sha256');
  let sent = 0;
  const seen = ({ kind, text, position }: JournalEntry) => {
    if (kind === 'command') {
      hash.update(text).update('\n');
      sent += 1;
    }
    if ((position & 0xfff) === 0) onProgress?.(position, head.entries);
  };
  const same = header.codeHash === codeHash() && sameDesks(header, setup);
  const { events } = same
    ? recover({
        engine,
        venue: simulatedVenue(setup.venue),
        entries: readJournal(path),
        notesMade: () => recorder.taken(),
        onEntry: seen,
      })
    : facts(engine, path, seen);
  const { base, baseMinorScale } = engine.definition;
  return {
    portfolio: request.name,
    mode,
    evidence,
    entries: head.entries,
    journalHash: head.hash,
    events,
    commands: sent,
    commandsHash: hash.digest('hex'),
    equity: formatDecimal(engine.equity(), baseMinorScale),
    currency: base,
    by: same ? 'decided' : 'facts',
  };
}

/** Verifies a portfolio's journal; a torn tail is what a running or killed writer leaves. Throws InputError for damage. */
export function wholeJournal(path: string): { readonly entries: number; readonly hash: string } {
  const { head, fault } = verifyJournal(path);
  if (fault?.reason === 'damaged') {
    throw new InputError(
      `${path} is damaged at byte ${fault.offset}, entry ${fault.entry}: ${fault.what}`,
      'restore a backup: quorum restore FILE --data-dir DIR',
    );
  }
  return head;
}

function sameDesks(header: PaperHeader, setup: PaperSetup): boolean {
  return header.desks.every(({ hash }, i) => hash === setup.header.desks[i]!.hash);
}

function facts(engine: Engine, path: string, seen: (entry: JournalEntry) => void): { events: number } {
  const report = foldFacts(engine, tapped(readJournal(path), seen), noTape);
  const [unbalanced] = Object.entries(report.unbalanced);
  if (unbalanced !== undefined) {
    throw new InputError(
      `the books of ${path} do not balance: ${unbalanced[0]} sums to ${unbalanced[1]}`,
      'replay it with the version of the program that wrote it',
    );
  }
  return report;
}

function* tapped(entries: Iterable<JournalEntry>, seen: (entry: JournalEntry) => void) {
  for (const entry of entries) {
    seen(entry);
    yield entry;
  }
}

/** A paper journal holds its events themselves. */
const noTape: TapeReader = () => [];
