import { formatDecimal } from '#base';
import type { BarColumns } from '#market';
import { returnsOf, sharpeOf } from '../statistics/moments.ts';
import { FeatureTiles, TILE } from './feature-tiles.ts';
import type { KernelRecorder } from './kernel-account.ts';
import { type KernelMarket, marketOf } from './kernel-market.ts';
import { type Books, KernelPlayer, type Piece, type Played } from './kernel-player.ts';
import type { KernelRule } from './kernel-rule.ts';
import { RangeTable } from './range-table.ts';
import { SwiftCrew, type SwiftRule, swiftLots } from './swift-crew.ts';

/** What one rule came to: the figures of a backtest's summary. Money in minor units. */
export interface KernelOutcome extends Books {
  readonly maxDrawdown: number;
  /** Annualised, of daily returns; null below three days or without movement. */
  readonly sharpe: number | null;
  /** Equity at the end of each UTC day that has a bar. */
  readonly daily: Float64Array;
}

/** An outcome, or why the loop has to play the rule after all. */
export type KernelPlay =
  | { readonly outcome: KernelOutcome; readonly reason: null }
  | { readonly outcome: null; readonly reason: string };

export interface PlayRulesOptions {
  /** Hears fills and trades of rule number `i`; null: of none. */
  readonly recorderOf?: (i: number) => KernelRecorder | null;
  /** Called between pieces with the bars done; false ends it, and nothing comes of what was played. */
  readonly onProgress?: (done: number, bars: number) => boolean;
}

const PERIODS_PER_YEAR = 365;

/** A rule at its place among all. */
interface Placed extends SwiftRule {
  readonly i: number;
}

/** Rules that assume the same of the market. */
interface Group {
  readonly market: KernelMarket;
  readonly swift: Placed[];
  readonly others: Placed[];
}

/** A group at work. */
interface Work {
  readonly market: KernelMarket;
  readonly marks: RangeTable;
  readonly prices: RangeTable | null;
  readonly crew: SwiftCrew;
  readonly players: readonly KernelPlayer[];
  /** Days over. */
  days: number;
}

/**
 * Plays many rules over the same bars, all of them through one piece before the next: features once for each distinct
 * request, memory that does not grow with the bars. Null when `onProgress` ended it. The bars must be such that
 * `barsReason` has nothing to say.
 */
export function playRules(
  bars: BarColumns,
  rules: readonly KernelRule[],
  options: PlayRulesOptions = {},
): KernelPlay[] | null {
  const { recorderOf, onProgress } = options;
  const groups = groupsOf(bars, rules, recorderOf);
  const tiles = new FeatureTiles(
    rules.flatMap(({ requests }) => requests),
    rules.flatMap(({ signal }) => (signal.kind === 'cross' ? [signal.fast, signal.slow] : [])),
    groups.reduce(
      (sum, { swift, market }) => sum + SwiftCrew.doubles(swift.length, market.dayEnds.length),
      0,
    ),
  );
  let { address } = tiles.beside;
  const works = groups.map(({ market, swift, others }): Work => {
    const crew = new SwiftCrew(swift, market, tiles, tiles.beside.buffer, address);
    address += 8 * SwiftCrew.doubles(swift.length, market.dayEnds.length);
    const players = others.map(({ rule, i }) => {
      const player = new KernelPlayer(rule, market, tiles);
      const recorder = recorderOf?.(i) ?? null;
      if (recorder !== null) player.record(recorder);
      return player;
    });
    const marks = new RangeTable(TILE, market.marksAreShort ? tiles.marks : null);
    const prices = others.some(({ rule }) => rule.liquidates) ? new RangeTable(TILE) : null;
    return { market, marks, prices, crew, players, days: 0 };
  });
  for (let from = 0; from < bars.length; from += TILE) {
    const to = Math.min(bars.length, from + TILE);
    tiles.load(bars, from, to);
    for (const work of works) playPiece(work, tiles, from, to);
    if (onProgress !== undefined && !onProgress(to, bars.length)) return null;
  }
  const plays: KernelPlay[] = new Array(rules.length);
  for (const [g, { swift, others }] of groups.entries()) {
    const { crew, players, market } = works[g]!;
    const curve = dayCurve(market.dayEnds.length);
    const ends = crew.ends();
    for (const [k, { i }] of swift.entries()) plays[i] = playOf(crew.played(k, ends), curve);
    for (const [k, { i }] of others.entries()) plays[i] = playOf(players[k]!.played(), curve);
  }
  return plays;
}

