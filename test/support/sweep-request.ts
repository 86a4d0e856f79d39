import type { SweepRequest } from '../../src/apps/setup/sweep/sweep-plan.ts';

/** What a sweep of a desk over one file of bars is asked for. */
export const sweepRequest = (
  desk: string,
  bars: string,
  more: Pick<SweepRequest, 'params'> & Partial<SweepRequest>,
): SweepRequest => ({
  desk,
  bars: [bars],
  funding: [],
  tapes: [],
  from: null,
  to: null,
  cash: null,
  feeBps: 3,
  slippageBps: null,
  seed: '1',
  answers: null,
  where: null,
  set: [],
  ...more,
});
