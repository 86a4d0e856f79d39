import type { Command } from 'commander';
import { EXIT, ExitError, type Terminal } from './terminal.ts';

/** `--queue` of a command whose work may be done elsewhere. */
export interface QueueOptions {
  queue?: string;
}

/** Adds `--queue`. */
export const withQueueOption = (command: Command): Command =>
  command.option(
    '--queue <url>',
    'play on the workers of this Redis, as redis://HOST:PORT; see "quorum worker"',
  );

/** A Redis whose workers play, as it may be shown. */
export type OpenQueue = NonNullable<Awaited<ReturnType<typeof openQueue>>>;

/** Throws ExitError where threads here are asked for as well. */
export function refuseThreads({ queue }: QueueOptions, command: Command): void {
  if (queue !== undefined && command.getOptionValueSource('workers') === 'cli') {
    throw new ExitError(EXIT.usage, '--workers does not go with --queue', 'give it to quorum worker');
  }
}

/** The Redis after `--queue`; null without. Throws UnreachableError before anything of the work is read or written. */
export async function openQueue(terminal: Terminal, { queue }: QueueOptions) {
  if (queue === undefined) return null;
  const { RedisLink, readRedisAddress } = await import('#adapters');
  const link = await RedisLink.connect(readRedisAddress(queue, process.env.QUORUM_QUEUE_PASSWORD ?? null));
  return {
    link,
    shown: link.shown,
    onNote: (note: string) => terminal.note(note),
    close: () => link.close(),
  };
}

/** Who played, for people: the queue, or so many threads. */
export function playersText(queue: Pick<OpenQueue, 'shown'> | null, workers: number): string {
  if (queue !== null) return `through ${queue.shown}`;
  return workers === 1 ? 'no threads' : `${workers} threads`;
}
