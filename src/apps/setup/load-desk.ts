import { existsSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { canonicalJson, InputError, sha256 } from '#base';
import { builtInDesks } from '#desks';
import type { DeskDefinition, DeskParts, DeskResources } from '#engine';
import { nearest } from '#features';
import { modelResources } from '../models/model-resources.ts';
import { sourceHashOf } from './desk-sources.ts';
import { type FoundModels, notingModels, type UnfitCandidates } from './noting-models.ts';

/** A desk with its parameters read and its parts built. */
export interface LoadedDesk {
  readonly definition: DeskDefinition<unknown>;
  readonly parameters: unknown;
  readonly parts: DeskParts;
  /** SHA-256 over the desk's file and the relative files that it imports, or the built-in's name. */
  readonly sourceHash: string;
  /** What was asked for: a name or a path. */
  readonly named: string;
  /** Models that its parts were built with; absent or empty: it asks for none. */
  readonly models?: FoundModels;
  /** Which candidates cannot become what its references mean, where it says so. */
  readonly unfit?: UnfitCandidates;
}

/** A desk as its file defines it, without parameters. */
export type FoundDesk = Pick<LoadedDesk, 'definition' | 'sourceHash' | 'named'>;

/** Finds a desk by built-in name or file, reads `--set key=value` pairs and builds its parts. */
export async function loadDesk(named: string, assignments: readonly string[]): Promise<LoadedDesk> {
  return deskWith(await findDesk(named), readAssignments(assignments));
}

/**
 * Checks the parameters of a desk that was found, and builds its parts. `models` are those that a run was made with: the
 * same are taken again, whatever a reference means by now. Throws {@link InputError} where one of them has gone.
 */
export function deskWith(
  found: FoundDesk,
  parameters: unknown,
  models: FoundModels = {},
  resources: DeskResources = modelResources(),
): LoadedDesk {
  const read = checkParameters(found.definition, parameters);
  const noting = notingModels(resources, models);
  const parts = partsOf(found.definition, read, found.named, noting.resources);
  const built = { ...found, parameters: read, parts };
  return Object.keys(noting.models).length === 0
    ? built
    : { ...built, models: noting.models, unfit: noting.unfit };
}

/** The same with parameters as data, as a journal or a configuration file has them. */
export async function loadDeskWith(
  named: string,
  parameters: unknown,
  models: FoundModels = {},
): Promise<LoadedDesk> {
  return deskWith(await findDesk(named), parameters, models);
}

/** Finds a desk by built-in name or file. */
export async function findDesk(named: string): Promise<FoundDesk> {
  const builtIn = Object.hasOwn(builtInDesks, named) ? builtInDesks[named] : undefined;
  if (builtIn !== undefined) {
    return {
      definition: builtIn as unknown as DeskDefinition<unknown>,
      sourceHash: sha256(`built-in ${named}`),
      named,
    };
  }
  const path = resolve(named);
  const looksLikeFile = /[/\\]/.test(named) || ['.ts', '.js', '.mjs', '.mts'].includes(extname(named));
  if (!existsSync(path)) {
    const near = nearest(named, Object.keys(builtInDesks));
    throw new InputError(
      looksLikeFile ? `there is no desk file ${named}` : `there is no desk "${named}"`,
      looksLikeFile
        ? 'check the path'
        : `built-in desks: ${Object.keys(builtInDesks).join(', ')} (nearest: ${near}); or give a desk file such as ./my-desk.ts`,
    );
  }
  if (statSync(path).isDirectory()) {
    throw new InputError(
      `${named} is a folder`,
      `name the desk file in it, such as ${join(named, 'desk.ts')}`,
    );
  }
  const sourceHash = sourceHashOf(path);
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as { default?: unknown };
  } catch (cause) {
    throw new InputError(
      `${named}${placeIn(cause, path)} cannot be loaded: ${(cause as Error).message.split('\n')[0]}`,
      'mend the error in the file; it must be TypeScript or JavaScript that only needs types stripped',
    );
  }
  return { definition: asDesk(module.default, named), sourceHash, named };
}

