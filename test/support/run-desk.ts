import { Tape, TapeCursor, type TapeSeries } from '#adapters';
import { NO_JOURNAL, NO_TRACE, type TraceSink } from '#engine';
import { simulatedVenue } from '#execution';
import { Backtest, type BacktestResult, EquityCurve } from '#research';
import { loadDesk } from '../../src/apps/setup/load-desk.ts';
import { buildStudy, type StudySettings } from '../../src/apps/setup/study.ts';

/** One desk over series in memory: no files, no journal. */
export async function runDesk(
  named: string,
  assignments: readonly string[],
  series: readonly TapeSeries[],
  options: { trace?: TraceSink; settings?: Partial<StudySettings> } = {},
): Promise<BacktestResult> {
  const tape = new Tape(series);
  const desk = await loadDesk(named, assignments);
  const shapes = tape.series.flatMap((s) =>
    s.kind === 'bars' ? [{ instrument: s.instrument, intervalMs: s.intervalMs }] : [],
  );
  const settings = { cash: null, feeBps: null, slippageBps: null, seed: 'test', ...options.settings };
  const study = buildStudy(desk, shapes, settings, options.trace ?? NO_TRACE);
  return new Backtest({
    definition: study.definition,
    tape: new TapeCursor(tape),
    venue: simulatedVenue(study.venue),
    journal: NO_JOURNAL,
    seed: settings.seed,
    codeHash: '',
    configurationHash: '',
    curve: new EquityCurve(),
  }).run();
}
