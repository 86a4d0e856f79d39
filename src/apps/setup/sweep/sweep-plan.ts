import { canonicalJson, InputError, sha256 } from '#base';
import { NO_TRACE } from '#engine';
import { nearest } from '#features';
import {
  Grid,
  type GridAxis,
  pointText,
  readAxis,
  readPredicate,
  type SweepEngine,
  type Values,
} from '#research';
import { type RecordedAnswers, readAnswers } from '../answers-file.ts';
import { programHash } from '../code-hash.ts';
import {
  checkParameters,
  deskWith,
  type FoundDesk,
  findDesk,
  parameterNames,
  readAssignments,
} from '../load-desk.ts';
import { type BacktestRequest, type RecordedData, readRecorded, shapesOf } from '../run-backtest.ts';
import { buildStudy, type Study } from '../study.ts';
import { kernelVerdictOf } from './kernel-verdict.ts';

/** What a sweep is asked for: a backtest's settings, and the parameters that vary. */
export interface SweepRequest
  extends Pick<
    BacktestRequest,
    'bars' | 'funding' | 'tapes' | 'store' | 'from' | 'to' | 'cash' | 'feeBps' | 'slippageBps' | 'seed'
  > {
  /** Built-in name or path of the desk. */
  readonly desk: string;
  /** `fast=5:60:1`, one for each parameter that varies. */
  readonly params: readonly string[];
  /** Which combinations take part; null is all. */
  readonly where: string | null;
  /** `key=value` of parameters that do not vary. */
  readonly set: readonly string[];
  readonly answers: string | null;
  /** Who plays; `auto`, as when left out: the columnar kernel where it knows the desk's rule, else the loop. */
  readonly engine?: SweepEngine | 'auto';
}

