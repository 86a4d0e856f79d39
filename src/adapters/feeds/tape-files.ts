import { basename } from 'node:path';
import { InputError } from '#base';
import type { InstrumentId } from '#market';
import { timeFactor } from './bar-rows.ts';
import { instrumentOf, isBarsHeader, readBars } from './bars-file.ts';
import { type CsvHeader, clip, readHeader, scanRows } from './csv.ts';
import { readDepth } from './depth-file.ts';
import { type OpenedFile, openDataFile, parseFileArgument, symbolOfFile } from './open-file.ts';
import { ROW_COLUMNS, type RowKind, type RowSeries, rowSeries, type TapeSeries } from './series.ts';
import { Tape } from './tape.ts';

/** Names a column may have, in order of preference. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  rate: ['rate', 'funding_rate', 'fundingrate'],
  fundingMark: ['mark', 'mark_open', 'mark_price', 'markprice'],
  bid: ['bid', 'bid_price'],
  bidSize: ['bid_size', 'bid_qty', 'bidsize', 'bidqty'],
  ask: ['ask', 'ask_price'],
  askSize: ['ask_size', 'ask_qty', 'asksize', 'askqty'],
  price: ['price'],
  size: ['size', 'qty', 'quantity', 'amount'],
  taker: ['taker_side', 'side', 'taker', 'is_buyer_maker'],
  mark: ['mark', 'mark_price', 'markprice'],
  index: ['index', 'index_price', 'indexprice'],
};

function position(header: CsvHeader, name: string): number {
  for (const alias of NAMES[name]!) {
    const found = header.names.indexOf(alias);
    if (found >= 0) return found;
  }
  return -1;
}

/** Columns that may not be empty. */
const NEEDED: ReadonlySet<string> = new Set(['rate', 'bid', 'ask', 'price', 'size']);

const has = (header: CsvHeader, ...names: string[]): boolean =>
  names.every((name) => position(header, name) >= 0);

/** What a CSV header says its rows are; null when it fits none. Bars win over quotes, which may ride along in one file. */
export function kindOfHeader(header: CsvHeader): 'bars' | RowKind | null {
  if (isBarsHeader(header.names)) return 'bars';
  if (!header.names.includes('time')) return null;
  if (has(header, 'rate')) return 'funding';
  if (has(header, 'bid', 'ask')) return 'quotes';
  if (has(header, 'price', 'size', 'taker')) return 'prints';
  if (has(header, 'mark')) return 'marks';
  return null;
}

/**
 * Reads any recorded file, `[INSTRUMENT=]FILE`: bars, funding (`time,rate` or `symbol,time,funding_rate,mark_open`), quotes
 * (`time,bid,bid_qty,ask,ask_qty`), prints (`time,price,qty,taker_side`), marks (`time,mark[,index]`), depth as JSON lines.
 * The header decides. Throws InputError naming file, line and remedy.
 */
export async function readTapeFile(argument: string): Promise<TapeSeries[]> {
  const { instrument, path } = parseFileArgument(argument);
  const file = await openDataFile(path);
  if (file.format === 'parquet') return (await readBars(file, { instrument })).series;
  if (file.format === 'jsonl') return [readDepth(file, instrumentOf(path, instrument ?? symbolOfFile(path)))];
  const header = readHeader(path, file.bytes);
  const kind = kindOfHeader(header);
  if (kind === 'bars') return (await readBars(file, { instrument })).series;
  if (kind === null) {
    throw new InputError(
      `${path}: line 1 is no known header: "${clip(header.names.join(','))}"`,
      'bars have time,open,high,low,close,volume; funding time,rate; quotes time,bid,bid_qty,ask,ask_qty; prints time,price,qty,taker_side; marks time,mark',
    );
  }
  return readRows(file, header, kind, instrument);
}

/** One tape from several `[INSTRUMENT=]FILE` arguments, in any order. */
export async function openTape(files: readonly string[]): Promise<Tape> {
  if (files.length === 0) throw new InputError('no file was named', 'name at least one bars file');
  const series: TapeSeries[] = [];
  // one after the other: each is unpacked in memory
  for (const file of files) series.push(...(await readTapeFile(file)));
  return new Tape(series);
}

/** Rows of one instrument while they are read. */
class RowCollector {
  readonly name: string;
  readonly kind: RowKind;
  capacity = 1024;
  length = 0;
  dropped = 0;
  backward = 0;
  at = new Float64Array(1024);
  time = new Float64Array(1024);
  columns: Float64Array[];

  constructor(name: string, kind: RowKind) {
    this.name = name;
    this.kind = kind;
    this.columns = ROW_COLUMNS[kind].map(() => new Float64Array(1024));
  }

  add(time: number, values: readonly number[]): void {
    if (this.length === this.capacity) this.grow();
    const row = this.length++;
    const before = row > 0 ? this.at[row - 1]! : -Infinity;
    if (time < before) this.backward += 1;
    this.time[row] = time;
    this.at[row] = Math.max(time, before);
    for (let i = 0; i < values.length; i++) this.columns[i]![row] = values[i]!;
  }

  private grow(): void {
    this.capacity *= 2;
    const larger = (column: Float64Array) => {
      const next = new Float64Array(this.capacity);
      next.set(column);
      return next;
    };
    this.at = larger(this.at);
    this.time = larger(this.time);
    this.columns = this.columns.map(larger);
  }

