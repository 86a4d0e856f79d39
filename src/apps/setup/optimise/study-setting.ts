import { z } from 'zod';
import { Chance, canonicalJson, InputError } from '#base';
import { NO_TRACE } from '#engine';
import { nearest } from '#features';
import {
  type Constraint,
  type NamedParameter,
  type Parameter,
  type Point,
  pointText,
  readPredicate,
  readStudyParameter,
  Space,
  type Values,
} from '#research';
import { readAnswers } from '../answers-file.ts';
import { programHash } from '../code-hash.ts';
import {
  checkParameters,
  deskWith,
  type FoundDesk,
  findDesk,
  parameterNames,
  readAssignments,
} from '../load-desk.ts';
import { readRecorded, shapesOf } from '../run-backtest.ts';
import { dataNotes } from '../run-summary.ts';
import { buildStudy } from '../study.ts';
import type { SweepRequest } from '../sweep/sweep-plan.ts';
import type { SpanSetting } from './play-span.ts';

/** What a study of a desk is asked for: as a sweep, but that `params` are ranges such as `fast=5:60` and the loop plays. */
export type StudyRequest = Omit<SweepRequest, 'engine'>;

/** What decides the runs of a study, in a form that can be compared. */
export interface StudyIdentity {
  readonly format: 1;
  readonly desk: string;
  readonly deskSource: string;
  readonly set: Readonly<Record<string, unknown>>;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly where: string | null;
  readonly tapeHash: string;
  readonly answersHash: string | null;
  readonly cash: number | null;
  readonly feeBps: number | null;
  readonly slippageBps: number | null;
  readonly seed: string;
  readonly codeHash: string;
}

/** A study that can be run. */
export interface StudySetting {
  readonly setting: SpanSetting;
  readonly space: Space;
  readonly identity: StudyIdentity;
  readonly instruments: readonly string[];
  readonly currency: string;
  /** Interval of the desk's bars. */
  readonly intervalMs: number;
  /** What a reader of the figures should know of the data. */
  readonly notes: readonly string[];
  /** A point that the desk refused last, with its reason; for a study that finds no other. */
  readonly refusal: () => string | null;
}

/** Reads and checks everything a study needs. Throws InputError for whatever a person got wrong. */
export async function planStudy(request: StudyRequest): Promise<StudySetting> {
  const found = await findDesk(request.desk);
  const set = readAssignments(request.set);
  const named = request.params.map(readStudyParameter);
  checkNames(found, set, named);
  let refused: string | null = null;
  const takes: Constraint = {
    name: 'the desk takes it',
    holds: (point) => {
      refused = refusalOf(found, set, point) ?? refused;
      return refusalOf(found, set, point) === null;
    },
  };
  const parameters = Object.fromEntries(named.map(({ name, parameter }) => [name, parameter]));
  const space = new Space(parameters, [...conditionOf(request.where, named, knownValues(found, set)), takes]);
  const data = await readRecorded(request);
  const answers = request.answers === null ? null : readAnswers(request.answers);
  const setting: SpanSetting = {
    found,
    set,
    settings: {
      cash: request.cash,
      feeBps: request.feeBps,
      slippageBps: request.slippageBps,
      seed: request.seed,
    },
    data,
    answers: answers?.known ?? null,
    answersHash: answers?.hash ?? null,
    programHash: programHash(),
  };
  // what bars, desk and settings do not agree on is found before the first run
  const first = firstDesk(found, set, space, () => refused);
  const study = buildStudy(first, shapesOf(data.tape), request, NO_TRACE);
  return {
    setting,
    space,
    identity: {
      format: 1,
      desk: found.definition.name,
      deskSource: found.sourceHash,
      set,
      parameters,
      where: request.where?.trim() ?? null,
      tapeHash: data.tape.hash,
      answersHash: setting.answersHash,
      cash: request.cash,
      feeBps: request.feeBps,
      slippageBps: request.slippageBps,
      seed: request.seed,
      codeHash: setting.programHash,
    },
    instruments: study.instruments.map(({ id }) => id),
    currency: study.base,
    intervalMs: study.intervalMs,
    notes: dataNotes(study.instruments, data),
    refusal: () => refused,
  };
}

