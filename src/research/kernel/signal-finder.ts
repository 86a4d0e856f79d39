import { type ColumnarSource, CROSS_TOLERANCE, type Zone } from '#signals';
import type { FeatureTiles } from './feature-tiles.ts';
import type { ScanColumn } from './scan.ts';

/** Finds the bars at which a source speaks, in order, by the rule of the source itself. */
export interface SignalFinder {
  /** What it says at the bar found last. */
  direction: 1 | -1;
  /**
   * Takes all signals of the piece at once: so many lie in `found` of the tiles, each the opposite of the one before, and
   * `direction` is that of the first. 0: none, or they have to be asked for one by one.
   */
  takeAll(): number;
  /**
   * A piece begins: its rows [from, to) of the features' window, of which the first is the one to decide on first, and
   * is bar number `firstBar`.
   */
  begin(from: number, to: number, firstBar: number): void;
  /** The first row from `from` on and before `to` at which it speaks; `to` when none. Every row is searched once, in order. */
  next(from: number, to: number): number;
}

/** `times`: open times of all bars. */
export function signalFinder(source: ColumnarSource, tiles: FeatureTiles, times: Float64Array): SignalFinder {
  switch (source.kind) {
    case 'cross':
      return new CrossFinder(tiles, tiles.line(source.fast), tiles.line(source.slow));
    case 'threshold': {
      const { long, short, when, feature } = source;
      return new ZoneFinder(tiles.column(feature), long, short, when === 'entering');
    }
    case 'breakout': {
      const name = `donchian:${source.bars}`;
      const upper = tiles.column(`${name}/upper`);
      return new BreakoutFinder(tiles.closes, upper, tiles.column(`${name}/lower`));
    }
    case 'series':
      return new SeriesFinder(times, source.times, source.directions);
  }
}

/** See `crossed` of signals/: the search knows its tolerance, and finds the crosses of a whole piece at once. */
class CrossFinder implements SignalFinder {
  direction: 1 | -1 = 1;
  private side: 1 | 0 | -1 = 0;
  private readonly fast: ScanColumn;
  private readonly slow: ScanColumn;
  private readonly tiles: FeatureTiles;
  private readonly found: Int32Array;
  private taken = 0;
  private count = 0;

  constructor(tiles: FeatureTiles, fast: ScanColumn, slow: ScanColumn) {
    this.tiles = tiles;
    this.found = tiles.found;
    this.fast = fast;
    this.slow = slow;
  }

  begin(from: number, to: number): void {
    let row = from;
    for (; this.side === 0 && row < to; row++) this.side = this.sideAt(row);
    this.taken = 0;
    this.count = 0;
    if (row >= to) return;
    const { fast, slow, side, tiles } = this;
    const { foundAddress, certain } = tiles;
    const above = side === 1 ? 1 : 0;
    const end = tiles.crosses(
      fast.shortAddress,
      slow.shortAddress,
      fast.address,
      slow.address,
      row,
      to,
      above,
      certain,
      foundAddress,
    );
    this.count = (end - foundAddress) >> 2;
    this.direction = side === 1 ? 1 : -1;
    if ((this.count & 1) === 1) this.side = side === 1 ? -1 : 1;
  }

  takeAll(): number {
    this.direction = this.direction === 1 ? -1 : 1;
    this.taken = this.count;
    return this.count;
  }

  next(_from: number, to: number): number {
    if (this.taken === this.count) return to;
    this.direction = this.direction === 1 ? -1 : 1;
    return this.found[this.taken++]!;
  }

  private sideAt(row: number): 1 | 0 | -1 {
    const fast = this.fast.values[row]!;
    const slow = this.slow.values[row]!;
    const difference = fast - slow;
    if (!(Math.abs(difference) > CROSS_TOLERANCE * Math.max(Math.abs(fast), Math.abs(slow)))) return 0;
    return difference > 0 ? 1 : -1;
  }
}

/** See `thresholdSource` of signals/. */
class ZoneFinder implements SignalFinder {
  direction: 1 | -1 = 1;
  private zone: 1 | 0 | -1 | null = null;
  private readonly values: Float64Array;
  private readonly entering: boolean;
  private readonly long: readonly [above: number, below: number] | null;
  private readonly short: readonly [above: number, below: number] | null;

  constructor(values: Float64Array, long: Zone | null, short: Zone | null, entering: boolean) {
    this.values = values;
    this.entering = entering;
    this.long = bounds(long);
    this.short = bounds(short);
  }

  begin(): void {}

  takeAll(): number {
    return 0;
  }

  next(from: number, to: number): number {
    const { values, long, short, entering } = this;
    let before = this.zone;
    for (let row = from; row < to; row++) {
      const value = values[row]!;
      if (!Number.isFinite(value)) continue;
      const inLong = long !== null && value > long[0] && value < long[1];
      const inShort = short !== null && value > short[0] && value < short[1];
      const zone = inLong === inShort ? 0 : inLong ? 1 : -1;
      const speaks = zone !== 0 && !(entering && (before === null || before === zone));
      before = zone;
      if (!speaks) continue;
      this.zone = zone;
      this.direction = zone as 1 | -1;
      return row;
    }
    this.zone = before;
    return to;
  }
}

const bounds = (zone: Zone | null): readonly [number, number] | null =>
  zone === null ? null : [zone.above ?? -Infinity, zone.below ?? Infinity];

/** See `breakoutSource` of signals/. */
class BreakoutFinder implements SignalFinder {
  direction: 1 | -1 = 1;
  private begun = false;
  private readonly close: Float64Array;
  private readonly upper: Float64Array;
  private readonly lower: Float64Array;

  constructor(close: Float64Array, upper: Float64Array, lower: Float64Array) {
    this.close = close;
    this.upper = upper;
    this.lower = lower;
  }

  begin(): void {}

  takeAll(): number {
    return 0;
  }

  next(from: number, to: number): number {
    const { close, upper, lower } = this;
    let row = from;
    // the first bar it is shown has no channel behind it that it has seen
    if (!this.begun && row < to) {
      this.begun = true;
      row += 1;
    }
    for (; row < to; row++) {
      const value = close[row]!;
      if (value > upper[row - 1]!) this.direction = 1;
      else if (value < lower[row - 1]!) this.direction = -1;
      else continue;
      return row;
    }
    return to;
  }
}

/** See `seriesSource` of signals/: both series of times are walked along together. */
class SeriesFinder implements SignalFinder {
  direction: 1 | -1 = 1;
  private readonly barTimes: Float64Array;
  private readonly times: Float64Array;
  private readonly directions: Int8Array;
  /** Number of the bar in row 0. */
  private shift = 0;
  private place = 0;

  constructor(barTimes: Float64Array, times: Float64Array, directions: Int8Array) {
    this.barTimes = barTimes;
    this.times = times;
    this.directions = directions;
  }

  begin(from: number, _to: number, firstBar: number): void {
    this.shift = firstBar - from;
  }

  takeAll(): number {
    return 0;
  }

  next(from: number, to: number): number {
    const { barTimes, times, directions, shift } = this;
    for (let row = from; row < to; row++) {
      const time = barTimes[row + shift]!;
      while (this.place < times.length && times[this.place]! < time) this.place += 1;
      if (times[this.place] !== time || directions[this.place] === 0) continue;
      this.direction = directions[this.place] === 1 ? 1 : -1;
      return row;
    }
    return to;
  }
}
