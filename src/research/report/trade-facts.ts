/** A fill as a report needs it. */
export interface FillFact {
  readonly time: number;
  readonly book: string;
  readonly instrument: string;
  readonly side: 'buy' | 'sell';
  readonly quantity: number;
  readonly price: number;
  /** Positive when paid. */
  readonly fee: number;
  readonly liquidity: string;
  readonly orderId: string;
  readonly reason: string;
  /** Money that one unit of quantity times price stands for: 1 but for contracts of another size. */
  readonly multiplier: number;
}

/** A closed trade. Money in units of the account's currency; times in epoch milliseconds. */
export interface TradeFact {
  readonly id: string;
  readonly book: string;
  readonly instrument: string;
  readonly direction: 1 | -1;
  readonly openedAt: number;
  readonly closedAt: number;
  readonly quantity: number;
  readonly entryPrice: number;
  readonly exitPrice: number;
  readonly realised: number;
  readonly fees: number;
  readonly funding: number;
  readonly net: number;
  readonly exitReason: string;
  /** What was held at the entry price. */
  readonly notional: number;
}

/** Net result as a fraction of what was held; null where nothing was. */
export const tradeReturn = ({ net, notional }: TradeFact): number | null =>
  notional > 0 ? net / notional : null;

/** The orders a trade began with. */
export interface TradeEntry {
  readonly orderId: string;
  readonly reason: string;
}

/**
 * Which order opened each trade: fills of a book are followed from flat to flat and meet its trades in their order. A fill
 * that turns a position round closes one trade and opens the next.
 */
export function entriesOfTrades(
  fills: readonly FillFact[],
  trades: readonly TradeFact[],
): ReadonlyMap<string, TradeEntry> {
  const opened = new Map<string, TradeEntry[]>();
  const held = new Map<string, number>();
  for (const { book, instrument, side, quantity, orderId, reason } of fills) {
    const key = `${book} ${instrument}`;
    const before = held.get(key) ?? 0;
    const sum = before + (side === 'buy' ? quantity : -quantity);
    // quantities are decimals: what is left of a closed position is rounding
    const after = Math.abs(sum) <= 1e-9 * quantity ? 0 : sum;
    held.set(key, after);
    if (after === 0 || (before !== 0 && Math.sign(before) === Math.sign(after))) continue;
    const list = opened.get(key) ?? [];
    list.push({ orderId, reason });
    opened.set(key, list);
  }
  const out = new Map<string, TradeEntry>();
  for (const { id, book, instrument } of trades) {
    const entry = opened.get(`${book} ${instrument}`)?.shift();
    if (entry !== undefined) out.set(id, entry);
  }
  return out;
}

export interface TradeGroup {
  readonly name: string;
  readonly trades: number;
  readonly winRate: number;
  readonly net: number;
  readonly mean: number;
  /** Gross profit / gross loss; null without a loss. */
  readonly profitFactor: number | null;
  readonly meanHoldMs: number;
}

/** Trades by name; one that has several names counts under each. The group with the most trades first. */
export function groupTrades(
  trades: readonly TradeFact[],
  namesOf: (trade: TradeFact) => readonly string[],
): TradeGroup[] {
  const groups = new Map<string, TradeFact[]>();
  for (const trade of trades) {
    for (const name of namesOf(trade)) {
      const own = groups.get(name);
      if (own === undefined) groups.set(name, [trade]);
      else own.push(trade);
    }
  }
  return [...groups]
    .map(([name, own]) => groupOf(name, own))
    .sort((a, b) => b.trades - a.trades || (a.name < b.name ? -1 : 1));
}

function groupOf(name: string, own: readonly TradeFact[]): TradeGroup {
  const sum = (of: (trade: TradeFact) => number) => own.reduce((total, trade) => total + of(trade), 0);
  const net = sum((trade) => trade.net);
  const lost = sum((trade) => Math.max(0, -trade.net));
  return {
    name,
    trades: own.length,
    winRate: own.filter((trade) => trade.net > 0).length / own.length,
    net,
    mean: net / own.length,
    profitFactor: lost > 0 ? sum((trade) => Math.max(0, trade.net)) / lost : null,
    meanHoldMs: sum((trade) => trade.closedAt - trade.openedAt) / own.length,
  };
}

/** The furthest a trade went against and for its holder on the bars it lived through: fractions of the entry price, 0 and above. */
export interface Excursion {
  readonly adverse: number;
  readonly favourable: number;
}

/** Bars by their open times, as they were recorded. */
export interface BarsOfTrade {
  readonly intervalMs: number;
  readonly time: ArrayLike<number>;
  readonly high: ArrayLike<number>;
  readonly low: ArrayLike<number>;
}

/** Bars that a trade was held through, the one it was opened in and the one it was closed in included; null for none. */
export function excursionOf(trade: TradeFact, bars: BarsOfTrade): Excursion | null {
  const { time, high, low, intervalMs } = bars;
  let lowest = Math.min(trade.entryPrice, trade.exitPrice);
  let highest = Math.max(trade.entryPrice, trade.exitPrice);
  let from = 0;
  let to = time.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    // what was reported with a bar's close happened in that bar
    if (time[middle]! + intervalMs < trade.openedAt) from = middle + 1;
    else to = middle;
  }
  const first = from;
  for (; from < time.length && time[from]! < trade.closedAt; from++) {
    lowest = Math.min(lowest, low[from]!);
    highest = Math.max(highest, high[from]!);
  }
  if (from === first || !(trade.entryPrice > 0)) return null;
  const down = 1 - lowest / trade.entryPrice;
  const up = highest / trade.entryPrice - 1;
  return trade.direction === 1
    ? { adverse: Math.max(0, down), favourable: Math.max(0, up) }
    : { adverse: Math.max(0, up), favourable: Math.max(0, down) };
}
