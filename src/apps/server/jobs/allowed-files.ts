import { existsSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { InputError } from '#base';

/** Files of market data by their ends: nothing else is opened for somebody who asks over the network. */
const DATA = /\.(csv|tsv|txt|jsonl)(\.gz)?$|\.(parquet|pq)$/i;
const DESK = /\.m?[jt]s$/;
const INSTRUMENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;
const CLOSED = /^\.|^node_modules$/;
/** A series of the history store, such as `BTCUSDT.BINANCE-USDM@5m`. */
const SERIES = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}@[0-9]{1,4}[a-zA-Z]{1,3}$/;

/** Which files a request from outside may name: those below some folders, whatever way leads there. */
export class AllowedFiles {
  private readonly roots: readonly string[];
  private readonly base: string;

  /** `base`: the folder that relative paths begin at; it and `others` are allowed. */
  constructor(base: string, others: readonly string[]) {
    this.base = resolve(base);
    this.roots = [base, ...others].map((root) => resolve(base, root));
  }

  /** `[INSTRUMENT=]FILE` or a series of the store, as the command line takes it. Throws {@link InputError}. */
  bars(argument: string): string {
    if (SERIES.test(argument) && !existsSync(resolve(this.base, argument))) return argument;
    const equals = argument.indexOf('=');
    const instrument = equals < 0 ? null : argument.slice(0, equals);
    const file = argument.slice(equals + 1);
    if (instrument !== null && !INSTRUMENT.test(instrument))
      throw new InputError(
        `"${short(instrument)}" is no name of an instrument`,
        'write INSTRUMENT=FILE, such as BTCUSDT=bars.csv',
      );
    const path = this.file(file, DATA, 'a file of bars ends in .csv, .csv.gz, .jsonl, .parquet or .txt');
    return instrument === null ? path : `${instrument}=${path}`;
  }

  /** A desk by its built-in name or its file. Throws {@link InputError}. */
  desk(named: string): string {
    if (/^[a-z][a-z0-9-]{0,40}$/.test(named)) return named;
    return this.file(
      named,
      DESK,
      'name a built-in desk such as sample, or a desk file that ends in .ts or .js',
    );
  }

  /** The absolute path of a file that may be read. Throws {@link InputError}. */
  private file(named: string, ends: RegExp, mend: string): string {
    const refuse = (what: string, how: string) => new InputError(`"${short(named)}" ${what}`, how);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    if (named === '' || /[\u0000-\u001f]/.test(named)) throw refuse('is no path', mend);
    if (named.split(/[\\/]/).includes('..'))
      throw refuse('leads out of the folder', 'name a file below the folder that the server was started in');
    if (!ends.test(named)) throw refuse('is another kind of file', mend);
    const path = resolve(this.base, named);
    let real: string;
    try {
      real = realpathSync(path);
      if (!statSync(real).isFile()) throw refuse('is no file', mend);
    } catch (error) {
      if (error instanceof InputError) throw error;
      // nobody learns what there is elsewhere
      if (!this.holds(path, this.roots)) throw this.outside(named);
      throw refuse(
        'does not exist',
        'check the path; it begins at the folder that the server was started in',
      );
    }
    const roots = this.roots.flatMap((root) => realOf(root) ?? []);
    if (!this.holds(real, roots) || !ends.test(real)) throw this.outside(named);
    return path;
  }

  /** Below one of the folders, and on the way there nothing hidden such as `.git`, and no programs of others. */
  private holds(path: string, roots: readonly string[]): boolean {
    return roots.some((root) => {
      const rest = relative(root, path);
      return rest !== '' && !isAbsolute(rest) && !rest.split(sep).some((part) => CLOSED.test(part));
    });
  }

  private outside(named: string): InputError {
    return new InputError(
      `"${short(named)}" is not below the folders that the server may read`,
      'put it below the folder that the server was started in, or below its data directory',
    );
  }
}

const short = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

function realOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
