import {
  bestRows,
  compareFigures,
  figureOf,
  type HeatMap,
  heatMaps,
  histogramOf,
  type PlateauRegion,
  parameterSlices,
  plateauAround,
  plateauRegion,
  pointText,
  quantileOf,
  type SortColumn,
  type SweepRow,
} from '#research';
import { svgElement } from './chart.ts';
import { html, Markup, NOTHING } from './markup.ts';
import { cards, dataTable, figure, legendList, type Page, pairsList, type Section } from './page.ts';
import type { Picture } from './picture.ts';
import type { SweepFiles } from './read-sweep.ts';
import {
  drawHeatMap,
  figureText,
  nameOf,
  type Scale,
  scaleOf,
  sliceChart,
  sweepHistogram,
} from './sweep-charts.ts';
import { count, counted, money, number, percent } from './words.ts';

/** Rows of the table and maps at most; the whole table is sweep.csv. */
const ROWS_SHOWN = 1_000;
const MAPS_SHOWN = 10;

/** What the sections of a sweep share. */
interface SweepView extends SweepFiles {
  readonly column: SortColumn;
  /** The best first, then the others with the figure. */
  readonly ordered: readonly SweepRow[];
  readonly figures: readonly number[];
  readonly plateau: PlateauRegion | null;
}

function viewOf(sweep: SweepFiles, column: SortColumn): SweepView {
  const { grid, rows } = sweep;
  return {
    ...sweep,
    column,
    ordered: bestRows(rows, column, ROWS_SHOWN),
    figures: rows.flatMap((row) => figureOf(row, column) ?? []),
    plateau: plateauRegion(grid, rows, column),
  };
}

/** The page of a sweep. */
export function sweepPage(sweep: SweepFiles, column: SortColumn): Page {
  const view = viewOf(sweep, column);
  const { file, plateau } = view;
  const sections: (Section | null)[] = [
    plateau === null ? null : { id: 'maps', title: 'Heat maps', body: mapsBody(view, plateau) },
    { id: 'spread', title: 'All variants', body: spreadBody(view) },
    plateau === null
      ? null
      : { id: 'slices', title: 'One parameter at a time', body: slicesBody(view, plateau) },
    { id: 'table', title: 'Table', body: tableBody(view) },
    { id: 'made-from', title: 'Made from', body: madeFrom(view) },
  ];
  return {
    title: `Sweep of ${file.identity.desk} over ${file.instruments
      .map((id) => id.split('.')[0]!)
      .slice(0, 4)
      .join(', ')}`,
    lead: lead(view),
    sections: sections.filter((one) => one !== null),
  };
}

function verdict({ rows, column, plateau, ordered, figures, grid }: SweepView): string {
  if (plateau === null)
    return `None of ${counted(rows.length, 'variant')} has a figure for a ${nameOf(column)}.`;
  const best = ordered[0]!;
  const around = plateauAround(grid, rows, best, column);
  const gained = rows.filter((row) => (figureOf(row, 'return') ?? 0) > 0).length;
  const alone = plateau.variants.length === 1;
  return `Best by ${nameOf(column)}: ${pointText(best.parameters)} with ${figureText(column, figureOf(best, column))}; the middle one of ${counted(figures.length, 'variant')} has ${figureText(
    column,
    quantileOf(
      [...figures].sort((a, b) => a - b),
      0.5,
    ),
  )}. ${gained === 0 ? 'None of them' : gained === rows.length ? 'Every one' : `${percent(gained / rows.length, 1)} of all`} made money. ${
    around.neighbours === 0
      ? 'No variant lies beside the best.'
      : `One step away the ${nameOf(column)} is ${figureText(column, around.mean)} on average and ${figureText(column, around.worst)} at worst.`
  } ${alone ? 'Nothing beside the best is nearly as good: a peak that stands alone is chance.' : `${counted(plateau.variants.length, 'variant')} hang together with it and are nearly as good.`}`;
}

