import { createHash } from 'node:crypto';
import { type Chart, draw, type LegendEntry, svgElement } from './chart.ts';
import { escaped, html, Markup, NOTHING } from './markup.ts';
import { DARK, INKS, LIGHT, variables } from './palette.ts';
import { TABLE_SCRIPT } from './table-script.ts';

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Markup;
}

export interface Page {
  readonly title: string;
  /** Below the title. */
  readonly lead: Markup;
  readonly sections: readonly Section[];
}

const INK_RULES = INKS.map(
  (ink) =>
    `.f-${ink}{fill:var(--${ink})}.s-${ink}{stroke:var(--${ink})}.i-${ink}{color:var(--${ink})}.b-${ink}{background:var(--${ink})}`,
);

const STYLE = `
:root{${variables(LIGHT)};color-scheme:light}
@media (prefers-color-scheme:dark){:root{${variables(DARK)};color-scheme:dark}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
header,main,footer{max-width:1064px;margin:0 auto;padding:0 32px}
header{padding-top:36px}
h1{font-size:30px;line-height:1.2;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:21px;line-height:1.3;margin:0 0 8px}
h3{font-size:16px;margin:26px 0 6px}
p{margin:8px 0;max-width:76ch}
section{padding:26px 0 22px;border-top:1px solid var(--grid);margin-top:14px}
.faint,figcaption,caption,.sub{color:var(--faint)}
.sub{margin:0;overflow-wrap:anywhere}
.stamp{display:inline-block;border:2px solid var(--loss);color:var(--loss);font-weight:700;padding:1px 9px;border-radius:6px;margin:8px 8px 0 0}
.verdict{font-size:18px;line-height:1.5}
nav{margin:18px 0 4px}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;padding:0;margin:0}
a{color:var(--own)}
.cards{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:20px 0 6px;padding:0}
.card{border:1px solid var(--grid);border-radius:10px;padding:12px 14px;min-width:0}
.card dt{color:var(--faint);font-size:14px}
.card .figure{margin:0;font-size:23px;font-weight:650;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.card .note{margin:0;font-size:13.5px;line-height:1.4;color:var(--faint)}
figure{margin:14px 0 6px}
figure svg{display:block;width:100%;height:auto;font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;font-size:12px}
svg.narrow{display:none}
figcaption{font-size:14px;max-width:80ch}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 20px;padding:0;margin:6px 0 0;font-size:14px}
.legend i{display:inline-block;width:22px;height:4px;border-radius:2px;margin-right:8px;vertical-align:middle}
.legend i.dash{background:none;border-top:3px dashed currentColor;height:0}
.legend i.dot{width:10px;height:10px;border-radius:50%}
.legend i.tri{width:0;height:0;border:6px solid transparent;border-top:0;border-bottom:10px solid currentColor;border-radius:0}
.scroll{overflow-x:auto;margin:10px 0}
.tall .scroll{overflow:auto;max-height:80vh}
.tall thead th{position:sticky;top:0;background:var(--paper)}
table{border-collapse:collapse;font-size:14.5px;font-variant-numeric:tabular-nums;min-width:min(100%,420px)}
caption{text-align:left;font-size:14px;padding:0 0 6px}
caption span{position:sticky;left:0;display:inline-block;max-width:min(80ch,calc(100vw - 32px))}
th,td{padding:5px 10px;text-align:left;border-bottom:1px solid var(--grid);white-space:nowrap;vertical-align:top}
td.wrap{white-space:normal;min-width:16em}
th{font-weight:600}
thead th{color:var(--faint);font-size:13.5px;border-bottom-color:var(--faint)}
.n{text-align:right}
.months td,.months th{padding:5px 7px}
td.h0,td.h1,td.h7,td.h8{color:var(--paper)}
${[0, 1, 2, 3, 4, 5, 6, 7, 8].map((k) => `td.h${k}{background:var(--heat${k})}`).join('')}
button.sort{all:unset;cursor:pointer;color:inherit;font:inherit;font-weight:600}
button.sort:focus-visible,summary:focus-visible,input:focus-visible{outline:2px solid var(--own);outline-offset:2px}
th[aria-sort=ascending] button::after{content:" \\2191"}
th[aria-sort=descending] button::after{content:" \\2193"}
label.filter{display:block;font-size:14px;margin:10px 0 4px}
label.filter input{font:inherit;font-size:16px;color:inherit;background:var(--paper);border:1px solid var(--faint);border-radius:6px;padding:4px 9px;width:min(100%,26em);display:block}
details{border:1px solid var(--grid);border-radius:10px;padding:9px 14px;margin:8px 0}
summary{cursor:pointer;font-weight:600;overflow-wrap:anywhere}
details ul{margin:8px 0;padding-left:20px}
code{font:13.5px/1.5 ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
dl.pairs{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 18px;margin:10px 0;font-size:14.5px}
dl.pairs dd{margin:0;overflow-wrap:anywhere}
dl.pairs dt{color:var(--faint)}
.gain{color:var(--gain)}.loss{color:var(--loss)}
footer{padding-bottom:40px;color:var(--faint);font-size:14px}
${INK_RULES.join('')}
@media screen and (max-width:799px){
header,main,footer{padding-left:16px;padding-right:16px}
header{padding-top:22px}
h1{font-size:24px}
.cards{grid-template-columns:repeat(2,1fr)}
svg.wide{display:none}
figure svg.narrow{display:block;max-width:560px}
th,td{padding:5px 8px}
.stack table,.stack tbody,.stack caption{display:block}
.stack thead{display:none}
.stack tr{display:grid;grid-template-columns:1fr 1fr;gap:1px 20px;padding:8px 0;border-bottom:1px solid var(--grid)}
.stack th[scope=row]{grid-column:1/-1;border:0;padding:0 0 2px;text-align:left;white-space:normal;overflow-wrap:anywhere}
.stack td{display:flex;flex-wrap:wrap;justify-content:flex-end;gap:0 8px;border:0;padding:1px 0;text-align:right;white-space:normal;overflow-wrap:anywhere}
.stack td.n{white-space:nowrap}
.stack td::before{content:attr(data-label);color:var(--faint);text-align:left;white-space:nowrap;margin-right:auto}
.stack td.wrap{grid-column:1/-1}
.stack .months tr{grid-template-columns:repeat(4,1fr);gap:6px}
.stack .months td{flex-direction:column;gap:0;text-align:center;padding:4px 2px;border-radius:6px}
.stack .months td:empty{display:none}
.stack .months td::before{text-align:center;color:inherit;font-size:13px;margin:0}
.scroll th[scope=row]{background:var(--paper)}
dl.pairs{grid-template-columns:1fr;gap:0}
dl.pairs dd{margin-bottom:7px}
}
@media print{
:root{${variables(LIGHT)};color-scheme:light}
body{font-size:11pt}
nav,label.filter{display:none}
figure,details,.card,tr{break-inside:avoid}
section{break-inside:auto}
h2,h3,caption{break-after:avoid}
.scroll,.tall .scroll{overflow:visible;max-height:none}
td,th{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** One file with everything in it: it asks the network for nothing, and the policy in it forbids it to. */
export function pageText({ title, lead, sections }: Page): string {
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(STYLE)}`,
    `script-src ${hashOf(TABLE_SCRIPT)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const page = html`<header>
