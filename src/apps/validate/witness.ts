import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readJournal, TapeCursor } from '#adapters';
import { canonicalJson, InputError, type Instant, sha256 } from '#base';
import { type DecisionTrace, Engine, foldFacts, NO_JOURNAL, type TraceLine, type TraceSink } from '#engine';
import { type ExecutionNoise, simulatedVenue, type VenueFold } from '#execution';
import type { Fill } from '#ledger';
import { Backtest, EquityCurve } from '#research';
import { setUpPortfolio } from '../runner/portfolio-setup.ts';
import { Recorder } from '../runner/recorder.ts';
import { recover } from '../runner/recover.ts';
import { wholeJournal } from '../runner/replay-paper.ts';
import { headerOf } from '../runner/session.ts';
import { readAnswers } from '../setup/answers-file.ts';
import { codeHash } from '../setup/code-hash.ts';
import type { readRun } from '../setup/replay-run.ts';
import { buildStudy } from '../setup/study.ts';

/** A finished run as it is found. */
export type FoundRun = Awaited<ReturnType<typeof readRun>>;

/** What somebody wants to see of a run that is played again. */
export interface Witness {
  /** After every sample of the equity; of a portfolio after every event. */
  readonly moved?: (at: Instant, engine: Engine) => void;
  readonly decided?: (line: DecisionTrace) => void;
  readonly filled?: (fill: Fill, at: Instant) => void;
  /** A closed trade's net result, minor units. */
  readonly traded?: (net: number) => void;
}

export interface PlayOptions {
  readonly witness?: Witness;
  /** Other luck of execution, drawn from its own seed. */
  readonly luck?: {
    readonly seed: string;
    readonly noise: ExecutionNoise;
    readonly wrap: (venue: VenueFold) => VenueFold;
  };
  readonly keepsOn?: () => boolean;
}

export interface PlayedRun {
  readonly engine: Engine;
  readonly curve: EquityCurve;
  readonly cash: number;
  readonly commandsHash: string;
}

/** Throws InputError for a folder that no run and no portfolio wrote. */
export function requireJournal(dir: string): void {
  if (existsSync(join(dir, 'journal'))) return;
  throw new InputError(
    `${dir} has no journal`,
    'give a directory that backtest --out wrote, or the folder of a portfolio',
  );
}

/** A curve that lets somebody look along. */
class WatchedCurve extends EquityCurve {
  private readonly look: (at: Instant, engine: Engine) => void;

  constructor(look: (at: Instant, engine: Engine) => void) {
    super();
    this.look = look;
  }

  override sample(at: Instant, engine: Engine): void {
    super.sample(at, engine);
    this.look(at, engine);
  }
}

/** Plays a finished run once more on its own tape, costs and seed. Null when `keepsOn` said no on the way. */
export async function playRunAgain(run: FoundRun, options: PlayOptions = {}): Promise<PlayedRun | null> {
  const { configuration, desk, tape, shapes } = run;
  const { witness = {}, luck, keepsOn = () => true } = options;
  const study = buildStudy(desk, shapes, configuration, traceFor(witness));
  const venue = simulatedVenue(
    luck === undefined ? study.venue : { ...study.venue, seed: luck.seed, noise: luck.noise },
  );
  const curve = witness.moved === undefined ? new EquityCurve() : new WatchedCurve(witness.moved);
  const oracle = run.answers === null ? null : readAnswers(run.answers);
  const backtest = new Backtest({
    definition: study.definition,
    tape: new TapeCursor(tape),
    venue: luck === undefined ? venue : luck.wrap(venue),
    journal: NO_JOURNAL,
    seed: configuration.seed,
    codeHash: configuration.codeHash,
    configurationHash: sha256(canonicalJson(configuration)),
    curve,
    stepwise: witness.moved !== undefined,
    ...(oracle === null ? {} : { oracle }),
  });
  backtest.engine.observer = {
    filled: ({ booking }, report) => {
      if (!booking.accepted) return;
      if (report.kind === 'order-filled' || report.kind === 'unasked-fill')
        witness.filled?.(report.fill, report.eventTime);
    },
    traded: (trade, _desk, shadow) => {
      if (!shadow) witness.traded?.(trade.net);
    },
  };
  backtest.start();
  do {
    // so that Ctrl-C is heard: signals come between turns of the event loop
    await nextTurn();
    if (!keepsOn()) return null;
  } while (backtest.advance());
  const { engine, commandsHash } = backtest.finish();
  return { engine, curve, cash: study.definition.cash, commandsHash };
}

function traceFor({ decided }: Witness): TraceSink {
  return {
    level: decided === undefined ? 'none' : 'all',
    line: (line: TraceLine) => {
      if (line.type === 'decision' && !line.shadow) decided?.(line);
    },
  };
}

/**
 * Folds a portfolio's journal once more, engine and simulated venue. Of another version's only the facts: then there is nothing
 * to witness, and it throws InputError when somebody wants to.
 */
export async function playPortfolioAgain(directory: string, witness: Witness): Promise<Engine> {
  const path = join(directory, 'journal');
  wholeJournal(path);
  const header = headerOf(path);
  if (header === null)
    throw new InputError(`${path} is empty`, 'give the folder of a portfolio that has run');
  const isSame = header.codeHash === codeHash();
  if (!isSame && Object.keys(witness).length > 0) {
    throw new InputError(
      `${directory} was written by another version of the program, whose decisions cannot be made again`,
      'look at its present without --at, or let the portfolio run on with this version',
    );
  }
  const setup = await setUpPortfolio(header.request, header.series, header);
  const recorder = new Recorder();
  const engine = new Engine(setup.define(recorder));
  recorder.watch(engine);
  if (!isSame) {
    // the journal holds its events itself
    foldFacts(engine, readJournal(path), () => []);
    return engine;
  }
  recover({
    engine,
    venue: simulatedVenue(setup.venue),
    entries: readJournal(path),
    notesMade: () => {
      const notes = recorder.taken();
      for (const note of notes) {
        if (note.note === 'trace' && note.line.type === 'decision' && !note.line.shadow)
          witness.decided?.(note.line);
        else if (note.note === 'fill') witness.filled?.(note.fill, note.at);
      }
      return notes;
    },
    onEntry: ({ kind }) => {
      if (kind === 'event') witness.moved?.(engine.at, engine);
    },
  });
  return engine;
}
