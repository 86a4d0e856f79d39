import type { Histogram } from '#research';
import { type ChartOption, type Size, valueAxis } from './chart.ts';
import { mark } from './palette.ts';

interface HistogramWords {
  /** Labels of the values. */
  readonly value: (value: number) => string;
  readonly below: string;
  readonly above: string;
  /** Bins that begin below it are drawn as losses; null draws all alike. */
  readonly split: number | null;
  /** A value to mark with a line, and its label. */
  readonly marked?: { readonly at: number; readonly label: string };
}

/** What a renderer of the library is given. */
interface Api {
  value(dimension: number): number;
  coord(point: readonly number[]): number[];
}

/** Bars from edge to edge on a true axis of values. */
export function histogramOption({ step, bins }: Histogram, size: Size, words: HistogramWords): ChartOption {
  const { split, marked } = words;
  return {
    grid: { left: size === 'wide' ? 62 : 46, right: size === 'wide' ? 24 : 14, top: 34, bottom: 52 },
    xAxis: valueAxis({
      min: bins[0]!.from,
      max: bins.at(-1)!.from + step,
      splitLine: { show: false },
      splitNumber: size === 'wide' ? 10 : 4,
      ends: false,
      name: words.below,
      nameLocation: 'middle',
      nameGap: 32,
      axisLine: { show: true, onZero: false, lineStyle: { color: mark('grid') } },
      label: words.value,
    }),
    yAxis: valueAxis({
      scale: false,
      minInterval: 1,
      splitNumber: 4,
      name: words.above,
      nameLocation: 'end',
      nameGap: 12,
      nameTextStyle: { color: mark('faint'), fontSize: 12, align: 'left' },
    }),
    series: [
      {
        type: 'custom',
        silent: true,
        clip: true,
        data: bins.map(({ from, count }) => [from, count]),
        renderItem: (_: unknown, api: Api) => {
          const from = api.value(0);
          const [left, top] = api.coord([from, api.value(1)]) as [number, number];
          const [right, bottom] = api.coord([from + step, 0]) as [number, number];
          const isLoss = split !== null && from + step / 2 < split;
          return {
            type: 'rect',
            shape: { x: left + 0.5, y: top, width: Math.max(0.5, right - left - 1), height: bottom - top },
            style: { fill: mark(isLoss ? 'loss' : 'gain'), opacity: 1 },
          };
        },
        ...(marked === undefined
          ? {}
          : {
              markLine: {
                symbol: 'none',
                silent: true,
                // the library rounds the place of a line to two decimals unless told otherwise
                precision: 12,
                lineStyle: { color: mark('ink'), width: 1.5, type: 'dashed' },
                label: {
                  formatter: marked.label,
                  color: mark('ink'),
                  fontSize: 12,
                  position: 'end',
                  distance: 4,
                },
                data: [{ xAxis: marked.at }],
              },
            }),
      },
    ],
  };
}
