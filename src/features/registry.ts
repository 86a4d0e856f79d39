import { InputError } from '#base';
import type { FeatureDefinition, FeatureParameter } from './kernel.ts';
import { averages } from './kernels/averages.ts';
import { bands } from './kernels/bands.ts';
import { momentum } from './kernels/momentum.ts';
import { monteCarlo } from './kernels/monte-carlo.ts';
import { oscillators } from './kernels/oscillators.ts';
import { returns } from './kernels/returns.ts';
import { trend } from './kernels/trend.ts';
import { volatility } from './kernels/volatility.ts';
import { volumes } from './kernels/volume.ts';

/**
 * Every feature over bars, by name.
 *
 * Where the input is degenerate, values follow TA-Lib for the indicators TA-Lib defines: an RSI, stochastic, MFI or
 * Williams %R of a market that does not move at all is 0, and a desk that wants 50 there says so itself. Zero
 * volume gives the close as VWAP; a flat window gives z-score 0, slope 0 and R2 0; no deviation gives a Monte Carlo
 * P(up) of 0.5. Everything else that is not defined is NaN.
 */
export const featureDefinitions: readonly FeatureDefinition[] = [
  ...averages,
  ...bands,
  ...oscillators,
  ...momentum,
  ...returns,
  ...trend,
  ...volatility,
  ...volumes,
  ...monteCarlo,
].sort((a, b) => (a.name < b.name ? -1 : 1));

const byName = new Map(featureDefinitions.map((definition) => [definition.name, definition]));

/**
 * Makes a feature of one's own known by its name, for the expressions of this process (`myname:20`). A desk file calls
 * it while it is loaded, before any frame is made; loading the same file again replaces the definition.
 * Throws InputError for the name of a built-in feature or one that an expression cannot hold.
 */
export function defineFeature(definition: FeatureDefinition): FeatureDefinition {
  const { name, outputs } = definition;
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    throw new InputError(`'${name}' is no name for a feature`, 'use lower-case letters, digits and _');
  }
  if (featureDefinitions.some((builtIn) => builtIn.name === name)) {
    throw new InputError(`the feature '${name}' is built in`, 'choose another name');
  }
  if (outputs.length === 0) throw new InputError(`the feature '${name}' has no output`, 'name at least one');
  byName.set(name, definition);
  return definition;
}

/** A definition with its parameters, and the columns it fills, in the order of `definition.outputs`. */
export interface FeatureRequest {
  /** Canonical text with all parameters: `bbands:20:2`. */
  readonly text: string;
  readonly definition: FeatureDefinition;
  readonly parameters: readonly number[];
  readonly columns: readonly string[];
}

/**
 * Reads `name:p1:p2`, for instance `macd:12:26:9`. Parameters left out at the end take their defaults. Columns are
 * named `macd_12_26_9`, `macd_12_26_9_signal`, ...
 * Throws InputError for an unknown name, too many parameters, or a parameter that is no number or out of range.
 */
export function parseFeature(text: string): FeatureRequest {
  const [rawName, ...words] = text.trim().split(':');
  const name = rawName.trim().toLowerCase();
  const definition = byName.get(name);
  if (!definition) {
    const near = nearest(name, byName.keys());
    throw new InputError(
      `unknown feature '${name}'`,
      `the nearest known one is '${near}'; a list names all of them`,
    );
  }
  const known = definition.parameters;
  if (words.length > known.length) {
    throw new InputError(
      `feature '${text}' has ${words.length} parameters, '${name}' takes ${known.length}`,
      `write it as ${usage(definition)}`,
    );
  }
  const parameters = known.map((parameter, i) => readParameter(text, definition, parameter, words[i]));
  const why = definition.refuse?.(parameters) ?? null;
  if (why !== null) throw new InputError(`feature '${text}': ${why}`, `write it as ${usage(definition)}`);
  const stem = [name, ...parameters].join('_');
  return {
    text: [name, ...parameters].join(':'),
    definition,
    parameters,
    columns: definition.outputs.map(({ suffix }) => (suffix ? `${stem}_${suffix}` : stem)),
  };
}

function readParameter(
  text: string,
  definition: FeatureDefinition,
  parameter: FeatureParameter,
  word: string | undefined,
): number {
  if (word === undefined) return parameter.default;
  const value = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(word) ? Number(word) : Number.NaN;
  const fits = parameter.kind === 'integer' ? Number.isInteger(value) : Number.isFinite(value);
  if (!fits || value < parameter.min || value > parameter.max) {
    const wanted = parameter.kind === 'integer' ? 'a whole number' : 'a number';
    throw new InputError(
      `feature '${text}': ${parameter.name} is '${word}'`,
      `${parameter.name} must be ${wanted} from ${parameter.min} to ${parameter.max}; write it as ${usage(definition)}`,
    );
  }
  return value === 0 ? 0 : value;
}

/** `macd:fast:slow:signal, for instance macd:12:26:9`. */
function usage(definition: FeatureDefinition): string {
  if (definition.parameters.length === 0) return definition.name;
  const names = definition.parameters.map((parameter) => parameter.name).join(':');
  const values = definition.parameters.map((parameter) => parameter.default).join(':');
  return `${definition.name}:${names}, for instance ${definition.name}:${values}`;
}

/** The candidate with the smallest edit distance to `word`; the first among equals. */
export function nearest(word: string, candidates: Iterable<string>): string {
  let best = '';
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
