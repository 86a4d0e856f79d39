import { assert, Chance, InputError } from '#base';
import { CmaEsSampler } from './cma-es-sampler.ts';
import { GridSampler } from './grid-sampler.ts';
import { COMPLETE, FAILED, History, PRUNED } from './history.ts';
import {
  checkPruner,
  isWorseThanMedian,
  type MedianPrunerSpec,
  medianAt,
  type StepReport,
} from './pruner.ts';
import { drawPoint, RandomSampler } from './random-sampler.ts';
import type { Sampler, SamplerSpec } from './sampler.ts';
import type { Point, Space } from './space.ts';
import { TpeSampler } from './tpe-sampler.ts';

export type Direction = 'minimise' | 'maximise';
export type TrialState = 'open' | 'complete' | 'pruned' | 'failed';

/** One trial as it is stored: plain data. */
export interface Trial {
  /** From 0, in the order of asking. */
  readonly number: number;
  readonly point: Point;
  state: TrialState;
  /** What was told; of a pruned trial the last value reported. */
  value: number | null;
  /** By how much told constraints are broken; 0 is feasible. */
  violation: number;
  readonly reports: StepReport[];
  /** Place in the order of telling, from 0. */
  told: number | null;
  /** What the sampler must know of this trial to continue; null for queued points and most samplers. */
  readonly memo: readonly number[] | null;
}

/** A whole study as plain data: JSON keeps it without loss. */
export interface StudyData {
  readonly version: 1;
  readonly seed: string;
  readonly direction: Direction;
  readonly sampler: SamplerSpec;
  readonly pruner: MedianPrunerSpec | null;
  /** `Space.fingerprint` of the space it belongs to. */
  readonly space: string;
  readonly queue: readonly Point[];
  readonly trials: readonly Trial[];
}

export interface StudyOptions {
  readonly seed: string;
  readonly direction?: Direction;
  /** TPE with its defaults when left out. */
  readonly sampler?: SamplerSpec;
  /** Without a pruner no report asks a trial to stop. */
  readonly pruner?: MedianPrunerSpec;
}

/** Proposals of the sampler that constraints may refuse before points are drawn at random, and draws after that. */
const PROPOSALS_MAX = 50;
const DRAWS_MAX = 20_000;

/**
 * A search for the best point of a space by asking and telling. Several trials may be open at once. Trial `n` depends
 * on the seed, `n`, and what had been asked and told before it, on nothing else: a study stored as {@link StudyData}
 * and resumed gives the same trials as one that never stopped.
 */
export class Study {
  readonly space: Space;
  readonly seed: string;
  readonly direction: Direction;
  readonly samplerSpec: SamplerSpec;
  readonly pruner: MedianPrunerSpec | null;
  private readonly list: Trial[] = [];
  private readonly queue: Point[] = [];
  private readonly history: History;
  private readonly sampler: Sampler;
  private readonly scratch: Float64Array;
  private told = 0;

  /** Throws InputError for a sampler or pruner that does not fit the space. */
  constructor(space: Space, options: StudyOptions) {
    this.space = space;
    this.seed = options.seed;
    this.direction = options.direction ?? 'minimise';
    this.samplerSpec = options.sampler ?? { kind: 'tpe' };
    this.pruner = options.pruner ?? null;
    if (this.pruner !== null) checkPruner(this.pruner);
    this.history = new History(space);
    this.sampler = makeSampler(space, this.samplerSpec, this.seed);
    this.scratch = new Float64Array(space.axes.length);
  }

