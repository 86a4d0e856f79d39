import { createHash } from 'node:crypto';
import { assert, formatInstant, InputError, type Instant } from '#base';
import { type BarColumns, barColumns, type InstrumentId, type MarketEvent, MERGE_RANK } from '#market';
import {
  type BarSeries,
  closeOf,
  cutSeries,
  describeSeries,
  eventOf,
  joinBars,
  rankOf,
  seriesLength,
  type TapeSeries,
} from './series.ts';

export type TapePhase = 'open' | 'close' | 'funding' | 'event';

/**
 * Recorded market events of many series in one order, whatever order they were given in: by instant, then funding, quotes
 * and prints, closing bars (short to long), opening bars; then instrument id. Several bar files of one instrument and
 * interval are joined. A bar is two steps: `open` at its open time, `close` when it has ended.
 */
export class Tape {
  /** Ordered by instrument id, kind, interval, hash; a cursor's `series` is an index into it. */
  readonly series: readonly TapeSeries[];
  /** SHA-256 over the sorted descriptions of the series. */
  readonly hash: string;
  /** Steps from beginning to end: two per bar, one per other row. */
  readonly length: number;
  /** First and last instant, or null for an empty tape. */
  readonly from: Instant | null;
  readonly to: Instant | null;

  constructor(series: readonly TapeSeries[]) {
    this.series = joinEqual(series);
    const hash = createHash('sha256');
    for (const line of this.series.map(describeSeries).sort()) hash.update(`${line}\n`);
    this.hash = hash.digest('hex');
    let steps = 0;
    let from = Infinity;
    let to = -Infinity;
    for (const one of this.series) {
      const rows = seriesLength(one);
      if (rows === 0) continue;
      const bars = one.kind === 'bars';
      steps += bars ? 2 * rows : rows;
      from = Math.min(from, bars ? one.columns.time[0]! : one.at[0]!);
      to = Math.max(to, bars ? closeOf(one, rows - 1) : one.at[rows - 1]!);
    }
    this.length = steps;
    this.from = steps === 0 ? null : from;
    this.to = steps === 0 ? null : to;
  }

  /** The part whose bars open, and whose other rows happen, in [from, to). */
  cut(from: Instant, to: Instant): Tape {
    const tape = new Tape(
      this.series.map((one) => cutSeries(one, from, to)).filter((one) => seriesLength(one) > 0),
    );
    if (tape.length === 0) {
      const span =
        this.from === null ? 'nothing' : `${formatInstant(this.from)} to ${formatInstant(this.to!)}`;
      throw new InputError(
        `nothing was recorded from ${formatInstant(from)} to ${formatInstant(to)}`,
        `the files hold ${span}`,
      );
    }
    return tape;
  }

