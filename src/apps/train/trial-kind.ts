import { z } from 'zod';
import { Threads } from '../setup/threads/run-in-threads.ts';
import { type FailedTask, failureOf } from '../setup/threads/thread-words.ts';
import { mediansSchema, packDoubles, packMedians, unpackMedians } from '../setup/work/packed.ts';
import { readyInThreads } from '../setup/work/ready-threads.ts';
import type { WorkKind } from '../setup/work/work-kind.ts';
import { fetchTrials, readTrialsPlan } from './shipped-trials.ts';
import { TRAIN_THREAD, type TrialJob, type TrialPlayed, type TrialSetting } from './trial-player.ts';

const number = z.number();

/** One trial. Models and predictions never travel: the winner is played where it is judged. */
const trialItemSchema = z.strictObject({
  point: z.strictObject({
    rsi: number,
    atr: number,
    momentum: number,
    maxDepth: number,
    eta: number,
    minChildWeight: number,
    subsample: number,
    rounds: z.int().min(1).max(100_000),
  }),
  medians: mediansSchema.nullable(),
  until: z.int().min(0).nullable(),
});
export type TrialItem = z.output<typeof trialItemSchema>;

/** A trial as it lies in a job: its contents are its name. */
export const packTrial = ({ point, medians, until }: TrialJob): TrialItem => ({
  point: { ...point },
  medians: medians === null ? null : packMedians(medians),
  until,
});

/** The job of an item. */
export const trialOf = ({ point, medians, until }: TrialItem): TrialJob => ({
  point,
  medians: medians === null ? null : unpackMedians(medians),
  until,
  detail: false,
});

/** What became of one trial. */
export type TrialItemResult =
  | { readonly played: ReturnType<typeof packPlayedTrial>; readonly failed: null }
  | { readonly played: null; readonly failed: FailedTask };

/** A trial on its way back; `of` repeats the item that was played. */
export const packPlayedTrial = (of: TrialItem, { windows, reports, pruned, failed }: TrialPlayed) => ({
  of,
  windows: windows.map((window) => ({
    ...window,
    nets: packDoubles(window.nets),
    equity: packDoubles(window.equity),
  })),
  reports,
  pruned,
  failed,
});

/** Trials of a training, played in threads over one copy of its market. */
export const trialKind: WorkKind = {
  async prepare({ plan, pieces }, place) {
    const setting = await fetchTrials(readTrialsPlan(plan), pieces, place.fetch);
    if (setting === null) return null;
    const threads = new Threads<TrialSetting, TrialJob, never, TrialPlayed>({
      module: TRAIN_THREAD,
      data: setting,
      threads: place.threads,
    });
    // none ahead: a search has few trials open at once, and another worker may be waiting for one
    return readyInThreads(threads, place.threads, async (item): Promise<TrialItemResult> => {
      const of = trialItemSchema.parse(item);
      try {
        return { played: packPlayedTrial(of, await threads.run(trialOf(of))), failed: null };
      } catch (error) {
        return { played: null, failed: failureOf(error) };
      }
    });
  },
};
