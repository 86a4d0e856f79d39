import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '#base';
import { failureOf, type ThreadTask, type ThreadWord } from './thread-words.ts';

/** What a thread does with a job. `say` reaches the one who handed it in. */
export type ThreadPlayer<Job, Said, Result> = (job: Job, say: (said: Said) => void) => Promise<Result>;

/**
 * The thread's end of {@link Threads}: prepares once with the data it was started with, then plays one job after the other
 * until it is ended. Buffers that `buffersOf` names are handed over, not copied.
 */
export function serveTasks<Data, Job, Said, Result>(
  prepare: (data: Data) => Promise<ThreadPlayer<Job, Said, Result>>,
  buffersOf: (result: Result) => ArrayBuffer[] = () => [],
): void {
  const port = parentPort;
  assert(port !== null, 'a thread is started by the program');
  const player = prepare(workerData.data as Data);
  // what goes wrong with it is said when the first job asks for it
  player.catch(() => {});
  const tell = (word: ThreadWord<Said, Result>, buffers: ArrayBuffer[] = []) =>
    port.postMessage(word, buffers);
  // one after the other: a job that comes while another plays waits here
  let turn: Promise<void> = Promise.resolve();
  port.on('message', ({ task, job }: ThreadTask<Job>) => {
    turn = turn.then(async () => {
      try {
        const play = await player;
        const result = await play(job, (said) => tell({ task, said }));
        tell({ task, result }, buffersOf(result));
      } catch (error) {
        tell({ task, failed: failureOf(error) });
      }
    });
  });
}
