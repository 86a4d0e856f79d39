import type { Instant } from '#base';
import type { BookId } from '#ledger';
import type { InstrumentId } from '#market';

/** One open position as risk sees it. Money in minor units of the portfolio's base currency. */
export interface Exposure {
  readonly book: BookId;
  readonly desk: string;
  readonly instrument: InstrumentId;
  readonly underlying: string;
  readonly direction: 1 | -1;
  readonly lots: number;
  readonly notional: number;
  readonly margin: number;
  /** Loss if the stop is hit from the current mark, never negative; the whole margin when there is no stop. */
  readonly riskToStop: number;
  readonly unrealised: number;
}

/** All portfolios of the platform together, in one currency's minor units, for the platform guard. */
export interface PlatformSummary {
  readonly equity: number;
  /** At 00:00 UTC of the running day. */
  readonly equityAtDayStart: number;
  readonly margin: number;
  /** What one minor unit of this portfolio's base currency is worth in the platform's minor units. */
  readonly perBaseMinor: number;
}

/** The account summary that sizers, limits and reviews see. Base-currency minor units. */
export interface AccountSummary {
  readonly at: Instant;
  readonly equity: number;
  readonly equityAtDayStart: number;
  readonly freeBalance: number;
  readonly exposures: readonly Exposure[];
  /**
   * What working orders may still add, as if it had filled: limits count it with what is held. `unrealised` is 0,
   * `margin` what is set aside. Absent: nothing is ordered.
   */
  readonly ordered?: readonly Exposure[];
  /** False when an FX rate needed for equity is stale: entries are refused. */
  readonly ratesFresh: boolean;
  /** Present when several portfolios run on one platform. */
  readonly platform?: PlatformSummary;
  /** Correlation of two instruments, in any order: rho of two instruments' returns, or the stated prior until enough returns exist. */
  correlation(a: InstrumentId, b: InstrumentId): number;
}

/** Held and ordered together: what a limit measures. */
export function committed(account: AccountSummary): readonly Exposure[] {
  const { exposures, ordered = [] } = account;
  return ordered.length === 0 ? exposures : [...exposures, ...ordered];
}
