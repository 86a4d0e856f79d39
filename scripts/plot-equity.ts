// Draws a run's equity and drawdown as an SVG, beside the instrument itself when the run traded one.
// npx node scripts/plot-equity.ts runs/mine docs/images/equity.svg
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTapeFile } from '../src/adapters/index.ts';

interface Line {
  readonly time: readonly number[];
  readonly value: readonly number[];
}

const WIDTH = 960;
const LEFT = 74;
const RIGHT = 128;
const EQUITY = { top: 84, height: 268 };
const DRAWDOWN = { top: 384, height: 96 };
const HEIGHT = 528;
const MOST_POINTS = 1200;

const INK = {
  text: '#1f2937',
  faint: '#6b7280',
  grid: '#e5e7eb',
  own: '#0f766e',
  other: '#9ca3af',
  loss: '#b91c1c',
};

function readEquity(dir: string): Line {
  const rows = readFileSync(join(dir, 'equity.csv'), 'utf8').trim().split('\n').slice(1);
  const cells = rows.map((row) => row.split(',').map(Number));
  return { time: cells.map(([t]) => t!), value: cells.map(([, v]) => v!) };
}

/** What the opening cash would have become in the one instrument of the run; null for several. */
async function readInstrument(dir: string, cash: number, from: number): Promise<Line | null> {
  const path = join(dir, 'inputs.json');
  const { bars } = JSON.parse(readFileSync(path, 'utf8')) as { bars: string[] };
  if (bars.length !== 1 || !existsSync(bars[0]!.replace(/^[^=]*=/, ''))) return null;
  const series = (await readTapeFile(bars[0]!)).filter((s) => s.kind === 'bars');
  if (series.length !== 1) return null;
  const { columns, intervalMs } = series[0]!;
  const time: number[] = [];
  const value: number[] = [];
  for (let i = 0; i < columns.length; i++) {
    if (columns.time[i]! < from - intervalMs) continue;
    time.push(columns.time[i]! + intervalMs);
    value.push((cash * columns.close[i]!) / columns.open[0]!);
  }
  return { time, value };
}

/** The share of the highest value so far that is lost, 0..1. */
function drawdown({ time, value }: Line): Line {
  let peak = Number.NEGATIVE_INFINITY;
  return {
    time,
    value: value.map((v) => {
      peak = Math.max(peak, v);
      return 1 - v / peak;
    }),
  };
}

/** Few enough points to draw, the extremes of every piece among them. */
function thin({ time, value }: Line): [number, number][] {
  const size = Math.max(1, Math.ceil((2 * value.length) / MOST_POINTS));
  const points: [number, number][] = [];
  for (let from = 0; from < value.length; from += size) {
    const to = Math.min(value.length, from + size);
    let low = from;
    let high = from;
    for (let i = from; i < to; i++) {
      if (value[i]! < value[low]!) low = i;
      if (value[i]! > value[high]!) high = i;
    }
    for (const i of [...new Set([Math.min(low, high), Math.max(low, high)])])
      points.push([time[i]!, value[i]!]);
  }
  return [...points, [time.at(-1)!, value.at(-1)!]];
}

/** Round steps that cut a span into about `pieces`. */
function ticks(low: number, high: number, pieces: number): number[] {
  const raw = (high - low) / pieces;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 2.5, 5, 10].find((m) => m * power >= raw) ?? 10);
  const out: number[] = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) out.push(v);
  return out;
}

