import { DAY, formatDecimal, HOUR, type Instant } from '#base';
import type { Engine } from '#engine';
import type { AccountFigures, EquityNote, PerformanceNote } from './notes.ts';

/** The account as it stands, unrealised gains as of `at`. */
export function accountFigures(engine: Engine, at: Instant): AccountFigures {
  const money = (minor: number) => formatDecimal(minor, engine.definition.baseMinorScale);
  const { equity, cash, realised, unrealised, fees, funding } = engine.real.ledger.summary(at);
  return {
    equity: money(equity),
    cash: money(cash),
    realised: money(realised),
    unrealised: money(unrealised),
    fees: money(fees),
    funding: money(funding),
  };
}

/** Peak, drawdown and the day's beginning, kept beside the engine. All fields are its state. */
export class Figures {
  peak = 0;
  maxDrawdown = 0;
  /** Equity at 00:00 UTC of the running day, and that day; minor units. */
  dayEquity = 0;
  private day = -1;
  private hour = -1;

  constructor(cash: number) {
    this.peak = cash;
    this.dayEquity = cash;
  }

  /** How far an equity lies below the peak, as a fraction of it. */
  drawdownOf(equity: number): number {
    return this.peak > 0 ? Math.max(0, (this.peak - equity) / this.peak) : 0;
  }

  /** The account after a slice, for its curve. */
  equityNote(engine: Engine, at: Instant): EquityNote {
    const equity = engine.equity();
    const text = formatDecimal(equity, engine.definition.baseMinorScale);
    return { note: 'equity', at, equity: text, drawdown: this.drawdownOf(equity) };
  }

  /** Looks at the account after a bar; true once an hour, when its figures belong in the journal. */
  look(engine: Engine, at: Instant): boolean {
    const equity = engine.equity();
    const day = Math.floor(at / DAY);
    if (day > this.day) {
      this.day = day;
      this.dayEquity = equity;
    }
    if (equity > this.peak) this.peak = equity;
    else if (this.peak > 0) this.maxDrawdown = Math.max(this.maxDrawdown, (this.peak - equity) / this.peak);
    const hour = Math.floor(at / HOUR);
    if (hour === this.hour) return false;
    this.hour = hour;
    return true;
  }

  note(engine: Engine, at: Instant): PerformanceNote {
    const record = engine.desks.length === 1 ? engine.desks[0]!.record.trackRecord() : null;
    const known = record !== null && record.n > 0;
    return {
      note: 'performance',
      at,
      ...accountFigures(engine, at),
      trades: engine.counts.trades,
      winRate: known ? record.winRate : null,
      payoff: known && record.meanLoss !== 0 ? Math.abs(record.meanWin / record.meanLoss) : null,
      expectancy: known ? record.expectancy.toFixed(8) : null,
      maxDrawdown: this.maxDrawdown,
    };
  }
}
