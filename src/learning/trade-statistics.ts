/** Expectancy figures of closed trades' net results (after fees and funding). */
export interface Expectancy {
  readonly n: number;
  /** Share of trades with a positive result; a result of 0 counts as a loss. */
  readonly winRate: number;
  /** Mean of the positive results; 0 without any. */
  readonly meanWin: number;
  /** Mean size of the negative results; results of 0 are not in it. 0 without any. */
  readonly meanLoss: number;
  /** winRate * meanWin - (1 - winRate) * meanLoss; 0 for no trades. */
  readonly expectancy: number;
}

/** E = p*W - q*L (sigma.md 6). */
export function expectancyOf(nets: ArrayLike<number>): Expectancy {
  const n = nets.length;
  let wins = 0;
  let won = 0;
  let losses = 0;
  let lost = 0;
  for (let i = 0; i < n; i++) {
    const net = nets[i]!;
    if (net > 0) {
      wins += 1;
      won += net;
    } else if (net < 0) {
      losses += 1;
      lost -= net;
    }
  }
  const winRate = n === 0 ? 0 : wins / n;
  const meanWin = wins === 0 ? 0 : won / wins;
  const meanLoss = losses === 0 ? 0 : lost / losses;
  return { n, winRate, meanWin, meanLoss, expectancy: expectedResult(winRate, meanWin, meanLoss) };
}

/** p*W - (1-p)*L. */
export const expectedResult = (winRate: number, meanWin: number, meanLoss: number): number =>
  winRate * meanWin - (1 - winRate) * meanLoss;

/** Mean; NaN for nothing. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return values.length === 0 ? Number.NaN : sum / values.length;
}

/** Sample deviation (ddof 1); NaN for fewer than two values. */
export function deviation(values: ArrayLike<number>): number {
  if (values.length < 2) return Number.NaN;
  const m = mean(values);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - m) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

/** Mean over sample deviation, not annualised. Without deviation: 0, or infinite with the sign of the mean. */
export function sharpePerTrade(values: ArrayLike<number>): number {
  return ratio(mean(values), deviation(values));
}

/** a/b with b >= 0, where b = 0 gives 0 or an infinity with the sign of a. */
export function ratio(a: number, b: number): number {
  if (b > 0 || Number.isNaN(b)) return a / b;
  return a === 0 ? 0 : a > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}
