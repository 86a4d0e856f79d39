import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { escaped } from './markup.ts';
import { type Ink, inkOf, mark } from './palette.ts';

use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, MarkLineComponent, SVGRenderer]);

/** Every chart is drawn twice, and the page shows the drawing that fits: labels keep their size on a phone. */
export type Size = 'wide' | 'narrow';

export const WIDTH: Readonly<Record<Size, number>> = { wide: 1000, narrow: 360 };

export type ChartOption = EChartsCoreOption;

/** What a line or mark means: `dash` is a dashed line, `dot` and `tri` are marks of a scatter. */
export interface LegendEntry {
  readonly ink: Ink;
  readonly words: string;
  readonly shape?: 'dash' | 'dot' | 'tri';
}

export interface Chart {
  /** Unique on its page: letters, digits and dashes. */
  readonly id: string;
  readonly title: string;
  /** What there is to see, for those who do not see it. */
  readonly description: string;
  readonly legend: readonly LegendEntry[];
  readonly height: Readonly<Record<Size, number>>;
  readonly option: (size: Size) => ChartOption;
}

/** What an SVG file or element is made of. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Elements; colours are classes `f-INK` for fills and `s-INK` for lines. */
  readonly body: string;
}

/** Draws a chart without a browser: the same bytes for the same chart. */
export function draw(chart: Chart, size: Size): Drawing {
  const width = WIDTH[size];
  const height = chart.height[size];
  const drawer = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    drawer.setOption({
      animation: false,
      useUTC: true,
      backgroundColor: 'transparent',
      ...chart.option(size),
    });
    return { width, height, body: cleaned(drawer.renderToSVGString(), `${chart.id}-${size}`) };
  } finally {
    drawer.dispose();
  }
}

/** An element of a page. */
export function svgElement({ id, title, description }: Chart, size: Size, drawing: Drawing): string {
  const key = `${id}-${size}`;
  return `<svg class="${size}" viewBox="0 0 ${drawing.width} ${drawing.height}" role="img" aria-labelledby="${key}-t ${key}-d"><title id="${key}-t">${escaped(title)}</title><desc id="${key}-d">${escaped(description)}</desc>${drawing.body}</svg>`;
}

/**
 * The drawing library writes styles into elements, numbers its clips by how many charts were drawn before, and adds what only a
 * pointer needs. Styles become attributes and classes, so that the page can refuse inline styles and follow the reader's theme.
 */
function cleaned(svg: string, key: string): string {
  const body = svg
    .replace(/^<svg[^>]*>/, '')
    .replace(/<\/svg>\s*$/, '')
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/<rect [^>]*fill="(none|transparent)"[^>]*><\/rect>/g, '')
    .replace(
      /<(path|text|g|tspan|rect|circle|polyline|polygon|line)\b([^>]*?)(\/?)>/g,
      (_, tag, attributes, end) => element(tag, attributes, end),
    )
    .replace(/<(path|rect|circle|line)([^>]*)><\/\1>/g, '<$1$2/>')
    .replace(/\n+/g, '\n')
    .trim();
  return body.replace(/zr\d+-c(\d+)/g, `${key}-c$1`);
}

function element(tag: string, text: string, end: string): string {
  const attributes = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/([\w:-]+)="([^"]*)"/g)) attributes.set(name!, value!);
  attributes.delete('pointer-events');
  attributes.delete('class');
  attributes.delete('xml:space');
  if (tag === 'text') addFont(attributes);
  attributes.delete('style');
  const classes: string[] = [];
  for (const [name, letter] of [
    ['fill', 'f'],
    ['stroke', 's'],
  ] as const) {
    const ink = inkOf(attributes.get(name) ?? '');
    if (ink === null) continue;
    classes.push(`${letter}-${ink}`);
    attributes.delete(name);
  }
  if (classes.length > 0) attributes.set('class', classes.join(' '));
  const written = [...attributes].map(([name, value]) => ` ${name}="${value}"`).join('');
  return `<${tag}${written}${end}>`;
}

function addFont(attributes: Map<string, string>): void {
  const style = attributes.get('style') ?? '';
  const size = /(\d+(?:\.\d+)?)px/.exec(style)?.[1];
  if (size !== undefined && size !== '12') attributes.set('font-size', size);
  if (/\b(bold|600|700)\b/.test(style)) attributes.set('font-weight', '700');
}

const TEXT_SIZE = 12;

/** Options of axes that all charts share. */
export const axisText = (ink: Ink = 'faint') => ({
  color: mark(ink),
  fontSize: TEXT_SIZE,
  hideOverlap: true,
});

export const splitLine = { show: true, lineStyle: { color: mark('grid'), width: 1 } };

/** Thousands separated, with a true minus sign. */
export const plainNumber = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: 6 }).replace('-', '\u2212');

/** An axis of values; `ends: false` for one whose ends are no round values. */
export function valueAxis(more: Record<string, unknown>): Record<string, unknown> {
  const { label, ends = true, ...others } = more;
  return {
    type: 'value',
    scale: true,
    splitLine,
    axisLine: { show: false, onZero: false },
    axisTick: { show: false },
    nameTextStyle: { color: mark('faint'), fontSize: TEXT_SIZE },
    axisLabel: {
      ...axisText(),
      formatter: label ?? plainNumber,
      ...(ends ? {} : { showMinLabel: false, showMaxLabel: false }),
    },
    ...others,
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** An axis of time from `from` to `to` with as many round dates as there is room for. */
export function timeAxis(from: number, to: number, size: Size, more: Record<string, unknown> = {}) {
  const days = (to - from) / 86_400_000;
  return {
    type: 'time',
    min: from,
    max: to,
    splitNumber: size === 'wide' ? 8 : 3,
    splitLine: { show: false },
    axisLine: { show: true, onZero: false, lineStyle: { color: mark('grid') } },
    axisTick: { show: true, lineStyle: { color: mark('grid') } },
    axisLabel: {
      ...axisText(),
      formatter: (at: number) => dateLabel(at, days),
      showMinLabel: false,
      showMaxLabel: false,
    },
    ...more,
  };
}

function dateLabel(at: number, days: number): string {
  const date = new Date(at);
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  if (days > 1500) return String(date.getUTCFullYear());
  if (days > 300) return `${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  if (days > 4) return day;
  return `${day} ${String(date.getUTCHours()).padStart(2, '0')}:${String(date.getUTCMinutes()).padStart(2, '0')}`;
}

/** A line without dots. */
export function lineSeries(
  points: readonly (readonly [number, number | null])[],
  ink: Ink,
  more: Record<string, unknown> = {},
) {
  const {
    width = 2,
    area,
    dashed = false,
    ...others
  } = more as { width?: number; area?: number; dashed?: boolean };
  return {
    type: 'line',
    data: points,
    symbol: 'none',
    silent: true,
    itemStyle: { color: mark(ink) },
    lineStyle: { color: mark(ink), width, type: dashed ? 'dashed' : 'solid', join: 'round' },
    ...(area === undefined ? {} : { areaStyle: { color: mark(ink), opacity: area } }),
    ...others,
  };
}

/** Pairs of a series. */
export const pairs = (
  times: ArrayLike<number>,
  values: ArrayLike<number | null>,
): [number, number | null][] => Array.from(times, (time, i) => [time, values[i] ?? null]);
