import { formatDecimal } from '#base';
import type { PlayedTrade, Verdict } from '#research';
import { paint } from '../cli/terminal.ts';
import { currencyOf, netOf } from './worth-files.ts';
import { INTERVAL, type PartWorth, STAMP, type WorthStudy } from './worth-run.ts';

/** Columns a terminal is given; the tables use at most that many. */
export const WIDTH = 100;
const BAR = 33;
const NAME = 18;

const MARK: Readonly<Record<Verdict, string>> = { helps: '▲', harms: '▼', unproven: '~', idle: '·' };
const COLOUR: Readonly<Record<Verdict, string>> = { helps: '32', harms: '31', unproven: '0', idle: '2' };

/** The study as lines for people: what each part is worth, best first, and which trades it moved. */
export function worthText(study: WorthStudy): string[] {
  const alone = study.parts.filter(({ kind }) => kind === 'alone');
  const parts = study.parts.filter(({ kind }) => kind !== 'alone');
  const scale = scaleOf(study.parts);
  const lines = [...heading(study), ''];
  lines.push(...tableOf('With the part less without it', parts, scale), '');
  if (alone.length > 0)
    lines.push(...tableOf('Each source alone; bars: the whole desk less it', alone, scale), '');
  lines.push(...tradesOf(study), '');
  lines.push(...legend(parts));
  return lines;
}

function heading({ run, whole, days }: WorthStudy): string[] {
  const instruments = [...new Set(run.shapes.map(({ instrument }) => instrument))].sort();
  const shown = instruments.slice(0, 3).join(', ');
  const more = instruments.length > 3 ? ` and ${instruments.length - 3} more` : '';
  const sharpe = whole.sharpe === null ? '-' : whole.sharpe.toFixed(2);
  return [
    paint('1', `What is each part of ${run.desk.definition.name} worth?`),
    `${shown}${more}; ${days} days`,
    `whole: return ${signed(whole.return * 100, 2)} %, Sharpe ${sharpe}, max drawdown ${(whole.maxDrawdown * 100).toFixed(2)} %, ${whole.trades} trades`,
    paint('33', `STAMP: ${STAMP}`),
  ];
}

function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return value > 0 ? `+${text}` : `-${text}`;
}

const cut = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);

function tableOf(title: string, parts: readonly PartWorth[], scale: number): string[] {
  const caption = `bp of equity a day, ${INTERVAL.confidence * 100} % interval`;
  return [
    `${paint('1', title.padEnd(WIDTH - BAR))}${caption}`,
    `  ${'part'.padEnd(11 + NAME)}  return  Sharpe  drawdn trades   ${axisOf(scale)}`,
    ...parts.map((part) => rowOf(part, scale)),
  ];
}

function rowOf({ kind, name, worth }: PartWorth, scale: number): string {
  const { verdict, daily } = worth;
  // what a source does by itself is told in figures of its own, and is no verdict on it
  const isAlone = kind === 'alone';
  const { return: gain, sharpe, maxDrawdown, trades } = isAlone ? worth.without : worth;
  const cells = [
    `${isAlone ? ' ' : MARK[verdict]} ${kind.padEnd(10)} ${cut(name, NAME)}`,
    percent(gain).padStart(8),
    (sharpe === null ? '-' : signed(sharpe, 2)).padStart(7),
    (isAlone ? `${(maxDrawdown * 100).toFixed(2)}%` : percent(maxDrawdown)).padStart(8),
    (isAlone ? String(trades) : signed(trades, 0)).padStart(6),
  ];
  const bar =
    daily === null
      ? 'no interval'.padStart((BAR + 11) >> 1)
      : barOf(daily.low, daily.estimate, daily.high, scale);
  return paint(isAlone ? '0' : COLOUR[verdict], `${cells.join(' ')}  ${bar}`.trimEnd());
}

/** Percent in eight places at most. */
function percent(fraction: number): string {
  const value = fraction * 100;
  const digits = Math.abs(value) < 999.995 ? 2 : 0;
  return `${signed(value, digits)}%`;
}

const BP = 10_000;
const MIDDLE = (BAR - 1) / 2;

