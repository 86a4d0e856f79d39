import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { type RecordedRun, RegistryPages } from '#adapters';
import { DAY } from '#base';
import type { runLine } from '../../../contract/areas/workshop.ts';
import { type RegistryChoice, registryFile } from '../../../setup/registry/open-registry.ts';
import { readObject } from '../../../setup/replay-run.ts';
import { Problem } from '../../context.ts';
import { differencesOf } from '../../data/differences.ts';
import { numberOf } from '../../data/versions.ts';

export type RunLine = z.output<typeof runLine>;

/** Looks into the registry that the commands of this folder write, and closes it again. Null where there is none yet. */
export function withRegistry<T>(read: (registry: RegistryPages) => T, choice: RegistryChoice = {}): T | null {
  const registry = RegistryPages.open(registryFile(choice));
  if (registry === null) return null;
  try {
    return read(registry);
  } finally {
    registry.close();
  }
}

export function runList(ask: {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly kind?: string | undefined;
  readonly desk?: string | undefined;
}): { readonly items: RunLine[]; readonly next: string | null } {
  const { limit, kind, desk } = ask;
  const before = numberOf(ask.cursor);
  const page = withRegistry((registry) => {
    const runs = registry.page({ kind, desk }, limit + 1, before);
    const items = runs.slice(0, limit).map((run) => lineOf(registry, run));
    return { items, next: runs.length > limit ? String(runs[limit - 1]!.position) : null };
  });
  return page ?? { items: [], next: null };
}

/** One run with its record and the equity that its daily returns make. Throws {@link Problem} 404. */
export function runDetail(id: string) {
  const found = withRegistry((registry) => {
    const run = registry.find(id);
    if (run === null) return null;
    const { days, returns } = registry.returns(id)!;
    let equity = run.record.cash;
    const curve = Array.from(returns, (one) => (equity *= 1 + one));
    const { position, kind, study, file, record } = run;
    return {
      ...lineOf(registry, run),
      record: { position, kind, study, file, ...record },
      equity:
        curve.length === 0
          ? null
          : { time: Array.from(days.subarray(0, curve.length), (day) => (day + 1) * DAY), equity: curve },
    };
  });
  if (found === null) throw noRun(id);
  return found;
}

/** What two runs came to, and every input in which they differ. Throws {@link Problem} 404. */
export function compareRuns(a: string, b: string, choice: RegistryChoice = {}) {
  const compared = withRegistry((registry) => {
    const [first, second] = [a, b].map((id) => {
      const run = registry.find(id);
      if (run === null) throw noRun(id);
      return run;
    }) as [RecordedRun, RecordedRun];
    const [one, other] = [lineOf(registry, first), lineOf(registry, second)];
    const names = [...new Set([...Object.keys(one.figures), ...Object.keys(other.figures)])];
    return {
      a: one,
      b: other,
      figures: names.map((name) => ({ name, a: one.figures[name] ?? null, b: other.figures[name] ?? null })),
      differences: differencesOf(inputsOf(first), inputsOf(second)),
    };
  }, choice);
  if (compared === null) throw noRun(a);
  return compared;
}

function inputsOf({ kind, record }: RecordedRun): unknown {
  const { figures: _, deskHash: __, ...inputs } = record;
  return { kind, ...inputs };
}

/** What is known of a desk with its parameters: by the hash of the desk, or of one of its runs. Throws {@link Problem} 404. */
export function passportOf(hash: string): Record<string, unknown> {
  const found = withRegistry((registry) => {
    const run = registry.find(hash);
    const deskHash = run?.record.deskHash ?? hash;
    const runs = run === null ? registry.page({ deskHash }, 200, null) : [run];
    const [newest] = runs;
    if (newest === undefined) return null;
    const stages = registry.stages(deskHash);
    const { passport, directory } = passportIn(runs.flatMap((one) => registry.places(one.hash)));
    return {
      deskHash,
      desk: newest.record.desk.name,
      parameters: newest.record.parameters,
      stage: stages.at(-1)?.to ?? 'research',
      stages,
      runs: registry.kinds(deskHash),
      newest: lineOf(registry, newest),
      passport,
      directory,
    };
  });
  if (found === null)
    throw new Problem(
      404,
      'not-found',
      `nothing is on record of ${hash.slice(0, 12)}`,
      'run a backtest of it; quorum passport RUN then judges how much of its result is luck',
    );
  return found;
}

function passportIn(directories: readonly string[]) {
  for (const directory of directories) {
    const path = join(directory, 'passport.json');
    if (existsSync(path)) return { passport: readObject(path), directory };
  }
  return { passport: null, directory: null };
}

function lineOf(registry: RegistryPages, { hash, at, kind, record }: RecordedRun): RunLine {
  const { desk, deskHash, instruments, days, figures } = record;
  return {
    id: hash,
    at,
    kind,
    desk: desk.name,
    deskHash,
    instruments: [...instruments],
    from: days.count === 0 ? null : days.first * DAY,
    to: days.count === 0 ? null : (days.last + 1) * DAY,
    figures: { ...figures },
    folder: registry.places(hash).find((directory) => existsSync(directory)) ?? null,
  };
}

const noRun = (id: string): Problem =>
  new Problem(404, 'not-found', `no run ${id.slice(0, 12)} is on record`, 'see the list of runs');
