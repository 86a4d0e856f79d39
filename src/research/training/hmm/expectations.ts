import { type DenseHmm, StateDensities } from '#signals';
import { backwardInLogs, forwardInLogs, logSum } from './expectations-in-logs.ts';
import type { Sequences } from './hmm-rows.ts';
import {
  backwardOfThree,
  backwardOfTwo,
  forwardOfThree,
  forwardOfTwo,
  PRODUCT_MIN,
} from './unrolled-recursions.ts';

/**
 * The least transition probability for which the scaled recursion is as exact as the one in logarithms. After any
 * observation each state is entered with at least this probability, so (1) the state that explains an observation best
 * carries at least this much of it, and no scale factor is smaller; (2) what is lost when a filtered probability falls
 * below 1e-308 is less than 1e-208 of what the state is given anew; (3) backward variables stay below 1 / this. With
 * smaller ones, 0 among them, the recursions run in logarithms.
 */
const SCALABLE_MIN = 1e-100;

/**
 * What the observations say of the hidden path under a model: the expectation step of Baum and Welch (Rabiner 1989,
 * "A tutorial on hidden Markov models"). All arrays are made once for N observations, K states; 16 N K bytes.
 */
export class Expectations {
  /** N x K: P(state at row | all rows), after {@link backwards}. */
  readonly posteriors: Float64Array;
  /** K x K: expected number of moves from state to state, after {@link backwards}. */
  readonly moves: Float64Array;
  /** N x K: log densities at first; what the recursions leave there is theirs. */
  private readonly densities: Float64Array;
  private readonly predicted: Float64Array;
  private readonly behind: Float64Array;
  private readonly values: Float64Array;
  private readonly sequences: Sequences;
  private readonly gaussians: StateDensities;
  private readonly logTransition: Float64Array;
  private scalable = true;

  constructor(values: Float64Array, sequences: Sequences, model: DenseHmm) {
    const { states: k } = model;
    this.values = values;
    this.sequences = sequences;
    this.posteriors = new Float64Array(sequences.count * k);
    this.densities = new Float64Array(sequences.count * k);
    this.moves = new Float64Array(k * k);
    this.predicted = new Float64Array(k);
    this.behind = new Float64Array(k);
    this.gaussians = new StateDensities(model);
    this.logTransition = new Float64Array(k * k);
  }

  /**
   * Runs forward through all rows; gives their log likelihood, -Infinity when the model cannot have made them. What
   * {@link posteriors} hold then is read by {@link copyFiltered}.
   */
  forwards(model: DenseHmm): number {
    const { bounds, count } = this.sequences;
    this.gaussians.take(model);
    this.gaussians.logs(this.values, 0, count, this.densities);
    this.scalable = model.transition.every((p) => p >= SCALABLE_MIN);
    if (!this.scalable)
      for (let i = 0; i < this.logTransition.length; i++)
        this.logTransition[i] = Math.log(model.transition[i]!);
    let total = 0;
    for (let s = 0; s + 1 < bounds.length; s++) {
      const [from, to] = [bounds[s]!, bounds[s + 1]!];
      total += this.scalable
        ? this.forward(model, from, to)
        : forwardInLogs(
            model.initial,
            this.logTransition,
            this.densities,
            this.posteriors,
            from,
            to,
            this.predicted,
          );
    }
    return total;
  }

  /** P(state at row | rows up to it) into `out` (N x K); to be called between the two runs. */
  copyFiltered(out: Float64Array): void {
    out.set(this.posteriors);
    if (!this.scalable) for (let i = 0; i < out.length; i++) out[i] = Math.exp(out[i]!);
  }

  /** Runs back through all rows, once after {@link forwards}: smoothed probabilities and counted moves. */
  backwards(model: DenseHmm): void {
    const { bounds } = this.sequences;
    this.moves.fill(0);
    for (let s = 0; s + 1 < bounds.length; s++) {
      const [from, to] = [bounds[s]!, bounds[s + 1]!];
      if (this.scalable) this.backward(model, from, to);
      else
        backwardInLogs(
          this.logTransition,
          this.densities,
          this.posteriors,
          this.moves,
          from,
          to,
          this.behind,
        );
    }
    if (this.scalable) for (let i = 0; i < this.moves.length; i++) this.moves[i]! *= model.transition[i]!;
  }

  /**
   * Scaled forward recursion over one sequence. Densities are taken relative to that of the state that explains the
   * row best, and are left behind divided by the row's scale factor.
   */
  private forward(model: DenseHmm, from: number, to: number): number {
    const { densities, posteriors, predicted } = this;
    const { transition, states: k } = model;
    const first = this.first(model, from * k);
    if (k === 2) return first + forwardOfTwo(transition, densities, posteriors, from, to);
    if (k === 3) return first + forwardOfThree(transition, densities, posteriors, from, to);
    let product = 1;
    let logs = 0;
    let lost = 0;
    for (let t = from + 1, at = t * k; t < to; t++, at += k) {
      for (let j = 0; j < k; j++) {
        let sum = 0;
        for (let i = 0; i < k; i++) sum += posteriors[at - k + i]! * transition[i * k + j]!;
        predicted[j] = sum;
      }
      let best = densities[at]!;
      for (let j = 1; j < k; j++) if (densities[at + j]! > best) best = densities[at + j]!;
      let scale = 0;
      for (let j = 0; j < k; j++) {
        const density = Math.exp(densities[at + j]! - best);
        densities[at + j] = density;
        const joint = predicted[j]! * density;
        posteriors[at + j] = joint;
        scale += joint;
      }
      const inverse = 1 / scale;
      for (let j = 0; j < k; j++) {
        posteriors[at + j]! *= inverse;
        densities[at + j]! *= inverse;
      }
      product *= scale;
      if (product < PRODUCT_MIN) {
        best += Math.log(product);
        product = 1;
      }
      // compensated, because a million terms of one sign lose what convergence is judged by
      const term = best - lost;
      const next = logs + term;
      lost = next - logs - term;
      logs = next;
    }
    return first + logs + Math.log(product);
  }

  /** The first row of a sequence in logarithms, because a fit drives all first states but one towards 0. */
  private first({ initial, states: k }: DenseHmm, at: number): number {
    const { densities, posteriors } = this;
    for (let j = 0; j < k; j++) posteriors[at + j] = Math.log(initial[j]!) + densities[at + j]!;
    const scale = logSum(posteriors, at, k);
    for (let j = 0; j < k; j++) posteriors[at + j] = Math.exp(posteriors[at + j]! - scale);
    return scale;
  }

  private backward({ transition, states: k }: DenseHmm, from: number, to: number): void {
    const { densities, posteriors, moves, behind, predicted } = this;
    if (k === 2) return backwardOfTwo(transition, densities, posteriors, moves, from, to);
    if (k === 3) return backwardOfThree(transition, densities, posteriors, moves, from, to);
    behind.fill(1);
    for (let at = (to - 2) * k; at >= from * k; at -= k) {
      for (let j = 0; j < k; j++) predicted[j] = densities[at + k + j]! * behind[j]!;
      for (let i = 0; i < k; i++) {
        const filtered = posteriors[at + i]!;
        let sum = 0;
        for (let j = 0; j < k; j++) {
          sum += transition[i * k + j]! * predicted[j]!;
          moves[i * k + j]! += filtered * predicted[j]!;
        }
        behind[i] = sum;
        posteriors[at + i] = filtered * sum;
      }
    }
  }
}