function groupsOf(
  bars: BarColumns,
  rules: readonly KernelRule[],
  recorderOf: PlayRulesOptions['recorderOf'],
): Group[] {
  const groups = new Map<string, Group>();
  for (const [i, rule] of rules.entries()) {
    const { instrument, intervalMs, slippageRate, participation, liquidates } = rule;
    const key = `${instrument.id} ${intervalMs} ${slippageRate} ${participation} ${liquidates}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { market: marketOf(bars, rule), swift: [], others: [] };
      groups.set(key, group);
    }
    // fills are told by the player that follows each of them
    const told = (recorderOf?.(i) ?? null) !== null;
    const lots = told ? 0 : swiftLots(rule, group.market);
    (lots > 0 ? group.swift : group.others).push({ rule, lots, i });
  }
  for (const { swift, others } of groups.values()) {
    byNeighbourhood(swift);
    byNeighbourhood(others);
  }
  return [...groups.values()];
}

/** Columns that are walked over together while they lie in the processor's cache. */
const NEAR = 12;

/** Puts rules that trade the same size and look at the same few columns one behind the other. */
function byNeighbourhood(rules: Placed[]): void {
  const places = [new Map<string, number>(), new Map<string, number>()] as const;
  const placeOf = (of: Map<string, number>, expression: string): number => {
    const known = of.get(expression) ?? of.size;
    of.set(expression, known);
    return Math.floor(known / NEAR);
  };
  const keyed = rules.map((placed) => {
    const { signal, feeRate } = placed.rule;
    if (signal.kind !== 'cross') return { placed, feeRate, a: 0, b: 0 };
    return { placed, feeRate, a: placeOf(places[0], signal.fast), b: placeOf(places[1], signal.slow) };
  });
  keyed.sort(
    (x, y) =>
      x.placed.lots - y.placed.lots ||
      x.feeRate - y.feeRate ||
      x.a - y.a ||
      x.b - y.b ||
      x.placed.i - y.placed.i,
  );
  for (const [i, { placed }] of keyed.entries()) rules[i] = placed;
}

function playPiece(work: Work, tiles: FeatureTiles, from: number, to: number): void {
  const { market, marks, prices, crew, players } = work;
  const { markTicks, dayEnds, bars } = market;
  marks.fill(markTicks, markTicks, from, to);
  prices?.fill(bars.high, bars.low, from, to);
  let days = 0;
  for (; work.days < dayEnds.length && dayEnds[work.days]! < to; work.days++)
    tiles.dayEnds[days++] = dayEnds[work.days]! - from;
  tiles.dayEnds[days] = TILE;
  const piece: Piece = { from, to, days, marks, prices };
  crew.advance(piece);
  for (let i = 0; i < players.length; i++) players[i]!.advance(piece);
}

/** Room for the equity of one rule after another: arrays for ten thousand would cost more than what is reckoned in them. */
const dayCurve = (days: number) => ({ equity: new Float64Array(days + 1), returns: new Float64Array(days) });

function playOf(
  { rule, outOfLanguage, books, maxDrawdown, daily }: Played,
  curve: ReturnType<typeof dayCurve>,
): KernelPlay {
  if (outOfLanguage !== null) return { outcome: null, reason: outOfLanguage };
  const { equity } = curve;
  equity[0] = rule.cash;
  equity.set(daily, 1);
  const returns = returnsOf(equity, curve.returns);
  const sharpe = returns === null || returns.length < 3 ? null : sharpeOf(returns, PERIODS_PER_YEAR);
  return { outcome: { ...books, maxDrawdown, sharpe, daily }, reason: null };
}

/** Money of an outcome as decimal text. */
export const moneyText = (minor: number, rule: KernelRule): string =>
  formatDecimal(minor, rule.instrument.minorScale);
