import type { SharedWasmMemory } from '#base';
// not by the door of the room: what a thread loads is paid for by every thread of every training
import {
  type BoostingData,
  BoostingHand,
  type BoostingPlan,
  type BoostingRound,
  followBoosting,
  leadBoosting,
  type TrainedBooster,
} from '../../../research/training/boosting/index.ts';
import { serveTasks } from '../threads/serve-tasks.ts';

/** What a thread of a training begins with: all on the same memory. */
export interface BoostingThreadData {
  readonly plan: BoostingPlan;
  readonly memory: SharedWasmMemory;
  readonly data: BoostingData;
}

// a job is the number of the thread; the first leads and gives the model, the others work until it lets them go
serveTasks<BoostingThreadData, number, BoostingRound, TrainedBooster | null>(
  async ({ plan, memory, data }) =>
    async (thread, say) => {
      if (thread === 0) return leadBoosting(data, plan, memory, { progress: say });
      followBoosting(new BoostingHand(plan, memory, thread), data);
      return null;
    },
);
