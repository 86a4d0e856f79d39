import { formatInterval } from '#base';
import type { MetricName, Sample } from './metric-table.ts';

/** A closed trade, oldest first in a list of them. `realised` is in the base currency, after fees and funding. */
export interface ClosedTrade {
  readonly desk: string;
  readonly instrument: string;
  readonly realised: number;
}

/** What is known of the results of one desk in one instrument. */
class Results {
  won = 0;
  lost = 0;
  even = 0;
  profit = 0;
  loss = 0;
  private sum = 0;
  private peak = 0;
  fall = 0;

  add(realised: number): void {
    if (realised > 0) {
      this.won += 1;
      this.profit += realised;
    } else if (realised < 0) {
      this.lost += 1;
      this.loss -= realised;
    } else this.even += 1;
    this.sum += realised;
    this.peak = Math.max(this.peak, this.sum);
    this.fall = Math.max(this.fall, this.peak - this.sum);
  }
}

/**
 * Profit factor (gross profit over gross loss), win rate and drawdown by desk, instrument and interval. `intervalOf` names the
 * interval a desk trades an instrument on; `opening` is the equity the portfolio began with.
 */
export function tradeSamples(
  portfolio: string,
  trades: readonly ClosedTrade[],
  intervalOf: (desk: string, instrument: string) => number | null,
  opening: number,
): Sample[] {
  const byBook = new Map<string, { desk: string; instrument: string; results: Results }>();
  for (const { desk, instrument, realised } of trades) {
    const key = `${desk}\n${instrument}`;
    let book = byBook.get(key);
    if (book === undefined) {
      book = { desk, instrument, results: new Results() };
      byBook.set(key, book);
    }
    book.results.add(realised);
  }
  const samples: Sample[] = [];
  for (const { desk, instrument, results } of byBook.values()) {
    const ms = intervalOf(desk, instrument);
    const labels = { portfolio, desk, instrument, interval: ms === null ? '' : formatInterval(ms) };
    const add = (name: MetricName, value: number, more: Record<string, string> = {}) => {
      if (Number.isFinite(value)) samples.push({ name, labels: { ...labels, ...more }, value });
    };
    const { won, lost, even, profit, loss, fall } = results;
    add('quorum_trades_total', won, { result: 'won' });
    add('quorum_trades_total', lost, { result: 'lost' });
    add('quorum_trades_total', even, { result: 'even' });
    add('quorum_trade_profit_total', profit);
    add('quorum_trade_loss_total', loss);
    add('quorum_profit_factor', profit / loss);
    add('quorum_win_ratio', won / (won + lost + even));
    add('quorum_trade_drawdown_ratio', fall / opening);
  }
  return samples;
}
