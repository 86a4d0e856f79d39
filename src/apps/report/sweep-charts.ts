import {
  type HeatMap,
  type Histogram,
  type ParameterSlice,
  type PlateauRegion,
  quantileOf,
  type SortColumn,
} from '#research';
import { axisMoney, axisPercent } from './axes.ts';
import {
  axisText,
  type Chart,
  type Drawing,
  lineSeries,
  plainNumber,
  type Size,
  valueAxis,
  WIDTH,
} from './chart.ts';
import { histogramOption } from './histogram-chart.ts';
import { escaped } from './markup.ts';
import { mark } from './palette.ts';
import { number, percent } from './words.ts';

/** What people call a column. */
const NAMES: Readonly<Partial<Record<SortColumn, string>>> = {
  sharpe: 'Sharpe ratio',
  maxDrawdown: 'largest drawdown',
  equityEnd: 'final equity',
};

export const nameOf = (column: SortColumn): string => NAMES[column] ?? column;

/** How figures of a column are written. */
export function figureText(column: SortColumn, value: number | null): string {
  if (value === null) return '\u2013';
  return column === 'return' || column === 'maxDrawdown' ? percent(value) : number(value);
}

const axisFigure = (column: SortColumn) =>
  column === 'return' || column === 'maxDrawdown'
    ? axisPercent
    : column === 'sharpe'
      ? (v: number) => plainNumber(Number(v.toFixed(4)))
      : axisMoney;

export function sweepHistogram(
  histogram: Histogram,
  column: SortColumn,
  best: number,
  description: string,
): Chart {
  return {
    id: 'distribution',
    title: `Variants by ${nameOf(column)}`,
    description,
    legend: [],
    height: { wide: 320, narrow: 300 },
    option: (size) =>
      histogramOption(histogram, size, {
        value: axisFigure(column),
        below: nameOf(column),
        above: 'variants',
        split: column === 'sharpe' || column === 'return' ? 0 : null,
        marked: { at: best, label: 'best' },
      }),
  };
}

export function sliceChart(
  slice: ParameterSlice,
  column: SortColumn,
  index: number,
  description: string,
): Chart {
  const { axis, through, low, median, high } = slice;
  const points = (values: readonly (number | null)[]) => values.map((value, i) => [i, value] as const);
  return {
    id: `slice-${index}`,
    title: `${nameOf(column)} along ${axis.name}`,
    description,
    legend: [
      { ink: 'own', words: 'through the best variant' },
      { ink: 'other', words: 'median of all variants with the value', shape: 'dash' },
      { ink: 'other', words: 'their quartiles' },
    ],
    height: { wide: 300, narrow: 280 },
    option: (size) => ({
      grid: { left: size === 'wide' ? 78 : 62, right: size === 'wide' ? 24 : 14, top: 34, bottom: 52 },
      xAxis: {
        type: 'category',
        data: axis.values.map(String),
        boundaryGap: axis.values.length < 3,
        name: axis.name,
        nameLocation: 'middle',
        nameGap: 32,
        nameTextStyle: { color: mark('faint'), fontSize: 12 },
        axisTick: { show: false },
        axisLine: { onZero: false, lineStyle: { color: mark('grid') } },
        axisLabel: { ...axisText(), interval: everySo(axis.values, size) - 1 },
      },
      yAxis: valueAxis({
        splitNumber: 4,
        label: axisFigure(column),
        name: nameOf(column),
        nameLocation: 'end',
        nameGap: 12,
        nameTextStyle: { color: mark('faint'), fontSize: 12, align: 'left' },
      }),
      series: [
        lineSeries(points(low), 'other', { width: 1, stack: 'quartiles', stackStrategy: 'all' }),
        lineSeries(
          low.map((value, i) => [i, value === null ? null : high[i]! - value] as const),
          'other',
          { width: 1, stack: 'quartiles', stackStrategy: 'all', area: 0.14 },
        ),
        lineSeries(points(median), 'other', { width: 1.6, dashed: true }),
        {
          ...lineSeries(points(through), 'own', { width: 2.2 }),
          symbol: axis.values.length <= DOTTED_MAX ? 'circle' : 'none',
          symbolSize: 6,
          showAllSymbol: true,
        },
      ],
    }),
  };
}