function lead(view: SweepView): Markup {
  const { file, rows, ordered, column } = view;
  const best = ordered[0]!;
  const stamps = [...new Set(rows.flatMap((row) => row.stamps))];
  const notes = [...new Set(rows.flatMap((row) => row.notes))].slice(0, 5);
  return html`<p class="sub">${file.instruments.join(', ')} · money in ${file.currency} · ${counted(rows.length, 'variant')} of ${count(file.combinations)} combinations${file.identity.where === null ? '' : ` (${file.identity.where})`}</p>
${stamps.map((stamp) => html`<span class="stamp">${stamp}</span>`)}
<p class="verdict">${verdict(view)}</p>
${notes.length === 0 ? NOTHING : html`<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
${cards([
  {
    name: `Best ${nameOf(column)}`,
    figure: figureText(column, figureOf(best, column)),
    note: pointText(best.parameters),
  },
  {
    name: 'Its return',
    figure: percent(best.figures.return),
    note: `${counted(best.figures.trades, 'trade')}, fees ${money(Number(best.figures.fees))}`,
    tone: (best.figures.return ?? 0) < 0 ? 'loss' : 'gain',
  },
  {
    name: 'Its largest drawdown',
    figure: percent(best.figures.maxDrawdown === 0 ? 0 : -best.figures.maxDrawdown),
    note: 'below the highest equity before',
    tone: 'loss',
  },
  {
    name: 'Tried',
    figure: count(rows.length),
    note: 'the more variants, the better the best looks without any merit',
  },
])}`;
}

/** 1 where more is better. */
const signOf = (column: SortColumn): 1 | -1 => (compareFigures(column, 2, 1) < 0 ? 1 : -1);

function mapsBody(view: SweepView, plateau: PlateauRegion): Markup {
  const { grid, rows, column, figures } = view;
  const maps = heatMaps(grid, rows, plateau.best, column);
  if (maps.length === 0) return html`<p>Only one parameter varies: see below.</p>`;
  const scale = scaleOf(figures);
  const left = maps.length - MAPS_SHOWN;
  return html`${scaleLegend(scale, column)}
${maps.slice(0, MAPS_SHOWN).map((map, i) => heatFigure(map, { scale, plateau, column }, i))}
${left > 0 ? html`<p>${counted(left, 'further pair')} of parameters ${left === 1 ? 'is' : 'are'} not drawn.</p>` : NOTHING}`;
}

function scaleLegend({ middle, most }: Scale, column: SortColumn): Markup {
  const sign = signOf(column);
  const at = (level: number) => figureText(column, middle + (sign * (level - 4) * most) / 4);
  return html`${legendList([
    { ink: 'heat0', words: `${at(0)} and worse` },
    { ink: 'heat2', words: at(2) },
    { ink: 'heat4', words: at(4) },
    { ink: 'heat6', words: at(6) },
    { ink: 'heat8', words: `${at(8)} and better` },
  ])}<p class="faint">The ring is the best variant. The frame is the plateau around it: what is reached from it in steps and keeps three quarters of what the best is ahead of the middle variant.</p>`;
}

function heatFigure(
  map: HeatMap,
  style: { scale: Scale; plateau: PlateauRegion; column: SortColumn },
  index: number,
): Markup {
  const { column, plateau } = style;
  const chart = {
    id: `map-${index}`,
    title: `${nameOf(column)} by ${map.across.name} and ${map.up.name}`,
    description: `Heat map of ${map.across.values.length} by ${map.up.values.length} values; the plateau around the best has ${counted(plateau.variants.length, 'variant')}.`,
    legend: [],
    height: { wide: 0, narrow: 0 },
    option: () => ({}),
  };
  const drawings = (['wide', 'narrow'] as const).map(
    (size) => new Markup(svgElement(chart, size, drawHeatMap(map, { ...style, sign: signOf(column) }, size))),
  );
  const fixed = pointText(map.fixed);
  return html`<figure><h3>${map.across.name} and ${map.up.name}</h3>${drawings}<figcaption>The ${nameOf(column)} of each pair${fixed === '' ? '' : `, with ${fixed} as in the best variant`}. Empty places were left out or have no figure.</figcaption></figure>`;
}

function spreadBody({ figures, column, ordered }: SweepView): Markup {
  const histogram = histogramOf(figures, 40);
  if (histogram === null) return html`<p>No variant has a figure for a ${nameOf(column)}.</p>`;
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (p: number) => figureText(column, quantileOf(sorted, p));
  const words = `Half of ${counted(figures.length, 'variant')} lie between ${at(0.25)} and ${at(0.75)}, nine of ten between ${at(0.05)} and ${at(0.95)}.`;
  return html`<p>${words}</p>${figure(sweepHistogram(histogram, column, figureOf(ordered[0]!, column)!, words), 'Variants by their figure; the dashed line is the best of them.')}`;
}

function slicesBody(view: SweepView, plateau: PlateauRegion): Markup {
  const slices = parameterSlices(view.grid, view.rows, plateau.best, view.column);
  if (slices.length === 0) return html`<p>No parameter varies.</p>`;
  return html`${slices.map((slice, i) =>
    figure(
      sliceChart(
        slice,
        view.column,
        i,
        `The ${nameOf(view.column)} for ${slice.axis.values.length} values of ${slice.axis.name}.`,
      ),
      `The ${nameOf(view.column)} along ${slice.axis.name}, the other parameters as in the best variant.`,
    ),
  )}`;
}

function tableBody({ ordered, rows, grid, column }: SweepView): Markup {
  const names = grid.axes.map(({ name }) => name);
  const some =
    rows.length > ordered.length
      ? `The ${count(ordered.length)} best of ${count(rows.length)} by ${nameOf(column)}; all of them are in sweep.csv.`
      : `All ${counted(rows.length, 'variant')}, the best by ${nameOf(column)} first.`;
  return dataTable(
    some,
    [
      { name: 'variant', isNumber: true },
      ...names.map((name) => ({ name, isNumber: grid.axes.find((axis) => axis.name === name)!.ordered })),
      ...['Sharpe', 'return', 'drawdown', 'trades', 'fees', 'funding'].map((name) => ({
        name,
        isNumber: true,
      })),
    ],
    ordered.map(({ variant, parameters, figures }) => [
      String(variant),
      ...names.map((name) => String(parameters[name])),
      { text: number(figures.sharpe, 3), key: figures.sharpe },
      { text: percent(figures.return), key: figures.return },
      { text: percent(figures.maxDrawdown), key: figures.maxDrawdown },
      { text: count(figures.trades), key: figures.trades },
      { text: money(Number(figures.fees)), key: Number(figures.fees) },
      { text: money(Number(figures.funding)), key: Number(figures.funding) },
    ]),
    { sortable: true, filter: `Show only rows with, such as ${names[0]}<20 sharpe>0` },
  );
}

function madeFrom({ file }: SweepView): Markup {
  const { identity } = file;
  return pairsList([
    [
      'fixed parameters',
      Object.keys(identity.set).length === 0
        ? "all the desk's defaults"
        : html`<code>${JSON.stringify(identity.set)}</code>`,
    ],
    ['fees', identity.feeBps === null ? "the desk's" : `${identity.feeBps} bp`],
    ['slippage', identity.slippageBps === null ? "the desk's" : `${identity.slippageBps} bp`],
    ['seed', identity.seed],
    ['data', html`<code>${identity.tapeHash}</code>`],
    ['program', html`<code>${identity.codeHash}</code>`],
  ]);
}

/** The main plots of a sweep. */
export function sweepPicture(sweep: SweepFiles, column: SortColumn): Picture {
  const view = viewOf(sweep, column);
  const { plateau, grid, rows, figures } = view;
  const histogram = histogramOf(figures, 40);
  return {
    title: `Sweep of ${view.file.identity.desk}`,
    lines: [verdict(view)],
    charts: [
      ...(histogram === null
        ? []
        : [sweepHistogram(histogram, column, figureOf(view.ordered[0]!, column)!, '')]),
      ...(plateau === null
        ? []
        : parameterSlices(grid, rows, plateau.best, column).map((slice, i) =>
            sliceChart(slice, column, i, ''),
          )),
    ],
    drawings:
      plateau === null
        ? []
        : heatMaps(grid, rows, plateau.best, column)
            .slice(0, MAPS_SHOWN)
            .map((map) => ({
              title: `${nameOf(column)} by ${map.across.name} and ${map.up.name}`,
              drawing: drawHeatMap(
                map,
                { scale: scaleOf(figures), sign: signOf(column), plateau, column },
                'wide',
              ),
            })),
  };
}
