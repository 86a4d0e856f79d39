/**
 * Kelly's fraction f = (p*b - (1-p))/b for win probability `p` in 0..1 and payoff ratio `b` > 0 (mean win over
 * mean loss). Rises with both. NaN for anything outside these ranges. Source: Kelly 1956, Thorp 2006.
 */
export function kelly(p: number, b: number): number {
  if (!(p >= 0 && p <= 1) || !(b > 0 && b < Infinity)) return Number.NaN;
  return (p * b - (1 - p)) / b;
}

/** Payoff ratio W/L, at most `cap` (which also stands for "no losses yet"); 0 without wins. */
export function payoffRatio(meanWin: number, meanLoss: number, cap = 10): number {
  if (!(meanWin > 0)) return 0;
  return meanLoss > 0 ? Math.min(meanWin / meanLoss, cap) : cap;
}
