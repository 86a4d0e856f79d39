import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JournalFile, Tape, TapeCursor, type TapeSeries } from '#adapters';
import { NO_TRACE } from '#engine';
import { simulatedVenue } from '#execution';
import { Backtest, type BacktestResult, EquityCurve } from '#research';
import { serveOwnEntries } from '../../bin/own-entries.js';
import { tuneCompiler } from '../../bin/tune-compiler.js';
import { loadDesk } from '../../src/apps/setup/load-desk.ts';
import { tapeJournal } from '../../src/apps/setup/run-backtest.ts';
import { buildStudy } from '../../src/apps/setup/study.ts';

tuneCompiler();
serveOwnEntries(new URL('../../src/', import.meta.url), '.ts');

export interface LoopRun {
  readonly result: BacktestResult;
  readonly curve: EquityCurve;
}

/** One desk through the whole loop with journal file, hash chain, fills and equity; trace none. */
export async function runLoop(
  desk: string,
  assignments: readonly string[],
  series: readonly TapeSeries[],
): Promise<(() => LoopRun) & { dispose: () => void }> {
  const tape = new Tape(series);
  const loaded = await loadDesk(desk, assignments);
  const shapes = tape.series.flatMap((s) =>
    s.kind === 'bars' ? [{ instrument: s.instrument, intervalMs: s.intervalMs }] : [],
  );
  const settings = { cash: null, feeBps: null, slippageBps: null, seed: 'bench' };
  const folder = mkdtempSync(join(tmpdir(), 'quorum-bench-'));
  let runs = 0;
  const run = (): LoopRun => {
    const study = buildStudy(loaded, shapes, settings, NO_TRACE);
    const file = JournalFile.create(join(folder, `journal-${runs++}`), {
      headFile: 'none',
      lock: false,
      syncBytes: Infinity,
    });
    const curve = new EquityCurve();
    const result = new Backtest({
      definition: study.definition,
      tape: new TapeCursor(tape),
      venue: simulatedVenue(study.venue),
      journal: tapeJournal(file),
      seed: 'bench',
      codeHash: '',
      configurationHash: '',
      curve,
    }).run();
    file.close();
    return { result, curve };
  };
  return Object.assign(run, { dispose: () => rmSync(folder, { recursive: true, force: true }) });
}
