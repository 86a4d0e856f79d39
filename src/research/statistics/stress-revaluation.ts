import type { StressAccount, StressPosition } from './stress-position.ts';

export interface Outcome {
  readonly instrument: string;
  /** Money, below 0 for a gain. */
  readonly loss: number;
  /** Initial margin: notional / leverage. */
  readonly margin: number;
  /** Maintenance margin at shocked prices; 0 once liquidated. */
  readonly maintenanceAfter: number;
  readonly liquidated: boolean;
}

/**
 * Price relative to now at which an isolated position is liquidated: long (1 - 1/L) / (1 - mmr), short (1 + 1/L) /
 * (1 + mmr). Null where no price above 0 does it.
 */
export function liquidationRatio(
  side: 'long' | 'short',
  leverage: number,
  maintenanceRate: number,
): number | null {
  const ratio =
    side === 'long' ? (1 - 1 / leverage) / (1 - maintenanceRate) : (1 + 1 / leverage) / (1 + maintenanceRate);
  return ratio > 0 ? ratio : null;
}

/**
 * Positions after paths of cumulative returns (an empty one stands still) and cash payments (positive: paid by us).
 * Isolated ones are judged alone, the others per venue on what its equity leaves them.
 */
export function revalue(
  positions: readonly StressPosition[],
  account: StressAccount,
  paths: readonly (readonly number[])[],
  paid: readonly number[],
): { readonly outcomes: readonly Outcome[]; readonly bears: number } {
  const steps = Math.max(1, ...paths.map((path) => path.length));
  const held = positions.map((position, i) => new Held(position, paths[i] ?? [], paid[i] ?? 0));
  const pools = [...new Set(positions.map((position) => position.venue))].map(
    (venue) =>
      new Pool(
        held.filter((h) => h.position.venue === venue && !h.position.isolated),
        account.equity[venue]! -
          held.reduce(
            (sum, h) => sum + (h.position.venue === venue && h.position.isolated ? h.margin : 0),
            0,
          ),
      ),
  );
  for (let step = 0; step < steps; step++) {
    for (const h of held) h.advance(step);
    for (const pool of pools) pool.advance();
  }
  return {
    outcomes: held.map((h) => h.outcome()),
    bears: pools.reduce((sum, pool) => sum + pool.bears, 0),
  };
}

/** One position on its path. */
class Held {
  readonly position: StressPosition;
  readonly margin: number;
  loss = 0;
  liquidated = false;
  private ratio = 1;
  private readonly path: readonly number[];
  private readonly paid: number;

  constructor(position: StressPosition, path: readonly number[], paid: number) {
    this.position = position;
    this.path = path;
    this.paid = paid;
    this.margin = Math.abs(position.notional) / position.leverage;
  }

  get maintenance(): number {
    return this.liquidated
      ? 0
      : Math.abs(this.position.notional) * this.ratio * this.position.maintenanceRate;
  }

  advance(step: number): void {
    const move = this.path[Math.min(step, this.path.length - 1)] ?? 0;
    if (this.liquidated) return;
    const { notional, isolated } = this.position;
    this.ratio = 1 + move;
    this.loss = this.paid - notional * move;
    if (!isolated || !(this.margin - this.loss <= this.maintenance) || this.margin === 0) return;
    const { leverage, maintenanceRate } = this.position;
    const level = liquidationRatio(notional > 0 ? 'long' : 'short', leverage, maintenanceRate) ?? this.ratio;
    this.loss = this.margin + this.fee(level);
    this.liquidated = true;
  }

  /** Charged on the notional at this price ratio. */
  fee(ratio: number): number {
    return (this.position.liquidationFeeRate ?? 0) * Math.abs(this.position.notional) * ratio;
  }

  /** Closed by its venue at the current price, with the rest of a cross account. */
  close(): void {
    this.loss += this.fee(this.ratio);
    this.liquidated = true;
  }

  outcome(): Outcome {
    return {
      instrument: this.position.instrument,
      loss: this.loss,
      margin: this.margin,
      maintenanceAfter: this.maintenance,
      liquidated: this.liquidated,
    };
  }
}

/** The cross-margined positions of one venue and the equity behind them. */
class Pool {
  /** Loss beyond the equity. */
  bears = 0;
  private readonly held: readonly Held[];
  private readonly equity: number;
  private over = false;

  constructor(held: readonly Held[], equity: number) {
    this.held = held;
    this.equity = equity;
  }

  advance(): void {
    if (this.over || this.held.length === 0) return;
    const loss = this.held.reduce((sum, h) => sum + h.loss, 0);
    const maintenance = this.held.reduce((sum, h) => sum + h.maintenance, 0);
    // what is paid in full and needs no maintenance can lose its value without being liquidated
    if (maintenance === 0 || this.equity - loss > maintenance) return;
    for (const h of this.held) h.close();
    this.over = true;
    const total = this.held.reduce((sum, h) => sum + h.loss, 0);
    this.bears = Math.max(0, total - Math.max(0, this.equity));
  }
}
