import { randomBytes } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { headAt, JournalFile, lockHolder, makeFolder, readJournal, SnapshotFiles } from '#adapters';
import { canonicalJson, captureState, InputError, type Instant, restoreState, sha256 } from '#base';
import type { Command, Engine, Event, TraceLine } from '#engine';
import { simulatedVenue, type VenueFold } from '#execution';
import type { VenueReport } from '#ledger';
import type { BarClosed, InstrumentId, MarketEvent } from '#market';
import { BookWatch } from './book-watch.ts';
import { Figures } from './figures.ts';
import { EntryReader } from './journal-entries.ts';
import { LearningWatch } from './learning-watch.ts';
import type { FeedPositionNote, FeedStore, ModelHeardNote } from './notes.ts';
import { PaperJournal } from './paper-journal.ts';
import { PaperLoop, type Unfinished } from './paper-loop.ts';
import type { PaperHeader, PaperSetup } from './portfolio-setup.ts';
import { Recorder } from './recorder.ts';
import { recover } from './recover.ts';
import { StageTimes, TimedEngine } from './stage-times.ts';

export interface SessionOptions {
  readonly setup: PaperSetup;
  /** Folder of this portfolio: `journal` and `snapshots` lie in it. */
  readonly directory: string;
  /** Puts an earlier journal aside and begins anew. */
  readonly fresh: boolean;
  /** Journal entries between snapshots. */
  readonly snapshotEvery: number;
  readonly onCommand: (command: Command, at: Instant) => void;
}

/** How a session began. */
export interface Beginning {
  readonly resumed: boolean;
  /** Entry of the snapshot it continued from; null: from the first entry. */
  readonly fromSnapshot: number | null;
  /** Entries folded behind it. */
  readonly folded: number;
  /** What was cut off or merged at the end of the journal, in words; null when it was whole. */
  readonly mended: string | null;
}

/** Lines of the trace that a snapshot keeps. */
const REMEMBERED = 50;

const POSITION = '{"note":"feed-position"';
const HEARD = '{"note":"model-heard"';

const NOTHING: Unfinished = { notes: [], commands: [], reports: [], market: null };

/** A portfolio's engine, venue and journal, opened or continued, as one thing that takes events and survives crashes. */
export class Session {
  readonly setup: PaperSetup;
  readonly header: PaperHeader;
  readonly engine: Engine;
  readonly journal: PaperJournal;
  readonly recorder: Recorder;
  readonly figures: Figures;
  readonly learning: LearningWatch;
  readonly books: BookWatch;
  /** How long the loop's stages take in this process. */
  readonly times = new StageTimes();
  readonly beginning: Beginning;
  /** Steps of the tape taken, when there is one. */
  steps: number;
  /** Open time of the newest bar of each instrument. */
  readonly lastBars = new Map<InstrumentId, Instant>();
  /** Newest bar of a webhook feed's store that is in the journal; null before the first. */
  feedSeq: number | null = null;
  /** The store that it is a number of. */
  feedStore: FeedStore | null = null;
  private readonly venue: VenueFold;
  private readonly loop: PaperLoop;
  private readonly snapshots: SnapshotFiles;
  private readonly made: string;
  private readonly snapshotEvery: number;
  private snapshotAt: number;
  /** Slices whose equity stands in the journal. */
  private slicesNoted: number;
  private begun: boolean;

  /** Throws {@link InputError} when another process holds the journal, it is damaged, or another version wrote it. */
  constructor(options: SessionOptions) {
    const { setup, directory } = options;
    this.setup = setup;
    this.snapshotEvery = options.snapshotEvery;
    if (options.fresh) putAside(directory);
    makeFolder(directory);
    const path = join(directory, 'journal');
    const file = JournalFile.openOrCreate(path, { headFile: 'keep' });
    try {
      const known = headerOf(path);
      this.header = known ?? { ...setup.header, runId: randomBytes(8).toString('hex') };
      if (known !== null) checkHeader(known, setup);
      this.made = sha256(canonicalJson({ ...setup.header }));
      this.recorder = new Recorder();
      this.engine = new TimedEngine(setup.define(this.recorder), this.times);
      this.learning = new LearningWatch(this.engine);
      this.recorder.learning = this.learning;
      this.books = new BookWatch(this.engine);
      this.recorder.books = this.books;
      this.recorder.watch(this.engine);
      this.venue = simulatedVenue(setup.venue);
      this.figures = new Figures(this.engine.definition.cash);
      this.snapshots = new SnapshotFiles(join(directory, 'snapshots'));
      this.steps = 0;
      const found = known === null ? null : this.fold(path);
      this.snapshotAt = file.head.entries;
      this.slicesNoted = this.engine.counts.slices;
      this.times.measuring = true;
      this.begun = found?.begun ?? false;
      const redefined = new Map(setup.instruments.map(({ id }) => [id, this.engine.instrumentOf(id)]));
      this.journal = new PaperJournal(file, new EntryReader(this.engine.at, redefined, true), this.times);
      const { engine, venue, journal } = this;
      const { onCommand } = options;
      const { times } = this;
      const { latencyMs } = setup.venue;
      this.loop = new PaperLoop({ engine, venue, journal, latencyMs, onCommand, times });
      this.recorder.sink = (note) => journal.note(note);
      if (known === null) journal.append('header', canonicalJson(this.header));
      this.complete(found?.unfinished ?? NOTHING);
      const { cut, cutBytes, merged } = file.recovery;
      const mended =
        cutBytes > 0 || merged > 0
          ? `${cutBytes} bytes that were never promised were cut off${cut === null ? '' : ` (${cut.what})`}, ${merged} entries merged`
          : null;
      this.beginning = {
        resumed: this.begun,
        fromSnapshot: found?.fromSnapshot ?? null,
        folded: found?.folded ?? 0,
        mended,
      };
    } catch (error) {
      file.abandon();
      throw error;
    }
  }

