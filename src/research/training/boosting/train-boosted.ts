import { type SharedWasmMemory, type WasmMemory, wasmMemory } from '#base';
import type { BoostedModel, BoostedTree, ObjectiveParameters } from '#signals';
import { checkBoostingData, sizeOf } from './boosting-data.ts';
import { BoostingHand } from './boosting-hand.ts';
import { type Measured, measure } from './boosting-metrics.ts';
import {
  type BoostingData,
  type BoostingHooks,
  type BoostingOptions,
  type BoostingRound,
  type BoostingRows,
  type BoostingSettings,
  boostingSettings,
  isBetter,
  type TrainedBooster,
} from './boosting-options.ts';
import { type BoostingPlan, boostingPlan } from './boosting-plan.ts';
import { type BoostingTeam, SoloTeam, ThreadTeam } from './boosting-team.ts';
import { CONTROL_DOUBLE, WORK } from './control-words.ts';
import { ForestLead } from './forest-lead.ts';
import { grownTree } from './grown-tree.ts';
import { slicesOf } from './part-work.ts';

/** Bits of a derivative as a whole number, at most; sums of all rows stay below 2^52 and so exact. */
const BITS_MOST = 30;
const SUM_BITS = 52;

/** Checks data and options and plans the memory for so many threads. Throws InputError. */
export function planBoosting(data: BoostingData, options: BoostingOptions, threads: number): BoostingPlan {
  const size = sizeOf(data, 'training rows');
  const settings = boostingSettings(options, size.features, data.validation !== undefined);
  checkBoostingData(data, size, settings);
  return boostingPlan(settings, {
    ...size,
    validationRows: data.validation?.labels.length ?? 0,
    weighted: data.weights !== undefined || settings.scalePosWeight !== 1,
    threads,
  });
}

/**
 * Learns boosted trees as XGBoost's `hist` method does (Chen and Guestrin 2016), each tree on at most 256 bins of every
 * feature. The same data, options and seed give the same model, on whatever machine. Bins, derivatives and rows lie in one
 * WebAssembly memory: up to 4 GiB. Throws InputError for data or options that do not fit.
 */
export function trainBoosted(
  data: BoostingData,
  options: BoostingOptions,
  hooks: BoostingHooks = {},
): TrainedBooster {
  const plan = planBoosting(data, options, 1);
  const hand = new BoostingHand(plan, wasmMemory(plan.bytes), 0);
  return new BoostingCourse(new SoloTeam(hand, data), data, hooks).run();
}

/** The same as the first of several threads that share a memory; the others are in `followBoosting`. */
export function leadBoosting(
  data: BoostingData,
  plan: BoostingPlan,
  memory: SharedWasmMemory | WasmMemory,
  hooks: BoostingHooks = {},
): TrainedBooster {
  const team = new ThreadTeam(new BoostingHand(plan, memory, 0), data);
  const trained = new BoostingCourse(team, data, hooks).run();
  team.end();
  return trained;
}

/** The least power of two that is not below a number above 0. */
const powerFrom = (value: number): number => 2 ** Math.ceil(Math.log2(value));

const marginOf = ({ objective, baseScore }: BoostingSettings): number =>
  objective === 'binary:logistic' ? -Math.log(1 / baseScore - 1) : baseScore;

const parametersOf = ({ objective, outputs }: BoostingSettings): ObjectiveParameters =>
  objective === 'multi:softprob'
    ? { softmax_multiclass_param: { num_class: `${outputs}` } }
    : { reg_loss_param: { scale_pos_weight: '1' } };

/** One training, round after round. */
class BoostingCourse {
  private readonly team: BoostingTeam;
  private readonly data: BoostingData;
  private readonly hooks: BoostingHooks;
  private readonly plan: BoostingPlan;
  private readonly lead: ForestLead;
  private readonly trees: BoostedTree[] = [];
  private readonly training: number[] = [];
  private readonly validation: number[] = [];
  private heaviest = 1;

  constructor(team: BoostingTeam, data: BoostingData, hooks: BoostingHooks) {
    this.team = team;
    this.data = data;
    this.hooks = hooks;
    this.plan = team.own.hand.plan;
    this.lead = new ForestLead(team);
  }

