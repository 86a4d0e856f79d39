import { Tape, TapeCursor, type TapeSeries } from '#adapters';
import { formatDecimal, stepsToText } from '#base';
import { type DeskDefinition, NO_JOURNAL, NO_RESOURCES, NO_TRACE } from '#engine';
import { simulatedVenue } from '#execution';
import { Backtest, type BacktestResult, EquityCurve } from '#research';
import type { LoadedDesk } from '../../../src/apps/setup/load-desk.ts';
import { buildStudy } from '../../../src/apps/setup/study.ts';

export interface FillRow {
  readonly time: number;
  readonly side: string;
  readonly quantity: number;
  readonly price: number;
  readonly fee: number;
}

/** A desk with its parameters, as the command line would load it. */
export function loaded(definition: DeskDefinition<never>, given: Record<string, unknown> = {}): LoadedDesk {
  const desk = definition as unknown as DeskDefinition<unknown>;
  const parameters = desk.parameters.parse(given);
  return {
    definition: desk,
    parameters,
    parts: desk.build(parameters, NO_RESOURCES),
    sourceHash: '',
    named: desk.name,
  };
}

/** Plays a desk over series in memory, through the same composition as `quorum backtest`, and keeps its fills. */
export function play(
  desk: LoadedDesk,
  series: readonly TapeSeries[],
): { fills: FillRow[]; equity: number; result: BacktestResult } {
  const tape = new Tape(series);
  const shapes = tape.series.flatMap((s) =>
    s.kind === 'bars' ? [{ instrument: s.instrument, intervalMs: s.intervalMs }] : [],
  );
  const settings = { cash: null, feeBps: null, slippageBps: null, seed: '1' };
  const study = buildStudy(desk, shapes, settings, NO_TRACE);
  const backtest = new Backtest({
    definition: study.definition,
    tape: new TapeCursor(tape),
    venue: simulatedVenue(study.venue),
    journal: NO_JOURNAL,
    seed: settings.seed,
    codeHash: '',
    configurationHash: '',
    curve: new EquityCurve(),
  });
  const fills: FillRow[] = [];
  backtest.engine.observer = {
    filled: ({ booking }, report) => {
      if (!booking.accepted || report.kind !== 'order-filled') return;
      const { fill, eventTime } = report;
      const instrument = study.venue.instrumentOf(fill.instrument);
      fills.push({
        time: eventTime,
        side: fill.side,
        quantity: Number(stepsToText(fill.lots, instrument.lot)),
        price: Number(stepsToText(fill.ticks, instrument.tick)),
        fee: Number(formatDecimal(fill.fee, instrument.minorScale)),
      });
    },
  };
  const result = backtest.run();
  const equity = Number(formatDecimal(result.engine.equity(), study.definition.baseMinorScale));
  return { fills, equity, result };
}
