import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, stepsToNumber } from '#base';
import { instrumentFor, instrumentIdOf } from '#market';
import type { FillFact, Series, TradeFact } from '#research';
import { isPortfolio } from '../setup/replay-run.ts';
import { numberIn, readJson, readTable } from './read-file.ts';

const MEND = 'restore the file from a copy, or run the backtest again';

const decimal = z.string().transform(Number).pipe(z.number());
const counts = z.record(z.string(), z.number()).default({});

const Summary = z.looseObject({
  desk: z.string(),
  parameters: z.unknown(),
  instruments: z.array(z.string()).min(1),
  interval: z.string(),
  from: z.number(),
  to: z.number(),
  currency: z.string(),
  stamps: z.array(z.string()).default([]),
  notes: z.array(z.string()).default([]),
  bars: z.number(),
  trades: z.number(),
  signalsBySource: counts,
  objectionsByGate: counts,
  refusalsByLimit: counts,
  cashStart: decimal,
  equityEnd: decimal,
  realised: decimal,
  unrealised: decimal,
  fees: decimal,
  funding: decimal,
  maxDrawdown: z.number(),
  sharpe: z.number().nullable(),
  sharpePeriodsPerYear: z.number().positive().default(365),
  seed: z.string(),
  tapeHash: z.string(),
  codeHash: z.string(),
  deskHash: z.string(),
  commandsHash: z.string(),
  journalHash: z.string().nullable().default(null),
});

export type RunSummary = z.infer<typeof Summary>;

/** A run's directory as far as a report needs it. Money in units of the account's currency. */
export interface RunFiles {
  readonly dir: string;
  readonly summary: RunSummary;
  readonly equity: Series;
  readonly fills: readonly FillFact[];
  /** Closed trades of the real account, in the order they closed. */
  readonly trades: readonly TradeFact[];
}

/** Reads a backtest's directory. Throws InputError for anything else, and for damaged files. */
export function readRunFiles(dir: string): RunFiles {
  if (!existsSync(dir)) throw new InputError(`${dir} does not exist`, 'check the path');
  if (!statSync(dir).isDirectory())
    throw new InputError(`${dir} is a file`, 'give the directory that backtest --out wrote');
  if (existsSync(join(dir, 'journal')) && isPortfolio(dir)) {
    throw new InputError(
      `${dir} is the folder of a paper portfolio`,
      'a report is about a backtest: give the directory that backtest --out wrote',
    );
  }
  const summary = readJson(join(dir, 'summary.json'), Summary, MEND);
  if (summary === null) {
    throw new InputError(
      `${dir} holds neither summary.json nor sweep.json`,
      'give the directory that backtest --out or sweep --out wrote',
    );
  }
  return {
    dir,
    summary,
    equity: readEquity(dir, summary),
    fills: readFills(join(dir, 'fills.csv')),
    trades: readTrades(join(dir, 'trades.csv')),
  };
}

function readEquity(dir: string, { from, cashStart }: RunSummary): Series {
  const path = join(dir, 'equity.csv');
  const rows = readTable(path, ['time', 'equity'], MEND);
  if (rows === null) throw new InputError(`${path} is missing`, MEND);
  const times = rows.map(([time], i) => numberIn(path, i, 'time', time!, MEND));
  const values = rows.map(([, equity], i) => numberIn(path, i, 'equity', equity!, MEND));
  const unsorted = times.findIndex((time, i) => i > 0 && time <= times[i - 1]!);
  if (unsorted >= 0) throw new InputError(`${path}:${unsorted + 2} is not later than the row above`, MEND);
  // a run over nothing still had its cash
  return times.length === 0 ? { times: [from], values: [cashStart] } : { times, values };
}

const FILL_COLUMNS = [
  'time',
  'book',
  'instrument',
  'side',
  'quantity',
  'price',
  'fee',
  'liquidity',
  'orderId',
  'reason',
] as const;

function readFills(path: string): FillFact[] {
  const rows = readTable(path, FILL_COLUMNS, MEND) ?? [];
  return rows.map(([time, book, instrument, side, quantity, price, fee, liquidity, orderId, reason], i) => {
    const number = (name: string, cell: string | undefined) => numberIn(path, i, name, cell!, MEND);
    if (side !== 'buy' && side !== 'sell')
      throw new InputError(`${path}:${i + 2} has the side "${side}"`, MEND);
    return {
      time: number('time', time),
      book: book!,
      instrument: instrument!,
      side,
      quantity: number('quantity', quantity),
      price: number('price', price),
      fee: number('fee', fee),
      liquidity: liquidity!,
      orderId: orderId!,
      reason: reason!,
      multiplier: multiplierOf(instrument!),
    };
  });
}

const TRADE_COLUMNS = [
  'id',
  'book',
  'instrument',
  'direction',
  'openedAt',
  'closedAt',
  'quantity',
  'entryPrice',
  'exitPrice',
  'realised',
  'fees',
  'funding',
  'net',
  'exitReason',
  'shadow',
] as const;

function readTrades(path: string): TradeFact[] {
  const rows = readTable(path, TRADE_COLUMNS, MEND) ?? [];
  const trades: TradeFact[] = [];
  for (const [i, cells] of rows.entries()) {
    const [id, book, instrument, direction] = cells;
    const [openedAt, closedAt, quantity, entryPrice, exitPrice, realised, fees, funding, net] = cells
      .slice(4, 13)
      .map((cell, k) => numberIn(path, i, TRADE_COLUMNS[4 + k]!, cell, MEND)) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    if (cells[14] === 'true') continue;
    trades.push({
      id: id!,
      book: book!,
      instrument: instrument!,
      direction: direction === 'long' ? 1 : -1,
      openedAt,
      closedAt,
      quantity,
      entryPrice,
      exitPrice,
      realised,
      fees,
      funding,
      net,
      exitReason: cells[13]!,
      notional: quantity * entryPrice * multiplierOf(instrument!),
    });
  }
  return trades;
}

const multipliers = new Map<string, number>();

/** Money that one unit of quantity times price stands for. */
function multiplierOf(instrument: string): number {
  let known = multipliers.get(instrument);
  if (known === undefined) {
    known = stepsToNumber(1, instrumentFor(instrumentIdOf(instrument)).contractSize);
    multipliers.set(instrument, known);
  }
  return known;
}
