export type * from './account.ts';
export {
  type EntryPermit,
  type JudgeRequest,
  type JudgeRules,
  judge,
  type LayerVerdict,
  STANDARD_RULES,
  type WasApproved,
  type WasRefused,
} from './approval.ts';
export * from './breaker.ts';
export * from './breaker-table.ts';
export * from './columnar.ts';
export type * from './exit.ts';
export * from './exits/exit-memories.ts';
export * from './exits/price-exits.ts';
export * from './exits/sigma-exits.ts';
export * from './exits/state-exits.ts';
export * from './kill-switch.ts';
export * from './limit.ts';
export * from './limits/concentration.ts';
export * from './limits/groups.ts';
export * from './limits/heat.ts';
export * from './limits/notional-limit.ts';
export * from './limits/platform-guard.ts';
export * from './limits/safety-layers.ts';
export * from './limits/sigma-limits.ts';
export {
  type Approved,
  approveShadow,
  type Consumed,
  consume,
  isApproved,
  type Leg,
  type LegFailure,
  type Plan,
  type Protection,
  type Refused,
  type SizeCut,
} from './plan.ts';
export * from './review.ts';
export type * from './sizer.ts';
export * from './sizers/buffered-fraction.ts';
export * from './sizers/contract-value.ts';
export * from './sizers/kelly.ts';
export * from './sizers/sigma-sizer.ts';
export * from './sizers/simple-sizers.ts';
export * from './sizers/stop-rule.ts';
export * from './value-at-risk.ts';
