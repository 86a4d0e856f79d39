/** One fill with the market of its day. Money and volume in units of the account's currency and of the instrument. */
export interface FillInMarket {
  /** Size times price. */
  readonly notional: number;
  readonly quantity: number;
  /** Traded on the fill's UTC day, in the unit of the quantity; null where the data tell none. */
  readonly dayVolume: number | null;
  /** Realised volatility of that day: root of the sum of squared log returns of its bars. */
  readonly dayVolatility: number | null;
}

export interface CapacityInput {
  /** Cash at the start, which the run's sizes go with. */
  readonly cash: number;
  /** What the run gained after all its costs. */
  readonly profit: number;
  readonly fills: readonly FillInMarket[];
}

export interface Capacity {
  /** Fills with a volume and a volatility, of all. */
  readonly measured: number;
  readonly fills: number;
  /** Impact that the run itself would have paid, of its cash. */
  readonly impactAtRunSize: number | null;
  /** Cash at which impact takes half of the profit, and all of it. 0 for a run without profit; null when it is not known. */
  readonly halfProfit: number | null;
  readonly noProfit: number | null;
  /** Cash at which one fill in twenty would be more than a tenth of its day's volume. */
  readonly tenthOfVolume: number | null;
}

/** Torre 1997, Barra Market Impact Model Handbook; the coefficient is that of the fill model. */
export const IMPACT = 0.5;
const PARTICIPATION = 0.1;
const RARE = 0.05;

/**
 * How much money the run's trading could carry. A fill of q in a market that trades V a day at a volatility s costs
 * IMPACT * s * sqrt(q / V) of its notional, whatever the length of the interval s and V are taken over: both ratios change
 * by its root. With m times the cash each fill is m times as large and its cost m^1.5 times, so with a profit P and an
 * impact C at the run's own size the profit is m P - m^1.5 C: half of m P is left at m = (P / 2C)^2, none at (P / C)^2.
 * Fills without volume are left out of C, which then is scaled to the notional of all.
 */
export function capacityOf({ cash, profit, fills }: CapacityInput): Capacity {
  let impact = 0;
  let notional = 0;
  let whole = 0;
  const shares: number[] = [];
  for (const fill of fills) {
    whole += fill.notional;
    const { dayVolume, dayVolatility } = fill;
    if (dayVolume === null || dayVolatility === null || !(dayVolume > 0)) continue;
    const share = fill.quantity / dayVolume;
    shares.push(share);
    notional += fill.notional;
    impact += IMPACT * dayVolatility * Math.sqrt(share) * fill.notional;
  }
  const measured = shares.length;
  if (measured === 0 || !(cash > 0)) {
    return {
      measured,
      fills: fills.length,
      impactAtRunSize: null,
      halfProfit: null,
      noProfit: null,
      tenthOfVolume: null,
    };
  }
  const cost = (impact * whole) / notional;
  const at = (part: number) => (profit <= 0 ? 0 : cost > 0 ? cash * ((profit * part) / cost) ** 2 : null);
  shares.sort((a, b) => a - b);
  const large = shares[Math.min(measured - 1, Math.ceil((1 - RARE) * measured) - 1)]!;
  return {
    measured,
    fills: fills.length,
    impactAtRunSize: cost / cash,
    halfProfit: at(0.5),
    noProfit: at(1),
    tenthOfVolume: large > 0 ? (cash * PARTICIPATION) / large : null,
  };
}