/** `:LINE` of an error in a file, as far as its stack tells; empty otherwise. */
export function placeIn(error: unknown, path: string): string {
  const lines = ((error as Error).stack ?? '').split('\n');
  for (const line of lines) {
    const at = line.indexOf(path);
    const number = at < 0 ? null : /^:(\d+)/.exec(line.slice(at + path.length));
    if (number) return `:${number[1]}`;
  }
  return '';
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What every part of a kind must have, so that a desk in plain JavaScript fails here and not in the loop. */
const MEMBERS = {
  sources: ['features', 'object'],
  gates: ['check', 'function'],
  limits: ['check', 'function'],
  safetyLayers: ['check', 'function'],
  exits: ['check', 'function'],
} as const;

/** Builds a desk's parts. Throws {@link InputError} naming the first that cannot be one. */
function partsOf(
  definition: DeskDefinition<unknown>,
  parameters: unknown,
  named: string,
  resources: DeskResources,
): DeskParts {
  const parts: unknown = definition.build(parameters, resources);
  const wrong = (what: string) =>
    new InputError(
      `${named}: ${what}`,
      'compare it with a desk that "quorum new" makes, or check its types with tsc',
    );
  if (!isObject(parts)) throw wrong('build gives no parts');
  if (typeof parts.interval !== 'string')
    throw wrong('the part "interval" is missing, such as "5m" or "tape"');
  if (!Number.isSafeInteger(parts.warmUpBars) || (parts.warmUpBars as number) < 0) {
    throw wrong('the part "warmUpBars" must be a whole number of bars');
  }
  if (!Array.isArray(parts.sources) || parts.sources.length === 0) throw wrong('"sources" names no source');
  if (!isObject(parts.pooling) || typeof parts.pooling.pool !== 'function') {
    throw wrong('"pooling" is no pooling rule, such as single()');
  }
  const { sizer } = parts;
  if (!isObject(sizer) || typeof sizer.size !== 'function' || !isObject(sizer.features)) {
    throw wrong('"sizer" is no sizer, such as fixedUnits(1)');
  }
  for (const [list, [member, type]] of Object.entries(MEMBERS)) {
    const given = parts[list];
    if (given === undefined) continue;
    if (!Array.isArray(given)) throw wrong(`"${list}" is no list`);
    const at = given.findIndex(
      (one) =>
        !isObject(one) || typeof one.name !== 'string' || typeof one[member] !== type || one[member] === null,
    );
    if (at >= 0) throw wrong(`"${list}" number ${at + 1} is no such part`);
  }
  return parts as unknown as DeskParts;
}

function asDesk(value: unknown, named: string): DeskDefinition<unknown> {
  const desk = value as Partial<DeskDefinition<unknown>> | null | undefined;
  const ok =
    typeof desk === 'object' &&
    desk !== null &&
    typeof desk.name === 'string' &&
    typeof desk.build === 'function';
  if (!ok || typeof desk.parameters?.safeParse !== 'function') {
    throw new InputError(
      `${named} has no desk as its default export`,
      'write: export default defineDesk({ ... })',
    );
  }
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(desk.name!)) {
    throw new InputError(
      `${named}: "${desk.name}" is not a desk name`,
      'use lower-case letters, digits and hyphens, at most 31 of them',
    );
  }
  return desk as DeskDefinition<unknown>;
}

/** Reads `key=value` pairs, unchecked. */
export function readAssignments(assignments: readonly string[]): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    if (equals <= 0)
      throw new InputError(`"${assignment}" is not key=value`, 'write for example --set fast=10');
    given[assignment.slice(0, equals)] = readValue(assignment.slice(equals + 1));
  }
  return given;
}

/** Numbers, true, false, null and JSON lists are read as such; anything else is text. */
function readValue(text: string): unknown {
  if (/^(true|false|null|-?\d+(\.\d+)?([eE][+-]?\d+)?|\[.*\]|\{.*\}|".*")$/s.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  return text;
}

/** What a desk makes of parameters. Throws InputError naming the first that it does not take. */
export function checkParameters(definition: DeskDefinition<unknown>, given: unknown): unknown {
  const result = definition.parameters.safeParse(given);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const known = parameterNames(definition);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const near = nearest(key, known);
    throw new InputError(
      `desk ${definition.name} has no parameter "${key}"`,
      `the nearest known one is "${near}"; all: ${known.join(', ')}`,
    );
  }
  throw new InputError(
    `parameter ${issue.path.join('.') || '(all)'} of desk ${definition.name}: ${issue.message}`,
    'correct the value after --set',
  );
}

/** Names of a desk's parameters, as far as its schema is an object; none of a schema that was not made with zod. */
export function parameterNames(definition: DeskDefinition<unknown>): string[] {
  if (!('_zod' in definition.parameters)) return [];
  const schema = z.toJSONSchema(definition.parameters as z.ZodType, { io: 'input', unrepresentable: 'any' });
  return Object.keys((schema.properties as object | undefined) ?? {});
}

/** Hash of what a desk was configured with. */
export function deskHash(desk: Omit<LoadedDesk, 'parts' | 'named'>): string {
  return sha256(
    canonicalJson({
      desk: desk.definition.name,
      source: desk.sourceHash,
      parameters: desk.parameters,
      ...(desk.models === undefined ? {} : { models: desk.models }),
    }),
  );
}
