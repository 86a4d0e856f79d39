export interface Drawdown {
  /** Largest fall below the highest equity so far, as a fraction of it; above 1 where equity went below 0. */
  readonly max: number;
  /** Longest run of periods below the highest equity so far; one that is not over yet counts. */
  readonly longest: number;
  /** Ulcer index (Martin 1987): root mean square of the falls over all periods, the first equity included. Fraction. */
  readonly ulcer: number;
}

/** Follows an equity, one period after the other. */
export class DrawdownWalk {
  max = 0;
  longest = 0;
  private peak = -Infinity;
  private below = 0;
  private squares = 0;
  private n = 0;

  push(equity: number): void {
    this.n += 1;
    if (equity >= this.peak) {
      this.peak = equity;
      this.below = 0;
      return;
    }
    this.below += 1;
    if (this.below > this.longest) this.longest = this.below;
    if (!(this.peak > 0)) return;
    const fall = (this.peak - equity) / this.peak;
    this.squares += fall * fall;
    if (fall > this.max) this.max = fall;
  }

  get ulcer(): number {
    return this.n === 0 ? 0 : Math.sqrt(this.squares / this.n);
  }
}

/** Drawdown figures of an equity series. A peak that is not above 0 has no drawdown. */
export function drawdownOf(equity: ArrayLike<number>): Drawdown {
  const walk = new DrawdownWalk();
  for (let i = 0; i < equity.length; i++) walk.push(equity[i]!);
  return { max: walk.max, longest: walk.longest, ulcer: walk.ulcer };
}
