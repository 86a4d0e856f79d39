import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, type Instant } from '#base';
import { isSystemError, replaceFile } from '../durable-file.ts';
import type { PageAt } from './parquet-pages.ts';
import { parseSeriesName } from './series-name.ts';

/** What one file brought into a series, and what was wrong with its rows. */
export interface ImportRecord {
  readonly file: string;
  /** SHA-256 of the series as that file had it: importing it again does not count its faults twice. */
  readonly hash: string;
  readonly rows: number;
  /** Rows refused or repaired, by reason. */
  readonly faults: Readonly<Record<string, number>>;
  readonly brokenLines: number;
}

/** One series of a store. */
export interface StoredSeries {
  readonly id: string;
  readonly rows: number;
  /** First and last time. */
  readonly first: Instant;
  readonly last: Instant;
  /** SHA-256 of the contents, and CRC-32 of their bytes. */
  readonly hash: string;
  readonly checksum: number;
  /** Parquet file below `series/`. */
  readonly file: string;
  /** Where its pages stand in that file; none when they are read through DuckDB. */
  readonly pages: readonly PageAt[];
  readonly imports: readonly ImportRecord[];
}

/** The list of a store's series: what stands in it is in the store, and nothing else. */
export interface Manifest {
  readonly series: readonly StoredSeries[];
}

export const MANIFEST = 'store.json';
const FORMAT = 'quorum-history';
const VERSION = 1;
/** Imports remembered one by one; older ones are added up. */
const IMPORTS_MOST = 64;

const count = z.number().int().nonnegative();
const time = z.number().int();
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const schema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  series: z.array(
    z.object({
      id: z.string().refine((text) => parseSeriesName(text) !== null, 'is no series'),
      rows: count.positive(),
      first: time,
      last: time,
      hash,
      checksum: count,
      // a name, never a path: the list cannot make the program read elsewhere
      file: z.string().regex(/^[A-Za-z0-9%._@-]+\.parquet$/),
      pages: z.array(z.tuple([count, count])),
      imports: z.array(
        z.object({
          file: z.string(),
          hash: z.string(),
          rows: count,
          faults: z.record(z.string(), count),
          brokenLines: count,
        }),
      ),
    }),
  ),
});

/** Reads the list of a store. Null when the folder is no store; InputError when the list is damaged. */
export function readManifest(dir: string): Manifest | null {
  const path = join(dir, MANIFEST);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(path, 'is not JSON');
  }
  if ((value as { version?: unknown } | null)?.version !== VERSION && isOurs(value)) {
    throw new InputError(
      `${path} was written by another version of the program`,
      'import the files again into a new store',
    );
  }
  const read = schema.safeParse(value);
  if (read.success) return { series: read.data.series };
  const issue = read.error.issues[0]!;
  throw damaged(path, `has a fault at ${issue.path.join('.') || 'its beginning'}: ${issue.message}`);
}

function isOurs(value: unknown): boolean {
  return (value as { format?: unknown } | null)?.format === FORMAT;
}

function damaged(path: string, what: string): InputError {
  return new InputError(`${path} ${what}`, 'restore it from a copy of the store, or import into another one');
}

/** Replaces the list: the moment in which an import happens, all of it. */
export function writeManifest(dir: string, manifest: Manifest): void {
  const series = [...manifest.series].sort((a, b) => (a.id < b.id ? -1 : 1));
  // a series a line: people can read it, and pages do not fill the screen
  const lines = series.map((one) => JSON.stringify(one)).join(',\n');
  const text = `{"format":"${FORMAT}","version":${VERSION},"series":[\n${lines}\n]}\n`;
  replaceFile(join(dir, MANIFEST), Buffer.from(text));
}

/** Adds imports to those known: one of the same file and contents takes the place of its earlier record. */
export function joinImports(
  known: readonly ImportRecord[],
  added: readonly ImportRecord[],
): readonly ImportRecord[] {
  const all = known.filter(
    (one) => !added.some((other) => other.file === one.file && other.hash === one.hash),
  );
  all.push(...added);
  if (all.length <= IMPORTS_MOST) return all;
  const old = all.splice(0, all.length - IMPORTS_MOST + 1);
  const faults: Record<string, number> = {};
  for (const one of old)
    for (const [reason, n] of Object.entries(one.faults)) faults[reason] = (faults[reason] ?? 0) + n;
  const sum = (of: (one: ImportRecord) => number) => old.reduce((total, one) => total + of(one), 0);
  const earlier: ImportRecord = {
    file: 'earlier imports',
    hash: '',
    rows: sum((one) => one.rows),
    faults,
    brokenLines: sum((one) => one.brokenLines),
  };
  return [earlier, ...all];
}
