import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder } from '#adapters';
import { canonicalJson, InputError, sha256 } from '#base';
import {
  type Ablation,
  ablationsOf,
  compareRuns,
  type Figures,
  figuresOf,
  type Seen,
  type Worth,
} from '#research';
import { readAnswers } from '../setup/answers-file.ts';
import { programHash } from '../setup/code-hash.ts';
import { checkJournal, isPortfolio, readRun } from '../setup/replay-run.ts';
import { type PlayedDesk, playDesk, type RunInputs } from './play-desk.ts';
import { playInWorkers } from './play-in-workers.ts';
import { UNFINISHED_FILE, UnfinishedPlays } from './unfinished.ts';

/** Settings of every interval of a study. */
export const INTERVAL = { confidence: 0.9, paths: 2_000 } as const;

export const STAMP = 'study: parts were taken out; nothing in it is evidence for a promotion';

/** What a folder of such a study may hold. */
export const WORTH_FILES: readonly string[] = [
  'worth.json',
  'worth.csv',
  'trades.csv',
  UNFINISHED_FILE,
  `${UNFINISHED_FILE}.part`,
  'worth.json.part',
  'worth.csv.part',
  'trades.csv.part',
];

export interface WorthRequest {
  /** A finished backtest's directory. */
  readonly dir: string;
  /** Where the study's files go. */
  readonly out: string;
  /** Threads that play; 1 plays in this one. */
  readonly workers: number;
  /** Hears how much of all is done; false stops it. */
  readonly onProgress: (done: number, total: number) => boolean;
}

export interface PartWorth extends Pick<Ablation, 'id' | 'kind' | 'name' | 'means'> {
  readonly worth: Worth;
}

export interface WorthStudy {
  readonly run: RunInputs;
  readonly journalHash: string;
  readonly days: number;
  readonly whole: Figures;
  /** Best first; what cannot be measured last. */
  readonly parts: readonly PartWorth[];
}

/** Parts done of all, when the study was stopped. */
export interface Stopped {
  readonly done: number;
  readonly of: number;
}

const WHOLE = 'whole';

/**
 * Plays the desk of a finished run whole, then without each part in turn, on the same data and seed. What is finished
 * is kept in `out`, so that a study which was stopped goes on; `remove` the rest when its files are written.
 */
export async function runWorth(
  request: WorthRequest,
): Promise<{ study: WorthStudy | Stopped; unfinished: UnfinishedPlays }> {
  const { dir, out, onProgress, workers } = request;
  const { run, journalHash, summary } = await openRun(dir);
  prepareFolder(out);
  const answersHash = run.answers === null ? null : sha256(readFileSync(run.answers));
  const key = sha256(canonicalJson({ format: 1, journalHash, answersHash, program: programHash() }));
  const unfinished = new UnfinishedPlays(out, key);
  const oracle = run.answers === null ? null : readAnswers(run.answers);
  const steps = run.tape.length;
  const { sizeCuts = {}, exitsByKind = {}, commandsHash } = summary;
  const told: Seen = { sizeCuts: Object.keys(sizeCuts), exits: Object.keys(exitsByKind) };
  const expected = ablationsOf(run.desk.parts, told).length;
  const first = (position: number) => onProgress(position, steps * (expected + 1));
  const whole =
    unfinished.get(WHOLE) ?? (await playDesk(run, oracle, { parts: run.desk.parts, deafTo: [] }, first));
  if (whole === null) return { study: { done: 0, of: expected }, unfinished };
  if (whole.commandsHash !== commandsHash) {
    throw new InputError(
      `${dir} cannot be played again as it was: the commands differ from those in summary.json`,
      'a run that was interrupted, or whose answers have changed, cannot be studied; run the backtest again',
    );
  }
  if (unfinished.get(WHOLE) === undefined) unfinished.keep(WHOLE, whole);
  const ablations = ablationsOf(run.desk.parts, whole.seen);
  const waiting = ablations.filter(({ id }) => unfinished.get(id) === undefined);
  const total = steps * (ablations.length + 1);
  let before = steps * (ablations.length + 1 - waiting.length);
  let isGoing = onProgress(before, total);
  if (workers > 1 && waiting.length > 1 && isGoing) {
    await playInWorkers({
      dir: resolve(dir),
      seen: whole.seen,
      ids: waiting.map(({ id }) => id),
      workers,
      onProgress: (steps) => onProgress(before + steps, total),
      onPlayed: (id, played) => unfinished.keep(id, played),
    });
  } else {
    for (const ablation of waiting) {
      if (!isGoing) break;
      const played = await playDesk(run, oracle, ablation, (position) => {
        isGoing = onProgress(before + position, total);
        return isGoing;
      });
      if (played === null) break;
      unfinished.keep(ablation.id, played);
      before += steps;
    }
  }
  const done = ablations.filter(({ id }) => unfinished.get(id) !== undefined).length;
  if (done < ablations.length) return { study: { done, of: ablations.length }, unfinished };
  const parts = ablations.map((one) => partWorth(run, whole, one, unfinished.get(one.id)!));
  const study = { run, journalHash, days: whole.daily.length, whole: figuresOf(whole), parts: sorted(parts) };
  return { study, unfinished };
}

function partWorth(run: RunInputs, whole: PlayedDesk, ablation: Ablation, without: PlayedDesk): PartWorth {
  const { id, kind, name, means } = ablation;
  // one seed for all parts: their intervals are drawn over the same days
  const worth = compareRuns(whole, without, { ...INTERVAL, seed: `worth/${run.configuration.seed}` });
  return { id, kind, name, means, worth };
}

function sorted(parts: readonly PartWorth[]): readonly PartWorth[] {
  const estimate = ({ worth }: PartWorth) => worth.daily?.estimate ?? Number.NEGATIVE_INFINITY;
  return [...parts].sort((a, b) => estimate(b) - estimate(a) || (a.id < b.id ? -1 : 1));
}

/** A run's directory, checked: a backtest, whole, of this version. */
async function openRun(dir: string): Promise<{ run: RunInputs; journalHash: string; summary: RunSummary }> {
  if (!existsSync(join(dir, 'journal'))) {
    throw new InputError(`${dir} has no journal`, 'give the directory that backtest --out wrote');
  }
  if (isPortfolio(dir)) {
    throw new InputError(
      `${dir} is the folder of a paper portfolio`,
      'give the directory of a backtest: what lived on paper cannot be lived again without a part',
    );
  }
  const { hash: journalHash } = checkJournal(dir);
  const run = await readRun(dir);
  if (!run.sameVersion) {
    throw new InputError(
      `${dir} was made by another version of the program or of its desk`,
      'run the backtest again with this version',
    );
  }
  return { run, journalHash, summary: summaryOf(dir) };
}

interface RunSummary {
  readonly commandsHash: string;
  readonly sizeCuts?: object;
  readonly exitsByKind?: object;
}

function summaryOf(dir: string): RunSummary {
  const path = join(dir, 'summary.json');
  if (!existsSync(path)) {
    throw new InputError(`${dir} has no summary.json`, 'restore it from a copy, or run the backtest again');
  }
  return JSON.parse(readFileSync(path, 'utf8')) as RunSummary;
}

/** A new or empty folder, or one of an earlier study; anything else is left alone. */
function prepareFolder(out: string): void {
  makeFolder(out);
  const strange = readdirSync(out).find((name) => !WORTH_FILES.includes(name));
  if (strange === undefined) return;
  throw new InputError(
    `${out} holds something that is not a study's (${strange})`,
    'choose an empty or new directory with --out',
  );
}
