import type { Threads } from '../threads/run-in-threads.ts';
import type { ReadyWork } from './work-kind.ts';

/**
 * A work whose parts threads play; `play` gives what became of a part, failed tasks included. What threads that were ended, or
 * ended by themselves, say of their tasks is no result: such a part rejects, and goes to another worker.
 */
export function readyInThreads<Data, Job, Result>(
  threads: Threads<Data, Job, never, Result>,
  room: number,
  play: (item: unknown) => Promise<unknown>,
): ReadyWork {
  let isClosed = false;
  return {
    room,
    get isBroken() {
      return threads.isBroken;
    },
    async play(item) {
      const result = await play(item);
      if (isClosed || threads.isBroken) throw new Error('the threads of a worker ended');
      return result;
    },
    close: () => {
      isClosed = true;
      return threads.close();
    },
  };
}
