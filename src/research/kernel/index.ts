export type { KernelFill, KernelRecorder, KernelTrade } from './kernel-account.ts';
export { barsReason, type MarketTerms } from './kernel-market.ts';
export {
  type KernelRule,
  type KernelSeries,
  type KernelStudy,
  type KernelVerdict,
  kernelRuleOf,
} from './kernel-rule.ts';
export {
  type KernelOutcome,
  type KernelPlay,
  moneyText,
  type PlayRulesOptions,
  playRules,
} from './play-rules.ts';
