import { formatDecimal } from '#base';
import type { BarColumns } from '#market';
import { returnsOf, sharpeOf } from '../statistics/moments.ts';
import { FeatureTiles, TILE } from './feature-tiles.ts';
import type { KernelRecorder } from './kernel-account.ts';
import { KernelMarket } from './kernel-market.ts';
import { KernelPlayer, type Piece, type RulePlayer } from './kernel-player.ts';
import type { KernelRule } from './kernel-rule.ts';
import { RangeTable } from './range-table.ts';
import { isSwift, SwiftPlayer } from './swift-player.ts';

/** What one rule came to: the figures of a backtest's summary. Money in minor units. */
export interface KernelOutcome {
  readonly equityEnd: number;
  readonly realised: number;
  readonly unrealised: number;
  readonly fees: number;
  readonly trades: number;
  readonly orders: number;
  readonly fills: number;
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

/** Rules that assume the same of the market, and what they share. */
interface Group {
  readonly market: KernelMarket;
  readonly marks: RangeTable;
  readonly prices: RangeTable | null;
  readonly players: RulePlayer[];
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
  const tiles = new FeatureTiles(
    rules.flatMap(({ requests }) => requests),
    rules.flatMap(({ signal }) => (signal.kind === 'cross' ? [signal.fast, signal.slow] : [])),
  );
  const groups = new Map<string, Group>();
  const players = rules.map((rule, i) => {
    const group = groupOf(groups, bars, rule);
    const player = playerOf(rule, group.market, tiles, recorderOf?.(i) ?? null);
    group.players.push(player);
    return player;
  });
  for (const { players } of groups.values()) byNeighbourhood(players);
  for (let from = 0; from < bars.length; from += TILE) {
    const to = Math.min(bars.length, from + TILE);
    tiles.load(bars, from, to);
    for (const group of groups.values()) playPiece(group, from, to);
    if (onProgress !== undefined && !onProgress(to, bars.length)) return null;
  }
  return players.map(outcomeOf);
}

function playerOf(
  rule: KernelRule,
  market: KernelMarket,
  tiles: FeatureTiles,
  recorder: KernelRecorder | null,
): RulePlayer {
  // fills are told by the player that follows each of them
  if (recorder === null && isSwift(rule)) return new SwiftPlayer(rule, market, tiles);
  const player = new KernelPlayer(rule, market, tiles);
  if (recorder !== null) player.record(recorder);
  return player;
}

function groupOf(groups: Map<string, Group>, bars: BarColumns, rule: KernelRule): Group {
  const key = `${rule.instrument.id} ${rule.intervalMs} ${rule.slippageRate} ${rule.participation} ${rule.liquidates}`;
  let group = groups.get(key);
  if (group === undefined) {
    const rows = Math.min(TILE, bars.length);
    const market = new KernelMarket(bars, rule);
    group = {
      market,
      marks: new RangeTable(rows, market.marksAreShort),
      prices: rule.liquidates ? new RangeTable(rows, false) : null,
      players: [],
    };
    groups.set(key, group);
  }
  return group;
}

/** Columns that are walked over together while they lie in the processor's cache. */
const NEAR = 12;

/** Puts players that look at the same few columns one behind the other. */
function byNeighbourhood(players: RulePlayer[]): void {
  const places = [new Map<string, number>(), new Map<string, number>()] as const;
  const placeOf = (of: Map<string, number>, expression: string): number => {
    const known = of.get(expression) ?? of.size;
    of.set(expression, known);
    return Math.floor(known / NEAR);
  };
  const keyed = players.map((player, i) => {
    const { signal } = player.rule;
    if (signal.kind !== 'cross') return { player, i, a: 0, b: 0 };
    return { player, i, a: placeOf(places[0], signal.fast), b: placeOf(places[1], signal.slow) };
  });
  keyed.sort((x, y) => x.a - y.a || x.b - y.b || x.i - y.i);
  for (const [i, { player }] of keyed.entries()) players[i] = player;
}

function playPiece({ market, marks, prices, players }: Group, from: number, to: number): void {
  marks.fill(market.markTicks, market.markTicks, from, to);
  prices?.fill(market.bars.high, market.bars.low, from, to);
  const piece: Piece = { from, to, marks, prices };
  for (let i = 0; i < players.length; i++) players[i]!.advance(piece);
}

function outcomeOf({ account, curve, ordered, outOfLanguage, last }: RulePlayer): KernelPlay {
  if (outOfLanguage !== null) return { outcome: null, reason: outOfLanguage };
  const returns = returnsOf([account.start, ...curve.daily]);
  const outcome = {
    equityEnd: account.equity(last),
    realised: account.realised,
    unrealised: account.unrealised(last),
    fees: account.fees,
    trades: account.trades,
    orders: ordered,
    fills: account.fills,
    maxDrawdown: curve.maxDrawdown,
    sharpe: returns === null || returns.length < 3 ? null : sharpeOf(returns, PERIODS_PER_YEAR),
    daily: curve.daily,
  };
  return { outcome, reason: null };
}

/** Money of an outcome as decimal text. */
export const moneyText = (minor: number, rule: KernelRule): string =>
  formatDecimal(minor, rule.instrument.minorScale);
