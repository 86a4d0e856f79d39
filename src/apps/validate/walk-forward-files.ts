import { formatDecimal } from '#base';
import { csvLine } from '../setup/optimise/study-directory.ts';
import type { WalkOutcome, WalkWindow } from './walk-forward-run.ts';

/** What `--json` and `walk-forward.json` say. */
export function walkSummary(outcome: WalkOutcome): Record<string, unknown> {
  const { study, objective, cut, windows } = outcome;
  return {
    desk: study.identity.desk,
    instruments: study.instruments,
    currency: study.currency,
    notes: study.notes,
    objective: objective.name,
    ...cut,
    joints: JOINTS,
    windows: windows.map(windowAsData),
    inSampleAnnual: outcome.inSampleAnnual,
    outOfSampleAnnual: outcome.outOfSampleAnnual,
    efficiency: outcome.efficiency,
    return: outcome.totalReturn,
    sharpe: outcome.sharpe,
    maxDrawdown: outcome.maxDrawdown,
    stability: outcome.stability,
    trials: windows.reduce((sum, { trials }) => sum + trials, 0),
    stamps: [...new Set(windows.flatMap(({ tested }) => tested?.stamps ?? []))],
  };
}

/** What happens where one window follows another. */
export const JOINTS =
  "every stretch begins flat on the desk's warm-up bars; what is open at its end is closed at the last price with a taker's fee and slippage; a test begins with the equity that the one before it left";

function windowAsData({ window, train, test, trials, chosen, tested, equityEnd }: WalkWindow) {
  return {
    window,
    train,
    test,
    trials,
    parameters: chosen?.point ?? null,
    inSample: chosen === null ? null : { value: chosen.value, ...chosen.played.figures },
    outOfSample: tested?.figures ?? null,
    closedAtJoint: tested?.closedAtEnd ?? 0,
    equityEndMinor: equityEnd,
  };
}

/** `windows.csv` and `equity.csv`. */
export function walkFiles({ study, windows }: WalkOutcome): Map<string, string[]> {
  const names = study.space.axes.map(({ name }) => name);
  const figures = ['trades', 'return', 'sharpe', 'maxDrawdown', 'equityEnd'] as const;
  const inSample = figures.map((name) => `inSample.${name}`);
  const rows = windows.map(({ window, train, test, trials, chosen, tested }) =>
    csvLine([
      window,
      train.from,
      train.to,
      test.from,
      test.to,
      trials,
      ...names.map((name) => chosen?.point[name]),
      chosen?.value,
      ...figures.map((name) => chosen?.played.figures[name]),
      ...figures.map((name) => tested?.figures[name]),
      tested?.closedAtEnd,
    ]),
  );
  const head = ['window', 'trainFrom', 'trainTo', 'testFrom', 'testTo', 'trials'];
  const header = csvLine([
    ...head,
    ...names.map((name) => `parameter.${name}`),
    'inSample.value',
    ...inSample,
    ...figures,
    'closedAtJoint',
  ]);
  const curve = windows.flatMap(({ window, tested }) =>
    tested === null
      ? []
      : tested.detail!.times.map((time, i) =>
          csvLine([time, window, formatDecimal(tested.detail!.equities[i]!, tested.minorScale)]),
        ),
  );
  return new Map([
    ['windows.csv', [header, ...rows]],
    ['equity.csv', [csvLine(['time', 'window', 'equity']), ...curve]],
  ]);
}
