import { formatInstant } from '#base';
import { plain, plainData } from '../cli/plain-text.ts';
import { paint, table } from '../cli/terminal.ts';
import type { DecisionStatus, Status } from './status.ts';

const percent = (fraction: number, digits = 2): string =>
  `${fraction > 0 ? '+' : ''}${(fraction * 100).toFixed(digits)} %`;
const shown = (value: number | null): string => (value === null ? '-' : String(Number(value.toPrecision(8))));
const GREEN = '32';
const RED = '31';
const YELLOW = '33';
const DIM = '2';
const BOLD = '1';

/** A decimal string with at most two places and thousands set apart: for people, never for arithmetic. */
export function amount(decimal: string): string {
  const [whole = '0', places = ''] = decimal.replace('-', '').split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return `${decimal.startsWith('-') ? '-' : ''}${grouped}.${places.padEnd(2, '0').slice(0, 2)}`;
}

const mark = (status: Status): string =>
  status.mode === 'PAPER' ? paint('42;30', ' PAPER ') : paint('43;30', ` ${status.mode} `);

function stoppedText({ running, desksStopped }: Status): string {
  if (!running) return paint(RED, 'STOPPED by an operator');
  return desksStopped.length === 0 ? '' : paint(RED, `STOPPED by an operator: ${desksStopped.join(', ')}`);
}

function breakerText({ breaker }: Status): string {
  if (breaker === null) return 'none';
  const text =
    breaker.causes.length === 0 ? breaker.state : `${breaker.state} (${breaker.causes.join(', ')})`;
  return paint(breaker.state === 'CLOSED' ? GREEN : breaker.state === 'ALERT' ? YELLOW : RED, text);
}

function killText({ killSwitches = [] }: Status): string {
  const tripped = killSwitches.filter((one) => one.tripped);
  if (tripped.length === 0) return '';
  return `   ${paint(RED, `KILL SWITCH ${tripped.map(({ name, why }) => `${name} (${why})`).join(', ')}`)}`;
}

/** Where a console shows what runs. */
export interface ConsolePlace {
  readonly url: string;
}

/** The whole status as lines of at most `columns` characters, for a terminal that is redrawn. */
export function panelLines(
  given: Status,
  columns: number,
  consolePlace: ConsolePlace | null = null,
): string[] {
  const status = plainData(given);
  const money = (text: string) => `${amount(text)} ${status.currency}`;
  const day = paint(status.dayChange < 0 ? RED : GREEN, percent(status.dayChange));
  const lines = [
    `${mark(status)} ${paint(BOLD, status.portfolio)}  ${formatInstant(status.at)}  ${stoppedText(status)}`,
    '',
    `equity ${paint(BOLD, money(status.equity))}  today ${day}  drawdown ${percent(-status.maxDrawdown)}`,
    `realised ${amount(status.realised)}  unrealised ${amount(status.unrealised)}  fees ${amount(status.fees)}  funding ${amount(status.funding)}`,
    `breaker ${breakerText(status)}   feed ${feedText(status)}${killText(status)}`,
    '',
    ...regimeLines(status, columns),
    '',
    ...positionLines(status),
    '',
    paint(BOLD, 'last decisions'),
    ...(status.decisions.length === 0
      ? [paint(DIM, '  nothing has wanted to act yet: quorum status --show desks')]
      : []),
    ...decisionRows(status.decisions),
    ...status.reviews.map((r) =>
      paint(
        YELLOW,
        `  plan ${r.planId} waits for you: quorum operator review --question ${r.questionId} --allow`,
      ),
    ),
    '',
    paint(DIM, footer(status)),
    paint(
      DIM,
      'Ctrl-C ends (nothing is lost) · quorum status · quorum operator flatten --reason "..." · quorum stop',
    ),
    ...(consolePlace === null ? [] : [`console ${paint(BOLD, plain(consolePlace.url))}`]),
  ];
  return lines.map((line) => cut(line, columns));
}

function feedText({ feed, tape, mode }: Status): string {
  if (tape === null) return feed === 'live' ? paint(GREEN, feed) : paint(YELLOW, feed);
  const of = tape.length === null ? '' : ` of ${tape.length}`;
  return tape.over ? paint(YELLOW, `${mode}: the tape is over`) : `${mode} step ${tape.position}${of}`;
}

function regimeLines({ instruments }: Status, columns: number): string[] {
  const cells = instruments.map(
    (i) => `${i.id.split('.')[0]} ${shown(i.price)} ${i.regime ?? `(${i.bars} bars)`}`,
  );
  const width = Math.max(0, ...cells.map((c) => c.length)) + 3;
  const perLine = Math.max(1, Math.floor(columns / Math.max(1, width)));
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += perLine) {
    lines.push(
      cells
        .slice(i, i + perLine)
        .map((c) => c.padEnd(width))
        .join('')
        .trimEnd(),
    );
  }
  return lines;
}

function positionLines({ positions, workingOrders, currency }: Status): string[] {
  if (positions.length === 0) return [`no position, ${workingOrders} working orders`];
  const rows = positions.map((p) => [
    `  ${p.instrument.split('.')[0]}`,
    p.side,
    p.quantity,
    `@ ${shown(p.entryPrice)}`,
    `now ${shown(p.price)}`,
    `${amount(p.unrealised)} ${currency}`,
    p.stop === null ? '' : `stop ${shown(p.stop)} (${percent(p.stopDistance ?? 0)} away)`,
    p.target === null ? '' : `target ${shown(p.target)} (${percent(p.targetDistance ?? 0)} away)`,
  ]);
  return [paint(BOLD, `positions (${workingOrders} working orders)`), ...table(rows, [2, 5])];
}

function decisionRows(decisions: readonly DecisionStatus[]): string[] {
  const rows = decisions.map((d) => [
    `  ${formatInstant(d.at).slice(5, 16).replace('T', ' ')}`,
    d.instrument.split('.')[0]!,
    d.action,
    d.confidence.toFixed(2),
    d.outcome,
    d.why,
  ]);
  return table(rows);
}

function footer(status: Status): string {
  const { counts, journal, projections, rssMiB } = status;
  const behind = projections?.error != null ? ', database is behind' : '';
  return `${counts.bars} bars · ${counts.slices} slices · ${counts.orders} orders · ${counts.fills} fills · ${counts.trades} trades · ${journal.entries} journal entries · ${rssMiB} MiB${behind}`;
}

/** Cuts a line at `columns` visible characters; colours have no width. */
function cut(line: string, columns: number): string {
  let seen = 0;
  let out = '';
  for (let i = 0; i < line.length; ) {
    const code = line[i] === '\u001b' ? line.indexOf('m', i) : -1;
    if (code > 0) {
      out += line.slice(i, code + 1);
      i = code + 1;
      continue;
    }
    if (seen === columns) return out.includes('\u001b') ? `${out}\u001b[0m` : out;
    out += line[i];
    seen += 1;
    i += 1;
  }
  return out;
}

/** One line for a log or a pipe. */
export function statusLine(status: Status): string {
  const { positions, counts } = status;
  const held =
    positions.map((p) => `${p.side} ${p.quantity} ${p.instrument.split('.')[0]}`).join(', ') || 'flat';
  const breaker = status.breaker === null ? '' : `  breaker ${status.breaker.state}`;
  return `equity ${amount(status.equity)} ${status.currency}  today ${percent(status.dayChange)}${breaker}  ${held}  ${counts.slices} slices, ${counts.trades} trades`;
}
