import { decimal, percent, ratio } from '../../ui/format.ts';

const FIRST = ['return', 'sharpe', 'maxDrawdown', 'trades'];
const SHARES = /(^return|Return$|drawdown|Drawdown|winRate|Annual$|share$)/;
const COUNTS = /^(trades|orders|fills|commands|shadowTrades|bars|slices|n)$/;

/** A figure of a run as people read it. */
export function figureText(name: string, value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (COUNTS.test(name)) return decimal(value, 0);
  if (SHARES.test(name)) return percent(value, Math.abs(value) < 0.001 ? 4 : 2);
  if (/sharpe|sortino|calmar|payoff|efficiency/i.test(name)) return ratio(value, 2);
  return decimal(value);
}

/** The figures that most people look at come first. */
export function inOrder(names: readonly string[]): string[] {
  const rank = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...new Set(names)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** Less is better. */
export function isCost(name: string): boolean {
  return /drawdown|fees|brier|logLoss|cost/i.test(name);
}

export function figureName(name: string): string {
  const text = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