  /** Restores the newest snapshot that fits and folds what was written behind it. */
  private fold(path: string) {
    const { snapshot } = this.snapshots.newest(
      (position) => headAt(path, position)?.hash ?? null,
      (made) => made === this.made,
    );
    if (snapshot !== null) this.restore(JSON.parse(snapshot.text) as StoredState);
    const after = snapshot === null ? undefined : headAt(path, snapshot.position)!;
    let folded = 0;
    const result = recover({
      engine: this.engine,
      venue: this.venue,
      entries: readJournal(path, after === undefined ? {} : { after }),
      notesMade: () => this.recorder.taken(),
      onEvent: (event) => {
        if (event.kind === 'bar-closed') this.learning.barAt(event.at);
      },
      onEntry: (entry) => {
        folded += 1;
        if (entry.kind === 'note' && entry.text.startsWith(POSITION))
          this.notePosition(JSON.parse(entry.text) as FeedPositionNote);
        if (entry.kind === 'note' && entry.text.startsWith(HEARD))
          this.recorder.models.told(JSON.parse(entry.text) as ModelHeardNote);
        if (entry.kind !== 'event' || !entry.text.startsWith('{"kind":"bar-closed"')) return;
        const event = JSON.parse(entry.text) as Extract<MarketEvent, { kind: 'bar-closed' }>;
        this.noteBar(event);
        this.figures.look(this.engine, event.at);
        this.books.look(event.instrument, event.at);
      },
    });
    this.steps += result.steps;
    const begun = snapshot !== null || result.events > 0;
    return { unfinished: result.unfinished, fromSnapshot: snapshot?.position ?? null, folded, begun };
  }

  /** Finishes what a crash interrupted; a bar that was shown to the venue alone is a bar like any other. */
  private complete(unfinished: Unfinished): void {
    const { market } = unfinished;
    const bar = market?.kind === 'bar-closed' ? market : null;
    if (bar !== null) this.learning.barAt(bar.at);
    this.loop.complete(unfinished);
    if (bar !== null) this.barTaken(bar);
  }

  /** Says to the loop that the run began, or began again. */
  begin(at: Instant): void {
    const now = Math.max(at, this.engine.at);
    if (this.begun) this.loop.happened({ kind: 'run-resumed', at: now, eventTime: now });
    else {
      this.loop.happened({
        kind: 'run-started',
        at: now,
        eventTime: now,
        portfolio: this.setup.name,
        seed: this.setup.request.portfolio.seed,
        codeHash: this.header.codeHash,
        configurationHash: this.made,
      });
    }
    this.begun = true;
    this.commit();
  }

  /** A market event whose `at` is not before anything seen. Not durable before {@link commit}. */
  market(event: MarketEvent): void {
    const from = this.times.begins();
    // what we say of a feed ourselves is no news from it
    if (event.kind !== 'feed-changed') this.times.marketAt = Date.now();
    if (event.kind === 'bar-closed') this.learning.barAt(event.at);
    this.loop.market(event);
    this.times.ends(from);
    this.steps += 1;
    if (event.kind === 'bar-closed') this.barTaken(event);
  }

  /** A long bar opened before short ones that came before it. */
  private noteBar({ instrument, bar }: BarClosed): void {
    this.lastBars.set(instrument, Math.max(bar.time, this.lastBars.get(instrument) ?? bar.time));
  }

  private barTaken(event: BarClosed): void {
    this.noteBar(event);
    this.books.look(event.instrument, event.at);
    if (this.figures.look(this.engine, event.at)) this.journal.note(this.figures.note(this.engine, event.at));
  }

  /** The bars of the feed's store up to this one have been taken. A crash before it is durable brings them again. */
  fedUpTo(seq: number, store: FeedStore): void {
    const note = { note: 'feed-position', seq, store } as const;
    this.notePosition(note);
    this.journal.note(note);
  }

  private notePosition({ seq, store }: FeedPositionNote): void {
    this.feedSeq = seq;
    this.feedStore = store;
  }

  happened(event: Exclude<Event, MarketEvent | VenueReport>): void {
    const from = this.times.begins();
    this.loop.happened(event);
    this.times.ends(from);
  }

  nextDue(): Instant {
    return this.loop.nextDue();
  }

