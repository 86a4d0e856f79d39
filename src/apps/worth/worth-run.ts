import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '#adapters';
import { InputError } from '#base';
import {
  type Ablation,
  ablationsOf,
  compareRuns,
  type Figures,
  figuresOf,
  type Seen,
  type Worth,
} from '#research';
import { type RecordedAnswers, readAnswers } from '../setup/answers-file.ts';
import { programHash } from '../setup/code-hash.ts';
import { checkJournal, isPortfolio, readObject, readRun } from '../setup/replay-run.ts';
import { type PlayedDesk, playDesk, type RunInputs } from './play-desk.ts';
import { playPartsInThreads } from './play-in-threads.ts';
import { UNFINISHED_FILE, UnfinishedPlays, WORTH_LOCK } from './unfinished.ts';

/** Settings of every interval of a study. */
export const INTERVAL = { confidence: 0.9, paths: 2_000 } as const;

export const STAMP = 'study: parts were taken out; nothing in it is evidence for a promotion';

/** What a folder of such a study may hold. */
const WORTH_FILES = new RegExp(
  `^(worth\\.json|worth\\.csv|trades\\.csv)(\\.part)?$|^${UNFINISHED_FILE}$|^${WORTH_LOCK}`,
);

export interface WorthRequest {
  /** A finished backtest's directory. */
  readonly dir: string;
  /** Where the study's files go. */
  readonly out: string;
  /** Threads that play; 1 plays in this one. */
  readonly workers: number;
  /** Hears how much of all is done; false stops it. */
  readonly onProgress: (done: number, total: number) => boolean;
  /** Hears each play without a part before it is kept, so that it can be put on record. */
  readonly onPlayed?: (run: RunInputs, ablation: Ablation, played: PlayedDesk) => void;
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
 * is kept in `out`, so that a study which was stopped goes on. The plays hold the lock of `out`: `close` them, or `remove`
 * them when the study's files are written.
 */
export async function runWorth(
  request: WorthRequest,
): Promise<{ study: WorthStudy | Stopped; unfinished: UnfinishedPlays }> {
  const { dir, out } = request;
  const { run, journalHash, summary } = await openRun(dir);
  const answers = run.answers === null ? null : readAnswers(run.answers);
  prepareFolder(out);
  const key = { format: 2, journalHash, answersHash: answers?.hash ?? null, program: programHash() };
  const unfinished = new UnfinishedPlays(out, key);
  try {
    const study = await studyOf(request, { run, journalHash, summary, answers, unfinished });
    return { study, unfinished };
  } catch (error) {
    unfinished.close();
    throw error;
  }
}

interface StudySetting {
  readonly run: RunInputs;
  readonly journalHash: string;
  readonly summary: RunSummary;
  readonly answers: RecordedAnswers | null;
  readonly unfinished: UnfinishedPlays;
}

async function studyOf(request: WorthRequest, setting: StudySetting): Promise<WorthStudy | Stopped> {
  const { dir, onProgress, workers } = request;
  const { run, journalHash, summary, answers, unfinished } = setting;
  const steps = run.tape.length;
  const { sizeCuts = {}, exitsByKind = {}, commandsHash } = summary;
  const told: Seen = { sizeCuts: Object.keys(sizeCuts), exits: Object.keys(exitsByKind) };
  const expected = ablationsOf(run.desk.parts, told).length;
  const first = (position: number) => onProgress(position, steps * (expected + 1));
  const whole =
    unfinished.get(WHOLE) ?? (await playDesk(run, answers, { parts: run.desk.parts, deafTo: [] }, first));
  if (whole === null) return { done: 0, of: expected };
  if (whole.commandsHash !== commandsHash) {
    throw new InputError(
      `${dir} cannot be played again as it was: the commands differ from those in summary.json`,
      'a run that was interrupted, or whose answers have changed, cannot be studied; run the backtest again',
    );
  }
  if (unfinished.get(WHOLE) === undefined) unfinished.keep(WHOLE, whole);
  const ablations = ablationsOf(run.desk.parts, whole.seen);
  const waiting = ablations.filter(({ id }) => unfinished.get(id) === undefined);
  for (const one of ablations) {
    // what an earlier start left may have been made without a record
    const played = unfinished.get(one.id);
    if (played !== undefined) request.onPlayed?.(run, one, played);
  }
  const total = steps * (ablations.length + 1);
  let before = steps * (ablations.length + 1 - waiting.length);
  let isGoing = onProgress(before, total);
  const keep = (id: string, played: PlayedDesk) => {
    request.onPlayed?.(run, ablations.find((one) => one.id === id)!, played);
    unfinished.keep(id, played);
  };
  if (workers > 1 && waiting.length > 1 && isGoing) {
    await playPartsInThreads({
      run,
      answers,
      seen: whole.seen,
      ids: waiting.map(({ id }) => id),
      workers,
      onProgress: (steps) => onProgress(before + steps, total),
      onPlayed: keep,
    });
  } else {
    for (const ablation of waiting) {
      if (!isGoing) break;
      const played = await playDesk(run, answers, ablation, (position) => {
        isGoing = onProgress(before + position, total);
        return isGoing;
      });
      if (played === null) break;
      keep(ablation.id, played);
      before += steps;
    }
  }
  const done = ablations.filter(({ id }) => unfinished.get(id) !== undefined).length;
  if (done < ablations.length) return { done, of: ablations.length };
  const parts = ablations.map((one) => partWorth(run, whole, one, unfinished.get(one.id)!));
  return { run, journalHash, days: whole.daily.length, whole: figuresOf(whole), parts: sorted(parts) };
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
export async function openRun(
  dir: string,
): Promise<{ run: RunInputs; journalHash: string; summary: RunSummary }> {
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

export interface RunSummary {
  readonly commandsHash: string;
  readonly stamps?: readonly string[];
  readonly sizeCuts?: object;
  readonly exitsByKind?: object;
}

function summaryOf(dir: string): RunSummary {
  const path = join(dir, 'summary.json');
  if (!existsSync(path)) {
    throw new InputError(`${dir} has no summary.json`, 'restore it from a copy, or run the backtest again');
  }
  const summary = readObject(path);
  const { stamps } = summary;
  if (stamps === undefined || (Array.isArray(stamps) && stamps.every((one) => typeof one === 'string')))
    return summary as object as RunSummary;
  throw new InputError(`${path} is damaged: "stamps" is no list`, 'restore it from a copy, or run again');
}

/** A new or empty folder, or one of an earlier study; anything else is left alone. */
function prepareFolder(out: string): void {
  makeFolder(out);
  const strange = readdirSync(out).find((name) => !WORTH_FILES.test(name));
  if (strange === undefined) return;
  throw new InputError(
    `${out} holds something that is not a study's (${strange})`,
    'choose an empty or new directory with --out',
  );
}
