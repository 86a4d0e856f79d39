import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, WriterLock } from '#adapters';
import { canonicalJson, InputError } from '#base';
import { type PlayedVariant, type SweepRow, sweepCells, sweepHeader } from '#research';
import { writeWholeFile } from '../../whole-file.ts';
import { KeptLines } from '../kept-lines.ts';
import { jsonOf, linesOf } from '../text-lines.ts';
import type { SweepIdentity, SweepPlan } from './sweep-plan.ts';

/** The table, its description, and while the sweep runs the rows in the order in which they came. */
const TABLE = 'sweep.csv';
const DESCRIPTION = 'sweep.json';
const ROWS = 'rows.jsonl';
const LOCK = 'sweep.lock';
/** What `quorum report` writes beside them. */
const REPORT = ['report.html', 'report.png'];

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
  private readonly kept: KeptLines<SweepRow> | null;

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
        // of a start that was killed when all was written
        rmSync(join(path, ROWS), { force: true });
        this.rows = whole.rows;
        this.damaged = 0;
        this.kept = null;
        return;
      }
      this.kept = new KeptLines(join(path, ROWS), plan.identity, (there) => {
        if (there === null) {
          throw new InputError(`${join(path, ROWS)} is damaged`, 'delete it; the sweep then begins anew');
        }
        refuseOther(path, there as SweepIdentity, plan.identity);
        return true;
      });
      this.rows = this.kept.there;
      this.damaged = this.kept.damaged;
    } catch (error) {
      this.lock.release();
      throw error;
    }
  }

  append({ row }: PlayedVariant): void {
    this.kept?.append(row);
  }

  /** Writes table and description; `rows` are all of them in the order of the variants. */
  finish(rows: readonly SweepRow[]): void {
    if (this.kept === null) return;
    const names = this.plan.grid.axes.map(({ name }) => name);
    writeWholeFile(join(this.path, TABLE), tableLines(names, rows));
    // the description says that all is there, so it comes last
    writeWholeFile(join(this.path, DESCRIPTION), describe(this.plan, rows));
    this.kept.remove();
  }

  close(): void {
    this.kept?.close();
    this.lock.release();
  }
}

function* tableLines(names: readonly string[], rows: readonly SweepRow[]): Generator<string> {
  yield `${sweepHeader(names).map(csv).join(',')}\n`;
  for (const row of rows) yield `${sweepCells(row, names).map(csv).join(',')}\n`;
}

const csv = (cell: string) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Lines of the description between which the rows stand. */
const ROWS_BEGIN = '  "rows": [';
const ROWS_END = '  ]';

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
  yield `{\n${members.join('')}${ROWS_BEGIN}`;
  for (const [i, row] of rows.entries()) yield `${i === 0 ? '' : ','}\n    ${JSON.stringify(row)}`;
  yield `\n${ROWS_END}\n}\n`;
}

function refuseStrangers(path: string): void {
  const known = new RegExp(`^(${[TABLE, DESCRIPTION, ...REPORT].join('|')})(\\.part)?$|^${ROWS}$|^${LOCK}`);
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
  engine: '--engine',
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

/** Rows of a finished sweep, one a line, as {@link describe} writes them; null when there is none. */
function readDescription(path: string): { identity: SweepIdentity; rows: readonly SweepRow[] } | null {
  const file = join(path, DESCRIPTION);
  if (!existsSync(file)) return null;
  const damaged = () => new InputError(`${file} is damaged`, 'delete it; the sweep is then run again');
  const head: string[] = [];
  const rows: SweepRow[] = [];
  let isWhole = false;
  for (const line of linesOf(file)) {
    if (head.at(-1) !== ROWS_BEGIN) head.push(line);
    else if (line === ROWS_END) isWhole = true;
    else if (!isWhole) {
      const row = jsonOf(line.endsWith(',') ? line.slice(0, -1) : line);
      if (typeof row !== 'object' || row === null) throw damaged();
      rows.push(row as SweepRow);
    }
  }
  const { identity } = (jsonOf(`${head.join('')}]}`) ?? {}) as { identity?: SweepIdentity };
  if (!isWhole || typeof identity !== 'object') throw damaged();
  return { identity, rows };
}
