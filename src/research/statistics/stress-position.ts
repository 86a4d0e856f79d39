/** A position as plain data; money in one currency, the portfolio's base. */
export interface StressPosition {
  readonly instrument: string;
  /** What shocks may name, e.g. `BTC`, `crypto`. */
  readonly tags: readonly string[];
  readonly venue: string;
  /** At the current price; below 0 for a short. */
  readonly notional: number;
  /** Notional / initial margin; 1 for what is paid in full. */
  readonly leverage: number;
  /** Maintenance margin as a share of the notional. */
  readonly maintenanceRate: number;
  /** Its own margin, or the venue's whole equity behind it. */
  readonly isolated: boolean;
  /** Share of the notional charged by a liquidation; 0 if not given. */
  readonly liquidationFeeRate?: number;
  /** Whether funding is paid on it. */
  readonly funded?: boolean;
  /** Deviation of its daily return. */
  readonly deviationDaily?: number | null;
  /** Half of the spread as a share of the price. */
  readonly halfSpread?: number | null;
  /** Turnover of a day in money. */
  readonly volumeDaily?: number | null;
}

export interface StressAccount {
  /** Equity at each venue, margins of open positions included. */
  readonly equity: Readonly<Record<string, number>>;
}
