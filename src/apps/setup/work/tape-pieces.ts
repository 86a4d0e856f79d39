import { z } from 'zod';
import {
  type BookChange,
  barSeries,
  depthSeries,
  type ObservationSeries,
  type Piece,
  ROW_COLUMNS,
  type RowKind,
  rowSeries,
  type Shipment,
  Tape,
  type TapeSeries,
} from '#adapters';
import { assert, InputError } from '#base';
import { columnsOver, noBarCounts, parseInstrumentId } from '#market';
import type { RecordedData } from '../run-backtest.ts';

const DOUBLE = 8;
const length = z.int().min(1).max(1_000_000_000);
const instrument = z.string().min(1).max(200);

/** What there is of recorded data besides its columns. */
export const tapeSchema = z.strictObject({
  series: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('bars'), instrument, intervalMs: z.int().min(1), length }),
        z.strictObject({ kind: z.enum(['funding', 'quotes', 'prints', 'marks']), instrument, length }),
        z.strictObject({ kind: z.literal('depth'), instrument, length }),
      ]),
    )
    .min(1)
    .max(100_000),
  /** Rows of bars files that were refused or repaired, by reason. */
  faults: z.array(z.tuple([z.string(), z.int()])),
});
export type TapeManifest = z.output<typeof tapeSchema>;

/** Bytes of pieces in one run of memory that threads share; null when some of them are not to be had. */
export type FetchPieces = (pieces: readonly Piece[]) => Promise<SharedArrayBuffer | null>;

type Pieces = Record<string, Piece[]>;

const columnsKey = (i: number) => `series-${i}`;
const changesKey = (i: number) => `changes-${i}`;

/** Describes recorded data and names its pieces: the columns of a series one after the other. */
export function shipTape({ tape, faults }: RecordedData, shipment: Shipment, pieces: Pieces): TapeManifest {
  const series = tape.series.map((one, i): TapeManifest['series'][number] => {
    if (one.kind === 'observations')
      throw new InputError(`${one.subject} is not sent to other machines`, 'play it on this one');
    const columns = columnsOf(one);
    const rows = one.kind === 'bars' ? one.columns.length : one.length;
    // no copy: a shipment holds views of what the tape holds
    pieces[columnsKey(i)] = columns.flatMap(({ buffer, byteOffset }) =>
      shipment.add(new Uint8Array(buffer, byteOffset, rows * DOUBLE)),
    );
    if (one.kind === 'depth') {
      pieces[changesKey(i)] = shipment.add(Buffer.from(JSON.stringify(one.changes)));
    }
    const { instrument } = one;
    return one.kind === 'bars'
      ? { kind: one.kind, instrument, intervalMs: one.intervalMs, length: rows }
      : { kind: one.kind, instrument, length: rows };
  });
  return { series, faults: [...faults] };
}

type Shipped = Exclude<TapeSeries, ObservationSeries>;

function columnsOf(series: Shipped): readonly Float64Array[] {
  if (series.kind === 'bars') {
    const { time, open, high, low, close, volume } = series.columns;
    return [time, open, high, low, close, volume];
  }
  return series.kind === 'depth' ? [series.at, series.time] : [series.at, series.time, ...series.columns];
}

/**
 * The data again, in memory that threads share. Null when pieces are missing. Throws InputError when what came is not the
 * tape of that hash.
 */
export async function fetchTape(
  manifest: TapeManifest,
  tapeHash: string,
  pieces: Readonly<Pieces>,
  fetch: FetchPieces,
): Promise<RecordedData | null> {
  const series: TapeSeries[] = [];
  for (const [i, one] of manifest.series.entries()) {
    const own = pieces[columnsKey(i)] ?? [];
    const count = countOf(one.kind);
    // before memory is taken for it
    if (own.reduce((sum, { bytes }) => sum + bytes, 0) !== one.length * count * DOUBLE) throw notIt();
    const block = await fetch(own);
    if (block === null) return null;
    const columns = Array.from(
      { length: count },
      (_, k) => new Float64Array(block, k * one.length * DOUBLE, one.length),
    );
    const id = parseInstrumentId(one.instrument).id;
    if (one.kind === 'bars') {
      const [time, open, high, low, close, volume] = columns as [Float64Array, ...Float64Array[]] & {
        length: 6;
      };
      const rows = { length: one.length, time, open, high, low, close, volume } as Parameters<
        typeof columnsOver
      >[0];
      series.push(barSeries(id, one.intervalMs, columnsOver(rows), noBarCounts()));
      continue;
    }
    const [at, time, ...others] = columns;
    assert(at !== undefined && time !== undefined, 'a series of rows has its times');
    if (one.kind !== 'depth') {
      series.push(
        rowSeries({ kind: one.kind, instrument: id, length: one.length, at, time, columns: others }),
      );
      continue;
    }
    const text = await fetch(pieces[changesKey(i)] ?? []);
    if (text === null) return null;
    const changes = changesIn(text, one.length);
    series.push(depthSeries({ instrument: id, at, time, changes, breaks: 0, files: [] }));
  }
  const tape = new Tape(series);
  if (tape.hash !== tapeHash) throw notIt();
  return { tape, faults: new Map(manifest.faults) };
}

const notIt = () =>
  new InputError('the data that came through Redis are not those of the work', 'start it again');

function countOf(kind: Shipped['kind']): number {
  if (kind === 'bars') return 6;
  return kind === 'depth' ? 2 : 2 + ROW_COLUMNS[kind satisfies RowKind].length;
}

const level = z.tuple([z.number(), z.number()]);
const changesSchema = z.array(
  z.strictObject({ snapshot: z.boolean(), bids: z.array(level), asks: z.array(level) }),
);

function changesIn(block: SharedArrayBuffer, rows: number): BookChange[] {
  let data: unknown;
  try {
    data = JSON.parse(Buffer.from(new Uint8Array(block)).toString('utf8'));
  } catch {
    throw notIt();
  }
  const read = changesSchema.safeParse(data);
  if (!read.success || read.data.length !== rows) throw notIt();
  return read.data;
}
