import { HOUR } from '#base';
import { type Excursion, histogramOf, type TradeFact, tradeReturn } from '#research';
import { above, axisPercent, below, margins } from './axes.ts';
import { type Chart, type ChartOption, type LegendEntry, valueAxis } from './chart.ts';
import { histogramOption } from './histogram-chart.ts';
import { type Ink, mark } from './palette.ts';

/** Dots of a scatter; of more trades every so many-th is drawn. */
export const DOTS_MAX = 1_200;

/** A unit for lengths of time up to `most`. */
function unitFor(most: number): { ms: number; name: string } {
  if (most <= 3 * HOUR) return { ms: HOUR / 60, name: 'minutes' };
  return most <= 96 * HOUR ? { ms: HOUR, name: 'hours' } : { ms: 24 * HOUR, name: 'days' };
}

interface Dot {
  readonly x: number;
  readonly y: number;
  readonly won: boolean;
}

function scatter(
  head: Pick<Chart, 'id' | 'title' | 'description'>,
  dots: readonly Dot[],
  axes: { x: ChartOption; y: ChartOption },
): Chart {
  const every = Math.ceil(dots.length / DOTS_MAX);
  const drawn = dots.filter((_, i) => i % every === 0);
  // told apart by shape as well as by colour
  const series = (won: boolean, ink: Ink, symbol: string) => ({
    type: 'scatter',
    data: drawn.filter((dot) => dot.won === won).map(({ x, y }) => [x, y]),
    symbol,
    symbolSize: symbol === 'triangle' ? 8 : 7,
    silent: true,
    itemStyle: { color: mark(ink), opacity: 0.62 },
  });
  return {
    ...head,
    legend: MARKS,
    height: { wide: 360, narrow: 320 },
    option: (size) => ({
      grid: { ...margins(size), top: 34, bottom: 52 },
      xAxis: valueAxis({ scale: false, min: 0, splitNumber: size === 'wide' ? 8 : 4, ...axes.x }),
      yAxis: valueAxis({ label: axisPercent, splitNumber: 5, ...axes.y }),
      series: [series(true, 'gain', 'circle'), series(false, 'loss', 'triangle')],
    }),
  };
}

const MARKS: readonly LegendEntry[] = [
  { ink: 'gain', words: 'gained', shape: 'dot' },
  { ink: 'loss', words: 'lost', shape: 'tri' },
];

export function scatterChart(trades: readonly TradeFact[], description: string): Chart {
  const { ms, name } = unitFor(
    trades.reduce((most, { openedAt, closedAt }) => Math.max(most, closedAt - openedAt), 0),
  );
  const dots = trades.flatMap((trade) => {
    const y = tradeReturn(trade);
    return y === null ? [] : [{ x: (trade.closedAt - trade.openedAt) / ms, y, won: trade.net > 0 }];
  });
  const title = 'Each trade: holding time and result';
  return scatter({ id: 'scatter', title, description }, dots, {
    x: below(`held, ${name}`),
    y: above('result after costs, of the amount held'),
  });
}

export function excursionChart(
  trades: readonly TradeFact[],
  excursions: ReadonlyMap<string, Excursion>,
  description: string,
): Chart {
  const dots = trades.flatMap((trade) => {
    const found = excursions.get(trade.id);
    return found === undefined ? [] : [{ x: found.adverse, y: found.favourable, won: trade.net > 0 }];
  });
  const title = 'How far each trade went against and for its holder';
  return scatter({ id: 'excursions', title, description }, dots, {
    x: { label: axisPercent, ...below('furthest loss (MAE)') },
    y: { scale: false, min: 0, ...above('furthest gain (MFE)') },
  });
}

function histogram(
  head: Pick<Chart, 'id' | 'title' | 'description'>,
  values: ArrayLike<number>,
  names: { below: string; above: string },
): Chart | null {
  const bins = histogramOf(values);
  if (bins === null) return null;
  return {
    ...head,
    legend: [],
    height: { wide: 300, narrow: 280 },
    option: (size) => histogramOption(bins, size, { value: axisPercent, ...names, split: 0 }),
  };
}

export const returnsHistogram = (trades: readonly TradeFact[], description: string): Chart | null =>
  histogram(
    { id: 'trade-results', title: 'Results of the trades', description },
    trades.flatMap((trade) => tradeReturn(trade) ?? []),
    { below: 'result after costs, of the amount held', above: 'trades' },
  );

export const dailyHistogram = (returns: ArrayLike<number>, description: string): Chart | null =>
  histogram({ id: 'daily-results', title: 'Results of the days', description }, returns, {
    below: 'return of a day',
    above: 'days',
  });
