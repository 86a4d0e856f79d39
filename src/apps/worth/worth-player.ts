import { parentPort, workerData } from 'node:worker_threads';
import { assert, InputError } from '#base';
import { ablationsOf } from '#research';
import { readAnswers } from '../setup/answers-file.ts';
import { readRun } from '../setup/replay-run.ts';
import { playDesk } from './play-desk.ts';
import type { PlayerData, PlayerWord } from './play-in-workers.ts';

// A thread that plays a run without the parts it is asked for, one after the other, until it is ended.
const port = parentPort;
assert(port !== null, 'a thread of a study is started by the study');
const say = (word: PlayerWord) => port.postMessage(word);

async function begin(): Promise<void> {
  const { dir, seen } = workerData as PlayerData;
  const run = await readRun(dir);
  if (!run.sameVersion) {
    throw new InputError('the desk was changed while the study ran', 'run the backtest again');
  }
  const oracle = run.answers === null ? null : readAnswers(run.answers);
  const ablations = new Map(ablationsOf(run.desk.parts, seen).map((one) => [one.id, one]));
  const play = async (id: string): Promise<void> => {
    const ablation = ablations.get(id);
    assert(ablation !== undefined, `the desk has no part ${id}`);
    const played = await playDesk(run, oracle, ablation, (steps) => {
      say({ kind: 'stepped', steps });
      return true;
    });
    assert(played !== null, 'a thread plays to the end');
    say({ kind: 'played', id, steps: run.tape.length, played });
  };
  port!.on('message', (id: string) => void play(id).catch(fail));
  say({ kind: 'ready' });
}

function fail(cause: unknown): void {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const { name, message, stack } = error;
  // by name: a desk in a folder of its own may bring a second copy of the class
  const mend = name === 'InputError' ? (error as InputError).mend : null;
  say({ kind: 'failed', name, message, stack: stack ?? null, mend });
}

void begin().catch(fail);
