import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { HOUR, InputError } from '#base';
import { importFiles } from '../../src/adapters/storage/history/index.ts';

export const BARS_HEADER = 'time,open,high,low,close,volume';
export const FIRST_BAR = 1_688_169_600_000;
/** What the bars of a file called `X-...` become. */
export const SERIES_ID = 'X.LOCAL@1h';

export type BarRow = [time: number, open: number, high: number, low: number, close: number, volume: number];

export function barRow(i: number): BarRow {
  const price = 100 + (i % 7) / 8;
  return [FIRST_BAR + i * HOUR, price, price + 1, price - 1, price + 0.1, 1000 + i];
}

/** Hourly bars from the i-th to before another. */
export const barRows = (from: number, to: number): BarRow[] =>
  Array.from({ length: to - from }, (_, i) => barRow(from + i));

export const csvOf = (rows: readonly BarRow[]): string =>
  `${[BARS_HEADER, ...rows.map((row) => row.join())].join('\n')}\n`;

/** A folder with files and a history store in it. */
export class HistoryPlace {
  readonly dir = mkdtempSync(join(tmpdir(), 'history-'));
  readonly store = join(this.dir, 'store');

  file(name: string, data: string | Uint8Array): string {
    const path = join(this.dir, name);
    writeFileSync(path, data);
    return path;
  }

  import(files: string[], more: { replace?: boolean; venue?: string; instrument?: string } = {}) {
    return importFiles({ store: this.store, files, instrument: null, replace: false, ...more });
  }

  /** Every file of the store with its bytes, without the cache. */
  contents(): Map<string, string> {
    const out = new Map<string, string>();
    if (!existsSync(this.store)) return out;
    for (const entry of readdirSync(this.store, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && !path.endsWith('.columns')) out.set(path, readFileSync(path, 'base64'));
    }
    return out;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true });
  }
}

/** The InputError that work ends with; it says how to mend it. */
export async function refusalOf(work: Promise<unknown>): Promise<InputError> {
  const error = await work.then(
    () => new Error('nothing was refused'),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).mend.length).toBeGreaterThan(10);
  return error as InputError;
}
