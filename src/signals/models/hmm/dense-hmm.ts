import { broken } from '#base';
import { choleskyOf, type HmmParameters } from './hmm-parameters.ts';

/** {@link HmmParameters} laid out flat for loops; rows follow each other. */
export interface DenseHmm {
  readonly states: number;
  readonly dimensions: number;
  readonly full: boolean;
  /** K. */
  readonly initial: Float64Array;
  /** K x K. */
  readonly transition: Float64Array;
  /** K x D. */
  readonly means: Float64Array;
  /** K x D, or K x D x D when full. */
  readonly covariances: Float64Array;
}

/** A flat copy of a model. */
export function denseHmm(parameters: HmmParameters): DenseHmm {
  return {
    states: parameters.names.length,
    dimensions: parameters.features.length,
    full: parameters.covariance === 'full',
    initial: Float64Array.from(parameters.initial),
    transition: Float64Array.from(parameters.transition.flat()),
    means: Float64Array.from(parameters.means.flat()),
    covariances: Float64Array.from(parameters.covariances.flat()),
  };
}

/** Rows whitened together: dimension by dimension is fast as long as they stay in the processor's nearest cache. */
const BLOCK = 512;

/**
 * Log densities of an observation under each state's Gaussian: -(D ln 2 pi + ln det C + (x-m)' C^-1 (x-m)) / 2, by
 * whitening with the inverse of C's Cholesky factor. Nothing is allocated after construction.
 */
export class StateDensities {
  private readonly means: Float64Array;
  /** K x D reciprocal deviations, or K x D x D inverse Cholesky factors (lower triangles). */
  private readonly whitening: Float64Array;
  /** K: the part of the log density that does not depend on the observation. */
  private readonly constants: Float64Array;
  private readonly full: boolean;
  /** One whitened dimension of a block of rows. */
  private readonly white: Float64Array;

  constructor(model: DenseHmm) {
    const { states: k, dimensions: d, full } = model;
    this.full = full;
    this.means = new Float64Array(k * d);
    this.whitening = new Float64Array(full ? k * d * d : k * d);
    this.constants = new Float64Array(k);
    this.white = new Float64Array(full ? BLOCK : 0);
    this.take(model);
  }

  /** Takes over a model of the same shape. */
  take(model: DenseHmm): void {
    const { states: k, dimensions: d } = model;
    this.means.set(model.means);
    for (let s = 0; s < k; s++) {
      const logDeviations = this.full ? this.takeFull(model, s) : this.takeDiagonal(model, s);
      this.constants[s] = -0.5 * d * Math.log(2 * Math.PI) - logDeviations;
    }
  }

  private takeDiagonal({ dimensions: d, covariances }: DenseHmm, s: number): number {
    let logs = 0;
    for (let i = s * d; i < (s + 1) * d; i++) {
      this.whitening[i] = 1 / Math.sqrt(covariances[i]!);
      logs += 0.5 * Math.log(covariances[i]!);
    }
    return logs;
  }

  private takeFull({ dimensions: d, covariances }: DenseHmm, s: number): number {
    const lower = choleskyOf(covariances.subarray(s * d * d, (s + 1) * d * d), d);
    if (lower === null) broken(`the covariance of state ${s} is not positive definite`);
    const inverse = this.whitening.subarray(s * d * d, (s + 1) * d * d).fill(0);
    let logs = 0;
    for (let i = 0; i < d; i++) {
      logs += Math.log(lower[i * d + i]!);
      inverse[i * d + i] = 1 / lower[i * d + i]!;
      for (let j = 0; j < i; j++) {
        let sum = 0;
        for (let m = j; m < i; m++) sum += lower[i * d + m]! * inverse[m * d + j]!;
        inverse[i * d + j] = -sum / lower[i * d + i]!;
      }
    }
    return logs;
  }

  /**
   * Log densities of `count` observations that follow each other in `rows` (row-major, D wide) from element `from`:
   * row r's K values go to `out` from r*K.
   */
  logs(rows: ArrayLike<number>, from: number, count: number, out: Float64Array): void {
    const k = this.constants.length;
    const d = this.means.length / k;
    for (let s = 0; s < k; s++) {
      if (d === 1) this.logsOfLine(rows, from, count, s, out);
      else if (this.full) this.logsFull(rows, from, count, s, out);
      else this.logsDiagonal(rows, from, count, s, out);
    }
  }

  private logsOfLine(x: ArrayLike<number>, from: number, count: number, s: number, out: Float64Array): void {
    const k = this.constants.length;
    const [mean, scale, constant] = [this.means[s]!, this.whitening[s]!, this.constants[s]!];
    for (let r = 0; r < count; r++) {
      const z = (x[from + r]! - mean) * scale;
      out[r * k + s] = constant - 0.5 * z * z;
    }
  }

  private logsDiagonal(
    x: ArrayLike<number>,
    from: number,
    count: number,
    s: number,
    out: Float64Array,
  ): void {
    const k = this.constants.length;
    const d = this.means.length / k;
    const { means, whitening } = this;
    const constant = this.constants[s]!;
    for (let r = 0, at = from; r < count; r++, at += d) {
      let square = 0;
      for (let i = 0; i < d; i++) {
        const z = (x[at + i]! - means[s * d + i]!) * whitening[s * d + i]!;
        square += z * z;
      }
      out[r * k + s] = constant - 0.5 * square;
    }
  }

  private logsFull(x: ArrayLike<number>, from: number, count: number, s: number, out: Float64Array): void {
    const k = this.constants.length;
    const d = this.means.length / k;
    const { white } = this;
    const constant = this.constants[s]!;
    for (let done = 0; done < count; done += BLOCK) {
      const rows = Math.min(BLOCK, count - done);
      for (let r = 0, to = done * k + s; r < rows; r++, to += k) out[to] = constant;
      for (let i = 0; i < d; i++) {
        for (let r = 0; r < rows; r++) white[r] = 0;
        for (let j = 0; j <= i; j++) {
          const weight = this.whitening[(s * d + i) * d + j]!;
          const mean = this.means[s * d + j]!;
          for (let r = 0, at = from + done * d + j; r < rows; r++, at += d)
            white[r]! += weight * (x[at]! - mean);
        }
        for (let r = 0, to = done * k + s; r < rows; r++, to += k) out[to]! -= 0.5 * white[r]! * white[r]!;
      }
    }
  }
}
