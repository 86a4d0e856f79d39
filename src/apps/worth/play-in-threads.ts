import type { Seen } from '#research';
import type { KnownAnswers, RecordedAnswers } from '../setup/answers-file.ts';
import type { RunConfiguration } from '../setup/run-backtest.ts';
import { type SharedData, shareData } from '../setup/sweep/shared-tape.ts';
import { runInThreads } from '../setup/threads/run-in-threads.ts';
import type { PlayedDesk, PlayInputs } from './play-desk.ts';

/** What a thread that plays parts is started with. */
export interface WorthThreadData {
  readonly configuration: RunConfiguration;
  readonly data: SharedData;
  readonly answers: KnownAnswers | null;
  readonly seen: Seen;
}

export interface PartsRequest {
  readonly run: PlayInputs;
  readonly answers: RecordedAnswers | null;
  /** What the whole desk was seen to do: it decides which parts there are. */
  readonly seen: Seen;
  readonly ids: readonly string[];
  readonly workers: number;
  /** Steps of the tape played by all threads together; false stops them. */
  readonly onProgress: (steps: number) => boolean;
  readonly onPlayed: (id: string, played: PlayedDesk) => void;
}

/**
 * Plays parts in threads of their own, over one tape in shared memory. The results are those of one thread, whoever
 * played which. Returns when all are done or `onProgress` said stop.
 */
export async function playPartsInThreads(request: PartsRequest): Promise<void> {
  const { run, answers, seen, ids, workers, onProgress, onPlayed } = request;
  const stepsOf = new Map<string, number>();
  const stop = new AbortController();
  const step = (id: string, steps: number) => {
    stepsOf.set(id, steps);
    const all = [...stepsOf.values()].reduce((sum, one) => sum + one, 0);
    if (!onProgress(all)) stop.abort();
  };
  await runInThreads<WorthThreadData, string, number, PlayedDesk>({
    module: 'apps/worth/worth-player',
    data: {
      configuration: run.configuration,
      data: shareData({ tape: run.tape, faults: new Map() }),
      answers: answers?.known ?? null,
      seen,
    },
    threads: Math.min(workers, ids.length),
    jobs: ids,
    signal: stop.signal,
    onSaid: (steps, id) => step(id, steps),
    onDone: (played, id) => {
      onPlayed(id, played);
      step(id, run.tape.length);
    },
  });
}
