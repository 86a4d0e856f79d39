import { setTimeout as sleep } from 'node:timers/promises';
import { type BarReader, StreamsAway } from '#adapters';
import type { BarIntake } from './bar-intake.ts';
import type { IntakeCounts } from './intake-counts.ts';

export interface WorkerRules {
  /** Entries of one stream taken at once. */
  readonly count: number;
  /** Another worker's entries are taken over when it has not said for so long that it works on them. */
  readonly claimIdleMs: number;
  readonly claimEveryMs: number;
}

export const WORKER_RULES: WorkerRules = { count: 100, claimIdleMs: 60_000, claimEveryMs: 5_000 };

const READ_MS = 500;
const CLAIMED_MOST = 500;
/** Times that what is in work is named as such before others would take it for abandoned. */
const TOUCHES = 6;
/** More than these in work: first they, then further ones. */
const IN_WORK_MOST = 5_000;

/** Takes entries from the queue into the store until the signal. Entries of workers that died are taken over. */
export async function runWorker(options: {
  readonly reader: BarReader;
  readonly intake: BarIntake;
  readonly rules: WorkerRules;
  readonly counts: IntakeCounts;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}): Promise<void> {
  const { reader, intake, rules, counts, signal, say } = options;
  const waitMs = Math.min(READ_MS, rules.claimEveryMs);
  let claimAt = 0;
  let touchAt = 0;
  let isAway = false;
  let beganOver = false;
  while (!signal.aborted) {
    try {
      if (!beganOver) {
        // of another process of this name
        await intake.take(await reader.own(CLAIMED_MOST));
        beganOver = true;
      }
      // before anything is claimed: a bar that waits for its store or for others is in good hands, here and elsewhere
      if (performance.now() >= touchAt) {
        touchAt = performance.now() + rules.claimIdleMs / TOUCHES;
        await reader.touch(intake.holding());
      }
      if (intake.inWork > IN_WORK_MOST) {
        await sleep(20);
        continue;
      }
      // idleness is counted by the queue's own clock, not by that of the bars
      if (performance.now() >= claimAt) {
        claimAt = performance.now() + rules.claimEveryMs;
        const claimed = await reader.claim({ idleMs: rules.claimIdleMs, count: CLAIMED_MOST });
        counts.claimed += claimed.length;
        await intake.take(claimed);
      }
      await intake.take(await reader.read({ count: rules.count, waitMs, signal }));
      if (isAway) say('the queue answers again');
      isAway = false;
    } catch (cause) {
      if (signal.aborted) return;
      if (!(cause instanceof StreamsAway)) throw cause;
      counts.faults += 1;
      if (!isAway) say(`the queue does not answer: ${cause.message}`);
      isAway = true;
      await sleep(50);
    }
  }
}
