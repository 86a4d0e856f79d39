import { setImmediate as nextTurn } from 'node:timers/promises';
import { TapeCursor } from '#adapters';
import { canonicalJson, sha256, stepsToNumber } from '#base';
import { NO_JOURNAL, NO_TRACE, type TraceSink } from '#engine';
import { simulatedVenue } from '#execution';
import type { InstrumentId } from '#market';
import { Backtest, type DailyEquity, EquityCurve, type LivedTrade, type Oracle } from '#research';
import { buildStudy } from '../setup/study.ts';
import type { PlayInputs } from '../worth/play-desk.ts';

/** A fill as it was booked, in units. */
export interface PlayedFill {
  readonly instrument: InstrumentId;
  readonly time: number;
  readonly quantity: number;
  readonly notional: number;
}

/** One play of a run's desk, money in units of the account's currency unless stated otherwise. */
export interface CostedPlay {
  readonly cash: number;
  /** In minor units. */
  readonly daily: DailyEquity;
  readonly equityEnd: number;
  readonly fees: number;
  readonly maxDrawdown: number;
  readonly trades: readonly LivedTrade[];
  readonly fills: readonly PlayedFill[];
  readonly commandsHash: string;
  readonly intervalMs: number;
  readonly currency: string;
}

/** Follows the regimes that the desk itself sees. */
class RegimeLog implements TraceSink {
  readonly level = 'decisions';
  private readonly seen = new Map<string, { readonly at: number; readonly regime: string | null }[]>();

  line(line: Parameters<TraceSink['line']>[0]): void {
    if (line.type !== 'decision') return;
    const { at, instrument, regime } = line;
    const list = this.seen.get(instrument) ?? [];
    this.seen.set(instrument, list);
    if (list.length === 0 || list.at(-1)!.regime !== regime) list.push({ at, regime });
  }

  /** The regime last seen before a moment; null for none. */
  before(instrument: string, at: number): string | null {
    const list = this.seen.get(instrument) ?? [];
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle]!.at < at) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : list[low - 1]!.regime;
  }
}

/**
 * Plays a run again with its fees and slippage multiplied; nothing is written or put on record. `onStep` hears how many steps
 * of the tape have passed and says whether to go on; null when it said no. Only a play in full (`withDetail`) notes fills and
 * regimes.
 */
export async function playAtCosts(
  run: PlayInputs,
  oracle: Oracle | null,
  factor: number,
  withDetail: boolean,
  onStep: (position: number) => boolean,
): Promise<CostedPlay | null> {
  const { configuration, desk, tape, shapes } = run;
  const regimes = withDetail && desk.parts.regime !== undefined ? new RegimeLog() : null;
  const settings = factor === 1 ? configuration : { ...configuration, costFactor: factor };
  const study = buildStudy(desk, shapes, settings, regimes ?? NO_TRACE);
  const { instrumentOf } = study.venue;
  const walk = new TapeCursor(tape);
  const curve = new EquityCurve();
  const trades: LivedTrade[] = [];
  const fills: PlayedFill[] = [];
  const unit = 10 ** study.definition.baseMinorScale;
  const backtest = new Backtest({
    definition: study.definition,
    tape: walk,
    venue: simulatedVenue(study.venue),
    journal: NO_JOURNAL,
    seed: configuration.seed,
    codeHash: configuration.codeHash,
    configurationHash: sha256(canonicalJson(configuration)),
    curve,
    ...(oracle === null ? {} : { oracle }),
  });
  backtest.engine.observer = {
    traded: ({ instrument, openedAt, closedAt, net }, _desk, shadow) => {
      if (shadow) return;
      const regime = regimes === null ? null : regimes.before(instrument, openedAt);
      trades.push({ openedAt, closedAt, net: net / unit, regime });
    },
    filled: ({ booking }, report) => {
      if (!withDetail || !booking.accepted) return;
      if (report.kind !== 'order-filled' && report.kind !== 'unasked-fill') return;
      const { instrument, lots, ticks } = report.fill;
      const { lot, tick, contractSize } = instrumentOf(instrument);
      const quantity = stepsToNumber(lots, lot);
      const notional = quantity * stepsToNumber(ticks, tick) * stepsToNumber(1, contractSize);
      fills.push({ instrument, time: report.eventTime, quantity, notional });
    },
  };
  backtest.start();
  while (backtest.advance()) {
    // so that Ctrl-C is heard: signals come between turns of the event loop
    await nextTurn();
    if (!onStep(walk.position)) return null;
  }
  const { engine, commandsHash, to } = backtest.finish();
  return {
    cash: study.definition.cash / unit,
    daily: { start: study.definition.cash, closes: Float64Array.from(curve.daily) },
    equityEnd: engine.equity() / unit,
    fees: engine.real.ledger.summary(to).fees / unit,
    maxDrawdown: curve.maxDrawdown,
    trades,
    fills,
    commandsHash,
    intervalMs: study.intervalMs,
    currency: study.base,
  };
}