const OVERLAP = 0.5;

/** Longer lines have no dots. */
const DOTTED_MAX = 40;

/** Which labels of an axis of names have room: one of so many. */
function everySo(values: readonly unknown[], size: Size): number {
  const longest = Math.max(...values.map((value) => String(value).length));
  const room = WIDTH[size] - (size === 'wide' ? 102 : 76);
  return Math.ceil((values.length * (7.4 * longest + 12)) / room);
}

/** Cells along an edge at most; of a finer grid neighbouring values share one. */
const CELLS_MAX: Readonly<Record<Size, number>> = { wide: 150, narrow: 60 };
const LEVELS = 9;

/** Where the colours of a sweep's heat maps begin and end: middle and distance, so that equal steps have equal shades. */
export interface Scale {
  readonly middle: number;
  readonly most: number;
}

/** Around 0 where figures lie on both sides of it, else around their median; outliers saturate. */
export function scaleOf(figures: readonly number[]): Scale {
  const sorted = [...figures].sort((a, b) => a - b);
  const [low, high] = [quantileOf(sorted, 0.02), quantileOf(sorted, 0.98)];
  const middle = low < 0 && high > 0 ? 0 : quantileOf(sorted, 0.5);
  return { middle, most: Math.max(high - middle, middle - low, 1e-12) };
}

const levelOf = ({ middle, most }: Scale, figure: number, sign: 1 | -1): number =>
  Math.max(0, Math.min(LEVELS - 1, 4 + Math.round(((sign * (figure - middle)) / most) * 4)));