function timeTicks(from: number, to: number): { at: number; label: string }[] {
  const years = (to - from) / 31_557_600_000;
  if (years > 2) {
    const every = Math.ceil(years / 10);
    const first = new Date(from).getUTCFullYear() + 1;
    const count = Math.floor((new Date(to).getUTCFullYear() - first) / every) + 1;
    return Array.from({ length: count }, (_, i) => {
      const year = first + i * every;
      return { at: Date.UTC(year, 0, 1), label: String(year) };
    });
  }
  return Array.from({ length: 6 }, (_, i) => {
    const at = from + ((to - from) * (i + 0.5)) / 6;
    return { at, label: new Date(at).toISOString().slice(0, 10) };
  });
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const money = (v: number) => Math.round(v).toLocaleString('en-US');
const percent = (v: number) => `${(100 * v).toFixed(1)} %`;

function text(x: number, y: number, words: string, style = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${style}>${escaped(words)}</text>`;
}

async function draw(dir: string): Promise<string> {
  const summary = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as Record<string, unknown>;
  const own = readEquity(dir);
  const cash = Number(summary.cashStart);
  const [from, to] = [own.time[0]!, own.time.at(-1)!];
  const other = await readInstrument(dir, cash, from);
  const lost = drawdown(own);
  const values = [...own.value, ...(other?.value ?? []), cash];
  const span = Math.max(...values) - Math.min(...values) || 1;
  const low = Math.min(...values) - 0.04 * span;
  const high = Math.max(...values) + 0.06 * span;
  const worst = Math.max(0.01, ...lost.value);
  const right = WIDTH - RIGHT;
  const x = (t: number) => LEFT + ((t - from) / (to - from || 1)) * (right - LEFT);
  const y = (v: number) => EQUITY.top + (1 - (v - low) / (high - low)) * EQUITY.height;
  const d = (v: number) => DRAWDOWN.top + (v / (worst * 1.08)) * DRAWDOWN.height;
  const path = (line: Line, scale: (v: number) => number) =>
    thin(line)
      .map(([t, v], i) => `${i === 0 ? 'M' : 'L'}${x(t).toFixed(1)} ${scale(v).toFixed(1)}`)
      .join('');
  const out: string[] = [];
  const bottom = DRAWDOWN.top + DRAWDOWN.height;
  for (const v of ticks(low, high, 5)) {
    out.push(`<path d="M${LEFT} ${y(v).toFixed(1)}H${right}" stroke="${INK.grid}"/>`);
    out.push(text(LEFT - 10, y(v) + 4, money(v), `text-anchor="end" fill="${INK.faint}"`));
  }
  for (const v of ticks(0, worst, 2)) {
    out.push(`<path d="M${LEFT} ${d(v).toFixed(1)}H${right}" stroke="${INK.grid}"/>`);
    out.push(
      text(
        LEFT - 10,
        d(v) + 4,
        `${v > 0 ? '-' : ''}${Math.round(100 * v)} %`,
        `text-anchor="end" fill="${INK.faint}"`,
      ),
    );
  }
  for (const { at, label } of timeTicks(from, to)) {
    out.push(`<path d="M${x(at).toFixed(1)} ${bottom}v5" stroke="${INK.other}"/>`);
    out.push(text(x(at), bottom + 20, label, `text-anchor="middle" fill="${INK.faint}"`));
  }
  if (other !== null)
    out.push(`<path d="${path(other, y)}" fill="none" stroke="${INK.other}" stroke-width="1.1"/>`);
  out.push(
    `<path d="${path(own, y)}L${right} ${y(low).toFixed(1)}L${LEFT} ${y(low).toFixed(1)}Z" fill="url(#under)"/>`,
  );
  out.push(
    `<path d="${path(own, y)}" fill="none" stroke="${INK.own}" stroke-width="1.8" stroke-linejoin="round"/>`,
  );
  const losses = path(lost, d);
  out.push(
    `<path d="${losses}L${right} ${DRAWDOWN.top}L${LEFT} ${DRAWDOWN.top}Z" fill="${INK.loss}" fill-opacity="0.16"/>`,
  );
  out.push(`<path d="${losses}" fill="none" stroke="${INK.loss}" stroke-width="1.1"/>`);
  const ends: [string, number, string][] = [[String(summary.desk), own.value.at(-1)!, INK.own]];
  const [instrument] = summary.instruments as string[];
  if (other !== null) ends.push([instrument!, other.value.at(-1)!, INK.faint]);
  ends.sort((a, b) => b[1] - a[1]);
  let free = 0;
  for (const [name, v, ink] of ends) {
    const at = Math.max(y(v), free);
    free = at + 34;
    out.push(text(right + 8, at, name, `fill="${ink}" font-weight="600"`));
    out.push(text(right + 8, at + 14, money(v), `fill="${ink}"`));
  }
  out.push(text(right + 8, d(worst) - 2, 'deepest', `fill="${INK.loss}" font-weight="600"`));
  out.push(text(right + 8, d(worst) + 12, `-${percent(worst)}`, `fill="${INK.loss}"`));
  const date = (t: number) => new Date(t).toISOString().slice(0, 10);
  const title = `${summary.desk} on ${(summary.instruments as string[]).join(', ')}`;
  const under = `${date(from)} to ${date(to)} · ${summary.trades} trades · fees ${money(Number(summary.fees))} paid · opening cash ${money(cash)} ${summary.currency}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12">
<defs><linearGradient id="under" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${INK.own}" stop-opacity="0.22"/><stop offset="1" stop-color="${INK.own}" stop-opacity="0.02"/></linearGradient></defs>
<rect width="100%" height="100%" rx="10" fill="#ffffff"/>
${text(LEFT, 36, title, `font-size="19" font-weight="700" fill="${INK.text}"`)}
${text(LEFT, 57, under, `fill="${INK.faint}"`)}
${text(LEFT, DRAWDOWN.top - 10, 'drawdown', `fill="${INK.faint}"`)}
${out.join('\n')}
</svg>
`;
}

const [dir, file] = process.argv.slice(2);
if (dir === undefined || file === undefined) {
  process.stderr.write('usage: npx node scripts/plot-equity.ts RUN-DIRECTORY FILE.svg\n');
  process.exitCode = 2;
} else writeFileSync(file, await draw(dir));
