import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { JsonlLog, makeFolder, WriterLock } from '#adapters';
import { canonicalJson, InputError, sha256 } from '#base';
import { type SweepRow, sweepCells, sweepHeader } from '#research';
import { writeWholeFile } from '../../whole-file.ts';
import type { SweepIdentity, SweepPlan } from './sweep-plan.ts';

/** The table, its description, and while the sweep runs the rows in the order in which they came. */
const TABLE = 'sweep.csv';
const DESCRIPTION = 'sweep.json';
const ROWS = 'rows.jsonl';
const LOCK = 'sweep.lock';

/**
 * Where a sweep is kept. Each row is appended as it comes; when all are there, table and description are written in the
 * order of the variants and the rows file goes away, so that the bytes are the same however the sweep was run. Opening the
 * directory of the same sweep again gives the rows it has.
 */
export class SweepDirectory {
  readonly path: string;
  /** Rows of earlier starts. */
  readonly rows: readonly SweepRow[];
  /** Lines of an earlier start that were damaged; their variants run again. */
  readonly damaged: number;
  private readonly plan: SweepPlan;
  private readonly lock: WriterLock;
  private log: JsonlLog | null;

  /** Throws InputError for a directory that holds another sweep or anything else, or that another process writes. */
  constructor(path: string, plan: SweepPlan) {
    makeFolder(path);
    refuseStrangers(path);
    this.path = path;
    this.plan = plan;
    this.lock = WriterLock.acquire(join(path, LOCK));
    try {
      const whole = readDescription(path);
      if (whole !== null) {
        refuseOther(path, whole.identity, plan.identity);
        this.rows = whole.rows;
        this.damaged = 0;
        this.log = null;
        return;
      }
      const part = readRows(join(path, ROWS));
      if (part !== null) refuseOther(path, part.identity, plan.identity);
      this.rows = part?.rows ?? [];
      this.damaged = part?.damaged ?? 0;
      this.log = new JsonlLog(join(path, ROWS), { maxBytes: Infinity });
      if (part === null) this.log.write(withCheck(plan.identity));
    } catch (error) {
      this.lock.release();
      throw error;
    }
  }

  append(row: SweepRow): void {
    this.log?.write(withCheck(row));
  }

  /** Writes table and description; `rows` are all of them in the order of the variants. */
  finish(rows: readonly SweepRow[]): void {
    const names = this.plan.grid.axes.map(({ name }) => name);
    writeWholeFile(join(this.path, TABLE), tableLines(names, rows));
    // the description says that all is there, so it comes last
    writeWholeFile(join(this.path, DESCRIPTION), describe(this.plan, rows));
    this.log?.close();
    this.log = null;
    rmSync(join(this.path, ROWS), { force: true });
  }

  close(): void {
    this.log?.close();
    this.log = null;
    this.lock.release();
  }
}

function* tableLines(names: readonly string[], rows: readonly SweepRow[]): Generator<string> {
  yield `${sweepHeader(names).map(csv).join(',')}\n`;
  for (const row of rows) yield `${sweepCells(row, names).map(csv).join(',')}\n`;
}

const csv = (cell: string) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** JSON with one line for each row, in pieces: a large sweep is longer than a text may be. */
function* describe(plan: SweepPlan, rows: readonly SweepRow[]): Generator<string> {
  const { identity, instruments, currency, grid, variants } = plan;
  const head = {
    schemaVersion: 1,
    identity,
    instruments,
    currency,
    combinations: grid.size,
    variants: variants.length,
  };
  const members = Object.entries(head).map(([key, value]) => `  "${key}": ${JSON.stringify(value)},\n`);
  yield `{\n${members.join('')}  "rows": [`;
  for (const [i, row] of rows.entries()) yield `${i === 0 ? '' : ','}\n    ${JSON.stringify(row)}`;
  yield '\n  ]\n}\n';
}

function refuseStrangers(path: string): void {
  const known = new RegExp(`^(${[TABLE, DESCRIPTION].join('|')})(\\.part)?$|^${ROWS}$|^${LOCK}`);
  const strange = readdirSync(path).find((name) => !known.test(name));
  if (strange === undefined) return;
  throw new InputError(
    `${path} holds something that is not a sweep's (${strange})`,
    'choose an empty or new directory with --out',
  );
}

/** What a person calls the parts of an identity. */
const PARTS: Readonly<Record<keyof SweepIdentity, string>> = {
  format: 'the version of the program',
  desk: 'the desk',
  deskSource: "the desk's file",
  set: '--set',
  axes: '--param',
  where: '--where',
  tapeHash: 'the data',
  answersHash: '--answers',
  cash: '--cash',
  feeBps: '--fee-bps',
  slippageBps: '--slippage-bps',
  seed: '--seed',
  codeHash: 'the version of the program',
};

function refuseOther(path: string, there: SweepIdentity, here: SweepIdentity): void {
  const differs = (Object.keys(PARTS) as (keyof SweepIdentity)[]).filter(
    (key) => canonicalJson(there[key]) !== canonicalJson(here[key]),
  );
  if (differs.length === 0) return;
  const parts = [...new Set(differs.map((key) => PARTS[key]))].join(', ');
  throw new InputError(
    `${path} holds another sweep: it differs in ${parts}`,
    'choose another directory with --out, or delete that one',
  );
}

interface Kept {
  readonly identity: SweepIdentity;
  readonly rows: readonly SweepRow[];
}

/** A sweep that was finished; null when there is none. */
function readDescription(path: string): Kept | null {
  const file = join(path, DESCRIPTION);
  const text = textOf(file);
  if (text === null) return null;
  const data = parse(text) as Partial<Kept> | null;
  if (typeof data?.identity === 'object' && Array.isArray(data.rows)) return data as Kept;
  throw new InputError(`${file} is damaged`, 'delete it; the sweep is then run again');
}

/** The rows of a sweep that was not finished; null when there is none. */
function readRows(file: string): (Kept & { readonly damaged: number }) | null {
  const lines = (textOf(file) ?? '').split('\n').slice(0, -1);
  if (lines.length === 0) return null;
  const [identity, ...rows] = lines.map(checked);
  if (identity === null) throw new InputError(`${file} is damaged`, 'delete it; the sweep then begins anew');
  const whole = rows.filter((row) => row !== null) as SweepRow[];
  return { identity: identity as SweepIdentity, rows: whole, damaged: rows.length - whole.length };
}

/** After a crash of the machine a line may hold anything: each one carries a check of its own. */
function withCheck(value: SweepIdentity | SweepRow): { check: string; value: SweepIdentity | SweepRow } {
  return { check: checkOf(value), value };
}

function checked(line: string): unknown {
  const data = parse(line) as { check?: unknown; value?: unknown } | null;
  if (typeof data?.value !== 'object' || data.value === null) return null;
  return checkOf(data.value) === data.check ? data.value : null;
}

const checkOf = (value: unknown): string => sha256(canonicalJson(value)).slice(0, 16);

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
