import { InputError } from '#base';
import { type BoostedModel, outputsOf } from './boosted-model.ts';
import { type Forest, layOutForest } from './lay-out-forest.ts';
import { type Objective, type OutputKind, objectiveOf } from './objectives.ts';

/**
 * Scores rows as XGBoost does: features and thresholds as float32, `x < threshold` goes left, NaN goes the default way,
 * infinities are numbers, and each margin is the float32 sum of the base score and the leaves in the order of the trees.
 * All trees count: give it `bestRounds(model)` for those up to the best round only.
 *
 * A row is read into two float32 copies, in one of which missing is minus infinity (always left) and in the other plus
 * infinity (never left); a node reads the copy of its default way, so that no step asks whether a value is missing.
 * Eight trees are walked at once, without branches, by WebAssembly. Nothing is allocated per row. It keeps nothing from
 * row to row: whoever holds one names its field in `static configuration`.
 */
export class BoostedScorer {
  /** Columns of a row. */
  readonly features: number;
  /** Numbers that a row is given. */
  readonly outputs: number;
  /** `binary`: one probability; `classes`: one per class; `number`: no probabilities. */
  readonly kind: OutputKind;
  private readonly link: Objective['link'];
  private readonly objective: string;
  private readonly forest: Forest;

  constructor(model: BoostedModel) {
    const objective = objectiveOf(model.objective);
    this.features = model.features;
    this.outputs = outputsOf(model);
    this.kind = objective.kind;
    this.link = objective.link;
    this.objective = model.objective;
    this.forest = layOutForest(model);
  }

  /** The margins of one row (`features` numbers, NaN is missing) into `out` (`outputs` numbers). */
  margins(row: Float64Array | Float32Array, out: Float64Array | Float32Array): void {
    this.marginsAt(row, 0, out, 0);
  }

  /** The margins of the row that starts at `from`, into `out` from `to` on: for rows that lie one after the other. */
  marginsAt(
    rows: Float64Array | Float32Array,
    from: number,
    out: Float64Array | Float32Array,
    to: number,
  ): void {
    const { features, outputs } = this;
    const { row, base, groups, walk } = this.forest;
    if (!(from + features <= rows.length)) this.tooShort('a row', features, rows.length - from);
    if (!(to + outputs <= out.length)) this.tooShort('the output', outputs, out.length - to);
    for (let f = 0; f < features; f++) {
      const x = rows[from + f]!;
      const missing = Number.isNaN(x);
      row[f] = missing ? -Infinity : x;
      row[features + f] = missing ? Infinity : x;
    }
    for (let o = 0; o < outputs; o++) out[to + o] = walk(groups[o]!, groups[o + 1]!, base[o]!);
  }

  /**
   * Probabilities of one row into `out`: of the event for a binary objective (`binary:logitraw` too), per class for a
   * multi-class one (`multi:softmax` too). Throws InputError for other objectives, which state none.
   */
  probabilities(row: Float64Array | Float32Array, out: Float64Array | Float32Array): void {
    if (this.kind === 'number') this.noProbability();
    this.marginsAt(row, 0, out, 0);
    if (this.kind === 'classes') softmax(out, this.outputs);
    else for (let o = 0; o < this.outputs; o++) out[o] = logistic(out[o]!);
  }

  /**
   * What XGBoost's `predict` gives, into `out`: `multi:softmax` puts the class first (the lowest of equals) and 0 after
   * it, `binary:hinge` 0 or 1, `binary:logitraw` the margin.
   */
  predictions(row: Float64Array | Float32Array, out: Float64Array | Float32Array): void {
    const { outputs } = this;
    this.marginsAt(row, 0, out, 0);
    switch (this.link) {
      case 'identity':
        return;
      case 'softmax':
        softmax(out, outputs);
        return;
      case 'argmax': {
        let best = 0;
        for (let o = 1; o < outputs; o++) if (out[o]! > out[best]!) best = o;
        out.fill(0, 0, outputs);
        out[0] = best;
        return;
      }
      case 'logistic':
        for (let o = 0; o < outputs; o++) out[o] = logistic(out[o]!);
        return;
      case 'exp':
        for (let o = 0; o < outputs; o++) out[o] = Math.exp(out[o]!);
        return;
      case 'step':
        for (let o = 0; o < outputs; o++) out[o] = out[o]! > 0 ? 1 : 0;
        return;
    }
  }

  private tooShort(what: string, needed: number, found: number): never {
    throw new InputError(
      `${what} has ${Math.max(0, found)} numbers where the model needs ${needed}`,
      `give one number per ${what === 'a row' ? 'feature, in the order of the training data' : 'output'}`,
    );
  }

  private noProbability(): never {
    throw new InputError(
      `the objective ${this.objective} states no probabilities`,
      'ask for predictions, or train with binary:logistic or multi:softprob',
    );
  }
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function softmax(out: Float64Array | Float32Array, count: number): void {
  let top = out[0]!;
  for (let o = 1; o < count; o++) top = Math.max(top, out[o]!);
  let sum = 0;
  for (let o = 0; o < count; o++) {
    out[o] = Math.exp(out[o]! - top);
    sum += out[o]!;
  }
  for (let o = 0; o < count; o++) out[o]! /= sum;
}
