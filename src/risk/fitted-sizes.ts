import { type AccountSummary, committed } from './account.ts';
import type { LegFacts } from './limit.ts';
import { correlationOf } from './limits/groups.ts';
import { shareOfLots } from './scale-plan.ts';

/**
 * Whether less of a leg can be more risk: it moves against another leg, or against what is held or ordered. Where none
 * does, every measure falls with the lots of each leg, and what fits in proportion fits in whole lots.
 */
export function someLegHedges(legs: readonly LegFacts[], account: AccountSummary): boolean {
  const others = [...legs, ...committed(account)];
  const rho = (a: LegFacts['instrument'], b: LegFacts['instrument']) => account.correlation(a, b);
  return legs.some((leg) =>
    others.some(
      (other) => leg.direction * other.direction * correlationOf(rho, leg.instrument, other.instrument) < 0,
    ),
  );
}

/** A size is rounded down by less than a thousandth of what was wanted, and at most so many are asked per leg. */
const STEPS_MAX = 1_024;

/**
 * The sizes that a plan with a hedging leg may be cut to, as shares of what was wanted: those at which some leg has a
 * whole number of steps, a step being one lot, or several for a leg of more than {@link STEPS_MAX} lots.
 *
 * Whole lots do not shrink in proportion: where the hedge loses a lot the plan gets hotter, where another leg does
 * cooler. So along the sizes the fit comes and goes, in no order that a bisection could use, and only asking every
 * size finds the largest that fits. Since these sizes depend on the plan alone, that one can only fall when a limit
 * is tightened; and they are few enough to ask them all.
 */
export class FittedSizes {
  private readonly legs: readonly { readonly lots: number; readonly step: number }[];

  /** `lots`: what each leg was to open, 1 or more. */
  constructor(lots: readonly number[]) {
    this.legs = lots.map((n) => ({ lots: n, step: Math.ceil(n / STEPS_MAX) }));
  }

  /** The largest size that is not above `share`, float noise apart; 0 when there is none. */
  within(share: number): number {
    return Math.max(...this.legs.map((leg) => wholeSteps(leg, share) / leg.lots));
  }

  /** The next smaller size; 0 when there is none. */
  below(size: number): number {
    return Math.max(
      ...this.legs.map((leg) => {
        const kept = wholeSteps(leg, size);
        return (kept / leg.lots < size ? kept : kept - leg.step) / leg.lots;
      }),
    );
  }
}

function wholeSteps({ lots, step }: { readonly lots: number; readonly step: number }, share: number): number {
  const kept = shareOfLots(lots, share);
  return kept - (kept % step);
}
