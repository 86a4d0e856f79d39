import type { Chance } from '#base';
import { symmetricEigen } from './symmetric-eigen.ts';

/** Deviations above this many unit ranges mean divergence. */
const DEVIATION_MAX = 1e4;

/** The constants of one population size, named as in the tutorial (table 1, equations 48 to 58). */
interface Constants {
  readonly mu: number;
  readonly muEff: number;
  readonly weights: Float64Array;
  readonly weightSum: number;
  readonly cSigma: number;
  readonly dSigma: number;
  readonly cC: number;
  readonly c1: number;
  readonly cMu: number;
  /** E|N(0, I)|. */
  readonly chi: number;
}

function constantsOf(n: number, population: number): Constants {
  const raw = Float64Array.from(
    { length: population },
    (_, i) => Math.log((population + 1) / 2) - Math.log(i + 1),
  );
  const mu = population >> 1;
  const effective = (from: number, to: number) => {
    let sum = 0;
    let squares = 0;
    for (let i = from; i < to; i++) {
      sum += raw[i]!;
      squares += raw[i]! ** 2;
    }
    return squares === 0 ? 0 : (sum * sum) / squares;
  };
  const muEff = effective(0, mu);
  const muEffMinus = effective(mu, population);
  const c1 = 2 / ((n + 1.3) ** 2 + muEff);
  const cMu = Math.min(1 - c1, (2 * (0.25 + muEff - 2 + 1 / muEff)) / ((n + 2) ** 2 + muEff));
  const negative = Math.min(1 + c1 / cMu, 1 + (2 * muEffMinus) / (muEff + 2), (1 - c1 - cMu) / (n * cMu));
  let positiveSum = 0;
  let negativeSum = 0;
  for (const w of raw) {
    if (w > 0) positiveSum += w;
    else negativeSum -= w;
  }
  const weights = raw.map((w) => (w >= 0 ? w / positiveSum : (negative * w) / negativeSum));
  const cSigma = (muEff + 2) / (n + muEff + 5);
  return {
    mu,
    muEff,
    weights,
    weightSum: weights.reduce((a, b) => a + b, 0),
    cSigma,
    dSigma: 1 + 2 * Math.max(0, Math.sqrt((muEff - 1) / (n + 1)) - 1) + cSigma,
    cC: (4 + muEff / n) / (n + 4 + (2 * muEff) / n),
    c1,
    cMu,
    chi: Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n)),
  };
}

/**
 * Covariance matrix adaptation evolution strategy: the whole state of one run in R^n, with active (negative) weights.
 * Hansen 2016, "The CMA evolution strategy: a tutorial", appendix A, version of arXiv:1604.00772v2.
 */
export class CmaEvolution {
  readonly n: number;
  readonly population: number;
  readonly mean: Float64Array;
  sigma: number;
  generation = 0;
  private readonly constants: Constants;
  private readonly firstSigma: number;
  private readonly covariance: Float64Array;
  private readonly pathSigma: Float64Array;
  private readonly pathC: Float64Array;
  /** C = B diag(D^2) B'. */
  private vectors: Float64Array;
  private lengths: Float64Array;

  constructor(mean: Float64Array, sigma: number, population: number) {
    const n = mean.length;
    this.n = n;
    this.population = population;
    this.constants = constantsOf(n, population);
    this.mean = Float64Array.from(mean);
    this.sigma = sigma;
    this.firstSigma = sigma;
    this.covariance = identity(n);
    this.vectors = identity(n);
    this.lengths = new Float64Array(n).fill(1);
    this.pathSigma = new Float64Array(n);
    this.pathC = new Float64Array(n);
  }

  /** A draw from N(mean, sigma^2 C). */
  draw(chance: Chance): Float64Array {
    const { n, vectors, lengths } = this;
    const x = Float64Array.from(this.mean);
    for (let k = 0; k < n; k++) {
      const z = this.sigma * lengths[k]! * chance.normal();
      for (let i = 0; i < n; i++) x[i]! += vectors[i * n + k]! * z;
    }
    return x;
  }

  /** The deviation along coordinate `i`. */
  deviation(i: number): number {
    return this.sigma * Math.sqrt(this.covariance[i * this.n + i]!);
  }

  /** One generation: `ranked` holds `population` draws, best first. */
  update(ranked: readonly Float64Array[]): void {
    const { n, constants, mean, covariance, pathC, pathSigma } = this;
    const { mu, muEff, weights, cSigma, dSigma, cC, c1, cMu, chi } = constants;
    this.generation += 1;
    const steps = ranked.map((x) => x.map((value, i) => (value - mean[i]!) / this.sigma));
    const step = new Float64Array(n);
    for (let k = 0; k < mu; k++) for (let i = 0; i < n; i++) step[i]! += weights[k]! * steps[k]![i]!;
    for (let i = 0; i < n; i++) mean[i]! += this.sigma * step[i]!;
    const whitened = this.whiten(step);
    const pull = Math.sqrt(cSigma * (2 - cSigma) * muEff);
    for (let i = 0; i < n; i++) pathSigma[i] = (1 - cSigma) * pathSigma[i]! + pull * whitened[i]!;
    const length = norm(pathSigma);
    this.sigma = Math.min(this.sigma * Math.exp((cSigma / dSigma) * (length / chi - 1)), DEVIATION_MAX);
    const expected = Math.sqrt(1 - (1 - cSigma) ** (2 * (this.generation + 1)));
    const h = length / expected < (1.4 + 2 / (n + 1)) * chi ? 1 : 0;
    const drag = h * Math.sqrt(cC * (2 - cC) * muEff);
    for (let i = 0; i < n; i++) pathC[i] = (1 - cC) * pathC[i]! + drag * step[i]!;
    const own = weights.map((w, k) => (w >= 0 ? w : (w * n) / (norm(this.whiten(steps[k]!)) ** 2 + 1e-300)));
    const keep = 1 + c1 * (1 - h) * cC * (2 - cC) - c1 - cMu * constants.weightSum;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let rankMu = 0;
        for (let k = 0; k < own.length; k++) rankMu += own[k]! * steps[k]![i]! * steps[k]![j]!;
        const value = keep * covariance[i * n + j]! + c1 * pathC[i]! * pathC[j]! + cMu * rankMu;
        covariance[i * n + j] = value;
        covariance[j * n + i] = value;
      }
    }
    this.decompose();
  }

  /** True when the run can improve no more: collapsed, diverged, or a covariance out of numbers (tutorial, B.3). */
  exhausted(): boolean {
    const longest = Math.max(...this.lengths);
    const shortest = Math.min(...this.lengths);
    if (this.sigma * longest < 1e-11 * this.firstSigma || this.sigma >= DEVIATION_MAX) return true;
    return longest > 1e7 * shortest;
  }

  /** C^(-1/2) y. */
  private whiten(y: Float64Array): Float64Array {
    const { n, vectors, lengths } = this;
    const out = new Float64Array(n);
    for (let k = 0; k < n; k++) {
      let along = 0;
      for (let i = 0; i < n; i++) along += vectors[i * n + k]! * y[i]!;
      along /= lengths[k]!;
      for (let i = 0; i < n; i++) out[i]! += vectors[i * n + k]! * along;
    }
    return out;
  }

  private decompose(): void {
    const { values, vectors } = symmetricEigen(this.covariance, this.n);
    this.vectors = vectors;
    this.lengths = values.map((value) => Math.sqrt(Math.max(value, 1e-20)));
  }
}

function identity(n: number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
  return matrix;
}

const norm = (x: Float64Array): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
