import {
  type CostsOverTime,
  drawdownSeries,
  type Held,
  type MonteCarloResult,
  type RollingFigures,
  type Series,
  thinSeries,
  valueAt,
} from '#research';
import { above, axisMoney, axisPercent, below, margins } from './axes.ts';
import { type Chart, lineSeries, pairs, type Size, timeAxis, valueAxis } from './chart.ts';
import type { Ink } from './palette.ts';

/** Spans of time that a line is thinned to: two values a pixel at most. */
const BUCKETS: Readonly<Record<Size, number>> = { wide: 420, narrow: 160 };
function line(series: Series, size: Size, ink: Ink, more: Record<string, unknown> = {}) {
  const { times, values } = thinSeries(series, BUCKETS[size]);
  return lineSeries(pairs(times, values), ink, more);
}

export function equityChart(
  name: string,
  equity: Series,
  benchmark: Series | null,
  description: string,
): Chart {
  const [from, to] = [equity.times[0]!, equity.times[equity.times.length - 1]!];
  const falls = drawdownSeries(equity);
  return {
    id: 'equity',
    title: benchmark === null ? 'Equity and drawdown' : 'Equity, benchmark and drawdown',
    description,
    legend: [
      { ink: 'own', words: name },
      ...(benchmark === null ? [] : [{ ink: 'other', words: 'bought and held' } as const]),
      { ink: 'loss', words: 'drawdown' },
    ],
    height: { wide: 470, narrow: 400 },
    option: (size) => {
      const side = margins(size);
      const tall = size === 'wide' ? 270 : 215;
      return {
        grid: [
          { ...side, top: 14, height: tall },
          { ...side, top: tall + 44, bottom: 34 },
        ],
        xAxis: [
          timeAxis(from, to, size, { gridIndex: 0, axisLabel: { show: false }, axisTick: { show: false } }),
          timeAxis(from, to, size, { gridIndex: 1 }),
        ],
        yAxis: [
          valueAxis({ gridIndex: 0, splitNumber: 5, label: axisMoney }),
          valueAxis({ gridIndex: 1, splitNumber: 3, max: 0, label: axisPercent }),
        ],
        series: [
          ...(benchmark === null ? [] : [line(benchmark, size, 'other', { width: 1.4 })]),
          line(equity, size, 'own'),
          line(falls, size, 'loss', { xAxisIndex: 1, yAxisIndex: 1, width: 1.2, area: 0.22 }),
        ],
      };
    },
  };
}

export function exposureChart(
  held: Held,
  equity: Series,
  from: number,
  to: number,
  description: string,
): Chart {
  // what is held changes at once: each step is drawn with both its ends
  const share = (values: readonly number[]): Series => {
    const times = [from, ...held.times.filter((time) => time >= from), to];
    const shares = [
      0,
      ...values.map((value, i) => value / (valueAt(equity, held.times[i]!) ?? equity.values[0]!)),
    ];
    return { times, values: [...shares.slice(0, times.length - 1), shares.at(-1)!] };
  };
  return {
    id: 'exposure',
    title: 'What was held, of the equity',
    description,
    legend: [
      { ink: 'own', words: 'all positions, long and short added up' },
      { ink: 'third', words: 'long less short' },
    ],
    height: { wide: 300, narrow: 280 },
    option: (size) => ({
      grid: { ...margins(size), top: 16, bottom: 34 },
      xAxis: timeAxis(from, to, size),
      yAxis: valueAxis({ label: axisPercent, splitNumber: 4, scale: false }),
      series: [
        line(share(held.gross), size, 'own', { width: 1, area: 0.35, step: 'end' }),
        line(share(held.net), size, 'third', { width: 1.4, step: 'end' }),
      ],
    }),
  };
}

