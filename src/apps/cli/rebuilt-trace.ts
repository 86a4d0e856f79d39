import { join } from 'node:path';
import { readJournal } from '#adapters';
import { InputError, type Instant } from '#base';
import {
  type DeskParts,
  type Engine,
  type Event,
  type JournalEntry,
  readEvent,
  replay,
  type TapeReader,
} from '#engine';
import { type SigmaMembers, type SigmaReadings, scoreV1, sigmaGuards } from '#signals';
import { checkJournal, prepareReplay } from '../setup/replay-run.ts';
import { GRACE_MS, type TraceQuestion, TraceSearch } from './trace-search.ts';

/** What deciding again gave. */
export interface Rebuilt {
  readonly search: TraceSearch;
  readonly parts: ReadonlyMap<string, DeskParts>;
  /** Sigma's twelve members of one instrument, where its V1 spoke at the time asked for; null otherwise. */
  members(desk: string, instrument: string, score: number): SigmaMembers | null;
}

/** Decides a run again up to the time asked for, every slice traced, whatever the run itself kept. */
export async function rebuild(
  dir: string,
  question: TraceQuestion,
  onProgress: (done: number, total: number) => void,
): Promise<Rebuilt> {
  const { entries: total } = checkJournal(dir);
  const search = new TraceSearch(question);
  const { engine, reader, sameVersion, study } = await prepareReplay(dir, search);
  if (!sameVersion) {
    throw new InputError(
      `${dir} was decided by another version of the program or of its desk`,
      'use the version whose code hash stands in summary.json; decisions.jsonl holds what the run itself kept',
    );
  }
  // the grace of the search: a slice that waited for a late bar belongs to the time asked for
  const bounded = new Bounded(reader, question.at === null ? Infinity : question.at + GRACE_MS);
  const journal = bounded.entries(readJournal(join(dir, 'journal')));
  const report = replay(engine, journal, bounded.reader, (position) => onProgress(position, total));
  if (report.difference !== null && !bounded.ended) {
    throw new InputError(
      `the replay parts from the record at entry ${report.difference.position}`,
      'run quorum replay on the directory to see where',
    );
  }
  return {
    search: search.finish(),
    parts: new Map(study.definition.desks.map((desk) => [desk.name, desk.parts])),
    members: (desk, instrument, score) =>
      question.at === null ? null : membersOf(engine, desk, instrument, score),
  };
}

/** Ends journal and tape behind a time. */
class Bounded {
  ended = false;
  readonly reader: TapeReader;
  private readonly last: Instant;

  constructor(reader: TapeReader, last: Instant) {
    this.last = last;
    this.reader = (from, to) => this.cut(reader(from, to));
  }

  *entries(all: Iterable<JournalEntry>): Generator<JournalEntry, void, void> {
    for (const entry of all) {
      if (this.ended) return;
      if (entry.kind === 'event' && this.last < Infinity && readEvent(entry.text).at > this.last) {
        this.ended = true;
        return;
      }
      yield entry;
    }
  }

  private *cut(events: Iterable<Event>): Generator<Event, void, void> {
    for (const event of events) {
      if (event.at > this.last) {
        this.ended = true;
        return;
      }
      yield event;
    }
  }
}

/** Computed from where the engine stands; null unless it gives the very score that was traced. */
function membersOf(engine: Engine, desk: string, instrument: string, score: number): SigmaMembers | null {
  const runtime = engine.desks.find(({ name }) => name === desk);
  const view = runtime?.instruments.find((one) => one.instrument.id === instrument);
  const index = runtime?.parts.sources.findIndex(({ name }) => name === 'sigma-v1') ?? -1;
  if (view === undefined || index < 0) return null;
  const readings = view.sourceValues[index] as unknown as SigmaReadings;
  const again = scoreV1(view.close, sigmaGuards(view.frame.bars, readings));
  return again !== null && again.adjusted === score ? again.members : null;
}