  /** The event of one step. */
  event(series: number, row: number, phase: TapePhase): MarketEvent {
    return eventOf(this.series[series]!, row, phase);
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function intervalOf(series: TapeSeries): number {
  return series.kind === 'bars' ? series.intervalMs : 0;
}

function joinEqual(series: readonly TapeSeries[]): TapeSeries[] {
  const sorted = [...series].sort(
    (a, b) =>
      compareText(a.instrument, b.instrument) ||
      compareText(a.kind, b.kind) ||
      intervalOf(a) - intervalOf(b) ||
      compareText(a.hash, b.hash),
  );
  const out: TapeSeries[] = [];
  const groups = Map.groupBy(
    sorted.filter((one): one is BarSeries => one.kind === 'bars'),
    (one) => `${one.instrument} ${one.intervalMs}`,
  );
  for (const one of sorted) {
    if (one.kind !== 'bars') {
      // a file given twice is one file
      if (out.at(-1)?.hash !== one.hash || out.at(-1)?.instrument !== one.instrument) out.push(one);
      continue;
    }
    const key = `${one.instrument} ${one.intervalMs}`;
    const group = groups.get(key);
    if (group === undefined) continue;
    groups.delete(key);
    // oldest first, so that files of following years join without looking back
    const distinct = group.filter((other, i) => group.findIndex((first) => first.hash === other.hash) === i);
    distinct.sort(
      (a, b) => (a.columns.time[0] ?? 0) - (b.columns.time[0] ?? 0) || compareText(a.hash, b.hash),
    );
    out.push(distinct.reduce(joinBars));
  }
  return out;
}

const PHASES: readonly TapePhase[] = ['open', 'close', 'funding', 'event'];
/** Steps between remembered places; going back costs at most this many steps. */
const STRIDE = 65_536;
/** Bars looked at ahead in one go. */
const AHEAD_MOST = 256;

/** See {@link TapeCursor.barsAhead}. */
export interface BarsAhead {
  instrument: InstrumentId;
  intervalMs: number;
  columns: BarColumns;
  from: number;
  to: number;
}

/**
 * Walks a tape without making objects. After `next()` gave true, `series`, `row`, `phase` and `at` say where it stands;
 * `position` counts the steps taken, so a journal can name rows by (tape hash, first position, last position).
 * The next instants of all series are scanned linearly: for tens of series faster than a heap.
 */
export class TapeCursor {
  static readonly configuration = ['tape', 'marks', 'closeOrder', 'openOrder', 'isBars', 'phases', 'ahead'];
  readonly tape: Tape;
  series = -1;
  row = -1;
  at: Instant = -Infinity;
  /** Steps taken. */
  position = 0;
  private code = 3;
  private readonly steps: Int32Array;
  private readonly nextAt: Float64Array;
  private readonly nextOrder: Int32Array;
  private readonly closeOrder: Int32Array;
  private readonly openOrder: Int32Array;
  private readonly isBars: Uint8Array;
  private readonly ahead: BarsAhead = {
    instrument: '' as InstrumentId,
    intervalMs: 0,
    columns: barColumns(0),
    from: 0,
    to: 0,
  };
  /** Heads of the series at every STRIDE steps already seen. */
  private readonly marks: Int32Array[] = [];

  constructor(tape: Tape) {
    this.tape = tape;
    const n = tape.series.length;
    this.steps = new Int32Array(n);
    this.nextAt = new Float64Array(n);
    this.nextOrder = new Int32Array(n);
    this.isBars = new Uint8Array(n);
    this.closeOrder = new Int32Array(n);
    this.openOrder = new Int32Array(n);
    const keys: { series: number; rank: number; opening: boolean; interval: number }[] = [];
    tape.series.forEach((one, series) => {
      const interval = intervalOf(one);
      keys.push({ series, rank: rankOf(one), opening: false, interval });
      if (one.kind === 'bars') {
        keys.push({ series, rank: MERGE_RANK.barOpened, opening: true, interval });
        this.isBars[series] = 1;
      }
    });
    // the tape's series are in order of instrument id already
    keys.sort((a, b) => a.rank - b.rank || a.interval - b.interval || a.series - b.series);
    keys.forEach(({ series, opening }, order) => {
      (opening ? this.openOrder : this.closeOrder)[series] = order;
    });
    this.aim();
  }

  get phase(): TapePhase {
    return PHASES[this.code]!;
  }

  /** Moves one step on; false at the end, and then nothing has changed. */
  next(): boolean {
    const { nextAt, nextOrder } = this;
    const n = nextAt.length;
    let best = -1;
    let bestAt = Infinity;
    let bestOrder = 0;
    for (let i = 0; i < n; i++) {
      const at = nextAt[i]!;
      if (at < bestAt || (at === bestAt && best >= 0 && nextOrder[i]! < bestOrder)) {
        best = i;
        bestAt = at;
        bestOrder = nextOrder[i]!;
      }
    }
    if (best < 0) return false;
    if (this.position % STRIDE === 0 && this.marks.length === this.position / STRIDE)
      this.marks.push(this.steps.slice());
    const step = this.steps[best]!;
    this.steps[best] = step + 1;
    this.series = best;
    this.at = bestAt;
    this.position += 1;
    if (this.isBars[best] === 1) {
      this.row = step >> 1;
      this.code = step & 1;
    } else {
      this.row = step;
      this.code = this.tape.series[best]!.kind === 'funding' ? 2 : 3;
    }
    this.aimAt(best);
    return true;
  }

  /** The bars it brings, of instruments with one series of them: what may be computed on ahead. */
  get bars(): readonly BarSeries[] {
    const all = this.tape.series.filter((one): one is BarSeries => one.kind === 'bars');
    return all.filter(({ instrument }) => all.filter((one) => one.instrument === instrument).length === 1);
  }

  get instrument(): InstrumentId {
    return this.tape.series[this.series]!.instrument;
  }

  /** The opening price of the bar the cursor stands on; NaN on anything else. */
  get open(): number {
    const series = this.tape.series[this.series]!;
    return series.kind === 'bars' ? series.columns.open[this.row]! : Number.NaN;
  }

  /**
   * Standing on the opening of a bar: it and those of its series that follow it before any other has something, as long as
   * each opens when the one before has ended; at most {@link AHEAD_MOST}. Elsewhere `to` is `from`. Always the same object.
   */
  barsAhead(): BarsAhead {
    const { ahead, series, row, tape } = this;
    const one = tape.series[series]!;
    ahead.from = ahead.to = row;
    if (one.kind !== 'bars' || this.code !== 0) return ahead;
    ahead.instrument = one.instrument;
    ahead.intervalMs = one.intervalMs;
    ahead.columns = one.columns;
    let others = Infinity;
    for (let i = 0; i < this.nextAt.length; i++) if (i !== series) others = Math.min(others, this.nextAt[i]!);
    const { time, length } = one.columns;
    const until = Math.ceil((others - time[row]!) / one.intervalMs) - 1;
    ahead.to = Math.min(length, row + AHEAD_MOST, row + Math.max(0, until));
    return ahead;
  }

  /** Goes on to the close of the last of the next `bars` of {@link barsAhead}. */
  pass(bars: number): void {
    const { series } = this;
    const one = this.tape.series[series] as BarSeries;
    this.row += bars - 1;
    this.steps[series] = 2 * this.row + 2;
    this.position += 2 * bars - 1;
    this.code = 1;
    this.at = closeOf(one, this.row);
    this.aimAt(series);
  }

  /** Makes the event the cursor stands on. */
  event(): MarketEvent {
    assert(this.series >= 0, 'the cursor stands before the first step');
    return this.tape.event(this.series, this.row, this.phase);
  }

  /** Goes to where `position` steps have been taken; a following `next()` gives step number position + 1. */
  seek(position: number): void {
    assert(
      Number.isSafeInteger(position) && position >= 0 && position <= this.tape.length,
      `no position ${position} on a tape of ${this.tape.length} steps`,
    );
    // at least one step is taken from the mark, so that series, row and at are those of the last step
    const mark = Math.min(Math.max(0, Math.floor((position - 1) / STRIDE)), this.marks.length - 1);
    if (position < this.position || (mark >= 0 && mark * STRIDE > this.position)) {
      if (mark >= 0) this.steps.set(this.marks[mark]!);
      else this.steps.fill(0);
      this.position = Math.max(0, mark) * STRIDE;
      this.series = -1;
      this.row = -1;
      this.at = -Infinity;
      this.aim();
    }
    while (this.position < position) this.next();
  }

  private aim(): void {
    for (let i = 0; i < this.steps.length; i++) this.aimAt(i);
  }

  private aimAt(i: number): void {
    const series = this.tape.series[i]!;
    const step = this.steps[i]!;
    if (series.kind === 'bars') {
      const row = step >> 1;
      const { columns } = series;
      if (row >= columns.length) this.nextAt[i] = Infinity;
      else if ((step & 1) === 0) {
        this.nextAt[i] = columns.time[row]!;
        this.nextOrder[i] = this.openOrder[i]!;
      } else {
        this.nextAt[i] = closeOf(series, row);
        this.nextOrder[i] = this.closeOrder[i]!;
      }
      return;
    }
    this.nextAt[i] = step < series.length ? series.at[step]! : Infinity;
    this.nextOrder[i] = this.closeOrder[i]!;
  }
}

/** All events of a tape, one after the other. */
export function* tapeEvents(tape: Tape): Generator<MarketEvent> {
  const cursor = new TapeCursor(tape);
  while (cursor.next()) yield cursor.event();
}