/** Everything that decides the table: a directory that holds a sweep of another identity is not gone on with. */
export interface SweepIdentity {
  readonly format: 1;
  readonly desk: string;
  readonly deskSource: string;
  /** Parameters given that do not vary. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly axes: readonly GridAxis[];
  readonly where: string | null;
  readonly tapeHash: string;
  readonly answersHash: string | null;
  readonly cash: number | null;
  readonly feeBps: number | null;
  readonly slippageBps: number | null;
  readonly seed: string;
  readonly engine: SweepEngine;
  readonly codeHash: string;
}

/** A sweep that can be run: nothing in it is left to be found wrong but what a desk does while it plays. */
export interface SweepPlan {
  readonly request: SweepRequest;
  readonly found: FoundDesk;
  readonly data: RecordedData;
  readonly answers: RecordedAnswers | null;
  readonly grid: Grid;
  /** Numbers of the combinations that take part, rising. */
  readonly variants: readonly number[];
  readonly identity: SweepIdentity;
  readonly instruments: readonly string[];
  readonly currency: string;
  /** Why the loop plays though nobody asked for it; null otherwise. */
  readonly loopReason: string | null;
}

/** Reads and checks everything a sweep needs. Throws InputError for whatever a person got wrong. */
export async function planSweep(request: SweepRequest): Promise<SweepPlan> {
  const found = await findDesk(request.desk);
  const set = readAssignments(request.set);
  const axes = request.params.map(readAxis);
  checkNames(found, set, axes);
  const grid = new Grid(axes);
  const chosen = choose(grid, request.where, knownValues(found, set));
  checkVariants(found, set, grid, chosen);
  const data = await readRecorded(request);
  // what bars, desk and settings do not agree on is found before the first variant runs
  const first = deskWith(found, { ...set, ...grid.pointAt(chosen[0]!) });
  const study = buildStudy(first, shapesOf(data.tape), request, NO_TRACE);
  const answers = request.answers === null ? null : readAnswers(request.answers);
  const { engine, loopReason } = engineOf(request, study, data);
  return {
    request,
    found,
    data,
    answers,
    grid,
    variants: chosen,
    identity: {
      format: 1,
      desk: found.definition.name,
      deskSource: found.sourceHash,
      set,
      axes,
      where: request.where?.trim() ?? null,
      tapeHash: data.tape.hash,
      answersHash: answers?.hash ?? null,
      cash: request.cash,
      feeBps: request.feeBps,
      slippageBps: request.slippageBps,
      seed: request.seed,
      engine,
      codeHash: programHash(),
    },
    instruments: study.instruments.map(({ id }) => id),
    currency: study.base,
    loopReason,
  };
}

/** Who plays. Throws InputError where the kernel is asked for and cannot. */
function engineOf(request: SweepRequest, study: Study, data: RecordedData) {
  const asked = request.engine ?? 'auto';
  if (asked === 'loop') return { engine: 'loop', loopReason: null } as const;
  const { reason } = kernelVerdictOf(study, data);
  if (reason === null) return { engine: 'kernel', loopReason: null } as const;
  if (asked === 'auto') return { engine: 'loop', loopReason: reason } as const;
  throw new InputError(
    `the kernel cannot play this desk: ${reason}`,
    'leave --engine out, or say --engine loop',
  );
}

/** Names a variant by its contents: two of one hash come to the same result, in whatever sweep. */
export function variantHash(identity: SweepIdentity, deskHashOfVariant: string): string {
  const { tapeHash, answersHash, cash, feeBps, slippageBps, seed, codeHash: code } = identity;
  const settings = { tapeHash, answersHash, cash, feeBps, slippageBps, seed, codeHash: code };
  return sha256(canonicalJson({ ...settings, deskHash: deskHashOfVariant }));
}

function checkNames(
  found: FoundDesk,
  set: Readonly<Record<string, unknown>>,
  axes: readonly GridAxis[],
): void {
  const known = parameterNames(found.definition);
  const swept = axes.map(({ name }) => name);
  const twice = swept.find((name) => Object.hasOwn(set, name));
  if (twice !== undefined) {
    throw new InputError(`${twice} is given to --set and to --param`, 'give it to one of them');
  }
  for (const name of [...swept, ...Object.keys(set)]) {
    // a schema that is no object cannot say what it knows: then it judges the values
    if (known.length === 0 || known.includes(name)) continue;
    throw new InputError(
      `desk ${found.definition.name} has no parameter "${name}"`,
      `the nearest known one is "${nearest(name, known)}"; all: ${known.join(', ')}`,
    );
  }
}

/** Values of the parameters that do not vary, defaults included where the desk tells them. */
function knownValues({ definition }: FoundDesk, set: Readonly<Record<string, unknown>>): Values {
  const read = definition.parameters.safeParse(set);
  return read.success && typeof read.data === 'object' ? { ...set, ...read.data } : set;
}

function choose(grid: Grid, where: string | null, fixed: Values): number[] {
  const all = Array.from({ length: grid.size }, (_, i) => i);
  if (where === null) return all;
  const names = [...new Set([...grid.axes.map(({ name }) => name), ...Object.keys(fixed)])];
  const takesPart = readPredicate(where, names);
  const chosen = all.filter((i) => takesPart({ ...fixed, ...grid.pointAt(i) }));
  if (chosen.length > 0) return chosen;
  throw new InputError(
    `--where "${where}" leaves none of ${grid.size} combinations`,
    'widen the ranges or the condition',
  );
}

/** The desk's own schema sees every variant before the first one runs. */
function checkVariants(
  found: FoundDesk,
  set: Readonly<Record<string, unknown>>,
  grid: Grid,
  chosen: readonly number[],
): void {
  for (const variant of chosen) {
    const point = grid.pointAt(variant);
    try {
      checkParameters(found.definition, { ...set, ...point });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(
        `${error.message} (at ${pointText(point)})`,
        'correct --param or --set, or leave such combinations out with --where',
      );
    }
  }
}
