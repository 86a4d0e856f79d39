import { Chance } from '#base';
import { type RateInterval, rateInterval } from './rates.ts';
import { EVIDENCE_BAR, type EvidenceOptions, evidenceOf } from './trial-evidence.ts';

/** Makes the returns of all trials of one sweep. */
export type SweepMaker = (chance: Chance) => Float64Array[];

export interface SweepShape {
  readonly trials: number;
  readonly periods: number;
}

/** Trials without skill that have nothing to do with each other. */
export function independentNoise({ trials, periods }: SweepShape): SweepMaker {
  return (chance) =>
    Array.from({ length: trials }, () => Float64Array.from({ length: periods }, () => chance.normal()));
}

/** Trials without skill in groups of different sizes; two trials of a group have this correlation. */
export function groupedNoise(shape: SweepShape, groups: number, correlation: number): SweepMaker {
  const common = Math.sqrt(correlation);
  const own = Math.sqrt(1 - correlation);
  return (chance) => {
    const cores = independentNoise({ trials: groups, periods: shape.periods })(chance);
    // half of all trials in the first group, half of the rest in the second, ...: sweeps crowd around one idea
    return Array.from({ length: shape.trials }, (_, i) => {
      const group = i < groups ? i : Math.min(groups - 1, Math.floor(-Math.log2(1 - chance.uniform())));
      return cores[group]!.map((value) => common * value + own * chance.normal());
    });
  };
}

/**
 * What a person really sweeps: crosses of two moving averages, long above and short below, on one random walk. No
 * pair has skill, and neighbours hold nearly the same positions.
 */
export function crossNoise({ trials, periods }: SweepShape): SweepMaker {
  return (chance) => {
    const longest = 200;
    const steps = Float64Array.from({ length: periods + longest }, () => chance.normal() * 0.01);
    const sums = new Float64Array(steps.length + 1);
    let price = 0;
    steps.forEach((step, i) => {
      price += step;
      sums[i + 1] = sums[i]! + price;
    });
    const average = (end: number, n: number) => (sums[end]! - sums[end - n]!) / n;
    return Array.from({ length: trials }, () => {
      const fast = 2 + chance.below(48);
      const slow = fast + 5 + chance.below(longest - fast - 5);
      return Float64Array.from({ length: periods }, (_, i) => {
        const known = longest + i;
        return average(known, fast) > average(known, slow) ? steps[known]! : -steps[known]!;
      });
    });
  };
}

/** The first trial of every sweep gets a true Sharpe ratio per period. */
export function planted(maker: SweepMaker, sharpe: number): SweepMaker {
  return (chance) => {
    const trials = maker(chance);
    const edge = sharpe * Math.sqrt(trials[0]!.reduce((sum, x) => sum + x * x, 0) / trials[0]!.length);
    trials[0] = trials[0]!.map((value) => value + edge);
    return trials;
  };
}

export interface PromotionStudy {
  readonly sweeps: number;
  /** Sweeps whose best trial clears DSR >= 0.95 and PBO <= 0.20. */
  readonly promoted: RateInterval;
  /** Each test alone. */
  readonly byDsr: RateInterval;
  readonly byPbo: RateInterval;
  /** Promoted sweeps whose chosen trial is the first: the planted one, where one was planted. */
  readonly first: RateInterval;
  readonly meanEffective: number;
}

/**
 * How often the evidence lets the best trial of a sweep through: the false promotion rate on noise, the power on a
 * {@link planted} edge. Sweep k depends on the seed and k only, so studies may be cut in parts (`from`).
 */
export function promotionStudy(
  maker: SweepMaker,
  { sweeps, seed, from = 0 }: { readonly sweeps: number; readonly seed: string; readonly from?: number },
  options: EvidenceOptions = {},
): PromotionStudy {
  let promoted = 0;
  let byDsr = 0;
  let byPbo = 0;
  let first = 0;
  let effective = 0;
  for (let k = from; k < from + sweeps; k++) {
    const evidence = evidenceOf(maker(new Chance(`${seed}/${k}`)), options);
    effective += evidence.effective;
    if (evidence.dsr !== null && evidence.dsr >= EVIDENCE_BAR.dsrMin) byDsr += 1;
    if (evidence.overfitting !== null && evidence.overfitting.pbo <= EVIDENCE_BAR.pboMax) byPbo += 1;
    if (!evidence.clears) continue;
    promoted += 1;
    if (evidence.chosen === 0) first += 1;
  }
  return {
    sweeps,
    promoted: rateInterval(promoted, sweeps),
    byDsr: rateInterval(byDsr, sweeps),
    byPbo: rateInterval(byPbo, sweeps),
    first: rateInterval(first, sweeps),
    meanEffective: effective / sweeps,
  };
}
