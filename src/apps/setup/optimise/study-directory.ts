import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, WriterLock } from '#adapters';
import { InputError } from '#base';
import { writeWholeFile } from '../../whole-file.ts';
import { KeptLines } from '../kept-lines.ts';
import { jsonOf, linesOf } from '../text-lines.ts';
import { differing } from './study-setting.ts';

/** What a directory of some kind of study looks like. */
export interface DirectoryKind<Identity extends object> {
  /** What a person calls it: `study`, `walk-forward`. */
  readonly name: string;
  /** The file that describes a finished one, with one run a line. */
  readonly description: string;
  /** Its other files. */
  readonly others: readonly string[];
  /** What a person calls the parts of the identity. */
  readonly parts: Readonly<Record<keyof Identity, string>>;
}

/** Lines of the description between which the runs stand. */
const RUNS_BEGIN = '  "runs": [';
const RUNS_END = '  ]';

/**
 * Where a study is kept. Each run is appended as it comes; at the end the description takes them in the order of their keys,
 * and the file of lines goes away, so that the bytes are the same however the study was run. Opening the directory of the
 * same study again gives the runs it has.
 */
export class StudyDirectory<Identity extends object, Run extends object> {
  readonly path: string;
  /** Runs of earlier starts. */
  readonly there: readonly Run[];
  /** Lines of an earlier start that were damaged; their runs are played again. */
  readonly damaged: number;
  private readonly kind: DirectoryKind<Identity>;
  private readonly identity: Identity;
  private readonly lock: WriterLock;
  private readonly kept: KeptLines<Run>;

  /** Throws InputError for a directory that holds another study or anything else, or that another process writes. */
  constructor(path: string, kind: DirectoryKind<Identity>, identity: Identity) {
    makeFolder(path);
    refuseStrangers(path, kind);
    this.path = path;
    this.kind = kind;
    this.identity = identity;
    this.lock = WriterLock.acquire(join(path, `${kind.name}.lock`));
    try {
      const whole = readRuns<Identity, Run>(join(path, kind.description));
      if (whole !== null) this.refuseOther(whole.identity);
      this.kept = new KeptLines<Run>(join(path, linesFile(kind)), identity, (there) => {
        this.refuseOther(there as Identity);
        return true;
      });
      this.there = [...(whole?.runs ?? []), ...this.kept.there];
      this.damaged = this.kept.damaged;
    } catch (error) {
      this.lock.release();
      throw error;
    }
  }

  append(run: Run): void {
    this.kept.append(run);
  }

  /** Writes the description with all runs, after the other files; what stood in lines is thrown away. */
  finish(
    head: Readonly<Record<string, unknown>>,
    runs: readonly Run[],
    files: ReadonlyMap<string, Iterable<string>>,
  ): void {
    for (const [name, lines] of files) writeWholeFile(join(this.path, name), lines);
    writeWholeFile(
      join(this.path, this.kind.description),
      describe({ ...head, identity: this.identity }, runs),
    );
    this.kept.remove();
  }

  close(): void {
    this.kept.close();
    this.lock.release();
  }

  private refuseOther(there: Identity): void {
    const parts = differing(there, this.identity, this.kind.parts);
    if (parts.length === 0) return;
    throw new InputError(
      `${this.path} holds another ${this.kind.name}: it differs in ${parts.join(', ')}`,
      'choose another directory with --out, or delete that one',
    );
  }
}

const linesFile = (kind: DirectoryKind<never>): string => `${kind.name}.unfinished`;

function refuseStrangers(path: string, kind: DirectoryKind<never>): void {
  const own = [kind.description, ...kind.others];
  const known = new Set([...own, ...own.map((name) => `${name}.part`), linesFile(kind), `${kind.name}.lock`]);
  const strange = readdirSync(path).find((name) => !known.has(name) && !name.startsWith(`${kind.name}.lock`));
  if (strange === undefined) return;
  throw new InputError(
    `${path} holds something that is not a ${kind.name}'s (${strange})`,
    'choose an empty or new directory with --out',
  );
}

/** JSON with one line for each run, in pieces: a large study is longer than a text may be. */
function* describe(head: Readonly<Record<string, unknown>>, runs: readonly object[]): Generator<string> {
  const members = Object.entries({ schemaVersion: 1, ...head }).map(
    ([key, value]) => `  "${key}": ${JSON.stringify(value)},\n`,
  );
  yield `{\n${members.join('')}${RUNS_BEGIN}`;
  for (const [i, run] of runs.entries()) yield `${i === 0 ? '' : ','}\n${JSON.stringify(run)}`;
  yield `\n${RUNS_END}\n}\n`;
}

function readRuns<Identity, Run>(file: string): { identity: Identity; runs: Run[] } | null {
  if (!existsSync(file)) return null;
  const damaged = () => new InputError(`${file} is damaged`, 'delete it; what it held is then played again');
  const head: string[] = [];
  const runs: Run[] = [];
  let isWhole = false;
  for (const line of linesOf(file)) {
    if (head.at(-1) !== RUNS_BEGIN) head.push(line);
    else if (line === RUNS_END) isWhole = true;
    else if (!isWhole) {
      const run = jsonOf(line.endsWith(',') ? line.slice(0, -1) : line);
      if (typeof run !== 'object' || run === null) throw damaged();
      runs.push(run as Run);
    }
  }
  const { identity } = (jsonOf(`${head.join('')}]}`) ?? {}) as { identity?: Identity };
  if (!isWhole || typeof identity !== 'object') throw damaged();
  return { identity, runs };
}

/** A cell of a CSV file; empty where there is nothing. */
export function csvCell(value: string | number | boolean | null | undefined): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csvLine = (cells: readonly (string | number | boolean | null | undefined)[]): string =>
  `${cells.map(csvCell).join(',')}\n`;
