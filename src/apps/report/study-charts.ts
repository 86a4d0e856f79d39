import { thinSeries } from '#research';
import { axisMoney, axisPercent } from './axes.ts';
import { axisText, type Chart, lineSeries, pairs, plainNumber, timeAxis, valueAxis } from './chart.ts';
import type { WalkForwardView, WorthFile } from './optional-files.ts';
import { mark } from './palette.ts';

/** Joined tests with their joints, and what each window gained in and out of sample. */
export function walkForwardChart({ file, equity }: WalkForwardView, description: string): Chart {
  const { windows } = file;
  const [from, to] = [windows[0]!.test.from, windows.at(-1)!.test.to];
  const hasCurve = equity.times.length > 1;
  const names = windows.map(({ window }) => String(window + 1));
  return {
    id: 'walk-forward',
    title: 'Walk-forward: joined tests, and each window in and out of sample',
    description,
    legend: [
      { ink: 'other', words: `in sample, where ${file.objective} chose` },
      { ink: 'own', words: 'out of sample' },
    ],
    height: { wide: hasCurve ? 460 : 250, narrow: hasCurve ? 430 : 250 },
    option: (size) => {
      const side = { left: size === 'wide' ? 78 : 62, right: size === 'wide' ? 24 : 14 };
      const tall = hasCurve ? 200 : 0;
      const bars = hasCurve ? 1 : 0;
      const { times, values } = hasCurve ? thinSeries(equity, size === 'wide' ? 400 : 150) : equity;
      const group = (key: 'inSample' | 'outOfSample', ink: 'other' | 'own') => ({
        type: 'bar',
        xAxisIndex: bars,
        yAxisIndex: bars,
        silent: true,
        barGap: '10%',
        barMaxWidth: 26,
        itemStyle: { color: mark(ink) },
        data: windows.map((one) => one[key]?.return ?? null),
      });
      return {
        grid: [
          ...(hasCurve ? [{ ...side, top: 14, height: tall }] : []),
          { ...side, top: hasCurve ? tall + 84 : 34, bottom: 52 },
        ],
        xAxis: [
          ...(hasCurve ? [timeAxis(from, to, size, { gridIndex: 0 })] : []),
          {
            type: 'category',
            data: names,
            gridIndex: bars,
            name: 'window',
            nameLocation: 'middle',
            nameGap: 30,
            nameTextStyle: { color: mark('faint'), fontSize: 12 },
            axisTick: { show: false },
            axisLine: { lineStyle: { color: mark('grid') } },
            axisLabel: axisText(),
          },
        ],
        yAxis: [
          ...(hasCurve ? [valueAxis({ gridIndex: 0, splitNumber: 4, label: axisMoney })] : []),
          valueAxis({
            gridIndex: bars,
            scale: false,
            splitNumber: 4,
            label: axisPercent,
            name: 'return of a window',
            nameLocation: 'end',
            nameGap: 12,
            nameTextStyle: { color: mark('faint'), fontSize: 12, align: 'left' },
          }),
        ],
        series: [
          ...(hasCurve
            ? [
                lineSeries(pairs(times, values), 'own', {
                  markLine: {
                    symbol: 'none',
                    silent: true,
                    label: { show: false },
                    lineStyle: { color: mark('faint'), width: 1, type: 'dotted' },
                    data: windows.slice(1).map((one) => ({ xAxis: one.test.from })),
                  },
                }),
              ]
            : []),
          group('inSample', 'other'),
          group('outOfSample', 'own'),
        ],
      };
    },
  };
}

interface Api {
  value(dimension: number): number;
  coord(point: readonly number[]): number[];
}

/** What each part is worth a day, with its interval. `parts` have one. */
export function worthChart(parts: WorthFile['parts'], description: string): Chart {
  const rows = [...parts].reverse();
  return {
    id: 'worth',
    title: 'What each part is worth a day',
    description,
    legend: [
      { ink: 'gain', words: 'helps' },
      { ink: 'loss', words: 'harms' },
      { ink: 'faint', words: 'not proven' },
    ],
    height: { wide: 70 + 24 * rows.length, narrow: 70 + 24 * rows.length },
    option: (size) => ({
      grid: { left: size === 'wide' ? 250 : 138, right: 24, top: 10, bottom: 48 },
      xAxis: valueAxis({
        scale: false,
        label: (value: number) => plainNumber(Number((value * 1e4).toFixed(3))),
        splitNumber: size === 'wide' ? 8 : 4,
        name: size === 'wide' ? 'mean daily return that it adds, basis points' : 'adds a day, basis points',
        nameLocation: 'middle',
        nameGap: 30,
      }),
      yAxis: {
        type: 'category',
        data: rows.map(({ kind, name }) => (size === 'wide' ? `${kind} ${name}` : name)),
        axisTick: { show: false },
        axisLine: { show: false },
        axisLabel: {
          color: mark('ink'),
          fontSize: 12,
          interval: 0,
          width: size === 'wide' ? 232 : 122,
          overflow: 'truncate',
        },
      },
      series: [
        {
          type: 'custom',
          silent: true,
          data: rows.map(({ dailyReturn }, i) => [
            dailyReturn!.low,
            dailyReturn!.high,
            dailyReturn!.estimate,
            i,
          ]),
          encode: { x: [0, 1, 2], y: 3 },
          renderItem: (_: unknown, api: Api) => {
            const [low, high, estimate, row] = [0, 1, 2, 3].map((k) => api.value(k)) as [
              number,
              number,
              number,
              number,
            ];
            const [left, y] = api.coord([low, row]) as [number, number];
            const [right] = api.coord([high, row]) as [number, number];
            const [x] = api.coord([estimate, row]) as [number, number];
            const ink = low > 0 ? 'gain' : high < 0 ? 'loss' : 'faint';
            const stroke = { stroke: mark(ink), lineWidth: 2, fill: null };
            return {
              type: 'group',
              children: [
                { type: 'line', shape: { x1: left, y1: y, x2: right, y2: y }, style: stroke },
                { type: 'circle', shape: { cx: x, cy: y, r: 4 }, style: { fill: mark(ink) } },
              ],
            };
          },
        },
      ],
    }),
  };
}
