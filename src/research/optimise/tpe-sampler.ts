import { Chance, InputError } from '#base';
import { shuffle } from '../statistics/block-bootstrap.ts';
import { FAILED, type History } from './history.ts';
import { Parzen, type ParzenWeights } from './parzen.ts';
import { drawPoint } from './random-sampler.ts';
import type { Sampler, TpeSpec } from './sampler.ts';
import type { Space } from './space.ts';

const BELOW = 1;
const ABOVE = 2;

/** Axes proposed together, and their two densities. */
interface Block {
  readonly numbers: readonly number[];
  readonly good: Parzen;
  readonly bad: Parzen;
  readonly candidate: Float64Array;
  readonly best: Float64Array;
}

/** How many of n finished trials count as good. */
export function goodTrials(n: number): number {
  return Math.min(Math.ceil(0.1 * n), 25);
}

/** A prior of half an observation's weight in l: proposals stay nearer to what was good. Ours, measured. */
const GOOD: ParzenWeights = { prior: 0.5, byRank: true };
const BAD: ParzenWeights = { prior: 1, byRank: false };

/**
 * Tree-structured Parzen estimator (Bergstra et al. 2011): the best tenth of the finished trials, at most 25, makes
 * the density l, all others g; of 24 draws from l the one with the largest l/g is proposed. Jointly for all axes that
 * exist under the same conditions (Optuna's `group`), or one axis at a time. {@link Parzen} says how l and g are made.
 *
 * The startup trials are a Latin hypercube: every axis is cut into as many equal parts as there are trials, and each
 * part is drawn from once. Trials that are still open count as bad ones (a constant liar), so that parallel trials
 * keep apart. Pruned trials rank behind complete ones, infeasible ones behind both.
 */
export class TpeSampler implements Sampler {
  private readonly startup: number;
  private readonly candidates: number;
  private readonly blocks: readonly Block[];
  /** `strata[a][k]` is the part of axis `a` that startup trial `k` draws from. */
  private readonly strata: readonly (readonly number[])[];
  private sides = new Uint8Array(64);
  private slots = new Int32Array(64);

  /** Throws InputError for options that are not positive whole numbers. */
  constructor(space: Space, spec: TpeSpec, seed: string) {
    this.startup = spec.startup ?? 10;
    this.candidates = spec.candidates ?? 24;
    if (
      !Number.isInteger(this.startup) ||
      this.startup < 1 ||
      !Number.isInteger(this.candidates) ||
      this.candidates < 1
    ) {
      throw new InputError(
        'startup and candidates of TPE must be whole numbers from 1',
        'leave them out for 10 and 24',
      );
    }
    this.strata = space.axes.map((_, a) => shuffled(this.startup, new Chance(`${seed}/tpe startup ${a}`)));
    const groups = (spec.multivariate ?? true) ? space.groups : space.axes.map((_, a) => [a]);
    this.blocks = groups.map((group) => {
      const varied = group.filter((a) => space.axes[a]!.levels > 1);
      const numbers = varied.length > 0 ? varied : group.slice(0, 1);
      const axes = numbers.map((a) => space.axes[a]!);
      return {
        numbers,
        good: new Parzen(axes, GOOD),
        bad: new Parzen(axes, BAD),
        candidate: new Float64Array(axes.length),
        best: new Float64Array(axes.length),
      };
    });
  }

  propose(history: History, chance: Chance, into: Float64Array): null {
    const { space } = history;
    if (history.finished < this.startup) {
      if (history.count < this.startup) this.drawStratum(space, history.count, chance, into);
      else drawPoint(space, chance, into);
      return null;
    }
    drawPoint(space, chance, into);
    this.split(history);
    for (const block of this.blocks) {
      if (!space.active(block.numbers[0]!, into)) continue;
      this.choose(history, block, chance);
      for (let d = 0; d < block.numbers.length; d++) into[block.numbers[d]!] = block.best[d]!;
    }
    // a parent may have changed: what hangs on it exists or not
    for (let a = 0; a < space.axes.length; a++) {
      if (!space.active(a, into)) into[a] = Number.NaN;
      else if (Number.isNaN(into[a]!)) into[a] = space.axes[a]!.draw(chance);
    }
    return null;
  }

  private drawStratum(space: Space, k: number, chance: Chance, into: Float64Array): void {
    for (let a = 0; a < space.axes.length; a++) {
      const share = (this.strata[a]![k]! + chance.uniform()) / this.startup;
      into[a] = space.active(a, into) ? space.axes[a]!.atShare(share) : Number.NaN;
    }
  }

  private split(history: History): void {
    if (this.sides.length < history.count) {
      this.sides = new Uint8Array(history.loss.length);
      this.slots = new Int32Array(history.loss.length);
    }
    const { sides } = this;
    for (let row = 0; row < history.count; row++) sides[row] = history.state[row] === FAILED ? 0 : ABOVE;
    const good = goodTrials(history.finished);
    for (let i = 0; i < good; i++) sides[history.ranked[i]!] = BELOW;
  }

  private choose(history: History, block: Block, chance: Chance): void {
    const { good, bad, candidate, best } = block;
    good.fit(history, block.numbers, this.sides, BELOW, this.slots);
    bad.fit(history, block.numbers, this.sides, ABOVE, this.slots);
    let most = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < this.candidates; c++) {
      good.draw(chance, candidate);
      const ratio = good.at(candidate) / bad.at(candidate);
      if (ratio > most) {
        most = ratio;
        best.set(candidate);
      }
    }
  }
}

/** 0..n-1 in random order. */
function shuffled(n: number, chance: Chance): number[] {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  shuffle(order, chance);
  return [...order];
}
