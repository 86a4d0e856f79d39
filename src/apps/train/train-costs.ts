import { RATE_ONE } from '#market';
import type { ColdCosts, ColdData } from '#research';

/** What every run of a training pays and begins with. */
export interface TrainCosts {
  /** In the currency of the books. */
  readonly cash: number;
  readonly feeBps: number;
  readonly slippageBps: number;
}

/** What the sheet reckons with: edgeX's taker fee, a basis point of slippage, and cash enough that bars' volumes bound its orders. */
export const SHEET_COSTS: TrainCosts = { cash: 10_000, feeBps: 3.8, slippageBps: 1 };

/** What makes a training kinder than the sheet's: whoever promotes must see it. Dearer is nobody's fault. */
export function costStamps(costs: TrainCosts): string[] {
  const { cash, feeBps, slippageBps } = SHEET_COSTS;
  return [
    ...(costs.feeBps < feeBps ? [`fee below ${feeBps} bp`] : []),
    ...(costs.slippageBps < slippageBps ? [`slippage below ${slippageBps} bp`] : []),
    ...(costs.cash < cash ? [`cash below ${cash}`] : []),
  ];
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
