import { WORTH_MOST } from '#market';
import type { FeatureTiles } from './feature-tiles.ts';
import { KernelAccount } from './kernel-account.ts';
import { type Held, KernelCurve } from './kernel-curve.ts';
import type { KernelMarket } from './kernel-market.ts';
import type { Piece, Played } from './kernel-player.ts';
import type { KernelRule } from './kernel-rule.ts';
import { KernelSizing } from './kernel-sizing.ts';
import { RECORD, RECORD_DAYS } from './settle.ts';
import { type SignalFinder, signalFinder } from './signal-finder.ts';

/** Fixed units are sized once, whatever the account holds. */
const NOTHING = { atr: Number.NaN, volatility: Number.NaN };

/** A rule of {@link swiftLots}. */
export interface SwiftRule {
  readonly rule: KernelRule;
  readonly lots: number;
}

type Side = 1 | 0 | -1;

/** Doubles of a player's record, and 32-bit numbers. */
const DOUBLES = 16;
const WHOLES = 2 * DOUBLES;
/** Whole numbers of a record, behind those of {@link RECORD_DAYS}. */
const SIDE = 16;
const FILLS = 17;
const TRADES = 18;
const ORDERED = 19;
/** Bar of the last fill. */
const FILLED_AT = 20;
/** 1 where money outgrew what is reckoned safely. */
const BEYOND = 21;
/** What opposite signals do: bits. */
const MODE = 22;
/** First bar that may be decided on. */
const BEGIN = 23;
/** 1 where size or fees differ from those of the record before. */
const TURNS = 24;

const SHORTS = 1;
const SHORTS_CLOSE = 2;
const IGNORES = 4;
const REVERSES = 8;

/** What opposite signals do, as bits. */
const modeOf = ({ shorts, shortsClose, opposite }: KernelRule): number =>
  (shorts ? SHORTS : 0) +
  (shortsClose ? SHORTS_CLOSE : 0) +
  (opposite === 'ignore' ? IGNORES : 0) +
  (opposite === 'reverse' ? REVERSES : 0);

/** What is held after a signal. */
function after(side: Side, wanted: 1 | -1, mode: number): Side {
  const opens = wanted === 1 || (mode & (SHORTS | SHORTS_CLOSE)) === SHORTS;
  if (side === 0) return opens ? wanted : 0;
  if (side === wanted || ((mode & IGNORES) !== 0 && !((mode & SHORTS_CLOSE) !== 0 && wanted === -1)))
    return side;
  return (mode & REVERSES) !== 0 && opens ? wanted : 0;
}

/**
 * The lots that a {@link SwiftCrew} would trade, 0 when it cannot play a rule: fixed units bought and sold on signals alone,
 * filled whole at the next opening, in an instrument whose lots and ticks make whole minor units, and which cannot be
 * liquidated; of a size that the grid, the smallest order and safe reckoning allow at every price of the data.
 */
export function swiftLots(rule: KernelRule, market: KernelMarket): number {
  const { sizer, exits, instrument, participation, liquidates, shorts, feeRate, costRate } = rule;
  const plain =
    sizer.kind === 'fixed-units' &&
    sizer.stop === null &&
    exits.every(({ kind }) => kind === 'stop-loss' || kind === 'take-profit') &&
    participation === null &&
    instrument.valueDenominator === 1 &&
    (!liquidates || (sizer.leverage === 1 && !shorts)) &&
    feeRate >= 0 &&
    costRate < 1;
  const price = market.bars.close[0] ?? 0;
  if (!plain || !market.marksAreShort || !(price > 0)) return 0;
  // a grid and an account that would refuse the first entry refuse every one
  const sizing = new KernelSizing({ ...rule, instrument: { ...instrument, minNotional: 0 }, solvent: false });
  const account = new KernelAccount(instrument, rule.cash, feeRate, false);
  const lots = sizing.lots(1, price, market.markTicks[0]!, account, NOTHING, 0);
  const least = market.leastMark * lots * instrument.valueNumerator;
  return least >= instrument.minNotional && 2 * lots <= market.lotsMost ? lots : 0;
}

/**
 * Plays the rules of {@link swiftLots}, of which a sweep may hold ten thousand with a thousand trades each, to what
 * {@link KernelPlayer} comes to. Each is a record among the memory of the features: fills are booked by the function
 * `settle`, and only stretches that it leaves in doubt are walked over here. All money is whole and below 2^53, so sums are
 * exact in whatever order.
 */
export class SwiftCrew implements Held {
  private readonly rules: readonly SwiftRule[];
  private readonly market: KernelMarket;
  private readonly tiles: FeatureTiles;
  private readonly finders: readonly SignalFinder[];
  /** The records, and the byte address of the first. */
  private readonly doubles: Float64Array;
  private readonly wholes: Int32Array;
  private readonly address: number;
  /** Equity at the ends of days, rule by rule. */
  private readonly daily: Float64Array;
  private readonly curve: KernelCurve;
  private piece: Piece | null = null;
  /** Of the rule at work: its record's first double and whole number. */
  private at = 0;
  private whole = 0;
  /** Place in the piece up to which its equity is followed. */
  private drawn = 0;