  /**
   * The study that `data` was taken from. The space is given again because constraints are functions. Throws
   * InputError when the space is another one or the data do not hang together.
   */
  static resume(space: Space, data: StudyData): Study {
    if (data.version !== 1 || data.space !== space.fingerprint()) {
      throw new InputError(
        'the stored study belongs to another space',
        'resume it with the space it began with',
      );
    }
    const study = new Study(space, {
      seed: data.seed,
      direction: data.direction,
      sampler: data.sampler,
      ...(data.pruner === null ? {} : { pruner: data.pruner }),
    });
    for (const point of data.queue) study.enqueue(point);
    const ends: Trial[] = [];
    data.trials.forEach((stored, number) => {
      const trial: Trial = { ...stored, reports: stored.reports.map(([step, value]) => [step, value]) };
      const isOpen = trial.state === 'open';
      if (trial.number !== number || isOpen !== (trial.told === null)) {
        throw new InputError(
          `trial ${number} of the stored study is damaged`,
          'restore the file from a copy',
        );
      }
      space.coordinates(trial.point, study.scratch);
      study.history.add(study.scratch);
      study.list.push(trial);
      if (!isOpen) ends.push(trial);
      if (study.sampler instanceof GridSampler && trial.memo !== null)
        study.sampler.continueAfter(trial.memo[0]!);
    });
    ends.sort((a, b) => a.told! - b.told!);
    for (const [k, trial] of ends.entries()) {
      if (trial.told !== k)
        throw new InputError('the stored study lacks a trial', 'restore the file from a copy');
      study.close(trial);
    }
    return study;
  }

  get trials(): readonly Trial[] {
    return this.list;
  }

  /** Tries this point before the sampler's next proposal. Throws InputError for a point that the space does not hold. */
  enqueue(point: Point): void {
    this.space.coordinates(point, this.scratch);
    if (!this.space.allows(point)) {
      throw new InputError(
        'a constraint forbids the queued point',
        'queue a point that every constraint allows',
      );
    }
    this.queue.push({ ...point });
  }

  /**
   * The next trial to run, open until it is told; null when a grid has no further points. Throws InputError when the
   * constraints leave nothing that 20,000 random draws would find.
   */
  ask(): Trial | null {
    const queued = this.queue.shift();
    const memo = queued === undefined ? this.propose() : null;
    if (memo === 'exhausted') return null;
    const point = queued ?? this.space.point(this.scratch);
    // through the values, as a resumed study comes to them
    this.space.coordinates(point, this.scratch);
    const number = this.history.add(this.scratch);
    const trial: Trial = {
      number,
      point,
      state: 'open',
      value: null,
      violation: 0,
      reports: [],
      told: null,
      memo,
    };
    this.list.push(trial);
    return trial;
  }

  private propose(): readonly number[] | null | 'exhausted' {
    const { space, scratch } = this;
    const chance = new Chance(`${this.seed}/trial ${this.history.count}`);
    if (space.constraints.length === 0 || this.sampler instanceof GridSampler) {
      return this.sampler.propose(this.history, chance, scratch);
    }
    for (let k = 0; k < PROPOSALS_MAX; k++) {
      const memo = this.sampler.propose(this.history, chance, scratch);
      if (space.allows(space.point(scratch))) return memo;
    }
    for (let k = 0; k < DRAWS_MAX; k++) {
      drawPoint(space, chance, scratch);
      if (space.allows(space.point(scratch))) return null;
    }
    throw new InputError(
      `${DRAWS_MAX} random points all break a constraint (${space.constraints.map((c) => c.name).join(', ')})`,
      'widen the ranges or loosen the constraints',
    );
  }

  /**
   * The result of an open trial. `violation` above 0 says that a constraint which only the result shows is broken
   * (a drawdown above its limit), and by how much; such trials rank behind all others. Throws InputError for a value
   * that is not finite: that is a failed trial.
   */
  tell(number: number, value: number, { violation = 0 }: { violation?: number } = {}): void {
    const trial = this.openTrial(number);
    if (!Number.isFinite(value) || !Number.isFinite(violation) || violation < 0) {
      throw new InputError(
        `trial ${number} was told ${value} (violation ${violation})`,
        'call fail for a trial without a result',
      );
    }
    trial.value = value;
    trial.violation = violation;
    this.end(trial, 'complete');
  }

  /** The trial has no result; it counts for nothing. */
  fail(number: number): void {
    this.end(this.openTrial(number), 'failed');
  }