export function rollingChart(times: ArrayLike<number>, rolling: RollingFigures, description: string): Chart {
  const [from, to] = [times[0]!, times[times.length - 1]!];
  return {
    id: 'rolling',
    title: 'Rolling Sharpe ratio and volatility',
    description,
    legend: [],
    height: { wide: 420, narrow: 380 },
    option: (size) => {
      const side = margins(size);
      const tall = size === 'wide' ? 150 : 132;
      return {
        grid: [
          { ...side, top: 34, height: tall },
          { ...side, top: tall + 84, bottom: 34 },
        ],
        xAxis: [
          timeAxis(from, to, size, { gridIndex: 0, axisLabel: { show: false }, axisTick: { show: false } }),
          timeAxis(from, to, size, { gridIndex: 1 }),
        ],
        yAxis: [
          valueAxis({ gridIndex: 0, splitNumber: 4, scale: false, ...above('Sharpe ratio, a year') }),
          valueAxis({
            gridIndex: 1,
            splitNumber: 4,
            scale: false,
            label: axisPercent,
            ...above('volatility, a year'),
          }),
        ],
        series: [
          lineSeries(pairs(times, rolling.sharpe), 'own'),
          lineSeries(pairs(times, rolling.volatility), 'third', { xAxisIndex: 1, yAxisIndex: 1 }),
        ],
      };
    },
  };
}

export function costsChart(costs: CostsOverTime, from: number, to: number, description: string): Chart {
  const upTo = ({ times, values }: Series): Series => ({
    times: [from, ...Array.from(times), to],
    values: [0, ...Array.from(values), values[values.length - 1] ?? 0],
  });
  return {
    id: 'costs',
    title: 'Costs summed up',
    description,
    legend: [
      { ink: 'own', words: 'fees' },
      ...(costs.slippage === null
        ? []
        : [{ ink: 'loss', words: 'slippage, reckoned', shape: 'dash' } as const]),
      { ink: 'third', words: 'funding' },
    ],
    height: { wide: 300, narrow: 280 },
    option: (size) => ({
      grid: { ...margins(size), top: 16, bottom: 34 },
      xAxis: timeAxis(from, to, size),
      yAxis: valueAxis({ label: axisMoney, splitNumber: 4, scale: false }),
      series: [
        line(upTo(costs.fees), size, 'own', { step: 'end' }),
        ...(costs.slippage === null
          ? []
          : [line(upTo(costs.slippage), size, 'loss', { step: 'end', dashed: true })]),
        line(upTo(costs.funding), size, 'third', { step: 'end' }),
      ],
    }),
  };
}

/** Paths of the bootstrap with the run's own beside them. */
export function fanChart(fan: MonteCarloResult['fan'], own: readonly number[], description: string): Chart {
  return {
    id: 'fan',
    title: 'What could have come of the same days in another order',
    description,
    legend: [
      { ink: 'own', words: 'from the 5 % to the 95 % quantile' },
      { ink: 'own', words: 'median', shape: 'dash' },
      { ink: 'loss', words: 'the run itself' },
    ],
    height: { wide: 360, narrow: 320 },
    option: (size) => ({
      grid: { ...margins(size), top: 16, bottom: 52 },
      xAxis: valueAxis({
        scale: false,
        min: 0,
        max: fan.at(-1)!.step,
        ends: false,
        splitLine: { show: false },
        splitNumber: size === 'wide' ? 8 : 4,
        ...below('days'),
      }),
      yAxis: valueAxis({ label: axisMoney, splitNumber: 5 }),
      series: [
        lineSeries(
          fan.map(({ step, p5 }) => [step, p5]),
          'own',
          { width: 1, stack: 'fan', stackStrategy: 'all' },
        ),
        lineSeries(
          fan.map(({ step, p5, p95 }) => [step, p95 - p5]),
          'own',
          { width: 1, stack: 'fan', stackStrategy: 'all', area: 0.16 },
        ),
        lineSeries(
          fan.map(({ step, p50 }) => [step, p50]),
          'own',
          { width: 1.6, dashed: true },
        ),
        lineSeries(
          own.map((value, i) => [i, value]),
          'loss',
          { width: 2 },
        ),
      ],
    }),
  };
}