  /** Doubles beside the features for so many rules and days. */
  static doubles(rules: number, days: number): number {
    return rules * (DOUBLES + days);
  }

  /** The doubles begin at a byte address of the buffer. */
  constructor(
    rules: readonly SwiftRule[],
    market: KernelMarket,
    tiles: FeatureTiles,
    buffer: ArrayBuffer,
    address: number,
  ) {
    this.rules = rules;
    this.market = market;
    this.tiles = tiles;
    this.curve = new KernelCurve(market, this);
    this.finders = rules.map(({ rule }) => signalFinder(rule.signal, tiles, market.bars.time));
    const days = market.dayEnds.length;
    this.address = address;
    this.doubles = new Float64Array(buffer, address, DOUBLES * rules.length);
    this.wholes = new Int32Array(buffer, address, WHOLES * rules.length);
    const daily = address + this.doubles.byteLength;
    this.daily = new Float64Array(buffer, daily, days * rules.length);
    for (const [k, { rule, lots }] of rules.entries()) {
      const record = k * DOUBLES;
      this.doubles[record + RECORD.money] = rule.cash;
      this.doubles[record + RECORD.peak] = -Infinity;
      this.doubles[record + RECORD.floor] = -Infinity;
      this.doubles[record + RECORD.perTick] = lots * rule.instrument.valueNumerator;
      this.doubles[record + RECORD.perTickAgain] = lots * rule.instrument.valueNumerator;
      this.wholes[k * WHOLES + RECORD_DAYS.daily] = daily + 8 * k * days;
      this.wholes[k * WHOLES + MODE] = modeOf(rule);
      this.wholes[k * WHOLES + BEGIN] = rule.warmUpBars - 1;
      const before = rules[k - 1];
      const same = before?.lots === lots && before.rule.feeRate === rule.feeRate;
      this.wholes[k * WHOLES + TURNS] = same ? 0 : 1;
    }
  }

  /** Of the rule at work, signed. */
  get lots(): number {
    return this.wholes[this.whole + SIDE]! * this.rules[this.at / DOUBLES]!.lots;
  }

  /** Of the rule at work. */
  equity(ticks: number): number {
    const { doubles, wholes, at, whole } = this;
    return doubles[at + RECORD.money]! + wholes[whole + SIDE]! * (ticks * doubles[at + RECORD.perTick]!);
  }

  /** Plays a piece whose features are computed; pieces come in order. */
  advance(piece: Piece): void {
    this.piece = piece;
    const { wholes, doubles, rules, market, tiles, finders } = this;
    for (let k = 0; k < finders.length; k++) {
      this.at = k * DOUBLES;
      this.whole = k * WHOLES;
      // ten thousand rules lie far from one another: they are only looked at where the next one pays otherwise
      if (k === 0 || wholes[this.whole + TURNS] === 1)
        tiles.flows.turnTo(market, rules[k]!.rule, rules[k]!.lots, piece.from);
      this.play(finders[k]!);
      if (!(Math.abs(doubles[this.at + RECORD.money]!) <= WORTH_MOST)) wholes[this.whole + BEYOND] = 1;
    }
  }

  /** Equity at the ends of days, rule by rule, out of the memory of the features. */
  ends(): Float64Array {
    return this.daily.slice();
  }

  /** What a rule came to; its days are a part of `ends`, which holds those of all. */
  played(k: number, ends: Float64Array): Played {
    this.at = k * DOUBLES;
    this.whole = k * WHOLES;
    const { doubles, wholes, at, whole, market } = this;
    const { rule } = this.rules[k]!;
    const days = market.dayEnds.length;
    const fees = doubles[at + RECORD.fees]!;
    const perTick = doubles[at + RECORD.perTick]!;
    const side = wholes[whole + SIDE]!;
    const filledAt = wholes[whole + FILLED_AT]!;
    const mark = market.markTicks[market.length - 1] ?? 0;
    const equityEnd = this.equity(mark);
    let unrealised = 0;
    if (side === 1) unrealised = (mark - market.buyTicks[filledAt]!) * perTick;
    if (side === -1) unrealised = (market.sellTicks[filledAt]! - mark) * perTick;
    const maxDrawdown = doubles[at + RECORD.deepest]!;
    let outOfLanguage: string | null = null;
    if (wholes[whole + BEYOND] === 1) outOfLanguage = 'its money outgrows what the kernel reckons with';
    // an equity of nothing lies a whole peak below it
    if (rule.solvent && !(rule.cash > 0 && maxDrawdown < 1)) outOfLanguage = 'it lost all it had';
    return {
      rule,
      outOfLanguage,
      maxDrawdown,
      daily: ends.subarray(k * days, (k + 1) * days),
      books: {
        equityEnd,
        realised: equityEnd - rule.cash + fees - unrealised,
        unrealised,
        fees,
        trades: wholes[whole + TRADES]!,
        orders: wholes[whole + ORDERED]!,
        fills: wholes[whole + FILLS]!,
      },
    };
  }

