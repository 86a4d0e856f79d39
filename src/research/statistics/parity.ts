import { InputError } from '#base';
import { type DriftVerdict, driftVerdict, featurePsi } from '#learning';

/** What one of the two runs did on the same bars. */
export interface ParitySide {
  /** Return of each bar. */
  readonly returns: ArrayLike<number>;
  /** Direction the desk signalled on each bar: 1, -1, 0 or null for none. */
  readonly signals: readonly (number | null)[];
  /** Fill prices under a key that both runs give the same fill, e.g. bar time, instrument and side. */
  readonly fills: ReadonlyMap<string, number>;
}

export interface ParityOptions {
  /** Newest bars that are compared. */
  readonly bars?: number;
  /** An alert above this. */
  readonly driftBpMax?: number;
  /** An alert below this. */
  readonly agreementMin?: number;
}

export interface Parity {
  readonly bars: number;
  /** Mean |live return - backtest return| * 10,000 per bar. */
  readonly driftBp: number;
  /** Share of equal directions among the bars where either run signalled; null without such a bar. */
  readonly agreement: number | null;
  /** Mean |live - backtest| / backtest * 10,000 of the fills that both have; null without any. */
  readonly fillDifferenceBp: number | null;
  readonly fillsMatched: number;
  readonly fillsOnlyLive: number;
  readonly fillsOnlyBacktest: number;
  readonly alerts: readonly ('drift' | 'agreement')[];
}

/**
 * Live or paper against a backtest of the same bars (research.md 8). Bars without a signal on either side are left
 * out of the agreement: silence is easy to agree on. Fills are compared over everything that is given.
 */
export function parityOf(live: ParitySide, backtest: ParitySide, options: ParityOptions = {}): Parity {
  const { bars = 500, driftBpMax = 1, agreementMin = 0.98 } = options;
  const n = live.returns.length;
  if (n === 0 || [backtest.returns, live.signals, backtest.signals].some((other) => other.length !== n))
    throw new InputError(
      'the two runs do not cover the same bars',
      'give one value per bar for both, at least one',
    );
  const from = Math.max(0, n - bars);
  let drift = 0;
  let asked = 0;
  let agreed = 0;
  for (let i = from; i < n; i++) {
    drift += Math.abs(live.returns[i]! - backtest.returns[i]!);
    const ours = Math.sign(live.signals[i] ?? 0);
    const theirs = Math.sign(backtest.signals[i] ?? 0);
    if (ours === 0 && theirs === 0) continue;
    asked += 1;
    if (ours === theirs) agreed += 1;
  }
  const driftBp = (drift / (n - from)) * 1e4;
  const agreement = asked === 0 ? null : agreed / asked;
  const alerts: ('drift' | 'agreement')[] = [];
  // a return that is not finite must not pass for parity
  if (!(driftBp <= driftBpMax)) alerts.push('drift');
  if (agreement !== null && agreement < agreementMin) alerts.push('agreement');
  return { bars: n - from, driftBp, agreement, ...fillDifferences(live.fills, backtest.fills), alerts };
}

function fillDifferences(live: ReadonlyMap<string, number>, backtest: ReadonlyMap<string, number>) {
  let sum = 0;
  let matched = 0;
  for (const [key, price] of live) {
    const other = backtest.get(key);
    if (other === undefined) continue;
    matched += 1;
    sum += Math.abs(price / other - 1) * 1e4;
  }
  return {
    fillDifferenceBp: matched === 0 ? null : sum / matched,
    fillsMatched: matched,
    fillsOnlyLive: live.size - matched,
    fillsOnlyBacktest: backtest.size - matched,
  };
}

export interface FeatureDrift {
  readonly feature: string;
  /** Population stability index; null where either side has no finite value. */
  readonly index: number | null;
  readonly verdict: DriftVerdict | 'unknown';
}

/** Population stability index of every feature of `reference` (10 quantile bins), the worst first. */
export function featureDrifts(
  reference: Readonly<Record<string, ArrayLike<number>>>,
  current: Readonly<Record<string, ArrayLike<number>>>,
): FeatureDrift[] {
  const rows = Object.entries(reference).map(([feature, values]): FeatureDrift => {
    const before = Array.from(values).filter(Number.isFinite);
    const after = Array.from(current[feature] ?? []).filter(Number.isFinite);
    if (before.length === 0 || after.length === 0) return { feature, index: null, verdict: 'unknown' };
    const index = featurePsi(before, after);
    return { feature, index, verdict: driftVerdict(index) };
  });
  return rows.sort(
    (a, b) => (b.index ?? Infinity) - (a.index ?? Infinity) || (a.feature < b.feature ? -1 : 1),
  );
}
