import { InputError } from '#base';
import { Axis, type AxisCondition } from './axis.ts';

/** What a parameter can be set to. */
export type ParameterValue = number | string | boolean;

/** The parameters of one trial by name; parameters whose condition does not hold are absent. */
export type Point = Readonly<Record<string, ParameterValue>>;

/** The parameter exists only where an earlier one has one of these values. */
export interface Condition {
  readonly parameter: string;
  readonly in: readonly ParameterValue[];
}

interface Conditional {
  /** One condition, or several that must all hold. */
  readonly when?: Condition | readonly Condition[];
}

/** A real number from `low` to `high`, both included; `step` puts it on a grid that begins at `low`. */
export interface FloatParameter extends Conditional {
  readonly kind: 'float';
  readonly low: number;
  readonly high: number;
  readonly log?: boolean;
  readonly step?: number;
}

/** A whole number from `low` to `high`, both included. `log` needs `low >= 1` and takes no step. */
export interface IntParameter extends Conditional {
  readonly kind: 'int';
  readonly low: number;
  readonly high: number;
  readonly log?: boolean;
  readonly step?: number;
}

/** One of several values without an order. */
export interface CategoricalParameter extends Conditional {
  readonly kind: 'categorical';
  readonly choices: readonly ParameterValue[];
}

export type Parameter = FloatParameter | IntParameter | CategoricalParameter;

/**
 * What must hold before a point is tried at all: `fast < slow`. Pure. Absent parameters are absent from the point, so
 * a constraint that speaks of conditional ones says itself what holds without them.
 */
export interface Constraint {
  readonly name: string;
  holds(point: Point): boolean;
}

/**
 * The parameters that a study varies, in the order of `parameters`, and what must hold between them. Plain data
 * except for the constraints, which a resumed study is handed again.
 */
export class Space {
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly constraints: readonly Constraint[];
  readonly axes: readonly Axis[];
  /** Axes that are active under the same conditions, in order; the first group has none. For joint sampling. */
  readonly groups: readonly (readonly number[])[];

  /** Throws InputError for an impossible range, an unknown or later parent, and doubled names or choices. */
  constructor(parameters: Readonly<Record<string, Parameter>>, constraints: readonly Constraint[] = []) {
    const names = Object.keys(parameters);
    if (names.length === 0) throw new InputError('a space without parameters', 'name at least one parameter');
    const axes: Axis[] = [];
    for (const name of names) {
      const parameter = parameters[name]!;
      axes.push(new Axis(name, parameter, conditionsOf(name, parameter, axes)));
    }
    if (new Set(constraints.map((constraint) => constraint.name)).size !== constraints.length) {
      throw new InputError('two constraints have the same name', 'give every constraint a name of its own');
    }
    this.parameters = parameters;
    this.constraints = constraints;
    this.axes = axes;
    const groups = new Map<string, number[]>();
    axes.forEach((axis, a) => {
      const key = JSON.stringify(axis.conditions);
      const group = groups.get(key);
      if (group) group.push(a);
      else groups.set(key, [a]);
    });
    this.groups = [...groups.values()];
  }

  /** A text that is equal exactly for spaces that draw the same trials; constraints count by name. */
  fingerprint(): string {
    return JSON.stringify([Object.entries(this.parameters), this.constraints.map(({ name }) => name)]);
  }

  /** True when axis `a` exists at a point whose earlier coordinates are filled in. */
  active(a: number, coordinates: Float64Array): boolean {
    for (const { axis, among } of this.axes[a]!.conditions) {
      if (!among.includes(coordinates[axis]!)) return false;
    }
    return true;
  }

  /** The point of these coordinates; NaN coordinates are absent. */
  point(coordinates: Float64Array): Point {
    const point: Record<string, ParameterValue> = {};
    for (let a = 0; a < this.axes.length; a++) {
      const c = coordinates[a]!;
      if (!Number.isNaN(c)) point[this.axes[a]!.name] = this.axes[a]!.value(c);
    }
    return point;
  }

  /**
   * Writes the coordinates of `point` into `into`, NaN where a parameter does not exist, and returns it. Throws InputError for a
   * value outside its range, a missing parameter, and one that does not exist at this point.
   */
  coordinates(point: Point, into: Float64Array = new Float64Array(this.axes.length)): Float64Array {
    let used = 0;
    for (let a = 0; a < this.axes.length; a++) {
      const axis = this.axes[a]!;
      const value = point[axis.name];
      if (!this.active(a, into)) {
        into[a] = Number.NaN;
        continue;
      }
      if (value === undefined) {
        throw new InputError(
          `the parameter '${axis.name}' has no value`,
          'give every active parameter a value',
        );
      }
      into[a] = axis.coordinate(value);
      used += 1;
    }
    if (Object.keys(point).length !== used) {
      const stray = Object.keys(point).filter((name) => {
        const a = this.axes.findIndex((axis) => axis.name === name);
        return a < 0 || Number.isNaN(into[a]!);
      });
      throw new InputError(
        `the point names '${stray.join("', '")}', which do not exist at it`,
        'leave out parameters that are unknown or whose condition does not hold',
      );
    }
    return into;
  }

  /** True when every constraint holds. */
  allows(point: Point): boolean {
    for (const constraint of this.constraints) if (!constraint.holds(point)) return false;
    return true;
  }
}

function conditionsOf(name: string, parameter: Parameter, axes: readonly Axis[]): AxisCondition[] {
  const list = parameter.when === undefined ? [] : 'in' in parameter.when ? [parameter.when] : parameter.when;
  return list.map((condition) => {
    const axis = axes.findIndex((earlier) => earlier.name === condition.parameter);
    if (axis < 0) {
      throw new InputError(
        `'${name}' depends on '${condition.parameter}', which is not declared before it`,
        'declare a parameter before those that depend on it',
      );
    }
    if (condition.in.length === 0) {
      throw new InputError(
        `'${name}' can never exist: its condition lists no value`,
        'list at least one value',
      );
    }
    return { axis, among: condition.in.map((value) => axes[axis]!.coordinate(value)) };
  });
}