interface HeatStyle {
  readonly scale: Scale;
  /** -1 where less is better. */
  readonly sign: 1 | -1;
  readonly plateau: PlateauRegion;
  readonly column: SortColumn;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/**
 * A heat map: one path for each shade, the plateau framed, the best marked with a ring. Drawn here, because the drawing
 * library spends an element on every cell.
 */
export function drawHeatMap(map: HeatMap, { scale, sign, plateau, column }: HeatStyle, size: Size): Drawing {
  const width = WIDTH[size];
  const columns = grouped(map.across.values.length, CELLS_MAX[size]);
  const lines = grouped(map.up.values.length, CELLS_MAX[size]);
  const longest = Math.max(...map.up.values.map((value) => String(value).length));
  const left = Math.min(110, 30 + 7.2 * longest);
  const top = 26;
  const room = width - left - 14;
  const cellWidth = room / columns.length;
  // a few lines are high enough for their labels
  const least = lines.length <= 15 ? 26 : 2;
  const cellHeight = Math.max(
    least,
    Math.min(34, (size === 'wide' ? 460 : 330) / lines.length, Math.max(12, cellWidth)),
  );
  const tall = cellHeight * lines.length;
  const inPlateau = new Set(plateau.variants);
  const paths = Array.from({ length: LEVELS }, () => '');
  const member: boolean[][] = [];
  const texts: string[] = [];
  let best: Place | null = null;
  const hasTexts = cellWidth >= 46 && cellHeight >= 17;
  for (const [row, ys] of lines.entries()) {
    member.push([]);
    // the lowest value stands below
    const y = top + tall - (row + 1) * cellHeight;
    for (const [place, xs] of columns.entries()) {
      const cells = ys.flatMap((k) => xs.map((i) => map.cells[k]![i]!));
      member[row]!.push(cells.some(({ variant }) => inPlateau.has(variant)));
      const known = cells.flatMap(({ figure }) => figure ?? []);
      if (known.length === 0) continue;
      const mean = known.reduce((a, b) => a + b, 0) / known.length;
      const x = left + place * cellWidth;
      const level = levelOf(scale, mean, sign);
      // a little over its neighbours, so that no seam is left between them
      const right = round(x + cellWidth + OVERLAP);
      const bottom = round(y + cellHeight + OVERLAP);
      paths[level] += `M${round(x)} ${round(y)}H${right}V${bottom}H${round(x)}z`;
      if (cells.some(({ variant }) => variant === plateau.best))
        best = { x: x + cellWidth / 2, y: y + cellHeight / 2 };
      else if (hasTexts) {
        const ink = level <= 1 || level >= 7 ? 'paper' : 'ink';
        texts.push(
          `<text x="${round(x + cellWidth / 2)}" y="${round(y + cellHeight / 2)}" font-size="11" text-anchor="middle" dominant-baseline="central" class="f-${ink}">${figureText(column, mean).replace('\u00a0%', '')}</text>`,
        );
      }
    }
  }
  const frame = outline(member, left, top + tall, cellWidth, cellHeight);
  const body = [
    ...paths.map((path, k) => (path === '' ? '' : `<path d="${path}" class="f-heat${k}"/>`)),
    ...texts,
    `<path d="${frame}" fill="none" stroke-width="5" stroke-linejoin="round" class="s-paper"/>`,
    `<path d="${frame}" fill="none" stroke-width="2.2" stroke-linejoin="round" class="s-ink"/>`,
    best === null
      ? ''
      : `<circle cx="${round(best.x)}" cy="${round(best.y)}" r="6" stroke-width="2.4" class="f-paper s-ink"/>`,
    ...labels(map.across.values, columns, 30, (i) => left + (i + 0.5) * cellWidth).map(({ text, at }) =>
      label(at, top + tall + 16, text, 'middle'),
    ),
    ...labels(map.up.values, lines, 18, (i) => top + tall - (i + 0.5) * cellHeight, true).map(
      ({ text, at }) => label(left - 8, at, text, 'end', true),
    ),
    label(left + room / 2, top + tall + 38, map.across.name, 'middle'),
    label(left, 14, map.up.name, 'start'),
  ];
  return { width, height: Math.ceil(top + tall + 48), body: body.join('\n') };
}

const round = (value: number): number => Math.round(value * 100) / 100;

const label = (x: number, y: number, text: string, anchor: string, isCentred = false): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${isCentred ? ' dominant-baseline="central"' : ''} class="f-faint">${escaped(text)}</text>`;

/** Places 0 to n-1 in at most `most` groups of neighbours. */
function grouped(n: number, most: number): number[][] {
  const each = Math.ceil(n / most);
  return Array.from({ length: Math.ceil(n / each) }, (_, g) =>
    Array.from({ length: Math.min(each, n - g * each) }, (_, k) => g * each + k),
  );
}

/** Labels of an axis that keep a distance from one another. */
function labels(
  values: readonly unknown[],
  groups: readonly (readonly number[])[],
  gap: number,
  at: (group: number) => number,
  isUpright = false,
): { text: string; at: number }[] {
  const out: { text: string; at: number }[] = [];
  let free = Number.NEGATIVE_INFINITY;
  for (const [g, group] of groups.entries()) {
    const text = String(values[group[0]!]);
    const place = at(g);
    const half = isUpright ? gap / 2 : Math.max(gap, text.length * 7.2 + 10) / 2;
    const along = isUpright ? -place : place;
    if (along - half < free) continue;
    free = along + half;
    out.push({ text, at: place });
  }
  return out;
}

/** Edges between cells that belong and cells that do not, as one path. */
function outline(
  member: readonly (readonly boolean[])[],
  left: number,
  bottom: number,
  w: number,
  h: number,
): string {
  const has = (row: number, place: number) => member[row]?.[place] === true;
  let path = '';
  for (let row = 0; row < member.length; row++) {
    for (let place = 0; place < member[row]!.length; place++) {
      if (!has(row, place)) continue;
      const x = left + place * w;
      const y = bottom - (row + 1) * h;
      if (!has(row + 1, place)) path += `M${round(x)} ${round(y)}h${round(w)}`;
      if (!has(row - 1, place)) path += `M${round(x)} ${round(y + h)}h${round(w)}`;
      if (!has(row, place - 1)) path += `M${round(x)} ${round(y)}v${round(h)}`;
      if (!has(row, place + 1)) path += `M${round(x + w)} ${round(y)}v${round(h)}`;
    }
  }
  return path;
}
