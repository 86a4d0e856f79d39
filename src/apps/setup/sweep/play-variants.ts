import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PlayedVariant } from '#research';
import { runInThreads } from '../threads/run-in-threads.ts';
import { chunksOf, playChunk } from './play-chunk.ts';
import { shareData } from './shared-tape.ts';
import type { SweepPlan } from './sweep-plan.ts';
import type { SweepThreadData } from './sweep-thread.ts';

/** A run leaves little behind: with more room for young objects a thread takes more memory and is no faster. */
export const THREAD_LIMITS = { maxYoungGenerationSizeMb: 24 };

/** Module of the threads that play variants. */
export const SWEEP_THREAD = 'apps/setup/sweep/sweep-thread';

/** What is to be played, and who hears of it. */
export interface VariantsToPlay {
  readonly plan: SweepPlan;
  readonly variants: readonly number[];
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** Each variant as it comes, in no particular order. */
  readonly onPlayed: (played: PlayedVariant) => void;
}

/** Plays variants by whatever means: threads, machines, a kernel. Throws the first error of a variant or of `onPlayed`. */
export type VariantPlayer = (request: VariantsToPlay) => Promise<void>;

/** Plays variants on this machine: one worker in this thread, more have a thread each. */
export function playHere(workers: number): VariantPlayer {
  return async ({ plan, variants, signal, onPlayed }) => {
    if (workers > 1) return playInThreads(workers, { plan, variants, signal, onPlayed });
    const setting = { ...plan, oracle: plan.answers };
    const keepsOn = () => !signal.aborted;
    for (const chunk of chunksOf(plan, variants, 1)) {
      // so that Ctrl-C is heard
      await nextTurn();
      const played = signal.aborted ? null : await playChunk(setting, chunk, keepsOn);
      if (played === null) return;
      for (const one of played) onPlayed(one);
    }
  };
}

function playInThreads(workers: number, request: VariantsToPlay): Promise<void> {
  const { plan, variants, signal, onPlayed } = request;
  const data: SweepThreadData = {
    desk: plan.request.desk,
    identity: plan.identity,
    data: shareData(plan.data),
    answers: plan.answers?.known ?? null,
  };
  return runInThreads<SweepThreadData, readonly number[], never, readonly PlayedVariant[]>({
    module: SWEEP_THREAD,
    data,
    threads: workers,
    limits: THREAD_LIMITS,
    jobs: chunksOf(plan, variants, workers),
    signal,
    onDone: (played) => {
      for (const one of played) onPlayed(one);
    },
  });
}
