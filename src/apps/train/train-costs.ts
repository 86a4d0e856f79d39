import { RATE_ONE } from '#market';
import type { ColdCosts, ColdData } from '#research';

/** What every run of a training pays and begins with. */
export interface TrainCosts {
  /** In the currency of the books. */
  readonly cash: number;
  readonly feeBps: number;
  readonly slippageBps: number;
}

/** The same as the columnar engine reckons with it. */
export function coldCosts(
  { cash, feeBps, slippageBps }: TrainCosts,
  { instrument }: ColdData,
  factor = 1,
): ColdCosts {
  const rate = (bps: number) => Math.round((factor * bps * RATE_ONE) / 10_000) / RATE_ONE;
  return {
    cash: Math.round(cash * 10 ** instrument.minorScale),
    feeRate: rate(feeBps),
    slippageRate: rate(slippageBps),
  };
}
