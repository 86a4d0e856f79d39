import { columnOf, computeFeatures, requestOf } from '#features';
import { appendBar, type BarColumns, barAt, barColumns } from '#market';
import { MOMENTUM_REGIME, momentumT } from '../rules/momentum-regime.ts';
import { PARITY_FEATURES } from './barrier-model.ts';
import {
  type FeatureParity,
  followParity,
  newParity,
  PARITY_BARS,
  parityReport,
  type ReturnDrift,
  returnDrift,
} from './pine-parity.ts';
import { S1_FEATURES, S1_INDICATORS, S1_LENGTHS, S1_WARM_UP_BARS, type S1Lengths, s1Rows } from './s1-row.ts';

/** What a script calls the return of holding the direction of the momentum gate. */
export const REGIME_RETURN = 'regime_return';

/** What a script says of a bar: every feature that bars alone give, and the return (S1 8). */
export const CHART_NAMES: readonly string[] = [...Object.keys(S1_INDICATORS), REGIME_RETURN];

/** Values that a chart's script sent of one bar; null where nothing came of it. */
export type ChartValues = ReadonlyMap<string, number> | null;

/** How far a chart's script lies from us, over the newest bars that both know; basis points a bar. */
export interface ChartParity {
  /** Bars whose features were compared, at most {@link PARITY_BARS}, and the open times of the first and last of them. */
  readonly bars: number;
  readonly from: number | null;
  readonly to: number | null;
  /** Bars that could have been compared had the script sent anything of them. */
  readonly unsent: number;
  /** Names that were left out of some of the newest bars of which the script said anything, and of how many. */
  readonly missing: readonly { readonly name: string; readonly bars: number }[];
  /** Mean and largest difference of the features; null while nothing was compared. */
  readonly meanBp: number | null;
  readonly maxBp: number | null;
  readonly features: readonly FeatureParity[];
  /** Of the per-bar return of the momentum gate's direction; null where the script never sent it. */
  readonly returns: ReturnDrift | null;
  /** The larger of the two means, which a promotion asks for; null: not known. */
  readonly parityBp: number | null;
}

/**
 * Compares what a chart's script sent with what we make of the same bars, by the code that the desk itself uses while it
 * trades. `chart` has one entry per bar. Behind a hole in the bars nothing is compared for {@link S1_WARM_UP_BARS} bars.
 */
export function chartParity(
  bars: BarColumns,
  chart: readonly ChartValues[],
  intervalMs: number,
  lengths: S1Lengths = S1_LENGTHS,
): ChartParity {
  const memory = newParity();
  const theirs: number[] = [];
  const ours: number[] = [];
  const sent: boolean[] = [];
  const spoken: (readonly string[])[] = [];
  const width = S1_FEATURES.length;
  for (const { from, run } of runsOf(bars, intervalMs)) {
    const { rows, usable } = s1Rows(run, null, lengths);
    const held = regimeReturns(run);
    for (let i = 0; i < run.length; i++) {
      if (usable[i] !== 1) continue;
      const time = run.time[i]!;
      const values = chart[from + i] ?? null;
      sent.push(values !== null);
      const absent = CHART_NAMES.filter((name) => values?.has(name) !== true);
      if (absent.length < CHART_NAMES.length) spoken.push(absent);
      const own = { time, close: run.close[i]!, values: [...rows.subarray(i * width, (i + 1) * width)] };
      followParity(memory, own, values === null ? null : { time, values }, PARITY_FEATURES);
      const told = values?.get(REGIME_RETURN);
      if (told === undefined) continue;
      theirs.push(told);
      ours.push(held[i]!);
    }
  }
  const report = parityReport(memory, PARITY_FEATURES);
  const returns = returnDrift(theirs, ours);
  const counted = spoken.slice(-PARITY_BARS);
  const known = [report.meanBp, returns?.meanBp].filter((one) => typeof one === 'number');
  return {
    bars: report.bars,
    from: report.times[0] ?? null,
    to: report.times.at(-1) ?? null,
    unsent: sent.slice(-PARITY_BARS).filter((one) => !one).length,
    missing: CHART_NAMES.flatMap((name) => {
      const without = counted.filter((absent) => absent.includes(name)).length;
      return without === 0 ? [] : [{ name, bars: without }];
    }),
    meanBp: report.meanBp,
    maxBp: report.maxBp,
    features: report.features,
    returns,
    parityBp: report.meanBp === null ? null : Math.max(...known),
  };
}

/** Return of each bar for whoever held the direction of the momentum gate since the bar before; NaN without one. */
function regimeReturns(bars: BarColumns): Float64Array {
  const { bars: n, tMin } = MOMENTUM_REGIME;
  const [mean, std, r1] = [`logret_stats:${n}/mean`, `logret_stats:${n}/std`, 'logret:1'];
  const columns = computeFeatures(bars, [...new Set([mean, std, r1].map(requestOf))]);
  const [means, deviations, returns] = [mean, std, r1].map((one) => columns.get(columnOf(one))!);
  const out = new Float64Array(bars.length).fill(Number.NaN);
  for (let i = 1; i < bars.length; i++) {
    const t = momentumT(means![i - 1]!, deviations![i - 1]!, n);
    out[i] = (t > tMin ? 1 : t < -tMin ? -1 : 0) * returns![i]!;
  }
  return out;
}

/** Stretches without a hole that are long enough to compare anything in. */
function runsOf(bars: BarColumns, intervalMs: number): { from: number; run: BarColumns }[] {
  const found: { from: number; run: BarColumns }[] = [];
  let from = 0;
  for (let i = 1; i <= bars.length; i++) {
    if (i < bars.length && bars.time[i]! - bars.time[i - 1]! === intervalMs) continue;
    if (i - from >= S1_WARM_UP_BARS) found.push({ from, run: cut(bars, from, i) });
    from = i;
  }
  return found;
}

function cut(bars: BarColumns, from: number, to: number): BarColumns {
  const run = barColumns(to - from);
  for (let i = from; i < to; i++) appendBar(run, barAt(bars, i));
  return run;
}