  finish(instrument: InstrumentId, path: string): RowSeries {
    const cut = (column: Float64Array) => column.slice(0, this.length);
    return rowSeries({
      kind: this.kind,
      instrument,
      length: this.length,
      at: cut(this.at),
      time: cut(this.time),
      columns: this.columns.map(cut),
      dropped: this.dropped,
      backward: this.backward,
      files: [basename(path)],
    });
  }
}

/** A venue's clock may step back a little between messages; a file sorted by something else is not a tape. */
const MOST_BACKWARD = 0.01;

function readRows(file: OpenedFile, header: CsvHeader, kind: RowKind, only: string | null): RowSeries[] {
  const { path } = file;
  const columns = ROW_COLUMNS[kind];
  const lookup = columns.map((name) => (kind === 'funding' && name === 'mark' ? 'fundingMark' : name));
  const places = lookup.map((name) => position(header, name));
  const sideIndex = columns.indexOf('taker' as never);
  const sideAt = sideIndex < 0 ? -1 : places[sideIndex]!;
  const makerFlag = header.names[sideAt] === 'is_buyer_maker';
  const symbolAt = header.names.indexOf('symbol');
  const timeAt = header.names.indexOf('time');
  const recvAt = header.names.indexOf('recv');
  const numbers = [...new Set([timeAt, recvAt, ...places.filter((place) => place !== sideAt)])].filter(
    (at) => at >= 0,
  );
  const slots = places.map((place) => (place === sideAt ? -1 : numbers.indexOf(place)));
  const timeSlot = numbers.indexOf(timeAt);
  const recvSlot = numbers.indexOf(recvAt);
  // a time may be missing where the receive time stands in for it
  const needed = new Set(slots.filter((_, i) => NEEDED.has(columns[i]!)));
  if (recvSlot < 0) needed.add(timeSlot);
  const optional = numbers.map((_, slot) => slot).filter((slot) => !needed.has(slot));
  const plan = { numbers, texts: [symbolAt, sideAt].filter((at) => at >= 0), optional };

  const fallback = only ?? symbolOfFile(path);
  const groups = new Map<string, RowCollector>();
  let group: RowCollector | null = null;
  const fail = (line: number, what: string): never => {
    throw new InputError(`${path}:${line}: ${what}`, 'mend or remove that line');
  };
  const values = new Array<number>(columns.length).fill(Number.NaN);
  scanRows(
    file.bytes,
    header,
    plan,
    (row, text, line) => {
      const name = symbolAt >= 0 ? text[0]! : fallback;
      if (group?.name !== name) {
        group = groups.get(name) ?? new RowCollector(name, kind);
        groups.set(name, group);
      }
      let time = row[timeSlot]!;
      if (Number.isNaN(time) && recvSlot >= 0) time = row[recvSlot]!;
      if (Number.isNaN(time)) fail(line, 'the time is empty');
      for (let i = 0; i < columns.length; i++) values[i] = slots[i]! >= 0 ? row[slots[i]!]! : Number.NaN;
      if (sideIndex >= 0) {
        values[sideIndex] =
          sideOf(text.at(-1)!, makerFlag) ?? fail(line, `"${text.at(-1)}" is neither buy nor sell`);
      }
      if (usable(kind, values)) group.add(time, values);
      else group.dropped += 1;
    },
    fail,
  );
  return finishRows(path, groups, only, symbolAt >= 0);
}

function sideOf(text: string, makerFlag: boolean): number | null {
  const side = text.toLowerCase();
  // the buyer was the maker: the aggressor sold
  if (makerFlag) return side === 'true' ? -1 : side === 'false' ? 1 : null;
  if (side === 'buy' || side === 'b') return 1;
  return side === 'sell' || side === 's' ? -1 : null;
}

function usable(kind: RowKind, values: readonly number[]): boolean {
  const [a, b, c, d] = values as [number, number, number, number];
  switch (kind) {
    case 'funding':
      return Number.isFinite(a) && (Number.isNaN(b) || b > 0);
    case 'quotes':
      return a > 0 && c >= a && !(b < 0) && !(d < 0);
    case 'prints':
      return a > 0 && b > 0 && (c === 1 || c === -1);
    case 'marks':
      return a > 0 && (Number.isNaN(b) || b > 0);
  }
}

function finishRows(
  path: string,
  groups: ReadonlyMap<string, RowCollector>,
  only: string | null,
  hasSymbols: boolean,
): RowSeries[] {
  const wanted = only === null ? null : instrumentOf(path, only);
  const out: RowSeries[] = [];
  for (const [name, group] of groups) {
    const instrument = hasSymbols ? instrumentOf(path, name) : instrumentOf(path, only ?? name);
    if (wanted !== null && hasSymbols && instrument !== wanted && name !== only!.split('.')[0]) continue;
    if (group.length === 0) continue;
    timeFactor(path, group.time[group.length - 1]!, false);
    if (group.backward > 10 && group.backward > group.length * MOST_BACKWARD) {
      throw new InputError(
        `${path}: ${group.backward} rows of ${name} lie before the row above them`,
        'sort the rows by time',
      );
    }
    out.push(group.finish(wanted ?? instrument, path));
  }
  if (out.length === 0) {
    const has = [...groups.keys()].join(', ');
    throw new InputError(
      `${path} has no usable row${only === null ? '' : ` of ${only}`}`,
      has ? `it has ${clip(has)}` : 'it has no rows',
    );
  }
  return out.sort((a, b) => (a.instrument < b.instrument ? -1 : a.instrument > b.instrument ? 1 : 0));
}
