import type { ResponseOf } from '@contract';

export type BarsAnswer = ResponseOf<'bars'>;

/** One bar; `time` is its open, epoch ms. */
export interface Bar {
  readonly time: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

const FIELDS = ['time', 'open', 'high', 'low', 'close', 'volume'] as const;
type Field = (typeof FIELDS)[number];

/** A column that grows at both ends; NaN is "no value". */
class Column {
  values: Float64Array;

  constructor(values: Float64Array) {
    this.values = values;
  }
}

/**
 * All bars of one chart in columns, oldest first, and its indicators. A chart of 100,000 bars draws a few thousand of
 * them at a time (see span.ts), so they are kept here once and never as objects.
 */
export class BarStore {
  private columns = new Map<Field, Column>(FIELDS.map((name) => [name, new Column(new Float64Array(0))]));
  private lines = new Map<string, Float64Array>();
  private count = 0;
  /** The server has more bars before the first. */
  more = false;
  regimes: readonly { readonly from: number; readonly regime: string }[] = [];
  /** Indicators that stand at the level of the price. */
  overlays: readonly string[] = [];

  get length(): number {
    return this.count;
  }

  get lineNames(): readonly string[] {
    return [...this.lines.keys()];
  }

  at(index: number): Bar | null {
    if (index < 0 || index >= this.count) return null;
    const take = (name: Field) => this.columns.get(name)!.values[index]!;
    return {
      time: take('time'),
      open: take('open'),
      high: take('high'),
      low: take('low'),
      close: take('close'),
      volume: take('volume'),
    };
  }

  timeAt(index: number): number {
    return this.columns.get('time')!.values[index] ?? Number.NaN;
  }

  volumeAt(index: number): number {
    return this.columns.get('volume')!.values[index] ?? 0;
  }

  /** It closed at its open or above. */
  rose(index: number): boolean {
    return this.columns.get('close')!.values[index]! >= this.columns.get('open')!.values[index]!;
  }

  /** An indicator's value; NaN where it has none. */
  lineAt(name: string, index: number): number {
    return this.lines.get(name)?.[index] ?? Number.NaN;
  }

  /** Index of the last bar that opened at `time` or before; -1 when all are later. */
  indexAt(time: number): number {
    const times = this.columns.get('time')!.values;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (times[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /**
   * Puts a page of bars in: those it has are overwritten, so pages may overlap, and holes are filled. Answers how many came in
   * before the first.
   */
  merge(answer: BarsAnswer): number {
    const { bars } = answer;
    this.overlays = answer.overlays;
    if (this.count === 0 || answer.regimes.length > 0) this.mergeRegimes(answer.regimes);
    if (bars.time.length === 0) return 0;
    const first = this.count === 0 ? Number.POSITIVE_INFINITY : this.timeAt(0);
    const came = bars.time.filter((time) => time < first).length;
    if (bars.time.some((time) => !this.has(time))) this.makePlaces(bars.time);
    for (let i = 0; i < bars.time.length; i += 1) {
      const index = this.indexAt(bars.time[i]!);
      for (const name of FIELDS) this.columns.get(name)!.values[index] = bars[name][i]!;
    }
    for (const [name, column] of Object.entries(answer.indicators)) {
      const values = this.lines.get(name) ?? new Float64Array(this.room()).fill(Number.NaN);
      this.lines.set(name, values);
      for (let i = 0; i < column.length; i += 1) {
        const value = column[i];
        if (value !== null && value !== undefined) values[this.indexAt(bars.time[i]!)] = value;
      }
    }
    return came;
  }

  private has(time: number): boolean {
    const index = this.indexAt(time);
    return index >= 0 && this.timeAt(index) === time;
  }

  private room(): number {
    return this.columns.get('time')!.values.length;
  }

  /** Makes a place for every time that has none; both run upwards. */
  private makePlaces(times: readonly number[]): void {
    const own = this.columns.get('time')!.values;
    const target = new Int32Array(this.count);
    const all: number[] = [];
    let i = 0;
    let j = 0;
    while (i < this.count || j < times.length) {
      const mine = i < this.count ? own[i]! : Number.POSITIVE_INFINITY;
      const theirs = j < times.length ? times[j]! : Number.POSITIVE_INFINITY;
      if (mine <= theirs) target[i++] = all.length;
      if (theirs <= mine) j += 1;
      all.push(Math.min(mine, theirs));
    }
    const moved = (values: Float64Array): Float64Array => {
      const grown = new Float64Array(all.length).fill(Number.NaN);
      // Bars that were side by side still are, but for a few holes: whole stretches are moved at once.
      for (let from = 0; from < this.count; ) {
        let to = from + 1;
        while (to < this.count && target[to]! - target[from]! === to - from) to += 1;
        grown.set(values.subarray(from, to), target[from]!);
        from = to;
      }
      return grown;
    };
    for (const column of this.columns.values()) column.values = moved(column.values);
    for (const [name, values] of this.lines) this.lines.set(name, moved(values));
    this.columns.get('time')!.values.set(all);
    this.count = all.length;
  }

  private mergeRegimes(found: BarsAnswer['regimes']): void {
    const byTime = new Map(this.regimes.map((mark) => [mark.from, mark.regime]));
    for (const mark of found) byTime.set(mark.from, mark.regime);
    this.regimes = [...byTime].map(([from, regime]) => ({ from, regime })).sort((a, b) => a.from - b.from);
  }

  /** Takes in the newest bar. Answers what became of it. */
  put(bar: Bar): 'added' | 'changed' | 'ignored' {
    const last = this.count === 0 ? Number.NEGATIVE_INFINITY : this.timeAt(this.count - 1);
    if (bar.time < last) return 'ignored';
    if (bar.time > last) this.makeRoom();
    const index = this.count - 1;
    for (const name of FIELDS) this.columns.get(name)!.values[index] = bar[name];
    return bar.time > last ? 'added' : 'changed';
  }

  private makeRoom(): void {
    const grow = (values: Float64Array): Float64Array => {
      if (values.length > this.count) return values;
      const larger = new Float64Array(Math.max(64, Math.ceil(this.count * 1.25))).fill(Number.NaN);
      larger.set(values.subarray(0, this.count));
      return larger;
    };
    for (const column of this.columns.values()) column.values = grow(column.values);
    for (const [name, values] of this.lines) this.lines.set(name, grow(values));
    this.count += 1;
  }

  /** Forgets indicators that are not wanted any more. */
  keepLines(wanted: (name: string) => boolean): void {
    for (const name of this.lines.keys()) if (!wanted(name)) this.lines.delete(name);
  }

  /** Lowest low, highest high and the closes at both ends of a stretch; null when it is empty. */
  summary(from: number, to: number): { low: number; high: number; first: Bar; last: Bar } | null {
    const begin = Math.max(0, from);
    const end = Math.min(this.count, to);
    const first = this.at(begin);
    const last = this.at(end - 1);
    if (!first || !last || end <= begin) return null;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    const lows = this.columns.get('low')!.values;
    const highs = this.columns.get('high')!.values;
    for (let i = begin; i < end; i += 1) {
      if (lows[i]! < low) low = lows[i]!;
      if (highs[i]! > high) high = highs[i]!;
    }
    return { low, high, first, last };
  }
}
