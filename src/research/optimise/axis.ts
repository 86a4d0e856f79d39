import { type Chance, InputError } from '#base';
import type {
  CategoricalParameter,
  FloatParameter,
  IntParameter,
  Parameter,
  ParameterValue,
} from './space.ts';

/** A condition by axis number and coordinates. */
export interface AxisCondition {
  readonly axis: number;
  readonly among: readonly number[];
}

/** Most grid values of one parameter; more of them are better drawn from a range. */
const MOST_LEVELS = 1e9;

/**
 * One parameter as a coordinate that samplers understand: the value itself, its logarithm where `log` is set, or the
 * number of the choice. `lower..upper` are the bounds of densities: half a step wider than the range where values lie
 * on a grid, so that the outermost values are as wide as the others (Optuna does the same).
 */
export class Axis {
  readonly name: string;
  readonly conditions: readonly AxisCondition[];
  /** Choices of a categorical parameter, else null. */
  readonly choices: readonly ParameterValue[] | null;
  readonly log: boolean;
  /** Whole values on a logarithmic scale: a continuous coordinate, rounded when it becomes a value. */
  readonly roundedLog: boolean;
  /** Grid step in coordinates; 0 where the coordinate is continuous. */
  readonly step: number;
  private readonly wholeGrid: boolean;
  /** First and last value, of the coordinate where there is no logarithm, else before it is taken. */
  readonly low: number;
  readonly high: number;
  readonly lower: number;
  readonly upper: number;
  /** How many values there are; Infinity for a continuous one. */
  readonly levels: number;

  constructor(name: string, parameter: Parameter, conditions: readonly AxisCondition[]) {
    this.name = name;
    this.conditions = conditions;
    if (parameter.kind === 'categorical') {
      checkChoices(name, parameter);
      this.choices = parameter.choices;
      this.log = false;
      this.roundedLog = false;
      this.wholeGrid = false;
      this.step = 0;
      this.low = 0;
      this.high = parameter.choices.length - 1;
      this.lower = 0;
      this.upper = this.high;
      this.levels = parameter.choices.length;
      return;
    }
    checkRange(name, parameter);
    const whole = parameter.kind === 'int';
    this.choices = null;
    this.log = parameter.log ?? false;
    this.roundedLog = this.log && whole;
    this.step = this.log ? 0 : (parameter.step ?? (whole ? 1 : 0));
    this.low = parameter.low;
    this.wholeGrid = Number.isInteger(this.low) && Number.isInteger(this.step);
    if (this.step > 0) {
      const count = Math.floor((parameter.high - parameter.low) / this.step + 1e-9) + 1;
      if (count > MOST_LEVELS) {
        throw new InputError(
          `'${name}' has ${count} values`,
          `take a step that leaves at most ${MOST_LEVELS}`,
        );
      }
      this.levels = count;
      this.high = onGrid(this.low, this.step, count - 1);
      this.lower = this.low - this.step / 2;
      this.upper = this.high + this.step / 2;
      return;
    }
    this.high = parameter.high;
    const half = this.roundedLog ? 0.5 : 0;
    this.levels =
      this.roundedLog || this.low === this.high ? this.high - this.low + 1 : Number.POSITIVE_INFINITY;
    this.lower = this.log ? Math.log(this.low - half) : this.low;
    this.upper = this.log ? Math.log(this.high + half) : this.high;
  }

  /** The value nearest to a coordinate. */
  value(coordinate: number): ParameterValue {
    if (this.choices !== null) return this.choices[coordinate]!;
    if (this.step > 0) {
      const k = Math.round((coordinate - this.low) / this.step);
      return this.level(Math.min(Math.max(k, 0), this.levels - 1));
    }
    let x = this.log ? Math.exp(coordinate) : coordinate;
    if (this.roundedLog) x = Math.round(x);
    return Math.min(Math.max(x, this.low), this.high);
  }

