import { Resvg } from '@resvg/resvg-js';
import { type Chart, type Drawing, draw, type LegendEntry, WIDTH } from './chart.ts';
import { escaped } from './markup.ts';
import { INKS, LIGHT } from './palette.ts';

export interface Picture {
  readonly title: string;
  /** Sentences below the title. */
  readonly lines: readonly string[];
  readonly charts: readonly Chart[];
  /** Drawn already; they stand before the charts. */
  readonly drawings?: readonly { readonly title: string; readonly drawing: Drawing }[];
}

export interface PictureBytes {
  readonly png: Uint8Array;
  /** Whether a font was found: without one the labels are missing. */
  readonly hasLabels: boolean;
}

const MARGIN = 24;
const FAMILY = '"DejaVu Sans", "Liberation Sans", "Segoe UI", "Helvetica Neue", Arial, sans-serif';
/** Letters of a line at most, at 13 pixels. */
const LINE_LENGTH = 130;

/** Title and charts below one another as one PNG, twice as many pixels as units, on light paper. */
export function drawPicture(
  { title, lines, charts, drawings = [] }: Picture,
  fonts: readonly string[] = [],
): PictureBytes {
  const width = WIDTH.wide + 2 * MARGIN;
  const parts: string[] = [
    `<text x="${MARGIN}" y="48" font-size="24" font-weight="700" class="f-ink">${escaped(title)}</text>`,
  ];
  let y = 74;
  for (const line of lines.flatMap(wrapped)) {
    parts.push(`<text x="${MARGIN}" y="${y}" font-size="13" class="f-faint">${escaped(line)}</text>`);
    y += 20;
  }
  const all = [
    ...drawings.map((one) => ({ ...one, legend: [] })),
    ...charts.map((chart) => ({ title: chart.title, legend: chart.legend, drawing: draw(chart, 'wide') })),
  ];
  for (const { title: heading, legend, drawing } of all) {
    const { body, height } = drawing;
    y += 22;
    parts.push(
      `<text x="${MARGIN}" y="${y}" font-size="15" font-weight="700" class="f-ink">${escaped(heading)}</text>`,
    );
    if (legend.length > 0) {
      y += 22;
      parts.push(legendLine(legend, y));
    }
    y += 8;
    parts.push(`<g transform="translate(${MARGIN} ${y})">${body}</g>`);
    y += height;
  }
  const height = Math.ceil(y + MARGIN);
  const rules = INKS.map((ink) => `.f-${ink}{fill:${LIGHT[ink]}}.s-${ink}{stroke:${LIGHT[ink]}}`).join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-size="12" font-family="${escaped(FAMILY)}"><style>${rules}</style><rect width="100%" height="100%" fill="${LIGHT.paper}"/>${parts.join('')}</svg>`;
  const options = fontOptions(fonts);
  const png = new Resvg(svg, { ...options, fitTo: { mode: 'zoom', value: 2 } }).render().asPng();
  return { png, hasLabels: drawsText(options) };
}

/** Swatches and words in one line. */
function legendLine(entries: readonly LegendEntry[], y: number): string {
  let x = MARGIN;
  return entries
    .map(({ ink, words, shape }) => {
      const swatch =
        shape === 'dot'
          ? `<circle cx="${x + 11}" cy="${y - 4}" r="4.5" class="f-${ink}"/>`
          : shape === 'tri'
            ? `<path d="M${x + 6} ${y}h10l-5 -9z" class="f-${ink}"/>`
            : `<path d="M${x} ${y - 4}h22" stroke-width="3"${shape === 'dash' ? ' stroke-dasharray="6 4"' : ''} class="s-${ink}"/>`;
      const text = `<text x="${x + 29}" y="${y}" font-size="13" class="f-ink">${escaped(words)}</text>`;
      x += 29 + 7.6 * words.length + 24;
      return swatch + text;
    })
    .join('');
}

const fontOptions = (fonts: readonly string[]) => ({
  font: { loadSystemFonts: fonts.length === 0, fontFiles: [...fonts] },
});

/** Whether a letter leaves any mark. */
function drawsText(options: ReturnType<typeof fontOptions>): boolean {
  const probe =
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text x="4" y="30" font-size="24" font-family="sans-serif">M</text></svg>';
  return new Resvg(probe, options).render().pixels.some((value) => value !== 0);
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > LINE_LENGTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