  run(): TrainedBooster {
    const { plan, team, hooks, data } = this;
    const { settings, shape } = plan;
    hooks.signal?.throwIfAborted();
    team.run(WORK.bin, shape.features);
    team.run(WORK.weave, slicesOf(shape.rows));
    this.prepare();
    let best = 0;
    for (let round = 0; round < settings.rounds; round++) {
      hooks.signal?.throwIfAborted();
      this.grow(round);
      const training = settings.watchTraining ? this.measured(data, 'margins', plan.outputApart) : null;
      const { validation: watched } = data;
      const validation =
        watched === undefined ? null : this.measured(watched, 'validationMargins', plan.validationApart);
      if (training !== null) this.training.push(training);
      if (validation !== null) this.validation.push(validation);
      hooks.progress?.({ round, rounds: settings.rounds, training, validation } satisfies BoostingRound);
      if (validation === null || settings.earlyStoppingRounds === null) best = round;
      else if (round === 0 || isBetter(settings.metric, validation, this.validation[best]!)) best = round;
      else if (round - best >= settings.earlyStoppingRounds) break;
    }
    return this.trained(best);
  }

  /** Labels, weights and margins: in the place that putting values into bins needed before. */
  private prepare(): void {
    const { plan, data } = this;
    const { hand } = this.team.own;
    const { settings, shape, at } = plan;
    const { rows, validationRows } = shape;
    hand.kernels.clear(at.labels, plan.bytes - at.labels);
    hand.floatsAt('labels', rows).set(data.labels);
    if (shape.weighted) {
      const weights = hand.floatsAt('weights', rows);
      for (let row = 0; row < rows; row++) {
        const positive = data.labels[row] === 1 ? settings.scalePosWeight : 1;
        weights[row] = positive * (data.weights?.[row] ?? 1);
        this.heaviest = row === 0 ? weights[0]! : Math.max(this.heaviest, weights[row]!);
      }
    }
    const margin = marginOf(settings);
    for (let k = 0; k < settings.outputs; k++) {
      this.margins('margins', k * plan.outputApart, rows).fill(margin);
      this.margins('validationMargins', k * plan.validationApart, validationRows).fill(margin);
    }
  }

  private margins(region: 'margins' | 'validationMargins', offset: number, rows: number): Float64Array {
    const { doubles, plan } = this.team.own.hand;
    const from = (plan.at[region] + offset) >>> 3;
    return doubles.subarray(from, from + rows);
  }

  private grow(round: number): void {
    const { plan, team } = this;
    const { outputs } = plan.settings;
    this.setUnits();
    team.run(WORK.derive, slicesOf(plan.shape.rows));
    for (let k = 0; k < outputs; k++) {
      this.lead.grow(round * outputs + k, k);
      this.trees.push(grownTree(team.own.hand));
    }
  }

  /** How finely the derivatives of a round are written: as finely as their largest and exact sums allow. */
  private setUnits(): void {
    const { hand } = this.team.own;
    const { settings, shape, at, outputApart } = this.plan;
    const bits = 2 ** Math.min(BITS_MOST, SUM_BITS - Math.ceil(Math.log2(shape.rows)));
    const second = powerFrom(this.heaviest);
    let first = second;
    if (settings.objective === 'reg:squarederror') {
      const end = at.margins + outputApart;
      const largest = hand.kernels.residual(at.margins, end, at.labels, at.weights);
      first = largest > 0 ? powerFrom(largest) : 1;
    }
    hand.doubles[(at.doubles >>> 3) + CONTROL_DOUBLE.perFirst] = bits / first;
    hand.doubles[(at.doubles >>> 3) + CONTROL_DOUBLE.perSecond] = bits / second;
  }

  private measured(rows: BoostingRows, region: 'margins' | 'validationMargins', apartBytes: number): number {
    const { settings } = this.plan;
    const apart = apartBytes / Float64Array.BYTES_PER_ELEMENT;
    return measure(settings.metric, {
      margins: this.margins(region, 0, settings.outputs * apart),
      apart,
      outputs: settings.outputs,
      labels: rows.labels,
      weights: rows.weights ?? null,
      isLogistic: settings.objective === 'binary:logistic',
    } satisfies Measured);
  }

  private trained(best: number): TrainedBooster {
    const { settings, shape } = this.plan;
    const { outputs } = settings;
    const trees = this.trees.slice(0, (best + 1) * outputs);
    const model: BoostedModel = {
      booster: 'gbtree',
      objective: settings.objective,
      objectiveParameters: parametersOf(settings),
      features: shape.features,
      featureNames: settings.featureNames,
      featureTypes: settings.featureNames.map(() => 'float'),
      classes: settings.objective === 'multi:softprob' ? outputs : 0,
      targets: 1,
      baseScore: [settings.baseScore],
      trees,
      outputOf: Int32Array.from(trees, (_, tree) => tree % outputs),
      treeWeights: new Float32Array(trees.length).fill(1),
      parallelTrees: 1,
      attributes: { best_iteration: `${best}`, best_ntree_limit: `${best + 1}` },
    };
    const history = {
      metric: settings.metric,
      training: settings.watchTraining ? this.training : null,
      validation: this.data.validation === undefined ? null : this.validation,
      bestRound: best,
    };
    return { model, history };
  }
}