function checkNames(
  found: FoundDesk,
  set: Readonly<Record<string, unknown>>,
  named: readonly NamedParameter[],
): void {
  if (named.length === 0)
    throw new InputError('a study needs at least one parameter', 'add --param fast=5:60');
  const names = named.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InputError(`--param ${twice} is given twice`, 'give it once');
  const both = names.find((name) => Object.hasOwn(set, name));
  if (both !== undefined) {
    throw new InputError(`${both} is given to --set and to --param`, 'give it to one of them');
  }
  const known = parameterNames(found.definition);
  for (const name of [...names, ...Object.keys(set)]) {
    // a schema that is no object cannot say what it knows: then it judges the values
    if (known.length === 0 || known.includes(name)) continue;
    throw new InputError(
      `desk ${found.definition.name} has no parameter "${name}"`,
      `the nearest known one is "${nearest(name, known)}"; all: ${known.join(', ')}`,
    );
  }
  const whole = wholeParameters(found);
  const broken = named.find(({ name, parameter }) => parameter.kind === 'float' && whole.has(name));
  if (broken !== undefined && broken.parameter.kind === 'float') {
    const { low, high } = broken.parameter;
    throw new InputError(
      `--param ${broken.name}: the desk takes whole numbers only, and the range is not one of them`,
      `write ${broken.name}=${Math.ceil(low)}:${Math.floor(high)}`,
    );
  }
}

/** Parameters whose schema says that they are whole numbers. */
function wholeParameters({ definition }: FoundDesk): Set<string> {
  if (!('_zod' in definition.parameters)) return new Set();
  const schema = z.toJSONSchema(definition.parameters as z.ZodType, { io: 'input', unrepresentable: 'any' });
  const properties = Object.entries((schema.properties ?? {}) as Record<string, { type?: unknown }>);
  return new Set(properties.filter(([, { type }]) => type === 'integer').map(([name]) => name));
}

/** Why a desk does not take a point; null when it does. */
function refusalOf(found: FoundDesk, set: Readonly<Record<string, unknown>>, point: Point): string | null {
  try {
    checkParameters(found.definition, { ...set, ...point });
    return null;
  } catch (error) {
    if (error instanceof InputError) return `${error.message} (at ${pointText(point)})`;
    throw error;
  }
}

/** Values of the parameters that do not vary, defaults included where the desk tells them. */
function knownValues({ definition }: FoundDesk, set: Readonly<Record<string, unknown>>): Values {
  const read = definition.parameters.safeParse(set);
  return read.success && typeof read.data === 'object' ? { ...set, ...read.data } : set;
}

function conditionOf(where: string | null, named: readonly NamedParameter[], fixed: Values): Constraint[] {
  if (where === null) return [];
  const names = [...new Set([...named.map(({ name }) => name), ...Object.keys(fixed)])];
  const takesPart = readPredicate(where, names);
  return [{ name: where.trim(), holds: (point) => takesPart({ ...fixed, ...point }) }];
}

/** The desk at the middle of the space, or wherever it takes its parameters first. */
function firstDesk(
  found: FoundDesk,
  set: Readonly<Record<string, unknown>>,
  space: Space,
  refused: () => string | null,
) {
  const coordinates = new Float64Array(space.axes.length);
  const chance = new Chance('first');
  for (let k = 0; k < TRIES; k++) {
    for (let a = 0; a < coordinates.length; a++) {
      coordinates[a] = space.active(a, coordinates) ? space.axes[a]!.draw(chance) : Number.NaN;
    }
    const point = space.point(coordinates);
    if (space.allows(point)) return deskWith(found, { ...set, ...point });
  }
  throw new InputError(
    `of ${TRIES} points drawn from the ranges none can be run${refused() === null ? '' : `; one was refused: ${refused()}`}`,
    'widen the ranges of --param, or loosen --where',
  );
}

const TRIES = 2_000;

/** Whether two identities are of one study, and the names of the parts that differ. */
export function differing<T extends object>(
  there: T,
  here: T,
  names: Readonly<Record<keyof T, string>>,
): string[] {
  const keys = (Object.keys(names) as (keyof T)[]).filter(
    (key) => canonicalJson(there[key] ?? null) !== canonicalJson(here[key] ?? null),
  );
  return [...new Set(keys.map((key) => names[key]))];
}