/** An interval and its estimate on a line with 0 in the middle; what lies beyond the scale ends in an arrow. */
function barOf(low: number, estimate: number, high: number, scale: number): string {
  const at = (value: number) => MIDDLE + Math.round(((value * BP) / scale) * MIDDLE);
  const cells = Array.from({ length: BAR }, () => ' ');
  cells[MIDDLE] = '│';
  if (low === high && low === 0) cells[MIDDLE] = '○';
  else {
    const from = at(low);
    const to = at(high);
    for (let i = Math.max(0, from); i <= Math.min(BAR - 1, to); i++) cells[i] = i === MIDDLE ? '┼' : '─';
    if (from >= 0 && from < BAR) cells[from] = '├';
    if (to >= 0 && to < BAR) cells[to] = '┤';
    const dot = at(estimate);
    if (dot >= 0 && dot < BAR) cells[dot] = '●';
    if (from < 0) cells[0] = '◄';
    if (to >= BAR) cells[BAR - 1] = '►';
  }
  return cells.join('').trimEnd();
}

function axisOf(scale: number): string {
  const left = signed(-scale, scale < 1 ? 2 : 0);
  const right = signed(scale, scale < 1 ? 2 : 0);
  return `${left.padEnd(MIDDLE)}0${right.padStart(MIDDLE)}`;
}

/**
 * Basis points at the ends of the bars: a round number that holds every interval, or all but an eighth of
 * them where those few are more than three times as long as the rest.
 */
export function scaleOf(parts: readonly PartWorth[]): number {
  const reach = parts
    .flatMap(({ worth: { daily } }) => (daily === null ? [] : [BP * Math.max(-daily.low, daily.high)]))
    .filter((value) => value > 0)
    .sort((a, b) => a - b);
  const most = reach.at(-1) ?? 1;
  const usual = reach[Math.ceil(reach.length * 0.875) - 1] ?? most;
  const wanted = most > 3 * usual ? usual : most;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((n) => n * power).find((nice) => nice >= wanted * (1 - 1e-9))!;
}

function tradesOf(study: WorthStudy): string[] {
  const { name, scale } = currencyOf(study);
  const moved = study.parts.filter(({ worth }) => worth.verdict !== 'idle');
  const some = (trades: readonly PlayedTrade[]) =>
    `${String(trades.length).padStart(7)}${money(netOf(trades), scale, trades.length).padStart(14)}`;
  return [
    paint('1', 'Trades that the part prevented, caused, left otherwise (time, reason), resized'),
    `  ${''.padEnd(11 + NAME)}${`prevented, net ${name}`.padStart(21)} ${`caused, net ${name}`.padStart(21)}  otherwise  resized`,
    ...moved.map(({ kind, name, worth: { matched } }) =>
      [
        `  ${kind.padEnd(10)} ${cut(name, NAME)}`,
        `${some(matched.prevented)} ${some(matched.caused)}`,
        String(matched.changed.length).padStart(11),
        String(matched.resized.length).padStart(9),
      ].join(''),
    ),
    ...(moved.length === 0 ? ['  (none)'] : []),
  ];
}

/** Two places are enough to read. */
function money(minor: number, scale: number, n: number): string {
  if (n === 0) return '-';
  const text = formatDecimal(Math.abs(minor), scale);
  const [whole = '', part = ''] = text.split('.');
  return `${minor < 0 ? '-' : '+'}${whole}${part === '' ? '' : `.${part.slice(0, 2)}`}`;
}

function legend(parts: readonly PartWorth[]): string[] {
  const count = (verdict: Verdict) => parts.filter(({ worth }) => worth.verdict === verdict).length;
  const judged = parts.filter(({ worth }) => worth.verdict !== 'idle' && worth.daily !== null).length;
  return [
    `▲ helps ${count('helps')}   ▼ harms ${count('harms')}   ~ not proven ${count('unproven')}   · no difference ${count('idle')}`,
    `At least one useless part in ${Math.round(1 / (1 - INTERVAL.confidence))} looks useful or harmful by luck: ${expected(judged)} of these ${judged}.`,
    'Stops and targets taken out rest where the market never comes; sizes and limits reckon as before.',
  ];
}

const expected = (judged: number): string => {
  const n = judged * (1 - INTERVAL.confidence);
  return n < 1 ? 'perhaps one' : `about ${Math.round(n)}`;
};
