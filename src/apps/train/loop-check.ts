import { cutSeries, seriesLength, Tape, TapeCursor, type TapeSeries } from '#adapters';
import { DAY, InputError } from '#base';
import { s1Momentum, s1Parameters } from '#desks';
import { type DeskParts, NO_JOURNAL, NO_TRACE } from '#engine';
import { simulatedVenue } from '#execution';
import { FUNDING_WINDOW_MS } from '#features';
import { Backtest, type ColdPoint, EquityCurve } from '#research';
import { modelIdOf } from '#signals';
import { codeHash } from '../setup/code-hash.ts';
import type { LoadedDesk } from '../setup/load-desk.ts';
import { type Span, silentBefore, tapeOfSpan } from '../setup/optimise/span-tape.ts';
import { shapesOf } from '../setup/run-backtest.ts';
import { buildStudy } from '../setup/study.ts';
import { artefactOf, type Origin } from './artefact-of.ts';
import type { TrainCosts } from './train-costs.ts';
import type { JudgedWindow } from './winner.ts';

/** What both engines made of the same windows. Money in minor units. */
export interface TwoEngines {
  readonly columnar: { readonly profit: number; readonly trades: number };
  readonly loop: { readonly profit: number; readonly trades: number };
  /** |loop - columnar| over the larger of both; null where neither earned or lost anything. */
  readonly difference: number | null;
  readonly agree: boolean;
}

/** How far the two engines may lie apart (sheet S1 RX68, section 9). */
export const TWO_ENGINES_MAX = 0.05;
/** History before a window: its indicators have then forgotten where it began. */
const HISTORY_BARS = 1_200;

/**
 * Plays every judged window once more with the desk itself on the loop: its own sources read the bars, ask the window's model
 * and trade. Kill switches are wide open, as they are no part of what the columnar engine plays. Null when it was stopped.
 */
export async function checkOnLoop(
  origin: Origin,
  point: ColdPoint,
  costs: TrainCosts,
  windows: readonly JudgedWindow[],
  keepsOn: () => Promise<boolean>,
): Promise<TwoEngines | null> {
  let profit = 0;
  let trades = 0;
  for (const judged of windows) {
    if (!(await keepsOn())) return null;
    // what is not calibrated was not traded
    if (judged.fitted === null || judged.calibration === null) continue;
    const played = playOnLoop(origin, point, costs, judged);
    profit += played.profit;
    trades += played.trades;
  }
  const columnar = windows.reduce(
    (sum, { outcome }) => ({
      profit: sum.profit + outcome.equity.at(-1)! - outcome.equity[0]!,
      trades: sum.trades + outcome.nets.length,
    }),
    { profit: 0, trades: 0 },
  );
  const most = Math.max(Math.abs(profit), Math.abs(columnar.profit));
  const difference = most === 0 ? null : Math.abs(profit - columnar.profit) / most;
  return {
    columnar,
    loop: { profit, trades },
    difference,
    agree: difference === null || difference <= TWO_ENGINES_MAX,
  };
}

function playOnLoop(
  origin: Origin,
  point: ColdPoint,
  costs: TrainCosts,
  { window, fitted, calibration }: JudgedWindow,
): { profit: number; trades: number } {
  const { train, market } = origin;
  const { intervalMs } = market.data;
  const span = { from: window.from, to: window.to };
  const artefact = artefactOf(origin, fitted!, point, calibration!.calibrations, span.from, {
    metrics: {},
    stamps: [],
    parent: null,
  });
  const desk = openDesk(origin, costs, () => ({ id: modelIdOf(artefact), artefact }));
  const tape = historyOf(market.tape, span, intervalMs);
  const parts = silentBefore(desk.parts, span.from);
  const settings = {
    cash: costs.cash,
    feeBps: costs.feeBps,
    slippageBps: costs.slippageBps,
    seed: origin.seed,
  };
  const study = buildStudy({ ...desk, parts }, shapesOf(tape), settings, NO_TRACE, train.config.desk);
  const backtest = new Backtest({
    definition: study.definition,
    tape: new TapeCursor(tape),
    venue: simulatedVenue(study.venue),
    journal: NO_JOURNAL,
    seed: origin.seed,
    codeHash: codeHash(),
    configurationHash: modelIdOf(artefact),
    curve: new EquityCurve(),
  });
  let trades = 0;
  backtest.engine.observer = {
    traded: (_trade, _desk, shadow) => {
      if (!shadow) trades += 1;
    },
  };
  backtest.start();
  while (backtest.advance());
  const { engine } = backtest.finish();
  return { profit: engine.equity() - study.definition.cash, trades };
}

/** The bars of a window with the history that indicators want, the funding that its mean and deviation are taken over, and the news. */
function historyOf(tape: Tape, span: Span, intervalMs: number): Tape {
  const isOther = ({ kind }: TapeSeries) => kind === 'funding' || kind === 'observations';
  const bars = new Tape(tape.series.filter((series) => !isOther(series)));
  const own = tapeOfSpan(bars, span, intervalMs, HISTORY_BARS);
  const known = tape.series
    .filter(isOther)
    .map((series) => cutSeries(series, span.from - FUNDING_WINDOW_MS - DAY, span.to))
    .filter((series) => seriesLength(series) > 0);
  return new Tape([...own.series, ...known]);
}

/** The desk with its stops for what goes wrong over weeks open. */
function openDesk(
  { train, market }: Origin,
  costs: TrainCosts,
  model: () => NonNullable<ReturnType<Parameters<typeof s1Momentum.build>[1]['model']>>,
): LoadedDesk {
  const { config } = train;
  const instruments = Object.fromEntries(
    market.peers.map(([symbol, instrument]) => [symbol, instrument] as const),
  );
  const parameters = s1Parameters.parse({
    symbol: config.symbol,
    timeframe: config.timeframe,
    instruments,
    parity: false,
    dayLossMax: 1,
    drawdownMax: 1,
    groupDayLossMax: 1,
    lossesInARow: Number.MAX_SAFE_INTEGER,
    news: market.data.news !== null,
    watchModel: false,
    fundingShareMax: Number.MAX_SAFE_INTEGER,
    feeBps: costs.feeBps,
    slippageBps: costs.slippageBps,
  });
  const parts: DeskParts = s1Momentum.build(parameters, { model });
  if (parts.sources.length < 2)
    throw new InputError(`${config.id} has no model`, 'this is a fault of the program');
  return {
    definition: s1Momentum as LoadedDesk['definition'],
    parameters,
    parts,
    sourceHash: '',
    named: s1Momentum.name,
  };
}
