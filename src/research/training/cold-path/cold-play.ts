import { broken, DAY } from '#base';
import { type BarColumns, barColumns, RATE_ONE } from '#market';
import { type KernelFill, type KernelRule, playRules } from '../../kernel/index.ts';
import { returnsOf, sharpeOf } from '../../statistics/index.ts';
import type { BarRange, ColdCosts, ColdData, ColdPoint, ColdRules } from './cold-data.ts';
import { fundingAfter } from './cold-funding.ts';

/** Bars of history before a test, so that the average true range has forgotten where they began. */
export const COLD_WARM_UP_BARS = 250;

/** What trading one test window came to. Money in minor units. */
export interface WindowOutcome {
  /** Equity at the start and at each close of the test. */
  readonly equity: Float64Array;
  /** Net results of closed trades, in the order they closed. */
  readonly nets: readonly number[];
  /** Annualised Sharpe ratio of the bars' returns; null where nothing moved. */
  readonly sharpe: number | null;
}

/** What is left of a stop's distance on very bad news (sheet S1 RX68, section 3). */
const DRAWN_IN = 0.5;

/** The plan of the desk as the columnar engine plays it. */
export function coldRule(
  data: ColdData,
  rules: ColdRules,
  costs: ColdCosts,
  atrLength: number,
  times: Float64Array,
  directions: Int8Array,
  drawsIn: Uint8Array | null = null,
): KernelRule {
  const { instrument, intervalMs } = data;
  const atr = `atr:${atrLength}`;
  const { stopAtr, targetAtr, risk, notionalMax, verticalBars } = rules;
  return {
    instrument,
    intervalMs,
    signal: { kind: 'series', times, directions },
    sizer: {
      kind: 'fixed-fraction',
      risk,
      notionalMax,
      leverage: Math.max(1, Math.min(instrument.maxLeverage, Math.ceil(notionalMax))),
      stop: { atr, atrMultiple: stopAtr, costMultiple: 0, targetMultiple: targetAtr / stopAtr },
    },
    exits: [
      { kind: 'stop-loss' },
      { kind: 'take-profit' },
      // half a bar less, as the desk has it: see there
      { kind: 'time', longestMs: (verticalBars - 0.5) * intervalMs },
    ],
    opposite: 'close',
    shorts: true,
    shortsClose: false,
    warmUpBars: 1,
    solvent: true,
    cash: costs.cash,
    costRate: costs.feeRate + costs.slippageRate,
    feeRate: Math.round(costs.feeRate * RATE_ONE),
    slippageRate: costs.slippageRate,
    participation: rules.participation,
    liquidates: false,
    requests: [atr],
    // the bars that it was given begin with history
    ...(drawsIn === null ? {} : { drawsIn: { share: DRAWN_IN, bars: drawsIn } }),
  };
}

/** Rows [from, to) of bars, without a copy. */
export function barsBetween(bars: BarColumns, { from, to }: BarRange): BarColumns {
  const cut = barColumns(0);
  const part = (column: Float64Array) => column.subarray(from, to);
  return Object.assign(cut, {
    time: part(bars.time),
    open: part(bars.open),
    high: part(bars.high),
    low: part(bars.low),
    close: part(bars.close),
    volume: part(bars.volume),
    length: to - from,
  });
}

/**
 * Trades the directions of one test window (`directions[k]` at the close of bar test.from + k) from flat, on the columnar
 * engine; funding is paid on what it held. A position that is open at the end counts at the last close. Null when the engine
 * cannot tell: money outgrew it, or all was lost.
 */
export function playWindow(
  data: ColdData,
  rules: ColdRules,
  costs: ColdCosts,
  { atr }: Pick<ColdPoint, 'atr'>,
  test: BarRange,
  directions: Int8Array,
): WindowOutcome | null {
  const history = Math.min(COLD_WARM_UP_BARS, test.from);
  const bars = barsBetween(data.bars, { from: test.from - history, to: test.to });
  const times = data.bars.time.subarray(test.from, test.to);
  // history is not traded: what news said then moves no stop
  const drawsIn = data.news === null ? null : data.news.halves.subarray(test.from - history, test.to);
  const fills: KernelFill[] = [];
  const results: number[] = [];
  const [play] = playRules(bars, [coldRule(data, rules, costs, atr, times, directions, drawsIn)], {
    recorderOf: () => ({
      fill: (fill) => void fills.push(fill),
      trade: ({ realised, fees }) => void results.push(realised - fees),
    }),
  })!;
  if (play!.outcome === null) return null;
  const { equity, funding } = equityAlong(data, bars, fills, costs.cash, history);
  const returns = returnsOf(equity);
  if (returns === null) return null;
  const perYear = (365 * DAY) / data.intervalMs;
  const nets = results.map((net, trade) => net - (funding[trade] ?? 0));
  return { equity, nets, sharpe: sharpeOf(returns, perYear) };
}

/** Equity at the close of the bar before row `from`, and at every close from there on; and the funding that each trade paid. */
function equityAlong(
  { instrument, intervalMs, funding: due }: ColdData,
  bars: BarColumns,
  fills: readonly KernelFill[],
  cash: number,
  from: number,
): { equity: Float64Array; funding: number[] } {
  const { valueNumerator, valueDenominator, tick } = instrument;
  const perTick = 10 ** tick.scale / tick.units;
  const worth = valueNumerator / valueDenominator;
  const equity = new Float64Array(bars.length - from + 1);
  equity[0] = cash;
  const funding: number[] = [];
  const rateIn = due === null ? null : fundingAfter(due, bars.time[from] ?? 0);
  let money = cash;
  let lots = 0;
  let next = 0;
  let paid = 0;
  for (let bar = from; bar < bars.length; bar++) {
    for (; next < fills.length && fills[next]!.bar <= bar; next++) {
      const { side, lots: size, ticks, fee } = fills[next]!;
      const signed = side === 'buy' ? size : -size;
      money -= signed * ticks * worth + fee;
      lots += signed;
      if (lots !== 0) continue;
      funding.push(paid);
      paid = 0;
    }
    const held = lots * Math.round(bars.close[bar]! * perTick) * worth;
    // what falls due at the close: who opens there does not pay
    const rate = rateIn === null ? 0 : rateIn(bars.time[bar]! + intervalMs);
    money -= held * rate;
    paid += held * rate;
    equity[bar - from + 1] = money + held;
  }
  if (next < fills.length) broken('a fill lies beyond the bars');
  return { equity, funding };
}
