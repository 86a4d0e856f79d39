import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readJournal, verifyJournal } from '#adapters';
import { formatDecimal, InputError } from '#base';
import { Engine } from '#engine';
import { simulatedVenue } from '#execution';
import { codeHash } from '../setup/code-hash.ts';
import { setUpPortfolio } from './portfolio-setup.ts';
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
}

/**
 * Checks the chain of a portfolio's journal and decides everything in it again, engine and simulated venue, from the
 * first entry. Throws InputError for damage or another version, RecoveryDiffers at the first difference.
 */
export async function replayPaper(
  directory: string,
  onProgress?: (done: number, total: number) => void,
): Promise<PaperReplay> {
  const path = join(directory, 'journal');
  const { head, fault } = verifyJournal(path);
  if (fault?.reason === 'damaged') {
    throw new InputError(
      `${path} is damaged at byte ${fault.offset}, entry ${fault.entry}: ${fault.what}`,
      'restore a backup',
    );
  }
  const header = headerOf(path);
  if (header === null)
    throw new InputError(`${path} is empty`, 'give the folder of a portfolio that has run');
  if (header.codeHash !== codeHash()) {
    throw new InputError(
      `${path} was decided by another version of the program`,
      'replay it with that version',
    );
  }
  const { request, mode, evidence } = header;
  const setup = await setUpPortfolio(request, header.series);
  const recorder = new Recorder();
  const engine = new Engine(setup.define(recorder));
  recorder.watch(engine);
  const hash = createHash('sha256');
  const { events, commands } = recover({
    engine,
    venue: simulatedVenue(setup.venue),
    entries: readJournal(path),
    notesMade: () => recorder.taken(),
    onEntry: ({ kind, text, position }) => {
      if (kind === 'command') hash.update(text).update('\n');
      if ((position & 0xfff) === 0) onProgress?.(position, head.entries);
    },
  });
  const { base, baseMinorScale } = engine.definition;
  return {
    portfolio: request.name,
    mode,
    evidence,
    entries: head.entries,
    journalHash: head.hash,
    events,
    commands,
    commandsHash: hash.digest('hex'),
    equity: formatDecimal(engine.equity(), baseMinorScale),
    currency: base,
  };
}
