import { join } from 'node:path';
import { formatDecimal, stepsToText } from '#base';
import { instrumentFor } from '#market';
import type { Figures, Interval, PlayedTrade, Worth } from '#research';
import { writeWholeFile } from '../whole-file.ts';
import { INTERVAL, type PartWorth, STAMP, type WorthStudy } from './worth-run.ts';

/** Of trades in one currency. */
export const netOf = (trades: readonly PlayedTrade[]): number =>
  trades.reduce((sum, trade) => sum + trade.net, 0);

/** Decimal places of the money of a run: all its instruments settle in one currency. */
export function currencyOf(study: WorthStudy): { readonly name: string; readonly scale: number } {
  const { settle, minorScale } = instrumentFor(study.run.shapes[0]!.instrument);
  return { name: settle, scale: minorScale };
}

/** What `worth.json` holds. Money as decimal strings, returns and drawdowns as fractions. */
export function worthAsData(study: WorthStudy): Record<string, unknown> {
  const { configuration, desk } = study.run;
  const { name: currency, scale } = currencyOf(study);
  return {
    schemaVersion: 1,
    stamps: [...(desk.parts.stamps ?? []), STAMP],
    mayPromote: false,
    desk: desk.definition.name,
    journalHash: study.journalHash,
    tapeHash: configuration.tapeHash,
    codeHash: configuration.codeHash,
    deskHash: configuration.deskHash,
    seed: configuration.seed,
    currency,
    days: study.days,
    ...INTERVAL,
    whole: study.whole,
    parts: study.parts.map((part) => partAsData(part, scale)),
  };
}

function partAsData({ id, kind, name, means, worth }: PartWorth, scale: number): Record<string, unknown> {
  const { matched } = worth;
  const some = (trades: readonly PlayedTrade[]) => ({
    trades: trades.length,
    net: formatDecimal(netOf(trades), scale),
  });
  return {
    id,
    kind,
    name,
    without: means,
    // of a source alone the figures are those of all the others
    verdict: kind === 'alone' ? null : worth.verdict,
    return: worth.return,
    sharpe: worth.sharpe,
    maxDrawdown: worth.maxDrawdown,
    trades: worth.trades,
    dailyReturn: intervalAsData(worth.daily),
    dailySharpe: intervalAsData(worth.dailySharpe),
    figuresWithout: worth.without,
    caused: some(matched.caused),
    prevented: some(matched.prevented),
    leftOtherwise: matched.changed.length,
    resized: matched.resized.length,
    same: matched.same,
  };
}

function intervalAsData(interval: Interval | null): Record<string, unknown> | null {
  if (interval === null) return null;
  const { estimate, low, high, meanBlock, method } = interval;
  return { estimate, low, high, meanBlock, method };
}

const COLUMNS = [
  'kind',
  'name',
  'verdict',
  'return',
  'sharpe',
  'maxDrawdown',
  'trades',
  'dailyReturn',
  'dailyReturnLow',
  'dailyReturnHigh',
  'sharpeLow',
  'sharpeHigh',
  'returnWithout',
  'sharpeWithout',
  'maxDrawdownWithout',
  'tradesWithout',
  'caused',
  'causedNet',
  'prevented',
  'preventedNet',
  'leftOtherwise',
  'resized',
];

const cell = (value: string | number | null): string => {
  const text = value === null ? '' : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const lineOf = (cells: readonly (string | number | null)[]): string => `${cells.map(cell).join(',')}\n`;

const figures = (of: Figures) => [of.return, of.sharpe, of.maxDrawdown, of.trades];

function* partLines(study: WorthStudy): Iterable<string> {
  const { scale } = currencyOf(study);
  yield lineOf(COLUMNS);
  for (const { kind, name, worth } of study.parts) {
    const { matched, daily, dailySharpe } = worth;
    const some = (trades: readonly PlayedTrade[]) => [trades.length, formatDecimal(netOf(trades), scale)];
    yield lineOf([
      kind,
      name,
      kind === 'alone' ? null : worth.verdict,
      worth.return,
      worth.sharpe,
      worth.maxDrawdown,
      worth.trades,
      ...(daily === null ? [null, null, null] : [daily.estimate, daily.low, daily.high]),
      ...(dailySharpe === null ? [null, null] : [dailySharpe.low, dailySharpe.high]),
      ...figures(worth.without),
      ...some(matched.caused),
      ...some(matched.prevented),
      matched.changed.length,
      matched.resized.length,
    ]);
  }
}

const TRADE_COLUMNS = ['instrument', 'direction', 'openedAt'];
const END_COLUMNS = ['closedAt', 'quantity', 'net', 'exitReason'];

/** Trades by part: those it caused, prevented, and those of both runs that it changed. */
function* tradeLines(study: WorthStudy): Iterable<string> {
  const { scale } = currencyOf(study);
  const without = END_COLUMNS.map((name) => `without${name[0]!.toUpperCase()}${name.slice(1)}`);
  yield lineOf(['part', 'effect', ...TRADE_COLUMNS, ...END_COLUMNS, ...without]);
  const ends = (trade: PlayedTrade | null) =>
    trade === null
      ? [null, null, null, null]
      : [
          trade.closedAt,
          stepsToText(trade.lots, instrumentFor(trade.instrument).lot),
          formatDecimal(trade.net, scale),
          trade.exitReason,
        ];
  for (const { id, worth } of study.parts) {
    for (const { effect, trade, other } of effectsOf(worth)) {
      const { instrument, direction, openedAt } = (trade ?? other)!;
      const start = [id, effect, instrument, direction === 1 ? 'long' : 'short', openedAt];
      yield lineOf([...start, ...ends(trade), ...ends(other)]);
    }
  }
}

/** One trade and what a part did to it; null where it is not there. */
export interface TradeEffect {
  readonly effect: 'caused' | 'prevented' | 'left-otherwise' | 'resized';
  readonly trade: PlayedTrade | null;
  readonly other: PlayedTrade | null;
}

function effectsOf({ matched }: Worth): readonly TradeEffect[] {
  const all: TradeEffect[] = [
    ...matched.caused.map((trade) => ({ effect: 'caused' as const, trade, other: null })),
    ...matched.prevented.map((other) => ({ effect: 'prevented' as const, trade: null, other })),
    ...matched.changed.map((pair) => ({
      effect: 'left-otherwise' as const,
      trade: pair.with,
      other: pair.without,
    })),
    ...matched.resized.map((pair) => ({ effect: 'resized' as const, trade: pair.with, other: pair.without })),
  ];
  return all;
}

/** Writes `worth.json`, `worth.csv` and `trades.csv`: each appears whole or not at all. */
export function writeWorth(out: string, study: WorthStudy): void {
  writeWholeFile(join(out, 'trades.csv'), tradeLines(study));
  writeWholeFile(join(out, 'worth.csv'), partLines(study));
  writeWholeFile(join(out, 'worth.json'), [`${JSON.stringify(worthAsData(study), null, 2)}\n`]);
}
