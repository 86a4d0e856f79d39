/** Where stop and target go, as price distances. */
export interface StopRule {
  /** Feature expression of the average true range. */
  readonly atr: string;
  readonly atrMultiple: number;
  /** The stop is never nearer than this many round-trip costs (2 x cost rate x price); 0 is no floor. */
  readonly costMultiple: number;
  /** Target distance in stop distances; null rests no target. */
  readonly targetMultiple: number | null;
}

/** sigma.md 6: stop = max(1.5 ATR, 5 x round-trip cost), target 2.5 x stop. */
export const SIGMA_STOP: StopRule = { atr: 'atr:14', atrMultiple: 1.5, costMultiple: 5, targetMultiple: 2.5 };

/** Stop distance as a price difference; NaN when `atr` is not defined. */
export function stopDistance(rule: StopRule, atr: number, price: number, costRate: number): number {
  return Math.max(rule.atrMultiple * atr, rule.costMultiple * 2 * costRate * price);
}
