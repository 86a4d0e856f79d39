import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { InputError } from '#base';
import type { SweepRow } from '#research';
import { PROGRAM_ROOT } from '../code-hash.ts';
import { runVariant } from './run-variant.ts';
import { shareData } from './shared-tape.ts';
import type { SweepPlan } from './sweep-plan.ts';
import type { SweepThreadData, SweepThreadWord } from './sweep-thread.ts';

/** Variants handed to a thread ahead of its answers, so that it never waits for the next. */
const AHEAD = 2;

/** A run leaves little behind: with more room for young objects a thread takes more memory and is no faster. */
const LIMITS = { maxYoungGenerationSizeMb: 24 };

/**
 * Plays variants and hands over each row as it comes, in no particular order. One worker plays them in this thread, more
 * have a thread each. Ends early when `signal` is aborted; throws the first error of a variant or of `onRow`.
 */
export async function playVariants(
  plan: SweepPlan,
  variants: readonly number[],
  workers: number,
  signal: AbortSignal,
  onRow: (row: SweepRow) => void,
): Promise<void> {
  if (workers > 1) return playInThreads(plan, variants, workers, signal, onRow);
  const keepsOn = () => !signal.aborted;
  for (const variant of variants) {
    // so that Ctrl-C is heard
    await nextTurn();
    const row = signal.aborted ? null : await runVariant(plan, variant, keepsOn);
    if (row === null) return;
    onRow(row);
  }
}

async function playInThreads(
  plan: SweepPlan,
  variants: readonly number[],
  workers: number,
  signal: AbortSignal,
  onRow: (row: SweepRow) => void,
): Promise<void> {
  const data: SweepThreadData = {
    module: 'apps/setup/sweep/sweep-thread',
    request: plan.request,
    identity: plan.identity,
    data: shareData(plan.data),
  };
  const threads: Worker[] = [];
  let next = 0;
  let open = variants.length;
  const hand = (thread: Worker) => {
    if (next < variants.length) thread.postMessage(variants[next++]);
  };
  try {
    await new Promise<void>((done, fail) => {
      if (signal.aborted || open === 0) return done();
      signal.addEventListener('abort', () => done(), { once: true });
      for (let i = 0; i < workers; i++) {
        const thread = new Worker(THREAD, { workerData: data, execArgv: [], resourceLimits: LIMITS });
        threads.push(thread);
        thread.on('error', fail);
        thread.on('exit', () => fail(new Error('a thread of the sweep ended too early')));
        thread.on('message', (word: SweepThreadWord) => {
          try {
            if ('failed' in word) throw errorOf(word.failed);
            onRow(word.row);
          } catch (error) {
            return fail(error);
          }
          open -= 1;
          if (open === 0) return done();
          hand(thread);
        });
      }
      // in turns, so that few variants are spread over all threads
      for (let round = 0; round < AHEAD; round++) for (const thread of threads) hand(thread);
    });
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

const THREAD = pathToFileURL(join(PROGRAM_ROOT, '..', 'bin', 'thread.js'));

function errorOf(failed: Extract<SweepThreadWord, { failed: unknown }>['failed']): Error {
  if (failed.mend !== null) return new InputError(failed.message, failed.mend);
  const error = new Error(failed.message);
  error.name = failed.name;
  // the place it came from, which the copy does not have
  if (failed.stack !== null) error.stack = failed.stack;
  return error;
}