  /** The trial was stopped early; its last report is its value. Throws InputError when nothing was reported. */
  prune(number: number): void {
    const trial = this.openTrial(number);
    const last = trial.reports.findLast(([, value]) => Number.isFinite(value));
    if (last === undefined) throw new InputError(`trial ${number} has reported nothing`, 'call fail instead');
    trial.value = last[1];
    this.end(trial, 'pruned');
  }

  /**
   * A value on the way, at the end of step (window) `step`, counted from 0 and growing. True when the pruner would
   * stop the trial: it is the caller who then calls {@link prune}. A value that is not finite is not kept; a trial
   * that has no other is to be stopped.
   */
  report(number: number, step: number, value: number): boolean {
    const trial = this.openTrial(number);
    const last = trial.reports.at(-1);
    if (!Number.isInteger(step) || step < 0 || (last !== undefined && step <= last[0])) {
      throw new InputError(
        `trial ${number} reported step ${step}`,
        'report steps once each, in order, from 0',
      );
    }
    if (Number.isFinite(value)) trial.reports.push([step, value]);
    if (this.pruner === null) return false;
    const sign = this.sign;
    const own = Number.isFinite(value) ? trial.reports : [...trial.reports, [step, Number.NaN] as const];
    return isWorseThanMedian(
      own.map(([at, v]): StepReport => [at, sign * v]),
      this.medianLoss(step),
    );
  }

  /**
   * For each of the steps 0 to `steps - 1` the loss above which a trial that was asked for now is to stop, as far as the
   * trials told so far can say; null where none is. A loss is the value, or its negative where the study maximises. With
   * these a trial may be stopped elsewhere, by what was known when it began.
   */
  medianLosses(steps: number): (number | null)[] {
    return Array.from({ length: steps }, (_, step) => this.medianLoss(step));
  }

  private medianLoss(step: number): number | null {
    if (this.pruner === null) return null;
    const complete = this.list
      .filter(({ state }) => state === 'complete')
      .map(({ reports }) => reports.map(([at, v]): StepReport => [at, this.sign * v]));
    return medianAt(this.pruner, step, complete);
  }

  private get sign(): 1 | -1 {
    return this.direction === 'minimise' ? 1 : -1;
  }

  /** The best complete, feasible trial; null before there is one. */
  best(): Trial | null {
    if (this.history.finished === 0) return null;
    const trial = this.list[this.history.ranked[0]!]!;
    return trial.state === 'complete' && trial.violation === 0 ? trial : null;
  }

  /** Everything needed to continue. The trials are copies. */
  data(): StudyData {
    return {
      version: 1,
      seed: this.seed,
      direction: this.direction,
      sampler: this.samplerSpec,
      pruner: this.pruner,
      space: this.space.fingerprint(),
      queue: [...this.queue],
      trials: this.list.map((trial) => ({ ...trial, reports: [...trial.reports] })),
    };
  }

  private openTrial(number: number): Trial {
    const trial = this.list[number];
    if (trial === undefined || trial.state !== 'open') {
      throw new InputError(`trial ${number} is not open`, 'tell every trial once, after it was asked for');
    }
    return trial;
  }

  private end(trial: Trial, state: TrialState): void {
    trial.state = state;
    trial.told = this.told;
    this.close(trial);
  }

  /** Enters an ended trial into the history. */
  private close(trial: Trial): void {
    this.told += 1;
    const code = trial.state === 'complete' ? COMPLETE : trial.state === 'pruned' ? PRUNED : FAILED;
    assert(code === FAILED || trial.value !== null, `trial ${trial.number} ended without a value`);
    const step = trial.reports.at(-1)?.[0] ?? 0;
    this.history.finish(trial.number, code, this.sign * (trial.value ?? 0), trial.violation, step);
    this.sampler.told?.(this.history, trial.number, trial.memo);
  }
}

function makeSampler(space: Space, spec: SamplerSpec, seed: string): Sampler {
  switch (spec.kind) {
    case 'random':
      return new RandomSampler();
    case 'grid':
      return new GridSampler(space, spec);
    case 'tpe':
      return new TpeSampler(space, spec, seed);
    case 'cma-es':
      return new CmaEsSampler(space, spec, seed);
  }
}
