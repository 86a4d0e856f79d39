import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { InputError } from '#base';
import type { Seen } from '#research';
import { PROGRAM_ROOT } from '../setup/code-hash.ts';
import type { PlayedDesk } from './play-desk.ts';

/** What a thread is started with. */
export interface PlayerData {
  /** The module that bin/thread.js starts. */
  readonly module: string;
  readonly dir: string;
  readonly seen: Seen;
}

/** What a thread says. `ready` asks for the first part. */
export type PlayerWord =
  | { readonly kind: 'ready' }
  | { readonly kind: 'stepped'; readonly steps: number }
  | { readonly kind: 'played'; readonly id: string; readonly steps: number; readonly played: PlayedDesk }
  | {
      readonly kind: 'failed';
      readonly name: string;
      readonly message: string;
      readonly stack: string | null;
      /** Of an error that a person can mend. */
      readonly mend: string | null;
    };

export interface WorkersRequest extends Omit<PlayerData, 'module'> {
  readonly ids: readonly string[];
  readonly workers: number;
  /** Steps of the tape played by all threads together; false stops them. */
  readonly onProgress: (steps: number) => boolean;
  readonly onPlayed: (id: string, played: PlayedDesk) => void;
}

/** Where the program's threads begin; it is told the module by its data. */
const THREAD = pathToFileURL(join(PROGRAM_ROOT, '..', 'bin', 'thread.js'));

/**
 * Plays parts in threads of their own; each takes the next part when it has done one. The results are those of one
 * thread, whoever played which. Returns when all are done or `onProgress` said stop.
 */
export async function playInWorkers(request: WorkersRequest): Promise<void> {
  const { dir, seen, onProgress, onPlayed } = request;
  const queue = [...request.ids];
  const n = Math.min(request.workers, queue.length);
  const data: PlayerData = { module: 'apps/worth/worth-player', dir, seen };
  const stepsOf = new Map<Worker, number>();
  let open = queue.length;
  let finished = 0;
  try {
    await new Promise<void>((done, fail) => {
      const hear = (thread: Worker, word: PlayerWord) => {
        if (word.kind === 'failed') throw errorOf(word);
        stepsOf.set(thread, word.kind === 'stepped' ? word.steps : 0);
        if (word.kind === 'played') {
          finished += word.steps;
          open -= 1;
          onPlayed(word.id, word.played);
        }
        const isGoing = onProgress([...stepsOf.values()].reduce((sum, steps) => sum + steps, finished));
        if (open === 0 || !isGoing) return done();
        const id = word.kind === 'stepped' ? undefined : queue.shift();
        if (id !== undefined) thread.postMessage(id);
      };
      for (let i = 0; i < n; i++) {
        const thread = new Worker(THREAD, { workerData: data, execArgv: [] });
        stepsOf.set(thread, 0);
        thread.on('error', fail);
        thread.on('exit', () => fail(new Error('a thread of the study ended too early')));
        thread.on('message', (word: PlayerWord) => {
          try {
            hear(thread, word);
          } catch (error) {
            fail(error);
          }
        });
      }
    });
  } finally {
    await Promise.all([...stepsOf.keys()].map((thread) => thread.terminate()));
  }
}

function errorOf({ name, message, stack, mend }: Extract<PlayerWord, { kind: 'failed' }>): Error {
  if (mend !== null) return new InputError(message, mend);
  const error = new Error(message);
  error.name = name;
  // the place it came from, which the copy does not have
  if (stack !== null) error.stack = stack;
  return error;
}
