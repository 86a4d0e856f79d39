import { InputError } from '#base';
import { readAxis } from '../sweep/grid.ts';
import type { Condition, Parameter, ParameterValue } from './space.ts';

/** A parameter of a study by name. */
export interface NamedParameter {
  readonly name: string;
  readonly parameter: Parameter;
}

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
const FORMS =
  'write NAME=FROM:TO, NAME=FROM:TO:STEP, NAME=log:FROM:TO or NAME=VALUE,VALUE, such as fast=5:60, rate=log:1e-4:1e-1 or mode=a,b';

/**
 * Reads what a study may vary: `fast=5:60` (whole numbers, because both ends are), `stop=0.5:3` (any number between),
 * `slow=20:200:5` (in steps), `rate=log:1e-4:1e-1` (evenly on a logarithmic scale), `mode=a,b` (one of some). Behind it may
 * stand the values of an earlier parameter under which it exists at all: `band=1:3 if mode=bands,both`. Throws
 * InputError naming what cannot be.
 */
export function readStudyParameter(text: string): NamedParameter {
  const [range = '', condition, ...more] = text.split(/\s+if\s+/);
  const equals = range.indexOf('=');
  const name = range.slice(0, Math.max(0, equals)).trim();
  if (name === '' || more.length > 0) throw new InputError(`--param "${text}" names no parameter`, FORMS);
  const values = range.slice(equals + 1).trim();
  const when = condition === undefined ? {} : { when: readCondition(condition, name) };
  return { name, parameter: { ...readRange(name, values), ...when } };
}

function readRange(name: string, values: string): Parameter {
  const log = values.startsWith('log:');
  const words = (log ? values.slice(4) : values).split(':');
  const isRange = log || (words.length > 1 && /^[-+.\d]/.test(values) && !values.includes(','));
  if (!isRange) return { kind: 'categorical', choices: choicesOf(name, values) };
  const wrong = (what: string, mend = FORMS) => new InputError(`--param ${name}=${values}: ${what}`, mend);
  const bad = words.find((word) => !NUMBER.test(word.trim()) || !Number.isFinite(Number(word)));
  if (bad !== undefined) throw wrong(`"${bad}" is not a number`);
  if (words.length < 2 || words.length > 3) throw wrong('a range has a first and a last value');
  if (log && words.length === 3)
    throw wrong('a logarithmic scale takes no step', `write ${name}=log:${words[0]}:${words[1]}`);
  const [low, high, step] = words.map(Number) as [number, number, number | undefined];
  if (low > high)
    throw wrong(`it goes from ${low} down to ${high}`, `write ${name}=${log ? 'log:' : ''}${high}:${low}`);
  if (step !== undefined && step <= 0) throw wrong(`the step is ${step}`, 'give a step above 0');
  if (log && low <= 0) throw wrong(`a logarithmic scale cannot begin at ${low}`, 'begin above 0');
  const isWhole = words.every((word) => /^-?\d+$/.test(word.trim()));
  return {
    kind: isWhole ? 'int' : 'float',
    low,
    high,
    ...(log ? { log } : {}),
    ...(step === undefined ? {} : { step }),
  };
}

function choicesOf(name: string, values: string): ParameterValue[] {
  return readAxis(`${name}=${values}`).values.map((value) => {
    if (value !== null) return value;
    throw new InputError(`--param ${name}=${values}: a study cannot vary null`, 'leave it out');
  });
}

function readCondition(text: string, name: string): Condition {
  const equals = text.indexOf('=');
  const parameter = text.slice(0, Math.max(0, equals)).trim();
  if (parameter === '') {
    throw new InputError(
      `--param ${name}: "if ${text}" is no condition`,
      'write the values of an earlier parameter: "band=1:3 if mode=bands,both"',
    );
  }
  return { parameter, in: choicesOf(parameter, text.slice(equals + 1).trim()) };
}