  private play(finder: SignalFinder): void {
    const { wholes, whole, tiles } = this;
    const { found, foundAddress, first } = tiles;
    const { from, to, days } = this.piece!;
    this.drawn = 0;
    wholes[whole + RECORD_DAYS.days] = 0;
    const end = to - from + first;
    const firstBar = Math.max(from, wholes[whole + BEGIN]!);
    let row = firstBar - from + first;
    if (row < end) {
      finder.begin(row, end, firstBar);
      const together = finder.takeAll();
      if (together > 0) this.deal(finder.direction, together, end);
      else
        for (row = finder.next(row, end); row < end; row = finder.next(row + 1, end)) {
          found[0] = row;
          this.deal(finder.direction, 1, end);
        }
    }
    const { drawn } = this;
    if (drawn < to - from) this.follow(foundAddress, foundAddress, to - from, 0, 0, 0);
    wholes[whole + RECORD_DAYS.daily]! += 8 * days;
  }

  /** Deals with signals in `found`, of which each says the opposite of the one before. */
  private deal(direction: 1 | -1, count: number, end: number): void {
    const { tiles, wholes, whole, market } = this;
    const { found } = tiles;
    const mode = wholes[whole + MODE]!;
    let wanted = direction;
    // what is decided on the last bar is ordered, and never filled
    const filled = this.piece!.to === market.length && found[count - 1] === end - 1 ? count - 1 : count;
    for (let i = 0; i < filled; ) {
      const side = wholes[whole + SIDE] as Side;
      const next = after(side, wanted, mode);
      const behind = after(next, wanted === 1 ? -1 : 1, mode);
      if (next === side && behind === side) break;
      // there and back again, to the end
      const changes = behind === side ? filled - i : 1;
      if (next !== side) this.change(i, changes, next);
      i += changes;
      if ((changes & 1) === 1) wanted = wanted === 1 ? -1 : 1;
    }
    if (filled === count) return;
    const side = wholes[whole + SIDE] as Side;
    const last = (direction === 1) === ((count & 1) === 1) ? 1 : -1;
    if (after(side, last, mode) !== side) wholes[whole + ORDERED]! += 1;
  }

  /** Fills at so many signals from number `i` on, to `next` and back. */
  private change(i: number, count: number, next: Side): void {
    const { wholes, whole, tiles } = this;
    const { found, foundAddress, flows, first } = tiles;
    const side = wholes[whole + SIDE] as Side;
    const flow = flows.of(next - side);
    const at = foundAddress + 4 * i;
    this.follow(at, at + 4 * count, 0, side + next, flow, flow + flows.of(side - next));
    this.drawn = found[i + count - 1]! + 1 - first;
    wholes[whole + FILLS]! += count;
    wholes[whole + ORDERED]! += count;
    wholes[whole + TRADES]! += side === 0 ? count >> 1 : next === 0 ? (count + 1) >> 1 : count;
    wholes[whole + SIDE] = (count & 1) === 1 ? next : side;
    wholes[whole + FILLED_AT] = this.piece!.from + this.drawn;
  }

  /** See `Settle`: follows the position over signals at [begin, end) and to `last`; walks over what is left in doubt. */
  private follow(begin: number, end: number, last: number, sides: number, flow: number, flows: number): void {
    const { address, tiles, wholes, whole, drawn } = this;
    const side = wholes[whole + SIDE]!;
    const stop = tiles.settle(address + 4 * whole, begin, end, drawn, last, side, sides, flow, flows);
    if (stop > end) return;
    const { found, foundAddress, first } = tiles;
    const k = (stop - foundAddress) >> 2;
    const odd = ((stop - begin) & 4) !== 0;
    if (odd) wholes[whole + SIDE] = sides - side;
    const from = stop > begin ? found[k - 1]! + 1 - first : drawn;
    const until = stop === end ? last : found[k]! + 1 - first;
    this.walk(from, until);
    this.drawn = until;
    this.follow(stop, end, last, sides, odd ? flows - flow : flow, flows);
    wholes[whole + SIDE] = side;
  }

  /** Takes a stretch bar by bar into the drawdown. */
  private walk(from: number, until: number): void {
    const { curve, doubles, at } = this;
    const piece = this.piece!.from;
    curve.peak = doubles[at + RECORD.peak]!;
    curve.maxDrawdown = doubles[at + RECORD.deepest]!;
    curve.walk(piece + from, piece + until);
    doubles[at + RECORD.peak] = curve.peak;
    doubles[at + RECORD.deepest] = curve.maxDrawdown;
    doubles[at + RECORD.floor] = -Infinity;
  }
}
