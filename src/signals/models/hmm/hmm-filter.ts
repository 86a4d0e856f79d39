import { type DenseHmm, denseHmm, StateDensities } from './dense-hmm.ts';
import type { HmmParameters } from './hmm-parameters.ts';

/**
 * Filtered state probabilities, one observation at a time: P(state now | all observations up to now), nothing of what
 * came later. O(K^2 + K D^2) an observation, nothing allocated. The recursion (Rabiner 1989, "A tutorial on hidden
 * Markov models", with logarithms instead of scaling) cannot underflow: an observation that no state can explain
 * leaves the state that explains it least badly.
 */
export class HmmFilter {
  static readonly configuration = ['model', 'densities', 'logTransition', 'logs', 'next'];
  private readonly model: DenseHmm;
  private readonly densities: StateDensities;
  private readonly logTransition: Float64Array;
  private readonly logs: Float64Array;
  private readonly next: Float64Array;
  /** Logarithms of {@link posterior}: states of a probability below 1e-308 are still told apart. */
  private logPosterior: Float64Array;
  /** K probabilities after the newest observation; owned by the filter and written by each {@link advance}. */
  posterior: Float64Array;
  /** Observations taken in, missing ones too. */
  count = 0;
  /** ln P(observations so far). */
  logLikelihood = 0;

  constructor(parameters: HmmParameters) {
    this.model = denseHmm(parameters);
    const { states, initial, transition } = this.model;
    this.densities = new StateDensities(this.model);
    this.logTransition = transition.map(Math.log);
    this.logs = new Float64Array(states);
    this.next = new Float64Array(states);
    this.logPosterior = initial.map(Math.log);
    this.posterior = Float64Array.from(initial);
  }

  /**
   * Takes in the D values at `from` in `x` and gives {@link posterior}. Where one of them is not finite the whole
   * observation is missing: time passes, and nothing is learned.
   */
  advance(x: ArrayLike<number>, from = 0): Float64Array {
    const { states: k, dimensions: d } = this.model;
    const { next, logs } = this;
    let finite = true;
    for (let i = 0; i < d; i++) finite &&= Number.isFinite(x[from + i]!);
    if (finite) this.densities.logs(x, from, 1, logs);
    this.predict();
    let best = -Infinity;
    // squares of numbers above 1e154 are infinite: no state can be told from another then
    if (finite) for (let j = 0; j < k; j++) best = Math.max(best, next[j]! + logs[j]!);
    const seen = best > -Infinity;
    if (seen) for (let j = 0; j < k; j++) next[j]! += logs[j]!;
    else for (let j = 0; j < k; j++) best = Math.max(best, next[j]!);
    let sum = 0;
    for (let j = 0; j < k; j++) sum += Math.exp(next[j]! - best);
    const total = best + Math.log(sum);
    for (let j = 0; j < k; j++) {
      this.logPosterior[j] = next[j]! - total;
      this.posterior[j] = Math.exp(this.logPosterior[j]!);
    }
    if (seen) this.logLikelihood += total;
    this.count += 1;
    return this.posterior;
  }

  /** The place of the likeliest state; of equal ones the first. */
  likeliest(): number {
    let best = 0;
    for (let j = 1; j < this.posterior.length; j++) if (this.posterior[j]! > this.posterior[best]!) best = j;
    return best;
  }

  /** Log probabilities of the next state into `next`, by log-sum-exp over where it comes from. */
  private predict(): void {
    const k = this.model.states;
    const { next, logPosterior, logTransition } = this;
    if (this.count === 0) {
      next.set(logPosterior);
      return;
    }
    for (let j = 0; j < k; j++) {
      let best = -Infinity;
      for (let i = 0; i < k; i++) best = Math.max(best, logPosterior[i]! + logTransition[i * k + j]!);
      let sum = 0;
      if (best > -Infinity) {
        for (let i = 0; i < k; i++) sum += Math.exp(logPosterior[i]! + logTransition[i * k + j]! - best);
      }
      next[j] = best === -Infinity ? best : best + Math.log(sum);
    }
  }
}
