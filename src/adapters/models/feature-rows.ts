import { createReadStream, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { InputError } from '#base';
import { ascii, clip, parseDouble } from '../feeds/csv.ts';

export interface FeatureRowsOptions {
  /** Names of the columns, in the order rows are given in; null where a model has none. */
  readonly names: readonly string[] | null;
  /** How many a row has. */
  readonly count: number;
  /** Called for each row; the array is used again. A missing value is NaN. */
  readonly row: (row: Float64Array, line: number) => void;
  /** Bytes read and bytes of the file. */
  readonly progress?: (done: number, total: number) => void;
  /** Ends the reading early when it says no. */
  readonly keepsOn?: () => boolean;
  /** Bytes that are read at once; 1 MiB when left out. */
  readonly chunkBytes?: number;
}

export interface FeatureRowsRead {
  readonly rows: number;
  /** How columns were told apart: by the names of a header, or by their order. */
  readonly by: 'names' | 'order';
  /** Columns of the file that were not asked for. */
  readonly ignored: readonly string[];
  /** False where it was ended early. */
  readonly isWhole: boolean;
}

const CHUNK = 1024 * 1024;
const LINE_MOST = 16 * 1024 * 1024;

/**
 * Rows of numbers from a CSV file (gzip when it ends in .gz), however long, in bounded memory. A header is a first line in which
 * something is no number; its columns are matched by name where it has all of the names, by order where it has none of them. An
 * empty cell, `nan` or `NA` is missing. Throws {@link InputError} with line and column for whatever else is no number.
 */
export async function readFeatureRows(path: string, options: FeatureRowsOptions): Promise<FeatureRowsRead> {
  const total = statSync(path).size;
  const { chunkBytes = CHUNK } = options;
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const stream = path.endsWith('.gz') ? file.pipe(createGunzip({ chunkSize: chunkBytes })) : file;
  if (stream !== file) file.on('error', (error) => stream.destroy(error));
  const reader = new RowReader(path, options);
  let rest: Uint8Array = new Uint8Array();
  let isWhole = true;
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      rest = bytes.subarray(reader.lines(bytes));
      if (rest.length > LINE_MOST)
        throw new InputError(`${path}: a line is longer than ${LINE_MOST} bytes`, 'is this a text file?');
      options.progress?.(file.bytesRead, total);
      if (options.keepsOn?.() === false) {
        isWhole = false;
        break;
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_'))
      throw new InputError(`${path} is no whole gzip file`, 'take it again from where it was made');
    throw error;
  }
  if (isWhole) reader.last(rest);
  return { ...reader.end(), isWhole };
}

const NEWLINE = 10;
const COMMA = 44;
const QUOTE = 34;

class RowReader {
  private readonly path: string;
  private readonly options: FeatureRowsOptions;
  private readonly values: Float64Array;
  /** Per column of the file its place in a row, -1 for one that is not asked for; null before the first line. */
  private places: Int32Array | null = null;
  private header: readonly string[] | null = null;
  private by: 'names' | 'order' = 'order';
  private ignored: readonly string[] = [];
  private line = 0;
  private rows = 0;

  constructor(path: string, options: FeatureRowsOptions) {
    this.path = path;
    this.options = options;
    this.values = new Float64Array(options.count);
  }

  /** Takes all whole lines; returns where the rest begins. */
  lines(bytes: Uint8Array): number {
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, from);
      if (end < 0) return from;
      this.take(bytes, from, end);
      from = end + 1;
    }
  }

  /** The last line, which may have no end. */
  last(bytes: Uint8Array): void {
    if (bytes.length > 0) this.take(bytes, 0, bytes.length);
  }

  end(): Omit<FeatureRowsRead, 'isWhole'> {
    const { rows, by, ignored } = this;
    return { rows, by, ignored };
  }

  private take(bytes: Uint8Array, from: number, end: number): void {
    this.line += 1;
    let to = end;
    if (to > from && bytes[to - 1] === 13) to -= 1;
    if (this.line === 1 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) from += 3;
    // a row of one column may be empty, and its value missing; of more it has commas at least
    if (to === from && (this.places === null || this.options.count > 1)) return;
    if (this.places === null) {
      this.begin(cellsOf(ascii(bytes, from, to)));
      if (this.header !== null) return;
    }
    this.row(bytes, from, to);
  }

  /** Looks at the first line: a header, or a row already. */
  private begin(cells: readonly string[]): void {
    const { names, count } = this.options;
    const hasWord = cells.some((cell) => Number.isNaN(numberOf(cell)) && !isMissing(cell));
    // numbers are a header only where they are the very names
    const isHeader = hasWord || (names?.every((name) => cells.includes(name)) ?? false);
    if (isHeader) this.header = cells;
    const found = isHeader ? (names ?? []).filter((name) => cells.includes(name)) : [];
    if (names !== null && isHeader && found.length === names.length) {
      const twice = names.find((name) => cells.indexOf(name) !== cells.lastIndexOf(name));
      if (twice !== undefined)
        throw new InputError(`${this.path}: two columns are called ${twice}`, 'leave one of them out');
      this.by = 'names';
      this.places = Int32Array.from(cells, (cell) => names.indexOf(cell));
      this.ignored = cells.filter((cell) => !names.includes(cell));
      return;
    }
    if (found.length > 0) {
      const missing = names!.filter((name) => !found.includes(name));
      throw new InputError(
        `${this.path} has no column ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ' ...' : ''}`,
        `the model reads ${names!.join(', ')}; a value that is not known is an empty cell`,
      );
    }
    if (cells.length !== count)
      throw new InputError(
        `${this.path} has ${cells.length} columns, and the model reads ${count}`,
        names === null
          ? 'give its columns in the order of the training'
          : `give a header with ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', ...' : ''}, or exactly these columns in order`,
      );
    this.places = Int32Array.from(cells, (_, i) => i);
  }

  private row(bytes: Uint8Array, from: number, to: number): void {
    const { values } = this;
    const places = this.places!;
    let column = 0;
    let start = from;
    for (let i = from; i <= to; i++) {
      if (i < to && bytes[i] === QUOTE) return this.quotedRow(cellsOf(ascii(bytes, from, to)));
      if (i < to && bytes[i] !== COMMA) continue;
      const place = column < places.length ? places[column]! : -1;
      if (place >= 0) {
        if (start === i) values[place] = Number.NaN;
        else {
          const value = parseDouble(bytes, start, i);
          values[place] = Number.isFinite(value) ? value : this.read(ascii(bytes, start, i), column);
        }
      }
      column += 1;
      start = i + 1;
    }
    this.give(column);
  }

  private quotedRow(cells: readonly string[]): void {
    const places = this.places!;
    cells.forEach((cell, column) => {
      const place = column < places.length ? places[column]! : -1;
      if (place >= 0) this.values[place] = this.read(cell, column);
    });
    this.give(cells.length);
  }

  private give(columns: number): void {
    if (columns !== this.places!.length)
      throw new InputError(
        `${this.path}:${this.line} has ${columns} cells instead of ${this.places!.length}`,
        'give every line as many cells as the first',
      );
    this.rows += 1;
    this.options.row(this.values, this.line);
  }

  /** A cell that is no plain decimal. */
  private read(text: string, column: number): number {
    if (isMissing(text)) return Number.NaN;
    const value = numberOf(text);
    if (!Number.isNaN(value)) return value;
    const name = this.header?.[column] ?? `column ${column + 1}`;
    throw new InputError(
      `${this.path}:${this.line}: "${clip(text.trim())}" is not a number (${name})`,
      'write numbers with a point, and leave a cell empty where a value is missing',
    );
  }
}

const isMissing = (text: string): boolean => /^\s*(|nan|na|null|none)\s*$/i.test(text);

/** NaN for what is no number. */
function numberOf(text: string): number {
  const word = text.trim();
  const infinite = /^([+-]?)inf(inity)?$/i.exec(word);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : Number.NaN;
}

/** The cells of a line, in quotes or without (RFC 4180, without line ends inside). */
function cellsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',').map((cell) => cell.trim());
  const cells: string[] = [];
  for (const [, quoted, bare] of line.matchAll(/(?:^|,)(?:\s*"((?:[^"]|"")*)"\s*|([^,]*))/g))
    cells.push(quoted === undefined ? (bare ?? '').trim() : quoted.replaceAll('""', '"'));
  return cells;
}