  /** The coordinate of a value. Throws InputError when the parameter cannot take it. */
  coordinate(value: ParameterValue): number {
    if (this.choices !== null) {
      const k = this.choices.indexOf(value);
      if (k < 0)
        throw new InputError(`'${this.name}' has no choice ${JSON.stringify(value)}`, 'take a listed one');
      return k;
    }
    const fits = typeof value === 'number' && value >= this.low && value <= this.high;
    if (!fits || (this.roundedLog && !Number.isInteger(value)) || !this.onItsGrid(value)) {
      const grid = this.step > 0 ? ` in steps of ${this.step}` : '';
      throw new InputError(
        `'${this.name}' cannot be ${JSON.stringify(value)}`,
        `it runs from ${this.low} to ${this.high}${grid}`,
      );
    }
    return this.log ? Math.log(value) : value;
  }

  /** The k-th value of a grid. */
  level(k: number): number {
    return this.wholeGrid ? this.low + k * this.step : onGrid(this.low, this.step, k);
  }

  private onItsGrid(value: number): boolean {
    if (this.step === 0) return true;
    const k = (value - this.low) / this.step;
    return Math.abs(k - Math.round(k)) < 1e-6;
  }

  /** A coordinate put on the grid and inside the range, without leaving coordinates. */
  snap(coordinate: number): number {
    if (this.step > 0) {
      const k = Math.round((coordinate - this.low) / this.step);
      return this.level(Math.min(Math.max(k, 0), this.levels - 1));
    }
    if (this.roundedLog) {
      return Math.log(Math.min(Math.max(Math.round(Math.exp(coordinate)), this.low), this.high));
    }
    return coordinate;
  }

  /** The coordinate at share `u` in [0, 1] of the way from end to end; grid values get equal shares. */
  atShare(u: number): number {
    if (this.choices !== null) return Math.min(Math.floor(u * this.levels), this.levels - 1);
    if (this.step > 0) return this.level(Math.min(Math.floor(u * this.levels), this.levels - 1));
    return this.snap(this.lower + u * (this.upper - this.lower));
  }

  /** Uniform over the values, or over their logarithms. */
  draw(chance: Chance): number {
    return this.atShare(chance.uniform());
  }
}

/** No more decimals than its parts have, so that 0.1 + 2 * 0.1 is 0.3 and -1.2 + 11 * 0.1 is -0.1. */
function onGrid(low: number, step: number, k: number): number {
  return Number((low + k * step).toFixed(Math.min(100, Math.max(decimalsOf(low), decimalsOf(step)))));
}

function decimalsOf(value: number): number {
  const [digits = '', exponent = '0'] = String(value).split('e');
  const point = digits.indexOf('.');
  return Math.max(0, (point < 0 ? 0 : digits.length - point - 1) - Number(exponent));
}

function checkChoices(name: string, { choices }: CategoricalParameter): void {
  if (choices.length === 0) throw new InputError(`'${name}' has no choices`, 'list at least one choice');
  if (new Set(choices).size !== choices.length) {
    throw new InputError(`'${name}' lists a choice twice`, 'list every choice once');
  }
}

function checkRange(name: string, parameter: FloatParameter | IntParameter): void {
  const { low, high, log, step, kind } = parameter;
  const refuse = (what: string, mend: string) => {
    throw new InputError(`'${name}': ${what}`, mend);
  };
  if (!Number.isFinite(low) || !Number.isFinite(high) || !Number.isFinite(high - low)) {
    refuse('a bound is not a finite number', 'give a low and a high bound');
  }
  if (low > high) refuse(`the range from ${low} to ${high} is empty`, 'low must not be above high');
  if (kind === 'int' && !(Number.isSafeInteger(low) && Number.isSafeInteger(high))) {
    refuse('a bound of an int is not whole', 'give whole bounds or make it a float');
  }
  if (log && (kind === 'int' ? low < 1 : low <= 0)) {
    refuse(`a log scale cannot begin at ${low}`, kind === 'int' ? 'begin at 1 or above' : 'begin above 0');
  }
  if (step !== undefined) {
    if (log) refuse('a log scale takes no step', 'leave out log or step');
    if (!(step > 0) || !Number.isFinite(step)) refuse(`the step is ${step}`, 'a step is above 0');
    if (kind === 'int' && !Number.isInteger(step)) refuse(`the step ${step} of an int`, 'give a whole step');
  }
}
