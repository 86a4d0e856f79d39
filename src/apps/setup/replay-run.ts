import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJournal, verifyJournal } from '#adapters';
import { formatDecimal, InputError } from '#base';
import {
  type Difference,
  Engine,
  type FactsReport,
  foldFacts,
  type JournalEntry,
  type JournalFault,
  NO_TRACE,
  replay,
  type TraceSink,
} from '#engine';
import { codeHash } from './code-hash.ts';
import { deskHash, loadDeskWith } from './load-desk.ts';
import { type RunConfiguration, readTape, shapesOf, tapeReader } from './run-backtest.ts';
import { buildStudy } from './study.ts';

export interface RunReplay {
  readonly entries: number;
  readonly journalHash: string;
  readonly events: number;
  readonly commands: number;
  /** `decided`: the same version decided again. `facts`: another version, facts folded only. */
  readonly mode: 'decided' | 'facts';
  readonly difference: Difference | null;
}

/** A file of a run's directory that holds one JSON object. Throws {@link InputError}. */
export function readObject(path: string): Record<string, unknown> {
  const mend = 'restore it from a copy, or run again';
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new InputError(`${path} cannot be read: ${(cause as Error).message}`, mend);
  }
  if (typeof data === 'object' && data !== null && !Array.isArray(data))
    return data as Record<string, unknown>;
  throw new InputError(`${path} is damaged: it holds no JSON object`, mend);
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/** Verifies a run's journal against its chain and its summary. Throws InputError naming the first fault. */
export function checkJournal(dir: string): { entries: number; hash: string } {
  const path = join(dir, 'journal');
  const summary = existsSync(join(dir, 'summary.json')) ? readObject(join(dir, 'summary.json')) : null;
  const expected = typeof summary?.journalHash === 'string' ? { hash: summary.journalHash } : undefined;
  const found = verifyJournal(path, expected);
  if (!found.ok) {
    if (found.fault !== null) throw damaged(path, found.fault);
    throw new InputError(`${path} does not end where summary.json says it ends`, RUN_AGAIN);
  }
  return { entries: found.head.entries, hash: found.head.hash };
}

const RUN_AGAIN = 'restore the journal from a backup, or run the backtest again';

function damaged(path: string, { offset, block, entry, what }: JournalFault): InputError {
  return new InputError(
    `${path} is damaged at byte ${offset} (block ${block}, entry ${entry}): ${what}`,
    RUN_AGAIN,
  );
}

/** Whether a directory is that of a paper portfolio, not of a backtest. */
export function isPortfolio(dir: string): boolean {
  const { kind } = configurationOfRun(dir) as { kind: string };
  return kind === 'paper';
}

/** The configuration a run's journal begins with. Throws {@link InputError} when it is damaged or begins otherwise. */
export function configurationOfRun(dir: string): RunConfiguration {
  const path = join(dir, 'journal');
  for (const entry of readJournal(path)) {
    if (entry.kind === 'header') return JSON.parse(entry.text) as RunConfiguration;
    break;
  }
  const { fault } = verifyJournal(path);
  if (fault !== null) throw damaged(path, fault);
  throw new InputError(
    `${dir}/journal does not begin with a configuration`,
    'give a directory that backtest --out wrote',
  );
}

/** Decides a run again, from its journal and the data it names. */
export async function replayRun(
  dir: string,
  onProgress?: (done: number, total: number) => void,
  trace: TraceSink = NO_TRACE,
): Promise<RunReplay> {
  const { entries, hash } = checkJournal(dir);
  const { engine, reader, sameVersion, study } = await prepareReplay(dir, trace);
  if (!sameVersion) {
    const journal = readJournal(join(dir, 'journal'));
    const facts = foldFacts(engine, journal, reader, {
      onProgress: (position) => onProgress?.(position, entries),
    });
    const difference = factsDifference(dir, engine, facts, study.definition.baseMinorScale, entries);
    return {
      entries,
      journalHash: hash,
      mode: 'facts',
      events: facts.events,
      commands: facts.orders,
      difference,
    };
  }
  const journal: Iterable<JournalEntry> = readJournal(join(dir, 'journal'));
  const report = replay(engine, journal, reader, (position) => onProgress?.(position, entries));
  const { events, commands, difference, unreleased } = report;
  const missing = unreleased[0];
  const last: Difference | null =
    missing === undefined
      ? null
      : { position: entries, at: engine.at, recorded: null, decided: JSON.stringify(missing) };
  return { entries, journalHash: hash, mode: 'decided', events, commands, difference: difference ?? last };
}

/** Another version's run: its books must sum to zero and end at the equity that its summary states. */
function factsDifference(
  dir: string,
  engine: Engine,
  facts: FactsReport,
  minorScale: number,
  position: number,
): Difference | null {
  const [unbalanced] = Object.entries(facts.unbalanced);
  if (unbalanced !== undefined) {
    const [code, sum] = unbalanced;
    return {
      position,
      at: engine.at,
      recorded: `books in ${code} sum to 0`,
      decided: `books in ${code} sum to ${sum}`,
    };
  }
  const path = join(dir, 'summary.json');
  if (!existsSync(path)) return null;
  const { equityEnd } = readObject(path);
  const folded = formatDecimal(engine.equity(), minorScale);
  if (equityEnd === folded) return null;
  return {
    position,
    at: engine.at,
    recorded: `equityEnd ${String(equityEnd)}`,
    decided: `equityEnd ${folded}`,
  };
}

/** What a run was made from: its configuration, its desk and its data. */
export async function readRun(dir: string) {
  const configuration = configurationOfRun(dir);
  const path = join(dir, 'inputs.json');
  const inputs = readObject(path) as {
    bars: string[];
    funding: string[];
    tapes: string[];
    store?: string;
    answers?: string;
  };
  const wrong = (['bars', 'funding', 'tapes'] as const).find((name) => !isTexts(inputs[name]));
  if (wrong !== undefined)
    throw new InputError(
      `${path} is damaged: "${wrong}" is no list of files`,
      'restore it from a copy, or run again',
    );
  const desk = await loadDeskWith(configuration.desk, configuration.parameters, configuration.models);
  const tape = await readTape({ ...inputs, from: configuration.from, to: configuration.to });
  if (tape.hash !== configuration.tapeHash) {
    throw new InputError(
      'the data files are not those the run was made on',
      'put back the files that inputs.json names',
    );
  }
  const shapes = shapesOf(tape);
  const sameVersion = configuration.codeHash === codeHash() && configuration.deskHash === deskHash(desk);
  return { configuration, desk, tape, shapes, sameVersion, answers: inputs.answers ?? null };
}

/** An engine and a tape as the run began with them. */
export async function prepareReplay(dir: string, trace: TraceSink) {
  const { configuration, desk, tape, shapes, sameVersion } = await readRun(dir);
  const study = buildStudy(desk, shapes, configuration, trace);
  return {
    engine: new Engine(study.definition),
    reader: tapeReader(tape),
    sameVersion,
    study,
    configuration,
  };
}
