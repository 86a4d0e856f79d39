import { spanKind } from '../setup/work/span-kind.ts';
import { sweepKind } from '../setup/work/sweep-kind.ts';
import type { WorkKind } from '../setup/work/work-kind.ts';
import { trialKind } from '../train/trial-kind.ts';

/** All sorts of work that `quorum worker` does, by the name that documents give. */
export const WORK_KINDS: Readonly<Record<string, WorkKind>> = {
  sweep: sweepKind,
  spans: spanKind,
  trials: trialKind,
};
