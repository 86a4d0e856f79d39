export { BoostingHand } from './boosting-hand.ts';
export { areaUnderCurve } from './boosting-metrics.ts';
export type {
  BoostingData,
  BoostingHistory,
  BoostingHooks,
  BoostingMatrix,
  BoostingMetric,
  BoostingObjective,
  BoostingOptions,
  BoostingRound,
  BoostingRows,
  TrainedBooster,
} from './boosting-options.ts';
export type { BoostingPlan } from './boosting-plan.ts';
export { followBoosting } from './boosting-team.ts';
export { leadBoosting, planBoosting, trainBoosted } from './train-boosted.ts';
