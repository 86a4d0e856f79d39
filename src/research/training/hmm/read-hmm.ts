import { InputError } from '#base';
import { denseHmm, type HmmParameters, parseHmm, StateDensities } from '#signals';
import { Expectations } from './expectations.ts';
import { checkedSequences, checkFeatures, type HmmRows } from './hmm-rows.ts';

export interface HmmReading {
  /** ln P(rows). */
  readonly logLikelihood: number;
  /** N x K: P(state at row | rows up to it), what HmmFilter gives one by one. The only ones that may trade. */
  readonly filtered: Float64Array;
  /** N x K: P(state at row | all rows). Knows the future: for study only. */
  readonly smoothed: Float64Array;
}

/** Filtered and smoothed state probabilities of rows under a model. Throws InputError for rows it cannot have made. */
export function readHmm(parameters: HmmParameters, rows: HmmRows): HmmReading {
  checkFeatures(rows, parseHmm(parameters).features);
  const sequences = checkedSequences(rows);
  const model = denseHmm(parameters);
  const expectations = new Expectations(rows.values, sequences, model);
  const logLikelihood = expectations.forwards(model);
  if (!Number.isFinite(logLikelihood)) impossible();
  const filtered = new Float64Array(expectations.posteriors.length);
  expectations.copyFiltered(filtered);
  expectations.backwards(model);
  return { logLikelihood, filtered, smoothed: expectations.posteriors };
}

export interface HmmPath {
  /** The state at each row. */
  readonly states: Int32Array;
  /** ln P(rows and this path). */
  readonly logProbability: number;
}

/**
 * The likeliest path of states through the rows (Viterbi 1967), in logarithms; of equal ones the one through lower
 * states. Knows the future: for study only. Throws InputError for rows the model cannot have made.
 */
export function viterbiPath(parameters: HmmParameters, rows: HmmRows): HmmPath {
  checkFeatures(rows, parseHmm(parameters).features);
  const { count, bounds } = checkedSequences(rows);
  const model = denseHmm(parameters);
  const k = model.states;
  const logTransition = model.transition.map(Math.log);
  const logs = new Float64Array(count * k);
  new StateDensities(model).logs(rows.values, 0, count, logs);
  const cameFrom = new Uint8Array(count * k);
  const states = new Int32Array(count);
  let logProbability = 0;
  for (let s = 0; s + 1 < bounds.length; s++) {
    const [from, to] = [bounds[s]!, bounds[s + 1]!];
    for (let j = 0; j < k; j++) logs[from * k + j]! += Math.log(model.initial[j]!);
    for (let at = (from + 1) * k; at < to * k; at += k) {
      for (let j = 0; j < k; j++) {
        let best = -Infinity;
        let state = 0;
        for (let i = 0; i < k; i++) {
          const value = logs[at - k + i]! + logTransition[i * k + j]!;
          if (value > best) {
            best = value;
            state = i;
          }
        }
        logs[at + j]! += best;
        cameFrom[at + j] = state;
      }
    }
    let last = 0;
    for (let j = 1; j < k; j++) if (logs[(to - 1) * k + j]! > logs[(to - 1) * k + last]!) last = j;
    logProbability += logs[(to - 1) * k + last]!;
    for (let t = to - 1; t >= from; t--) {
      states[t] = last;
      last = cameFrom[t * k + last]!;
    }
  }
  if (!Number.isFinite(logProbability)) impossible();
  return { states, logProbability };
}

function impossible(): never {
  throw new InputError('the model cannot have made these rows', 'fit it to rows like them');
}