  passTime(at: Instant): void {
    this.loop.passTime(at + 1);
    this.loop.venueTime(Math.max(at, this.engine.at));
  }

  /** Makes durable what happened since the last commit; now and then takes a snapshot behind it. */
  commit(): void {
    const { slices } = this.engine.counts;
    if (slices > this.slicesNoted) {
      this.slicesNoted = slices;
      this.journal.note(this.figures.equityNote(this.engine, this.engine.at));
    }
    this.journal.commit();
    this.times.turned(this.engine.at);
    if (this.journal.file.head.entries - this.snapshotAt >= this.snapshotEvery) this.snapshot();
  }

  snapshot(): void {
    const state: StoredState = {
      engine: this.engine.capture(),
      venue: captureState(this.venue),
      figures: captureState(this.figures),
      steps: this.steps,
      feedSeq: this.feedSeq,
      feedStore: this.feedStore,
      lastBars: [...this.lastBars],
      learning: captureState(this.learning),
      books: captureState(this.books),
      tallies: captureState(this.recorder.tallies),
      models: captureState(this.recorder.models),
      recent: this.recorder.recent.slice(-REMEMBERED),
    };
    const { head } = this.journal.file;
    this.snapshots.write(head, this.made, JSON.stringify(state));
    this.snapshotAt = head.entries;
  }

  private restore(state: StoredState): void {
    this.engine.restore(state.engine);
    restoreState(this.venue, state.venue);
    restoreState(this.figures, state.figures);
    this.steps = state.steps;
    this.feedSeq = state.feedSeq ?? null;
    this.feedStore = state.feedStore ?? null;
    if (state.learning !== undefined) restoreState(this.learning, state.learning);
    if (state.books !== undefined) restoreState(this.books, state.books);
    if (state.tallies !== undefined) restoreState(this.recorder.tallies, state.tallies);
    if (state.models !== undefined) restoreState(this.recorder.models, state.models);
    for (const [instrument, time] of state.lastBars) this.lastBars.set(instrument, time);
    this.recorder.recent.push(...state.recent);
    this.recorder.watch(this.engine);
  }

  /** A clean end: everything durable, a snapshot to start from, the lock given back. */
  close(): void {
    this.journal.commit();
    this.snapshot();
    this.journal.file.close();
  }

  /** An end after a fault: what is durable stays, the next start folds it. Does nothing after a clean end. */
  abandon(): void {
    this.journal.file.abandon();
  }
}

interface StoredState {
  readonly engine: unknown;
  readonly venue: unknown;
  readonly figures: unknown;
  readonly steps: number;
  readonly feedSeq?: number | null;
  readonly feedStore?: FeedStore | null;
  readonly lastBars: readonly [InstrumentId, Instant][];
  readonly learning?: unknown;
  readonly books?: unknown;
  readonly tallies?: unknown;
  readonly models?: unknown;
  /** Newest lines of the trace, for the status of a continued run. */
  readonly recent: readonly TraceLine[];
}

/** The header a journal begins with; null for an empty one. */
export function headerOf(path: string): PaperHeader | null {
  for (const entry of readJournal(path)) {
    const header = entry.kind === 'header' ? (JSON.parse(entry.text) as PaperHeader) : null;
    if (header?.kind === 'paper') return header;
    throw new InputError(`${path} is not the journal of a portfolio`, 'choose another --data-dir');
  }
  return null;
}

/** The header of a portfolio's journal that is gone on with; null where it begins. */
export function begunHeader(directory: string, fresh: boolean): PaperHeader | null {
  const path = join(directory, 'journal');
  return fresh || !existsSync(path) ? null : headerOf(path);
}

function checkHeader(known: PaperHeader, setup: PaperSetup): void {
  const { runId: _, codeHash, ...before } = known;
  const { codeHash: own, ...now } = setup.header;
  const fresh = 'or begin anew with --fresh, which keeps the old journal beside the new one';
  if (canonicalJson(before) !== canonicalJson(now)) {
    const keys = (Object.keys(now) as (keyof typeof now)[]).filter(
      (key) => canonicalJson(before[key]) !== canonicalJson(now[key]),
    );
    throw new InputError(
      `portfolio ${setup.name} was started with another configuration (${keys.join(', ')} differ)`,
      `put the configuration back, give the portfolio another name, ${fresh}`,
    );
  }
  if (codeHash !== own) {
    throw new InputError(
      `portfolio ${setup.name} was decided by another version of the program (${codeHash.slice(0, 12)}, this is ${own.slice(0, 12)})`,
      `continue with that version, ${fresh}`,
    );
  }
}

/** Moves a portfolio's folder beside itself. Refused while a process writes there. */
function putAside(directory: string): void {
  if (!existsSync(directory)) return;
  const holder = lockHolder(join(directory, 'journal.lock'));
  if (holder !== null) {
    throw new InputError(`process ${holder} runs this portfolio`, 'stop it first: quorum stop');
  }
  for (let n = 1; ; n++) {
    const aside = `${directory}.before-${n}`;
    if (existsSync(aside)) continue;
    renameSync(directory, aside);
    return;
  }
}
