import { DAY, formatInstant, InputError } from '#base';
import { type ColumnBlock, columnBlock } from './column-block.ts';
import { columnsOf, formatSeriesName, type SeriesName } from './series-name.ts';

/** Rows of one series and where they come from. */
export interface SeriesRows {
  readonly block: ColumnBlock;
  /** Named in messages: a file, or the store. */
  readonly from: string;
}

export interface Merged {
  readonly block: ColumnBlock;
  /** Rows that only the added part had, that both had alike, and that were replaced. */
  readonly added: number;
  readonly same: number;
  readonly replaced: number;
}

/** Columns that say which row it is: the time of a bar, and of a dated entry also when it became known. */
const keysOf = (name: SeriesName) => (name.kind === 'bars' ? 1 : 2);

/**
 * Merges rows of one series. Rows of one time in both are taken once when they are equal; where they differ, InputError
 * says where first and how often, unless `replace` lets the added ones win. An unknown value (NaN) is no difference.
 * Both parts must be in order.
 */
export function mergeSeries(name: SeriesName, old: SeriesRows, added: SeriesRows, replace: boolean): Merged {
  const x = old.block;
  const y = added.block;
  const keys = keysOf(name);
  const width = x.columns.length;
  // which part each row of the result comes from: old, added, or both with old first
  const order = new Int8Array(x.rows + y.rows);
  let rows = 0;
  let same = 0;
  let differing = 0;
  let firstOld = -1;
  let firstAdded = -1;
  for (let i = 0, j = 0; i < x.rows || j < y.rows; rows++) {
    const side = i === x.rows ? 1 : j === y.rows ? -1 : compareKeys(x, i, y, j, keys);
    if (side === 0) {
      if (differs(x, i, y, j, keys)) {
        if (differing === 0) [firstOld, firstAdded] = [i, j];
        differing += 1;
      } else same += 1;
    }
    order[rows] = side;
    if (side <= 0) i += 1;
    if (side >= 0) j += 1;
  }
  if (differing > 0 && !replace)
    throw conflict(name, old, added, firstOld, firstAdded, differing, same + differing);
  const block = columnBlock(rows, width);
  for (let c = 0; c < width; c++) {
    const [a, b, out] = [x.columns[c]!, y.columns[c]!, block.columns[c]!];
    for (let row = 0, i = 0, j = 0; row < rows; row++) {
      const side = order[row]!;
      out[row] = side < 0 ? a[i]! : Number.isNaN(b[j]!) && side === 0 ? a[i]! : b[j]!;
      if (side <= 0) i += 1;
      if (side >= 0) j += 1;
    }
  }
  return { block, added: rows - x.rows, same, replaced: differing };
}

function compareKeys(x: ColumnBlock, i: number, y: ColumnBlock, j: number, keys: number): -1 | 0 | 1 {
  for (let k = 0; k < keys; k++) {
    const a = x.columns[k]![i]!;
    const b = y.columns[k]![j]!;
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
}

function differs(x: ColumnBlock, i: number, y: ColumnBlock, j: number, keys: number): boolean {
  for (let c = keys; c < x.columns.length; c++) {
    if (unequal(x.columns[c]![i]!, y.columns[c]![j]!)) return true;
  }
  return false;
}

const unequal = (a: number, b: number) => a !== b && !Number.isNaN(a) && !Number.isNaN(b);

function conflict(
  name: SeriesName,
  old: SeriesRows,
  added: SeriesRows,
  i: number,
  j: number,
  differing: number,
  common: number,
): InputError {
  const columns = columnsOf(name.kind);
  const c = columns.findIndex(
    (_, k) => k >= keysOf(name) && unequal(old.block.columns[k]![i]!, added.block.columns[k]![j]!),
  );
  const values = `${columns[c]} ${old.block.columns[c]![i]} in ${old.from}, ${added.block.columns[c]![j]} in ${added.from}`;
  const where = formatInstant(old.block.columns[0]![i]!);
  return new InputError(
    `${formatSeriesName(name)}: ${differing} of ${common} common rows differ, first at ${where}: ${values}`,
    'find out which is right; --replace lets the rows of the new file win',
  );
}

/**
 * Throws InputError where two rows of merged bars lie closer than their interval: one part is stamped on another grid,
 * as times of another zone are.
 */
export function checkSpacing(name: SeriesName, block: ColumnBlock, files: string): void {
  if (name.kind !== 'bars') return;
  const time = block.columns[0]!;
  // bars of a day and more may shift with daylight saving
  const least = name.intervalMs >= DAY ? name.intervalMs / 2 : name.intervalMs;
  for (let i = 1; i < block.rows; i++) {
    if (time[i]! - time[i - 1]! >= least) continue;
    throw new InputError(
      `${formatSeriesName(name)}: the bar of ${formatInstant(time[i]!)} begins before that of ${formatInstant(time[i - 1]!)} has ended (${files})`,
      'one of the files is stamped in another time zone or holds another interval; leave it out or correct it',
    );
  }
}