<h1>${title}</h1>
${lead}
<nav aria-label="Sections"><ul>${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
</header>
<main>
${sections.map(
  ({
    id,
    title: name,
    body,
  }) => html`<section id="${id}" aria-labelledby="${id}-h"><h2 id="${id}-h">${name}</h2>
${body}</section>
`,
)}</main>
<footer><p>Made by quorum report from recorded data. Nothing in it is advice. Times are UTC.</p></footer>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${page.text}
<script>${TABLE_SCRIPT}</script>
</body>
</html>
`;
}

/** A chart in both its sizes, with what its lines mean and a sentence below. */
export function figure(chart: Chart, caption: Markup | string): Markup {
  const drawings = (['wide', 'narrow'] as const).map(
    (size) => new Markup(svgElement(chart, size, draw(chart, size))),
  );
  return html`<figure>${legendList(chart.legend)}${drawings}<figcaption>${caption}</figcaption></figure>`;
}

/** Swatches with words; nothing for none. */
export function legendList(entries: readonly LegendEntry[]): Markup {
  if (entries.length === 0) return NOTHING;
  return html`<ul class="legend">${entries.map(({ ink, words, shape }) =>
    shape === 'dash' || shape === 'tri'
      ? html`<li><i class="${shape} i-${ink}"></i>${words}</li>`
      : html`<li><i class="${shape ?? ''} b-${ink}"></i>${words}</li>`,
  )}</ul>`;
}

/** A column of a table; numbers stand to the right. */
export interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

export interface TableCell {
  readonly text: string | Markup;
  readonly className?: string;
  /** What the cell is sorted by; its text when left out. */
  readonly key?: number | null;
}

/** Longer tables are scrolled sideways on a phone. */
const STACKED_MAX = 60;

/** A table with a caption; `sortable` ones get buttons, and a filter when `filter` names what to type. */
export function dataTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly (TableCell | string)[])[],
  more: { readonly sortable?: boolean; readonly filter?: string; readonly className?: string } = {},
): Markup {
  const head = columns.map(({ name, isNumber }) => {
    const label = more.sortable ? html`<button class="sort" type="button">${name}</button>` : html`${name}`;
    return html`<th scope="col"${isNumber ? new Markup(' class="n"') : NOTHING}>${label}</th>`;
  });
  // on a phone each row of a short table becomes a block of names and values
  const isStacked = rows.length <= STACKED_MAX;
  const lines = rows.map((row) => {
    const cells = row.map((cell, i) => {
      const one = typeof cell === 'string' ? { text: cell } : cell;
      const classes = [columns[i]?.isNumber ? 'n' : '', one.className ?? '']
        .filter((name) => name !== '')
        .join(' ');
      const className = classes === '' ? NOTHING : html` class="${classes}"`;
      const key = 'key' in one && one.key != null ? html` data-key="${one.key}"` : NOTHING;
      if (i === 0) return html`<th scope="row"${className}${key}>${one.text}</th>`;
      const label = isStacked ? html` data-label="${columns[i]!.name}"` : NOTHING;
      return html`<td${className}${key}${label}>${one.text}</td>`;
    });
    return html`<tr>${cells}</tr>\n`;
  });
  const filter =
    more.filter === undefined
      ? NOTHING
      : html`<label class="filter">${more.filter}<input type="search" autocomplete="off"></label>`;
  return html`<div class="table${isStacked ? ' stack' : ' tall'}">${filter}<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table${more.className === undefined ? NOTHING : html` class="${more.className}"`}><caption><span>${caption}</span></caption><thead><tr>${head}</tr></thead>
<tbody>
${lines}</tbody></table></div></div>`;
}

/** Names beside values. */
export function pairsList(entries: readonly (readonly [string, string | Markup])[]): Markup {
  return html`<dl class="pairs">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** A figure with what it means. */
export interface Card {
  readonly name: string;
  readonly figure: string;
  readonly note: string;
  readonly tone?: 'gain' | 'loss';
}

export const cards = (all: readonly Card[]): Markup =>
  html`<dl class="cards">${all.map(
    ({ name, figure: value, note, tone }) =>
      html`<div class="card"><dt>${name}</dt><dd class="figure ${tone ?? ''}">${value}</dd><dd class="note">${note}</dd></div>`,
  )}</dl>`;
