import { colour } from '../shell/theme.ts';

/** Colours of the chart: blue and orange tell up from down for every kind of colour vision, shapes and words say it again. */
export interface ChartPalette {
  readonly background: string;
  readonly ink: string;
  readonly soft: string;
  readonly grid: string;
  readonly up: string;
  readonly down: string;
  readonly neutral: string;
  readonly lines: readonly string[];
  readonly regimes: Readonly<Record<string, string>>;
}

const LINES = {
  light: ['#00695c', '#8e24aa', '#946200', '#455a64', '#ad1457', '#5d4037'],
  dark: ['#4db6ac', '#ce93d8', '#f2cc60', '#b0bec5', '#f48fb1', '#bcaaa4'],
} as const;

/** The colours of the theme in use, from the style sheet; those that only a chart needs are kept here. */
export function chartPalette(): ChartPalette {
  const root = document.documentElement;
  const lines = LINES[root.dataset.theme === 'light' ? 'light' : 'dark'];
  const [up, down, neutral] = [colour('gain'), colour('loss'), colour('muted')];
  return {
    background: colour('surface'),
    ink: colour('ink'),
    soft: colour('soft'),
    grid: colour('line'),
    up,
    down,
    neutral,
    lines,
    regimes: { TREND_UP: up, TREND_DOWN: down, RANGE: neutral, CHOP: lines[5], VOLATILE: lines[1] },
  };
}

/** A regime's name as people read it. */
export function regimeName(regime: string): string {
  return regime.toLowerCase().replaceAll('_', ' ');
}
